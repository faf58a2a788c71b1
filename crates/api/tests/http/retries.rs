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

#[tokio::test]
async fn accounts_roles_and_tokens_are_made_once_for_each_key() {
    let cluster = cluster().await;
    for (key, path, body, other) in [
        (
            "account",
            "/api/account",
            r#"{"username":"ann","password":"correct horse battery"}"#,
            r#"{"username":"ann","password":"another horse battery"}"#,
        ),
        (
            "role",
            "/api/roles",
            r#"{"name":"viewer","permissions":["read-engines"]}"#,
            r#"{"name":"viewer","permissions":[]}"#,
        ),
    ] {
        let sender = keyed(&cluster, key);
        let first = sender.post(path, body).await;
        assert_eq!(first.status, 204, "{path}: {first:?}");
        same(&first, &sender.post(path, body).await);
        let reused = sender.post(path, other).await;
        assert_eq!((reused.status, reused.refusal().code.as_str()), (422, "idempotency_key_reused"), "{path}");
        assert_eq!(Sender::admin(&cluster).post(path, body).await.refusal().code, "exists", "{path}");
    }
    let sender = keyed(&cluster, "token");
    let body = r#"{"name":"ci"}"#;
    let first = sender.post("/api/tokens", body).await;
    assert_eq!(first.status, 201, "{first:?}");
    let secret = first.json()["token"].as_str().unwrap().to_owned();
    let again = sender.post("/api/tokens", body).await;
    assert_eq!((again.status, again.refusal().code.as_str()), (409, "token_given"));
    assert!(!again.text.contains(&secret));
    assert_eq!(sender.post("/api/tokens", r#"{"name":"cd"}"#).await.refusal().code, "idempotency_key_reused");
    let tokens = Sender::admin(&cluster).get("/api/tokens").await.json();
    assert_eq!(tokens.as_array().unwrap().iter().filter(|token| token["name"] == "ci").count(), 1);
}

#[tokio::test]
async fn accounts_that_are_asked_for_at_the_same_time_with_one_key_are_one() {
    let cluster = cluster().await;
    let sender = keyed(&cluster, "many");
    let body = |name: &str| format!(r#"{{"username":"{name}","password":"correct horse battery"}}"#);
    let bodies = [body("ann"), body("ann"), body("bob"), body("ann"), body("bob")];
    let answers = futures_util::future::join_all(bodies.iter().map(|body| sender.post("/api/account", body))).await;
    let made = answers.iter().position(|answer| answer.status == 204).expect("somebody was first");
    for (answer, body) in answers.iter().zip(&bodies) {
        match *body == bodies[made] {
            true => assert_eq!(answer.status, 204, "{answer:?}"),
            false => assert_eq!(answer.refusal().code, "idempotency_key_reused"),
        }
    }
    assert_eq!(Sender::admin(&cluster).get("/api/account").await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_kept_of_a_request_lets_nobody_guess_it() {
    use sha2::{Digest, Sha256};
    let cluster = cluster().await;
    let body = r#"{"username":"ann","password":"correct horse battery"}"#;
    assert_eq!(keyed(&cluster, "my-key").post("/api/account", body).await.status, 204);
    let records = cluster.controller().store().list_all("idempotency/").await.unwrap().entries;
    let kept: String =
        records.iter().map(|record| format!("{} {}\n", record.key, String::from_utf8_lossy(&record.value))).collect();
    assert!(kept.contains("idempotency/admin/"), "{kept}");
    let framed = |parts: &[&[u8]]| {
        let hash = parts
            .iter()
            .fold(Sha256::new(), |hash, part| hash.chain_update((part.len() as u64).to_le_bytes()).chain_update(part));
        hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let plain = |text: &[u8]| Sha256::digest(text).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let request = framed(&[b"add-account", body.as_bytes()]);
    for guess in [request, framed(&[b"my-key"]), plain(body.as_bytes()), plain(b"my-key"), "my-key".to_owned()] {
        assert!(!kept.contains(&guess), "{kept}");
    }
}
