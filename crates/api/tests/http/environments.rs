//! Environments: what they may be made of, whose they are, and changes at the same moment.

use crate::lab::{Lab, description};
use crate::raw::{Answer, Sender, snapshot};
use pierhead_model::SaveState;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LAB: &str = "/api/environments/lab";

/// Descriptions that nobody should send, and the field that is wrong.
fn bad_descriptions() -> Vec<(Value, &'static str)> {
    let main = |more: Value| {
        let mut container = description(json!({}))["containers"][0].take();
        container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "containers": [container] })
    };
    let twice = description(json!({}))["containers"][0].take();
    let file = |file: Value| main(json!({ "files": [file] }));
    let ports: Vec<u16> = (1..=33).collect();
    vec![
        (json!({ "containers": [] }), "containers"),
        (json!({ "containers": vec![twice.clone(); 11] }), "containers"),
        (json!({ "containers": [twice, twice] }), "containers[1].name"),
        (main(json!({ "name": "No Name" })), "containers[0].name"),
        (main(json!({ "image": "UPPER CASE" })), "containers[0].image"),
        (main(json!({ "image": "" })), "containers[0].image"),
        (main(json!({ "cpus": -1 })), "containers[0].cpus"),
        (main(json!({ "memory": 1 })), "containers[0].memory"),
        (main(json!({ "command": ["a\0b"] })), "containers[0].command[0]"),
        (main(json!({ "environment": { "1A": "x" } })), "containers[0].environment"),
        (main(json!({ "working_dir": "work" })), "containers[0].working_dir"),
        (main(json!({ "working_dir": "/a/../etc" })), "containers[0].working_dir"),
        (main(json!({ "user": "a b" })), "containers[0].user"),
        (main(json!({ "ports": [0] })), "containers[0].ports"),
        (main(json!({ "ports": ports })), "containers[0].ports"),
        (main(json!({ "ports": [65536] })), "containers[0].ports[0]"),
        (main(json!({ "startup": "a\0b" })), "containers[0].startup"),
        (file(json!({ "path": "etc/a" })), "containers[0].files[0].path"),
        (file(json!({ "path": "/a/" })), "containers[0].files[0].path"),
        (file(json!({ "path": "/a", "mode": "+644" })), "containers[0].files[0].mode"),
        (file(json!({ "path": "/a", "mode": "10000" })), "containers[0].files[0].mode"),
        (file(json!({ "path": "/a", "content": "x".repeat(256 << 10) })), "containers"),
        (main(json!({ "volumes": ["/etc:/x"] })), "containers[0].volumes"),
        (main(json!({ "network_mode": "host" })), "containers[0].network_mode"),
        (description(json!({ "lifetime_minutes": 0 })), "lifetime_minutes"),
        (description(json!({ "lifetime_minutes": 10_081 })), "lifetime_minutes"),
        (description(json!({ "idle_minutes": 10_081 })), "idle_minutes"),
        (description(json!({ "warm": 101 })), "warm"),
        (description(json!({ "asks": { "pids": 0 } })), "asks.pids"),
        (description(json!({ "asks": { "root": "yes" } })), "asks.root"),
        (description(json!({ "asks": { "host": true } })), "asks.host"),
    ]
}

async fn add(sender: &Sender, name: &str, description: Value) -> Answer {
    sender.post("/api/environments", &json!({ "name": name, "description": description }).to_string()).await
}

async fn set(sender: &Sender, change: Value) -> Answer {
    sender.send("PUT", LAB, change.to_string()).await
}

