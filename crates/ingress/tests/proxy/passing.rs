//! What goes through, and what it looks like at the other end.

use crate::bed::{Bed, Program, in_time, ok, read_request, until_contains};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

#[tokio::test]
async fn a_request_goes_on_and_its_answer_comes_back() {
    let program = Program::answering(ok("X-Own: 1\r\nSet-Cookie: a=b; Domain=localhost; Path=/\r\n", "hello")).await;
    let bed = Bed::up(program.address).await;
    let answer = bed
        .send(
            "POST /a/b?c=d&pierhead-ticket=x HTTP/1.1\r\nHost: APP.localhost:81\r\nContent-Length: 4\r\nConnection: close, X-Hop\r\n\
             X-Hop: 1\r\nX-Kept: 1\r\nX-Forwarded-For: 6.6.6.6\r\nCookie: own=1; pierhead=secret; pierhead-preview=secret\r\n\
             X-Access-Token: ann:secret\r\nAuthorization: Bearer ours\r\nAccept-Encoding: gzip\r\n\r\nbody",
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(answer.contains("x-own: 1\r\n") && answer.contains("set-cookie: a=b; Path=/\r\n"), "{answer}");
    let seen = program.only();
    assert!(seen.starts_with("post /a/b?c=d http/1.1\r\n") && seen.ends_with("\r\n\r\nbody"), "{seen}");
    for line in [
        "host: app.localhost:81",
        "x-kept: 1",
        "cookie: own=1",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: app.localhost:81",
        "x-forwarded-proto: http",
        "accept-encoding: gzip",
    ] {
        assert!(seen.contains(&format!("\r\n{line}\r\n")), "{line}: {seen}");
    }
    for gone in ["secret", "ours", "x-hop", "6.6.6.6", "ticket", "keep-alive"] {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
    let asked = bed.asked().remove(0);
    assert_eq!((asked.host.as_str(), asked.bearer.as_deref()), ("app.localhost", Some("ours")));
    assert_eq!((asked.sessions.as_slice(), asked.peer), (&["secret".to_owned()][..], "127.0.0.1".parse().unwrap()));
}

#[tokio::test]
async fn several_requests_use_one_connection_and_are_decided_one_by_one() {
    let program = Program::answering(ok("", "hello")).await;
    let bed = Bed::up(program.address).await;
    let answers = bed
        .send(
            "GET /1 HTTP/1.1\r\nHost: app.localhost\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: app.localhost\r\n\r\n\
             GET /3 HTTP/1.1\r\nHost: other.localhost\r\n\r\nGET /4 HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n",
        )
        .await;
    let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "404", "200"], "{answers}");
    assert_eq!(bed.asked().len(), 4);
    let paths: Vec<String> = program.seen().iter().map(|seen| seen.lines().next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["GET /1 HTTP/1.1", "HEAD /2 HTTP/1.1", "GET /4 HTTP/1.1"], "what is refused reaches nobody");
}

#[tokio::test]
async fn bodies_flow_piece_by_piece_in_both_directions() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let mut client = bed.connect().await;
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        .await
        .unwrap();
    let mut program = in_time("the program is called", listener.accept()).await.unwrap().0;
    let mut came = Vec::new();
    in_time("the first piece", until_contains(&mut program, &mut came, "one")).await;
    program
        .write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n",
        )
        .await
        .unwrap();
    let mut back = Vec::new();
    in_time("an event before the answer's end", until_contains(&mut client, &mut back, "data: 1")).await;
    client.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    in_time("the second piece", until_contains(&mut program, &mut came, "two")).await;
    program.write_all(b"7\r\ndata: 2\r\n").await.unwrap();
    in_time("the next event", until_contains(&mut client, &mut back, "data: 2")).await;
    program.write_all(b"0\r\n\r\n").await.unwrap();
    in_time("the end", until_contains(&mut client, &mut back, "0\r\n\r\n")).await;
    drop(client);
    let mut rest = Vec::new();
    // The ingress closes its side once the answer is over.
    let _ended = in_time("the connection to the program ends", program.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let body = "0123456789abcdef".repeat(200_000);
    let program = Program::answering(ok("", &body)).await;
    let bed = Bed::up(program.address).await;
    let request = format!(
        "PUT / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = bed.send(request).await;
    assert_eq!(answer.split_once("\r\n\r\n").unwrap().1.len(), body.len());
    assert!(program.seen()[0].ends_with(&body));
}

#[tokio::test]
async fn what_is_wrong_is_told_in_words_of_the_readers_language() {
    // Taken, and nobody listens there.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let bed = Bed::up(nobody.local_addr().unwrap()).await;
    let asks =
        |host: &str, headers: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    let page = bed.send(asks("x.localhost", "Accept: text/html\r\nAccept-Language: zh-CN\r\n")).await;
    assert!(page.starts_with("HTTP/1.1 404") && page.contains("<h1>没有这个预览</h1>"), "{page}");
    assert!(page.contains("x-pierhead-refusal: no_such_preview\r\n"), "{page}");
    let page = bed.send(asks("x.localhost", "Accept: text/html\r\n")).await;
    assert!(page.contains("&lt;b&gt;Open&lt;/b&gt; it anew."), "{page}");
    for host in ["gone.localhost", "app.localhost"] {
        let line = bed.send(asks(host, "")).await;
        assert!(line.starts_with("HTTP/1.1 502") && line.ends_with("Nothing answers: Start it.\n"), "{line}");
    }
}

#[tokio::test]
async fn who_leaves_ends_the_request_at_the_program_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bed = Bed::up(listener.local_addr().unwrap()).await;
    let mut client = bed.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").await.unwrap();
    let mut program = in_time("the program is called", listener.accept()).await.unwrap().0;
    in_time("the request", read_request(&mut program)).await;
    drop(client);
    let mut rest = Vec::new();
    let _ended = in_time("the program hears of it", program.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}
