//! Events: chosen, and followed through an absence of the controller.

use crate::scripted::Reply;
use crate::session::Session;
use serde_json::Value;

const FIRST: &str = "00000000000000a1";
const SECOND: &str = "00000000000000a2";

fn frame(id: &str, message: &str) -> &'static [u8] {
    let event = format!(
        r#"{{"id":"{id}","type":"run-container","time":"2026-01-01T00:00:00.000Z","message":"{message}","tags":["cluster"],"actor":"ann","new":1}}"#
    );
    format!("id: {id}\ndata: {event}\n\n").leak().as_bytes()
}

/// Two events; between them the controller is away, and after them the token is worth nothing any more.
async fn a_feed_with_a_gap(query: &str) -> Session {
    let session = Session::start().await;
    let after = |id: &str| format!("GET /api/events/stream?{query}&since={id}");
    session.server.on(&format!("GET /api/events/stream?{query}"), Reply::Chunks(vec![frame(FIRST, r"one \u009b31m")]));
    for _ in 0..3 {
        session.server.on(&after(FIRST), Reply::Lost);
    }
    session.server.on(&after(FIRST), Reply::BrokenAfter(frame(SECOND, "two")));
    session.server.refuse(&after(SECOND), 401, "unauthenticated", "the token has expired");
    session
}

#[tokio::test]
async fn a_feed_goes_on_where_it_was_when_the_controller_comes_back() {
    let session = a_feed_with_a_gap("tag=cluster&engine=e1&app=web").await;
    let ran = session.run("events -f --app web --engine e1 --tag cluster").await;
    assert_eq!(ran.code, 5, "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains(r"one \x9b31m") && lines[1].contains("two"), "{ran:?}");
    assert_eq!(ran.err.matches("trying again").count(), 1, "said once: {ran:?}");
}

#[tokio::test]
async fn programs_get_one_object_on_each_line() {
    let session = a_feed_with_a_gap("type=run-container").await;
    let ran = session.run("events --follow --type run-container --json").await;
    let events: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(|event| event["id"].as_str().unwrap()).collect::<Vec<_>>(), [FIRST, SECOND]);
    assert_eq!(events[0]["new"], 1, "fields that this version does not know");
    assert!(!ran.out.contains('\u{9b}'), "{ran:?}");
    for line in ran.err.lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        assert!(told["note"].is_string() || told["code"] == "unauthenticated", "{told}");
    }
}

#[tokio::test]
async fn none_are_listed_if_none_are_asked_for() {
    let session = Session::start().await;
    session.server.json("GET /api/events?count=0", "[]").json("GET /api/events?count=20", "[]");
    assert!(session.run("events 0").await.out.starts_with("None were asked for"));
    assert!(session.run("events").await.out.starts_with("No events yet"));
    session.server.json("GET /api/events?count=20&since=2026-11-22T22%3A38%3A30.000Z", "[]");
    assert_eq!(session.run("events --since 1795387110").await.out, "No such events.\n", "seconds since 1970");
}

#[tokio::test]
async fn who_cannot_begin_to_follow_is_told_at_once() {
    let session = Session::start().await;
    session.server.on("GET /api/events/stream", Reply::Lost);
    let ran = session.run("events -f").await;
    assert!(ran.code == 6 && ran.err.contains("cannot reach"), "{ran:?}");
}
