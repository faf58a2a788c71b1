//! Hosts are cordoned, drained, forgotten and added again, and their load is evened out, all through the API.

use crate::asking::{at_once, ended, refused, running, to_the_end};
use pierhead_client::{Client, Started};
use pierhead_testkit::{Cluster, ClusterOptions, Cut, PATIENCE, eventually, sample};
use pierhead_wire::OperationView;
use std::time::Duration;

async fn on_host(cluster: &Cluster, host: &str) -> usize {
    let containers = cluster.admin().containers(false).await.unwrap();
    containers.iter().filter(|container| container.engine.id == host).count()
}

async fn duty(client: &Client, host: &str) -> String {
    client.engine(host).await.unwrap().duty.clone()
}

pub fn begun(started: Started<()>) -> OperationView {
    match started {
        Started::Running(operation) => (**operation).clone(),
        Started::Ended { operation, .. } => panic!("operation {operation:?} has ended"),
    }
}

#[tokio::test]
async fn a_cordoned_host_keeps_what_it_has_and_takes_nothing_new() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    cluster.run("web", 4, &sample()).await;
    let before = on_host(&cluster, "host-1").await;
    assert!(before > 0);
    admin.cordon_engine("host-1").await.unwrap();
    admin.cordon_engine("host-1").await.unwrap();
    assert_eq!(duty(&admin, "host-1").await, "cordoned");
    let new = cluster.run("more", 4, &sample()).await;
    assert!(new.iter().all(|container| container.engine.id == "host-2"));
    assert_eq!(on_host(&cluster, "host-1").await, before);
    admin.uncordon_engine("host-1").await.unwrap();
    assert_eq!(duty(&admin, "host-1").await, "in_service");
    let told: Vec<String> = admin.events(100).await.unwrap().iter().map(|event| event.kind.clone()).collect();
    let count = |kind: &str| told.iter().filter(|other| *other == kind).count();
    assert_eq!((count("cordon-engine"), count("uncordon-engine")), (1, 1), "once each: {told:?}");
    assert_eq!(refused(admin.cordon_engine("nowhere").await).0, 404);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_drained_host_is_left_without_an_app_ever_running_short() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let apps = ["web", "shop", "lab"];
    for app in apps {
        cluster.run(app, 4, &sample()).await;
    }
    let there = on_host(&cluster, "host-2").await;
    let told = admin.survival("host-2").await.unwrap();
    assert!(told.survives && told.slots == there as u64 && told.homeless.is_empty(), "{told:?}");
    let held = cluster.power().hold("create ", 0, Cut::Before);
    let operation = begun(admin.drain_engine("host-2", &at_once()).await.unwrap());
    assert_eq!((operation.verdicts.len(), operation.app.as_str()), (there, ""));
    let again = admin.drain_engine("host-2", &at_once()).await.unwrap();
    assert_eq!(again.operation(), Some(operation.id.as_str()), "the same drain goes on");
    held.release();
    let mut fewest = usize::MAX;
    eventually(PATIENCE, "it is drained", async || {
        fewest = apps.iter().map(|app| running(&cluster, app).len()).min().unwrap_or_default().min(fewest);
        admin.operation(&operation.id, None).await.unwrap().state == "done"
    })
    .await;
    assert_eq!(fewest, 4);
    assert_eq!((duty(&admin, "host-2").await.as_str(), on_host(&cluster, "host-2").await), ("drained", 0));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_drain_that_is_called_off_leaves_the_host_cordoned() {
    let mut options = ClusterOptions { hosts: 1, ..ClusterOptions::default() };
    // It does not end by itself before.
    options.controller.policy.stuck_ms = 60_000;
    let cluster = Cluster::start(options).await;
    let admin = cluster.admin();
    cluster.run("web", 2, &sample()).await;
    let drain = begun(admin.drain_engine("host-1", &at_once()).await.unwrap());
    eventually(PATIENCE, "it says what keeps it", async || {
        let operation = admin.operation(&drain.id, None).await.unwrap();
        operation.verdicts.iter().all(|verdict| verdict.state == pierhead_model::VerdictState::Pending)
    })
    .await;
    assert_eq!(duty(&admin, "host-1").await, "draining");
    assert!(!admin.survival("host-1").await.unwrap().survives);
    admin.cancel_operation(&drain.id).await.unwrap();
    eventually(PATIENCE, "it has ended", async || admin.operation(&drain.id, None).await.unwrap().state == "cancelled")
        .await;
    let (status, body) = refused(admin.cancel_operation(&drain.id).await);
    assert_eq!((status, body.code.as_str()), (409, "has_ended"));
    assert!(body.message.ends_with("has ended: cancelled"), "{body:?}");
    let done =
        &admin.operations().await.unwrap().iter().find(|operation| operation.state == "done").unwrap().id.clone();
    assert!(refused(admin.cancel_operation(done).await).1.message.ends_with("has ended: done"));
    let ended = admin.operation(&drain.id, None).await.unwrap();
    assert!(ended.error.as_ref().unwrap().message.contains("host host-1 stays cordoned"), "{ended:?}");
    assert_eq!((duty(&admin, "host-1").await.as_str(), on_host(&cluster, "host-1").await), ("cordoned", 2));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_host_that_is_added_again_gives_up_what_lives_elsewhere_by_now() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    cluster.run("web", 4, &sample()).await;
    let left = cluster.host(0).look().len();
    assert!(left > 0);
    admin.remove_engine("host-1").await.unwrap();
    eventually(PATIENCE, "all run on the other", async || on_host(&cluster, "host-2").await == 4).await;
    assert_eq!(cluster.host(0).look().len(), left, "what ran there was left");
    admin.add_engine(&cluster.engine_request(0)).await.unwrap();
    eventually(PATIENCE, "older copies are gone", async || cluster.host(0).look().is_empty()).await;
    assert_eq!(on_host(&cluster, "host-2").await, 4);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn the_plan_of_a_rebalance_is_what_happens() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    admin.cordon_engine("host-2").await.unwrap();
    cluster.run("web", 3, &sample()).await;
    cluster.run("shop", 3, &sample()).await;
    admin.uncordon_engine("host-2").await.unwrap();
    let plan = admin.planned_rebalance().await.unwrap();
    assert!(!plan.moves.is_empty() && plan.moves.iter().all(|moved| moved.to == "host-2"), "{plan:?}");
    let (status, body) = refused(admin.rebalance(&plan.moves[1..], &to_the_end()).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("moves")), "another plan is not made: {body:?}");
    ended(admin.rebalance(&plan.moves, &to_the_end()).await.unwrap());
    let slots = admin.apps().await.unwrap();
    for moved in &plan.moves {
        let app = slots.iter().find(|app| app.name == moved.app).unwrap();
        let slot = app.slots.iter().find(|slot| slot.slot == moved.slot).unwrap();
        assert_eq!((slot.engine.as_deref(), slot.state.as_str()), (Some("host-2"), "running"));
    }
    assert_eq!(on_host(&cluster, "host-2").await, plan.moves.len(), "nothing else moved");
    assert!(admin.planned_rebalance().await.unwrap().moves.is_empty());
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_user_may_look_and_not_touch() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let user = cluster.user("ann").await;
    assert_eq!(refused(user.cordon_engine("host-1").await).0, 403);
    assert_eq!(refused(user.drain_engine("host-1", &to_the_end()).await).0, 403);
    assert_eq!(refused(user.rebalance(&[], &to_the_end()).await).0, 403);
    assert!(user.survival("host-1").await.unwrap().survives);
    assert_eq!(refused(user.survival("host-9").await).0, 404);
    tokio::time::timeout(Duration::from_secs(20), cluster.assert_invariants()).await.unwrap();
}

