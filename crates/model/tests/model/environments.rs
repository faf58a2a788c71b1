//! Environments: what is read of older descriptions, what is refused, and what is remembered of changes.

use pierhead_model::{Asks, Environment, EnvironmentSpec, LabelExpression, Resources, Timestamp, Username, Visibility};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A description with nothing in it that may be left out.
pub fn least_spec() -> Value {
    json!({ "containers": [container("main", 250, 128)], "lifetime_minutes": 240, "idle_minutes": 60 })
}

fn container(name: &str, cpu_millis: u64, memory_mb: u64) -> Value {
    json!({
        "name": name, "image": "alpine",
        "limits": { "reserved": { "cpu_millis": cpu_millis, "memory_mb": memory_mb }, "cpu_limit_millis": 1000 },
    })
}

fn environment() -> Environment {
    serde_json::from_value(json!({
        "id": "python", "owner": "clare", "visibility": "private", "version": 1, "spec": least_spec(),
        "versions": [], "created_at": 1,
    }))
    .unwrap()
}

fn asked(asks: Value) -> Vec<String> {
    serde_json::from_value::<Asks>(asks).unwrap().words()
}

#[test]
fn a_description_that_says_little_asks_for_nothing() {
    let spec: EnvironmentSpec = serde_json::from_value(least_spec()).unwrap();
    assert_eq!((spec.warm, spec.asks), (0, Asks::default()));
    let main = spec.container("main").unwrap();
    assert!(main.command.is_empty() && main.files.is_empty() && main.startup.is_none() && main.user.is_none());
    assert_eq!(serde_json::to_value(main).unwrap().as_object().map(serde_json::Map::len), Some(3));
}

#[test]
fn what_is_no_description_is_refused() {
    for (at, bad) in [
        ("/containers/0/name", json!("Main")),
        ("/containers/0/image", json!("alpine; rm")),
        ("/containers/0/limits/reserved/cpu_millis", json!(-1)),
        ("/lifetime_minutes", json!(-1)),
        ("/idle_minutes", json!("never")),
    ] {
        let mut spec = least_spec();
        *spec.pointer_mut(at).unwrap() = bad;
        assert!(serde_json::from_value::<EnvironmentSpec>(spec).is_err(), "{at}");
    }
    assert!(serde_json::from_value::<Visibility>(json!("public")).is_err());
    assert_eq!(Visibility::default(), Visibility::Private, "nobody shares by mistake");
}

#[test]
fn each_thing_that_is_asked_for_is_told_and_nothing_else() {
    assert_eq!(asked(json!({ "root": true })), ["root, to install packages"]);
    assert_eq!(asked(json!({ "egress": true })), ["connections to the world outside"]);
    assert_eq!(asked(json!({ "privileged": true })), ["privileged containers"]);
    assert_eq!(asked(json!({ "pids": Asks::PROCESSES + 1 })), ["257 processes a container"]);
    assert!(asked(json!({ "pids": Asks::PROCESSES })).is_empty(), "everybody gets so many");
    assert!(asked(json!({ "root": false, "pids": 1 })).is_empty());
}

#[test]
fn hosts_are_let_take_privileged_ones_by_a_label_that_can_be_set() {
    let label = LabelExpression::parse(Environment::PRIVILEGED_LABEL).unwrap();
    assert!(!label.holds(&[].into()), "no host does by itself");
    assert!(label.holds(&[Environment::PRIVILEGED_LABEL.to_owned()].into()));
}

#[test]
fn files_are_named_and_not_shown() {
    let mut spec = least_spec();
    spec["containers"][0]["files"] = json!([{ "path": "/srv/key", "content": "s3cret", "mode": 384 }]);
    let spec: EnvironmentSpec = serde_json::from_value(spec).unwrap();
    let shown = format!("{spec:?}");
    assert!(shown.contains("/srv/key") && !shown.contains("s3cret"), "{shown}");
    let kept = serde_json::to_value(&spec).unwrap();
    assert_eq!(kept["containers"][0]["files"][0]["content"], "s3cret", "the record keeps it");
}

proptest! {
    #[test]
    fn the_last_versions_are_remembered_in_turn_with_who_described_them(times in 0..60_u64) {
        let mut environment = environment();
        let people = ["clare", "dora"].map(|name| Username::parse(name).unwrap());
        for at in 0..times {
            let by = &people[usize::try_from(at % 2).unwrap()];
            let version = environment.describe(environment.spec.clone(), by, Timestamp(at));
            prop_assert_eq!(version, environment.version);
        }
        let versions = &environment.versions;
        prop_assert_eq!(versions.len() as u64, times.min(Environment::VERSIONS_KEPT as u64));
        prop_assert!(versions.windows(2).all(|two| two[0].version + 1 == two[1].version));
        prop_assert!(versions.last().is_none_or(|last| last.version == environment.version));
        for known in versions {
            prop_assert_eq!(u64::from(known.version), known.at.0 + 2);
            prop_assert_eq!(&known.by, &people[usize::try_from(known.at.0 % 2).unwrap()]);
        }
    }

    #[test]
    fn a_workspace_reserves_what_its_containers_do(amounts in prop::collection::vec((1..9_000_u64, 1..9_000_u64), 0..9)) {
        let containers: Vec<_> =
            amounts.iter().enumerate().map(|(at, (cpu, memory))| container(&format!("c{at}"), *cpu, *memory)).collect();
        let spec = json!({ "containers": containers, "lifetime_minutes": 1, "idle_minutes": 0 });
        let spec: EnvironmentSpec = serde_json::from_value(spec).unwrap();
        let all = spec.resources();
        let (cpu, memory) = amounts.iter().fold((0, 0), |(cpu, memory), amount| (cpu + amount.0, memory + amount.1));
        prop_assert_eq!(all, Resources::new(cpu, memory));
        prop_assert!(spec.containers.iter().all(|container| container.limits.reserved.fits(all)));
    }
}