#[tokio::test]
async fn what_is_wrong_in_a_description_is_named_and_nothing_changes() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "private").await;
    let before = snapshot(&lab.cluster).await;
    let refused = async |answer: Answer, field: &str| {
        assert_eq!(answer.status, 400, "{field}: {answer:?}");
        let refusal = answer.refusal();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some(field)), "{}", refusal.message);
    };
    for (description, field) in bad_descriptions() {
        let field = format!("description.{field}");
        refused(add(&lab.ann, "other", description.clone()).await, &field).await;
        refused(set(&lab.ann, json!({ "description": description })).await, &field).await;
    }
    for (name, field) in [("", "name"), ("No Name", "name"), ("a/b", "name"), (&*"x".repeat(300), "name")] {
        refused(add(&lab.ann, name, description(json!({}))).await, field).await;
    }
    for change in [json!({ "visibility": "everybody" }), json!({ "visibility": 1 })] {
        refused(set(&lab.ann, change).await, "visibility").await;
    }
    refused(set(&lab.ann, json!({ "owner": "eve" })).await, "owner").await;
    assert_eq!(snapshot(&lab.cluster).await, before);
}

#[tokio::test]
async fn one_of_somebody_is_as_if_it_were_not_there_until_it_is_shared_and_theirs_alone_to_change() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "private").await;
    let names = async |sender: &Sender| {
        let listed = sender.get("/api/environments").await.json();
        listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let change = json!({ "description": description(json!({ "warm": 1 })), "visibility": "shared" });
    for (visibility, status, listed) in [("private", 404, vec![]), ("shared", 403, vec!["lab".to_owned()])] {
        assert_eq!(set(&lab.ann, json!({ "visibility": visibility })).await.json()["version"], 1, "not anew");
        let before = snapshot(&lab.cluster).await;
        assert_eq!(names(&lab.eve).await, listed, "{visibility}");
        let seen = if status == 404 { 404 } else { 200 };
        assert_eq!(lab.eve.get(LAB).await.status, seen, "{visibility}");
        for refused in [set(&lab.eve, change.clone()).await, lab.eve.send("DELETE", LAB, "").await] {
            assert_eq!(refused.status, status, "{refused:?}");
        }
        assert_eq!(snapshot(&lab.cluster).await, before);
    }
    let opened = lab.begin(&lab.eve, "environment", "lab").await;
    assert_eq!(opened.status, 201, "{opened:?}");
    set(&lab.ann, json!({ "visibility": "private" })).await;
    assert_eq!(lab.begin(&lab.eve, "environment", "lab").await.refusal().code, "not_found");
    assert_eq!(set(&lab.admin, json!({ "description": description(json!({ "idle_minutes": 5 })) })).await.status, 200);
    assert_eq!(lab.admin.send("DELETE", LAB, "").await.status, 204);
    let hers = format!("/api/workspaces/{}", opened.json()["id"].as_str().unwrap());
    let left = lab.eve.get(&hers).await.json();
    assert_eq!((&left["environment"], &left["version"]), (&json!("lab"), &json!(1)), "it stays as it was opened");
    assert_eq!(lab.ann.send("DELETE", LAB, "").await.status, 404);
}

#[tokio::test]
async fn what_goes_beyond_what_everybody_gets_takes_a_permission() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let before = snapshot(&lab.cluster).await;
    for asks in
        [json!({ "root": true }), json!({ "egress": true }), json!({ "privileged": true }), json!({ "pids": 300 })]
    {
        let wanted = description(json!({ "asks": asks }));
        for refused in
            [add(&lab.ann, "other", wanted.clone()).await, set(&lab.ann, json!({ "description": wanted })).await]
        {
            assert_eq!((refused.status, refused.refusal().code.as_str()), (403, "forbidden"), "{asks}");
        }
        assert_eq!(snapshot(&lab.cluster).await, before);
        assert_eq!(add(&lab.admin, "mighty", wanted).await.status, 201, "{asks}");
        let made = lab.admin.get("/api/environments/mighty").await.json();
        assert_eq!(made["unconfined"].as_array().map(Vec::len), Some(1), "it is told: {made}");
        assert_eq!(lab.admin.send("DELETE", "/api/environments/mighty", "").await.status, 204);
    }
}

