//! Those who watch the event log and do not read what they are told: they cost little, and nobody waits for them.

use pierhead_client::EventQuery;
use pierhead_controller::keys;
use pierhead_model::{Event, EventTag, Timestamp};
use pierhead_store::Transaction;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const STALLED: usize = 40;
const EVENTS: usize = 3_000;
const BYTES: usize = 8_000;

/// A connection on which events are told, read up to the first sign that the stream is open.
async fn opened(cluster: &Cluster) -> TcpStream {
    let mut stream = TcpStream::connect(cluster.url().strip_prefix("http://").unwrap()).await.unwrap();
    let (head, token) = ("GET /api/events/stream?type=told HTTP/1.0\r\nAuthorization: Bearer", cluster.admin_token());
    stream.write_all(format!("{head} {token}\r\n\r\n").as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b": open\n\n") {
        seen.push(stream.read_u8().await.unwrap());
    }
    stream
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

async fn tell(cluster: &Cluster, number: usize) {
    let event = Event {
        id: cluster.controller().ids().unique(),
        kind: "told".to_owned(),
        time: Timestamp(number as u64),
        message: format!("{number} {}", "x".repeat(BYTES)),
        tags: vec![EventTag::Docker],
        container: None,
        engine: None,
        app: None,
        actor: None,
    };
    let told = Transaction::new().put_json(keys::event(&event.id), &event).unwrap();
    cluster.controller().store().commit(told).await.unwrap();
}

#[tokio::test]
async fn who_does_not_read_costs_little_and_delays_nobody() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(opened(&cluster).await);
    }
    let query = EventQuery { kind: Some("told".to_owned()), ..EventQuery::default() };
    let mut live = cluster.admin().follow_events(&query, None).await.unwrap();
    let before = resident_bytes();
    for number in 0..EVENTS {
        tell(&cluster, number).await;
        let (_, seen) = tokio::time::timeout(PATIENCE, live.next()).await.expect("in time").unwrap().expect("no end");
        assert!(seen.message.starts_with(&format!("{number} ")), "{}", &seen.message[..20]);
    }
    let grown = resident_bytes().saturating_sub(before);
    let all_they_missed = STALLED * EVENTS * BYTES;
    assert!(grown < all_they_missed / 5, "{grown} of {all_they_missed} bytes are held for those who do not read");

    // Who reads again is told everything, in order.
    let mut late = stalled.remove(0);
    let (mut seen, mut text) = (0, Vec::new());
    while seen < EVENTS {
        let mut buffer = vec![0; 64 * 1024];
        let read = tokio::time::timeout(PATIENCE, late.read(&mut buffer)).await.expect("in time").unwrap();
        assert!(read > 0, "the stream ended after {seen} events");
        text.extend_from_slice(&buffer[..read]);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let frame: Vec<u8> = text.drain(..end + 2).collect();
            let frame = String::from_utf8(frame).unwrap();
            if frame.starts_with(':') {
                continue;
            }
            assert!(frame.contains(&format!("\"message\":\"{seen} x")), "not {seen}: {}", &frame[..200]);
            seen += 1;
        }
    }
}
