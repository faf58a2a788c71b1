//! What goes to and fro on lines.

use crate::process::{Client, Stage, asks, size, spec, until};
use bytes::Bytes;
use pierhead_sessions::{Sessions, SessionsError};
use pierhead_terminal::{Asked, ClientMessage, Right, Role, ServerMessage, SizeOf, Visitor};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn what_is_typed_and_printed_goes_through() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let mut guest = stage.client("gus", Right::Viewer, None).await;
    owner.type_in("ls\r").await;
    assert_eq!(stage.typed("\r").await, "ls\r");
    stage.print(b"bin etc").await;
    owner.read_until(|owner| owner.output == b"bin etc").await;
    guest.read_until(|guest| guest.output == b"bin etc").await;
    let view = stage.sessions.get("t1").unwrap();
    assert_eq!((view.printed, view.viewers.len(), view.end), (7, 2, None));
}

#[tokio::test]
async fn sizes_and_signals_reach_the_process() {
    let stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let mut changes = stage.sessions.changes();
    changes.mark_unchanged();
    owner.say(&ClientMessage::Resize(SizeOf { columns: 100, rows: 30 })).await;
    owner.say(&ClientMessage::Signal { name: "INT".into() }).await;
    until("both were told", || stage.asks.calls().len() == 2).await;
    let mut calls = stage.asks.calls();
    calls.sort();
    assert_eq!(calls, ["resize 100x30", "signal INT"]);
    let is_size = |message: &ServerMessage| matches!(message, ServerMessage::Size(size) if size.columns == 100);
    owner.read_until(|owner| owner.messages.iter().any(is_size)).await;
    assert!(changes.has_changed().unwrap());
}

#[tokio::test]
async fn who_asks_is_told_to_the_driver_at_once() {
    let stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let guest = stage.client("gus", Right::Driver, None).await;
    guest.say(&ClientMessage::Drive).await;
    let asks = |message: &ServerMessage| matches!(message, ServerMessage::Asks { username, .. } if username == "gus");
    owner.read_until(|owner| owner.messages.iter().any(asks)).await;
    owner.say(&ClientMessage::HandOver { to: guest.you.clone() }).await;
    let you = Some(guest.you.clone());
    let driven = |message: &ServerMessage| matches!(message, ServerMessage::Presence { driver, .. } if *driver == you);
    owner.read_until(|owner| owner.messages.iter().any(driven)).await;
    stage.sessions.grant("t1", "gus", Some(Role::Viewer)).unwrap();
    let nobody = |message: &ServerMessage| matches!(message, ServerMessage::Presence { driver: None, .. });
    owner.read_until(|owner| owner.messages.iter().any(nobody)).await;
}

#[tokio::test]
async fn an_interrupt_overtakes_what_was_printed() {
    let mut stage = Stage::new(true);
    let owner = stage.owner().await;
    // Nobody reads, so the program is soon held up in the middle of its output.
    let yes = async {
        while tokio::time::timeout(Duration::from_millis(200), stage.process.write_all(&[b'y'; 8192])).await.is_ok() {}
    };
    yes.await;
    owner.type_in("\x03").await;
    let mut byte = [0];
    crate::process::soon("the key comes", stage.process.read_exact(&mut byte)).await.unwrap();
    assert_eq!(byte, [3]);
}

/// How many seconds it takes until a program has printed so much, by a clock that stands still while there is something to do.
async fn flooded(stage: &mut Stage, bytes: usize) -> f64 {
    let begun = tokio::time::Instant::now();
    for _ in 0..bytes / PIECE.len() {
        stage.print(&PIECE).await;
    }
    begun.elapsed().as_secs_f64()
}

const FLOOD: usize = 8 * 1024 * 1024;
const PIECE: [u8; 8192] = [b'y'; 8192];

#[tokio::test(start_paused = true)]
async fn a_flood_is_slowed_down_unless_somebody_takes_it() {
    let mut stage = Stage::new(true);
    let unheard = flooded(&mut stage, FLOOD).await;
    assert!((23.5..24.5).contains(&unheard), "8 MB for nobody, two at once and a quarter a second: {unheard} s");
    let mut guest = stage.client("gus", Right::Viewer, Some(FLOOD as u64)).await;
    let watched = tokio::spawn(async move { guest.read_to_end().await });
    let watched_for = flooded(&mut stage, FLOOD).await;
    assert!((31.5..32.5).contains(&watched_for), "a guest sets no pace: {watched_for} s");
    tokio::time::sleep(Duration::from_secs(8)).await;
    let at_once = flooded(&mut stage, FLOOD / 4).await;
    assert!(at_once < 0.5, "who was silent for a while floods nobody: {at_once} s");
    let mut owner = stage.client("olga", Right::Owner, Some(9 * FLOOD as u64 / 4)).await;
    let driven = tokio::spawn(async move { owner.read_to_end().await });
    let driven_for = flooded(&mut stage, FLOOD).await;
    assert!(driven_for < 0.5, "who drives gets it as fast as they read: {driven_for} s");
    stage.sessions.end("t1", "done").await.unwrap();
    driven.await.unwrap();
    watched.await.unwrap();
}

