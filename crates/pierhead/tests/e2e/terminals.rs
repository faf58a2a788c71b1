//! Terminals on real engines, in their two homes: in the agent of a host, and in the controller for a host without one.

mod drawn;
mod far;
mod homes;
mod outlive;
pub mod seat;
mod two;

use crate::wait::{PATIENCE, until, until_right};
use far::Far;
use homes::{Homes, processes_of};
use pierhead_client::Client;
use pierhead_terminal::{Asked, ClientMessage, Frame, ServerMessage, SizeOf};
use pierhead_wire::{TerminalRequest, TerminalView};
use seat::Seat;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Half of the way to a controller that is far away.
const HALF_WAY: Duration = Duration::from_millis(50);
/// How long an interrupt may take from there: what matters is measured elsewhere, on a machine that does nothing else.
const INTERRUPTED_WITHIN: Duration = Duration::from_secs(10);
/// How often a driver's line breaks.
const BREAKS: usize = 100;
/// How many lines are printed meanwhile.
const LINES: usize = 800_000;
/// How many sockets are dropped, and how many at a time.
const DROPPED: (usize, usize) = (1_000, 25);
/// How many files more than before may be open: a connection to the engine, or one that is kept for the next call.
const SPARE_FILES: usize = 8;

#[test]
fn several_people_share_a_terminal() {
    let homes = Homes::up();
    for container in [&homes.behind_agent, &homes.bare] {
        homes.wait(async {
            shared(&homes, container).await;
            a_megabyte_is_pasted(&homes, &homes.client, container).await;
            errors_are_told_apart(&homes, container).await;
        });
    }
    homes.wait(async {
        full_screens_come_through(&homes).await;
        drawn::programs_draw(&homes).await;
        an_interrupt_from_far_away(&homes).await;
    });
}

#[test]
fn lines_that_break_lose_and_leave_nothing() {
    let homes = Homes::up();
    homes.wait(nothing_is_lost(&homes));
    dropped_sockets_leave_nothing(&homes);
}

/// Two clients and the program see the same bytes in the same order; one of them types at a time.
async fn shared(homes: &Homes, container: &str) {
    let terminal = homes.open(container).await;
    assert_eq!(terminal.home == "agent", container == homes.behind_agent, "{terminal:?}");
    let mut ada = Seat::take(&homes.client, &terminal.id).await;
    let mut eve = Seat::take(&homes.client, &terminal.id).await;
    ada.run("stty -echo; PS1=; echo re''ady", "ready\r\n").await;
    let mut program = homes.look_in(&terminal.id);
    let are_three =
        |message: &ServerMessage| matches!(message, ServerMessage::Presence { viewers, .. } if viewers.len() == 3);
    ada.until("all are there", |ada| ada.messages.iter().any(are_three)).await;
    let (from, last) = (ada.seen.len(), "\r\n20000\r\n");
    ada.run("seq 1 20000", last).await;
    eve.until_seen(last).await;
    program.until_shown(&ada.seen[from..]);
    assert!(ada.seen == eve.seen, "they saw {} and {} bytes", ada.seen.len(), eve.seen.len());
    eve.type_in("echo not me\n").await;
    let not_driver =
        |message: &ServerMessage| matches!(message, ServerMessage::Error { code, .. } if code == "not_driver");
    eve.until("only one types", |eve| eve.messages.iter().any(not_driver)).await;
    ada.say(&ClientMessage::HandOver { to: eve.you.clone() }).await;
    let drives = |message: &ServerMessage, you: &str| matches!(message, ServerMessage::Presence { driver: Some(driver), .. } if driver == you);
    eve.until("she drives", |eve| eve.messages.iter().any(|message| drives(message, &eve.you))).await;
    eve.run("echo her''s", "hers\r\n").await;
    ada.until_seen("hers\r\n").await;
    assert!(ada.seen == eve.seen && !ada.has_seen("not me"), "{}", ada.tail());
    eve.type_in("exit 3\n").await;
    for seat in [&mut ada, &mut eve] {
        let last = seat.end().await;
        assert!(matches!(last, ServerMessage::Exit { code: Some(3), .. }), "{last:?}");
    }
    assert_eq!(program.ended(), Some(3), "it ends as the shell did");
    let ended = homes.until_ended(&terminal.id).await;
    assert_eq!((ended.exit_code, ended.viewers.len()), (Some(3), 0), "{ended:?}");
}

/// Without a pseudo-terminal errors are told apart, input ends, and what stays in the background keeps nothing open.
async fn errors_are_told_apart(homes: &Homes, container: &str) {
    let script = "sleep 4245 & cat; echo wrong >&2; exit 4";
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let terminal = homes.open_as(container, &TerminalRequest { command, tty: Some(false), ..Default::default() }).await;
    let mut seat = Seat::take(&homes.client, &terminal.id).await;
    seat.type_in("one\ntwo").await;
    seat.until_seen("one\ntwo").await;
    seat.say(&ClientMessage::Eof).await;
    let last = seat.end().await;
    assert!(matches!(last, ServerMessage::Exit { code: Some(4), .. }), "{last:?}");
    let wrong = |message: &ServerMessage| matches!(message, ServerMessage::Stderr { data, .. } if data == "d3JvbmcK");
    assert!(seat.seen == b"one\ntwo" && seat.messages.iter().any(wrong), "{} {:?}", seat.tail(), seat.messages);
    gone(homes, &terminal.id);
}

