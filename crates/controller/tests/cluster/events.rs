//! The event log: what people did and what engines told, each once, in one order.

use crate::asking::to_the_end;
use pierhead_client::{EventFeed, EventQuery, Verb};
use pierhead_controller::Options;
use pierhead_model::Resources;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, quick, sample};
use pierhead_wire::EventView;
use std::collections::BTreeSet;
use std::time::Duration;

fn of(engine: &str) -> EventQuery {
    EventQuery {
        count: Some(10_000),
        engine: Some(engine.to_owned()),
        tag: Some("docker".to_owned()),
        ..EventQuery::default()
    }
}

async fn find(cluster: &Cluster, query: &EventQuery) -> Vec<EventView> {
    cluster.admin().find_events(query).await.unwrap().into_value()
}

/// The types of Docker's events of one container, oldest first.
async fn told(cluster: &Cluster, container: &str) -> Vec<String> {
    let query =
        EventQuery { container: Some(container.to_owned()), tag: Some("DOCKER".to_owned()), ..EventQuery::default() };
    find(cluster, &query).await.into_iter().rev().map(|event| event.kind).collect()
}

async fn eventually_told(cluster: &Cluster, container: &str, expected: &[&str]) {
    eventually(PATIENCE, "the events are logged", async || told(cluster, container).await == expected).await;
}

async fn gaps(cluster: &Cluster) -> Vec<EventView> {
    find(cluster, &EventQuery { kind: Some("gap".to_owned()), ..EventQuery::default() }).await
}

async fn one_host() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await
}

async fn next(feed: &mut EventFeed) -> EventView {
    tokio::time::timeout(PATIENCE, feed.next()).await.expect("in time").unwrap().expect("no end").1
}

#[tokio::test]
async fn events_of_engines_hold_whole_objects() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    eventually_told(&cluster, theirs.as_str(), &["create", "start"]).await;
    let image =
        pierhead_wire::ImageDescription { environment: [("KEY".to_owned(), "canary-1".to_owned())].into(), ..sample() };
    let made = cluster.run("web", 1, &image).await;
    eventually_told(&cluster, &made[0].id, &["create", "start"]).await;
    let all = find(&cluster, &EventQuery { count: Some(1_000), ..EventQuery::default() }).await;
    assert!(!format!("{all:?}").contains("canary-1"));
    let start = all.iter().find(|event| event.kind == "start" && event.app.as_deref() == Some("web")).unwrap();
    let container = start.container.as_ref().unwrap();
    assert_eq!(container["id"], made[0].id);
    assert_eq!(container["state"], "running");
    assert_eq!(container["image"]["environment"]["KEY"], "(hidden)");
    assert_eq!(container["engine"]["id"], "host-1");
    let engine = start.engine.as_ref().unwrap();
    assert_eq!((&engine["id"], &engine["health"]["status"]), (&"host-1".into(), &"healthy".into()));
    assert_eq!((start.tags.as_slice(), start.actor.as_deref()), (["Docker".to_owned()].as_slice(), None));
    let added = all.iter().find(|event| event.kind == "add-engine").unwrap();
    assert_eq!(added.engine.as_ref().unwrap()["health"]["status"], "pending");
    assert!(gaps(&cluster).await.is_empty());
}

#[tokio::test]
async fn verbs_tell_of_the_container_as_it_was() {
    let cluster = one_host().await;
    let made = cluster.run("web", 1, &sample()).await;
    cluster.admin().act(&made[0].id, Verb::Stop, &to_the_end()).await.unwrap();
    let query = EventQuery { kind: Some("stop-container".to_owned()), ..EventQuery::default() };
    let stops = find(&cluster, &query).await;
    assert_eq!(stops.len(), 1);
    let container = stops[0].container.as_ref().unwrap();
    assert_eq!((&container["id"], &container["state"]), (&made[0].id.clone().into(), &"running".into()));
    assert_eq!(stops[0].actor.as_deref(), Some("admin"));
    eventually_told(&cluster, &made[0].id, &["create", "start", "kill", "die", "stop"]).await;
    cluster.admin().remove_engine("host-1").await.unwrap();
    let query = EventQuery { kind: Some("delete-engine".to_owned()), ..EventQuery::default() };
    assert_eq!(find(&cluster, &query).await[0].engine.as_ref().unwrap()["health"]["status"], "healthy");
}

#[tokio::test]
async fn a_broken_stream_loses_and_doubles_nothing() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    let mut expected = vec!["create", "start"];
    for _ in 0..5 {
        eventually_told(&cluster, theirs.as_str(), &expected).await;
        cluster.host(0).break_events();
        for status in ["top", "resize", "top"] {
            cluster.host(0).happen(&theirs, status);
            expected.push(status);
        }
    }
    eventually_told(&cluster, theirs.as_str(), &expected).await;
    assert!(gaps(&cluster).await.is_empty());
}

