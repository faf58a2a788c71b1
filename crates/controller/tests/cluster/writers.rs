//! Apps that must have one writer, on hosts without agents: what is refused, what waits, and what is said.

use crate::asking::{at_once, ended, refused, run_options, running, to_the_end};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, sample};
use pierhead_wire::{AppChange, ImageDescription};

fn single() -> ImageDescription {
    ImageDescription { single_writer: Some(true), ..sample() }
}

async fn two_hosts() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await
}

async fn message(cluster: &Cluster) -> String {
    cluster.admin().app("solo").await.unwrap().slots[0].message.clone()
}

#[tokio::test]
async fn more_than_one_is_refused_by_name() {
    let cluster = two_hosts().await;
    let admin = cluster.admin();
    let (status, body) = refused(admin.run(&single(), &run_options("solo", 2), &to_the_end()).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("count")), "{body:?}");
    assert!(body.message.contains("count must be 0 or 1, since app solo has one writer"), "{}", body.message);
    cluster.run("solo", 1, &single()).await;
    assert_eq!(refused(admin.run(&single(), &run_options("solo", 1), &to_the_end()).await).0, 400);
    let (status, body) = refused(admin.scale_app("solo", 2, &to_the_end()).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("count")));
    let change = AppChange { image: single(), replicas: Some(3) };
    assert_eq!(refused(admin.set_app("solo", &change, &to_the_end()).await).1.field.as_deref(), Some("replicas"));
    cluster.run("web", 3, &sample()).await;
    let change = AppChange { image: single(), replicas: None };
    let (status, body) = refused(admin.set_app("web", &change, &to_the_end()).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("image.single_writer")));
    assert!(body.message.contains("app web has 3 containers: scale it to 1 first"), "{}", body.message);
    assert_eq!((running(&cluster, "solo").len(), running(&cluster, "web").len()), (1, 3), "nothing has changed");
    let change = AppChange { image: single(), replicas: Some(1) };
    ended(admin.set_app("web", &change, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web").len(), 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_lost_host_without_an_agent_keeps_it_until_it_answers_or_is_removed() {
    let cluster = two_hosts().await;
    let admin = cluster.admin();
    let home = cluster.run("solo", 1, &single()).await[0].engine.id.clone();
    assert!(message(&cluster).await.contains("has no agent to stop it"), "{}", message(&cluster).await);
    let (status, body) = refused(admin.remove_engine(&home).await);
    assert_eq!((status, body.field.as_deref()), (400, Some("id")));
    assert!(
        body.message.contains(&format!("solo runs on {home} and must not run twice; drain that host first")),
        "{}",
        body.message
    );
    let container = running(&cluster, "solo");
    cluster.host_named(&home).unreachable();
    let waits = async || message(&cluster).await.contains(&format!("removed with 'pierhead engine rm {home}'"));
    eventually(PATIENCE, "it says what it waits for", waits).await;
    assert_eq!(running(&cluster, "solo"), container, "nothing was started beside it");
    admin.remove_engine(&home).await.unwrap();
    eventually(PATIENCE, "it runs elsewhere", async || running(&cluster, "solo").len() == 2).await;
    assert!(running(&cluster, "solo").is_superset(&container), "the fake host runs on: somebody said that it does not");
}

#[tokio::test]
async fn it_is_drained_and_changed_old_copy_first() {
    let cluster = two_hosts().await;
    let admin = cluster.admin();
    let home = cluster.run("solo", 1, &single()).await[0].engine.id.clone();
    admin.drain_engine(&home, &at_once()).await.unwrap();
    let mut most = 0;
    let moved = async || {
        most = most.max(running(&cluster, "solo").len());
        let at = admin.app("solo").await.unwrap().slots[0].clone();
        at.state == "running" && at.engine.as_deref() != Some(&home)
    };
    eventually(PATIENCE, "it has moved", moved).await;
    let change = ImageDescription { environment: [("COLOUR".to_owned(), "blue".to_owned())].into(), ..single() };
    let change = AppChange { image: change, replicas: None };
    admin.set_app("solo", &change, &at_once()).await.unwrap();
    let changed = async || {
        most = most.max(running(&cluster, "solo").len());
        let app = admin.app("solo").await.unwrap();
        app.slots[0].version == Some(2) && app.slots[0].state == "running"
    };
    eventually(PATIENCE, "it has changed", changed).await;
    assert_eq!(most, 1, "never two");
    let told = admin.explain_app("solo").await.unwrap();
    assert!(told.summary.contains("it must not run twice, so there is no second"), "{}", told.summary);
    cluster.assert_invariants().await;
}
