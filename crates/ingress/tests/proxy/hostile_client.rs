//! Clients that try to slip something past the ingress.

use crate::bed::{Bed, Program, in_time, ok, settings};
use pierhead_ingress::Patience;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn program() -> Program {
    Program::answering(ok("", "hello")).await
}

/// All of these are refused, and nothing reaches the program.
#[tokio::test]
async fn what_is_no_proper_request_reaches_nobody() {
    let program = program().await;
    let bed = Bed::up(program.address).await;
    for (what, request) in [
        ("no host", "GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET / HTTP/1.1\r\nHost: app.localhost\r\nHost: x.localhost\r\n\r\n"),
        ("a bad host", "GET / HTTP/1.1\r\nHost: app.localhost/x\r\n\r\n"),
        ("a user in the host", "GET / HTTP/1.1\r\nHost: x@app.localhost\r\n\r\n"),
        ("an absolute address", "GET http://app.localhost/ HTTP/1.1\r\nHost: app.localhost\r\n\r\n"),
        ("another's absolute address", "GET http://x.localhost/ HTTP/1.1\r\nHost: app.localhost\r\n\r\n"),
        ("connect", "CONNECT app.localhost:80 HTTP/1.1\r\nHost: app.localhost\r\n\r\n"),
        ("trace", "TRACE / HTTP/1.1\r\nHost: app.localhost\r\n\r\n"),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: app.localhost\r\n\r\n"),
        ("two lengths", "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        ("a list of lengths", "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3, 4\r\n\r\nabcd"),
        ("a signed length", "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: +3\r\n\r\nabc"),
        ("chunks of 1.0", "POST / HTTP/1.0\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (
            "chunks that are not last",
            "POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        ),
        ("another coding", "POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("a folded line", "GET / HTTP/1.1\r\nHost: app.localhost\r\nX-A: 1\r\n folded: 2\r\n\r\n"),
        ("a space before the colon", "GET / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length : 3\r\n\r\nabc"),
        ("a name with a space", "GET / HTTP/1.1\r\nHost: app.localhost\r\nX A: 1\r\n\r\n"),
        ("a NUL", "GET / HTTP/1.1\r\nHost: app.localhost\r\nX-A: \0\r\n\r\n"),
        (
            "two authorizations",
            "GET / HTTP/1.1\r\nHost: app.localhost\r\nAuthorization: a b\r\nAuthorization: Bearer ours\r\n\r\n",
        ),
        ("nonsense", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n"),
    ] {
        let mut closing = request.to_owned();
        // So that an answer, of whichever kind, is the last one.
        closing = closing.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let answer = bed.send(&closing).await;
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert!(matches!(status, "400" | "405" | "none"), "{what}: {answer}");
    }
    let huge = format!("GET / HTTP/1.1\r\nHost: app.localhost\r\nX-A: {}\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: app.localhost\r\n{}\r\n", "X-A: 1\r\n".repeat(200));
    for request in [huge, many] {
        let answer = bed.send(&request).await;
        assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
    }
    assert_eq!(program.seen(), Vec::<String>::new());
}

/// Of a request with two kinds of length the program sees one only, and nothing that was hidden behind it.
#[tokio::test]
async fn nothing_is_smuggled_behind_a_body() {
    let hidden = "GET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
    for head in ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 60"]
    {
        let program = program().await;
        let bed = Bed::up(program.address).await;
        let answer =
            bed.send(format!("POST /first HTTP/1.1\r\nHost: app.localhost\r\n{head}\r\n\r\n0\r\n\r\n{hidden}")).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "the connection ends with it: {answer}");
        let seen = program.only();
        assert!(seen.starts_with("post /first") && !seen.contains("smuggled"), "{seen}");
        assert!(!(seen.contains("content-length") && seen.contains("transfer-encoding")), "{seen}");
    }
    // Behind a body that is measured properly another request may stand, which is decided about by itself.
    let program = program().await;
    let bed = Bed::up(program.address).await;
    let second = "GET /second HTTP/1.1\r\nHost: x.localhost\r\nConnection: close\r\n\r\n";
    let answers =
        bed.send(format!("POST /first HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\n\r\nabc{second}")).await;
    assert!(answers.contains("404 Not Found"), "{answers}");
    assert!(!program.only().contains("second"));
}

#[tokio::test]
async fn no_other_protocol_and_no_trailers_are_passed_on() {
    let program = program().await;
    let bed = Bed::up(program.address).await;
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let mut client = bed.connect().await;
    client.write_all(format!("GET / HTTP/1.1\r\nHost: app.localhost\r\n{upgrade}\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    in_time("an answer", client.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let seen = program.only();
    assert!(!seen.contains("upgrade") && !seen.contains("http2-settings"), "{seen}");
    drop(client);
    let program = self::program().await;
    let bed = Bed::up(program.address).await;
    bed.send(
        "POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nTrailer: X-Access-Token\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\na\r\n0\r\nX-Access-Token: ann:secret\r\n\r\n",
    )
    .await;
    assert!(!program.only().contains("secret"));
}

#[tokio::test]
async fn who_is_too_slow_or_too_many_is_not_waited_for() {
    let program = program().await;
    let patience = Patience { request: Duration::from_secs(1), ..settings().patience };
    let bed =
        Bed::with(program.address, pierhead_ingress::Settings { patience, most_connections: 1, ..settings() }).await;
    let mut slow = bed.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: app").await.unwrap();
    // There is room for one only: this one waits until the slow one is given up.
    let answer = in_time("the next in line", bed.get("/", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut rest = Vec::new();
    let _cut = in_time("the slow one is cut", slow.read_to_end(&mut rest)).await;
    assert_eq!(program.seen().len(), 1);
}