#[tokio::test]
async fn a_new_controller_goes_on_where_the_former_was_killed() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    let mut expected = vec!["create", "start"];
    eventually_told(&cluster, theirs.as_str(), &expected).await;
    for _ in 0..3 {
        // Some of these are logged by the one, the others by the next.
        for _ in 0..30 {
            cluster.host(0).happen(&theirs, "top");
        }
        expected.extend(["top"; 30]);
        cluster.crash().await;
        cluster.host(0).happen(&theirs, "resize");
        expected.push("resize");
        cluster.restart().await;
        cluster.all_healthy().await;
        eventually(PATIENCE, "the events are logged", async || {
            told(&cluster, theirs.as_str()).await.len() >= expected.len().min(100)
        })
        .await;
    }
    let query = EventQuery { container: Some(theirs.to_string()), ..of("host-1") };
    eventually(PATIENCE, "all of them", async || find(&cluster, &query).await.len() == expected.len()).await;
    let kinds: Vec<String> = find(&cluster, &query).await.into_iter().rev().map(|event| event.kind).collect();
    assert_eq!(kinds, expected);
    assert!(gaps(&cluster).await.is_empty());
}

#[tokio::test]
async fn what_the_engine_no_longer_has_is_recorded_as_a_gap() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    eventually_told(&cluster, theirs.as_str(), &["create", "start"]).await;
    cluster.host(0).unreachable();
    cluster.host(0).exit(&theirs, 1).unwrap();
    cluster.host(0).forget_events();
    cluster.host(0).reachable();
    eventually(PATIENCE, "the gap is recorded", async || !gaps(&cluster).await.is_empty()).await;
    let gap = gaps(&cluster).await.remove(0);
    assert!(gap.message.starts_with("engine=host-1, from=20"), "{}", gap.message);
    assert_eq!(gap.engine.unwrap()["id"], "host-1");
    cluster.host(0).happen(&theirs, "top");
    eventually_told(&cluster, theirs.as_str(), &["create", "start", "top"]).await;
    assert_eq!(gaps(&cluster).await.len(), 1, "once");
}

#[tokio::test]
async fn a_stream_that_is_silent_is_found_out_by_a_listing() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    eventually_told(&cluster, theirs.as_str(), &["create", "start"]).await;
    cluster.host(0).silence_events(true);
    cluster.host(0).exit(&theirs, 1).unwrap();
    eventually_told(&cluster, theirs.as_str(), &["create", "start", "die"]).await;
    assert!(gaps(&cluster).await.is_empty(), "the engine told it again");
    cluster.host(0).vanish(&theirs);
    cluster.host(0).forget_events();
    eventually(PATIENCE, "the gap is recorded", async || !gaps(&cluster).await.is_empty()).await;
}

#[tokio::test]
async fn health_checks_do_not_flood_the_log() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    eventually_told(&cluster, theirs.as_str(), &["create", "start"]).await;
    for _ in 0..100 {
        cluster.host(0).happen(&theirs, "exec_start: /bin/check --password canary-2");
    }
    cluster.host(0).happen(&theirs, "top");
    let query = EventQuery { kind: Some("top".to_owned()), ..of("host-1") };
    eventually(PATIENCE, "the last is logged", async || !find(&cluster, &query).await.is_empty()).await;
    let execs = EventQuery { kind: Some("exec_start".to_owned()), ..of("host-1") };
    assert_eq!(find(&cluster, &execs).await.len(), 60);
    cluster.host(0).break_events();
    eventually(PATIENCE, "it is said how many are left out", async || {
        gaps(&cluster).await.iter().any(|gap| gap.message.contains("40 exec events left out"))
    })
    .await;
    let all = find(&cluster, &EventQuery { count: Some(1_000), ..EventQuery::default() }).await;
    assert!(!format!("{all:?}").contains("canary-2"));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let cluster = one_host().await;
    cluster.run("web", 1, &sample()).await;
    cluster.user("clare").await;
    let any = EventQuery { count: Some(1_000), ..EventQuery::default() };
    let kinds = |events: Vec<EventView>| events.into_iter().map(|event| event.kind).collect::<BTreeSet<_>>();
    let only = async |query: EventQuery| kinds(find(&cluster, &query).await);
    assert_eq!(
        only(EventQuery { kind: Some("add-account".into()), ..any.clone() }).await,
        ["add-account".to_owned()].into()
    );
    let secure = only(EventQuery { tag: Some("SECURITY".into()), ..any.clone() }).await;
    assert!(secure.contains("add-account") && !secure.contains("run-container"), "{secure:?}");
    assert!(only(EventQuery { app: Some("web".into()), ..any.clone() }).await.contains("run-container"));
    assert!(only(EventQuery { app: Some("other".into()), ..any.clone() }).await.is_empty());
    assert!(only(EventQuery { actor: Some("admin".into()), ..any.clone() }).await.contains("add-engine"));
    assert!(
        only(EventQuery { actor: Some("clare".into()), ..any.clone() })
            .await
            .is_disjoint(&["run-container".to_owned()].into())
    );
    assert!(only(EventQuery { until: Some("2020-01-01T00:00:00Z".into()), ..any.clone() }).await.is_empty());
    assert!(only(EventQuery { since: Some("2999-01-01T00:00:00Z".into()), ..any.clone() }).await.is_empty());

    let all = find(&cluster, &any).await;
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    let middle = &all[all.len() / 2];
    let later = find(&cluster, &EventQuery { since: Some(middle.id.clone()), ..any.clone() }).await;
    let ids: BTreeSet<String> = later.iter().map(|event| event.id.clone()).collect();
    assert!(all.iter().take(all.len() / 2).all(|event| ids.contains(&event.id)) && !ids.contains(&middle.id));
    assert_eq!(find(&cluster, &EventQuery { count: Some(3), ..EventQuery::default() }).await.len(), 3);
    for bad in ["yesterday", "XYZ", "2026-13-01T00:00:00Z"] {
        let refused = cluster.admin().find_events(&EventQuery { since: Some(bad.into()), ..any.clone() }).await;
        assert_eq!(refused.unwrap_err().status(), Some(400), "{bad}");
    }
}

