//! Controllers that speak nonsense: the agent ends the connection, keeps little in memory, and goes on.

use crate::bed::{Bed, PATIENCE, ask, asks_why, in_time, request, timing};
use crate::certificates::CONTROLLER;
use pierhead_agent::{AgentError, accept};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::server::TlsStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The most that nonsense may take in memory, in bytes.
const MEMORY: u64 = 96 << 20;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn settings() -> Vec<u8> {
    frame(4, 0, 0, &[])
}

/// `GET /_ping` for `engine`, in the shortest form of its headers.
fn ping_request(stream: u32) -> Vec<u8> {
    let block = [&[0x82, 0x86, 0x44, 6][..], b"/_ping", &[0x41, 6], b"engine"].concat();
    frame(1, 0x5, stream, &block)
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Says something, and again and again what follows, without listening until nothing more is taken; then waits for
/// the end of the connection.
async fn speak<S: AsyncRead + AsyncWrite + Unpin>(case: &str, mut stream: S, first: &[u8], again: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    if stream.write_all(first).await.is_ok() && !again.is_empty() {
        while let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(5), stream.write_all(again)).await {
            assert!(Instant::now() < deadline, "{case}: it listens for ever");
        }
    }
    let _pushed = tokio::time::timeout(Duration::from_secs(1), stream.flush()).await;
    let mut heard = vec![0; 64 * 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left, stream.read(&mut heard)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(_)) => {}
            Err(_) => panic!("{case}: the connection does not end"),
        }
    }
}

async fn keys(bed: &Bed) -> TlsStream<TcpStream> {
    loop {
        match bed.acceptor.accept(bed.call().await).await {
            Ok(stream) => return stream,
            Err(error) => assert!(asks_why(&error), "{error:?}"),
        }
    }
}

async fn goes_on(case: &str, bed: &Bed) {
    let tunnel = bed.tunnel().await;
    assert_eq!(ask(&tunnel, "GET", "/info", "").await.0, 200, "{case}");
}

#[tokio::test]
async fn nonsense_instead_of_keys() {
    let bed = Bed::up().await;
    for (case, first) in [
        ("nothing", &b""[..]),
        ("text", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("the beginning of a record", b"\x16\x03\x03\x00"),
        ("half a record", b"\x16\x03\x03\x40\x00\x02\x00\x00"),
        ("a record that is too long", b"\x16\x03\x03\xff\xff\x02\x00\x00"),
        ("an alert", b"\x15\x03\x03\x00\x02\x02\x28"),
    ] {
        speak(case, bed.call().await, first, b"").await;
    }
    speak("noise without end", bed.call().await, b"", &[0xa5; 4096]).await;
    goes_on("after nonsense", &bed).await;
}

#[tokio::test]
async fn nonsense_instead_of_requests() {
    let bed = Bed::up().await;
    let begun = [PREFACE, &settings()].concat();
    let begun_and = |more: &[u8]| [begun.as_slice(), more].concat();
    let asked_and = |more: &[u8]| [begun.as_slice(), &ping_request(1), more].concat();
    for (case, first) in [
        ("nothing", vec![]),
        ("another protocol", b"GET /info HTTP/1.1\r\nhost: engine\r\n\r\n".to_vec()),
        ("half a beginning", PREFACE[..10].to_vec()),
        ("no frames", [PREFACE, &[0xff; 100]].concat()),
        ("frames in the wrong order", [PREFACE, &ping_request(1)].concat()),
        ("half a frame", begun_and(&ping_request(1)[..12])),
        ("half a frame after a request", asked_and(&ping_request(3)[..12])),
        ("silence after a request", asked_and(b"")),
        ("a frame that is too long", begun_and(&frame(0, 0, 1, &vec![0; 20_000]))),
        ("data of nobody", begun_and(&frame(0, 0, 5, b"x"))),
        ("an even stream", begun_and(&ping_request(2))),
        ("a broken block of headers", begun_and(&frame(1, 0x5, 1, &[0xff; 64]))),
        ("a window beyond all bounds", asked_and(&frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]))),
        ("a window of nothing", asked_and(&frame(8, 0, 0, &[0; 4]))),
        ("a setting that cannot be", begun_and(&frame(4, 0, 0, &[0, 5, 0, 0, 0, 1]))),
        ("a promise", asked_and(&frame(5, 0x4, 1, &[0, 0, 0, 2, 0x82]))),
        ("continuation of nothing", begun_and(&frame(9, 0, 1, &[0x82]))),
    ] {
        speak(case, keys(&bed).await, &first, b"").await;
    }
    goes_on("after nonsense", &bed).await;
}

