//! What goes wrong: the words, the hint and the exit code.

use crate::scripted::Reply;
use crate::session::{FIRST, Session, container, done, not_done, operation};
use clap::Parser;
use pierhead_cli::Cli;

const OPERATION: &str = "GET /api/operations/op1?wait=1";

#[tokio::test]
async fn each_refusal_has_its_code_and_a_hint() {
    for (status, code, exit, hint) in [
        (400, "invalid", 1, "--help"),
        (401, "unauthorized", 5, "pierhead login"),
        (403, "forbidden", 5, "administrator"),
        (404, "not_found", 3, "pierhead app ls"),
        (409, "no_room", 4, "pierhead explain"),
        (409, "exists", 4, "pierhead app set"),
        (409, "app_differs", 4, "--app NAME"),
        (409, "other", 4, "pierhead app ls"),
        (422, "invalid", 1, "--help"),
        (422, "no_such_image", 3, "registry"),
        (503, "engine_unreachable", 1, "pierhead engine ls"),
        (504, "timed_out", 6, "error:"),
    ] {
        let session = Session::start().await;
        session.server.refuse("POST /api/containers?wait=0", status, code, r"what is wrong\nis \u001b[31mthis");
        let ran = session.run("run httpd").await;
        assert_eq!((ran.code, ran.out.as_str()), (exit, ""), "{status} {code}");
        let lines: Vec<&str> = ran.err.lines().collect();
        assert_eq!(lines[0], r"error: what is wrong\nis \x1b[31mthis", "one line, harmless");
        assert!(ran.err.contains(hint), "{status} {code}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_message_without_end_is_cut() {
    let session = Session::start().await;
    session.server.refuse("GET /api/apps", 400, "invalid", &"ä".repeat(5000));
    let ran = session.run("app ls").await;
    let told = ran.err.lines().next().unwrap();
    assert!(told.ends_with("ä …") && told.chars().count() < 2100, "{}", told.len());
}

#[tokio::test]
async fn an_id_that_was_replaced_leads_to_the_new_one() {
    let session = Session::start().await;
    let body = format!(r#"{{"code":"not_found","message":"abc is gone","replaced_by":"{FIRST}"}}"#);
    for line in ["GET /api/containers/abc", "POST /api/containers/abc/scale?count=2&wait=0"] {
        session.server.on(line, Reply::Json(404, body.clone()));
    }
    for command in ["container abc", "scale abc 2"] {
        let ran = session.run(command).await;
        assert_eq!(ran.code, 3);
        assert!(ran.err.contains("pierhead container show 111111111111\n"), "{}", ran.err);
    }
}

#[tokio::test]
async fn an_operation_that_fails_says_why() {
    let no_room = r#","error":{"code":"no_room","message":"no host has 64 GB"}"#;
    let image = r#","error":{"code":"no_such_image","message":"httpf is nowhere"}"#;
    let slot = not_done(1, "failed", "exited with 1");
    for (reply, exit, error, hint) in [
        (operation("failed", "", no_room), 4, "error: no host has 64 GB\n", "pierhead explain"),
        (operation("failed", "", image), 3, "error: httpf is nowhere\n", "registry"),
        (operation("failed", &slot, ""), 1, "slot 1: exited with 1\n", "pierhead operation show op1"),
        (operation("timed_out", "", ""), 6, "httpd:latest: timed out\n", "pierhead operation show op1"),
        (operation("cancelled", "", ""), 1, "httpd:latest: cancelled\n", "pierhead operation show op1"),
    ] {
        let session = Session::start().await;
        session.server.on("POST /api/containers?wait=0", Reply::Operation(202, "op1", operation("running", "", "")));
        session.server.json(OPERATION, reply);
        let ran = session.run("run httpd").await;
        assert_eq!((ran.code, ran.out.as_str()), (exit, ""), "{}", ran.err);
        assert!(ran.err.contains(error) && ran.err.contains(hint), "{}", ran.err);
    }
}

#[tokio::test]
async fn waiting_ends_when_it_was_told_to() {
    let session = Session::start().await;
    session.server.json(OPERATION, operation("running", &done(0, FIRST), ""));
    let ran = session.run("operation wait op1 --timeout 1").await;
    assert_eq!(ran.code, 6);
    assert!(ran.err.contains("not done after 1 s") && ran.err.contains("pierhead operation cancel op1"), "{}", ran.err);
    assert!(session.server.asked().len() < 10, "it is not asked as fast as it answers");
}

#[tokio::test]
async fn a_server_that_is_lost_on_the_way_does_not_lose_the_operation() {
    let session = Session::start().await;
    session.server.on("POST /api/containers?wait=0", Reply::Operation(202, "op1", operation("running", "", "")));
    session.server.on(OPERATION, Reply::Lost);
    let ran = session.run("run httpd").await;
    assert_eq!(ran.code, 6);
    assert!(
        ran.err.contains("error: cannot reach http://") && ran.err.contains("pierhead operation wait op1"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn nobody_there_is_told_apart_from_a_refusal() {
    let session = Session::start().await;
    // No other test begins to listen there.
    let nobody = "127.0.0.1:1";
    let ran = session.run_alone(&format!("--url http://{nobody} app ls")).await;
    assert_eq!(ran.code, 6);
    assert!(ran.err.contains(&format!("cannot reach http://{nobody}: Connection refused")), "{}", ran.err);
    assert!(ran.err.contains("PIERHEAD_URL"), "{}", ran.err);
    assert_eq!(session.run_alone("--url ftp://x app ls").await.code, 2);
    session.server.on("GET /api/apps", Reply::Json(200, "<html>".to_owned()));
    assert_eq!(session.run("app ls").await.code, 1);
}

#[tokio::test]
async fn the_next_controller_of_the_list_is_asked() {
    let session = Session::start().await;
    session.server.json("GET /api/containers", format!("[{}]", container(FIRST, "web", 0, 20000)));
    let ran = session.run_alone(&format!("--url http://127.0.0.1:1,{} container ls", session.server.url)).await;
    assert!(ran.code == 0 && ran.out.contains("111111111111"), "{ran:?}");
}

#[tokio::test]
async fn usage_that_only_shows_later_has_the_same_code() {
    let session = Session::start().await;
    for line in ["run", "run a --name b", "explain web --memory 5", "logs web --since yesterday", "account passwd"] {
        let ran = session.run(line).await;
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.err.contains("\nhint: "), "{}", ran.err);
    }
    assert!(session.server.asked().is_empty());
}

#[test]
fn what_is_no_number_is_told_what_one_would_be() {
    for (line, form) in [
        ("events many", "from 0 to 4294967295"),
        ("events -1", "from 0 to 4294967295"),
        ("app ls --limit 0", "from 1 to 1000"),
        ("app ls --limit x", "from 1 to 1000"),
        ("scale web 2 --timeout 1m", "from 1 to 604800"),
        ("operation wait op1 --timeout -1", "from 1 to 604800"),
    ] {
        let refused = Cli::try_parse_from(format!("pierhead {line}").split(' ')).map(drop).unwrap_err().to_string();
        assert!(refused.contains(form), "{line}: {refused}");
    }
}

#[tokio::test]
async fn programs_get_errors_as_json() {
    let session = Session::start().await;
    let body = r#"{"code":"invalid","message":"memory must be \u001b[2J a number","field":"memory"}"#;
    session.server.on("POST /api/containers?wait=0", Reply::Json(400, body.to_owned()));
    let ran = session.run("run httpd --json").await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (1, "", 1));
    assert!(!ran.err.contains('\u{1b}'), "{ran:?}");
    let told: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&told["code"], &told["field"]), (&"invalid".into(), &"memory".into()));
    assert_eq!((&told["message"], &told["exit_code"]), (&"memory must be \u{1b}[2J a number".into(), &1.into()));
    assert!(told["hint"].as_str().unwrap().contains("--help"), "{told}");
    let told = session.run("container rm a --json").await.err;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap()["code"], "usage");
}

const LAST_WORDS: &str = r#""log":["reading app.toml","\u001b[31mno such key"]"#;

#[tokio::test]
async fn what_a_container_printed_last_follows_why_it_failed() {
    let session = Session::start().await;
    let begun = Reply::Operation(202, "op1", operation("running", "", ""));
    session.server.on("POST /api/containers?app=web&wait=0", begun);
    let error = format!(r#","error":{{"code":"exited","message":"keeps exiting (exit code 3)",{LAST_WORDS}}}"#);
    session.server.json("GET /api/operations/op1?wait=1", operation("failed", "", &error));
    let told = "error: keeps exiting (exit code 3)\nthe container printed last:\n  reading app.toml\n  \\x1b[31mno such key\nhint: ";
    let ran = session.run("run httpd --app web").await;
    assert!(ran.code == 1 && ran.err.contains(told), "{ran:?}");
    // The same where the change had ended when it was answered.
    let session = Session::start().await;
    let body = format!(r#"{{"code":"exited","message":"keeps exiting (exit code 3)","operation":"op1",{LAST_WORDS}}}"#);
    session.server.on("POST /api/containers?app=web&wait=0", Reply::Json(422, body));
    let ran = session.run("run httpd --app web").await;
    assert!(ran.code == 1 && ran.err.contains(told.trim_end_matches("hint: ")), "{ran:?}");
    let ran = session.run("run httpd --app web --json").await;
    let object: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(object["log"][1], "\u{1b}[31mno such key");
}
