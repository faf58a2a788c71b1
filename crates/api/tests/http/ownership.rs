//! What belongs to somebody else: seen without its secrets, and not to be touched.

use crate::raw::{Sender, sample, snapshot};
use pierhead_client::{Change, RunOptions, Started, Wait};
use pierhead_engine::LogLine;
use pierhead_model::Resources;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use pierhead_wire::ImageDescription;

const CANARY: &str = "canary-7f3a";

/// A cluster on which Ann runs two containers that hold a secret; their ids.
async fn with_anns_app() -> (Cluster, Vec<String>) {
    let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
    let image = ImageDescription {
        environment: [("SECRET".to_owned(), CANARY.to_owned())].into(),
        user_data: [("notes".to_owned(), vec![CANARY.to_owned()])].into(),
        ..pierhead_testkit::sample()
    };
    let options = RunOptions { count: Some(2), app: Some("hers".to_owned()), pull: None };
    let ann = cluster.user("ann").await;
    let Started::Ended { answer, .. } = ann.run(&image, &options, &Change::new(Wait::UntilEnded)).await.unwrap() else {
        panic!("it goes on")
    };
    let ids = answer.iter().map(|container| container.id.clone()).collect();
    for (_, host) in cluster.hosts() {
        for container in host.look() {
            let line = LogLine { is_stderr: false, bytes: format!("{CANARY} in a log\n").into_bytes() };
            host.print(&container.id, line).unwrap();
        }
    }
    cluster.assert_invariants().await;
    (cluster, ids)
}

#[tokio::test]
async fn secrets_of_others_are_in_no_answer() {
    let (cluster, ids) = with_anns_app().await;
    let (ann, bob) = (Sender::user(&cluster, "ann").await, Sender::user(&cluster, "bob").await);
    let id = &ids[0];
    let operation = ann.get("/api/operations").await.json()[0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/api/containers".to_owned(),
        "/api/containers?all=true".to_owned(),
        format!("/api/containers/{id}"),
        format!("/api/containers/{id}/explain"),
        "/api/apps".to_owned(),
        "/api/apps/hers".to_owned(),
        "/api/apps/hers/explain".to_owned(),
        "/api/operations".to_owned(),
        format!("/api/operations/{operation}"),
        "/api/events".to_owned(),
        "/api/engines".to_owned(),
        "/api/cluster/info".to_owned(),
    ] {
        let answer = bob.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(!answer.text.contains(CANARY), "{path}: {}", answer.text);
    }
    for reader in [&ann, &Sender::admin(&cluster)] {
        for path in [format!("/api/containers/{id}"), "/api/apps/hers".to_owned(), format!("/api/containers/{id}/logs")]
        {
            assert!(reader.get(&path).await.text.contains(CANARY), "{path}");
        }
    }
    assert!(bob.get("/api/apps/hers").await.text.contains("SECRET"), "that there is a variable is no secret");
}

#[tokio::test]
async fn nobody_but_owner_and_administrator_changes_an_app() {
    let (cluster, ids) = with_anns_app().await;
    let bob = Sender::user(&cluster, "bob").await;
    let id = &ids[0];
    let operation = bob.get("/api/operations").await.json()[0]["id"].as_str().unwrap().to_owned();
    let image = format!(r#"{{"image":{}}}"#, sample());
    let before = snapshot(&cluster).await;
    for (method, path, body) in [
        ("POST", format!("/api/containers/{id}/start"), ""),
        ("GET", format!("/api/containers/{id}/start"), ""),
        ("POST", format!("/api/containers/{id}/stop"), ""),
        ("GET", format!("/api/containers/{id}/stop"), ""),
        ("POST", format!("/api/containers/{id}/restart"), ""),
        ("GET", format!("/api/containers/{id}/restart"), ""),
        ("POST", format!("/api/containers/{id}/scale?count=5"), ""),
        ("GET", format!("/api/containers/{id}/scale?count=0"), ""),
        ("DELETE", format!("/api/containers/{id}"), ""),
        ("GET", format!("/api/containers/{id}/logs"), ""),
        ("POST", "/api/apps/hers/scale?count=0".to_owned(), ""),
        ("PUT", "/api/apps/hers".to_owned(), image.as_str()),
        ("DELETE", "/api/apps/hers".to_owned(), ""),
        ("POST", format!("/api/operations/{operation}/cancel"), ""),
    ] {
        let answer = bob.send(method, &path, body).await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (403, "forbidden"), "{method} {path}");
    }
    let joined = bob.post("/api/containers?app=hers", &sample()).await;
    assert_eq!((joined.status, joined.refusal().code.as_str()), (409, "app_differs"));
    assert_eq!(snapshot(&cluster).await, before);
    assert_eq!(Sender::admin(&cluster).post(&format!("/api/containers/{id}/stop"), "").await.status, 204);
    let ann = Sender::user(&cluster, "ann").await;
    assert_eq!(ann.post(&format!("/api/containers/{id}/start"), "").await.status, 204);
    assert_eq!(ann.send("DELETE", "/api/apps/hers", "").await.status, 204);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn users_get_no_power_over_a_host() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let before = snapshot(&cluster).await;
    for part in [r#""volumes":["/etc:/host-etc"]"#, r#""network_mode":"host""#] {
        let image = format!(r#"{{"name":"pierhead/sample:1",{part}}}"#);
        let set = format!(r#"{{"image":{image}}}"#);
        for answer in [ann.post("/api/containers", &image).await, ann.send("PUT", "/api/apps/hers", set).await] {
            assert_eq!((answer.status, answer.refusal().code.as_str()), (403, "forbidden"), "{part}");
        }
        assert_eq!(snapshot(&cluster).await, before);
    }
    let image = r#"{"name":"pierhead/sample:1","volumes":["/etc:/host-etc:ro"]}"#;
    assert_eq!(admin.post("/api/containers", image).await.status, 200);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_is_not_ours_is_shown_and_its_log_is_the_administrators() {
    let mut cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let theirs = cluster.add_foreign(0, "theirs", Resources::default());
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let path = format!("/api/containers/{theirs}");
    eventually(PATIENCE, "it is seen", async || admin.get(&path).await.status == 200).await;
    let shown = ann.get(&path).await.json();
    assert_eq!((shown["name"].as_str(), shown["app"].as_str()), (Some("/theirs"), None));
    assert_eq!(ann.get(&format!("{path}/logs")).await.status, 403);
    assert_eq!(admin.get(&format!("{path}/logs")).await.status, 200);
    assert_eq!(admin.get(&format!("{path}/explain")).await.status, 404);
    cluster.assert_invariants().await;
}
