//! Tickets, the sessions that browsers get for them, and rights that end.

use crate::bed::{Bed, Program, in_time, ok, settings};
use pierhead_ingress::{Comes, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_ticket_becomes_a_session_of_that_host_and_a_clean_address() {
    let program = Program::answering(ok("", "hello")).await;
    let bed = Bed::up(program.address).await;
    let answer = bed
        .send("GET //evil.example/a?b=1&pierhead-ticket=good HTTP/1.1\r\nHost: app.localhost:81\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let head = answer.to_ascii_lowercase();
    assert!(head.contains("location: http://app.localhost:81//evil.example/a?b=1\r\n"), "{answer}");
    let cookie = "set-cookie: pierhead-preview=seat-1; path=/; max-age=60; httponly; samesite=lax\r\n";
    assert!(head.contains(cookie) && head.contains("cache-control: no-store"), "{answer}");
    assert!(program.seen().is_empty(), "the program learns nothing of it");
    let known = bed.get("/?pierhead-ticket=known", "Cookie: pierhead-preview=seat-1\r\n").await;
    assert!(known.starts_with("HTTP/1.1 303") && !known.contains("set-cookie"), "{known}");
    let secure = Bed::with(program.address, Settings { is_tls: true, ..settings() }).await;
    let answer = secure.get("/?pierhead-ticket=good", "").await;
    assert!(
        answer.contains("location: https://app.localhost/\r\n") && answer.contains("SameSite=Lax; Secure"),
        "{answer}"
    );
}

#[tokio::test]
async fn the_resolver_learns_who_makes_a_browser_ask() {
    let program = Program::answering(ok("", "hello")).await;
    let bed = Bed::up(program.address).await;
    bed.get("/", "Origin: http://8000-other.localhost:81\r\nCookie: pierhead-preview=a; pierhead-preview=b\r\n").await;
    let asked = bed.asked().remove(0);
    assert_eq!(asked.comes, Comes::Other("8000-other.localhost".to_owned()));
    assert_eq!(asked.sessions, ["a", "b"]);
}

#[tokio::test]
async fn what_flows_is_cut_when_the_right_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let mut client = bed.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await.unwrap();
    let mut program = in_time("the program is called", listener.accept()).await.unwrap().0;
    program.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await.unwrap();
    let mut all = Vec::new();
    while !all.ends_with(b"first\r\n") {
        assert!(in_time("the first piece", client.read_buf(&mut all)).await.unwrap() > 0);
    }
    bed.resolver.allowed.send_replace(false);
    let mut rest = Vec::new();
    let _cut = in_time("it is cut", client.read_to_end(&mut rest)).await;
    assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "it does not pass for a whole answer");
    let mut request = Vec::new();
    let _cut = in_time("at the program too", program.read_to_end(&mut request)).await;
}
