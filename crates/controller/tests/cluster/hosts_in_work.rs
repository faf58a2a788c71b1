//! Hosts are cordoned, drained, forgotten and added again, and their load is evened out, all through the API.

use crate::asking::{at_once, ended, refused, running, to_the_end};
use pierhead_client::{Client, Started};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, sample};
use pierhead_wire::OperationView;
use std::time::Duration;

async fn on_host(cluster: &Cluster, host: &str) -> usize {
    let containers = cluster.admin().containers(false).await.unwrap();
    containers.iter().filter(|container| container.engine.id == host).count()
}

async fn duty(client: &Client, host: &str) -> String {
    client.engine(host).await.unwrap().duty.clone()
}

fn begun(started: Started<()>) -> OperationView {
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
    let operation = begun(admin.drain_engine("host-2", &at_once()).await.unwrap());
    assert_eq!((operation.verdicts.len(), operation.app.as_str()), (there, ""));
    let again = admin.drain_engine("host-2", &at_once()).await.unwrap();
    assert_eq!(again.operation(), Some(operation.id.as_str()), "the same drain goes on");
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
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
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
    options.controller.policy.stuck_ms = 2_000;
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
