//! Requests with short answers: what is handed on, what is refused, and the leader's term.

use crate::bed::{Bed, ask, in_time, read, request};
use futures_util::StreamExt;
use hyper::Request;
use pierhead_agent::{EngineState, Link, Tunnel};

async fn bed() -> (Bed, Tunnel) {
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    (bed, tunnel)
}

#[tokio::test]
async fn a_request_is_written_anew() {
    let (bed, tunnel) = bed().await;
    let create = r#"{"Image":"a:1","HostConfig":{"Memory":5,"Privileged":false,"Binds":null},"Image":"b:1"}"#;
    let mut sent = request("POST", "/v1.41/containers/create?name=web.0.1&platform=", 1, create);
    for (name, value) in
        [("x-secret", "1"), ("cookie", "a=b"), ("x-registry-auth", "e30="), ("host", "other"), ("te", "trailers")]
    {
        sent.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = tunnel.send(sent).await.unwrap();
    assert_eq!(answer.headers().get("api-version").unwrap(), "1.41");
    assert!(!answer.headers().contains_key("set-cookie") && !answer.headers().contains_key("server"));
    assert_eq!(read(answer).await, (200, r#"{"Id":"00ff"}"#.to_owned()));
    let seen = bed.fake.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v1.41/containers/create?name=web.0.1"));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body, serde_json::json!({"Image": "b:1", "HostConfig": {"Memory": 5, "Privileged": false}}));
    let mut names: Vec<&str> = seen.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host"]);
    assert_eq!(seen.headers["host"], "engine");
}

#[tokio::test]
async fn what_is_not_listed_does_not_reach_the_engine() {
    let (bed, tunnel) = bed().await;
    for (method, target, body, word) in [
        ("POST", "/containers/prune", "", "not on the list"),
        ("GET", "/containers/json?all=true&x=1", "", "no 'x'"),
        (
            "POST",
            "/containers/create",
            r#"{"HostConfig":{"Privileged":true}}"#,
            "'HostConfig.Privileged' must be false",
        ),
        ("POST", "/containers/a/start", "{}", "has no body"),
        ("POST", "/exec/a/start", r#"{"Detach":false}"#, "'Detach' must be true"),
        ("GET", "/containers/%2e%2e/json", "", "plain"),
        ("GET", "//info", "", "plain"),
    ] {
        let (status, text) = ask(&tunnel, method, target, body).await;
        assert_eq!(status, 403, "{target}: {text}");
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["code"], "not_allowed");
        assert!(told["message"].as_str().unwrap().contains(word), "{target}: {text}");
    }
    let (status, text) = ask(&tunnel, "POST", "/containers/create", &format!("\"{}\"", "x".repeat(600_000))).await;
    assert!(status == 413 && text.contains("too_large"), "{text}");
    assert_eq!(ask(&tunnel, "POST", "/containers/create", "{").await.0, 400);
    assert!(bed.fake.seen().is_empty(), "{:?}", bed.fake.seen());
    assert_eq!(ask(&tunnel, "GET", "/info", "").await.0, 200);
}

#[tokio::test]
async fn an_older_leader_changes_nothing() {
    let (bed, tunnel) = bed().await;
    let ask = |method: &'static str, target: &'static str, term: u64| {
        let tunnel = tunnel.clone();
        async move { read(tunnel.send(request(method, target, term, "")).await.unwrap()).await }
    };
    assert_eq!(ask("POST", "/containers/a/start", 7).await.0, 304);
    let before = bed.fake.seen().len();
    for (method, target) in [
        ("POST", "/containers/a/start"),
        ("DELETE", "/containers/a"),
        ("POST", "/images/load"),
        ("PUT", "/containers/a/archive?path=x"),
    ] {
        let (status, text) = ask(method, target, 6).await;
        assert!(status == 409 && text.contains("term_past"), "{target}: {text}");
    }
    let refused = tunnel.talk("/containers/a/attach", 6, b"").await.unwrap().answer;
    assert_eq!(refused.status(), 409);
    let without = Request::post("/containers/a/start").body(crate::bed::body("")).unwrap();
    let (status, text) = read(tunnel.send(without).await.unwrap()).await;
    assert!(status == 409 && text.contains("term_missing"), "{text}");
    assert_eq!(bed.fake.seen().len(), before, "nothing of it reached the engine");
    assert_eq!(ask("GET", "/info", 6).await.0, 200, "looking is allowed");
    assert_eq!(std::fs::read_to_string(bed.dir.path().join("term")).unwrap(), "7\n");
}

#[tokio::test]
async fn beats_and_facts() {
    let (bed, tunnel) = bed().await;
    let mut beats = tunnel.beats().await.unwrap();
    for count in 0..5 {
        assert_eq!(in_time("a beat", beats.next()).await.unwrap().unwrap().count, count);
    }
    let mut link = bed.link.clone();
    in_time("the agent knows", link.wait_for(|link| *link == Link::Open)).await.unwrap();
    let facts = tunnel.facts().await.unwrap();
    assert!(facts.cpus > 0 && facts.memory > 1 << 20 && !facts.kernel.is_empty(), "{facts:?}");
    assert!(matches!(&facts.engine, EngineState::Answers { id, .. } if id == "FAKE"), "{facts:?}");
    assert!(facts.lacks.iter().any(|sentence| sentence.contains("fork bomb")), "{facts:?}");
}

#[tokio::test]
async fn an_engine_that_is_away_is_told_in_words() {
    let (bed, tunnel) = bed().await;
    std::fs::remove_file(&bed.fake.socket).unwrap();
    let (status, text) = ask(&tunnel, "GET", "/info", "").await;
    assert!(status == 502 && text.contains("engine_away") && text.contains("No such file"), "{text}");
    let facts = tunnel.facts().await.unwrap();
    assert!(matches!(&facts.engine, EngineState::Away { why } if why.contains("No such file")), "{facts:?}");
    assert!(facts.lacks[0].contains("not installed"), "{facts:?}");
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_at_the_engine_too() {
    let (bed, tunnel) = bed().await;
    let wait = tunnel.send(request("POST", "/containers/a/wait", 1, ""));
    tokio::select! {
        _ = wait => panic!("nobody answers that"),
        () = crate::bed::until("it arrives", || bed.fake.seen().len() == 1) => {}
    }
    crate::bed::until("the engine is left alone", || bed.fake.busy.load(std::sync::atomic::Ordering::SeqCst) == 0)
        .await;
}

#[tokio::test]
async fn another_hosts_kernel_is_asked_and_nothing_else() {
    let (bed, tunnel) = bed().await;
    for (address, code) in [("127.0.0.1", "not_allowed"), ("169.254.169.254", "not_allowed"), ("::1", "not_allowed")] {
        let refused = in_time("a refusal", tunnel.knock(&[address.parse().unwrap()])).await.unwrap_err().to_string();
        assert!(refused.contains("403") && refused.contains(code) && refused.contains(address), "{refused}");
    }
    let none = in_time("a refusal", tunnel.knock(&[])).await.unwrap_err().to_string();
    assert!(none.contains("'addresses' must have from 1 to 4"), "{none}");
    let own = if_addrs::get_if_addrs().unwrap();
    if let Some(own) = own.iter().map(if_addrs::Interface::ip).find(|ip| ip.is_ipv4() && !ip.is_loopback()) {
        let told = in_time("an answer", tunnel.knock(&[own])).await.unwrap();
        assert_eq!(told, None, "that it reaches itself says nothing of another");
        let mut refused = None;
        for _ in 0..100 {
            refused = in_time("an answer", tunnel.knock(&[own])).await.err();
            if refused.is_some() {
                break;
            }
        }
        assert!(refused.is_some_and(|error| error.to_string().contains("429")), "as many as one likes");
    }
    let (status, text) = ask(&tunnel, "GET", "/pierhead/knock", "").await;
    assert_eq!(status, 403, "{text}");
    assert!(bed.fake.seen().iter().all(|seen| !seen.target.contains("knock")), "the engine is not asked");
}