/// By somebody who may have come through another controller.
async fn a_megabyte_is_pasted(homes: &Homes, client: &Client, container: &str) {
    let terminal = homes.open(container).await;
    let mut seat = Seat::take(client, &terminal.id).await;
    let pasted: Vec<u8> = (0..1_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 19) as u8).collect();
    let reads = format!("stty raw -echo; echo g''o; head -c {} | busybox sha256sum", pasted.len());
    seat.run(&reads, "go\n").await;
    for piece in pasted.chunks(400_000) {
        seat.send(Frame::Binary(piece.to_vec().into())).await;
    }
    let sum: String = Sha256::digest(&pasted).iter().map(|byte| format!("{byte:02x}")).collect();
    seat.until_seen(&sum).await;
    homes.client.end_terminal(&terminal.id).await.unwrap();
}

/// Whoever comes later sees what a program has drawn, as wide and as high as it is, and in its modes.
async fn full_screens_come_through(homes: &Homes) {
    let terminal = homes.open(&homes.behind_agent).await;
    let mut seat = Seat::take(&homes.client, &terminal.id).await;
    seat.run("stty -echo; PS1=; echo re''ady", "ready\r\n").await;
    seat.say(&ClientMessage::Resize(SizeOf { columns: 120, rows: 40 })).await;
    let is_size = |message: &ServerMessage| matches!(message, ServerMessage::Size(SizeOf { columns: 120, rows: 40 }));
    let mut other = Seat::take(&homes.client, &terminal.id).await;
    let other_knows = |seat: &Seat| seat.messages.iter().any(is_size) || seat.size == (120, 40);
    other.until("the size", other_knows).await;
    until_sized(&mut seat, "40 120").await;
    seat.run("busybox vi /x", "~").await;
    seat.type_in("ihello from vi\x1b").await;
    seat.until_seen("hello from vi").await;
    let screen = Seat::look(&homes.client, &terminal.id).await;
    assert!(screen.contains("hello from vi") && screen.matches('~').count() > 30, "{screen:?}");
    seat.type_in(":wq\n").await;
    seat.run("cat /x; echo sa''ved", "hello from vi\r\nsaved\r\n").await;
    seat.run("busybox top", "PID").await;
    let screen = until_drawn(homes, &terminal.id, "busybox top").await;
    assert!(screen.contains("Mem:"), "{screen:?}");
    seat.type_in("q").await;
    let draws = "printf '\\033[?1049h\\033[?1000h\\033[?2004h\\033[2;3H你好🙂|wide'; echo; echo dr''awn";
    seat.run(draws, "drawn\r\n").await;
    let screen = Seat::look(&homes.client, &terminal.id).await;
    assert!(screen.contains("你好🙂|wide"), "{screen:?}");
    for mode in ["\x1b[?1049h", "\x1b[?1000h", "\x1b[?2004h"] {
        assert!(screen.contains(mode), "{mode:?} is not in {screen:?}");
    }
    homes.client.end_terminal(&terminal.id).await.unwrap();
}

