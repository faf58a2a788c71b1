//! WebSockets: agreed on by both sides, then bytes to and fro.

use crate::bed::{Bed, Program, in_time, ok, read_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ASKS: &str = "GET /socket HTTP/1.1\r\nHost: app.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nCookie: pierhead=secret\r\n\r\n";
const AGREES: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: pierhead=x\r\n\r\n";

/// Both ends of a WebSocket through the ingress, and what the program was asked.
async fn opened(bed: &Bed, listener: &TcpListener) -> (TcpStream, TcpStream, String) {
    let mut client = bed.connect().await;
    client.write_all(ASKS.as_bytes()).await.unwrap();
    let mut program = in_time("the program is called", listener.accept()).await.unwrap().0;
    let asked = in_time("the request", read_request(&mut program)).await;
    // What follows at once is a part of what follows.
    program.write_all(format!("{AGREES}first").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nfirst") {
        assert!(in_time("the agreement", client.read_buf(&mut answer)).await.unwrap() > 0);
    }
    let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101") && answer.contains("upgrade: websocket\r\n"), "{answer}");
    assert!(
        answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=") && !answer.contains("pierhead"),
        "{answer}"
    );
    (client, program, asked)
}

#[tokio::test]
async fn bytes_go_to_and_fro_and_the_end_is_passed_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let (mut client, mut program, asked) = opened(&bed, &listener).await;
    let asked = asked.to_ascii_lowercase();
    assert!(asked.contains("connection: upgrade\r\n") && asked.contains("upgrade: websocket\r\n"), "{asked}");
    assert!(asked.contains("sec-websocket-key: dghlihnhbxbszsbub25jzq==") && !asked.contains("secret"), "{asked}");
    let all: Vec<u8> = (0..1_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let (mut there, mut back) = (vec![0; all.len()], vec![0; all.len()]);
    let ((mut from_program, mut to_program), (mut from_client, mut to_client)) = (client.split(), program.split());
    let (sent, answered, came, returned) = in_time("all of it", async {
        tokio::join!(
            to_program.write_all(&all),
            to_client.write_all(&all),
            from_client.read_exact(&mut there),
            from_program.read_exact(&mut back)
        )
    })
    .await;
    assert!(sent.is_ok() && answered.is_ok() && came.is_ok() && returned.is_ok());
    assert!(there == all && back == all);
    drop(program);
    let mut rest = Vec::new();
    let _ended = in_time("the client hears of the end", client.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn either_side_may_leave_and_so_does_the_right() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let (client, mut program, _) = opened(&bed, &listener).await;
    drop(client);
    let mut rest = Vec::new();
    let _ended = in_time("the program hears of the end", program.read_to_end(&mut rest)).await;
    let (mut client, mut program, _) = opened(&bed, &listener).await;
    bed.resolver.allowed.send_replace(false);
    let _ended = in_time("it ends for the client", client.read_to_end(&mut rest)).await;
    let _ended = in_time("and for the program", program.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_program_may_decline() {
    let program = Program::answering(ok("", "no socket here")).await;
    let bed = Bed::up(program.address).await;
    let answer = bed.send(ASKS.replace("keep-alive, Upgrade", "close, Upgrade")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("no socket here"), "{answer}");
    // What it agrees to must be what it was asked for.
    let program =
        Program::answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").await;
    let bed = Bed::up(program.address).await;
    let answer = bed.send(ASKS.replace("keep-alive, Upgrade", "close, Upgrade")).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    // A POST asks for none.
    let posted = ASKS.replace("GET /socket", "POST /socket").replace("keep-alive, Upgrade", "close, Upgrade");
    let program = Program::answering(ok("", "posted")).await;
    let bed = Bed::up(program.address).await;
    assert!(bed.send(posted).await.ends_with("posted"));
    assert!(!program.only().contains("upgrade"));
}