#[tokio::test]
async fn a_save_of_somebody_else_is_no_image() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let save = lab.save(&lab.workspace().await, 1, SaveState::Complete).await;
    let of = |image: &str| json!({ "containers": [{ "image": image, "cpus": 0.1, "memory": 16 }] });
    let hers = of(&format!("pierhead/save:{save}-main"));
    let id = format!("sha256:{}", "0f".repeat(32));
    let before = snapshot(&lab.cluster).await;
    for (image, status) in [
        (hers.clone(), 404),
        (of(&format!("docker.io/pierhead/save:{save}-main")), 404),
        (of(&format!("index.docker.io/pierhead/save:{save}-main")), 404),
        (of(&format!("pierhead/save:{save}-main@{id}")), 404),
        (of(&id), 404),
        (of(&id[..15]), 404),
        (of("docker.io/pierhead/environment:0f0f"), 403),
        (of(&format!("pierhead/saving:{save}-main")), 403),
        (of("pierhead/environment:0f0f"), 403),
        (of("pierhead/save:nothing"), 404),
    ] {
        assert_eq!(add(&lab.eve, "other", image.clone()).await.status, status, "{image}");
    }
    assert_eq!(snapshot(&lab.cluster).await, before);
    let spelled = of(&format!("docker.io/pierhead/save:{save}-main"));
    for (name, image) in [("other", hers), ("another", spelled), ("by-id", of(&id))] {
        assert_eq!(add(&lab.ann, name, image).await.status, 201, "she may begin from what is hers");
    }
    let needed = lab.ann.send("DELETE", &format!("/api/saves/{save}"), "").await;
    assert_eq!(needed.status, 409, "{needed:?}");
}

#[tokio::test]
async fn of_those_who_take_a_name_at_the_same_moment_one_has_it() {
    let lab = Lab::open(0).await;
    let asking = (0..8).map(|at| {
        let sender = [&lab.ann, &lab.bob, &lab.carl, &lab.eve][at % 4].clone();
        tokio::spawn(async move { add(&sender, "lab", description(json!({ "lifetime_minutes": at + 1 }))).await })
    });
    let mut won = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        let answer = asked.await.unwrap();
        match answer.status {
            201 => won.push(answer.json()),
            _ => assert_eq!((answer.status, answer.refusal().code.as_str()), (409, "exists")),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(lab.admin.get(LAB).await.json(), won[0], "and nobody's description is lost in it");
}

#[tokio::test]
async fn changes_at_the_same_moment_are_all_made_each_a_version_of_its_own() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "private").await;
    let asking = (1..=6).map(|minutes| {
        let sender = if minutes % 2 == 0 { lab.ann.clone() } else { lab.admin.clone() };
        let change = json!({ "description": description(json!({ "idle_minutes": minutes })) });
        tokio::spawn(async move { set(&sender, change).await })
    });
    for asked in asking.collect::<Vec<_>>() {
        let answer = asked.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let now = lab.ann.get(LAB).await.json();
    assert_eq!((&now["version"], &now["visibility"], &now["owner"]), (&json!(7), &json!("private"), &json!("ann")));
    let again = set(&lab.ann, json!({ "description": now["description"] })).await.json();
    assert_eq!((&again["version"], &again["changed_at"]), (&now["version"], &now["changed_at"]), "as it is already");
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_one_environment() {
    let lab = Lab::open(0).await;
    let ann = lab.ann.clone().header("idempotency-key", "once");
    let answers = [add(&ann, "lab", description(json!({}))).await, add(&ann, "lab", description(json!({}))).await];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [201, 201]);
    assert_eq!(answers[0].json(), answers[1].json());
    let other = add(&ann, "other", description(json!({}))).await;
    assert_eq!((other.status, other.refusal().code.as_str()), (422, "idempotency_key_reused"));
    let eve = lab.eve.clone().header("idempotency-key", "once");
    assert_eq!(add(&eve, "lab", description(json!({}))).await.status, 409, "a key is good for its sender");
    let owners: BTreeSet<String> = lab
        .admin
        .get("/api/environments")
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} of {}", one["id"], one["owner"]))
        .collect();
    assert_eq!(owners, BTreeSet::from([r#""lab" of "ann""#.to_owned()]));
}
