//! Programs that answer badly, late, or with more than they should.

use crate::bed::{Bed, Program, settings};
use pierhead_ingress::{Patience, Settings};
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::test]
async fn what_is_no_answer_becomes_a_page() {
    let headers = "X-A: 1\r\n".repeat(1000);
    for (what, answer) in [
        ("nothing", String::new()),
        ("nonsense", "SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-".to_owned()),
        ("another version", "HTTP/2.0 200 OK\r\n\r\n".to_owned()),
        ("too many headers", format!("HTTP/1.1 200 OK\r\n{headers}\r\n")),
        ("a header that is too long", format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(200_000))),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned()),
        (
            "another protocol",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".to_owned(),
        ),
        ("a folded header", "HTTP/1.1 200 OK\r\nX-A: 1\r\n X-B: 2\r\n\r\n".to_owned()),
    ] {
        let program = Program::answering(answer).await;
        let bed = Bed::up(program.address).await;
        let answer = bed.get("/", "").await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{what}: {answer}");
        assert!(answer.contains("x-pierhead-refusal: broken_answer"), "{what}: {answer}");
    }
}

#[tokio::test]
async fn of_two_lengths_none_is_believed_and_nothing_is_split() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\
                HTTP/1.1 200 OK\r\nX-Split: 1\r\n\r\n";
    let program = Program::answering(both).await;
    let bed = Bed::up(program.address).await;
    let answer = bed.get("/", "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("content-length"), "{answer}");
    assert_eq!(body, "5\r\nhello\r\n0\r\n\r\n");
    // More than was announced is nobody's next answer.
    let program =
        Program::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Split: 1\r\n\r\n").await;
    let bed = Bed::up(program.address).await;
    let answer = bed.get("/", "").await;
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[tokio::test]
async fn half_an_answer_does_not_pass_for_a_whole_one() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let program = Program::answering(answer).await;
        let bed = Bed::up(program.address).await;
        let came = bed.get("/", "").await;
        assert!(!came.ends_with("0\r\n\r\n") && !came.contains("content-length: 4"), "{came}");
    }
}

#[tokio::test]
async fn an_answer_takes_nothing_that_is_ours_and_says_nothing_for_others() {
    let program = Program::answering(crate::bed::ok(
        "Set-Cookie: pierhead-preview=x\r\nSet-Cookie: __Host-a=b\r\nSet-Cookie: c=d; domain=.localhost; HttpOnly\r\n\
         Clear-Site-Data: \"*\"\r\nAlt-Svc: h3=\":443\"\r\nStrict-Transport-Security: max-age=9\r\nX-Pierhead-Refusal: x\r\n\
         Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nX-Access-Token: x\r\n",
        "hello",
    ))
    .await;
    let bed = Bed::up(program.address).await;
    let answer = bed.get("/", "").await;
    let head = answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
    assert!(head.contains("set-cookie: __host-a=b\r\n") && head.contains("set-cookie: c=d; httponly"), "{head}");
    for gone in [
        "pierhead",
        "domain=",
        "clear-site-data",
        "alt-svc",
        "strict-transport",
        "x-hop",
        "keep-alive",
        "x-access-token",
    ] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let with = |patience| Bed::with(listener.local_addr().unwrap(), Settings { patience, ..settings() });
    let bed = with(Patience { connect: Duration::from_millis(100), ..settings().patience }).await;
    let late = bed.send("GET / HTTP/1.1\r\nHost: slow.localhost\r\nConnection: close\r\n\r\n").await;
    assert!(late.starts_with("HTTP/1.1 504") && late.contains("x-pierhead-refusal: connect_too_slow"), "{late}");
    // It takes the request, and says nothing.
    let bed = with(Patience { answer: Duration::from_millis(300), ..settings().patience }).await;
    let late = bed.get("/", "").await;
    assert!(late.starts_with("HTTP/1.1 504") && late.contains("x-pierhead-refusal: answer_too_slow"), "{late}");
}
