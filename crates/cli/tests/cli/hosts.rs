//! Hosts in work: cordon, drain, remove, what would survive, and evening out.

use crate::scripted::Reply;
use crate::session::{Session, operation};
use pierhead_wire::Example as _;

const DRAIN: &str = "POST /api/engines/e1/drain?wait=0";
const OPERATION: &str = "GET /api/operations/op1?wait=1";
const PLAN: &str = r#"{"moves":[{"app":"web","slot":2,"from":"e1","to":"e2"}],
    "engines":[{"id":"e1","before":40.0,"after":70.0},{"id":"e2","before":100.0,"after":70.0}]}"#;

fn lines(session: &Session) -> Vec<String> {
    session.server.asked().iter().map(|asked| asked.line.clone()).collect()
}

fn script_drain(session: &Session, end: &str, more: &str) {
    session.server.on(DRAIN, Reply::Operation(202, "op1", operation("running", "", "")));
    session.server.json(OPERATION, operation(end, "", more));
    session.server.on("DELETE /api/engines/e1", Reply::Json(204, String::new()));
}

#[tokio::test]
async fn a_host_is_cordoned_and_put_back() {
    let session = Session::start().await;
    for verb in ["cordon", "uncordon"] {
        session.server.on(&format!("POST /api/engines/e1/{verb}"), Reply::Json(204, String::new()));
    }
    assert_eq!(session.run("engine cordon e1").await.out, "cordoned e1; what runs there stays\n");
    assert_eq!(session.run("engine uncordon e1").await.out, "e1 is back in service\n");
    assert_eq!(session.run("engine cordon e2").await.code, 3);
}

