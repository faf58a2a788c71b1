//! Hosts that go down, hang, lose answers, and come back.

use crate::asking::{all_containers, ended, ids, refused, run_options, running, to_the_end};
use pierhead_engine::Verb;
use pierhead_model::Resources;
use pierhead_testkit::{Cluster, ClusterOptions, Cut, PATIENCE, SAMPLE, described, eventually, sample};
use std::time::Duration;
use tokio::time::Instant;

async fn is_down(cluster: &Cluster, engine: &str) {
    let admin = cluster.admin();
    let down = async || admin.engine(engine).await.unwrap().health.status == "down";
    eventually(PATIENCE, "the host is down", down).await;
}

#[tokio::test]
async fn slots_of_a_lost_host_move_and_the_older_copies_go_when_it_returns() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    let admin = cluster.admin();
    let made = cluster.run("web", 6, &sample()).await;
    let (lost, kept): (Vec<_>, Vec<_>) = made.into_iter().partition(|container| container.engine.id == "host-1");
    assert!(!lost.is_empty());
    cluster.host(0).unreachable();
    is_down(&cluster, "host-1").await;
    let reason = admin.engine("host-1").await.unwrap().health.reason.clone();
    assert!(reason.contains("connection refused"), "{reason}");
    let all_run = async || admin.app("web").await.unwrap().running == 6;
    eventually(PATIENCE, "its slots run elsewhere", all_run).await;
    assert!(running(&cluster, "web").is_superset(&ids(&kept)), "the others are untouched");
    let (status, body) = refused(admin.container(&lost[0].id).await);
    assert!(status == 404 && body.replaced_by.is_some_and(|heir| running(&cluster, "web").contains(&heir)));
    assert_eq!(refused(admin.destroy(&lost[0].id, &to_the_end()).await).0, 404, "the old id is not the heir's");
    let listed = admin.containers(false).await.unwrap();
    assert!(listed.iter().all(|shown| lost.iter().all(|lost| lost.id != shown.id)));

    cluster.host(0).reachable();
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    let now = running(&cluster, "web");
    assert_eq!(now.len(), 6);
    assert!(now.is_superset(&ids(&kept)) && now.is_disjoint(&ids(&lost)));
    assert!(cluster.host(0).look().iter().any(|found| found.id == theirs && found.state.is_running()));
}

#[tokio::test]
async fn a_host_that_returns_within_the_grace_time_keeps_its_containers() {
    let mut options = ClusterOptions::default();
    options.controller.policy.grace_ms = 60_000;
    let cluster = Cluster::start(options).await;
    let made = cluster.run("web", 6, &sample()).await;
    cluster.host(0).unreachable();
    is_down(&cluster, "host-1").await;
    let slots = cluster.admin().app("web").await.unwrap().slots.clone();
    let waits = slots.iter().filter(|slot| slot.engine.as_deref() == Some("host-1"));
    assert!(waits.clone().count() > 0 && waits.into_iter().all(|slot| slot.state == "lost"), "{slots:?}");
    cluster.host(0).reachable();
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web"), ids(&made));
}

