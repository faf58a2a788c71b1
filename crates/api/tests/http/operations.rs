//! Changes that take time: waited for, looked at, called off, too late.

use crate::raw::{Sender, sample};
use pierhead_engine::Verb;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use std::time::Duration;
use tokio::time::Instant;

/// Two hosts that take long to create anything.
async fn slow() -> Cluster {
    let options = ClusterOptions { hosts: 2, call_deadline: Duration::from_secs(120), ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await;
    for (_, host) in cluster.hosts() {
        host.delay(Verb::Create, Duration::from_secs(60));
    }
    cluster
}

fn containers(cluster: &Cluster) -> usize {
    cluster.hosts().map(|(_, host)| host.look().len()).sum()
}

#[tokio::test]
async fn a_change_is_answered_when_it_ends() {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    let answer = admin.post("/api/containers?app=web&count=3", &sample()).await;
    assert_eq!(answer.status, 200);
    assert_eq!((answer.json().as_array().unwrap().len(), containers(&cluster)), (3, 3));
    let operation = admin.get(answer.location.as_deref().unwrap()).await.json();
    assert_eq!((operation["state"].as_str(), operation["actor"].as_str()), (Some("done"), Some("admin")));
    let verdicts = operation["verdicts"].as_array().unwrap();
    assert!(verdicts.len() == 3 && verdicts.iter().all(|verdict| verdict["state"] == "done"));
    assert_eq!(admin.post("/api/apps/web/scale?count=1", "").await.status, 204);
    assert_eq!(containers(&cluster), 1);
    let set = format!(r#"{{"image":{},"replicas":1}}"#, sample());
    assert_eq!(admin.send("PUT", "/api/apps/new", set.clone()).await.status, 201);
    assert_eq!(admin.send("PUT", "/api/apps/new", set).await.status, 200);
    assert_eq!(admin.send("DELETE", "/api/apps/new", "").await.status, 204);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn nobody_needs_to_wait() {
    let cluster = slow().await;
    let admin = Sender::admin(&cluster);
    let began = Instant::now();
    let answer = admin.post("/api/containers?app=web&count=3&wait=0", &sample()).await;
    assert_eq!(answer.status, 202);
    let (body, location) = (answer.json(), answer.location.unwrap());
    assert_eq!(location, format!("/api/operations/{}", body["id"].as_str().unwrap()));
    assert_eq!((body["state"].as_str(), body["verdicts"].as_array().unwrap().len()), (Some("running"), 3));
    assert!(body["deadline"].as_str().unwrap() > body["created_at"].as_str().unwrap());
    // Whoever waits is answered by then, too.
    let waited = admin.get(&format!("{location}?wait=1")).await;
    assert_eq!((waited.status, waited.json()["state"].as_str()), (200, Some("running")));
    assert_eq!(admin.post("/api/apps/web/scale?count=4&wait=1", "").await.status, 202);
    assert!(began.elapsed() < Duration::from_secs(30), "the hosts take longer than that");
    let list = admin.get("/api/operations").await.json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[1]["id"], body["id"], "the newest first");
}

#[tokio::test]
async fn whoever_waits_is_answered_at_the_end() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    cluster.host(0).delay(Verb::Create, Duration::from_millis(300));
    let admin = Sender::admin(&cluster);
    let location = admin.post("/api/containers?app=web&wait=0", &sample()).await.location.unwrap();
    let began = Instant::now();
    let ended = admin.get(&format!("{location}?wait=600")).await.json();
    assert_eq!(ended["state"], "done");
    assert!(ended["ended_at"].is_string() && began.elapsed() < PATIENCE);
    assert_eq!(containers(&cluster), 1);
}

#[tokio::test]
async fn an_operation_that_is_called_off_is_taken_back() {
    let cluster = slow().await;
    let admin = Sender::admin(&cluster);
    let location = admin.post("/api/containers?app=web&count=4&wait=0", &sample()).await.location.unwrap();
    let path = format!("{location}/cancel");
    assert_eq!(admin.post(&path, "").await.status, 204);
    cluster.hosts().for_each(|(_, host)| host.heal());
    let ended = admin.get(&format!("{location}?wait=100")).await.json();
    assert_eq!((ended["state"].as_str(), ended["error"]["code"].as_str()), (Some("cancelled"), Some("cancelled")));
    assert_eq!(admin.get("/api/apps/web").await.status, 404);
    let again = admin.post(&path, "").await;
    assert_eq!(
        (again.status, again.json()["code"].as_str()),
        (409, Some("has_ended")),
        "one that has ended stays as it is"
    );
    assert_eq!(admin.get(&location).await.json()["state"], "cancelled");
}

#[tokio::test]
async fn an_operation_that_takes_too_long_ends_and_is_taken_back() {
    let options = ClusterOptions { hosts: 1, call_deadline: Duration::from_secs(4), ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await;
    cluster.host(0).delay(Verb::Create, Duration::from_secs(3));
    let admin = Sender::admin(&cluster);
    let answer = admin.post("/api/containers?app=web&count=2&timeout=1", &sample()).await;
    assert_eq!((answer.status, answer.refusal().code.as_str()), (503, "timed_out"));
    assert!(answer.refusal().message.contains("2 of 2"), "{}", answer.text);
    assert_eq!(admin.get("/api/apps/web").await.status, 404);
    let operation = admin.get(answer.location.as_deref().unwrap()).await.json();
    assert_eq!(operation["state"], "timed_out");
    cluster.assert_invariants().await;
    assert_eq!(containers(&cluster), 0);
}

#[tokio::test]
async fn an_operation_outlives_its_controller() {
    let mut cluster = slow().await;
    let admin = Sender::admin(&cluster);
    let location = admin.post("/api/containers?app=web&count=2&wait=0", &sample()).await.location.unwrap();
    let creates = async || cluster.hosts().map(|(_, host)| host.calls(Verb::Create)).sum::<u64>() >= 2;
    eventually(PATIENCE, "it has begun", creates).await;
    cluster.crash().await;
    cluster.hosts().for_each(|(_, host)| host.heal());
    cluster.restart().await;
    let ended = Sender::admin(&cluster).get(&format!("{location}?wait=100")).await.json();
    assert_eq!(ended["state"], "done", "{ended}");
    cluster.assert_invariants().await;
    assert_eq!(containers(&cluster), 2);
}
