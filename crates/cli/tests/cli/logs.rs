//! What containers wrote.

use crate::scripted::Reply;
use crate::session::{Recorder, Session, app};
use clap::{CommandFactory, Parser};
use pierhead_cli::{Cli, Output, Terminals, execute};
use pierhead_client::{Change, Wait};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, sample};
use pierhead_wire::{AppChange, ContainerView, ImageDescription};

#[tokio::test]
async fn a_file_gets_the_bytes_of_one_container() {
    let session = Session::start().await;
    session.server.on("GET /api/containers/1111/logs", Reply::Chunks(vec![b"\x1b[1mone\n", b"tw", b"o"]));
    assert_eq!(session.run("container logs 1111").await.out, "\u{1b}[1mone\ntwo");
    assert_eq!(session.run("log 1111").await.out, "\u{1b}[1mone\ntwo");
}

#[tokio::test]
async fn a_terminal_gets_lines_that_it_does_not_obey() {
    let mut session = Session::start().await;
    session.terminals.stdout = true;
    let line = "GET /api/containers/1111/logs?follow=true&tail=5&timestamps=true&stderr=false";
    session.server.on(line, Reply::Chunks(vec![b"\x1b[1mo", b"ne\r\n\ttwo"]));
    let ran = session.run("logs 1111 -f --tail 5 -t --stdout").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "\\x1b[1mone\n\ttwo\n"));
}

#[tokio::test]
async fn the_flags_are_those_of_docker() {
    let session = Session::start().await;
    let line = "GET /api/containers/1111/logs";
    for (flags, query) in [
        ("", ""),
        ("--stdout --stderr --tail all", ""),
        ("-n 3 --stdout", "?tail=3&stderr=false"),
        ("--stderr --since 1970-01-02", "?since=1970-01-02T00%3A00%3A00.000Z&stdout=false"),
        ("--since 90 -t", "?since=1970-01-01T00%3A01%3A30.000Z&timestamps=true"),
    ] {
        session.server.on(&format!("{line}{query}"), Reply::Chunks(vec![b"x\n"]));
        let ran = session.run(&format!("logs 1111 {flags}")).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, "x\n"), "{flags}: {ran:?}");
    }
    let ran = session.run("logs 1111 --since 1h30m").await;
    assert_eq!(ran.code, 3, "{ran:?}");
    let asked = session.server.lines().pop().unwrap();
    assert!(asked.contains("?since=20"), "a span reaches back from now: {asked}");
}

#[tokio::test]
async fn an_app_shows_all_its_containers_with_their_slots() {
    let session = Session::start().await;
    session.server.json("GET /api/apps/web", app("web")).json("GET /api/apps/idle", app("idle"));
    let lines: Vec<&[u8]> =
        vec![b"web.2.1 a b\nweb.7.1", b" c\x1b[1m\nweb.2.1 \n# web.2.1 has ended\n", b"# web.9.1 is late\nweb.2.1 d"];
    session.server.on("GET /api/apps/web/logs", Reply::Chunks(lines));
    let ran = session.run("logs web").await;
    assert_eq!(ran.out, "a b\nslot 7 | c\u{1b}[1m\nslot 2 | \nslot 2 | d\n", "{ran:?}");
    assert_eq!(
        ran.err, "slot 9: container web.9.1 is late\n",
        "that a container ended is nothing to wait for: {ran:?}"
    );
    assert_eq!(session.run("logs idle").await.code, 3);
    assert_eq!(session.run("logs nobody").await.code, 3);
}

#[tokio::test]
async fn a_followed_app_that_breaks_off_goes_on_behind_its_last_lines() {
    let session = Session::start().await;
    session.server.json("GET /api/apps/web", app("web"));
    let log = "GET /api/apps/web/logs?follow=true";
    let first = b"web.0.1 2026-11-21T22:10:06.120000001Z one\nweb.1.1 2026-11-21T22:09:59Z two\nweb.0.1 2026-11-21T22:10:07Z th";
    session.server.on(&format!("{log}&tail=9&timestamps=true"), Reply::BrokenAfter(first));
    // From a minute before the newest line on: clocks of hosts differ.
    let rest: Vec<&[u8]> = vec![
        b"web.1.1 2026-11-21T22:09:58Z old\nweb.1.1 2026-11-21T22:09:59Z two\nweb.0.1 2026-11-21T22:10:06.120000001Z one\n",
        b"web.0.1 2026-11-21T22:10:07Z three\nweb.1.1 2026-11-21T22:10:00Z four\n# web.0.1 has ended\n",
    ];
    let since = format!("{log}&since=2026-11-21T22%3A09%3A06.120Z&timestamps=true");
    session.server.on(&since, Reply::Chunks(rest));
    let ran = session.run("logs web -f --tail 9").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "one\nslot 1 | two\nslot 0 | three\nslot 1 | four\n"), "{ran:?}");
    assert!(ran.err.contains("goes on where a controller answers"), "{ran:?}");
    assert!(ran.err.contains("slot 0: container web.0.1 has ended"), "{ran:?}");
}