#[tokio::test]
async fn a_hanging_host_slows_no_answer_about_the_others() {
    // Far above what is accepted below.
    let cluster =
        Cluster::start(ClusterOptions { call_deadline: Duration::from_secs(60), ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    cluster.run("web", 6, &sample()).await;
    cluster.host(0).hang();
    let began = Instant::now();
    // At first nobody knows that it hangs.
    admin.cluster_info().await.unwrap();
    admin.containers(true).await.unwrap();
    let made = cluster.run("more", 4, &described(SAMPLE)).await;
    assert_eq!(made.len(), 4);
    is_down(&cluster, "host-1").await;
    admin.cluster_info().await.unwrap();
    admin.app("web").await.unwrap();
    ended(admin.scale_app("web", 8, &to_the_end()).await.unwrap());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(15), "the answers took {took:?}");
    cluster.host(0).resume();
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_host_that_hangs_is_seen_within_three_heartbeats() {
    let mut options = ClusterOptions::default();
    options.controller.heartbeat.interval = Duration::from_secs(2);
    let cluster = Cluster::start(options).await;
    cluster.host(1).hang();
    let began = Instant::now();
    is_down(&cluster, "host-2").await;
    let took = began.elapsed();
    assert!(took <= Duration::from_millis(3 * 2_000 + 1_500), "it took {took:?}");
    let reason = cluster.admin().engine("host-2").await.unwrap().health.reason.clone();
    assert!(reason.contains("no answer within"), "{reason}");
    let others = cluster.admin().engines().await.unwrap();
    assert_eq!(others.iter().filter(|engine| engine.health.status == "healthy").count(), 2);
}

#[tokio::test]
async fn lost_replies_double_nothing() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    for (_, host) in cluster.hosts() {
        for verb in [Verb::Create, Verb::Create, Verb::Start] {
            host.lose_reply(verb);
        }
    }
    let made = cluster.run("web", 9, &sample()).await;
    assert_eq!(made.len(), 9);
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web"), ids(&made));
    assert_eq!(all_containers(&cluster), 9);
}

#[tokio::test]
async fn lost_replies_of_removals_and_stops_are_got_over() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let made = cluster.run("web", 6, &sample()).await;
    for (_, host) in cluster.hosts() {
        host.lose_reply(Verb::Remove);
        host.lose_reply(Verb::Stop);
        host.lose_reply(Verb::Containers);
    }
    let admin = cluster.admin();
    ended(admin.act(&made[0].id, pierhead_client::Verb::Stop, &to_the_end()).await.unwrap());
    ended(admin.scale_app("web", 2, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web").len(), 2);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn silent_and_broken_events_delay_nothing_for_long() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let made = cluster.run("web", 3, &sample()).await;
    for (_, host) in cluster.hosts() {
        host.silence_events(true);
    }
    let host = cluster.host_named(&made[0].engine.id);
    host.vanish(&pierhead_model::ContainerId::parse(made[0].id.clone()).unwrap());
    let back = async || running(&cluster, "web").len() == 3;
    eventually(PATIENCE, "a listing finds what no event told", back).await;
    for (_, host) in cluster.hosts() {
        host.silence_events(false);
        host.break_events();
    }
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_run_on_a_host_that_hangs_goes_elsewhere() {
    let cluster = Cluster::start(ClusterOptions {
        hosts: 2,
        call_deadline: Duration::from_millis(300),
        ..ClusterOptions::default()
    })
    .await;
    cluster.host(0).delay(Verb::Create, Duration::from_secs(60));
    let made = cluster.run("web", 4, &sample()).await;
    assert!(made.iter().all(|container| container.engine.id == "host-2"), "{made:?}");
    cluster.host(0).heal();
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn when_every_host_is_lost_nothing_moves_and_all_is_kept() {
    let mut options = ClusterOptions { hosts: 2, ..ClusterOptions::default() };
    // A busy machine must not use up the grace time between two hosts.
    options.controller.policy.grace_ms = 3_000;
    let cluster = Cluster::start(options).await;
    let made = cluster.run("web", 4, &sample()).await;
    for (_, host) in cluster.hosts() {
        host.unreachable();
    }
    is_down(&cluster, "host-1").await;
    is_down(&cluster, "host-2").await;
    let refusal = refused(cluster.admin().run(&sample(), &run_options("more", 1), &to_the_end()).await);
    assert_eq!((refusal.0, refusal.1.code.as_str()), (409, "no_room"));
    for (_, host) in cluster.hosts() {
        host.reachable();
    }
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web"), ids(&made));
}

#[tokio::test]
async fn containers_without_a_record_go_after_the_grace_time() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let made = cluster.run("web", 1, &sample()).await;
    let mut orphan = cluster.host(0).look().remove(0);
    let mut of_another_pool = orphan.clone();
    orphan.id = pierhead_model::ContainerId::parse("0123456789ab".repeat(5)).unwrap();
    orphan.name = "gone.0.1".to_owned();
    orphan.labels.insert("pierhead.app-id".to_owned(), "nobodyknows".to_owned());
    orphan.ports.clear();
    of_another_pool.id = pierhead_model::ContainerId::parse("abcdef012345".repeat(5)).unwrap();
    of_another_pool.name = "elsewhere.0.1".to_owned();
    of_another_pool.labels.insert("pierhead.cluster".to_owned(), "ffffffffffffffff".to_owned());
    of_another_pool.ports.clear();
    cluster.host(0).put(orphan.clone());
    cluster.host(0).put(of_another_pool.clone());
    let gone = async || cluster.host(0).named("gone.0.1").is_none();
    eventually(PATIENCE, "the orphan goes", gone).await;
    cluster.assert_invariants().await;
    assert!(cluster.host(0).named("elsewhere.0.1").is_some_and(|found| found.state.is_running()));
    assert_eq!(running(&cluster, "web").intersection(&ids(&made)).count(), 1);
}

#[tokio::test]
async fn a_host_that_goes_and_comes_and_the_slots_that_move_are_events() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    cluster.run("web", 3, &sample()).await;
    let there = cluster.host(0).look().len();
    cluster.host(0).unreachable();
    is_down(&cluster, "host-1").await;
    let all_run = async || admin.app("web").await.unwrap().running == 3;
    eventually(PATIENCE, "its slots run elsewhere", all_run).await;
    cluster.host(0).reachable();
    cluster.all_healthy().await;
    let of = async |kind: &str| {
        let events = admin.events(1_000).await.unwrap();
        events.iter().filter(|event| event.kind == kind).cloned().collect::<Vec<_>>()
    };
    eventually(PATIENCE, "its return is told", async || of("engine-up").await.len() == 1).await;
    let down = of("engine-down").await;
    assert_eq!(down.len(), 1, "{down:?}");
    assert!(down[0].message.starts_with("id=host-1, reason=") && down[0].message.contains("connection refused"));
    assert_eq!(down[0].engine.as_ref().map(|engine| &engine["id"]), Some(&"host-1".into()));
    let placed = of("place-slot").await;
    assert_eq!(placed.len(), there, "{placed:?}");
    assert!(placed.iter().all(|event| event.message.contains("from=host-1, to=") && event.message.contains("is down")));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_is_paused_behind_our_back_is_restarted() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let made = cluster.run("web", 1, &described(SAMPLE)).await;
    let id = pierhead_model::ContainerId::parse(made[0].id.as_str()).unwrap();
    let mut paused = cluster.host(0).look().into_iter().find(|found| found.id == id).unwrap();
    paused.state = pierhead_model::ContainerState::Paused;
    let held = cluster.power().hold("restart ", 0, Cut::Before);
    cluster.host(0).put(paused);
    let admin = cluster.admin();
    let is_missed = async || admin.app("web").await.unwrap().running == 0;
    eventually(PATIENCE, "it does not count", is_missed).await;
    held.release();
    let runs = async || admin.app("web").await.unwrap().running == 1;
    eventually(PATIENCE, "it runs again", runs).await;
    assert!(running(&cluster, "web").contains(&made[0].id), "the same container");
    cluster.assert_invariants().await;
}
