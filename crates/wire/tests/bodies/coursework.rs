//! What is asked about work in courses, and what is told of it.

use crate::answers::check;
use crate::{comes_back, is_odd, read};
use pierhead_wire::{ConsentRequest, ConsentView, DeletedRecordingView, RecordingMarkView, RecordingView};
use pierhead_wire::{
    CriterionEntry, ExtensionRequest, ExtensionView, GradeUpdate, GradebookRowView, ResultLine, ResultView,
    SubmissionView, SubmittedCheck, SubmittedQuiz, UsageView, WallMoment, WorkUpdate, WorkView,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const AT: &str = "2026-12-01T10:00:00.000Z";

fn moment() -> Value {
    json!({ "at": AT, "local": "2026-12-01T18:00:00+08:00" })
}

fn criterion() -> Value {
    json!({ "id": "style", "title": "Style", "from": "hand", "most": 2.5 })
}

fn submission() -> Value {
    json!({ "course": "cs-101", "lab": "mysql", "username": "li", "number": 1, "state": "saving", "submitted_at": AT,
        "late": false, "automatic": false, "version": 2, "ran_on_copy": false, "checks": [], "quizzes": [] })
}

fn result() -> Value {
    json!({ "lab": "mysql", "title": "A database", "published": false, "whole": false, "lines": [] })
}

fn work() -> Value {
    json!({ "course": "cs-101", "lab": "mysql", "title": "A database", "zone": "Asia/Shanghai", "late": "mark",
        "collects": true, "rubric": [], "published": false, "begun": false })
}

#[test]
fn answers_of_other_versions_are_understood() {
    check::<WorkView>(&work(), &[]);
    check::<WallMoment>(&moment(), &[]);
    check::<ExtensionView>(&json!({ "username": "li", "due": moment() }), &[]);
    check::<SubmissionView>(&submission(), &[]);
    check::<SubmittedCheck>(
        &json!({ "step": 0, "name": "up", "title": "Up", "state": "not-run", "score": 0, "most": 3 }),
        &[],
    );
    check::<SubmittedQuiz>(&json!({ "step": 0, "name": "port", "most": 1 }), &[]);
    check::<ResultView>(&result(), &[]);
    check::<ResultLine>(&json!({ "criterion": "style", "title": "Style", "most": 2.5, "by_hand": false }), &[]);
    let row =
        json!({ "username": "li", "name": "", "suspended": false, "points": 0.0, "most": 2.5, "results": [result()] });
    check::<GradebookRowView>(&row, &[]);
    let used = json!({ "username": "li", "name": "", "cpu_hours": 0.5, "memory_gb_hours": 2.0, "save_bytes": 7 });
    check::<UsageView>(&used, &["name"]);
}

#[test]
fn what_is_there_comes_back_whole() {
    let mut whole = work();
    for field in ["opens", "due", "due_for_you"] {
        whole[field] = moment();
    }
    whole["version"] = json!(2);
    whole["rubric"] = json!([criterion()]);
    whole["extensions"] = json!([{ "username": "wu", "due": moment() }]);
    let mut handed_in = submission();
    for (field, value) in [
        ("due_at", json!(AT)),
        ("save", json!("aaaaaaaaaa-2")),
        ("saved_at", json!(AT)),
        ("message", json!("there was no workspace to save")),
    ] {
        handed_in[field] = value;
    }
    handed_in["checks"] = json!([{ "step": 1, "name": "up", "title": "Up", "state": "failed", "on_copy": "passed",
        "score": 3, "most": 3 }]);
    handed_in["quizzes"] = json!([{ "step": 1, "name": "port", "score": 0, "most": 1 }]);
    whole["submission"] = handed_in.clone();
    comes_back::<WorkView>(&whole);
    let mut graded = result();
    graded["submission"] = handed_in;
    graded["lines"] = json!([{ "criterion": "style", "title": "Style", "points": 0.25, "most": 2.5, "by_hand": true,
        "comment": "neat" }]);
    for (field, value) in [
        ("due_at", json!(AT)),
        ("points", json!(0.25)),
        ("most", json!(2.5)),
        ("comment", json!("Well done.")),
        ("graded_by", json!("wang")),
        ("graded_at", json!(AT)),
    ] {
        graded[field] = value;
    }
    comes_back::<ResultView>(&graded);
    let used = json!({ "username": "li", "name": "Li Na", "course": "cs-101", "cpu_hours": 0.5, "memory_gb_hours": 2.0,
        "save_bytes": 7, "since": AT, "until": AT });
    comes_back::<UsageView>(&used);
}

#[test]
fn recordings_and_what_was_said_of_them_travel_whole() {
    let mark = json!({ "seconds": 1.5, "step": 0, "what": "seen", "title": "" });
    let mut recording = json!({ "id": "t-1", "course": "cs-101", "lab": "mysql", "username": "li", "name": "sh",
        "began_at": AT, "ended_at": AT, "bytes": 70, "kept_until": AT, "marks": [mark], "may_delete": false });
    check::<RecordingView>(&recording, &[]);
    check::<RecordingMarkView>(&mark, &[]);
    (recording["also"], recording["submission"]) = (json!(["wu"]), json!(2));
    comes_back::<RecordingView>(&recording);
    let gone =
        json!({ "id": "t-1", "course": "cs-101", "lab": "mysql", "username": "li", "deleted_at": AT, "why": "" });
    check::<DeletedRecordingView>(&gone, &[]);
    check::<ConsentView>(&json!({ "recordings": false }), &[]);
    comes_back::<ConsentView>(&json!({ "days": 30, "recordings": true, "since": AT }));
    comes_back::<ConsentRequest>(&json!({ "recordings": true }));
    assert!(is_odd::<ConsentRequest>(&json!({ "recordings": true, "odd": 1 })));
}

#[test]
fn an_empty_list_of_extensions_is_not_the_same_as_none_that_is_told() {
    let mut told = work();
    told["extensions"] = json!([]);
    comes_back::<WorkView>(&told);
    assert_eq!(read::<WorkView>(&told).extensions, Some(Vec::new()));
    assert_eq!(read::<WorkView>(&work()).extensions, None, "students are told of none");
}

#[test]
fn requests_know_every_field_and_keep_what_is_not_given() {
    let whole = json!({ "opens": "", "due": "2026-12-01T18:00", "late": "refuse", "collects": false,
        "rubric": [criterion()], "published": true });
    comes_back::<WorkUpdate>(&whole);
    assert_eq!(read::<WorkUpdate>(&json!({})), WorkUpdate::default());
    for field in whole.as_object().unwrap().keys() {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(field);
        comes_back::<WorkUpdate>(&without);
    }
    for bad in [
        json!({ "until": AT }),
        json!({ "due": 5 }),
        json!({ "collects": "yes" }),
        json!({ "published": 1 }),
        json!({ "rubric": { "style": 5 } }),
        json!({ "rubric": [{ "id": "style", "title": "Style", "from": "hand" }] }),
        json!({ "rubric": [{ "id": "style", "title": "Style", "from": "hand", "most": "5" }] }),
        json!({ "rubric": [{ "id": "style", "title": "Style", "from": "hand", "most": 5, "least": 1 }] }),
    ] {
        assert!(is_odd::<WorkUpdate>(&bad), "{bad}");
    }
    comes_back::<ExtensionRequest>(&json!({ "due": "2026-12-03T18:00" }));
    for bad in [json!({}), json!({ "due": null }), json!({ "due": AT, "why": "ill" })] {
        assert!(is_odd::<ExtensionRequest>(&bad), "{bad}");
    }
    let entry = read::<CriterionEntry>(&criterion());
    assert_eq!((entry.id.as_str(), entry.most), ("style", 2.5));
}

#[test]
fn points_that_are_taken_back_differ_from_none_that_are_given() {
    let update = read::<GradeUpdate>(&json!({ "points": { "style": null, "work": 0 } }));
    assert_eq!(update.points, BTreeMap::from([("style".to_owned(), None), ("work".to_owned(), Some(0.0))]));
    assert!(update.comments.is_empty() && update.comment.is_none());
    let emptied = read::<GradeUpdate>(&json!({ "comment": "", "comments": { "style": "" } }));
    assert_eq!((emptied.comment.as_deref(), emptied.comments["style"].as_str()), (Some(""), ""));
    comes_back::<GradeUpdate>(&json!({ "points": { "style": null, "work": 4.5 }, "comments": { "style": "neat" } }));
    for bad in [
        json!({ "points": { "style": "5" } }),
        json!({ "points": [5] }),
        json!({ "comments": { "style": null } }),
        json!({ "grade": "A" }),
    ] {
        assert!(is_odd::<GradeUpdate>(&bad), "{bad}");
    }
}
