//! Streams: the tickets that open them, and that they end with the right to watch.

use crate::courses::person;
use crate::raw::{Answer, Sender};
use pierhead_controller::keys;
use pierhead_model::{Timestamp, TokenRecord, Username};
use pierhead_store::StoreJson;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, sample};
use serde_json::json;

const EVENTS: &str = "/api/events/stream";

async fn cluster(hosts: usize) -> Cluster {
    Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await
}

async fn asked(sender: &Sender, resource: &str) -> Answer {
    sender.post("/api/tickets", &json!({ "resource": resource }).to_string()).await
}

async fn ticket(sender: &Sender, resource: &str) -> String {
    let answer = asked(sender, resource).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["ticket"].as_str().unwrap().to_owned()
}

/// The end of a stream, which must come.
async fn ends(mut stream: reqwest::Response, what: &str) {
    let all = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("{what}: the stream goes on"));
}

/// Whether the stream still brings what happens.
async fn goes_on(cluster: &Cluster, stream: &mut reqwest::Response, mark: &str) {
    let app = r#"{"image":{"name":"a"},"replicas":0}"#;
    let made = Sender::admin(cluster).send("PUT", &format!("/api/apps/{mark}"), app).await;
    assert!(made.status < 300, "{made:?}");
    let found = async {
        let mut text = String::new();
        while !text.contains(mark) {
            text.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("the stream goes on")));
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("what happens is told");
}

