//! Large streams beside small ones: nothing holds up a beat, nothing is taken faster than it is wanted.

use crate::bed::{Bed, PATIENCE, ask, in_time, request, timing, until};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::Request;
use hyper::body::{Bytes, Frame};
use pierhead_agent::{Load, STREAMS, TERM, TunnelBody, accept};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An archive of so many pieces of 64 KiB.
fn pieces(count: usize) -> TunnelBody {
    let piece = Bytes::from(vec![7u8; 64 * 1024]);
    StreamBody::new(stream::iter(0..count).map(move |_| Ok(Frame::data(piece.clone())))).boxed_unsync()
}

fn load(target: &str, archive: TunnelBody) -> Request<TunnelBody> {
    Request::post(target).header(TERM, 1).body(archive).unwrap()
}

/// How many bytes may be in front of a beat: a tenth of a second at 100 Mbit/s.
const OVERTAKEN: u64 = 1 << 20;

/// A connection on which what the agent says comes at some 10 MB a second, so that what is sent waits in line.
async fn slowed(call: TcpStream) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut from_agent, mut to_agent) = call.into_split();
    let (mut from_us, mut to_us) = near.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_us, &mut to_agent).await });
    tokio::spawn(async move {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_agent.read(&mut piece).await {
            if to_us.write_all(&piece[..length]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    listener.accept().await.unwrap().0
}

/// Each beat carries how many bytes the reader had when it was made, so that the bytes which overtook it are counted
/// and no clock is needed.
#[tokio::test]
async fn beats_overtake_images_on_their_way_out() {
    const IMAGES: usize = 3;
    let received = Arc::new(AtomicU64::new(0));
    let counter = received.clone();
    let at_the_beat = Arc::new(move || Load { cpu_permille: 0, memory_available: counter.load(Ordering::SeqCst) });
    let bed = Bed::beating(at_the_beat, timing()).await;
    let slow = slowed(bed.call().await).await;
    let tunnel = accept(slow, &bed.acceptor, &timing()).await.unwrap();
    let mut beats = tunnel.beats().await.unwrap();
    let mut images = stream::SelectAll::new();
    for _ in 0..IMAGES {
        let answer = tunnel.send(request("GET", "/images/a/get", 1, "")).await.unwrap();
        images.push(answer.into_body().into_data_stream());
    }
    let (mut seen, mut largest) = (0, 0);
    let read = async {
        while received.load(Ordering::SeqCst) < 24 << 20 || seen < 20 {
            tokio::select! {
                biased;
                beat = beats.next() => {
                    let before = beat.unwrap().unwrap().load.memory_available;
                    largest = largest.max(received.load(Ordering::SeqCst) - before);
                    seen += 1;
                }
                piece = images.next() => {
                    received.fetch_add(piece.unwrap().unwrap().len() as u64, Ordering::SeqCst);
                }
            }
        }
    };
    in_time("24 MB and 20 beats", read).await;
    assert!(largest <= OVERTAKEN, "{largest} bytes overtook a beat, of {seen}");
}

#[tokio::test]
async fn images_that_nobody_reads_hold_up_nothing() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut beats = tunnel.beats().await.unwrap();
    let mut standing = vec![];
    for _ in 0..STREAMS - 2 {
        let answer = tunnel.send(request("GET", "/images/a/get", 1, "")).await.unwrap();
        standing.push(answer.into_body());
    }
    // Long enough for every one of them to be full: then nothing more comes of any, and all else goes on.
    let first = in_time("the beats go on", beats.by_ref().take(200).collect::<Vec<_>>()).await;
    assert!(first.iter().all(Result::is_ok));
    assert_eq!(in_time("a request goes on", ask(&tunnel, "GET", "/info", "")).await.0, 200);
    for body in &mut standing {
        assert!(body.frame().await.unwrap().is_ok(), "each of them goes on when it is read");
    }
    drop(standing);
    until("the engine is left alone", || bed.fake.busy.load(Ordering::SeqCst) == 0).await;
}

/// The chain of an image's lowest layer is that layer.
#[tokio::test]
async fn images_without_layers_hold_up_nothing() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut beats = tunnel.beats().await.unwrap();
    let chain = "0f".repeat(32);
    let asked = |image: &str, chain: &str| format!("/pierhead/images/{image}/archive?have=sha256:{chain}");
    let mut standing = vec![];
    for _ in 0..10 {
        let answer = tunnel.send(request("GET", &asked("layered", &chain), 1, "")).await.unwrap();
        assert_eq!(answer.status(), 200);
        standing.push(answer.into_body());
    }
    in_time("the beats go on", beats.by_ref().take(200).collect::<Vec<_>>()).await;
    for body in &mut standing {
        assert!(body.frame().await.unwrap().is_ok(), "each of them goes on when it is read");
    }
    drop(standing);
    until("the engine is left alone", || bed.fake.busy.load(Ordering::SeqCst) == 0).await;
    // An engine that does not tell the layers, and an image that has others.
    for (target, status) in [(asked("other", &chain), 502), (asked("layered", &"1e".repeat(32)), 409)] {
        assert_eq!(in_time("an answer", ask(&tunnel, "GET", &target, "")).await.0, status, "{target}");
    }
    let seen = bed.fake.seen();
    let targets: Vec<&str> = seen.iter().map(|seen| seen.target.as_str()).collect();
    assert!(targets.iter().all(|target| target.starts_with("/images/")), "{targets:?}");
}

#[tokio::test]
async fn an_engine_that_takes_no_image_holds_up_nothing() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut beats = tunnel.beats().await.unwrap();
    // As many as a third of the room: each of them keeps a window full, in the memory of this test too.
    let stuck: Vec<_> = (0..STREAMS / 3 - 2)
        .map(|_| {
            let tunnel = tunnel.clone();
            let request = Request::put("/containers/stuck/archive?path=x").header(TERM, 1).body(pieces(64)).unwrap();
            tokio::spawn(async move { tunnel.send(request).await.map(drop) })
        })
        .collect();
    until("all of them arrive", || bed.fake.seen().len() == stuck.len()).await;
    in_time("the beats go on", beats.by_ref().take(100).collect::<Vec<_>>()).await;
    let create = ask(&tunnel, "POST", "/containers/create", r#"{"Image":"a:1"}"#);
    assert_eq!(in_time("a request with a body goes on", create).await.0, 200);
    assert!(stuck.iter().all(|task| !task.is_finished()), "they were on their way all the time");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn one_request_more_than_there_is_room_for_waits() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut standing = vec![];
    for _ in 0..STREAMS {
        standing.push(tunnel.send(request("GET", "/images/a/get", 1, "")).await.unwrap());
    }
    let mut more = Box::pin(tunnel.send(request("GET", "/info", 1, "")));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut more).await.is_err());
    assert_eq!(bed.fake.seen().len(), standing.len());
    standing.pop();
    assert_eq!(in_time("there is room again", more).await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_image_arrives_whole_or_not_at_all() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let answer = tunnel.send(load("/images/load?quiet=true", pieces(640))).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(bed.fake.taken.load(Ordering::SeqCst), 640 * 64 * 1024);
    assert_eq!(bed.fake.complete.load(Ordering::SeqCst), 1);
    assert_eq!(bed.fake.seen()[0].headers["content-type"], "application/x-tar");

    // One that breaks off, and one whose sender gives up.
    let piece = Bytes::from(vec![7u8; 64 * 1024]);
    let broken = stream::iter([Ok(Frame::data(piece.clone())), Err("the disk broke".into())]);
    let answer = tunnel.send(load("/images/load", StreamBody::new(broken).boxed_unsync())).await;
    assert!(answer.is_err() || !answer.unwrap().status().is_success());
    until("the engine is left alone", || bed.fake.busy.load(Ordering::SeqCst) == 0).await;
    assert_eq!(bed.fake.complete.load(Ordering::SeqCst), 1, "half an image does not pass for a whole one");
}

