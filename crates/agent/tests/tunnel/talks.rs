//! Talks with containers: every byte in both directions, and each direction's end by itself.

use crate::bed::{Bed, in_time, until};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use pierhead_agent::Tunnel;
use std::sync::atomic::Ordering;

const EXEC: &[u8] = br#"{"Detach":false,"Tty":true}"#;

async fn rest(mut body: Incoming) -> Vec<u8> {
    let mut all = vec![];
    while let Some(frame) = in_time("the rest", body.frame()).await {
        all.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    all
}

async fn talks(tunnel: &Tunnel, target: &str, json: &[u8], sent: &[u8]) {
    let talk = tunnel.talk(target, 1, json).await.unwrap();
    assert_eq!(talk.answer.status(), 200);
    assert_eq!(talk.answer.headers()["content-type"], "application/vnd.docker.raw-stream");
    let input = talk.input;
    let said = sent.to_vec();
    let sending = async move {
        for (at, piece) in said.chunks(7_777).enumerate() {
            input.send(Bytes::copy_from_slice(piece)).await.unwrap();
            if at % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    let (heard, ()) = tokio::join!(rest(talk.answer.into_body()), sending);
    let end = format!("\nheard {}", sent.len());
    assert!(heard == [sent, end.as_bytes()].concat(), "{} of {} bytes came back", heard.len(), sent.len());
}

#[tokio::test]
async fn every_byte_and_the_end_of_input() {
    // Made before there is a tunnel: one in which nothing is asked is left.
    let all: Vec<u8> = (0..5_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    talks(&tunnel, "/containers/a/attach?stream=true&stdin=true", b"", &all).await;
    talks(&tunnel, "/v1.41/exec/a/start", EXEC, &all[..100_003]).await;
    talks(&tunnel, "/exec/a/start", EXEC, b"").await;
    let seen = bed.fake.seen();
    assert_eq!(seen[0].headers["upgrade"], "tcp");
    assert!(seen[0].body.is_empty());
    let json: serde_json::Value = serde_json::from_slice(&seen[1].body).unwrap();
    assert_eq!(json, serde_json::json!({"Detach": false, "Tty": true}));
    until("the engine is left alone", || bed.fake.busy.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn many_at_once_are_kept_apart() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let all = (0..50u8).map(|number| {
        let tunnel = tunnel.clone();
        async move { talks(&tunnel, "/exec/a/start", EXEC, &vec![number; 50_000 + usize::from(number)]).await }
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn a_keystroke_is_answered_before_the_next_one() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let talk = tunnel.talk("/exec/a/start", 1, EXEC).await.unwrap();
    let mut body = talk.answer.into_body();
    for key in b"whoami\r" {
        talk.input.send(Bytes::copy_from_slice(&[*key])).await.unwrap();
        let echo = in_time("the echo", body.frame()).await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(echo, [*key][..]);
    }
}

#[tokio::test]
async fn a_container_may_have_said_everything_first() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let talk = tunnel.talk("/containers/first/attach", 1, b"").await.unwrap();
    assert_eq!(rest(talk.answer.into_body()).await, b"goodbye");
    assert!(talk.input.send(Bytes::from_static(b"one word more")).await.is_ok());
}

#[tokio::test]
async fn what_is_no_talk() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    for (target, json, status) in [
        ("/exec/a/start", &br#"{"Detach":true}"#[..], 403),
        ("/exec/a/start", br#"{"Detach":false,"Privileged":true}"#, 403),
        ("/exec/a/start", b"", 400),
        ("/exec/a/start", b"{", 400),
        ("/containers/a/attach", b"{}", 403),
        ("/containers/a/start", b"", 403),
        ("/info", b"", 403),
    ] {
        assert_eq!(tunnel.talk(target, 1, json).await.unwrap().answer.status(), status, "{target}");
    }
    assert!(bed.fake.seen().is_empty());
}
