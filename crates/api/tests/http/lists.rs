//! The list of containers, which is kept encoded: it must always say what each container says of itself.

use crate::raw::{Sender, sample};
use pierhead_model::Resources;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually_ok};
use serde_json::{Value, json};

/// The list is that of the containers asked one by one, whoever asks, newest first.
async fn check(sender: &Sender) -> Result<Vec<Value>, String> {
    let listed = sender.get("/api/containers?all=true").await.json();
    let listed = listed.as_array().cloned().unwrap_or_default();
    for container in &listed {
        let shown = sender.get(&format!("/api/containers/{}", container["id"].as_str().unwrap())).await;
        if shown.status != 200 || shown.json() != *container {
            return Err(format!("listed {container}, shown {}", shown.text));
        }
    }
    let made: Vec<&str> = listed.iter().map(|container| container["created_at"].as_str().unwrap()).collect();
    if !made.is_sorted_by(|newer, older| newer >= older) {
        return Err(format!("not newest first: {made:?}"));
    }
    let running = sender.get("/api/containers").await.json();
    let of_all: Vec<&Value> = listed.iter().filter(|container| container["state"] == "running").collect();
    if running.as_array().unwrap().iter().collect::<Vec<_>>() != of_all {
        return Err(format!("running: {running}"));
    }
    Ok(listed)
}

/// So many containers are listed, and the list is right for everybody. What changes by itself may do so in between.
async fn holds(people: &[&Sender], count: usize) -> Vec<Value> {
    eventually_ok(PATIENCE, "the list says what the containers say", async || {
        let mut first = Vec::new();
        for (at, sender) in people.iter().enumerate() {
            let listed = check(sender).await?;
            if listed.len() != count {
                return Err(format!("{} instead of {count}", listed.len()));
            }
            if at == 0 {
                first = listed;
            }
        }
        Ok(first)
    })
    .await
}

#[tokio::test]
async fn the_list_follows_every_change() {
    let mut cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::new(100, 64));
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let bob = Sender::user(&cluster, "bob").await;
    let people = [&admin, &ann, &bob];
    holds(&people, 1).await;

    let mut image: Value = serde_json::from_str(&sample()).unwrap();
    image["environment"] = json!({ "KEY": "canary-1" });
    let made = ann.post("/api/containers?count=4&app=web", &image.to_string()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let id = |at: usize| made[at]["id"].as_str().unwrap();
    holds(&people, 5).await;
    let tells = async |sender: &Sender| sender.get("/api/containers").await.text.contains("canary-1");
    assert_eq!([tells(&admin).await, tells(&ann).await, tells(&bob).await], [true, true, false]);

    for (verb, running) in [("stop", 4), ("start", 5), ("restart", 5)] {
        assert_eq!(ann.post(&format!("/api/containers/{}/{verb}", id(0)), "").await.status, 204);
        let listed = holds(&people, 5).await;
        assert_eq!(listed.iter().filter(|one| one["state"] == "running").count(), running, "{verb}");
    }
    assert_eq!(ann.post(&format!("/api/containers/{}/scale?count=2", id(1)), "").await.status, 204);
    holds(&people, 3).await;
    image["environment"] = json!({ "KEY": "canary-2" });
    let change = json!({ "image": image, "replicas": 2 }).to_string();
    assert_eq!(ann.send("PUT", "/api/apps/web", change).await.status, 200);
    let listed = holds(&people, 3).await;
    assert!(
        listed.iter().filter(|one| one["app"] == "web").all(|one| one["image"]["environment"]["KEY"] == "canary-2")
    );

    cluster.host_named("host-1").exit(&theirs, 3).unwrap();
    let told = async |listed: Vec<Value>, state: &str| {
        let found = listed.iter().find(|one| one["id"] == theirs.as_str()).map(|one| one["status"].clone());
        if found == Some(json!(state)) { Ok(()) } else { Err(format!("{found:?}")) }
    };
    for state in ["exited", "unreachable"] {
        eventually_ok(PATIENCE, state, async || told(check(&admin).await?, state).await).await;
        if state == "exited" {
            cluster.host(0).unreachable();
        }
    }
    cluster.host(0).reachable();
    eventually_ok(PATIENCE, "it is back", async || told(check(&admin).await?, "exited").await).await;
    assert_eq!(admin.send("DELETE", "/api/engines/host-1", "").await.status, 204);
    let listed = holds(&people, 2).await;
    assert!(listed.iter().all(|one| one["engine"]["id"] == "host-2"), "{listed:?}");
    assert_eq!(ann.send("DELETE", "/api/apps/web", "").await.status, 204);
    holds(&people, 0).await;
}
