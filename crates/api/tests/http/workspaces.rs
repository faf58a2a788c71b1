//! Workspaces: what may be asked for by whom, how many there may be, and what two who ask at the same moment get.

use crate::lab::Lab;
use crate::raw::{Sender, snapshot};
use pierhead_model::{
    SaveState, TerminalRole, Timestamp, Username, Workspace, WorkspaceId, WorkspaceOrigin, WorkspaceWish,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPEN: &str = "/api/workspaces";

async fn lab() -> Lab {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    lab
}

fn id_of(view: &Value) -> String {
    view["id"].as_str().unwrap().to_owned()
}

/// The path of what is wanted of a workspace.
fn path(id: &str, verb: &str) -> String {
    format!("{OPEN}/{id}{verb}")
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_changes() {
    let lab = lab().await;
    let id = lab.workspace().await;
    let save = lab.save(&id, 1, SaveState::Saving).await;
    let long = "n".repeat(300);
    let (extend, keep, start) = (path(&id, "/extend"), path(&id, "/save"), path(&id, "/start"));
    let guest = |name: &str| path(&id, &format!("/guests/{name}"));
    let before = snapshot(&lab.cluster).await;
    for (method, path, body, field) in [
        ("POST", OPEN.to_owned(), json!({}), "environment"),
        ("POST", OPEN.to_owned(), json!({ "environment": "lab", "save": save }), "environment"),
        ("POST", OPEN.to_owned(), json!({ "environment": "No Name" }), "environment"),
        ("POST", OPEN.to_owned(), json!({ "save": "../x" }), "save"),
        ("POST", OPEN.to_owned(), json!({ "save": save }), "save"),
        ("POST", OPEN.to_owned(), json!({ "environment": "lab", "name": "" }), "name"),
        ("POST", OPEN.to_owned(), json!({ "environment": "lab", "name": "a\nb" }), "name"),
        ("POST", OPEN.to_owned(), json!({ "environment": "lab", "name": long }), "name"),
        ("POST", OPEN.to_owned(), json!({ "environment": "lab", "owner": "eve" }), "owner"),
        ("POST", extend.clone(), json!({}), "minutes"),
        ("POST", extend.clone(), json!({ "minutes": 0 }), "minutes"),
        ("POST", extend.clone(), json!({ "minutes": -1 }), "minutes"),
        ("POST", extend.clone(), json!({ "minutes": 10_081 }), "minutes"),
        ("POST", extend, json!({ "minutes": "1h" }), "minutes"),
        ("POST", keep.clone(), json!({ "name": "a\u{1b}[31m" }), "name"),
        ("POST", keep, json!({ "automatic": true }), "automatic"),
        ("POST", start.clone(), json!({ "save": "nothing" }), "save"),
        ("POST", start, json!({ "save": save }), "save"),
        ("PUT", guest("bob"), json!({ "role": "owner" }), "role"),
        ("PUT", guest("bob"), json!({}), "role"),
        ("PUT", guest("ann"), json!({ "role": "viewer" }), "username"),
        ("PUT", guest("No%20Name"), json!({ "role": "viewer" }), "username"),
        ("DELETE", guest("No%20Name"), json!({}), "username"),
        ("DELETE", path(&id, "?discard=perhaps"), json!({}), "discard"),
        ("DELETE", path(&id, "?force=true"), json!({}), "force"),
    ] {
        let answer = lab.ann.send(method, &path, body.to_string()).await;
        assert_eq!(answer.status, 400, "{method} {path} {body}: {answer:?}");
        let refusal = answer.refusal();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some(field)), "{path} {body}");
    }
    assert_eq!(snapshot(&lab.cluster).await, before);
}