#[tokio::test]
async fn nothing_in_an_apps_log_moves_a_terminals_cursor() {
    let mut session = Session::start().await;
    session.terminals.stdout = true;
    session.server.json("GET /api/apps/web", app("web"));
    let lines: Vec<&[u8]> = vec![
        b"web.0.1 one\xff\x1b[2J\r\nevil\x1b[31m two\x07\n",
        "# web.1.1 is \u{1b}[2Jlate\n# \u{9b}31mnobody's\n".as_bytes(),
        b"no-text\nweb.0.1 \n",
    ];
    session.server.on("GET /api/apps/web/logs", Reply::Chunks(lines));
    let ran = session.run("logs web").await;
    let expected = "one\u{fffd}\\x1b[2J\nslot evil\\x1b[31m | two\\x07\nslot 0 | \n";
    assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{ran:?}");
    assert_eq!(ran.err, "slot 1: container web.1.1 is \\x1b[2Jlate\n\\x9b31mnobody's\n");
}

#[tokio::test]
async fn an_apps_log_that_breaks_off_is_not_asked_for_again_unless_it_is_followed() {
    let session = Session::start().await;
    session.server.json("GET /api/apps/web", app("web"));
    session.server.on("GET /api/apps/web/logs", Reply::BrokenAfter(b"web.0.1 one\nweb.0.1 tw"));
    let ran = session.run("logs web").await;
    assert_eq!((ran.code, ran.out.as_str()), (6, "one\n"), "half a line is none: {ran:?}");
    assert!(ran.err.contains("hint: ask again; --since and --tail skip what you have seen"), "{ran:?}");
    let log = "GET /api/apps/web/logs?follow=true&timestamps=true";
    session.server.on(log, Reply::BrokenAfter(b"# web.0.1 is late\n"));
    session.server.refuse(log, 503, "no_leader", "wait").refuse(log, 404, "not_found", "there is no app web");
    let ran = session.run("logs web -f").await;
    assert!(ran.code == 3 && ran.err.contains("error: there is no app web"), "it was deleted meanwhile: {ran:?}");
    assert_eq!(session.server.lines().iter().filter(|line| *line == log).count(), 3);
}

#[tokio::test]
async fn a_time_that_is_none_asks_nothing_and_a_refusal_is_told_as_it_is() {
    let session = Session::start().await;
    for bad in ["yesterday", "-5m", "2026-13-01", "10parsecs"] {
        let ran = session.run(&format!("logs web --since={bad}")).await;
        assert!(ran.code == 2 && ran.err.contains(&format!("{bad:?} is not a time")), "{ran:?}");
        assert!(ran.err.contains("hint: --since 10m, --since 2026-11-21"), "{ran:?}");
    }
    assert!(session.server.asked().is_empty());
    session.server.refuse("GET /api/apps/web", 403, "forbidden", "web is ann's");
    let ran = session.run("logs web").await;
    assert!(ran.code == 5 && ran.err.contains("error: web is ann's"), "{ran:?}");
    assert_eq!(session.server.lines(), ["GET /api/apps/web"], "what is refused is not taken for a container");
    let ran = session.run("logs nobody --json").await;
    let told: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((ran.code, told["exit_code"].as_u64()), (3, Some(3)), "{ran:?}");
    assert!(told["message"].as_str().unwrap().contains("neither an app nor a container"), "{ran:?}");
}

