//! What belongs to somebody else: seen without its secrets, and not to be touched.

use crate::raw::{Sender, sample, snapshot};
use pierhead_client::{Change, ClientError, RunOptions, Started, Wait};
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
async fn a_named_volume_is_its_owners() {
    let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    for (username, volume, is_own) in [
        ("clare", "clare.data:/d", true),
        ("clare", "clare.data:/d:ro", true),
        ("clare", "/scratch", true),
        ("clare", "bob.data:/d", false),
        ("clare", "bob.data:/d:ro", false),
        ("clare", "data:/d", false),
        ("clare", "clare:/d", false),
        ("clare", "clare.:/d", false),
        ("clare", "clare.b.x:/d", false),
        ("clare", "Clare.data:/d", false),
        ("clare.b", "clare.b.x:/d", true),
        ("clare.b", "clare.data:/d", false),
        ("Clare", "Clare.data:/d", true),
        ("Clare", "clare.data:/d", false),
    ] {
        let sender = Sender::user(&cluster, username).await;
        let image = format!(r#"{{"name":"pierhead/sample:1","volumes":["/cache","{volume}"]}}"#);
        let set = format!(r#"{{"image":{image},"replicas":0}}"#);
        let app = format!("/api/apps/{}", username.to_ascii_lowercase().replace('.', "-"));
        let before = snapshot(&cluster).await;
        let app = if username == "Clare" { "/api/apps/upper".to_owned() } else { app };
        for answer in [sender.post("/api/containers", &image).await, sender.send("PUT", &app, set.clone()).await] {
            let accepted = answer.status < 300;
            assert_eq!(accepted, is_own, "{username}: {volume}: {answer:?}");
            if !accepted {
                let refusal = answer.refusal();
                assert_eq!((answer.status, refusal.code.as_str()), (403, "forbidden"), "{username}: {volume}");
                assert_eq!(refusal.field.as_deref(), Some("volumes[1]"));
                assert!(refusal.message.contains(&format!("such as {username}.data")), "{}", refusal.message);
                assert_eq!(snapshot(&cluster).await, before, "{username}: {volume}");
            }
        }
        // An administrator mounts any.
        assert!(admin.send("PUT", "/api/apps/any", set).await.status < 300, "{volume}");
    }
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

#[tokio::test]
async fn what_happens_to_accounts_is_read_by_who_administers_them() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let mut stream = ann.open("/api/events/stream?since=1d").await;
    let bob = Sender::user(&cluster, "bobs-account").await;
    assert_eq!(admin.post("/api/roles", r#"{"name":"watcher","permissions":[]}"#).await.status, 204);
    assert_eq!(bob.post("/api/tokens", r#"{"name":"bobs-program"}"#).await.status, 201);
    assert_eq!(ann.post("/api/tokens", r#"{"name":"last"}"#).await.status, 201);
    for secret in ["bobs-account", "bobs-program", "watcher"] {
        for path in
            ["/api/events", "/api/events?tag=security&count=1000", "/api/events?limit=500", "/api/events?since=1d"]
        {
            let answer = ann.get(path).await;
            assert!(answer.status == 200 && !answer.text.contains(secret), "{path}: {answer:?}");
        }
        assert!(admin.get("/api/events?tag=security").await.text.contains(secret), "{secret}");
    }
    assert_eq!(ann.get("/api/events?actor=bobs-account").await.json(), serde_json::json!([]));
    let own = ann.get("/api/events?tag=security").await.text;
    assert!(["add-account", "log-in", "add-token"].iter().all(|kind| own.contains(kind)), "{own}");
    let mut told = String::new();
    while !told.contains("name=last") {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("the last one comes");
        told.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
    }
    assert!(!told.contains("bobs-") && !told.contains("watcher"), "{told}");
}

#[tokio::test]
async fn log_ins_are_told_and_what_was_tried_is_not() {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let nobody = Sender::nobody(&cluster);
    let log_in = async |name: &str| {
        let body = serde_json::json!({ "username": name, "password": CANARY }).to_string();
        nobody.post("/auth/login", &body).await.status
    };
    for name in ["ann", "nobody-of-that-name"] {
        assert_eq!(log_in(name).await, 401);
    }
    let odd = "\u{1b}[31m name=ann ".to_owned() + &"x".repeat(500);
    assert_eq!(log_in(&odd).await, 401);
    let refused = |text: &str| {
        let events: serde_json::Value = serde_json::from_str(text).unwrap();
        let told = |event: &serde_json::Value| event["message"].as_str().unwrap().to_owned();
        events.as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let all = admin.get("/api/events?type=log-in-refused").await.text;
    let messages = refused(&all);
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages[0].starts_with(r#"name="\u{1b}[31m name=ann xxx"#) && messages[0].len() < 150, "{messages:?}");
    assert!(messages[1].starts_with("name=nobody-of-that-name address=127.0.0.1 reason="), "{messages:?}");
    assert_eq!(messages[2], messages[1].replace("nobody-of-that-name", "ann"), "alike, whether it is there or not");
    assert!(!all.contains(CANARY) && !all.contains('\u{1b}'), "{all}");
    assert_eq!(refused(&ann.get("/api/events?type=log-in-refused").await.text), [messages[2].clone()]);
    let good = admin.get("/api/events?type=log-in&actor=ann").await.json();
    assert_eq!(good[0]["message"], "name=ann address=127.0.0.1");
    for attempt in 0..40 {
        assert!(log_in("ann").await >= 401, "{attempt}");
    }
    let flood = refused(&admin.get("/api/events?type=log-in-refused&count=100").await.text);
    assert!(flood.len() <= 13, "{}", flood.len());
}

/// Runs a container that is linked to another, and says what came of it: `ran`, or the status, code and field.
async fn link(client: &pierhead_client::Client, target: &str) -> String {
    let image = ImageDescription { links: [(target.to_owned(), "db".to_owned())].into(), ..pierhead_testkit::sample() };
    let options = RunOptions { count: Some(1), app: None, pull: None };
    match client.run(&image, &options, &Change::new(Wait::UntilEnded)).await {
        Ok(Started::Ended { .. }) => "ran".to_owned(),
        Ok(Started::Running(operation)) => panic!("{} goes on", operation.id),
        Err(ClientError::Refused { status, body }) => {
            format!("{status} {} {}", body.code, body.field.unwrap_or_default())
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn only_own_containers_are_linked_to() {
    let (mut cluster, _) = with_anns_app().await;
    cluster.add_foreign(0, "theirs", Resources::default());
    cluster.run("admins", 1, &pierhead_testkit::sample()).await;
    let (ann, bob, admin) = (cluster.user("ann").await, cluster.user("bob").await, cluster.admin());
    let forbidden = "403 forbidden links";
    for (who, client, target, expected) in [
        ("user/own", &ann, "hers.0.1", "ran"),
        ("user/other", &bob, "hers.0.1", forbidden),
        ("user/admin's", &bob, "admins.0.1", forbidden),
        ("user/foreign", &ann, "theirs", forbidden),
        ("user/nothing", &bob, "nothing.0.1", "409 no_room "),
        ("admin/other", &admin, "hers.0.1", "ran"),
        ("admin/foreign", &admin, "theirs", "ran"),
    ] {
        eventually(PATIENCE, "the container is known", async || {
            target == "nothing.0.1"
                || cluster
                    .controller()
                    .known()
                    .world
                    .engines()
                    .values()
                    .any(|state| state.containers.values().any(|container| container.name == target))
        })
        .await;
        assert_eq!(link(client, target).await, expected, "{who}");
    }
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn a_name_that_passed_to_somebody_else_is_not_linked_to() {
    let (cluster, _) = with_anns_app().await;
    let (ann, bob, admin) = (cluster.user("ann").await, cluster.user("bob").await, cluster.admin());
    let to_the_end = || Change::new(Wait::UntilEnded);
    let named = |name: &str| RunOptions { count: Some(1), app: Some(name.to_owned()), pull: None };
    bob.run(&pierhead_testkit::sample(), &named("db"), &to_the_end()).await.unwrap();
    let linked =
        ImageDescription { links: [("db.0.1".to_owned(), "db".to_owned())].into(), ..pierhead_testkit::sample() };
    bob.run(&linked, &named("his"), &to_the_end()).await.unwrap();
    admin.delete_app("db", &to_the_end()).await.unwrap();
    ann.run(&pierhead_testkit::sample(), &named("db"), &to_the_end()).await.unwrap();
    let (status, body) = match bob.scale_app("his", 2, &to_the_end()).await {
        Err(ClientError::Refused { status, body }) => (status, body),
        other => panic!("it is linked to hers: {other:?}"),
    };
    assert_eq!((status, body.code.as_str()), (409, "no_room"), "{body:?}");
    cluster.assert_invariants().await;
}
