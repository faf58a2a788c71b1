//! Lines that break, viewers that freeze: nothing is lost for the driver, nobody is held up, nothing is left over.

use crate::process::{Client, Stage, size, until};
use pierhead_terminal::{Asked, ClientMessage, Frame, Right, Visitor};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

const END: &[u8] = b"this was all";

/// What the program prints: never twice the same.
fn line(number: usize) -> Vec<u8> {
    format!("\x1b[3{}mline {number} 猫 {}\r\n", number % 8, "x".repeat(number % 90)).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_is_lost_for_the_driver_across_a_hundred_broken_lines() {
    let Stage { sessions, mut process, .. } = Stage::new(true);
    // What is printed waits for a driver from the beginning.
    drop(Client::attach(&sessions, "t1", "olga", Right::Owner, size()).await);
    let printing = tokio::spawn(async move {
        let mut printed = Sha256::new();
        let mut length = 0;
        for number in 0..150_000 {
            let line = if number == 149_999 { END.to_vec() } else { line(number) };
            printed.update(&line);
            length += line.len();
            process.write_all(&line).await.unwrap();
        }
        (printed.finalize(), length, process)
    });
    let mut seen = Sha256::new();
    let mut from = None;
    for round in 0..=100 {
        let mut client = Client::attach(&sessions, "t1", "olga", Right::Owner, Asked { from, ..size() }).await;
        assert_eq!(client.snapshots.len(), 0);
        // Some lines break at once, some in the middle of what is on its way.
        let until = client.next + 50_000 * (round % 4);
        while client.next < until {
            assert!(client.read().await);
        }
        seen.update(&client.output);
        assert_eq!(client.snapshots.len(), 0, "round {round}");
        from = Some(client.next);
    }
    let mut client = Client::attach(&sessions, "t1", "olga", Right::Owner, Asked { from, ..size() }).await;
    client.read_until(|client| client.output.ends_with(END)).await;
    let (printed, length, _process) = printing.await.unwrap();
    assert_eq!(client.next, length as u64);
    seen.update(&client.output);
    assert_eq!(seen.finalize(), printed, "what came is what was printed");
    assert_eq!(client.snapshots.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_viewer_holds_up_nobody_and_catches_up_by_a_snapshot() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let mut frozen = stage.client("gus", Right::Viewer, None).await;
    let mut keen = stage.client("kay", Right::Viewer, None).await;
    let reading = tokio::spawn(async move {
        owner.read_until(|owner| owner.output.ends_with(b"the end")).await;
        owner
    });
    let keen_reading = tokio::spawn(async move {
        keen.read_until(|keen| keen.next >= 8_000_000).await;
    });
    for _ in 0..1000 {
        stage.print(&[b'y'; 8000]).await;
    }
    stage.print(b"the end").await;
    let owner = reading.await.unwrap();
    assert_eq!((owner.output.len(), owner.snapshots.len()), (8_000_007, 0));
    keen_reading.await.unwrap();
    frozen.read_until(|frozen| frozen.next == 8_000_007).await;
    // The end itself comes in the last snapshot or, if that was made just before, after it.
    assert!(frozen.snapshots.last().unwrap().contains("the end") || frozen.output.ends_with(b"the end"));
    assert!(frozen.output.len() < 2_000_000, "{}", frozen.output.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lines_that_broke_leave_nothing() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let before = Handle::current().metrics().num_alive_tasks();
    for number in 0..1000 {
        let visitor = Visitor { username: format!("guest-{number}"), right: Right::Driver };
        let mut line = stage.sessions.attach("t1", visitor).unwrap();
        if number % 5 > 0 {
            let attach = ClientMessage::Attach(Asked { from: Some(0), ..size() });
            line.to_session.send(attach.to_frame()).await.unwrap();
        }
        if number % 5 > 1 {
            line.from_session.recv().await.unwrap();
        }
        if number % 5 > 2 {
            line.to_session.send(Frame::Text("{\"type\":\"dri".into())).await.unwrap();
        }
        if number % 5 > 3 {
            // Only one half is dropped: nobody sends any more, and what is still read is of no use.
            drop(line.to_session);
        }
        if number % 100 == 0 {
            stage.print(b"tick").await;
        }
    }
    until("their tasks are gone", || Handle::current().metrics().num_alive_tasks() <= before).await;
    assert_eq!(stage.sessions.get("t1").unwrap().viewers.len(), 1);
    stage.print(b"still here").await;
    owner.read_until(|owner| owner.output.ends_with(b"still here")).await;
    stage.sessions.end("t1", "").await.unwrap();
}
