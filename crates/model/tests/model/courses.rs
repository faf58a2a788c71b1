//! Courses, those who take them, and what they come to in labs: records of each age, and what follows from them.

use pierhead_model::{
    Account, CheckResult, CheckState, Course, CourseRight, Enrolments, Lab, LabAttempt, LabChange, LabDraft,
    LabHistory, LabId, QuizAnswer, QuizResult, Role, SetupState, StepProgress, Timestamp, TokenKind, TokenRecord,
    Username,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn read<T: DeserializeOwned>(record: &Value) -> T {
    serde_json::from_value(record.clone()).unwrap_or_else(|error| panic!("{error}: {record}"))
}

fn course() -> Value {
    json!({ "id": "cs-101", "title": "Databases", "created_at": 1, "teachers": ["wang"], "labs": [{ "lab": "mysql" }] })
}

fn account() -> Value {
    json!({ "id": "1", "username": "ann", "password_hash": "x", "grants": [{ "role": "student", "scope": "cluster" }],
        "created_at": 5, "token_epoch": "e1" })
}

fn attempt() -> Value {
    json!({ "id": "aaaaaaaaaa", "lab": "http", "version": 1, "account": "ann", "seed": "x", "started_at": 1 })
}

/// Shows that a record of the first form is read, comes back whatever it has, and that it needs each of these fields.
fn needs<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(record: &Value, fields: &[&str]) {
    let first: T = read(record);
    let written = serde_json::to_value(&first).unwrap();
    assert_eq!(read::<T>(&written), first);
    for field in fields {
        let mut without = written.clone();
        without.as_object_mut().unwrap().remove(*field);
        assert!(serde_json::from_value::<T>(without).is_err(), "without {field}: {record}");
    }
    let mut later = written;
    later["of_a_later_program"] = json!(["anything"]);
    assert_eq!(read::<T>(&later), first, "an older program reads what a newer one wrote");
}

#[test]
fn records_of_each_age_are_read_and_what_matters_is_never_made_up() {
    needs::<Course>(&course(), &["id", "title", "created_at"]);
    needs::<Account>(&account(), &["id", "username", "password_hash", "grants", "created_at"]);
    needs::<LabAttempt>(&attempt(), &["id", "lab", "version", "account", "seed", "started_at"]);
    needs::<Enrolments>(&json!({}), &[]);
    needs::<StepProgress>(&json!({ "seen_at": 1 }), &["seen_at"]);
    needs::<CheckResult>(&json!({ "state": "passed", "at": 3 }), &["state", "at"]);
    needs::<QuizResult>(
        &json!({ "answer": { "choice": [0] }, "right": true, "tries": 1, "at": 2 }),
        &["answer", "right", "tries", "at"],
    );
    let tree = "0f".repeat(32);
    let draft = json!({ "revision": 1, "tree": tree, "at": 1, "by": "ann" });
    needs::<LabDraft>(&draft, &["revision", "tree", "at", "by"]);
    let lab = json!({ "id": "http", "owner": "ann", "visibility": "private", "title": "HTTP", "draft": draft,
        "created_at": 1 });
    needs::<Lab>(&lab, &["id", "owner", "visibility", "title", "draft", "created_at"]);
    needs::<TokenRecord>(
        &json!({ "username": "ann", "created_at": 1, "expires_at": 2 }),
        &["username", "created_at", "expires_at"],
    );
}

#[test]
fn a_record_that_names_what_cannot_be_is_refused() {
    for (at, bad) in [
        ("/id", json!("CS 101")),
        ("/teachers", json!(["../wang"])),
        ("/labs/0/lab", json!("My SQL")),
        ("/labs/0/version", json!(-1)),
        ("/created_at", json!("yesterday")),
    ] {
        let mut record = course();
        record["labs"][0]["version"] = json!(1);
        *record.pointer_mut(at).unwrap() = bad;
        assert!(serde_json::from_value::<Course>(record).is_err(), "{at}");
    }
    for (at, bad) in [("/id", json!("AAAAAAAAAA")), ("/version", json!(1.5)), ("/account", json!(""))] {
        let mut record = attempt();
        *record.pointer_mut(at).unwrap() = bad;
        assert!(serde_json::from_value::<LabAttempt>(record).is_err(), "{at}");
    }
    assert!(serde_json::from_value::<CheckState>(json!("skipped")).is_err());
    assert!(serde_json::from_value::<QuizAnswer>(json!([0])).is_err(), "a choice and a text are told apart");
}

#[test]
fn a_course_that_the_list_names_no_longer_is_over_like_one_that_somebody_ended() {
    let lab = LabId::parse("mysql").unwrap();
    for (archived, unlisted, is_over) in
        [(false, false, false), (true, false, true), (false, true, true), (true, true, true)]
    {
        let mut record = course();
        record["archived"] = json!(archived);
        record["unlisted"] = json!(unlisted);
        let course: Course = read(&record);
        assert_eq!((course.is_over(), course.shows(&lab, Timestamp(9))), (is_over, !is_over));
        assert_eq!(course.right_of(&name("wang"), None), Some(CourseRight::Teacher), "its teachers keep what they may");
    }
}

#[test]
fn a_lab_that_is_in_a_course_twice_is_seen_from_the_first_opening_on() {
    let mut record = course();
    record["labs"] = json!([{ "lab": "mysql", "opens_at": 90 }, { "lab": "mysql", "opens_at": 50, "due_at": 60 }]);
    let (course, lab): (Course, _) = (read(&record), LabId::parse("mysql").unwrap());
    let seen: Vec<u64> = [0, 49, 50, 61, 90].into_iter().filter(|at| course.shows(&lab, Timestamp(*at))).collect();
    assert_eq!(seen, [50, 61, 90], "what is due can be seen further on");
}

#[test]
fn who_left_or_is_listed_no_longer_takes_the_course_no_more_and_stays_on_record() {
    let record = json!({ "students": {
        "li": { "since": 1 },
        "wu": { "since": 1, "suspended": true },
        "hu": { "since": 1, "source": "roster", "unlisted": true },
        "xu": { "since": 1, "source": "roster", "unlisted": true, "suspended": true },
    }, "groups": { "a": ["wu"] } });
    let enrolments: Enrolments = read(&record);
    assert_eq!(enrolments.active().map(ToString::to_string).collect::<Vec<_>>(), ["li"]);
    assert_eq!((enrolments.students.len(), enrolments.group_of(&name("wu"))), (4, Some("a")));
    let course: Course = read(&course());
    for (who, right) in [("li", Some(CourseRight::Student)), ("wu", None), ("hu", None), ("xu", None), ("eve", None)] {
        assert_eq!(course.right_of(&name(who), Some(&enrolments)), right, "{who}");
    }
}

#[test]
fn a_token_is_worth_nothing_once_any_one_thing_is_wrong() {
    let (account, token): (Account, TokenRecord) = (
        read(&account()),
        read(&json!({ "username": "ann", "created_at": 1, "expires_at": 10, "epoch": "e1", "kind": "session" })),
    );
    assert_eq!(token.kind, TokenKind::Session);
    assert!(token.is_good(&account, Timestamp(9)) && !token.is_good(&account, Timestamp(10)));
    let suspended = Account { suspended_at: Some(Timestamp(99)), ..account.clone() };
    let renamed = Account { username: name("bob"), ..account.clone() };
    let changed = Account { token_epoch: "e2".to_owned(), ..account.clone() };
    for other in [suspended, renamed, changed] {
        assert!(!token.is_good(&other, Timestamp(9)), "{other:?}");
    }
    let endless = TokenRecord { expires_at: TokenRecord::NEVER, ..token };
    assert!(endless.is_good(&account, Timestamp(u64::MAX - 1)));
}

#[test]
fn accounts_of_schools_are_those_that_a_list_may_give_and_no_others() {
    for (role, is_of_school) in
        [("teacher", true), ("assistant", true), ("student", true), ("admin", false), ("user", false), ("tutor", false)]
    {
        let mut record = account();
        record["grants"][0]["role"] = json!(role);
        let account: Account = read(&record);
        assert_eq!((account.is_of_school(), account.is_admin()), (is_of_school, role == "admin"), "{role}");
    }
    let mut none = account();
    none["grants"] = json!([]);
    assert!(!read::<Account>(&none).is_of_school());
    for role in Role::built_in() {
        assert!(role.is_built_in(), "{:?}", role.name);
        let may_manage = role.permissions.iter().any(|permission| permission.as_str() == "write-accounts");
        assert_eq!(may_manage, role.name.0 == Role::ADMIN, "{:?}", role.name);
    }
}

#[test]
fn the_way_through_a_lab_is_told_by_step() {
    let mut record = attempt();
    record["steps"] = json!({ "0": { "seen_at": 1, "setup": "done" }, "10": { "seen_at": 3,
        "setup": { "failed": "it ended with exit code 1" }, "hints": [1, 1, 0] } });
    let attempt: LabAttempt = read(&record);
    assert_eq!(attempt.progress(0).map(|step| &step.setup), Some(&SetupState::Done));
    let tenth = attempt.progress(10).unwrap();
    assert_eq!(tenth.setup, SetupState::Failed("it ended with exit code 1".to_owned()));
    assert_eq!(tenth.hints.iter().copied().collect::<Vec<_>>(), [0, 1], "a hint is opened once");
    assert!(attempt.progress(1).is_none());
    let shown = format!("{attempt:?}");
    assert!(shown.contains("exit code 1") && !shown.contains("seed"), "{shown}");
}

proptest! {
    #[test]
    fn whoever_moves_is_in_the_last_group_that_they_were_put_into(
        moves in prop::collection::vec((0..4_usize, prop::option::of(0..3_usize)), 0..30),
    ) {
        let (people, groups) = (["li", "wu", "hu", "xu"], ["一", "b", "Group 3"]);
        let mut enrolments = Enrolments::default();
        let mut last = [None; 4];
        for (who, group) in moves {
            last[who] = group.map(|group| groups[group]);
            enrolments.set_group(&name(people[who]), last[who]);
        }
        for (who, group) in people.iter().zip(last) {
            prop_assert_eq!(enrolments.group_of(&name(who)), group);
        }
        prop_assert!(enrolments.groups.values().all(|members| !members.is_empty()));
        let members: usize = enrolments.groups.values().map(std::collections::BTreeSet::len).sum();
        prop_assert_eq!(members, last.iter().flatten().count());
    }

    #[test]
    fn the_history_of_a_draft_ends_with_the_draft_and_never_goes_back(
        steps in prop::collection::vec((0..90_000_u64, 0..3_usize, any::<bool>()), 1..150),
    ) {
        let (mut history, mut at) = (LabHistory::default(), 0);
        for (revision, (later, file, is_ann)) in (1..).zip(&steps) {
            at += later;
            let by = name(if *is_ann { "ann" } else { "bob" });
            let tree = pierhead_model::Digest::parse("0f".repeat(32)).unwrap();
            let draft = LabDraft { revision, tree, at: Timestamp(at), by };
            let path = ["a.md", "b.md", "c/d.md"][*file].to_owned();
            history.add(&draft, LabChange::Written { path: path.clone() });
            let last = history.last_of(&path).unwrap();
            prop_assert_eq!((last.revision, &last.by, last.at), (revision, &draft.by, draft.at));
        }
        let drafts = &history.drafts;
        prop_assert!(drafts.len() <= LabHistory::KEPT);
        prop_assert!(drafts.windows(2).all(|two| two[0].revision < two[1].revision && two[0].at <= two[1].since));
        prop_assert!(drafts.iter().all(|draft| draft.since <= draft.at && draft.at.0 - draft.since.0 < 120_000));
    }
}
