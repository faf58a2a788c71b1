//! Nothing leaks: files, tasks and followers of engines are back where they were when everybody has gone.

use crate::raw::Sender;
use pierhead_engine::LogLine;
use pierhead_model::ContainerId;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, eventually_ok, sample};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How many watch at the same time, and how often all of them come and go.
const AT_ONCE: usize = 200;
const ROUNDS: usize = 50;

/// What an open log costs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Held {
    files: f64,
    tasks: f64,
    readers: f64,
    followers: usize,
}

async fn held(cluster: &Cluster, scraper: &Sender) -> Held {
    let page = scraper.get("/metrics").await.text;
    let value = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {page}"));
        line.trim().parse().unwrap()
    };
    Held {
        files: value("process_open_fds "),
        tasks: value("pierhead_tasks "),
        readers: value("pierhead_log_readers_open "),
        followers: cluster.hosts().map(|(_, host)| host.logs_open()).sum(),
    }
}

/// Follows a log until its first line has come.
async fn follow(address: &str, token: &str, id: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/containers/{id}/logs?follow=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.windows(5).any(|part| part == b"first") {
        let count = connection.read_buf(&mut seen).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
    }
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_viewers_leave_nothing_behind() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let containers = cluster.run("web", 4, &sample()).await;
    for container in &containers {
        let line = LogLine { is_stderr: false, bytes: b"first\n".to_vec() };
        cluster.host_named(&container.engine.id).print(&ContainerId::parse(&container.id).unwrap(), line).unwrap();
    }
    let scraper = Sender::nobody(&cluster).token(cluster.scrape_token());
    let address = cluster.url().strip_prefix("http://").unwrap().to_owned();
    let readers = || cluster.controller().measured().log_readers.count();
    let followers = || cluster.hosts().map(|(_, host)| host.logs_open()).sum::<usize>();
    drop(follow(&address, cluster.admin_token(), &containers[0].id).await);
    eventually(PATIENCE, "the first viewer is gone", async || readers() == 0 && followers() == 0).await;
    let before = held(&cluster, &scraper).await;
    for round in 0..ROUNDS {
        let all = (0..AT_ONCE).map(|viewer| follow(&address, cluster.admin_token(), &containers[viewer % 4].id));
        let open = futures_util::future::join_all(all).await;
        assert_eq!(readers(), AT_ONCE as u64, "round {round}");
        if round == 0 {
            let during = held(&cluster, &scraper).await;
            // Short tasks of the start, such as looks at new containers, may have ended since.
            let (files, tasks) = (during.files - before.files, during.tasks - before.tasks);
            assert!(files >= 200.0 && tasks >= 180.0, "{before:?} {during:?}");
            assert_eq!(during.followers, before.followers + AT_ONCE);
        }
        drop(open);
        eventually(PATIENCE, "all viewers are gone", async || readers() == 0).await;
    }
    let back = eventually_ok(PATIENCE, "everything is back where it was", async || {
        let now = held(&cluster, &scraper).await;
        let is_back = now.files <= before.files && now.tasks <= before.tasks && now.followers <= before.followers;
        if is_back { Ok(now) } else { Err(format!("{before:?} before, {now:?} now")) }
    });
    assert_eq!(back.await.readers, 0.0);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn so_many_logs_are_read_and_no_more() {
    use pierhead_controller::{MOST_LOG_READERS, measured::Open};
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let id = cluster.run("web", 1, &sample()).await.remove(0).id;
    let gauge = cluster.controller().measured().log_readers.clone();
    let mut held: Vec<Open> = (0..MOST_LOG_READERS).map(|_| gauge.open()).collect();
    let admin = Sender::admin(&cluster);
    let path = format!("/api/containers/{id}/logs");
    let refused = admin.get(&path).await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_many_log_readers"));
    assert!(refused.retry_after.is_some());
    held.pop();
    assert_eq!(admin.get(&path).await.status, 200);
}

#[tokio::test]
async fn nobody_shuts_others_out_of_the_logs() {
    use pierhead_controller::{MOST_LOG_READERS_OF_ONE, measured::Share};
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let run = ann.post("/api/containers?app=hers&count=1", &crate::raw::sample()).await.json();
    let path = format!("/api/containers/{}/logs", run[0]["id"].as_str().unwrap());
    let (shares, name) =
        (cluster.controller().measured().log_readers_of.clone(), pierhead_model::Username::parse("ann").unwrap());
    let most = MOST_LOG_READERS_OF_ONE;
    let mut held: Vec<Share> = (1..most).map(|_| shares.open_below(&name, most).unwrap()).collect();
    let follower = ann.open(&format!("{path}?follow=true")).await;
    let refused = ann.get(&path).await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_many_log_readers"));
    assert!(refused.retry_after.is_some() && refused.text.contains("200 logs"), "{refused:?}");
    assert_eq!(admin.get(&path).await.status, 200, "others go on");
    held.pop();
    assert_eq!(ann.get(&path).await.status, 200);
    drop(follower);
}
