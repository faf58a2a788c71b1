//! What comes over a socket that is not of the protocol, and sockets that break off anywhere.

use super::{Bed, Seat};
use crate::raw::Sender;
use pierhead_client::SocketEnd;
use pierhead_terminal::{Frame, LONGEST_FRAME, ServerMessage};
use pierhead_testkit::{PATIENCE, eventually, eventually_ok};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn nonsense_is_refused_in_words_and_harms_nobody() {
    let bed = Bed::set().await;
    let admin = bed.cluster.admin();
    let id = bed.shell().await.id;
    let mut witness = Seat::take(&admin, &id).await;
    witness.shows("$").await;
    for (sent, code) in [
        (Frame::Text(String::new()), "bad_message"),
        (Frame::Text("{".to_owned()), "bad_message"),
        (Frame::Text("[]".to_owned()), "bad_message"),
        (Frame::Text(r#"{"type":"become_root"}"#.to_owned()), "bad_message"),
        (Frame::Text(r#"{"type":"ack","offset":-1}"#.to_owned()), "bad_message"),
        (Frame::Text(r#"{"type":"resize","columns":1e9,"rows":1}"#.to_owned()), "bad_message"),
        (Frame::Text("[".repeat(100_000)), "bad_message"),
        (Frame::Text(r#"{"type":"drive"}"#.to_owned()), "attach_first"),
        (Frame::Binary(b"exit 66\r".to_vec().into()), "attach_first"),
    ] {
        let socket = admin.terminal_socket(&id).await.unwrap();
        let mut seat = Seat { socket, screen: String::new(), messages: Vec::new(), offset: 0 };
        let shown = format!("{sent:?}").chars().take(60).collect::<String>();
        seat.socket.send(sent).await.unwrap();
        seat.until(&shown, |seat| !seat.errors().is_empty()).await;
        assert_eq!(seat.errors()[0], code, "{shown}");
    }
    let mut seat = Seat::take(&admin, &id).await;
    let _cut_off = seat.socket.send(Frame::Binary(vec![b'x'; LONGEST_FRAME + 1].into())).await;
    assert!(matches!(seat.end().await, SocketEnd::Broken(_) | SocketEnd::Closed(..)), "too long");
    witness.type_in("echo still-here\r").await;
    witness.shows("\r\nstill-here\r\n").await;
    assert!(witness.has(|message| matches!(message, ServerMessage::Hello { .. })));
    assert_eq!(admin.terminal(&id).await.unwrap().state, "running");
}

/// A connection on which the handshake is done.
async fn shaken(bed: &Bed, id: &str) -> TcpStream {
    let address = bed.cluster.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /api/terminals/{id}/socket HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: pierhead.terminal.v1\r\n\r\n",
        bed.cluster.admin_token()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(text.starts_with("HTTP/1.1 101") && text.contains("pierhead.terminal.v1"), "{text}");
    stream
}

/// A text as a client frames it.
fn framed(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[tokio::test]
async fn what_is_no_websocket_is_cut_off() {
    let bed = Bed::set().await;
    let id = bed.shell().await.id;
    for (what, bytes) in [
        ("not masked", vec![0x81, 0x02, b'{', b'}']),
        ("an unknown kind", vec![0x83, 0x80, 0, 0, 0, 0]),
        ("reserved bits", vec![0xf1, 0x80, 0, 0, 0, 0]),
        ("no UTF-8", vec![0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]),
        ("a ping of 126 bytes", [vec![0x89, 0xfe, 0, 126, 0, 0, 0, 0], vec![0; 126]].concat()),
        ("a length of 2^62", vec![0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("more of nothing", vec![0x80, 0x80, 0, 0, 0, 0]),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
    ] {
        let mut stream = shaken(&bed, &id).await;
        stream.write_all(&bytes).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "{what} is listened to");
    }
    eventually(PATIENCE, "nobody is left", async || bed.cluster.controller().terminal_viewers() == 0).await;
    assert_eq!(bed.cluster.admin().terminal(&id).await.unwrap().state, "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sockets_that_break_off_leave_nothing_behind() {
    const AT_ONCE: usize = 100;
    let bed = Bed::set().await;
    let id = bed.shell().await.id;
    let scraper = Sender::nobody(&bed.cluster).token(bed.cluster.scrape_token());
    let held = async || {
        let page = scraper.get("/metrics").await.text;
        let value = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().parse::<f64>().unwrap()
        };
        (value("process_open_fds "), value("pierhead_tasks "))
    };
    let viewers = || bed.cluster.controller().terminal_viewers();
    drop(shaken(&bed, &id).await);
    eventually(PATIENCE, "the first one is gone", async || viewers() == 0).await;
    let before = held().await;
    let attach = framed(r#"{"type":"attach","from":null,"columns":80,"rows":24}"#);
    let cut = framed(r#"{"type":"ack","offset":12345}"#);
    for round in 0..10 {
        let all = (0..AT_ONCE).map(|at| {
            let (attach, cut, bed, id) = (&attach, &cut, &bed, &id);
            async move {
                let mut stream = shaken(bed, id).await;
                stream.write_all(attach).await.unwrap();
                // In the middle of a frame, of its head, of its mask; every fourth breaks the connection hard.
                stream.write_all(&cut[..1 + (at + round) % (cut.len() - 1)]).await.unwrap();
                if at % 4 == 0 {
                    stream.set_zero_linger().unwrap();
                }
                stream
            }
        });
        let open = futures_util::future::join_all(all).await;
        assert_eq!(viewers(), AT_ONCE as u64, "round {round}");
        drop(open);
        eventually(PATIENCE, "all are gone", async || viewers() == 0).await;
    }
    eventually_ok(PATIENCE, "everything is back where it was", async || {
        let now = held().await;
        if now.0 <= before.0 + 3.0 && now.1 <= before.1 + 3.0 { Ok(()) } else { Err(format!("{before:?} {now:?}")) }
    })
    .await;
    eventually(PATIENCE, "the terminal has nobody", async || {
        bed.cluster.admin().terminal(&id).await.is_ok_and(|terminal| terminal.viewers.is_empty())
    })
    .await;
    assert_eq!(bed.cluster.host(0).processes(), 1, "the shell itself");
}