#[tokio::test]
async fn a_host_that_waits_is_shown_with_what_its_agent_tells_and_approved() {
    let session = Session::start().await;
    let mut host = pierhead_wire::EngineView::example_json();
    host["id"] = "e1".into();
    host["health"] =
        serde_json::json!({"status": "waiting", "response_time": 0, "reason": "for approval, by: x", "since": "y"});
    host["agent"]["waits_for_approval"] = true.into();
    session.server.json("GET /api/engines", serde_json::json!([host]).to_string());
    session.server.json("GET /api/engines/e1", host.to_string());
    session.server.json("POST /api/engines/e1/approve", host.to_string());
    let listed = session.run("engine ls").await.out;
    assert!(listed.contains("waiting for approval"), "{listed}");
    let shown = session.run("engine show e1").await.out;
    let fingerprint = host["agent"]["fingerprints"][0].as_str().unwrap();
    for words in ["waiting for approval", fingerprint, "8 cores", "10.0.0.5", "runc 1.2.8", "Live restore is off"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(session.run("engine approve e1").await.out, "approved e1\n");
    assert_eq!(session.run("engine approve e2").await.code, 3);
    host["agent"]["waits_for_approval"] = false.into();
    session.server.json("GET /api/engines/e3", host.to_string());
    session.server.json("POST /api/engines/e3/approve", host.to_string());
    let again = session.run("engine approve e3").await;
    assert_eq!((again.code, again.out.contains("was not waiting for approval; nothing")), (0, true), "{again:?}");
    host["agent"]["fingerprints"] = serde_json::json!([]);
    session.server.json("GET /api/engines/e4", host.to_string());
    session.server.json("POST /api/engines/e4/approve", host.to_string());
    let revoked = session.run("engine approve e4").await.out;
    assert!(revoked.contains("it was revoked, and has to join again"), "{revoked}");
}

#[tokio::test]
async fn no_token_is_made_for_a_host_that_would_be_refused() {
    let session = Session::start().await;
    let mut host = pierhead_wire::EngineView::example_json();
    (host["id"], host["agent"]["expires_at"]) = ("e1".into(), "2100-01-01T00:00:00Z".into());
    session.server.json("GET /api/engines/e1", host.to_string());
    for (line, words) in [
        ("engine join-command --id a/..", "--id"),
        ("engine join-command --id e1", "--id e1 is the name of a host in the pool already"),
        ("engine join-command --label a,b", "--label \"a,b\" must be"),
        ("engine join-command --expires-in soon", "--expires-in must be"),
    ] {
        let ran = session.run(line).await;
        assert!(ran.code == 2 && ran.err.contains(words), "{line}: {ran:?}");
    }
    assert!(lines(&session).iter().all(|line| line.starts_with("GET ")), "a token was made");
    // The certificate of the host by that name has expired: it may join again.
    host["agent"]["expires_at"] = "2020-01-01T00:00:00Z".into();
    session.server.json("GET /api/engines/e2", host.to_string());
    session.run("engine join-command --id e2").await;
    assert!(lines(&session).contains(&"POST /api/engines/join-tokens".to_owned()));
}

#[tokio::test]
async fn a_drain_is_followed_to_its_end() {
    let session = Session::start().await;
    script_drain(&session, "done", "");
    let ran = session.run("engine drain e1").await;
    assert_eq!((ran.code, ran.out.starts_with("drained e1;")), (0, true), "{ran:?}");
    assert_eq!(session.run("engine drain e1 --detach").await.out, "op1\n");
}

#[tokio::test]
async fn a_host_is_drained_before_it_is_removed_if_that_is_wanted() {
    let mut session = Session::start().await;
    script_drain(&session, "done", "");
    let removal = "DELETE /api/engines/e1".to_owned();
    let whole = vec![DRAIN.to_owned(), OPERATION.to_owned(), removal.clone()];
    assert_eq!(session.run("engine rm e1 --drain --yes").await.out, "removed e1\n");
    assert_eq!(lines(&session), whole);
    session.terminals.stdin = true;
    session.input = "y\ny\n";
    let ran = session.run("engine rm e1").await;
    assert!(ran.code == 0 && ran.err.contains("Drain it first"), "{ran:?}");
    assert_eq!(lines(&session)[3..], whole);
    for (input, command) in [("y\nn\n", "engine rm e1"), ("y\n", "engine rm e1 --leave"), ("", "engine rm e1 --yes")] {
        session.input = input;
        let before = lines(&session).len();
        assert_eq!(session.run(command).await.code, 0, "{command}");
        assert_eq!(&lines(&session)[before..], std::slice::from_ref(&removal), "{command}: what runs there is left");
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_drained_is_not_removed() {
    let session = Session::start().await;
    script_drain(&session, "timed_out", r#","error":{"code":"timed_out","message":"1 of 2 not done in time"}"#);
    let ran = session.run("engine rm e1 --drain --yes").await;
    assert!(ran.code == 6 && ran.err.contains("1 of 2 not done in time"), "{ran:?}");
    assert_eq!(lines(&session), [DRAIN, OPERATION]);
}

#[tokio::test]
async fn what_would_survive_is_told() {
    let session = Session::start().await;
    let answer = r#"{"engine":"e1","survives":true,"slots":3,"homeless":[]}"#;
    session.server.json("GET /api/cluster/survive/e1", answer);
    assert!(session.run("cluster survive e1").await.out.contains("would carry all 3"));
    assert!(session.run("cluster survive e1 --json").await.out.contains("\"survives\": true"));
}

#[tokio::test]
async fn a_rebalance_is_shown_before_it_is_made() {
    let mut session = Session::start().await;
    let post = "POST /api/cluster/rebalance?wait=0";
    session.server.json("GET /api/cluster/rebalance", PLAN);
    session.server.on(post, Reply::Operation(202, "op1", operation("running", "", "")));
    session.server.json(OPERATION, operation("done", "", ""));
    let ran = session.run("cluster rebalance --plan").await;
    assert!(ran.code == 0 && ran.out.contains("web  2     e1    e2"), "{ran:?}");
    assert_eq!(session.run("cluster rebalance").await.code, 2, "scripts say --yes");
    session.terminals.stdin = true;
    session.input = "n\n";
    assert_eq!(session.run("cluster rebalance").await.code, 1);
    assert!(lines(&session).iter().all(|line| line.starts_with("GET ")), "nothing was changed");
    let ran = session.run("cluster rebalance --yes").await;
    assert!(ran.code == 0 && ran.out.ends_with("made 1 move\n"), "{ran:?}");
    let asked = session.server.asked();
    let sent = asked.iter().find(|asked| asked.line == post).unwrap();
    assert_eq!(sent.body, r#"{"moves":[{"app":"web","slot":2,"from":"e1","to":"e2"}]}"#);
}

#[tokio::test]
async fn hosts_are_given_up_only_when_somebody_says_so() {
    let mut session = Session::start().await;
    let info = |frozen: &str| {
        format!(
            r#"{{"cpus":4,"memory":4096,"reserved_cpus":1,"reserved_memory":64,"used_cpus":0,"used_memory":0,
            "container_count":1,"image_count":1,"engine_count":3,"silent_engines":[],"id":"c1","version":"1"{frozen}}}"#
        )
    };
    session.server.json("GET /api/cluster/info", info(r#","frozen":"2 of 3 hosts vanished at once""#));
    session.server.on("POST /api/cluster/thaw", Reply::Json(204, String::new()));
    assert!(session.run("cluster info").await.out.contains("frozen  2 of 3 hosts vanished at once"));
    assert_eq!(session.run("cluster thaw").await.code, 2, "scripts say --yes");
    session.terminals.stdin = true;
    session.input = "n\n";
    let ran = session.run("cluster thaw").await;
    assert!(ran.code == 1 && ran.err.contains("2 of 3 hosts vanished at once"), "{ran:?}");
    assert!(lines(&session).iter().all(|line| line.starts_with("GET ")), "nothing was changed");
    let ran = session.run("cluster thaw --yes").await;
    assert!(ran.code == 0 && ran.out.starts_with("given up;"), "{ran:?}");
}

#[tokio::test]
async fn restored_records_count_again_when_somebody_says_so() {
    let mut session = Session::start().await;
    let info = r#"{"cpus":4,"memory":4096,"reserved_cpus":1,"reserved_memory":64,"used_cpus":0,"used_memory":0,
        "container_count":1,"image_count":1,"engine_count":3,"silent_engines":[],"id":"c1","version":"1",
        "restored":{"reason":"from a backup","unknown":[{"id":"714e","name":"web.0.1","engine":"e1"}]}}"#;
    session.server.json("GET /api/cluster/info", info);
    session.server.on("POST /api/cluster/settle", Reply::Json(204, String::new()));
    let told = session.run("cluster info").await.out;
    assert!(told.contains("from a backup") && told.contains("web.0.1 on e1 (714e)"), "{told}");
    assert_eq!(session.run("cluster settle").await.code, 2, "scripts say --yes");
    session.terminals.stdin = true;
    session.input = "n\n";
    let ran = session.run("cluster settle").await;
    assert!(ran.code == 1 && ran.err.contains("web.0.1 on e1 (714e)") && ran.err.contains("1 are removed"), "{ran:?}");
    assert!(lines(&session).iter().all(|line| line.starts_with("GET ")), "nothing was changed");
    let ran = session.run("cluster settle --yes").await;
    assert!(ran.code == 0 && ran.out.starts_with("settled;"), "{ran:?}");
}
