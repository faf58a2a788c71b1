//! Saves: names of images, what people may keep, and what can be begun from.

use pierhead_model::{ImageReference, MemberName, Save, SaveId, SaveLimits, SaveState, SaveTotals, WorkspaceId};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn record(state: &str) -> Value {
    json!({
        "id": "abcdefgh23-1", "workspace": "abcdefgh23", "owner": "ann", "name": "before lunch",
        "environment": "python", "version": 3, "automatic": false, "state": state, "bytes": 7, "created_at": 9,
        "containers": [{
            "name": "main", "image": "pierhead/save:abcdefgh23-1-main", "image_id": "sha256:00", "base": "alpine",
            "base_layers": 1, "layer_bytes": 7,
        }],
    })
}

fn totals(count: u64, bytes: u64) -> SaveTotals {
    SaveTotals { count, bytes }
}

#[test]
fn nothing_is_begun_from_a_save_that_is_still_made() {
    for (state, is_usable) in [("saving", false), ("single-copy", true), ("complete", true)] {
        let save: Save = serde_json::from_value(record(state)).unwrap();
        assert_eq!((save.is_usable(), save.state.as_str()), (is_usable, state));
        assert_eq!(serde_json::to_value(save.state).unwrap(), state, "people and records have one word for it");
    }
    assert!(serde_json::from_value::<SaveState>(json!("copied")).is_err());
}

#[test]
fn a_record_without_copies_reads_and_files_are_found_by_container() {
    let save: Save = serde_json::from_value(record("complete")).unwrap();
    assert!(save.copies.is_empty() && save.moved_bytes == 0);
    assert_eq!(serde_json::to_value(&save).unwrap().get("copies"), None);
    let name = |name: &str| MemberName::parse(name).unwrap();
    assert_eq!(save.files(&name("main")).map(|files| files.layer_bytes), Some(7));
    assert_eq!(save.files(&name("db")), None);
    for (field, bad) in [("id", "abcdefgh23"), ("workspace", "abc"), ("owner", ""), ("environment", "-")] {
        let mut bad_record = record("complete");
        bad_record[field] = json!(bad);
        assert!(serde_json::from_value::<Save>(bad_record).is_err(), "{field}");
    }
}

#[test]
fn what_is_exactly_allowed_is_allowed_and_one_more_is_not() {
    let most = totals(2, 100 << 20);
    assert_eq!(totals(2, 100 << 20).beyond(most), None);
    assert_eq!(totals(3, 0).beyond(most).unwrap(), "at most 2 saves may be kept, and there would be 3");
    let words = totals(1, (100 << 20) + 1).beyond(most).unwrap();
    assert_eq!(words, "saves may hold at most 100 MB, and would hold 101 MB", "never as much as is allowed");
    assert_eq!(
        totals(3, u64::MAX).beyond(most).unwrap(),
        "at most 2 saves may be kept, and there would be 3",
        "which is mended first"
    );
    assert!(totals(1, 0).beyond(SaveTotals::default()).is_some(), "none may be none");
}

#[test]
fn the_number_of_saves_refuses_only_what_people_keep_for_themselves() {
    let most = totals(2, 100);
    let one = |automatic: bool, handed_in: bool| {
        let mut record = record("complete");
        (record["automatic"], record["handed_in"]) = (json!(automatic), json!(handed_in));
        serde_json::from_value::<Save>(record).unwrap()
    };
    let own: Save = serde_json::from_value(record("complete")).unwrap();
    assert_eq!(own, one(false, false), "a record that says nothing of it is their own");
    assert_eq!((own.share(), own.limit(most)), (totals(1, 7), most));
    let automatic = one(true, false);
    assert_eq!((automatic.share(), automatic.limit(most)), (totals(1, 7), totals(4, 100)));
    for handed_in in [one(false, true), one(true, true)] {
        assert_eq!(handed_in.share(), totals(0, 7), "it leaves their number to them");
        assert_eq!(
            totals(9, 100).with(SaveTotals::default(), handed_in.share()).beyond(handed_in.limit(most)).unwrap(),
            "saves may hold at most 1 MB, and would hold 1 MB",
            "what it holds counts"
        );
        assert_eq!(totals(9, 93).beyond(handed_in.limit(most)), None);
    }
}