/// Hyper takes a stream that was cancelled for one that ended, and two tasks of the agent hear of it at the same time:
/// so it is tried many times, on two threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_given_up_is_never_completed() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    for count in 1..=100 {
        let piece = Bytes::from(vec![7u8; 1024]);
        let endless = stream::iter([Ok(Frame::data(piece))]).chain(stream::pending());
        let sending = tunnel.send(load("/images/load", StreamBody::new(endless).boxed_unsync()));
        tokio::select! {
            _ = sending => panic!("it never ends"),
            () = until("it arrives", || bed.fake.taken.load(Ordering::SeqCst) == count * 1024) => {}
        }
    }
    until("the engine is left alone", || bed.fake.busy.load(Ordering::SeqCst) == 0).await;
    assert_eq!(bed.fake.complete.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_pass_for_a_whole_one() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut image = tunnel.send(request("GET", "/images/a/get", 1, "")).await.unwrap().into_body();
    assert!(image.frame().await.unwrap().is_ok());
    bed.agent.abort();
    let end = async {
        loop {
            match image.frame().await {
                Some(Ok(_)) => {}
                other => return other.is_some_and(|frame| frame.is_err()),
            }
        }
    };
    assert!(tokio::time::timeout(PATIENCE, end).await.unwrap());
    in_time("the tunnel ends", tunnel.ended()).await;
    assert!(tunnel.send(request("GET", "/info", 1, "")).await.is_err());
}
