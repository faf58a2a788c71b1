//! The ingress stops: what is being answered is answered, nothing new is taken, and nobody is waited for in vain. And the
//! right to see something ends: whatever flows is cut, in both directions.

use crate::bed::{Bed, in_time, read_request, settings, until, until_contains};
use pierhead_ingress::{Patience, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn what_is_being_answered_is_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut bed = Bed::up(listener.local_addr().unwrap()).await;
    // A connection on which nothing happens does not hold it up.
    let mut idle = bed.connect().await;
    let mut client = bed.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await.unwrap();
    let mut program = in_time("the program is called", listener.accept()).await.unwrap().0;
    in_time("the request", read_request(&mut program)).await;
    bed.stop();
    let address = bed.address;
    until("nothing new is taken", || std::net::TcpStream::connect(address).is_err()).await;
    let mut rest = Vec::new();
    let _ended = in_time("the idle one is closed", idle.read_to_end(&mut rest)).await;
    program.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast").await.unwrap();
    let mut answer = Vec::new();
    in_time("the answer", client.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.ends_with(b"\r\n\r\nlast"), "{}", String::from_utf8_lossy(&answer));
    in_time("it is over", bed.served).await.unwrap();
}

#[tokio::test]
async fn what_takes_too_long_is_cut_and_websockets_end_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let patience = Patience { drain: Duration::from_millis(200), ..settings().patience };
    let mut bed = Bed::with(listener.local_addr().unwrap(), Settings { patience, ..settings() }).await;
    let mut client = bed.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await.unwrap();
    let mut hangs: TcpStream = in_time("the program is called", listener.accept()).await.unwrap().0;
    in_time("the request", read_request(&mut hangs)).await;
    let mut socket = bed.connect().await;
    let asks = "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.write_all(asks.as_bytes()).await.unwrap();
    let mut agrees = in_time("the program is called", listener.accept()).await.unwrap().0;
    in_time("the request", read_request(&mut agrees)).await;
    agrees
        .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await
        .unwrap();
    let mut head = [0; 12];
    in_time("the agreement", socket.read_exact(&mut head)).await.unwrap();
    bed.stop();
    in_time("it is over", bed.served).await.unwrap();
    let mut rest = Vec::new();
    for mut stream in [client, socket, hangs, agrees] {
        // Cut or closed is all the same.
        let _ended = in_time("everybody hears of it", stream.read_to_end(&mut rest)).await;
    }
}

/// Begins to send something without an end; the program has read the first piece.
async fn uploading(bed: &Bed, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = bed.connect().await;
    let begins = b"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    client.write_all(begins).await.unwrap();
    let mut program = in_time("the program is called", listener.accept()).await.unwrap().0;
    let mut came = Vec::new();
    in_time("the first piece", until_contains(&mut program, &mut came, "one")).await;
    (client, program)
}

#[tokio::test]
async fn what_is_sent_is_cut_with_the_right_to_send_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let (mut client, mut program) = uploading(&bed, &listener).await;
    bed.resolver.allowed.send_replace(false);
    let (mut rest, mut answer) = (Vec::new(), Vec::new());
    let _ended = in_time("the program gets no more of it", program.read_to_end(&mut rest)).await;
    in_time("the sender is told", until_contains(&mut client, &mut answer, "\r\n\r\n")).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("x-pierhead-refusal: ended\r\n"), "{answer}");
}

#[tokio::test]
async fn it_is_cut_too_while_nobody_reads_the_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let (client, program) = uploading(&bed, &listener).await;
    let (mut reads, mut writes) = program.into_split();
    let written = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&written);
    let writing = tokio::spawn(async move {
        let mut piece = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
        while writes.write_all(&piece).await.is_ok() {
            piece = vec![0; 100_000];
            counts.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (seen, looks) = (AtomicUsize::new(0), AtomicUsize::new(0));
    until("all buffers on the way are full", || {
        let now = written.load(Ordering::SeqCst);
        if now == 0 || seen.swap(now, Ordering::SeqCst) != now {
            looks.store(0, Ordering::SeqCst);
        }
        looks.fetch_add(1, Ordering::SeqCst) > 100
    })
    .await;
    bed.resolver.allowed.send_replace(false);
    let mut rest = Vec::new();
    let _ended = in_time("the program gets no more of it", reads.read_to_end(&mut rest)).await;
    in_time("and gets rid of nothing", writing).await.unwrap();
    drop(client);
}