#[tokio::test]
async fn who_may_not_read_the_log_is_told_of_their_own() {
    let cluster = cluster(0).await;
    let (admin, ann) = (Sender::admin(&cluster), person(&cluster, "ann", "student").await);
    let mut stream = ann.open(&format!("{EVENTS}?since=1d")).await;
    let app = r#"{"image":{"name":"a"},"replicas":0}"#;
    assert!(admin.send("PUT", "/api/apps/not-theirs", app).await.status < 300);
    assert_eq!(ann.post("/api/tokens", r#"{"name":"their-last"}"#).await.status, 201);
    let mut told = String::new();
    while !told.contains("their-last") {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("their own is told");
        told.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
    assert!(!told.contains("not-theirs"), "{told}");
    assert_eq!(ann.get("/api/events").await.status, 403, "the log itself is not theirs to read");
}

#[tokio::test]
async fn a_ticket_opens_its_stream_once() {
    let cluster = cluster(0).await;
    let (ann, nobody) = (Sender::user(&cluster, "ann").await, Sender::nobody(&cluster));
    let answer = asked(&ann, EVENTS).await.json();
    let (ticket, expires) = (answer["ticket"].as_str().unwrap(), answer["expires"].as_str().unwrap());
    let left = pierhead_wire::parse_timestamp(expires).unwrap().since(cluster.controller().clock().now());
    assert!((20_000..=30_000).contains(&left), "{left}");
    let mut stream = nobody.open(&format!("{EVENTS}?ticket={ticket}&tag=")).await;
    goes_on(&cluster, &mut stream, "mark-1").await;
    let again = nobody.get(&format!("{EVENTS}?ticket={ticket}")).await;
    assert_eq!(again.status, 401);
    assert!(!again.text.contains(ticket), "{again:?}");
    let told = Sender::admin(&cluster).get("/api/events?count=50").await.text;
    assert!(!told.contains(ticket), "{told}");
}

#[tokio::test]
async fn a_ticket_is_good_for_nothing_else() {
    let cluster = cluster(1).await;
    let (admin, nobody) = (Sender::admin(&cluster), Sender::nobody(&cluster));
    let id = cluster.run("web", 1, &sample()).await.remove(0).id;
    let logs = format!("/api/containers/{id}/logs");
    for path in ["/api/engines", "/api/events", "/auth/session", "/api/containers", "/api/tokens", "/api/account"] {
        let ticket = ticket(&admin, EVENTS).await;
        assert_eq!(nobody.get(&format!("{path}?ticket={ticket}")).await.status, 401, "{path}");
        assert_eq!(nobody.clone().token(&ticket).get(path).await.status, 401, "{path}");
        let mut stream = nobody.open(&format!("{EVENTS}?ticket={ticket}")).await;
        assert!(stream.chunk().await.unwrap().is_some(), "it was not used up where it does not count");
    }
    let of_events = ticket(&admin, EVENTS).await;
    assert_eq!(nobody.get(&format!("{logs}?ticket={of_events}")).await.status, 401);
    assert_eq!(nobody.get(&format!("{EVENTS}?ticket={of_events}")).await.status, 401, "and it is used up");
    let of_logs = ticket(&admin, &logs).await;
    assert_eq!(nobody.get(&format!("{logs}?ticket={of_logs}&tail=1")).await.status, 200);
    for bad in ["", "x", &"A".repeat(43), "%00"] {
        assert_eq!(nobody.get(&format!("{EVENTS}?ticket={bad}")).await.status, 401, "{bad}");
    }
    let twice = nobody.get(&format!("{EVENTS}?ticket=a&ticket=b")).await;
    assert_eq!((twice.status, twice.refusal().field.as_deref()), (400, Some("ticket")));
    for resource in
        ["", "/", "/api/engines", "/api/events/stream?since=1", "/api/containers//logs", "https://x/api/events/stream"]
    {
        let answer = asked(&admin, resource).await;
        assert_eq!((answer.status, answer.refusal().field.as_deref()), (400, Some("resource")), "{resource}");
    }
    assert_eq!(asked(&nobody, EVENTS).await.status, 401);
}

#[tokio::test]
async fn a_ticket_is_worth_what_its_asker_is() {
    let cluster = cluster(0).await;
    let (admin, nobody) = (Sender::admin(&cluster), Sender::nobody(&cluster));
    let (ann, bob) = (Sender::user(&cluster, "ann").await, Sender::user(&cluster, "bob").await);
    let (of_ann, of_bob) = (ticket(&ann, EVENTS).await, ticket(&bob, EVENTS).await);
    assert_eq!(ann.send("DELETE", "/api/tokens/current", "").await.status, 204);
    assert_eq!(nobody.get(&format!("{EVENTS}?ticket={of_ann}")).await.status, 401, "its token was revoked");
    drop(nobody.open(&format!("{EVENTS}?ticket={of_bob}")).await);

    let of_bob = ticket(&bob, EVENTS).await;
    assert_eq!(admin.post("/api/roles", r#"{"name":"blind","permissions":["read-engines"]}"#).await.status, 204);
    assert_eq!(admin.send("PUT", "/api/account/bob", r#"{"role":{"name":"blind"}}"#).await.status, 204);
    assert_eq!(nobody.get(&format!("{EVENTS}?ticket={of_bob}")).await.status, 403, "he may not watch any more");
    let of_bob = ticket(&bob, EVENTS).await;
    assert_eq!(admin.send("DELETE", "/api/account/bob", "").await.status, 204);
    assert_eq!(nobody.get(&format!("{EVENTS}?ticket={of_bob}")).await.status, 401);
}

#[tokio::test]
async fn tickets_that_nobody_uses_are_bounded() {
    let cluster = cluster(0).await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    for _ in 0..100 {
        ticket(&ann, EVENTS).await;
    }
    let refused = asked(&ann, EVENTS).await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_many_tickets"));
    assert_eq!(refused.retry_after.as_deref(), Some("30"));
    ticket(&admin, EVENTS).await;
}

#[tokio::test]
async fn streams_end_with_the_right_to_watch() {
    let cluster = cluster(1).await;
    let admin = Sender::admin(&cluster);
    let mut kept = admin.open(EVENTS).await;
    let change = json!({ "username": "dora", "password": "quite another password" }).to_string();
    for (name, how) in [("ann", "revoked"), ("bob", "deleted"), ("carl", "another role"), ("dora", "another password")]
    {
        let user = Sender::user(&cluster, name).await;
        let ran = user.post(&format!("/api/containers?app=web-{name}"), &crate::raw::sample()).await;
        let logs = format!("/api/containers/{}/logs?follow=true", ran.json()[0]["id"].as_str().unwrap());
        let with_ticket = ticket(&user, EVENTS).await;
        let by_ticket = Sender::nobody(&cluster).open(&format!("{EVENTS}?ticket={with_ticket}")).await;
        let streams = [user.open(EVENTS).await, user.open(&logs).await, by_ticket];
        let answer = match how {
            "revoked" => user.send("DELETE", "/api/tokens/current", "").await,
            "deleted" => admin.send("DELETE", "/api/account/bob", "").await,
            "another role" => admin.send("PUT", "/api/account/carl", r#"{"role":{"name":"admin"}}"#).await,
            _ => admin.post("/account/passwdchange", &change).await,
        };
        assert_eq!(answer.status, 204, "{how}: {answer:?}");
        for stream in streams {
            ends(stream, how).await;
        }
    }
    goes_on(&cluster, &mut kept, "mark-2").await;
}

#[tokio::test]
async fn streams_end_when_their_token_expires() {
    let cluster = cluster(0).await;
    let ann = Sender::user(&cluster, "ann").await;
    let store = cluster.controller().store();
    let soon = Timestamp(cluster.controller().clock().now().0 + 5_000);
    for entry in store.list_all(keys::TOKENS).await.unwrap().entries {
        let record: TokenRecord = entry.json().unwrap();
        if record.username == Username::parse("ann").unwrap() {
            store.put_json(&entry.key, &TokenRecord { expires_at: soon, ..record }).await.unwrap();
        }
    }
    let stream = ann.open(EVENTS).await;
    ends(stream, "expired").await;
    assert!(cluster.controller().clock().now() >= soon, "and not before");
    assert_eq!(ann.get("/api/engines").await.status, 401);
}
