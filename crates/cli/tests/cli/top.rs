//! What hosts and containers use: once, live at a terminal, and as JSON.

use crate::scripted::Reply;
use crate::session::Session;
use pierhead_cli::Terminals;
use serde_json::{Value, json};

const STREAM: &str = "GET /api/stats/stream";

fn stats(name: &str, cpu_cores: f64) -> String {
    format!(
        r#"{{"at":"2026-01-01T00:00:00.000Z","engines":[{{"id":"host-1","measured":"host","cpu_cores":1.25,"cpu_total":4.0,
        "memory_bytes":1073741824,"memory_total":8589934592,"rx_bytes_s":0,"tx_bytes_s":0,"read_bytes_s":0,"write_bytes_s":0}}],
        "containers":[{{"id":"4659a647124bb0","name":"{name}","engine":"host-1","cpu_cores":{cpu_cores},
        "memory_bytes":3145728,"memory_limit":33554432,"rx_bytes_s":2048,"tx_bytes_s":0,"read_bytes_s":0,"write_bytes_s":0,
        "new":1}}]}}"#
    )
    .replace('\n', " ")
}

fn frame(name: &str, cpu_cores: f64) -> &'static [u8] {
    format!("event: stats\ndata: {}\n\n", stats(name, cpu_cores)).leak().as_bytes()
}

#[tokio::test]
async fn where_nobody_looks_it_is_printed_once() {
    let session = Session::start().await;
    session.server.json("GET /api/stats", stats(r"web.0.1\u009b31m", 0.5));
    for line in ["top", "top --once", "stats -1"] {
        let ran = session.run(line).await;
        assert!(ran.code == 0 && ran.err.is_empty(), "{ran:?}");
        assert!(!ran.out.contains('\x1b') && !ran.out.contains('\u{9b}'), "{ran:?}");
        for part in ["host-1", "1.25 of 4", "1.0 GiB of 8.0 GiB", r"web.0.1\x9b31m", "3.0 MiB of 32.0 MiB", "2.0 KiB"] {
            assert!(ran.out.contains(part), "{part}: {ran:?}");
        }
    }
    session.server.json("GET /api/stats?container=4659", stats("web.0.1", 0.5));
    session.server.json("GET /api/stats?engine=host-1", stats("web.0.1", 0.5));
    let ran = session.run("top 4659 --json --once").await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["containers"][0]["new"], 1, "fields that this version does not know");
    assert_eq!(session.run("top --engine host-1 --sort memory").await.code, 0);
    session.server.refuse("GET /api/stats?container=beef", 404, "not_found", "there is no container beef");
    let ran = session.run("top beef").await;
    assert!(ran.code == 3 && ran.err.contains("pierhead container ls --all"), "{ran:?}");
}

/// Two frames, the controller away for a moment, another frame, and an end that is no loss.
async fn a_feed_with_a_gap() -> Session {
    let session = Session::start().await;
    session.server.on(STREAM, Reply::Chunks(vec![frame("first", 0.5), frame("second", 0.25)]));
    for _ in 0..3 {
        session.server.on(STREAM, Reply::Lost);
    }
    session.server.on(STREAM, Reply::BrokenAfter(frame("third", 0.5)));
    session.server.refuse(STREAM, 401, "unauthenticated", "the token has expired");
    session
}

#[tokio::test]
async fn at_a_terminal_it_is_drawn_in_its_place() {
    let mut session = a_feed_with_a_gap().await;
    session.terminals = Terminals { stdout: true, ..Terminals::default() };
    let ran = session.run("top").await;
    assert_eq!(ran.code, 5, "{ran:?}");
    // Hosts, containers, their heads and a line between: each drawing begins where the one before did.
    let drawn: Vec<&str> = ran.out.split("\x1b[J").collect();
    assert!(drawn.len() == 5 && drawn[4].is_empty(), "{ran:?}");
    assert!(drawn[0].starts_with("ENGINE") && drawn[0].contains("first") && !drawn[0].contains("\x1b[5F"), "{ran:?}");
    assert!(drawn[1].starts_with("\x1b[5FENGINE") && drawn[1].contains("second"), "{ran:?}");
    assert!(drawn[2].contains("trying again") && drawn[2].contains("second"), "what was there stays: {ran:?}");
    assert!(drawn[3].starts_with("\x1b[6FENGINE") && drawn[3].contains("third"), "{ran:?}");
    assert!(drawn[0].lines().all(|line| line.ends_with("\x1b[K")), "nothing is left of longer lines: {ran:?}");
}

