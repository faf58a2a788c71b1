//! Lists in parts: every list that the document says has them.

use crate::openapi::operations;
use crate::raw::Sender;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use serde_json::{Value, json};

/// The course whose students are listed.
const COURSE: &str = "cs-101";

/// A pool with some of everything.
async fn cluster() -> (Cluster, Sender) {
    let cluster = Cluster::start(ClusterOptions { hosts: 3, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    for name in ["ann", "bob", "dan"] {
        cluster.user_token(name).await;
        let role = json!({ "name": format!("role-of-{name}"), "permissions": [] }).to_string();
        assert_eq!(admin.post("/api/roles", &role).await.status, 204);
        assert_eq!(admin.post("/api/tokens", &json!({ "name": name }).to_string()).await.status, 201);
        cluster.run(&format!("{name}s-app"), 1, &pierhead_testkit::sample()).await;
    }
    assert_eq!(admin.post("/api/courses", &json!({ "id": COURSE }).to_string()).await.status, 201);
    let students = ["ann", "bob", "dan"].map(|name| json!({ "username": name }));
    let students = json!({ "students": students }).to_string();
    assert_eq!(admin.post(&format!("/api/courses/{COURSE}/students"), &students).await.status, 204);
    cluster.assert_invariants().await;
    eventually(PATIENCE, "hosts have told all", async || {
        admin.get("/api/events?type=start").await.json().as_array().map(Vec::len) == Some(3)
    })
    .await;
    (cluster, admin)
}

fn lists() -> Vec<String> {
    let has_cursor =
        |value: &Value| value["parameters"].as_array().unwrap().iter().any(|parameter| parameter["name"] == "cursor");
    let lists = operations().into_iter().filter(|operation| has_cursor(&operation.value));
    lists.map(|operation| operation.path.replace("{id}", COURSE)).collect()
}

/// Where a part's `Link` leads.
fn next_of(link: &str) -> String {
    let (target, relation) = link.strip_prefix('<').and_then(|link| link.split_once('>')).unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    target.to_owned()
}

/// All entries, two at a time.
async fn in_parts(sender: &Sender, path: &str) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let mut target = format!("{path}{join}limit=2");
    let mut all = Vec::new();
    loop {
        let part = sender.get(&target).await;
        assert_eq!(part.status, 200, "{target}: {part:?}");
        let entries = part.json().as_array().unwrap().clone();
        assert!(entries.len() <= 2 && (!entries.is_empty() || part.link.is_none()), "{target}: {part:?}");
        all.extend(entries);
        match part.link {
            Some(link) => target = next_of(&link),
            None => return all,
        }
    }
}

fn keys(entries: &[Value]) -> Vec<&str> {
    let key = |entry: &'_ Value| ["id", "username", "name", "host"].into_iter().find(|key| entry[*key].is_string());
    entries.iter().map(|entry| entry[key(entry).unwrap()].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_parts_of_every_list_make_the_whole() {
    let (_cluster, admin) = cluster().await;
    let mut looked_at = 0;
    for path in lists() {
        let path = if path == "/api/containers" { format!("{path}?all=true") } else { path };
        let whole = admin.get(&path).await;
        assert_eq!(whole.link, None, "{path}: nobody asked for parts");
        let whole = whole.json().as_array().unwrap().clone();
        let parts = in_parts(&admin, &path).await;
        assert_eq!(keys(&parts), keys(&whole), "{path}");
        looked_at += usize::from(whole.len() > 2);
    }
    assert!(looked_at >= 8, "only {looked_at} lists had more than one part");
}

#[tokio::test]
async fn a_part_that_cannot_be_is_refused() {
    let (_cluster, admin) = cluster().await;
    for path in lists() {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=1001", "limit"),
            ("limit=many", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=nonsense", "cursor"),
            ("limit=1&cursor=%00", "cursor"),
        ] {
            let refused = admin.get(&format!("{path}?{query}")).await;
            let said = (refused.status, refused.refusal().field);
            assert_eq!(said, (400, Some(field.to_owned())), "{path}?{query}: {refused:?}");
        }
    }
    let both = admin.get("/api/events?count=3&limit=2").await;
    assert_eq!(both.refusal().field.as_deref(), Some("count"));
}

#[tokio::test]
async fn a_list_goes_on_although_its_last_entry_is_gone() {
    let (_cluster, admin) = cluster().await;
    let first = admin.get("/api/apps?limit=2").await;
    assert_eq!(keys(first.json().as_array().unwrap()).len(), 2);
    assert_eq!(first.json()[1]["name"], "bobs-app");
    assert_eq!(admin.send("DELETE", "/api/apps/bobs-app", "").await.status, 204);
    let second = admin.get(&next_of(first.link.as_deref().unwrap())).await;
    assert_eq!((second.json()[0]["name"].as_str(), second.link), (Some("dans-app"), None));
}

#[tokio::test]
async fn parts_of_the_log_are_not_moved_by_what_happens_meanwhile() {
    let (_cluster, admin) = cluster().await;
    let before = admin.get("/api/events?count=1000").await.json();
    let first = admin.get("/api/events?limit=3&tag=security").await;
    let seen = first.json().as_array().unwrap().clone();
    let role = json!({ "name": "late", "permissions": [] }).to_string();
    assert_eq!(admin.post("/api/roles", &role).await.status, 204);
    let link = next_of(first.link.as_deref().unwrap());
    assert!(link.contains("tag=security"), "{link}");
    let rest = in_parts(&admin, &link.replace("limit=3&", "")).await;
    let is_security = |event: &&Value| event["tags"].as_array().unwrap().iter().any(|tag| tag == "security");
    let expected: Vec<Value> = before.as_array().unwrap().iter().filter(is_security).cloned().collect();
    assert_eq!(keys(&[seen, rest].concat()), keys(&expected));
}
