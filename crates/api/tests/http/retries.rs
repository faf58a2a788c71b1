//! Requests that are sent again: done once, whatever becomes of the answers.

use crate::raw::{Answer, Sender, sample};
use pierhead_testkit::{Cluster, ClusterOptions};

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await
}

fn keyed(cluster: &Cluster, key: &str) -> Sender {
    Sender::admin(cluster).header("idempotency-key", key)
}

fn containers(cluster: &Cluster) -> usize {
    cluster.hosts().map(|(_, host)| host.look().len()).sum()
}

fn same(one: &Answer, other: &Answer) {
    assert_eq!((one.status, &one.location), (other.status, &other.location), "{one:?} {other:?}");
}

#[tokio::test]
async fn a_retry_finds_the_same_operation() {
    let cluster = cluster().await;
    let sender = keyed(&cluster, "one");
    let first = sender.post("/api/containers?app=web&count=2", &sample()).await;
    let second = sender.post("/api/containers?app=web&count=2", &sample()).await;
    same(&first, &second);
    assert_eq!((first.status, first.json()), (200, second.json()));
    assert_eq!(containers(&cluster), 2);
    let later = sender.post("/api/containers?app=web&count=2&wait=0", &sample()).await;
    assert_eq!(later.location, first.location, "how long somebody waits is not what they ask for");
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn requests_at_the_same_time_with_one_key_are_one() {
    let cluster = cluster().await;
    let sender = keyed(&cluster, "many");
    let body = sample();
    let requests = (0..10).map(|_| sender.post("/api/containers?app=web&count=2", &body));
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        same(answer, &answers[0]);
        assert_eq!(answer.status, 200);
    }
    assert_eq!(containers(&cluster), 2);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_key_is_good_for_one_request_of_one_person() {
    let cluster = cluster().await;
    let sender = keyed(&cluster, "mine");
    assert_eq!(sender.post("/api/containers?app=web&count=2", &sample()).await.status, 200);
    for (method, path) in [
        ("POST", "/api/containers?app=web&count=3"),
        ("POST", "/api/containers?app=other&count=2"),
        ("POST", "/api/apps/web/scale?count=2"),
        ("DELETE", "/api/apps/web"),
    ] {
        let answer =
            sender.send(method, path, if path.starts_with("/api/containers") { sample() } else { String::new() });
        let answer = answer.await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (422, "idempotency_key_reused"), "{method} {path}");
    }
    let ann = Sender::user(&cluster, "ann").await.header("idempotency-key", "mine");
    assert_eq!(ann.post("/api/containers?app=hers&count=1", &sample()).await.status, 200, "keys are each one's own");
    assert_eq!(containers(&cluster), 3);
    for bad in ["", &"k".repeat(256)] {
        let answer = keyed(&cluster, bad).post("/api/containers?app=web", &sample()).await;
        assert_eq!((answer.status, answer.refusal().field.as_deref()), (400, Some("Idempotency-Key")));
    }
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_retry_of_what_failed_fails_the_same_way() {
    let cluster = cluster().await;
    let sender = keyed(&cluster, "too-much");
    let large = r#"{"name":"pierhead/sample:1","memory":9000}"#;
    let first = sender.post("/api/containers?app=large", large).await;
    let second = sender.post("/api/containers?app=large", large).await;
    same(&first, &second);
    assert_eq!((first.status, first.refusal()), (409, second.refusal()));
}

/// Sends a change with its key, and once more when what it is about is gone.
async fn twice(cluster: &Cluster, key: &str, method: &str, path: &str) {
    let sender = keyed(cluster, key);
    let first = sender.send(method, path, "").await;
    assert_eq!(first.status, 204, "{first:?}");
    same(&first, &sender.send(method, path, "").await);
}

#[tokio::test]
async fn a_retry_about_what_is_gone_by_now_is_answered_as_before() {
    let cluster = cluster().await;
    let made = cluster.run("web", 3, &pierhead_testkit::sample()).await;
    twice(&cluster, "scale", "POST", &format!("/api/containers/{}/scale?count=2", made[2].id)).await;
    // Which one was the newest is the hosts' to say.
    let left = cluster.admin().containers(false).await.unwrap().into_value();
    twice(&cluster, "destroy", "DELETE", &format!("/api/containers/{}", left[0].id)).await;
    twice(&cluster, "delete", "DELETE", "/api/apps/web").await;
    for container in &made {
        assert_eq!(Sender::admin(&cluster).get(&format!("/api/containers/{}", container.id)).await.status, 404);
    }
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_retry_about_an_engine_is_answered_as_before() {
    let cluster = cluster().await;
    let engine = keyed(&cluster, "engine");
    let body = r#"{"id":"new","addr":"http://10.0.0.99:2375"}"#;
    let first = engine.post("/api/engines", body).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(engine.post("/api/engines", body).await.status, 201);
    assert_eq!(Sender::admin(&cluster).post("/api/engines", body).await.status, 409, "without the key it is another");
    let other = engine.post("/api/engines", r#"{"id":"other","addr":"http://10.0.0.98:2375"}"#).await;
    assert_eq!((other.status, other.refusal().code.as_str()), (422, "idempotency_key_reused"));
    for _ in 0..2 {
        let gone = keyed(&cluster, "gone").send("DELETE", "/api/engines/new", "").await;
        assert_eq!(gone.status, 204, "{gone:?}");
    }
}

#[tokio::test]
async fn a_retry_tells_again_that_the_app_is_new() {
    let cluster = cluster().await;
    let body = format!(r#"{{"image":{}}}"#, sample());
    for _ in 0..2 {
        assert_eq!(keyed(&cluster, "new").send("PUT", "/api/apps/web", body.clone()).await.status, 201);
    }
    assert_eq!(keyed(&cluster, "old").send("PUT", "/api/apps/web", body).await.status, 200);
    assert_eq!(containers(&cluster), 1);
}

#[tokio::test]
async fn keys_outlive_the_controller() {
    let mut cluster = cluster().await;
    let first = keyed(&cluster, "one").post("/api/containers?app=web&count=2", &sample()).await;
    cluster.assert_invariants().await;
    cluster.crash().await;
    cluster.restart().await;
    let second = keyed(&cluster, "one").post("/api/containers?app=web&count=2", &sample()).await;
    assert_eq!(first.location, second.location);
    assert_eq!(containers(&cluster), 2);
    cluster.assert_invariants().await;
}
