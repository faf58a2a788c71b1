//! Engines that are added, removed and added again.

use crate::asking::{ended, ids, refused, run_options, running, to_the_end};
use pierhead_model::Resources;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, SAMPLE, described, eventually, sample};
use pierhead_wire::{EngineRequest, ImageDescription};

#[tokio::test]
async fn a_removed_engine_keeps_what_it_runs_and_its_slots_live_elsewhere() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    let admin = cluster.admin();
    let made = cluster.run("web", 6, &sample()).await;
    let left: Vec<_> = made.iter().filter(|container| container.engine.id == "host-1").cloned().collect();
    assert!(!left.is_empty());
    admin.remove_engine("host-1").await.unwrap();
    assert_eq!(refused(admin.engine("host-1").await).0, 404);
    cluster.assert_invariants().await;
    assert_eq!(admin.app("web").await.unwrap().running, 6);
    assert!(running(&cluster, "web").is_superset(&ids(&left)), "what runs there is left as it is");

    admin.add_engine(&cluster.engine_request(0)).await.unwrap();
    cluster.all_healthy().await;
    cluster.assert_invariants().await;
    assert_eq!(running(&cluster, "web").len(), 6, "the older copies go when the engine is back");
    assert!(running(&cluster, "web").is_disjoint(&ids(&left)));
    assert!(cluster.host(0).look().iter().any(|found| found.id == theirs));
}

#[tokio::test]
async fn an_engine_that_is_added_twice_is_refused() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    let again = cluster.engine_request(0);
    assert_eq!(refused(admin.add_engine(&again).await).1.code, "exists");
    let same_address = EngineRequest { id: Some("other".to_owned()), ..again.clone() };
    let (status, body) = refused(admin.add_engine(&same_address).await);
    assert_eq!((status, body.code.as_str()), (409, "exists"));
    assert!(body.message.contains("host-1"), "{}", body.message);
    assert_eq!(admin.engines().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_shown_as_down_and_gets_nothing() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    let nowhere = EngineRequest {
        id: Some("nowhere".to_owned()),
        addr: Some("http://10.9.9.9:2375".to_owned()),
        ..EngineRequest::default()
    };
    admin.add_engine(&nowhere).await.unwrap();
    eventually(PATIENCE, "it is down", async || {
        let engine = admin.engine("nowhere").await.unwrap();
        engine.health.status == "down" && engine.health.reason.contains("10.9.9.9")
    })
    .await;
    let silent = admin.cluster_info().await.unwrap().silent_engines.clone();
    assert_eq!(silent.iter().map(|engine| engine.id.as_str()).collect::<Vec<_>>(), ["nowhere"]);
    assert!(cluster.run("web", 3, &sample()).await.iter().all(|container| container.engine.id == "host-1"));
    admin.remove_engine("nowhere").await.unwrap();
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_pool_without_hosts_says_so() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let (status, body) = refused(cluster.admin().run(&sample(), &run_options("web", 1), &to_the_end()).await);
    assert_eq!((status, body.code.as_str()), (409, "no_room"));
    assert!(!body.message.is_empty());
    assert_eq!(cluster.admin().cluster_info().await.unwrap().engine_count, 0);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn capacity_and_over_commit_replace_what_the_engine_says() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    admin.remove_engine("host-1").await.unwrap();
    let small = EngineRequest {
        capacity_memory: Some(100.0),
        over_commit_memory: Some(2.0),
        labels: Some(vec!["ssd".to_owned()]),
        ..cluster.engine_request(0)
    };
    admin.add_engine(&small).await.unwrap();
    cluster.all_healthy().await;
    let engine = admin.engine("host-1").await.unwrap();
    assert!((engine.memory - 200.0).abs() < 1.0, "{}", engine.memory);
    assert_eq!(engine.labels, ["ssd"]);
    let on_ssd = ImageDescription { labels: vec!["ssd".to_owned()], ..described(SAMPLE) };
    ended(admin.run(&on_ssd, &run_options("fits", 3), &to_the_end()).await.unwrap());
    assert_eq!(refused(admin.run(&on_ssd, &run_options("more", 1), &to_the_end()).await).1.code, "no_room");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn addresses_of_the_same_digits_are_two_engines() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = cluster.admin();
    let mut ids = Vec::new();
    for addr in ["http://10.77.1.12:2375", "http://10.77.11.2:2375", "http://10.7.71.12:2375"] {
        let request = pierhead_wire::EngineRequest { addr: Some(addr.to_owned()), ..Default::default() };
        ids.push(admin.add_engine(&request).await.unwrap().id.clone());
    }
    assert_eq!(ids, ["1077112", "1077112-2", "1077112-3"]);
    // The same address again is no other engine.
    let again = pierhead_wire::EngineRequest { addr: Some("http://10.77.1.12:2375".to_owned()), ..Default::default() };
    assert_eq!(refused(admin.add_engine(&again).await).1.code, "exists");
}
