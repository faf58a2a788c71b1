//! Saves: whose they are, what may begin from them, and what keeps them.

use crate::lab::Lab;
use crate::raw::{Answer, Sender, snapshot};
use pierhead_engine::{EngineError, Verb};
use pierhead_model::{SaveState, Username};
use serde_json::json;

fn path(id: &str, verb: &str) -> String {
    format!("/api/saves/{id}{verb}")
}

/// A workspace of Ann's, and its complete save.
async fn lab() -> (Lab, String, String) {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let workspace = lab.workspace().await;
    let save = lab.save(&workspace, 1, SaveState::Complete).await;
    (lab, workspace, save)
}

async fn make_environment(sender: &Sender, save: &str, name: &str) -> Answer {
    sender.post(&path(save, "/environment"), &json!({ "name": name }).to_string()).await
}

#[tokio::test]
async fn they_are_their_owners_and_not_their_guests() {
    let (lab, workspace, save) = lab().await;
    let newer = lab.save(&workspace, 2, SaveState::SingleCopy).await;
    let begin = json!({ "save": save }).to_string();
    let before = snapshot(&lab.cluster).await;
    // Who drives the workspace that was saved has no right to what was kept of it.
    for other in [&lab.eve, &lab.bob, &lab.carl] {
        assert_eq!(other.get("/api/saves").await.json(), json!([]));
        for (method, path, body) in [
            ("GET", path(&save, ""), ""),
            ("GET", path(&save, "/changes"), ""),
            ("DELETE", path(&save, ""), ""),
            ("POST", path(&save, "/environment"), r#"{"name":"other"}"#),
            ("POST", "/api/workspaces".to_owned(), &*begin),
        ] {
            let answer = other.send(method, &path, body).await;
            assert_eq!((answer.status, answer.refusal().code.as_str()), (404, "not_found"), "{method} {path}");
        }
    }
    for unknown in ["aaaaaaaaaa-1", "aaaaaaaaaa", "..%2Fworkspaces", "x"] {
        for (method, verb) in [("GET", ""), ("GET", "/changes"), ("DELETE", "")] {
            let answer = lab.ann.send(method, &path(unknown, verb), "").await;
            assert_eq!(answer.status, 404, "{method} {unknown}{verb}: {answer:?}");
        }
    }
    assert_eq!(snapshot(&lab.cluster).await, before);
    for reader in [&lab.ann, &lab.admin] {
        let listed = reader.get("/api/saves").await.json();
        let ids: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [&*newer, &*save], "the newest first");
        assert_eq!(reader.get(&path(&save, "")).await.json(), listed[1]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_changes() {
    let (lab, workspace, save) = lab().await;
    let unfinished = lab.save(&workspace, 2, SaveState::Saving).await;
    let before = snapshot(&lab.cluster).await;
    for (method, path, body, field) in [
        ("GET", path(&unfinished, "/changes"), "", "id"),
        ("GET", path(&save, &format!("/changes?since={unfinished}")), "", "since"),
        ("GET", path(&save, "/changes?until=x"), "", "until"),
        ("POST", path(&unfinished, "/environment"), r#"{"name":"other"}"#, "id"),
        ("POST", path(&save, "/environment"), r#"{"name":"No Name"}"#, "name"),
        ("POST", path(&save, "/environment"), r#"{}"#, "name"),
        ("POST", path(&save, "/environment"), r#"{"name":"other","visibility":"shared"}"#, "visibility"),
    ] {
        let answer = lab.ann.send(method, &path, body).await;
        assert_eq!(answer.status, 400, "{method} {path}: {answer:?}");
        let refusal = answer.refusal();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some(field)), "{path}");
    }
    let other = lab.ann.get(&path(&save, "/changes?since=aaaaaaaaaa-1")).await;
    assert_eq!((other.status, other.refusal().code.as_str()), (404, "not_found"));
    let away = lab.ann.get(&path(&save, "/changes")).await;
    assert_eq!((away.status, away.refusal().code.as_str()), (503, "save_away"), "no host that answers has it");
    assert_eq!(snapshot(&lab.cluster).await, before);
}

#[tokio::test]
async fn an_account_compares_one_at_a_time_and_a_host_as_many_as_it_can() {
    let lab = Lab::open(1).await;
    lab.describe("lab", "shared").await;
    let workspace = lab.workspace().await;
    lab.is_ready(&workspace).await;
    let save = lab.save(&workspace, 1, SaveState::Complete).await;
    lab.move_save(&save, "host-1").await;
    let compared = async |sender: &Sender| {
        let answer = sender.get(&path(&save, "/changes")).await;
        (answer.status, answer.refusal().code, answer.refusal().message)
    };
    let ann = Username::parse("ann").unwrap();
    let one = lab.cluster.controller().measured().comparisons_of.open_below(&ann, 1).unwrap();
    let (status, code, message) = compared(&lab.ann).await;
    assert_eq!((status, code.as_str()), (429, "busy"));
    assert!(message.contains("you are comparing a save already"), "{message}");
    let (status, code, _) = compared(&lab.admin).await;
    assert_eq!((status, code.as_str()), (503, "save_away"), "another account is let, and the host lacks the image");
    drop(one);
    lab.cluster.host(0).fail_next(Verb::Changes, EngineError::Busy("it merges".to_owned()));
    let (status, code, message) = compared(&lab.ann).await;
    assert_eq!((status, code.as_str()), (429, "busy"));
    assert!(message.contains("as many images as they can"), "{message}");
    assert_eq!(compared(&lab.ann).await.1, "save_away", "what was refused is over");
}

#[tokio::test]
async fn an_environment_of_one_is_its_makers_and_begins_as_what_was_saved() {
    let (lab, workspace, save) = lab().await;
    let taken = make_environment(&lab.ann, &save, "lab").await;
    assert_eq!((taken.status, taken.refusal().code.as_str()), (409, "exists"));
    // What the workspace was opened as counts, and not what its environment has become.
    let anew = json!({ "description": crate::lab::description(json!({ "idle_minutes": 7 })) }).to_string();
    assert_eq!(lab.ann.send("PUT", "/api/environments/lab", anew).await.status, 200);
    let made = make_environment(&lab.ann, &save, "kept").await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!((&made["owner"], &made["visibility"], &made["version"]), (&json!("ann"), &json!("private"), &json!(1)));
    assert_eq!(made["description"]["idle_minutes"], 60);
    assert_eq!(made["description"]["containers"][0]["image"], format!("pierhead/save:{save}-main"));
    assert_eq!(lab.eve.get("/api/environments/kept").await.status, 404);
    let opened = lab.begin(&lab.ann, "environment", "kept").await;
    assert_eq!((opened.status, &opened.json()["environment"]), (201, &json!("kept")));
    assert_ne!(opened.json()["id"], json!(workspace));
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_one_environment_and_of_two_others_one() {
    let (lab, _, save) = lab().await;
    let ann = lab.ann.clone().header("idempotency-key", "once");
    let [first, again] = [make_environment(&ann, &save, "kept").await, make_environment(&ann, &save, "kept").await];
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    assert_eq!(make_environment(&ann, &save, "other").await.status, 422);
    let asking = [&lab.ann, &lab.admin].map(|sender| {
        let (sender, save) = (sender.clone(), save.clone());
        tokio::spawn(async move { make_environment(&sender, &save, "raced").await.status })
    });
    let mut statuses = Vec::new();
    for asked in asking {
        statuses.push(asked.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn one_that_something_begins_from_is_kept() {
    let (lab, workspace, save) = lab().await;
    let newer = lab.save(&workspace, 2, SaveState::Complete).await;
    assert_eq!(make_environment(&lab.ann, &newer, "kept").await.status, 201);
    let opened = lab.begin(&lab.ann, "save", &save).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let copy = opened.json()["id"].as_str().unwrap().to_owned();
    let before = snapshot(&lab.cluster).await;
    for needed in [&save, &newer] {
        let refused = lab.ann.send("DELETE", &path(needed, ""), "").await;
        assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "save_needed"), "{needed}");
    }
    assert_eq!(snapshot(&lab.cluster).await, before);
    for gone in [format!("/api/workspaces/{copy}"), "/api/environments/kept".to_owned()] {
        assert_eq!(lab.ann.send("DELETE", &gone, "").await.status, 204, "{gone}");
    }
    for free in [&save, &newer] {
        assert_eq!(lab.ann.send("DELETE", &path(free, ""), "").await.status, 204, "{free}");
        assert_eq!(lab.ann.send("DELETE", &path(free, ""), "").await.status, 404, "{free}");
    }
    assert_eq!(lab.begin(&lab.ann, "save", &save).await.refusal().code, "not_found");
}