#[tokio::test]
async fn a_drain_that_cannot_succeed_says_what_it_waits_for_and_fails_soon() {
    let mut options = ClusterOptions { hosts: 2, ..ClusterOptions::default() };
    options.controller.policy.stuck_ms = 5_000;
    let cluster = Cluster::start(options).await;
    let admin = cluster.admin();
    let image = pierhead_wire::ImageDescription { cpus: Some(3.0), ..sample() };
    cluster.run("web", 2, &image).await;
    let drain = begun(admin.drain_engine("host-1", &at_once()).await.unwrap());
    let says = async || {
        let now = admin.operation(&drain.id, None).await.unwrap();
        assert_eq!(now.state, "running");
        now.verdicts[0].message.contains("lacks CPU")
    };
    eventually(PATIENCE, "it says why it waits", says).await;
    let end = async || admin.operation(&drain.id, None).await.unwrap().state != "running";
    eventually(PATIENCE, "it ends", end).await;
    let ended = admin.operation(&drain.id, None).await.unwrap();
    let error = ended.error.clone().unwrap();
    assert_eq!((ended.state.as_str(), error.code.as_str()), ("failed", "no_room"));
    assert!(error.message.starts_with("1 slot finds no other host: slot "), "{}", error.message);
    assert!(error.message.ends_with("and host host-1 stays cordoned"), "{}", error.message);
    assert_eq!(running(&cluster, "web").len(), 2, "nothing was stopped");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn hosts_that_vanish_at_once_are_frozen_until_they_answer_or_are_given_up() {
    // "At once" is within the grace time, which a busy machine must not use up between two hosts.
    let mut options = ClusterOptions::default();
    options.controller.policy.grace_ms = 3_000;
    let mut cluster = Cluster::start(options).await;
    let admin = cluster.admin();
    let made = crate::asking::ids(&cluster.run("web", 6, &sample()).await);
    assert_eq!(refused(admin.thaw().await).1.code, "not_frozen");
    let lose = |cluster: &Cluster| [0, 1].iter().for_each(|at| cluster.host(*at).unreachable());
    let find = |cluster: &Cluster| [0, 1].iter().for_each(|at| cluster.host(*at).reachable());
    let said = async |cluster: &Cluster| {
        let admin = cluster.admin();
        eventually(PATIENCE, "it is frozen", async || admin.cluster_info().await.unwrap().frozen.is_some()).await;
        let explained = async || admin.explain_app("web").await.unwrap().slots.clone();
        eventually(PATIENCE, "its slots say so", async || {
            explained().await.iter().filter(|slot| slot.message.contains("2 of 3 hosts vanished at once")).count() == 4
        })
        .await;
    };
    lose(&cluster);
    said(&cluster).await;
    let info = admin.cluster_info().await.unwrap().frozen.clone().unwrap();
    assert!(info.starts_with("2 of 3 hosts vanished at once (host-1, host-2)"), "{info}");
    assert_eq!(refused(cluster.user("ann").await.thaw().await).0, 403);
    find(&cluster);
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web"), made, "nothing was moved");
    let kinds = async || -> Vec<String> {
        let events = admin.events(100).await.unwrap();
        events.iter().map(|event| event.kind.clone()).filter(|kind| kind.contains("freeze")).collect()
    };
    eventually(PATIENCE, "its end is told", async || kinds().await == ["end-of-freeze", "freeze-cluster"]).await;

    // A controller that finds them like that judges alike; somebody else knows better.
    lose(&cluster);
    said(&cluster).await;
    cluster.crash().await;
    cluster.restart().await;
    said(&cluster).await;
    let admin = cluster.admin();
    admin.thaw().await.unwrap();
    eventually(PATIENCE, "all runs elsewhere", async || {
        let app = admin.app("web").await.unwrap();
        app.running == 6 && app.slots.iter().all(|slot| slot.engine.as_deref() == Some("host-3"))
    })
    .await;
    assert_eq!(admin.cluster_info().await.unwrap().frozen, None);
    let told = admin.events(100).await.unwrap();
    let thawed = told.iter().find(|event| event.kind == "thaw-cluster").unwrap();
    assert_eq!(thawed.message, "given up=host-1 host-2");
    find(&cluster);
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    let is_counted = || cluster.controller().known().world.engines().values().all(|engine| !engine.record.given_up);
    eventually(PATIENCE, "they count again", async || is_counted()).await;
}
