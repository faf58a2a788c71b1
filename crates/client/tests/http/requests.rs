//! What the client sends, and what it makes of the answers.

use crate::scripted::{Reply, Scripted};
use pierhead_client::{Addresses, Change, Client, ClientError, LogOptions, RunOptions, Started, Verb, Wait};
use pierhead_wire::{AccountRequest, AppChange, EngineRequest, ImageDescription, LogIn, PasswordChange};

/// An address where nobody listens, and no other test begins to.
const NOBODY: &str = "http://127.0.0.1:1";
const OPERATION: &str = r#"{"id":"op1","title":"run 1 of httpd","state":"running","verdicts":[],"actor":"admin",
    "app":"web","created_at":"2026-01-01T00:00:00.000Z","deadline":"2026-01-01T00:05:00.000Z"}"#;

fn client(urls: &str) -> Client {
    Client::new(Addresses::parse(urls).unwrap(), Some("secret".to_owned())).unwrap()
}

fn now() -> Change {
    Change::new(Wait::Seconds(0))
}

#[tokio::test]
async fn a_change_that_goes_on_is_told_from_one_that_ended() {
    let server = Scripted::start().await;
    let line = "POST /api/containers?count=3&pull=true&app=web&wait=0";
    server.on(line, Reply::Operation(202, "op1", OPERATION.to_owned()));
    server.on(line, Reply::Operation(200, "op1", "[]".to_owned()));
    let options = RunOptions { count: Some(3), pull: Some(true), app: Some("web".to_owned()) };
    let image = ImageDescription { name: "httpd".to_owned(), ..ImageDescription::default() };
    let client = client(&server.url);

    let first = client.run(&image, &options, &now()).await.unwrap();
    assert!(matches!(&first, Started::Running(operation) if operation.id == "op1"));
    let second = client.run(&image, &options, &now()).await.unwrap();
    assert_eq!(second.operation(), Some("op1"));
    assert!(matches!(second, Started::Ended { answer, .. } if answer.is_empty()));

    let asked = server.asked();
    assert_eq!(asked[0].token.as_deref(), Some("Bearer secret"));
    assert_eq!(asked[0].body, r#"{"name":"httpd"}"#);
    assert!(asked[0].key.is_some() && asked[0].key != asked[1].key, "two changes have two keys");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    let server = Scripted::start().await;
    let line = "POST /api/apps/web/scale?count=4";
    server.on(line, Reply::Lost).on(line, Reply::Lost).on(line, Reply::Json(204, String::new()));
    client(&server.url).scale_app("web", 4, &Change::new(Wait::UntilEnded)).await.unwrap();

    let keys: Vec<_> = server.asked().into_iter().map(|asked| asked.key.unwrap()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys[0].len() == 32 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let (first, second) = (Scripted::start().await, Scripted::start().await);
    first.on("DELETE /api/containers/abc?wait=0", Reply::Lost);
    second.on("DELETE /api/containers/abc?wait=0", Reply::Json(204, String::new()));
    let urls = format!("{NOBODY},{},{}", first.url, second.url);
    client(&urls).destroy("abc", &Change::with_key("k1", Wait::Seconds(0))).await.unwrap();

    assert_eq!((first.asked().len(), second.asked().len()), (1, 1));
    assert_eq!((first.asked()[0].key.as_deref(), second.asked()[0].key.as_deref()), (Some("k1"), Some("k1")));
}

#[tokio::test]
async fn one_that_does_not_reach_the_store_is_not_the_last_to_be_asked() {
    let (cut_off, gone, third) = (Scripted::start().await, Scripted::start().await, Scripted::start().await);
    let line = "POST /api/apps/web/scale?count=4&wait=0";
    cut_off.refuse(line, 503, "store_unavailable", "the store does not answer");
    // What stands before a controller speaks for itself.
    gone.on(line, Reply::Json(502, "<html>".to_owned()));
    third.on(line, Reply::Json(204, String::new()));
    let all = format!("{},{},{}", cut_off.url, gone.url, third.url);
    client(&all).scale_app("web", 4, &Change::with_key("k1", Wait::Seconds(0))).await.unwrap();
    for server in [&cut_off, &gone, &third] {
        let keys: Vec<_> = server.asked().into_iter().map(|asked| asked.key.unwrap()).collect();
        assert_eq!(keys, ["k1"]);
    }

    // If it is the same everywhere, that is the answer; and a verdict is one, whoever tells it.
    let all = format!("{NOBODY},{},{}", cut_off.url, cut_off.url);
    let refused = client(&all).scale_app("web", 4, &now()).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (Some(503), Some("store_unavailable")));
    assert_eq!(cut_off.asked().len(), 3);
    cut_off.refuse("GET /api/engines", 503, "engine_failed", "the host failed");
    let failed = client(&format!("{},{}", cut_off.url, third.url)).engines().await.unwrap_err();
    assert_eq!((failed.code(), third.asked().len()), (Some("engine_failed"), 1));
}

#[tokio::test]
async fn tries_are_bounded_and_the_last_cause_is_told() {
    let server = Scripted::start().await;
    server.on("GET /api/apps", Reply::Lost);
    let error = client(&server.url).apps().await.unwrap_err();
    assert!(matches!(&error, ClientError::Unreachable { url, .. } if *url == server.url), "{error}");
    assert_eq!(server.asked().len(), 3);

    let error = client(NOBODY).apps().await.unwrap_err().to_string();
    assert!(error.contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn a_refusal_is_final_and_keeps_its_code() {
    let server = Scripted::start().await;
    server.refuse("PUT /api/apps/web?wait=5", 409, "no_room", "no host has 4 cores");
    let change = AppChange { image: ImageDescription::default(), replicas: Some(2) };
    let error = client(&server.url).set_app("web", &change, &Change::new(Wait::Seconds(5))).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code(), error.to_string()),
        (Some(409), Some("no_room"), "no host has 4 cores".to_owned())
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_one_is_told_apart() {
    let server = Scripted::start().await;
    server.on("GET /api/engines", Reply::Json(502, "<html>".to_owned())).json("GET /api/apps", "{}");
    let client = client(&server.url);
    let odd = client.engines().await.unwrap_err();
    assert!(matches!(&odd, ClientError::ReadAnswer { why, .. } if why.contains("502")), "{odd}");
    assert!(matches!(client.apps().await.unwrap_err(), ClientError::ReadAnswer { .. }));
}

#[tokio::test]
async fn the_json_is_kept_as_it_came() {
    let server = Scripted::start().await;
    let body = r#"[{"id":"1", "username":"clare","role":{"name":"user"},"created_at":"", "new_field":1.50}]"#;
    server.json("GET /api/account", body);
    let accounts = client(&server.url).accounts().await.unwrap();
    assert_eq!((accounts.json(), accounts[0].username.as_str()), (body, "clare"));
}

#[tokio::test]
async fn names_cannot_leave_their_place_in_the_path() {
    let server = Scripted::start().await;
    let client = client(&server.url);
    for name in ["", ".", "..", "ab\n", "a\tb"] {
        assert!(matches!(client.delete_app(name, &now()).await, Err(ClientError::ParseName(_))), "{name:?}");
    }
    for name in ["../account", "a/b", "a?all=true", "a#b", "%2e%2e", "ä"] {
        assert_eq!(client.container(name).await.unwrap_err().status(), Some(404), "{name:?}");
    }
    let expected = ["..%2Faccount", "a%2Fb", "a%3Fall=true", "a%23b", "%252e%252e", "%C3%A4"];
    assert_eq!(server.lines(), expected.map(|part| format!("GET /api/containers/{part}")));
}

#[tokio::test]
async fn logs_come_as_they_are_written() {
    let server = Scripted::start().await;
    let line =
        "GET /api/containers/abc/logs?follow=true&tail=5&since=2026-01-01T00%3A00%3A00Z&timestamps=true&stderr=false";
    server.on(line, Reply::Chunks(vec![b"one\ntw", b"o\n\xff"]));
    let options = LogOptions {
        follow: true,
        tail: Some(5),
        since: Some("2026-01-01T00:00:00Z".to_owned()),
        timestamps: true,
        no_stdout: false,
        no_stderr: true,
    };
    let client = client(&server.url);
    let mut log = client.logs("abc", &options).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = log.next().await.unwrap() {
        bytes.extend(chunk);
    }
    assert_eq!(bytes, b"one\ntwo\n\xff");
    assert_eq!(client.logs("gone", &LogOptions::default()).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn each_method_asks_its_route() {
    let server = Scripted::start().await;
    let client = Client::new(Addresses::parse(&format!("{}/pool/", server.url)).unwrap(), None).unwrap();
    let log_in = LogIn { username: "clare".to_owned(), password: "pw".to_owned() };
    let password = PasswordChange { username: "clare".to_owned(), password: "new".to_owned(), current: None };
    assert!(client.log_in(&log_in).await.is_err());
    assert!(client.change_password(&password).await.is_err());
    assert!(client.add_account(&AccountRequest::default()).await.is_err());
    assert!(client.delete_account("clare").await.is_err());
    assert!(client.engine("e1").await.is_err());
    assert!(client.add_engine(&EngineRequest::default()).await.is_err());
    assert!(client.remove_engine("e1").await.is_err());
    assert!(client.cluster_info().await.is_err());
    assert!(client.events(7).await.is_err());
    assert!(client.health().await.is_err());
    assert!(client.containers(true).await.is_err());
    assert!(client.containers(false).await.is_err());
    for verb in [Verb::Start, Verb::Stop, Verb::Restart] {
        assert!(client.act("abc", verb, &now()).await.is_err());
    }
    assert!(client.scale_container("abc", 0, &now()).await.is_err());
    assert!(client.explain_container("abc").await.is_err());
    assert!(client.explain_app("web").await.is_err());
    assert!(client.operations().await.is_err());
    assert!(client.operation("op1", None).await.is_err());
    assert!(client.operation("op1", Some(1)).await.is_err());
    assert!(client.cancel_operation("op1").await.is_err());
    let expected = [
        "POST /pool/auth/login",
        "POST /pool/account/passwdchange",
        "POST /pool/api/account",
        "DELETE /pool/api/account",
        "GET /pool/api/engines/e1",
        "POST /pool/api/engines",
        "DELETE /pool/api/engines/e1",
        "GET /pool/api/cluster/info",
        "GET /pool/api/events?count=7",
        "GET /pool/healthz",
        "GET /pool/api/containers?all=true",
        "GET /pool/api/containers",
        "POST /pool/api/containers/abc/start?wait=0",
        "POST /pool/api/containers/abc/stop?wait=0",
        "POST /pool/api/containers/abc/restart?wait=0",
        "POST /pool/api/containers/abc/scale?count=0&wait=0",
        "GET /pool/api/containers/abc/explain",
        "GET /pool/api/apps/web/explain",
        "GET /pool/api/operations",
        "GET /pool/api/operations/op1",
        "GET /pool/api/operations/op1?wait=1",
        "POST /pool/api/operations/op1/cancel",
    ];
    assert_eq!(server.lines(), expected);
    assert!(server.asked().iter().all(|asked| asked.token.is_none()));
    let asked = server.asked().into_iter();
    let unkeyed = asked.filter(|asked| !asked.line.starts_with("GET") && asked.key.is_none()).map(|asked| asked.line);
    assert_eq!(unkeyed.collect::<Vec<_>>(), ["POST /pool/auth/login"], "every change has a key");
    assert_eq!(server.asked()[3].body, r#"{"username":"clare"}"#);
}