#[tokio::test]
async fn programs_get_one_object_on_each_line() {
    let session = a_feed_with_a_gap().await;
    let ran = session.run("top --json").await;
    let names: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["containers"][0]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((ran.code, names), (5, ["first", "second", "third"].map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn who_cannot_begin_to_look_is_told_at_once() {
    let session = Session::start().await;
    session.server.on(STREAM, Reply::Lost);
    let ran = session.run("top --json").await;
    assert!(ran.code == 6 && ran.err.contains("cannot reach"), "{ran:?}");
}

#[tokio::test]
async fn lines_are_in_the_order_that_was_asked_for() {
    let session = Session::start().await;
    let container = |name: &str, cpu_cores: f64, memory: u64| {
        json!({"id": format!("{name}{name}"), "name": name, "engine": "host-1", "cpu_cores": cpu_cores,
            "memory_bytes": memory, "memory_limit": 0, "rx_bytes_s": memory, "tx_bytes_s": 0, "read_bytes_s": 0,
            "write_bytes_s": 7 - memory})
    };
    let containers = [container("bb", 0.5, 1), container("aa", 0.25, 2), container("cc", 0.0, 3)];
    session
        .server
        .json("GET /api/stats", json!({"at": "2026-01-01T00:00:00.000Z", "engines": [], "containers": containers}));
    let orders = [("cpu", ["bb", "aa", "cc"]), ("memory", ["cc", "aa", "bb"]), ("rx", ["cc", "aa", "bb"])];
    for (key, expected) in orders.into_iter().chain([("write", ["bb", "aa", "cc"]), ("name", ["aa", "bb", "cc"])]) {
        let out = session.run(&format!("top -1 -s {key}")).await.out;
        let names: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, expected, "{key}: {out}");
    }
}

#[tokio::test]
async fn an_empty_pool_is_a_table_and_a_strange_answer_an_error() {
    let session = Session::start().await;
    session.server.json("GET /api/stats", json!({"at": "2026-01-01T00:00:00.000Z", "engines": [], "containers": []}));
    let ran = session.run("top").await;
    assert!(ran.code == 0 && ran.err.is_empty() && ran.out.starts_with("NAME"), "{ran:?}");
    session.server.json("GET /api/stats?engine=odd", "<html>");
    let ran = session.run("top --engine odd").await;
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("hint: is that the address"), "{ran:?}");
    session.server.refuse("GET /api/stats?engine=e9", 404, "not_found", "there is no engine e9");
    let ran = session.run("top --engine e9 --once").await;
    assert!(ran.code == 3 && ran.err.contains("hint: what there is: pierhead engine ls\n"), "{ran:?}");
    session.server.refuse("GET /api/stats/stream?container=beef", 403, "forbidden", "beef is ann's");
    let ran = session.run("top beef --json").await;
    assert!(ran.code == 5 && ran.out.is_empty() && ran.err.contains("beef is ann's"), "{ran:?}");
}

#[tokio::test]
async fn what_is_drawn_obeys_nobodys_name() {
    let mut session = Session::start().await;
    session.terminals = Terminals { stdout: true, ..Terminals::default() };
    session.server.on(STREAM, Reply::Chunks(vec![frame(r"web\u001b[H\nline\u202e", 0.5)]));
    session.server.refuse(STREAM, 401, "unauthenticated", "the token has expired");
    let ran = session.run("top").await;
    assert!(ran.out.contains(r"web\x1b[H\nline\u{202e}"), "{ran:?}");
    assert!(!ran.out.contains("\x1b[H") && !ran.out.contains('\u{202e}'), "{ran:?}");
    let json = session.run("top --once --json").await;
    assert_eq!(json.code, 3, "what there is no answer to is no empty object: {json:?}");
}