#[tokio::test]
async fn a_large_paste_to_a_program_that_prints_all_of_it_does_not_hang() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let paste: Bytes = (0..8_000_000_u32).map(|at| b'a' + (at % 26) as u8).collect::<Vec<_>>().into();
    let to_session = owner.line.to_session.clone();
    let pasted = paste.clone();
    let typing = tokio::spawn(async move {
        for piece in pasted.chunks(1_000_000) {
            to_session.send(pierhead_terminal::Frame::Binary(Bytes::copy_from_slice(piece))).await.unwrap();
        }
    });
    let echo = tokio::spawn(async move {
        let (mut read, mut write) = tokio::io::split(&mut stage.process);
        let mut input = [0; 4096];
        let mut echoed = 0;
        while echoed < 8_000_000 {
            let length = read.read(&mut input).await.unwrap();
            write.write_all(&input[..length]).await.unwrap();
            echoed += length;
        }
        stage
    });
    owner.read_until(|owner| owner.next == 8_000_000).await;
    typing.await.unwrap();
    echo.await.unwrap();
    if owner.snapshots.is_empty() {
        assert!(owner.output == paste, "every byte came back");
    }
}

#[tokio::test]
async fn sessions_are_told_apart_and_counted() {
    let sessions = Sessions::new(2);
    let open = |id: &str| {
        let (ours, process) = tokio::io::duplex(1024);
        sessions.open(spec(id, true), ours, asks()).map(|()| process)
    };
    let mut one = open("t1").unwrap();
    let _two = open("t2").unwrap();
    assert_eq!(open("t1").unwrap_err(), SessionsError::Exists("t1".into()));
    assert_eq!(open("t3").unwrap_err(), SessionsError::Full(2));
    let visitor = Visitor { username: "olga".into(), right: Right::Owner };
    assert!(matches!(sessions.attach("t9", visitor), Err(SessionsError::Unknown(_))));
    assert!(sessions.grant("t9", "gus", None).is_err() && sessions.recording("t9").is_err());
    assert!(sessions.end("t9", "").await.is_err() && sessions.get("t9").is_none());
    let mut first = Client::attach(&sessions, "t1", "olga", Right::Owner, size()).await;
    let mut second = Client::attach(&sessions, "t2", "olga", Right::Owner, size()).await;
    one.write_all(b"one").await.unwrap();
    first.read_until(|client| client.output == b"one").await;
    sessions.end("t2", "enough").await.unwrap();
    second.read_to_end().await;
    assert!(second.output.is_empty());
    let _three = open("t3").unwrap();
    let ids: Vec<String> = sessions.list().into_iter().map(|view| view.id).collect();
    assert_eq!(ids, ["t1", "t2", "t3"]);
}

#[tokio::test]
async fn the_recording_is_there_while_it_runs() {
    let mut stage = Stage::new(true);
    let mut owner = stage.owner().await;
    stage.print(b"hello").await;
    owner.read_until(|owner| owner.output == b"hello").await;
    let recording: Vec<u8> = stage.sessions.recording("t1").unwrap().concat();
    let text = String::from_utf8(recording).unwrap();
    assert!(text.starts_with("{") && text.contains("\"o\", \"hello\""), "{text}");
}

#[tokio::test]
async fn without_a_pseudo_terminal_the_streams_stay_apart_and_input_ends() {
    let mut stage = Stage::new(false);
    let mut owner = stage.owner().await;
    owner.type_in("data").await;
    owner.say(&ClientMessage::Eof).await;
    let mut input = String::new();
    crate::process::soon("the input ends", stage.process.read_to_string(&mut input)).await.unwrap();
    assert_eq!(input, "data");
    stage.print(b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err").await;
    let is_stderr = |message: &ServerMessage| matches!(message, ServerMessage::Stderr { data, .. } if data == "ZXJy");
    owner.read_until(|owner| owner.output == b"out" && owner.messages.iter().any(is_stderr)).await;
    *stage.asks.code.lock().unwrap() = Some(4);
    drop(stage.process);
    owner.read_to_end().await;
    assert_eq!(owner.messages.last(), Some(&ServerMessage::Exit { code: Some(4), reason: String::new() }));
}

#[tokio::test]
async fn who_comes_back_by_name_takes_the_place_at_once() {
    let stage = Stage::new(true);
    let mut owner = stage.owner().await;
    let asked = Asked { from: Some(0), was: Some(owner.you.clone()), ..size() };
    let back = Client::attach(&stage.sessions, "t1", "olga", Right::Owner, asked).await;
    owner.read_to_end().await;
    let replaced = |message: &ServerMessage| matches!(message, ServerMessage::Error { code, .. } if code == "replaced");
    assert!(owner.messages.iter().any(replaced));
    let view = stage.sessions.get("t1").unwrap();
    let there: Vec<_> = view.viewers.iter().map(|viewer| (viewer.id.clone(), viewer.role)).collect();
    assert_eq!(there, [(back.you.clone(), Role::Driver)]);
    let _kept = Arc::clone(&stage.asks);
}