#[test]
fn one_person_alone_does_not_use_up_an_environment() {
    let SaveLimits { person, environment } = SaveLimits::default();
    assert!(person.count < environment.count && person.bytes < environment.bytes);
    assert_eq!(person.beyond(environment), None);
}

#[test]
fn an_image_without_volumes_has_one_name_however_its_id_is_written() {
    let digits = "0123456789abcdef".repeat(4);
    let name = Save::environment_image(&digits);
    assert_eq!(Save::environment_image(&format!("sha256:{digits}")), name);
    let other = Save::environment_image(&digits.replacen('0', "f", 1));
    assert_ne!(name, other);
    assert!(ImageReference::parse(&name).is_ok_and(|parsed| parsed.as_str() == name));
}

proptest! {
    #[test]
    fn images_of_different_saves_never_share_a_name(
        one in (0..4_u64, 0..40_u32, "[a-c]-?[a-c]"),
        other in (0..4_u64, 0..40_u32, "[a-c]-?[a-c]"),
    ) {
        let names = |(workspace, number, member): &(u64, u32, String)| {
            let id = SaveId::of(&WorkspaceId::from_random(*workspace), *number);
            let member = MemberName::parse(member.as_str()).unwrap();
            ((id.clone(), member.clone()), [Save::image(&id, &member), Save::unfinished_image(&id, &member)])
        };
        let ((first, of_first), (second, of_second)) = (names(&one), names(&other));
        let all: BTreeSet<_> = of_first.iter().chain(&of_second).collect();
        prop_assert_eq!(all.len(), if first == second { 2 } else { 4 });
        for name in all {
            prop_assert!(ImageReference::parse(name).is_ok_and(|parsed| parsed.as_str() == name.as_str()));
        }
    }

    #[test]
    fn a_save_names_its_workspace_whatever_its_number(workspace: u64, number: u32) {
        let workspace = WorkspaceId::from_random(workspace);
        let save = SaveId::of(&workspace, number);
        prop_assert_eq!(save.workspace(), workspace);
        prop_assert_eq!(SaveId::parse(save.as_str()), Ok(save));
    }

    #[test]
    fn what_comes_and_goes_leaves_nothing(have in (0..1_000_u64, 0..1_u64 << 40), sizes in prop::collection::vec(0..1_u64 << 30, 0..20)) {
        let (none, before) = (SaveTotals::default(), totals(have.0, have.1));
        let grown = sizes.iter().fold(before, |so_far, size| so_far.with(none, totals(1, *size)));
        prop_assert_eq!(grown.count, before.count + sizes.len() as u64);
        // In another order than they came, and each as large as it turned out to be.
        let real = sizes.iter().rev().fold(grown, |so_far, size| so_far.with(totals(1, *size), totals(1, size / 2)));
        prop_assert_eq!(real.count, grown.count);
        prop_assert!(real.bytes <= grown.bytes);
        prop_assert_eq!(sizes.iter().fold(real, |so_far, size| so_far.with(totals(1, size / 2), none)), before);
    }

    #[test]
    fn totals_never_wrap(count: u64, bytes: u64, less: (u64, u64), more: (u64, u64)) {
        let (before, none) = (totals(count, bytes), SaveTotals::default());
        let next = before.with(totals(less.0, less.1), totals(more.0, more.1));
        prop_assert!(next.count >= more.0 && next.bytes >= more.1);
        let less = before.with(totals(less.0, less.1), none);
        prop_assert!(less.count <= count && less.bytes <= bytes);
        prop_assert_eq!(before.with(none, none), before);
    }
}
