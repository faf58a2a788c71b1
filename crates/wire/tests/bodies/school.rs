//! What is asked of courses, lists of people, labs and attempts, and what is told of them.

use crate::answers::check;
use crate::{assert_names, comes_back, is_odd, read};
use pierhead_model::{LabDraftThen, LabVersionRef, Operation, Visibility};
use pierhead_wire::{
    AnswerRequest, Answered, AttemptRequest, AttemptView, CheckRequest, CourseRequest, CourseUpdate, CourseView,
    EnrolRequest, LabFileView, LabHistoryView, LabRequest, LabRunRequest, LabRunView, LabSettings, LabView, LifeSpan,
    LinkRequest, MoveLabFileRequest, OperationView, PermissionsRequest, PublishRequest, ResetRequest, RosterRequest,
    RosterStatusView, StepRequest, StudentUpdate, StudentView, TokenRequest, lab_version,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const AT: &str = "2026-11-21T22:10:06.120Z";

fn course() -> Value {
    json!({ "id": "cs-101", "title": "Databases", "term": "", "zone": "UTC", "right": "student", "teachers": ["wang"],
        "assistants": [], "labs": [{ "lab": "mysql" }], "sessions": [], "source": "here", "archived": false,
        "revision": 7, "created_at": AT })
}

fn attempt() -> Value {
    json!({ "id": "aaaaaaaaaa", "lab": "http", "title": "HTTP", "version": 1, "account": "ann", "language": "",
        "languages": ["en"], "step": 0, "steps": [], "score": 0, "most": 3, "terminals": [{ "name": "main" }],
        "started_at": AT })
}

fn lab() -> Value {
    json!({ "id": "http", "owner": "ann", "writable": false, "visibility": "shared", "title": "HTTP", "versions": [],
        "created_at": AT })
}

/// Shows that a body is read as it is written, that one with a misspelt field is refused, and one that lacks a field only
/// if that is needed.
fn asks<T: DeserializeOwned + Serialize>(body: &Value, needed: &[&str]) {
    comes_back::<T>(body);
    let mut misspelt = body.clone();
    misspelt["misspelt"] = json!(1);
    assert!(is_odd::<T>(&misspelt), "{misspelt}");
    for field in body.as_object().unwrap().keys() {
        let mut without = body.clone();
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(is_odd::<T>(&without), needed.contains(&field.as_str()), "without {field}: {body}");
    }
}

#[test]
fn requests_need_what_nobody_can_guess_and_know_every_field() {
    let lab = json!({ "lab": "mysql", "version": 2, "opens_at": "2026-12-01T18:00", "due_at": AT, "warm_from": AT });
    let session = json!({ "starts": "2026-12-01T18:00", "ends": AT, "lab": "mysql" });
    let all = json!({ "title": "Databases", "term": "2026 秋", "zone": "Asia/Shanghai", "teachers": ["wang"],
        "assistants": [], "labs": [lab], "sessions": [session] });
    asks::<CourseUpdate>(&all, &[]);
    let mut whole = all;
    whole["id"] = json!("cs-101");
    asks::<CourseRequest>(&whole, &["id"]);
    assert!(is_odd::<CourseUpdate>(&whole), "a course keeps its id");
    asks::<EnrolRequest>(&json!({ "students": [{ "username": "li", "group": "" }] }), &["students"]);
    asks::<StudentUpdate>(&json!({ "group": "第一组", "suspended": true }), &[]);
    asks::<LinkRequest>(&json!({ "minutes": 60 }), &[]);
    let csv = json!({ "people": "username\nli\n", "courses": "", "enrolments": "" });
    asks::<RosterRequest>(&json!({ "csv": csv, "force": true, "expect": "0f" }), &[]);
    asks::<LabRequest>(&json!({ "id": "http", "title": "HTTP", "visibility": "shared" }), &["id"]);
    asks::<MoveLabFileRequest>(&json!({ "path": "a.md", "to": "b.md" }), &["path", "to"]);
    asks::<PublishRequest>(&json!({ "note": "", "revision": 4 }), &[]);
    asks::<AttemptRequest>(&json!({ "language": "zh", "course": "cs-101" }), &[]);
    asks::<StepRequest>(&json!({ "step": 0 }), &["step"]);
    asks::<CheckRequest>(&json!({ "name": "up" }), &[]);
    asks::<ResetRequest>(&json!({ "step": 2 }), &[]);
    asks::<LabRunRequest>(&json!({ "workspace": "aaaaaaaaaa", "step": 0, "run": "setup" }), &["workspace"]);
}

#[test]
fn what_stands_within_a_request_is_looked_at_too() {
    for bad in [
        json!({ "labs": [{ "version": 1 }] }),
        json!({ "labs": [{ "lab": "mysql", "due": AT }] }),
        json!({ "labs": [{ "lab": "mysql", "version": -1 }] }),
        json!({ "labs": ["mysql"] }),
        json!({ "labs": { "mysql": {} } }),
        json!({ "sessions": [{ "starts": AT }] }),
        json!({ "sessions": [{ "starts": 1, "ends": 2 }] }),
        json!({ "teachers": "wang" }),
        json!({ "archived": "yes" }),
    ] {
        assert!(is_odd::<CourseUpdate>(&bad), "{bad}");
    }
    for bad in [json!({ "students": ["li"] }), json!({ "students": [{ "username": "li", "role": "teacher" }] })] {
        assert!(is_odd::<EnrolRequest>(&bad), "{bad}");
    }
    for bad in [json!({ "csv": "username\nli\n" }), json!({ "csv": { "courses": "course\n" } })] {
        assert!(is_odd::<RosterRequest>(&bad), "{bad}");
    }
    let csv = read::<RosterRequest>(&json!({ "csv": { "people": "username\n" } })).csv.unwrap();
    assert!(csv.courses.is_empty() && csv.enrolments.is_empty(), "who lists people alone need not list more");
    for bad in [json!({ "step": -1 }), json!({ "step": 1.5 }), json!({ "step": "1" })] {
        assert!(is_odd::<StepRequest>(&bad) && is_odd::<ResetRequest>(&bad), "{bad}");
    }
}

#[test]
fn what_is_left_as_it_is_differs_from_what_is_emptied() {
    let update = read::<CourseUpdate>(&json!({ "labs": [], "term": "" }));
    assert_eq!((update.labs, update.term.as_deref()), (Some(vec![]), Some("")));
    assert_eq!((update.sessions, update.title, update.archived), (None, None, None));
    assert_eq!(read::<StudentUpdate>(&json!({ "group": "" })).group.as_deref(), Some(""));
    assert_eq!(read::<StudentUpdate>(&json!({ "suspended": false })).group, None);
    let kept = read::<LabSettings>(&json!({})).to_model();
    assert_eq!(kept, Ok((None, None, None)));
    let emptied = read::<LabSettings>(&json!({ "authors": [] })).to_model().unwrap();
    assert_eq!(emptied.1.map(|authors| authors.len()), Some(0), "nobody writes it any more beside its owner");
}

#[test]
fn answers_of_other_versions_are_understood() {
    check::<CourseView>(&course(), &["revision"]);
    check::<AttemptView>(&attempt(), &[]);
    check::<LabView>(&lab(), &["writable"]);
    check::<LabFileView>(&json!({ "path": "a.md", "digest": "0f", "bytes": u64::MAX }), &[]);
    check::<StudentView>(
        &json!({ "username": "li", "name": "", "suspended": false, "source": "roster", "since": AT }),
        &[],
    );
    check::<RosterStatusView>(&json!({}), &[]);
    let result = json!({ "step": 0, "run": "checks", "name": "up", "state": "not-run", "seconds": 0.25 });
    check::<LabRunView>(&json!({ "results": [result] }), &[]);
    let step = json!({ "title": "One", "seen": true, "done": false, "checks": [], "quizzes": [], "hints": 0,
        "hints_opened": [] });
    let mut older = attempt();
    older["steps"] = json!([step]);
    let older = read::<AttemptView>(&older);
    assert!(!older.steps[0].preparing && older.steps[0].setup_failed.is_none());
}

#[test]
fn an_answer_to_a_quiz_is_what_its_form_says_and_is_bounded() {
    const FORM: &str = "a list of numbers of options, or a list of one text";
    let answer = |parts: Value| read::<AnswerRequest>(&json!({ "answer": parts })).check();
    let hundred: Vec<u32> = (0..100).collect();
    assert_eq!(answer(json!(hundred)), Ok(Answered::Options(hundred.clone())));
    assert_eq!(answer(json!([""])), Ok(Answered::Text(String::new())), "an empty text is one, and wrong");
    let beyond: Vec<u32> = (0..101).collect();
    for bad in [json!(beyond), json!([]), json!(["1", 1]), json!([1, "1"]), json!(["a", "b"])] {
        assert_names(&answer(bad).unwrap_err(), "answer", FORM);
    }
    for odd in [json!(1), json!("a"), json!([null]), json!([[1]]), json!([1.5]), json!([4_294_967_296_u64])] {
        assert!(is_odd::<AnswerRequest>(&json!({ "answer": odd })), "{odd}");
    }
}

#[test]
fn fields_of_labs_are_named_with_what_they_must_be() {
    let settings = |body: Value| read::<LabSettings>(&body).to_model();
    let (shared, authors, owner) =
        settings(json!({ "visibility": "shared", "authors": ["bob", "bob", "ann"], "owner": "eve" })).unwrap();
    assert_eq!((shared, authors.map(|all| all.len())), (Some(Visibility::Shared), Some(2)), "nobody counts twice");
    assert_eq!(owner.map(|owner| owner.to_string()).as_deref(), Some("eve"));
    for (bad, field) in [
        (json!({ "visibility": "public" }), "visibility"),
        (json!({ "visibility": "" }), "visibility"),
        (json!({ "authors": ["bob", ""] }), "authors"),
        (json!({ "owner": "a/b" }), "owner"),
        (json!({ "owner": "" }), "owner"),
    ] {
        let error = settings(bad.clone()).unwrap_err();
        assert_eq!(error.field, field, "{bad}");
        assert!(error.message.starts_with(&format!("{field} must be ")), "{error}");
    }
    for id in ["", "-a", "a-", "a_b", "../a", "Http", "ü"] {
        let error = read::<LabRequest>(&json!({ "id": id })).to_model().unwrap_err();
        assert_eq!(error.field, "id", "{id:?}");
        assert!(error.message.starts_with("id must be "), "{error}");
    }
}

#[test]
fn each_change_of_a_draft_is_told_with_what_it_was_about() {
    let then = |what: Value| {
        let draft: LabDraftThen =
            read(&json!({ "revision": 3, "tree": "0f".repeat(32), "since": 1, "at": 0, "by": "ann",
            "what": what }));
        let told = serde_json::to_value(LabHistoryView::of(&draft)).unwrap();
        assert_eq!((&told["at"], &told["by"]), (&json!("1970-01-01T00:00:00.000Z"), &json!("ann")));
        [told["what"].clone(), told["path"].clone(), told["to"].clone(), told["restored"].clone()]
    };
    for (what, told) in [
        (json!({ "do": "made" }), json!(["made", null, null, null])),
        (json!({ "do": "written", "path": "a" }), json!(["written", "a", null, null])),
        (json!({ "do": "removed", "path": "a" }), json!(["removed", "a", null, null])),
        (json!({ "do": "moved", "path": "a", "to": "b" }), json!(["moved", "a", "b", null])),
        (json!({ "do": "restored", "revision": 1 }), json!(["restored", null, null, 1])),
        (json!({ "do": "of-a-later-version" }), json!(["changed", null, null, null])),
    ] {
        assert_eq!(json!(then(what)), told);
    }
}

#[test]
fn an_operation_tells_no_app_where_it_has_none_and_its_moments_as_people_read_them() {
    let record = json!({ "id": "op1", "title": "move 2", "actor": "ann", "app": "", "targets": [], "made_app": false,
        "state": "timed_out", "verdicts": [{ "slot": 1, "state": "failed", "message": "no room" }], "created_at": 0,
        "deadline": 1_795_299_006_120_u64 });
    let told = |record: &Value| OperationView::from(&read::<Operation>(record));
    let view = told(&record);
    assert_eq!((view.app.as_str(), view.state.as_str(), view.deadline.as_str()), ("", "timed_out", AT));
    assert_eq!((view.ended_at.as_deref(), view.error.is_none()), (None, true));
    assert_eq!(view.verdicts[0].message, "no room");
    let mut ended = record;
    ended["app_name"] = json!("web");
    ended["ended_at"] = json!(1_795_299_006_120_u64);
    ended["error"] = json!({ "code": "no_room", "message": "no host has room" });
    let view = told(&ended);
    assert_eq!((view.app.as_str(), view.ended_at.as_deref()), ("web", Some(AT)));
    assert_eq!(view.error.as_ref().map(|error| error.code.as_str()), Some("no_room"));
    comes_back::<OperationView>(&serde_json::to_value(&view).unwrap());
}

#[test]
fn a_token_lasts_as_long_as_is_said_and_the_field_that_is_wrong_is_named() {
    let parse = |body: Value| read::<TokenRequest>(&body).parse();
    assert_eq!(parse(json!({ "name": "CI" })), Ok(None));
    assert_eq!(parse(json!({ "name": "ü".repeat(64), "expires_in": "never" })), Ok(Some(LifeSpan::Endless)));
    let days = LifeSpan::Milliseconds(3650 * 24 * 3_600_000);
    assert_eq!(parse(json!({ "name": "CI", "expires_in": "3650d" })), Ok(Some(days)));
    for (body, field) in [
        (json!({ "name": "ü".repeat(65) }), "name"),
        (json!({ "name": "a\u{7f}" }), "name"),
        (json!({ "name": "", "expires_in": "soon" }), "name"),
        (json!({ "name": "CI", "expires_in": "" }), "expires_in"),
        (json!({ "name": "CI", "expires_in": "1 h" }), "expires_in"),
    ] {
        let error = parse(body.clone()).unwrap_err();
        assert_eq!(error.field, field, "{body}");
        assert!(error.message.starts_with(&format!("{field} must be ")), "{error}");
    }
}

#[test]
fn a_permission_that_there_is_not_is_shown_shortened_and_escaped() {
    let parse = |names: Value| read::<PermissionsRequest>(&json!({ "permissions": names })).parse();
    assert_eq!(parse(json!([])).map(|none| none.len()), Ok(0), "a role may do nothing");
    for (bad, place) in [
        (json!(["Read-Events"]), "permissions[0]"),
        (json!(["read-events", ""]), "permissions[1]"),
        (json!(["read-events", "read-events", "\u{1b}[31m"]), "permissions[2]"),
    ] {
        let error = parse(bad).unwrap_err();
        assert_eq!(error.field, place);
        assert!(error.message.contains("read-events") && !error.message.contains('\u{1b}'), "{error}");
    }
    let long = parse(json!(["x".repeat(10_000)])).unwrap_err();
    assert!(long.message.len() < 2_000, "nobody gets back all that they sent");
}

proptest! {
    #[test]
    fn the_number_of_a_version_is_written_in_one_way_only(number in 1..=u32::MAX, zeros in 1..4_usize) {
        let text = number.to_string();
        prop_assert_eq!(lab_version("version", &text), Ok(LabVersionRef::Number(number)));
        for other in [format!("{}{text}", "0".repeat(zeros)), format!("+{text}"), format!(" {text}"), format!("{text} ")] {
            let error = lab_version("from", &other).unwrap_err();
            prop_assert_eq!(error.message, "from must be draft, newest, or the number of a version");
        }
    }
}