#[tokio::test]
async fn floods_take_no_memory() {
    let bed = Bed::up().await;
    goes_on("at first", &bed).await;
    let before = peak();
    let begun = [PREFACE, &settings()].concat();
    let header = [&[0x00, 0x01, b'a', 0x7f, 0x80, 0x7d][..], &vec![b'x'; 16_127]].concat();
    let open_block = [begun.as_slice(), &frame(1, 0, 1, &[0x82])].concat();
    let resets: Vec<u8> = (0..500u32)
        .flat_map(|at| [ping_request(at * 2 + 1), frame(3, 0, at * 2 + 1, &[0, 0, 0, 8])].concat())
        .collect();
    for (case, first, again) in [
        ("headers without end", &open_block, frame(9, 0, 1, &header)),
        ("tiny headers without end", &open_block, frame(9, 0, 1, &[])),
        ("pings without end", &begun, frame(6, 0, 0, &[1; 8]).repeat(500)),
        ("settings without end", &begun, settings().repeat(500)),
        ("unknown frames without end", &begun, frame(0x77, 0, 0, &[0; 16_000])),
        ("requests taken back", &[begun.as_slice(), &resets].concat(), frame(3, 0, 1, &[0, 0, 0, 8])),
    ] {
        speak(case, keys(&bed).await, first, &again).await;
        let grown = peak() - before;
        assert!(grown < MEMORY, "{case}: {grown} bytes");
    }
    goes_on("after floods", &bed).await;
}

#[tokio::test]
async fn a_beginning_byte_by_byte_is_not_waited_for() {
    let bed = Bed::up().await;
    let mut stream = keys(&bed).await;
    let dripping = async {
        for byte in PREFACE.iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
                return;
            }
            let mut heard = [0; 1024];
            if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(Duration::from_millis(90), stream.read(&mut heard)).await {
                return;
            }
        }
    };
    in_time("it is left", dripping).await;
    goes_on("after that", &bed).await;
}

#[tokio::test]
async fn headers_that_are_too_long_end_their_request_alone() {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let mut long = request("GET", "/info", 1, "");
    long.headers_mut().insert("x-long", "x".repeat(40_000).parse().unwrap());
    let refused = tunnel.send(long).await;
    assert!(refused.map_or(true, |answer| answer.status() == 431));
    assert_eq!(ask(&tunnel, "GET", "/info", "").await.0, 200);
    assert_eq!(bed.fake.seen().len(), 1);
}

#[tokio::test]
async fn a_host_that_speaks_nonsense_is_told_apart_from_one_that_goes() {
    let bed = Bed::up().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (said, is_nonsense) in [(&[0x2a; 9000][..], true), (&[], false)] {
        let (address, config) = (listener.local_addr().unwrap(), bed.authority.host("host-1"));
        let config = Arc::new((*bed.authority.for_agent(&config)).clone());
        let speaking = tokio::spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let mut stream = TlsConnector::from(config).connect(CONTROLLER.try_into().unwrap(), stream).await.unwrap();
            stream.write_all(said).await.unwrap();
            stream.shutdown().await.unwrap();
            // Until it is hung up on.
            let _heard = stream.read_to_end(&mut Vec::new()).await;
        });
        let tunnel = accept(listener.accept().await.unwrap().0, &bed.acceptor, &timing()).await.unwrap();
        in_time("it ends", tunnel.ended()).await;
        let Err(AgentError::Tunnel(error)) = tunnel.beats().await.map(drop) else { panic!("it beats") };
        let is_of_the_network = error.source().is_some_and(|cause| cause.is::<std::io::Error>());
        let says_why = !error.is_closed() && !error.is_canceled() && !is_of_the_network;
        assert_eq!(says_why, is_nonsense, "{error:?}");
        speaking.await.unwrap();
    }
}
