//! What comes piece by piece: logs of apps, and statistics.

use crate::scripted::{Reply, Scripted};
use futures_util::FutureExt;
use pierhead_client::{Addresses, Client, ClientError, LogOptions, LogStream, StatsQuery};

async fn scripted() -> (Scripted, Client) {
    let server = Scripted::start().await;
    let client = Client::new(Addresses::parse(&server.url).unwrap(), Some("secret".to_owned())).unwrap();
    (server, client)
}

/// Everything up to the end of a log, or to where it broke off.
async fn read(mut log: LogStream) -> (Vec<u8>, Option<ClientError>) {
    let mut bytes = Vec::new();
    loop {
        match log.next().await {
            Ok(Some(chunk)) => bytes.extend(chunk),
            Ok(None) => return (bytes, None),
            Err(error) => return (bytes, Some(error)),
        }
    }
}

#[tokio::test]
async fn the_log_of_an_app_is_asked_for_as_wanted() {
    let (server, client) = scripted().await;
    let all = LogOptions {
        follow: true,
        tail: Some(0),
        since: Some("2026-01-01T00:00:00+02:00".to_owned()),
        timestamps: true,
        no_stdout: true,
        no_stderr: false,
    };
    for options in [LogOptions::default(), all, LogOptions { no_stderr: true, ..LogOptions::default() }] {
        assert_eq!(client.app_logs("web", &options).await.unwrap_err().code(), Some("not_found"));
    }
    assert_eq!(
        server.lines(),
        [
            "GET /api/apps/web/logs",
            "GET /api/apps/web/logs?follow=true&tail=0&since=2026-01-01T00%3A00%3A00%2B02%3A00&timestamps=true&stdout=false",
            "GET /api/apps/web/logs?stderr=false",
        ]
    );
    assert!(matches!(client.app_logs("..", &LogOptions::default()).await, Err(ClientError::ParseName(_))));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_log_comes_byte_for_byte_however_it_was_cut() {
    let (server, client) = scripted().await;
    server.on(
        "GET /api/apps/web/logs",
        Reply::Chunks(vec![b"web.0.1 | on", b"", b"e\nweb.1.1 | \xff\xc3", b"\xbc\n# gone"]),
    );
    let log = client.app_logs("web", &LogOptions::default()).await.unwrap();
    assert_eq!(log.gone_since(), None);
    let (bytes, error) = read(log).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(bytes, b"web.0.1 | one\nweb.1.1 | \xff\xc3\xbc\n# gone");
    server.on("GET /api/apps/silent/logs", Reply::Chunks(Vec::new()));
    let (bytes, error) = read(client.app_logs("silent", &LogOptions::default()).await.unwrap()).await;
    assert!(bytes.is_empty() && error.is_none(), "an app that wrote nothing has a log, too");
}

#[tokio::test]
async fn a_followed_log_is_there_while_it_goes_on() {
    let (server, client) = scripted().await;
    server.on("GET /api/apps/web/logs?follow=true", Reply::Endless(b"one\n"));
    let options = LogOptions { follow: true, ..LogOptions::default() };
    let mut log = client.app_logs("web", &options).await.unwrap();
    assert_eq!(log.next().await.unwrap().as_deref(), Some(&b"one\n"[..]));
    let more = log.next().now_or_never();
    assert!(more.is_none(), "it has neither ended nor broken off: {more:?}");
}

#[tokio::test]
async fn a_log_of_an_app_that_breaks_off_is_asked_for_once_and_said_to_be_broken() {
    let (server, client) = scripted().await;
    server.on("GET /api/apps/web/logs", Reply::BrokenAfter(b"web.0.1 | one\n"));
    let (bytes, error) = read(client.app_logs("web", &LogOptions::default()).await.unwrap()).await;
    assert!(matches!(error, Some(ClientError::ReadLog { .. })), "{error:?}");
    assert_eq!((bytes.as_slice(), server.asked().len()), (&b"web.0.1 | one\n"[..], 1), "nothing is told twice");
}

#[tokio::test]
async fn a_log_that_is_refused_has_no_beginning() {
    let (server, client) = scripted().await;
    server.refuse("GET /api/apps/web/logs", 403, "forbidden", "it is ann's");
    server.on("GET /api/apps/old/logs", Reply::Json(403, "<html>".to_owned()));
    let error = client.app_logs("web", &LogOptions::default()).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code(), error.to_string()),
        (Some(403), Some("forbidden"), "it is ann's".to_owned())
    );
    let error = client.app_logs("old", &LogOptions::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::ReadAnswer { .. }), "{error}");
}

#[tokio::test]
async fn statistics_are_asked_for_of_whom_one_wants() {
    let (server, client) = scripted().await;
    let empty = r#"{"at":"t","engines":[],"containers":[]}"#;
    server.json("GET /api/stats", empty).json("GET /api/stats?engine=host-1", empty);
    server.json("GET /api/stats/history?container=be%2Fef&since=10m", r#"{"series":[{"interval_s":15,"points":[]}]}"#);
    server.refuse("GET /api/stats/history", 400, "invalid", "say whose");
    assert_eq!(client.stats(&StatsQuery::All).await.unwrap().at, "t");
    assert!(client.stats(&StatsQuery::Engine("host-1".to_owned())).await.unwrap().engines.is_empty());
    let of = StatsQuery::Container("be/ef".to_owned());
    assert_eq!(client.stats_history(&of, Some("10m")).await.unwrap().series[0].interval_s, 15);
    assert_eq!(client.stats_history(&StatsQuery::All, None).await.unwrap_err().status(), Some(400));
    assert_eq!(client.stats(&of).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn statistics_come_one_by_one_until_the_end_or_a_fault() {
    let (server, client) = scripted().await;
    let line = "GET /api/stats/stream";
    let pieces: Vec<&[u8]> = vec![
        b": open\n\ndata: {\"at\":\"one\",\"engines\":[],\"cont",
        b"ainers\":[]}\n\ndata: {\"at\":\"two\",\"engines\":[],\"containers\":[]}\n\n",
        b"data: {\"at\":\"cut",
    ];
    server.on(line, Reply::Chunks(pieces));
    server.on(line, Reply::Chunks(vec![b"data: {\"at\":1}\n\n"]));
    server.on(line, Reply::BrokenAfter(b"data: {\"at\":\"one\",\"engines\":[],\"containers\":[]}\n\n"));
    let mut feed = client.follow_stats(&StatsQuery::All).await.unwrap();
    for at in ["one", "two"] {
        let (json, stats) = feed.next().await.unwrap().unwrap();
        assert!(stats.at == at && json.starts_with('{') && json.ends_with('}'), "{json}");
    }
    assert!(feed.next().await.unwrap().is_none(), "half of one is none");
    let mut feed = client.follow_stats(&StatsQuery::All).await.unwrap();
    assert!(matches!(feed.next().await, Err(ClientError::ReadAnswer { .. })));
    let mut feed = client.follow_stats(&StatsQuery::All).await.unwrap();
    assert_eq!(feed.next().await.unwrap().map(|(_, stats)| stats.at).as_deref(), Some("one"));
    assert!(matches!(feed.next().await, Err(ClientError::ReadLog { .. })));
}
