//! Logs: which part is asked for, how they end, and what is kept of containers that are gone.

use crate::raw::{Answer, Sender};
use pierhead_client::LogOptions;
use pierhead_engine::{LogLine, Verb};
use pierhead_model::ContainerId;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, eventually_ok, sample};
use pierhead_wire::{ContainerView, parse_timestamp};
use std::time::Duration;

async fn cluster(hosts: usize) -> Cluster {
    Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await
}

fn print(cluster: &Cluster, container: &ContainerView, is_stderr: bool, text: &str) {
    let id = ContainerId::parse(&container.id).unwrap();
    let line = LogLine { is_stderr, bytes: text.as_bytes().to_vec() };
    cluster.host_named(&container.engine.id).print(&id, line).unwrap();
}

async fn run_one(cluster: &Cluster, app: &str) -> ContainerView {
    cluster.run(app, 1, &sample()).await.remove(0)
}

async fn destroy(cluster: &Cluster, id: &str) {
    let gone = Sender::admin(cluster).send("DELETE", &format!("/api/containers/{id}"), "").await;
    assert_eq!(gone.status, 204, "{gone:?}");
}

async fn log(sender: &Sender, id: &str, query: &str) -> Answer {
    sender.get(&format!("/api/containers/{id}/logs{query}")).await
}

#[tokio::test]
async fn what_is_asked_for_must_have_a_form() {
    let cluster = cluster(1).await;
    let id = run_one(&cluster, "web").await.id;
    let admin = Sender::admin(&cluster);
    for (query, field) in [
        ("?follow=maybe", "follow"),
        ("?tail=-1", "tail"),
        ("?tail=many", "tail"),
        ("?since=yesterday", "since"),
        ("?since=10", ""),
        ("?since=10m", ""),
        ("?since=1795299006.5", ""),
        ("?since=2026-11-21T22:10:06Z", ""),
        ("?until=later", "until"),
        ("?until=1m&follow=1", "until"),
        ("?timestamps=2", "timestamps"),
        ("?stdout=no", "stdout"),
        ("?stdout=false&stderr=false", "stdout"),
        ("?lines=5", "lines"),
    ] {
        let answer = log(&admin, &id, query).await;
        match field {
            "" => assert_eq!(answer.status, 200, "{query}: {answer:?}"),
            field => assert_eq!((answer.status, answer.refusal().field.as_deref()), (400, Some(field)), "{query}"),
        }
    }
}

#[tokio::test]
async fn the_last_lines_of_a_container_outlive_it() {
    let mut cluster = cluster(2).await;
    let container = run_one(&cluster, "web").await;
    for (is_stderr, text) in [(false, "one\n"), (true, "two\n"), (false, "three\n")] {
        print(&cluster, &container, is_stderr, text);
    }
    assert_eq!(log(&Sender::admin(&cluster), &container.id, "").await.gone_since, None);
    destroy(&cluster, &container.id).await;
    for _ in 0..2 {
        let admin = Sender::admin(&cluster);
        for (query, expected) in [
            ("", "one\ntwo\nthree\n"),
            ("?follow=true", "one\ntwo\nthree\n"),
            ("?tail=2", "two\nthree\n"),
            ("?stderr=true", "two\n"),
            ("?since=1h", "one\ntwo\nthree\n"),
            ("?since=4000000000", ""),
            ("?until=1h", ""),
        ] {
            let answer = log(&admin, &container.id, query).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, expected), "{query}");
            assert!(parse_timestamp(answer.gone_since.as_deref().unwrap()).is_some(), "{answer:?}");
        }
        let stamped = log(&admin, &container.id[..12], "?timestamps=true&tail=1").await;
        let (stamp, line) = stamped.text.split_once(' ').unwrap();
        assert!(parse_timestamp(stamp).is_some() && line == "three\n", "{stamped:?}");
        assert_eq!(log(&admin, &container.id, "?tail=x").await.status, 400);
        cluster.stop().await;
        cluster.restart().await;
    }
    let mut stream = cluster.admin().logs(&container.id, &LogOptions::default()).await.unwrap();
    assert!(stream.gone_since().is_some());
    assert_eq!(stream.next().await.unwrap().unwrap(), b"one\n");
}

