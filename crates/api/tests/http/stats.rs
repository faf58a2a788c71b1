//! What hosts and containers use: as it is asked for, as it changes, and as it was.

use crate::raw::Sender;
use pierhead_client::StatsQuery;
use pierhead_controller::{Heard, HostBeat, HostLoad};
use pierhead_engine::{Usage, Verb};
use pierhead_model::{ContainerId, EngineId};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, eventually_ok, sample};
use pierhead_wire::{ContainerStatsView, ContainerView, StatsPointView, StatsView, parse_timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn cluster(hosts: usize) -> Cluster {
    Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await
}

/// A container that uses half a core, 3 MiB of 32, and some of everything else.
async fn busy(cluster: &Cluster, app: &str) -> ContainerView {
    let container = cluster.run(app, 1, &sample()).await.remove(0);
    let (host, id) = (cluster.host_named(&container.engine.id), ContainerId::parse(&container.id).unwrap());
    host.set_usage(&id, Usage { memory_bytes: 3 << 20, memory_limit: 32 << 20, ..Usage::default() }).unwrap();
    let growth = Usage {
        cpu_nanos: 500_000_000,
        rx_bytes: 1_000,
        tx_bytes: 2_000,
        read_bytes: 3_000,
        write_bytes: 4_000,
        ..Usage::default()
    };
    host.set_growth(&id, growth).unwrap();
    container
}

fn is_near(figure: f64, expected: f64) -> bool {
    (figure - expected).abs() <= expected / 10.0
}

fn check(seen: &ContainerStatsView, container: &ContainerView) {
    assert_eq!((&seen.id, &seen.engine), (&container.id, &container.engine.id));
    assert_eq!(format!("/{}", seen.name), container.name);
    assert!(is_near(seen.cpu_cores, 0.5) && seen.memory_bytes == 3 << 20 && seen.memory_limit == 32 << 20, "{seen:?}");
    let rates = [seen.rx_bytes_s, seen.tx_bytes_s, seen.read_bytes_s, seen.write_bytes_s];
    assert!(rates.iter().zip([1e3, 2e3, 3e3, 4e3]).all(|(rate, wanted)| is_near(*rate as f64, wanted)), "{seen:?}");
}

async fn stats(cluster: &Cluster, of: &StatsQuery) -> StatsView {
    cluster.admin().stats(of).await.unwrap().into_value()
}

/// What is told, once so many busy containers are told as they are: one that was read before its use grew seems to use
/// less until its next turn.
async fn told(cluster: &Cluster, busy: usize) -> StatsView {
    let told = eventually_ok(2 * PATIENCE, "all were read twice", async || {
        let all = stats(cluster, &StatsQuery::All).await;
        let used: f64 = all.engines.iter().map(|engine| engine.cpu_cores).sum();
        let is_told = all.engines.len() == cluster.hosts().count() && all.containers.len() == busy;
        let is_known = all.containers.iter().all(|seen| is_near(seen.cpu_cores, 0.5));
        if is_told && is_known && is_near(used, busy as f64 / 2.0) { Ok(all) } else { Err(format!("{all:?}")) }
    });
    told.await
}

#[tokio::test]
async fn what_runs_is_told_without_anybody_looking() {
    let cluster = cluster(2).await;
    let web = busy(&cluster, "web").await;
    let all = told(&cluster, 1).await;
    check(&all.containers[0], &web);
    let age = cluster.controller().clock().now().since(parse_timestamp(&all.at).unwrap());
    assert!(age < 5_000, "{age}");
    for engine in &all.engines {
        assert_eq!((engine.measured.as_str(), engine.cpu_total, engine.memory_total), ("containers", 4.0, 8 << 30));
        let expected = if engine.id == web.engine.id { 0.5 } else { 0.0 };
        assert!(is_near(engine.cpu_cores, expected), "{engine:?}");
    }
    assert!(cluster.hosts().all(|(_, host)| host.calls(Verb::Stats) == 0), "nobody looks, so nothing streams");
    let of_it = stats(&cluster, &StatsQuery::Container(web.id[..12].to_owned())).await;
    assert_eq!((of_it.engines.len(), of_it.containers.len()), (0, 1));
    for (id, expected) in [("host-1", 0), ("host-2", 0)].map(|(id, _)| (id, usize::from(id == web.engine.id))) {
        let of_host = stats(&cluster, &StatsQuery::Engine(id.to_owned())).await;
        assert_eq!((of_host.engines.len(), of_host.engines[0].id.as_str()), (1, id));
        assert_eq!(of_host.containers.len(), expected, "{id}");
    }
    // One that was stopped uses nothing, and is not told.
    let admin = Sender::admin(&cluster);
    assert_eq!(admin.post(&format!("/api/containers/{}/stop", web.id), "").await.status, 204);
    eventually(PATIENCE, "it is gone", async || stats(&cluster, &StatsQuery::All).await.containers.is_empty()).await;
}

#[tokio::test]
async fn one_stream_of_an_engine_serves_all_who_look() {
    let cluster = cluster(1).await;
    let (web, db) = (busy(&cluster, "web").await, busy(&cluster, "db").await);
    let host = cluster.host(0);
    let client = cluster.admin();
    told(&cluster, 2).await;
    let mut feeds = Vec::new();
    for _ in 0..5 {
        feeds.push(client.follow_stats(&StatsQuery::Container(web.id.clone())).await.unwrap());
    }
    for feed in &mut feeds {
        let (json, first) = feed.next().await.unwrap().unwrap();
        assert!(json.contains("\"engines\":[]") && first.engines.is_empty(), "the first comes at once: {json}");
        let mut moments = Vec::new();
        while moments.len() < 3 {
            let (_, told) = tokio::time::timeout(PATIENCE, feed.next()).await.expect("in time").unwrap().unwrap();
            if let [seen] = &told.containers[..] {
                check(seen, &web);
                moments.push(parse_timestamp(&told.at).unwrap().0);
            }
        }
        assert!(moments.is_sorted() && moments[2] - moments[0] >= 500, "{moments:?}");
    }
    assert_eq!((host.calls(Verb::Stats), host.stats_open()), (1, 1), "of what nobody looks at there is none");
    assert_eq!(cluster.controller().statistics_load(), (5, 1));
    let mut all = client.follow_stats(&StatsQuery::Engine("host-1".to_owned())).await.unwrap();
    eventually(PATIENCE, "the host is looked at", async || host.stats_open() == 2).await;
    let both = async {
        loop {
            let (_, told) = all.next().await.unwrap().unwrap();
            if told.containers.len() == 2 && told.engines.iter().any(|engine| engine.cpu_cores > 0.9) {
                return told;
            }
        }
    };
    let both = tokio::time::timeout(PATIENCE, both).await.expect("both are told");
    assert!(both.containers.iter().any(|seen| seen.id == db.id), "{both:?}");
    drop((all, feeds));
    eventually(PATIENCE, "nobody looks", async || cluster.controller().statistics_load().0 == 0).await;
    assert_eq!(host.calls(Verb::Stats), 2, "and each was opened once");
}

/// Where what is told of a container's or host's second begins.
fn cores(points: &[StatsPointView]) -> Vec<f64> {
    points.iter().map(|point| point.cpu_cores).collect()
}

#[tokio::test]
async fn a_history_has_gaps_where_nothing_was_read() {
    let cluster = cluster(1).await;
    let web = busy(&cluster, "web").await;
    let of_web = StatsQuery::Container(web.id.clone());
    let client = cluster.admin();
    let fine = async |of: &StatsQuery| {
        let history = client.stats_history(of, Some("5m")).await.unwrap().into_value();
        assert_eq!(history.series.iter().map(|series| series.interval_s).collect::<Vec<_>>(), [1, 15]);
        history.series.into_iter().next().unwrap().points
    };
    let mut feed = client.follow_stats(&of_web).await.unwrap();
    let points = eventually_ok(PATIENCE, "three seconds are kept", async || {
        let points = fine(&of_web).await;
        if points.len() >= 3 { Ok(points) } else { Err(format!("{points:?}")) }
    });
    let points = points.await;
    assert!(cores(&points).iter().all(|cores| is_near(*cores, 0.5)), "{points:?}");
    // The engine hangs for a while: no errors, no made up figures.
    cluster.host(0).hang();
    let last = points.last().unwrap().at.clone();
    let empty = async {
        // Each second, so that it hangs for several.
        let mut empty = 0;
        while empty < 5 {
            let (_, told) = feed.next().await.unwrap().expect("the stream goes on");
            empty += usize::from(told.containers.is_empty());
        }
    };
    tokio::time::timeout(PATIENCE, empty).await.expect("what is old is not told as the present");
    cluster.host(0).resume();
    let after = eventually_ok(PATIENCE, "it is read again", async || {
        let points = fine(&of_web).await;
        let newest = points.last().unwrap().clone();
        if parse_timestamp(&newest.at) > parse_timestamp(&last).map(|at| at.plus(3_000)) {
            Ok(points)
        } else {
            Err(format!("{newest:?}"))
        }
    });
    let after = after.await;
    let moments: Vec<u64> = after.iter().map(|point| parse_timestamp(&point.at).unwrap().0 / 1_000).collect();
    assert!(moments.windows(2).all(|pair| pair[0] < pair[1]), "{moments:?}");
    assert!(moments.windows(2).any(|pair| pair[1] - pair[0] > 1), "there is a gap: {moments:?}");
    assert!(cores(&after).iter().all(|cores| is_near(*cores, 0.5)), "{after:?}");
    assert!(!fine(&StatsQuery::Engine("host-1".to_owned())).await.is_empty());
    let none = client.stats_history(&of_web, Some("0s")).await.unwrap().into_value();
    assert!(none.series.iter().all(|series| series.points.is_empty()), "{none:?}");
}

#[tokio::test]
async fn an_agent_tells_of_the_whole_host() {
    let cluster = cluster(1).await;
    let id = EngineId::parse("host-1").unwrap();
    let load = Some(HostLoad { cpu_permille: 250, memory_available: 6 << 30 });
    let engine = eventually_ok(PATIENCE, "its word counts", async || {
        cluster.controller().hear(&id, Heard::Beat(HostBeat { load, ..HostBeat::default() }));
        let engine = stats(&cluster, &StatsQuery::All).await.engines.pop().ok_or("no host")?;
        if engine.measured == "host" { Ok(engine) } else { Err(format!("{engine:?}")) }
    });
    let engine = engine.await;
    assert!((engine.cpu_cores - 1.0).abs() < 1e-9 && engine.memory_bytes == 2 << 30, "{engine:?}");
    let of_host = cluster.admin().stats_history(&StatsQuery::Engine("host-1".to_owned()), None).await.unwrap();
    assert!(!of_host.into_value().series[0].points.is_empty(), "by the second, although nobody looks");
}

#[tokio::test]
async fn what_is_asked_for_must_be_there() {
    let cluster = cluster(1).await;
    let web = busy(&cluster, "web").await;
    let admin = Sender::admin(&cluster);
    let before = cluster.controller().statistics_load();
    for route in ["/api/stats", "/api/stats/stream", "/api/stats/history"] {
        for (query, status, code, field) in [
            ("?engine=host-9".to_owned(), 404, "not_found", None),
            ("?engine=%00".to_owned(), 404, "not_found", None),
            ("?container=00000000beef".to_owned(), 404, "not_found", None),
            (format!("?container={}&engine=host-1", web.id), 400, "invalid", Some("container")),
            ("?app=web".to_owned(), 400, "invalid", Some("app")),
        ] {
            let refusal = admin.get(&format!("{route}{query}")).await;
            let found = (refusal.status, refusal.refusal().code, refusal.refusal().field);
            assert_eq!(found, (status, code.to_owned(), field.map(str::to_owned)), "{route}{query}");
        }
    }
    for (query, field) in [("", "container"), ("?engine=", "container"), ("?engine=host-1&since=then", "since")] {
        let refusal = admin.get(&format!("/api/stats/history{query}")).await;
        assert_eq!((refusal.status, refusal.refusal().field.as_deref()), (400, Some(field)), "{query}");
    }
    assert_eq!(cluster.controller().statistics_load(), before, "nobody looks");
    // Whoever may list containers may see what those of others use.
    let (ann, nobody) = (Sender::user(&cluster, "ann").await, Sender::nobody(&cluster));
    assert_eq!(ann.get(&format!("/api/stats/history?container={}", web.id)).await.status, 200);
    assert_eq!(nobody.get("/api/stats").await.status, 401);
    assert_eq!(admin.post("/api/roles", r#"{"name":"blind","permissions":["read-engines"]}"#).await.status, 204);
    assert_eq!(admin.send("PUT", "/api/account/ann", r#"{"role":{"name":"blind"}}"#).await.status, 204);
    for route in ["/api/stats", "/api/stats/stream", "/api/stats/history?engine=host-1"] {
        assert_eq!(ann.get(route).await.status, 403, "{route}");
    }
}

/// How many look at the same time, and how often all of them come and go.
const AT_ONCE: usize = 250;
const ROUNDS: usize = 4;

/// Looks until the first event has come.
async fn look(address: &str, token: &str, query: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/stats/stream{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.windows(12).any(|part| part == b"event: stats") {
        let count = connection.read_buf(&mut seen).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
    }
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_viewers_leave_nothing_behind() {
    let cluster = cluster(2).await;
    let web = busy(&cluster, "web").await;
    let scraper = Sender::nobody(&cluster).token(cluster.scrape_token());
    let held = async || {
        let page = scraper.get("/metrics").await.text;
        let value = |name: &str| page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        let [files, tasks] = ["process_open_fds ", "pierhead_tasks "].map(|name| value(name).expect("it is measured"));
        (files, tasks, value("pierhead_stats_viewers_open ").expect("it is measured"))
    };
    let address = cluster.url().strip_prefix("http://").unwrap().to_owned();
    let viewers = || cluster.controller().statistics_load().0;
    // The streams of the engine outlive those who look by a while: they are there before and after.
    let kept = look(&address, cluster.admin_token(), "").await;
    let host = cluster.host_named(&web.engine.id);
    eventually(PATIENCE, "the engine streams", async || host.stats_open() == 1).await;
    let before = held().await;
    for round in 0..ROUNDS {
        let queries = ["".to_owned(), "?engine=host-1".to_owned(), format!("?container={}", web.id)];
        let all = (0..AT_ONCE).map(|viewer| look(&address, cluster.admin_token(), &queries[viewer % 3]));
        let open = futures_util::future::join_all(all).await;
        assert_eq!((viewers(), host.stats_open()), (AT_ONCE + 1, 1), "round {round}");
        drop(open);
        eventually(PATIENCE, "all viewers are gone", async || viewers() == 1).await;
    }
    let back = eventually_ok(PATIENCE, "everything is back where it was", async || {
        let now = held().await;
        let is_back = now.0 <= before.0 && now.1 <= before.1 && now.2 == 1.0;
        if is_back { Ok(()) } else { Err(format!("{before:?} before, {now:?} now")) }
    });
    back.await;
    assert_eq!(host.calls(Verb::Stats), 1, "one stream for all of them");
    drop(kept);
}