#[tokio::test]
async fn a_log_that_breaks_off_says_so() {
    let session = Session::start().await;
    session.server.on("GET /api/containers/1111/logs", Reply::BrokenAfter(b"one\n"));
    let ran = session.run("logs 1111").await;
    assert_eq!((ran.code, ran.out.as_str()), (6, "one\n"));
    assert!(ran.err.contains("the log broke off") && ran.err.contains("--since"), "{}", ran.err);
}

#[tokio::test]
async fn a_followed_log_that_breaks_off_goes_on_behind_its_last_line() {
    let session = Session::start().await;
    let log = "GET /api/containers/1111/logs?follow=true";
    let first = b"2026-11-21T22:10:06.120000001Z one\n2026-11-21T22:10:06.120000002Z two\n2026-11-21T22:10:07.0Z th";
    session.server.on(&format!("{log}&timestamps=true"), Reply::BrokenAfter(first));
    // The host's clock counts, and it is asked for milliseconds.
    let rest = b"2026-11-21T22:10:06.120000002Z two\n2026-11-21T22:10:07.0Z three\n2026-11-21T22:10:08.0Z four\n";
    let since = format!("{log}&since=2026-11-21T22%3A10%3A06.120Z&timestamps=true");
    session.server.on(&since, Reply::Chunks(vec![rest]));
    let ran = session.run("logs 1111 -f").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "one\ntwo\nthree\nfour\n"), "{ran:?}");
    assert!(
        ran.err.contains("the log broke off") && ran.err.contains("it goes on where a controller answers"),
        "{ran:?}"
    );
}

/// `logs -f` of an app on a pool, while something happens to it; the answer is what it wrote.
async fn while_followed(cluster: &Cluster, script: impl AsyncFnOnce(&Recorder, &Recorder)) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let words = ["pierhead", "--config-dir", folder, "--url", cluster.url(), "--token", cluster.admin_token(), "logs"];
    let cli = Cli::parse_from(words.into_iter().chain(["web", "-f"]));
    let (out, err) = (Recorder::default(), Recorder::default());
    let input = Box::new(std::io::Cursor::new(""));
    let mut output = Output::new(Box::new(out.clone()), Box::new(err.clone()), input, Terminals::default());
    let followed = execute(cli.command, &cli.connection, Cli::command, &mut output);
    let (ended, ()) = tokio::join!(tokio::time::timeout(PATIENCE * 3, followed), script(&out, &err));
    ended.expect("it ends with the app").unwrap();
}

async fn says(recorder: &Recorder, text: &str) {
    eventually(PATIENCE, text, async || recorder.text().contains(text)).await;
}

/// The containers of the app that run now.
async fn containers(cluster: &Cluster) -> Vec<ContainerView> {
    let mut all = cluster.admin().containers(false).await.unwrap().into_value();
    all.sort_by_key(|container| container.slot);
    all
}

#[tokio::test]
async fn a_followed_app_shows_what_comes_later_and_says_what_ended() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    let to_the_end = || Change::new(Wait::UntilEnded);
    let first = cluster.run("web", 1, &sample()).await.remove(0);
    cluster.print(&first, "one");
    while_followed(&cluster, async |out, err| {
        says(out, "one\n").await;
        admin.scale_app("web", 2, &to_the_end()).await.unwrap();
        let second = containers(&cluster).await.remove(1);
        cluster.print(&second, "two");
        says(out, "slot 1 | two\n").await;
        cluster.print(&first, "three");
        says(out, "slot 0 | three\n").await;
        admin.destroy(&first.id, &to_the_end()).await.unwrap();
        says(err, "slot 0: container web.0.1 has ended\n").await;
        // A slot that is made anew.
        let image = ImageDescription { args: vec!["anew".to_owned()], ..sample() };
        admin.set_app("web", &AppChange { image, replicas: None }, &to_the_end()).await.unwrap();
        let anew = containers(&cluster).await.remove(0);
        assert_ne!(anew.id, second.id);
        cluster.print(&anew, "four");
        says(out, "slot 1 | four\n").await;
        says(err, "slot 1: container web.1.1 has ended\n").await;
        admin.delete_app("web", &to_the_end()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_followed_app_is_over_when_its_jobs_are() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    cluster.run("web", 2, &pierhead_testkit::job()).await;
    while_followed(&cluster, async |_, err| {
        says(err, "slot 0: container").await;
        says(err, "slot 1: container").await;
    })
    .await;
}
