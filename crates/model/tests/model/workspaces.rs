//! Workspaces: old records, labels on engines, names that collide with nothing, and who may what.

use pierhead_model::{
    AppId, EngineId, Generation, MemberName, Ownership, SaveId, Slot, SlotKey, StopCause, TerminalRole, Timestamp,
    Username, Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceOrigin, WorkspaceOwnership, WorkspaceRight,
    WorkspaceStage, WorkspaceWish,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A record with nothing in it that may be left out.
pub fn least() -> Value {
    json!({
        "id": "abcdefgh23", "name": "my work", "owner": "ann", "environment": "python", "version": 3,
        "spec": super::environments::least_spec(), "wish": "running", "run": 1, "origin": "environment",
        "asked_at": 5, "created_at": 4,
    })
}

fn workspace() -> Workspace {
    serde_json::from_value(least()).unwrap()
}

fn place(engine: &str, generation: u32) -> Value {
    json!({
        "engine": engine, "generation": generation, "subnet": "10.213.0.16/28",
        "reserved": { "cpu_millis": 1, "memory_mb": 2 }, "created_at": 1, "version": 1, "spec": least()["spec"],
    })
}

fn assignment(stage: &Value) -> Result<WorkspaceAssignment, serde_json::Error> {
    let record = json!({ "workspace": "abcdefgh23", "run": 1, "stage": stage, "newest_generation": 2 });
    serde_json::from_value(record)
}

fn user(name: &str) -> Username {
    Username::parse(name).unwrap()
}

#[test]
fn what_a_record_leaves_out_is_nothing_and_is_left_out_again() {
    let found = workspace();
    assert!(found.guests.is_empty() && found.save_name.is_none() && found.opened_with.is_none());
    assert_eq!((found.extended_minutes, found.saves_asked), (0, 0));
    let written = serde_json::to_value(&found).unwrap();
    for absent in ["guests", "save_name", "opened_with"] {
        assert_eq!(written.get(absent), None, "{absent}");
    }
    let found = assignment(&json!("waiting")).unwrap();
    assert!(!found.is_live() && found.left.is_empty() && found.avoid.is_empty() && found.resumes.is_none());
    assert_eq!((found.not_before, found.saves_taken, found.failures), (Timestamp(0), 0, 0));
}

#[test]
fn wishes_origins_and_stages_of_later_versions_are_refused_and_not_guessed() {
    for (field, bad) in [
        ("wish", json!("hibernating")),
        ("origin", json!("snapshot")),
        ("origin", json!({ "save": "abcdefgh23-0" })),
        ("id", json!("ABCDEFGH23")),
        ("owner", json!("../ann")),
        ("guests", json!({ "bob": "owner" })),
        ("guests", json!({ "b b": "viewer" })),
        ("environment", json!("Python")),
    ] {
        let mut record = least();
        record[field] = bad.clone();
        assert!(serde_json::from_value::<Workspace>(record).is_err(), "{field}: {bad}");
    }
    for bad in
        [json!("paused"), json!({ "saving": { "save": "x-1", "cause": "asked" } }), json!({ "leaving": "bored" })]
    {
        assert!(assignment(&bad).is_err(), "{bad}");
    }
}

#[test]
fn each_stage_is_read_as_it_was_written() {
    let save = SaveId::parse("abcdefgh23-7").unwrap();
    let cases = [
        (json!("ready"), WorkspaceStage::Ready),
        (json!({ "leaving": "disk-full" }), WorkspaceStage::Leaving(StopCause::DiskFull)),
        (
            json!({ "saving": { "save": "abcdefgh23-7", "cause": { "stops": "host-gone" } } }),
            WorkspaceStage::Saving { save, cause: pierhead_model::SaveCause::Stops(StopCause::HostGone), name: None },
        ),
        (
            json!({ "over": { "cause": "expired", "at": 9 } }),
            WorkspaceStage::Over { cause: StopCause::Expired, at: Timestamp(9) },
        ),
    ];
    for (written, stage) in cases {
        assert_eq!(assignment(&written).unwrap().stage, stage);
        assert_eq!(serde_json::to_value(&stage).unwrap(), written);
    }
    let origin: WorkspaceOrigin = serde_json::from_value(json!({ "save": "abcdefgh23-7" })).unwrap();
    assert_eq!(origin, WorkspaceOrigin::Save(SaveId::parse("abcdefgh23-7").unwrap()));
}

#[test]
fn a_place_is_found_by_its_host_and_generation_also_where_it_was_left() {
    let mut found = assignment(&json!("ready")).unwrap();
    let engine = |id: &str| EngineId::parse(id).unwrap();
    assert!(found.place_of(&engine("a"), Generation(2)).is_none());
    found.place = Some(serde_json::from_value(place("a", 2)).unwrap());
    found.left = vec![serde_json::from_value(place("b", 1)).unwrap()];
    let is_there = |id: &str, generation| found.place_of(&engine(id), Generation(generation)).is_some();
    assert!(is_there("a", 2) && is_there("b", 1));
    assert!(!is_there("a", 1) && !is_there("b", 2) && !is_there("c", 2), "another copy is another's");
    assert_eq!((found.is_live(), found.next_generation()), (true, Generation(3)));
    found.place = None;
    assert!(!found.is_live(), "a copy that was left does not make it live");
}

#[test]
fn an_owner_stays_one_and_guests_are_what_they_were_let_in_as() {
    let mut shared = workspace();
    shared.guests.insert(user("ann"), TerminalRole::Viewer);
    shared.guests.insert(user("bob"), TerminalRole::Driver);
    shared.guests.insert(user("eve"), TerminalRole::Viewer);
    let rights: Vec<_> = ["ann", "bob", "eve", "Bob", "mallory"].map(|name| shared.right_of(&user(name))).into();
    let (owner, driver, viewer) = (WorkspaceRight::Owner, WorkspaceRight::Driver, WorkspaceRight::Viewer);
    assert_eq!(rights, [Some(owner), Some(driver), Some(viewer), None, None]);
    shared.guests.remove(&user("bob"));
    assert_eq!(shared.right_of(&user("bob")), None);
    shared.owner = user("bob");
    assert_eq!(shared.right_of(&user("ann")), Some(viewer), "who gave it away is a guest at most");
}

#[test]
fn only_two_wishes_are_to_run_and_containers_are_found_by_name() {
    let wishes = ["running", "saved", "ended", "discarded", "warm"].map(|wish| {
        let wish: WorkspaceWish = serde_json::from_value(json!(wish)).unwrap();
        Workspace { wish, ..workspace() }.wants_to_run()
    });
    assert_eq!(wishes, [true, false, false, false, true]);
    let name = |name: &str| MemberName::parse(name).unwrap();
    assert!(workspace().container(&name("main")).is_some() && workspace().container(&name("db")).is_none());
}

#[test]
fn each_cause_has_words_of_its_own() {
    let names = ["asked", "ended", "expired", "idle", "replaced", "drained", "disk-full", "host-gone"];
    let causes = names.map(|name| serde_json::from_value::<StopCause>(json!(name)).unwrap());
    let words: BTreeSet<&str> = causes.into_iter().map(StopCause::words).collect();
    assert_eq!(words.len(), names.len());
    assert!(words.iter().all(|words| !words.ends_with('.')), "they stand within a sentence");
}

#[test]
fn a_slot_of_an_app_is_no_workspaces_whatever_its_image_says() {
    let slot = SlotKey { app: AppId("a1b2".to_owned()), slot: Slot(0) };
    let of_app = Ownership { slot, generation: Generation(3), member: MemberName::main() };
    let of_workspace = WorkspaceOwnership {
        workspace: workspace().id,
        generation: Generation(3),
        container: Some(MemberName::main()),
    };
    // As an engine does: what a container is told to have counts, and the image's labels fill up.
    let mut labels = of_workspace.labels("c1");
    labels.extend(of_app.labels("c1", "web"));
    assert_eq!((WorkspaceOwnership::read(&labels), Ownership::read(&labels)), (None, Some(of_app)));
}

#[test]
fn labels_that_were_tampered_with_are_nobodys() {
    let of = WorkspaceOwnership { workspace: workspace().id, generation: Generation(3), container: None };
    let labels = of.labels("c1");
    for (label, bad) in [
        (WorkspaceOwnership::WORKSPACE, "../etc"),
        (WorkspaceOwnership::WORKSPACE, ""),
        (Ownership::GENERATION, "-1"),
        (Ownership::GENERATION, "3 "),
        (Ownership::GENERATION, "4294967296"),
        (WorkspaceOwnership::CONTAINER, ""),
        (WorkspaceOwnership::CONTAINER, "Main"),
    ] {
        let mut labels = labels.clone();
        labels.insert(label.to_owned(), bad.to_owned());
        assert_eq!(WorkspaceOwnership::read(&labels), None, "{label}={bad:?}");
    }
    for label in [WorkspaceOwnership::WORKSPACE, Ownership::GENERATION] {
        let mut labels = labels.clone();
        labels.remove(label);
        assert_eq!(WorkspaceOwnership::read(&labels), None, "without {label}");
    }
    assert_eq!(WorkspaceOwnership::read(&BTreeMap::new()), None);
}

fn member() -> impl Strategy<Value = MemberName> {
    "[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?".prop_map(|text| MemberName::parse(text).unwrap())
}

proptest! {
    #[test]
    fn any_ownership_survives_its_labels(number: u64, generation: u32, container in prop::option::of(member())) {
        let workspace = WorkspaceId::from_random(number);
        let of = WorkspaceOwnership { workspace, generation: Generation(generation), container };
        let labels = of.labels("c1");
        prop_assert_eq!(WorkspaceOwnership::read(&labels), Some(of));
        prop_assert_eq!(labels.get(Ownership::CLUSTER).map(String::as_str), Some("c1"));
        prop_assert_eq!(Ownership::read(&labels), None, "never a slot of an app");
    }

    #[test]
    fn names_on_engines_are_as_different_as_what_they_name(
        one in (0..3_u64, member(), 0..30_u32),
        other in (0..3_u64, member(), 0..30_u32),
    ) {
        let name = |(id, member, generation): &(u64, MemberName, u32)| {
            Workspace::container_name(&WorkspaceId::from_random(*id), member, Generation(*generation))
        };
        prop_assert_eq!(name(&one) == name(&other), one == other);
        prop_assert_ne!(name(&one), Workspace::network_name(&WorkspaceId::from_random(other.0)));
        prop_assert!(name(&one).len() <= 63, "it is a name of a host too");
    }

    #[test]
    fn ids_are_as_different_as_fifty_bits(one: u64, other: u64) {
        let (first, second) = (WorkspaceId::from_random(one), WorkspaceId::from_random(other));
        prop_assert_eq!(WorkspaceId::parse(first.as_str()), Ok(first.clone()));
        prop_assert_eq!(first == second, (one ^ other) & ((1 << 50) - 1) == 0);
    }
}
