//! How sessions end, and what is left of them.

use crate::process::{Stage, soon, until};
use pierhead_terminal::{Right, ServerMessage};
use std::sync::Arc;
use tokio::io::AsyncReadExt;

fn exit(code: Option<i64>, reason: &str) -> ServerMessage {
    ServerMessage::Exit { code, reason: reason.into() }
}

#[tokio::test]
async fn the_end_of_the_process_is_the_end_of_the_session() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    *stage.asks.code.lock().unwrap() = Some(7);
    stage.print(b"last words").await;
    drop(stage.process);
    owner.read_to_end().await;
    assert_eq!(owner.output, b"last words");
    assert_eq!(owner.messages.last(), Some(&exit(Some(7), "")));
    assert_eq!(stage.asks.calls(), ["end"]);
    let view = stage.sessions.get("t1").unwrap();
    assert_eq!(view.end.unwrap().code, Some(7));
    let visitor = pierhead_terminal::Visitor { username: "late".into(), right: Right::Viewer };
    let line = stage.sessions.attach("t1", visitor).unwrap();
    let mut late = crate::process::Client {
        line,
        you: String::new(),
        next: 0,
        output: Vec::new(),
        snapshots: Vec::new(),
        messages: Vec::new(),
        shown: 0,
    };
    late.say(&pierhead_terminal::ClientMessage::Attach(crate::process::size())).await;
    late.read_to_end().await;
    assert!(late.snapshots[0].contains("last words"), "who comes late sees how it ended");
}

#[tokio::test]
async fn a_session_that_is_ended_takes_its_process_along() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    *stage.asks.code.lock().unwrap() = Some(137);
    soon("it ends", stage.sessions.end("t1", "olga ended it")).await.unwrap();
    assert_eq!(stage.asks.calls(), ["end"], "and nothing of it is left when that returns");
    owner.read_to_end().await;
    assert_eq!(owner.messages.last(), Some(&exit(Some(137), "olga ended it")));
    soon("again", stage.sessions.end("t1", "twice")).await.unwrap();
    assert_eq!(stage.asks.calls(), ["end"]);
    let mut rest = Vec::new();
    soon("the stream is closed", stage.process.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(stage.sessions.get("t1").unwrap().end.unwrap().reason, "olga ended it");
}

#[tokio::test]
async fn all_sessions_end_together() {
    let stages = [Stage::new(true), Stage::new(false)];
    for stage in &stages {
        soon("they end", stage.sessions.end_all("the home goes")).await;
        assert_eq!(stage.asks.calls(), ["end"]);
        assert!(stage.sessions.list().iter().all(|view| view.end.is_some()));
    }
}

#[tokio::test]
async fn of_those_that_have_ended_only_some_are_kept() {
    // One clock tells all of them when they end.
    let (sessions, asks) = (pierhead_sessions::Sessions::new(1), crate::process::asks());
    for number in 0..40 {
        let (ours, process) = tokio::io::duplex(1024);
        sessions.open(crate::process::spec(&format!("t{number}"), true), ours, Arc::clone(&asks) as _).unwrap();
        drop(process);
        let id = format!("t{number}");
        until("it ends", || sessions.get(&id).is_none_or(|view| view.end.is_some())).await;
        soon("it is over", sessions.end(&id, "")).await.unwrap_or_default();
    }
    until("the oldest are gone", || sessions.list().len() <= 33).await;
    assert!(sessions.list().len() >= 32);
    assert!(sessions.get("t39").is_some() && sessions.get("t0").is_none());
}
