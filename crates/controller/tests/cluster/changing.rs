//! Apps that are scaled, changed and deleted.

use crate::asking::{all_containers, at_once, ended, ids, refused, reserved_memory, run_options, running, to_the_end};
use pierhead_engine::{EngineError, Verb};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, SAMPLE, described, eventually, failing, sample};
use pierhead_wire::{AppChange, ImageDescription};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn five_two_four_by_the_id_of_one_container() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let oldest = ids(&cluster.run("web", 2, &sample()).await);
    cluster.run("web", 3, &sample()).await;
    let id = oldest.first().unwrap();
    ended(admin.scale_container(id, 2, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web"), oldest, "the newest go, the oldest stay");
    assert_eq!(all_containers(&cluster), 2);
    ended(admin.scale_container(id, 4, &to_the_end()).await.unwrap());
    let four = running(&cluster, "web");
    assert!(four.len() == 4 && four.is_superset(&oldest), "{four:?}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_app_that_was_made_to_stay_is_scaled_to_nothing_and_back() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let change = AppChange { image: sample(), replicas: Some(2) };
    ended(admin.set_app("web", &change, &to_the_end()).await.unwrap());
    ended(admin.scale_app("web", 0, &to_the_end()).await.unwrap());
    assert_eq!(all_containers(&cluster), 0);
    assert_eq!(admin.app("web").await.unwrap().replicas, 0);
    ended(admin.scale_app("web", 1, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web").len(), 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_changed_description_replaces_containers_one_by_one() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let before = ids(&cluster.run("web", 4, &sample()).await);
    for (_, host) in cluster.hosts() {
        host.delay(Verb::Create, Duration::from_millis(30));
    }
    let changed = ImageDescription { environment: [("COLOUR".to_owned(), "blue".to_owned())].into(), ..sample() };
    let change = AppChange { image: changed, replicas: None };
    let operation = admin.set_app("web", &change, &at_once()).await.unwrap().operation().unwrap().to_owned();
    let mut fewest = usize::MAX;
    eventually(PATIENCE, "the roll-out ends", async || {
        fewest = fewest.min(running(&cluster, "web").len());
        admin.operation(&operation, None).await.unwrap().state != "running"
    })
    .await;
    assert_eq!(admin.operation(&operation, None).await.unwrap().state, "done");
    assert!(fewest >= 4, "at one time only {fewest} of 4 ran");
    let after = running(&cluster, "web");
    assert!(after.len() == 4 && after.is_disjoint(&before));
    let of_each = cluster.hosts().flat_map(|(_, host)| {
        host.look().into_iter().map(|found| host.request(&found.id).unwrap().spec.environment.get("COLOUR").cloned())
    });
    assert!(of_each.into_iter().all(|colour| colour.as_deref() == Some("blue")));
    cluster.assert_invariants().await;
}

/// Changes an app to what cannot be had, which must leave it as it is; gives the answer's code and what the app says.
async fn in_vain(cluster: &Cluster, change: &AppChange) -> (u16, String, String) {
    let admin = cluster.admin();
    let (before, image) = (running(cluster, "web"), admin.app("web").await.unwrap().image.clone());
    let operation = admin.set_app("web", change, &at_once()).await.unwrap().operation().unwrap().to_owned();
    eventually(PATIENCE, "the change ends", async || {
        assert!(running(cluster, "web").is_superset(&before), "a container that runs was stopped");
        assert_eq!(admin.app("web").await.unwrap().running as usize, before.len());
        admin.operation(&operation, None).await.unwrap().state == "failed"
    })
    .await;
    eventually(PATIENCE, "all of it is taken back", async || running(cluster, "web") == before).await;
    let (status, body) = refused(admin.set_app("web", change, &to_the_end()).await);
    eventually(PATIENCE, "all of it is taken back", async || running(cluster, "web") == before).await;
    let app = admin.app("web").await.unwrap();
    assert_eq!((&app.image, app.running, app.replicas), (&image, 3, 3));
    (status, body.code, app.message.clone())
}

#[tokio::test]
async fn a_description_that_does_not_start_stops_nothing() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.run("web", 3, &described(SAMPLE)).await;
    let (status, code, message) = in_vain(&cluster, &AppChange { image: failing(), replicas: None }).await;
    assert_eq!((status, code.as_str()), (422, "not_started"));
    assert!(message.starts_with("the last change of the description was taken back: "), "{message}");
    let mended = AppChange { image: sample(), replicas: None };
    ended(cluster.admin().set_app("web", &mended, &to_the_end()).await.unwrap());
    assert_eq!(running(&cluster, "web").len(), 3);
    assert_eq!(cluster.admin().app("web").await.unwrap().message, "");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_had_stops_nothing_even_where_the_former_has_to_go_first() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let on_port = |image: &str| {
        let mut image = described(image);
        image.bind_ports = sample().bind_ports;
        image.bind_ports[0].port = Some(pierhead_wire::PortNumber::Number(8080));
        image
    };
    cluster.run("web", 3, &on_port(SAMPLE)).await;
    let (_, code, message) =
        in_vain(&cluster, &AppChange { image: on_port("nowhere/nothing:9"), replicas: None }).await;
    assert_eq!(code, "no_such_image");
    assert!(message.contains("nowhere/nothing:9"), "{message}");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_change_without_room_changes_nothing() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    cluster.run("web", 3, &described(SAMPLE)).await;
    let large = pierhead_wire::ImageDescription { cpus: Some(64.0), ..described(SAMPLE) };
    let (_, code, message) = in_vain(&cluster, &AppChange { image: large, replicas: None }).await;
    assert_eq!(code, "no_room");
    assert!(message.contains("no room on any of 3 hosts"), "{message}");
    // More of another description: neither the number nor the description is taken.
    let more = AppChange { image: sample(), replicas: Some(500) };
    let (_, code, _) = in_vain(&cluster, &more).await;
    assert_eq!(code, "no_room");
    let (_, body) = refused(admin.scale_app("web", 500, &to_the_end()).await);
    assert_eq!(body.code, "no_room");
    assert_eq!((admin.app("web").await.unwrap().replicas, running(&cluster, "web").len()), (3, 3));
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn deleting_an_app_removes_all_of_it_and_nothing_else() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    cluster.add_foreign(1, "theirs", pierhead_model::Resources::default());
    let other = ids(&cluster.run("other", 2, &described(SAMPLE)).await);
    cluster.run("web", 3, &sample()).await;
    ended(cluster.admin().delete_app("web", &to_the_end()).await.unwrap());
    assert_eq!(refused(cluster.admin().app("web").await).0, 404);
    assert_eq!(all_containers(&cluster), 3);
    assert_eq!(running(&cluster, "other"), other);
    assert_eq!(reserved_memory(&cluster), 2 * 64, "its room is free again");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_removal_that_fails_is_tried_until_it_is_done() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    cluster.run("web", 2, &sample()).await;
    for _ in 0..2 {
        cluster.host(0).fail_next(Verb::Remove, EngineError::Failed("device or resource busy".to_owned()));
    }
    ended(cluster.admin().delete_app("web", &to_the_end()).await.unwrap());
    assert_eq!(all_containers(&cluster), 0);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_ended_or_was_stopped_neither_counts_nor_goes() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    let admin = cluster.admin();
    let made = cluster.run("web", 3, &sample()).await;
    let stopped = made[0].id.clone();
    ended(admin.act(&stopped, pierhead_client::Verb::Stop, &to_the_end()).await.unwrap());
    ended(admin.scale_app("web", 1, &to_the_end()).await.unwrap());
    let left: BTreeSet<String> =
        cluster.hosts().flat_map(|(_, host)| host.look()).map(|found| found.id.to_string()).collect();
    assert!(left.len() == 2 && left.contains(&stopped), "{left:?}");
    assert_eq!(running(&cluster, "web").len(), 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn scaling_by_several_people_at_once_ends_as_one_of_them_said() {
    let cluster = Cluster::start(ClusterOptions::default()).await;
    ended(cluster.admin().run(&sample(), &run_options("web", 1), &to_the_end()).await.unwrap());
    let scales = (2..8_u32).map(|count| {
        let admin = cluster.admin();
        async move { admin.scale_app("web", count, &to_the_end()).await }
    });
    for answer in futures_util::future::join_all(scales).await {
        ended(answer.unwrap());
    }
    cluster.assert_invariants().await;
    let count = running(&cluster, "web").len();
    assert!((2..8).contains(&count), "{count}");
    assert_eq!(cluster.admin().app("web").await.unwrap().replicas as usize, count);
}