/// What whoever comes now sees, as soon as this is on it: a program draws its screen piece by piece.
async fn until_drawn(homes: &Homes, terminal: &str, words: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let screen = Seat::look(&homes.client, terminal).await;
        if screen.contains(words) {
            return screen;
        }
        assert!(Instant::now() < deadline, "{words} is not in {screen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The size comes to the pseudo-terminal a moment after everybody was told of it.
async fn until_sized(seat: &mut Seat, size: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let at = seat.seen.len();
        seat.run("stty size; echo si''ze", "size\r\n").await;
        if String::from_utf8_lossy(&seat.seen[at..]).contains(size) {
            return;
        }
        assert!(Instant::now() < deadline, "{}", seat.tail());
        seat.seen.clear();
    }
}

async fn an_interrupt_from_far_away(homes: &Homes) {
    let far = Far::new(homes.bed.text("url"), HALF_WAY).await;
    let client = homes.client_at(&far.url);
    let terminal = homes.open(&homes.behind_agent).await;
    let mut seat = Seat::take(&client, &terminal.id).await;
    seat.run("PS1='my''prompt '; stty -echo; echo re''ady", "ready\r\n").await;
    seat.type_in("busybox yes\n").await;
    seat.until("it prints", |seat| seat.seen.len() > 2_000_000).await;
    seat.seen.clear();
    let began = Instant::now();
    seat.type_in("\x03").await;
    seat.until_seen("myprompt ").await;
    let took = began.elapsed();
    eprintln!("from Ctrl-C to the prompt, at a round trip of {:?}: {took:?}", 2 * HALF_WAY);
    assert!(took < INTERRUPTED_WITHIN && took >= HALF_WAY, "{took:?}");
    homes.client.end_terminal(&terminal.id).await.unwrap();
}

/// A driver whose line breaks again and again gets every byte once; who reads nothing holds up nobody.
async fn nothing_is_lost(homes: &Homes) {
    for container in [&homes.behind_agent, &homes.bare] {
        let terminal = homes.open(container).await;
        let mut seat = Seat::take(&homes.client, &terminal.id).await;
        let mut frozen = homes.client.terminal_socket(&terminal.id).await.unwrap();
        let asked = Asked { from: Some(0), columns: 80, rows: 24, ..Asked::default() };
        frozen.send(ClientMessage::Attach(asked).to_frame()).await.unwrap();
        // The shell itself shows what is typed to it, so it is not at its prompt any more when all of it counts.
        let prints =
            format!("stty raw -echo; echo g''o; head -c 1 >/x; busybox seq 1 {LINES}; echo end; exec sleep 1000");
        seat.run(&prints, "go\n").await;
        seat.seen.clear();
        seat.type_in("x").await;
        let expected: String = (1..=LINES).map(|line| format!("{line}\n")).chain(["end\n".to_owned()]).collect();
        let each = expected.len() / (BREAKS + 1);
        for turn in 1..=BREAKS {
            seat.until("some of it", |seat| seat.seen.len() >= turn * each).await;
            seat.come_back().await;
        }
        seat.until("all of it", |seat| seat.seen.len() >= expected.len()).await;
        let is_same = Sha256::digest(&seat.seen) == Sha256::digest(expected.as_bytes());
        assert!(is_same, "{} of {} bytes came", seat.seen.len(), expected.len());
        assert_eq!(seat.snapshots, 0, "no byte was stood for by a snapshot");
        drop(frozen);
        homes.client.end_terminal(&terminal.id).await.unwrap();
    }
}

/// Sockets that are dropped in the middle of a frame: files, threads and processes are as before.
fn dropped_sockets_leave_nothing(homes: &Homes) {
    let terminals = [&homes.behind_agent, &homes.bare].map(|container| homes.wait(homes.open(container)));
    let baseline = || homes.files();
    terminals.iter().for_each(|terminal| dropped(homes, terminal, 1));
    let mut before = baseline();
    until("the number of open files stays the same", PATIENCE, || {
        let now = baseline();
        std::mem::replace(&mut before, now) == now
    });
    let execs = homes.execs();
    for terminal in &terminals {
        for _ in 0..DROPPED.0 / DROPPED.1 / 2 {
            dropped(homes, terminal, DROPPED.1);
        }
    }
    let back = until_right(PATIENCE, || {
        let now = baseline();
        let is_back = now.iter().zip(&before).all(|(now, before)| *now <= before + SPARE_FILES);
        let viewers: usize =
            terminals.iter().map(|terminal| homes.wait(homes.terminal(&terminal.id)).viewers.len()).sum();
        if is_back && viewers == 0 && homes.execs() == execs {
            Ok(())
        } else {
            Err(format!("{before:?} and {execs:?} before, {now:?} and {:?} now, {viewers} viewers", homes.execs()))
        }
    });
    back.unwrap();
    for terminal in terminals {
        homes.wait(homes.client.end_terminal(&terminal.id)).unwrap();
    }
    until("no process is left", PATIENCE, || homes.execs().iter().all(|count| *count == 0));
}

/// Opens so many sockets, attaches, begins a frame, and drops them.
fn dropped(homes: &Homes, terminal: &TerminalView, count: usize) {
    let address = homes.bed.text("url").strip_prefix("http://").unwrap();
    let head = format!(
        "GET /api/terminals/{}/socket HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: pierhead.terminal.v1\r\n\r\n",
        terminal.id,
        homes.bed.text("token"),
    );
    let attach = br#"{"type":"attach","from":0,"columns":80,"rows":24}"#;
    // Masked with zeros, which change nothing.
    let whole = [&[0x81, 0x80 | u8::try_from(attach.len()).unwrap(), 0, 0, 0, 0][..], attach].concat();
    let open: Vec<TcpStream> = (0..count)
        .map(|turn| {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.write_all(head.as_bytes()).unwrap();
            let mut begun = [0; 12];
            socket.read_exact(&mut begun).unwrap();
            assert_eq!(&begun, b"HTTP/1.1 101", "{}", String::from_utf8_lossy(&begun));
            socket.write_all(&whole).unwrap();
            socket.write_all(&whole[..1 + turn % (whole.len() - 1)]).unwrap();
            socket
        })
        .collect();
    drop(open);
}

fn gone(homes: &Homes, id: &str) {
    let sleeps = || homes.sleeping(&["4245"]).len();
    until_right(PATIENCE, || match (processes_of(id), sleeps()) {
        (0, 0) => Ok(()),
        left => Err(left),
    })
    .unwrap_or_else(|left| panic!("of {id} there are {left:?} left"));
}

/// Of the admin.
pub fn client(url: &str, token: &str) -> Client {
    Client::new(pierhead_client::Addresses::parse(url).unwrap(), Some(token.to_owned())).unwrap()
}