#[tokio::test]
async fn guests_do_what_they_came_for_and_others_find_nothing() {
    let lab = lab().await;
    let id = lab.workspace().await;
    let wishes = |id: &str| {
        [
            ("GET", path(id, ""), ""),
            ("POST", path(id, "/extend"), r#"{"minutes":5}"#),
            ("POST", path(id, "/save"), "{}"),
            ("POST", path(id, "/stop"), ""),
            ("POST", path(id, "/start"), "{}"),
            ("POST", path(id, "/reset"), ""),
            ("PUT", path(id, "/guests/eve"), r#"{"role":"driver"}"#),
            ("DELETE", path(id, "/guests/bob"), ""),
            ("DELETE", path(id, ""), ""),
            ("DELETE", path(id, "?discard=true"), ""),
        ]
    };
    let before = snapshot(&lab.cluster).await;
    // It does not run yet, which those learn who may ask for it.
    for (name, guest, right, of_running) in [("bob", &lab.bob, "viewer", 403), ("carl", &lab.carl, "driver", 409)] {
        let statuses = [200, of_running, of_running, 403, 403, 403, 403, 403, 403, 403];
        for ((method, path, body), status) in wishes(&id).into_iter().zip(statuses) {
            let answer = guest.send(method, &path, body).await;
            assert_eq!(answer.status, status, "{name}: {method} {path}: {answer:?}");
        }
        let listed = guest.get(OPEN).await.json();
        assert_eq!((listed.as_array().map(Vec::len), &listed[0]["right"]), (Some(1), &json!(right)));
    }
    for (unknown, sender) in [(&*id, &lab.eve), ("aaaaaaaaaa", &lab.ann), ("..%2Fsaves", &lab.ann), ("x", &lab.admin)] {
        for (method, path, body) in wishes(unknown) {
            let answer = sender.send(method, &path, body).await;
            assert_eq!((answer.status, answer.refusal().code.as_str()), (404, "not_found"), "{method} {path}");
        }
    }
    assert_eq!(lab.eve.get(OPEN).await.json(), json!([]));
    assert_eq!(snapshot(&lab.cluster).await, before);
    assert_eq!(lab.admin.get(&path(&id, "")).await.json()["right"], "owner");
    assert_eq!(lab.admin.post(&path(&id, "/stop"), "").await.status, 200);
}

#[tokio::test]
async fn whom_it_is_shared_with_comes_until_it_is_not_any_more() {
    let lab = lab().await;
    let id = lab.workspace().await;
    assert_eq!(lab.share(&id, "nobody", "viewer").await.status, 404, "there is no such account");
    let asked = lab.eve.send("PUT", &path(&id, "/guests/nobody"), r#"{"role":"viewer"}"#).await.refusal();
    let known = lab.eve.send("PUT", &path(&id, "/guests/bob"), r#"{"role":"viewer"}"#).await.refusal();
    assert_eq!(asked.message, known.message, "whose it is not learns nothing of accounts");
    assert_eq!(lab.share(&id, "bob", "driver").await.status, 204);
    assert_eq!(lab.bob.get(&path(&id, "")).await.json()["right"], "driver");
    let unshare = async || lab.ann.send("DELETE", &path(&id, "/guests/bob"), "").await.status;
    assert_eq!((unshare().await, unshare().await), (204, 404));
    assert_eq!(lab.bob.get(&path(&id, "")).await.status, 404);

    let many = |count: u64| (0..count).map(|at| (Username::parse(format!("guest{at}")).unwrap(), TerminalRole::Viewer));
    let full = Workspace { guests: many(100).collect(), ..lab.record(&id).await };
    lab.write_workspace(&full).await;
    let refusal = lab.share(&id, "bob", "viewer").await.refusal();
    assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some("username")));
    assert_eq!(lab.record(&id).await, full);
    lab.write_workspace(&Workspace { guests: many(99).collect(), ..full }).await;
    assert_eq!(lab.share(&id, "bob", "viewer").await.status, 204);
    assert_eq!(lab.share(&id, "bob", "driver").await.status, 204, "who comes already takes no other place");
}

#[tokio::test]
async fn guests_who_are_asked_in_at_the_same_moment_all_come() {
    let lab = lab().await;
    let id = id_of(&lab.begin(&lab.ann, "environment", "lab").await.json());
    let asking = ["bob", "carl", "eve", "admin"].map(|name| {
        let (sender, path) = (lab.ann.clone(), path(&id, &format!("/guests/{name}")));
        tokio::spawn(async move { sender.send("PUT", &path, r#"{"role":"viewer"}"#).await.status })
    });
    for asked in asking {
        assert_eq!(asked.await.unwrap(), 204);
    }
    let guests = lab.record(&id).await.guests;
    let names: Vec<&str> = guests.keys().map(Username::as_str).collect();
    assert_eq!(names, ["admin", "bob", "carl", "eve"]);
}

#[tokio::test]
async fn a_request_that_is_sent_again_opens_one_workspace() {
    let lab = lab().await;
    let ann = lab.ann.clone().header("idempotency-key", "once");
    let asking = (0..6).map(|_| {
        let ann = ann.clone();
        tokio::spawn(async move { ann.post(OPEN, r#"{"environment":"lab"}"#).await })
    });
    let mut opened = BTreeSet::new();
    for asked in asking.collect::<Vec<_>>() {
        let answer = asked.await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        opened.insert(id_of(&answer.json()));
    }
    assert_eq!(opened.len(), 1, "also at the same moment");
    let other = ann.post(OPEN, r#"{"environment":"lab","name":"other"}"#).await;
    assert_eq!((other.status, other.refusal().code.as_str()), (422, "idempotency_key_reused"));
    let eve = lab.eve.clone().header("idempotency-key", "once").post(OPEN, r#"{"environment":"lab"}"#).await;
    assert!(eve.status == 201 && !opened.contains(&id_of(&eve.json())), "a key is good for its sender: {eve:?}");
    assert_eq!(lab.ann.get(OPEN).await.json().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_change_that_is_sent_again_is_made_once() {
    let lab = lab().await;
    let id = lab.workspace().await;
    let ann = lab.ann.clone().header("idempotency-key", "anew");
    // It may be begun anew at once, each time.
    let long_ago = async || lab.write_workspace(&Workspace { asked_at: Timestamp(1), ..lab.record(&id).await }).await;
    long_ago().await;
    assert_eq!(ann.post(&path(&id, "/reset"), "").await.status, 200);
    let run = lab.record(&id).await.run;
    long_ago().await;
    assert_eq!((ann.post(&path(&id, "/reset"), "").await.status, lab.record(&id).await.run), (200, run));
    let other = ann.post(&path(&id, "/start"), "{}").await;
    assert_eq!((other.status, other.refusal().code.as_str()), (422, "idempotency_key_reused"));
    assert_eq!((lab.ann.post(&path(&id, "/reset"), "").await.status, lab.record(&id).await.run), (200, run + 1));
}

/// As many of Ann's workspaces as asked, opened long ago.
async fn has_many(lab: &Lab, like: &Workspace, count: u64) -> Vec<Workspace> {
    let record = |number| Workspace {
        id: WorkspaceId::from_random(number),
        created_at: Timestamp(1),
        guests: Default::default(),
        ..like.clone()
    };
    let all: Vec<Workspace> = (1..=count).map(record).collect();
    for workspace in &all {
        lab.write_workspace(workspace).await;
    }
    all
}

#[tokio::test]
async fn somebody_has_fifty_at_most_of_those_that_have_not_ended() {
    let lab = lab().await;
    let first = lab.record(&lab.workspace().await).await;
    let all = has_many(&lab, &first, 49).await;
    let before = snapshot(&lab.cluster).await;
    let refused = lab.begin(&lab.ann, "environment", "lab").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_many_workspaces"));
    assert_eq!(snapshot(&lab.cluster).await, before);
    assert_eq!(lab.begin(&lab.bob, "environment", "lab").await.status, 201, "whose they are not is not held up");
    assert_eq!(lab.ann.send("DELETE", &path(all[0].id.as_str(), ""), "").await.status, 204);
    assert_eq!(lab.begin(&lab.ann, "environment", "lab").await.status, 201);
}

#[tokio::test]
async fn who_opens_too_many_in_a_minute_is_told_when_to_come_again() {
    let lab = lab().await;
    let first = lab.record(&lab.workspace().await).await;
    let far = Timestamp(first.created_at.0 + 3_600_000);
    for lately in has_many(&lab, &first, 20).await {
        lab.write_workspace(&Workspace { created_at: far, ..lately }).await;
    }
    let refused = lab.begin(&lab.ann, "environment", "lab").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_often"));
    assert_eq!(refused.retry_after.as_deref(), Some("60"));
    assert_eq!(lab.begin(&lab.bob, "environment", "lab").await.status, 201);
}

#[tokio::test]
async fn it_begins_anew_no_faster_than_it_can_follow() {
    let lab = lab().await;
    let id = lab.workspace().await;
    let save = lab.save(&id, 1, SaveState::Complete).await;
    let record = lab.record(&id).await;
    let (reset, start) = (path(&id, "/reset"), path(&id, "/start"));
    let from_save = json!({ "save": save }).to_string();
    let asked_at = async |at: u64| {
        lab.write_workspace(&Workspace { asked_at: Timestamp(at), ..record.clone() }).await;
    };
    asked_at(record.asked_at.0 + 3_600_000).await;
    let before = snapshot(&lab.cluster).await;
    for refused in [lab.ann.post(&reset, "").await, lab.ann.post(&start, &from_save).await] {
        assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_often"));
        assert_eq!(refused.retry_after.as_deref(), Some("2"));
    }
    assert_eq!(lab.ann.post(&start, "{}").await.status, 200, "it is wanted already");
    assert_eq!(snapshot(&lab.cluster).await, before);
    for (path, body, origin) in [
        (&reset, "", WorkspaceOrigin::Environment),
        (&start, &*from_save, WorkspaceOrigin::Save(pierhead_model::SaveId::parse(save.as_str()).unwrap())),
    ] {
        asked_at(1).await;
        assert_eq!(lab.ann.post(path, body).await.status, 200);
        let now = lab.record(&id).await;
        assert_eq!((now.run, now.origin), (record.run + 1, origin));
    }
    asked_at(1).await;
    let anew = json!({ "description": crate::lab::description(json!({ "idle_minutes": 7 })) }).to_string();
    assert_eq!(lab.ann.send("PUT", "/api/environments/lab", anew).await.status, 200);
    assert_eq!(lab.record(&id).await.version, 1, "a workspace stays as it is");
    assert_eq!(lab.ann.post(&reset, "").await.json()["version"], 2, "until it is reset");
}

#[tokio::test]
async fn what_has_ended_stays_so() {
    let lab = lab().await;
    let id = lab.workspace().await;
    let end = async |sender: &Sender| sender.send("DELETE", &path(&id, ""), "").await.status;
    assert_eq!((end(&lab.ann).await, end(&lab.ann).await), (204, 204), "once more changes nothing");
    assert_eq!((lab.phase(&id).await, lab.record(&id).await.wish), ("ended".to_owned(), WorkspaceWish::Ended));
    let before = snapshot(&lab.cluster).await;
    for (verb, body) in
        [("/extend", r#"{"minutes":5}"#), ("/save", "{}"), ("/stop", ""), ("/start", "{}"), ("/reset", "")]
    {
        let refused = lab.ann.post(&path(&id, verb), body).await;
        assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "workspace_state"), "{verb}");
    }
    assert_eq!(snapshot(&lab.cluster).await, before);
}