#[tokio::test]
async fn what_was_somebodys_log_stays_theirs() {
    let cluster = cluster(1).await;
    let (ann, bob) = (Sender::user(&cluster, "ann").await, Sender::user(&cluster, "bob").await);
    let made = ann.post("/api/containers?app=hers&count=1", &crate::raw::sample()).await.json();
    let container: ContainerView = serde_json::from_value(made[0].clone()).unwrap();
    print(&cluster, &container, false, "canary-77c1\n");
    assert_eq!(ann.send("DELETE", "/api/apps/hers", "").await.status, 204);
    let refused = log(&bob, &container.id, "").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (403, "forbidden"));
    assert!(!refused.text.contains("canary-77c1"));
    for reader in [&ann, &Sender::admin(&cluster)] {
        let answer = log(reader, &container.id, "").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "canary-77c1\n"), "also when the app is gone");
    }
}

#[tokio::test]
async fn a_removal_does_not_wait_for_a_log_that_does_not_come() {
    let call_deadline = Duration::from_secs(600);
    let cluster = Cluster::start(ClusterOptions { hosts: 1, call_deadline, ..ClusterOptions::default() }).await;
    let container = run_one(&cluster, "web").await;
    print(&cluster, &container, false, "one\n");
    cluster.host(0).delay(Verb::Logs, Duration::from_secs(500));
    destroy(&cluster, &container.id).await;
    assert_eq!(log(&Sender::admin(&cluster), &container.id, "").await.status, 404);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn of_what_a_lost_host_took_along_there_is_no_log() {
    let cluster = cluster(2).await;
    let container = run_one(&cluster, "web").await;
    print(&cluster, &container, false, "one\n");
    cluster.host_named(&container.engine.id).unreachable();
    let admin = Sender::admin(&cluster);
    let missing = eventually_ok(PATIENCE, "its place is taken", async || {
        let answer = log(&admin, &container.id, "").await;
        if answer.status == 404 { Ok(answer) } else { Err(format!("{answer:?}")) }
    });
    let refusal = missing.await.refusal();
    assert!(refusal.message.contains("not if its host failed"), "{refusal:?}");
    let never = log(&admin, "0123456789ab", "").await.refusal();
    assert!(never.code == "not_found" && never.message.contains("last lines are kept"), "{never:?}");
}

#[tokio::test]
async fn a_followed_log_ends_with_its_container() {
    let cluster = cluster(1).await;
    let container = run_one(&cluster, "web").await;
    print(&cluster, &container, false, "one\n");
    let follow = LogOptions { follow: true, ..LogOptions::default() };
    let mut stream = cluster.admin().logs(&container.id, &follow).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), b"one\n");
    assert_eq!(cluster.controller().measured().log_readers.count(), 1);
    print(&cluster, &container, true, "two\n");
    assert_eq!(stream.next().await.unwrap().unwrap(), b"two\n");
    destroy(&cluster, &container.id).await;
    assert_eq!(stream.next().await.unwrap(), None, "it ends, and nothing is wrong");
    eventually(PATIENCE, "nobody reads", async || cluster.controller().measured().log_readers.count() == 0).await;
}

#[tokio::test]
async fn only_so_much_is_kept() {
    let mut options = ClusterOptions { hosts: 1, ..ClusterOptions::default() };
    (options.controller.gone_logs.bytes, options.controller.gone_logs.count) = (200, 2);
    let cluster = Cluster::start(options).await;
    let admin = Sender::admin(&cluster);
    let containers = cluster.run("web", 3, &sample()).await;
    for container in &containers {
        for n in 0..50 {
            print(&cluster, container, false, &format!("line {n}\n"));
        }
        destroy(&cluster, &container.id).await;
    }
    assert_eq!(log(&admin, &containers[0].id, "").await.status, 404, "only the newest two");
    for container in &containers[1..] {
        let kept = log(&admin, &container.id, "").await.text;
        assert!(kept.len() < 200 && kept.ends_with("line 48\nline 49\n"), "{kept}");
    }
}