#[tokio::test]
async fn a_feed_resumes_without_loss() {
    let mut cluster = one_host().await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    eventually_told(&cluster, theirs.as_str(), &["create", "start"]).await;
    let query = EventQuery { kind: Some("top".to_owned()), ..EventQuery::default() };
    let mut feed = cluster.admin().follow_events(&query, None).await.unwrap();
    cluster.host(0).happen(&theirs, "top");
    let mut seen = vec![next(&mut feed).await.id];
    for round in 0..4 {
        drop(feed);
        for _ in 0..20 {
            cluster.host(0).happen(&theirs, "top");
        }
        if round == 2 {
            eventually(PATIENCE, "they are logged", async || {
                find(&cluster, &EventQuery { count: Some(1_000), ..query.clone() }).await.len() == 61
            })
            .await;
            cluster.crash().await;
            cluster.restart().await;
        }
        feed = cluster.admin().follow_events(&query, seen.last().map(String::as_str)).await.unwrap();
        for _ in 0..20 {
            seen.push(next(&mut feed).await.id);
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "in order, each once");
    assert_eq!(seen.len(), 81);
}

#[tokio::test]
async fn many_watchers_see_everything_and_a_slow_one_holds_nobody_up() {
    const EVENTS: usize = 6_000;
    let cluster = one_host().await;
    let controller = cluster.controller().clone();
    let query = EventQuery { kind: Some("tick".to_owned()), ..EventQuery::default() };
    let mut slow = cluster.admin().follow_events(&query, None).await.unwrap();
    let mut watchers = Vec::new();
    for _ in 0..200 {
        let filter = pierhead_controller::EventFilter { kind: Some("tick".to_owned()), ..Default::default() };
        let mut stream = controller.watch_events(filter).await.unwrap();
        watchers.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < EVENTS {
                seen.extend(stream.next().await.unwrap().iter().map(|logged| logged.event.message.clone()));
            }
            seen
        }));
    }
    let mut written = Vec::new();
    for batch in 0..EVENTS / 50 {
        let mut transaction = pierhead_store::Transaction::new();
        for number in 0..50 {
            let message = format!("{:06}", batch * 50 + number);
            written.push(message.clone());
            let tag = pierhead_model::EventTag::Cluster;
            transaction = controller.with_event(transaction, "tick", message, tag, None).unwrap();
        }
        controller.store().commit(transaction).await.unwrap();
    }
    for watcher in watchers {
        let seen = tokio::time::timeout(PATIENCE * 3, watcher).await.expect("in time").unwrap();
        assert!(seen == written, "each once, in order");
    }
    // The slow one comes now: what is no longer in memory it reads from the log.
    for message in &written {
        assert_eq!(next(&mut slow).await.message, *message);
    }
}

#[tokio::test]
async fn old_events_go() {
    let controller = Options { events_kept: 20, sweep_interval: Duration::from_millis(50), ..quick() };
    let mut cluster = Cluster::start(ClusterOptions { hosts: 1, controller, ..ClusterOptions::default() }).await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    for _ in 0..40 {
        cluster.host(0).happen(&theirs, "top");
    }
    cluster.host(0).happen(&theirs, "resize");
    let any = EventQuery { count: Some(1_000), ..EventQuery::default() };
    eventually(PATIENCE, "only the newest are kept", async || {
        let events = find(&cluster, &any).await;
        events.len() == 20 && events[0].kind == "resize" && events[1..].iter().all(|event| event.kind == "top")
    })
    .await;
}
