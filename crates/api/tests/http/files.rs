//! Files of workspaces: who may do what with them, in which words it is asked, and what is refused before a host is asked.

use crate::lab::Lab;
use serde_json::{Value, json};

struct Bed {
    lab: Lab,
    files: String,
}

impl Bed {
    async fn set() -> Self {
        let lab = Lab::open(1).await;
        lab.describe("lab", "shared").await;
        let id = lab.workspace().await;
        lab.is_ready(&id).await;
        Self { lab, files: format!("/api/workspaces/{id}/files") }
    }

    fn content(&self, path: &str) -> String {
        format!("{}/content?path={path}", self.files)
    }

    fn at(&self, path: &str) -> String {
        format!("{}?path={path}", self.files)
    }

    async fn names(&self, folder: &str) -> Vec<String> {
        let listed = self.lab.ann.get(&self.at(folder)).await.json();
        let name = |entry: &Value| entry["name"].as_str().unwrap().to_owned();
        listed["entries"].as_array().unwrap().iter().map(name).collect()
    }
}

#[tokio::test]
async fn files_are_written_read_moved_and_removed() {
    let bed = Bed::set().await;
    let ann = &bed.lab.ann;
    let made = ann.post(&bed.files, r#"{"path":"/srv/ann","parents":true}"#).await;
    assert_eq!((made.status, made.json()["kind"].as_str()), (201, Some("folder")), "{made:?}");
    let written = ann.send("PUT", &bed.content("/srv/ann/a%2520b"), "hello").await;
    assert_eq!(written.status, 200, "{written:?}");
    let view = written.json();
    assert_eq!((view["name"].as_str(), view["path"].as_str()), (Some("a b"), Some("/srv/ann/a b")));
    assert_eq!((view["bytes"].as_u64(), view["mode"].as_str()), (Some(5), Some("0644")));
    let read = ann.open(&bed.content("/srv/ann/a%20b")).await;
    let header = |name: &str| read.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("content-type").as_str(), header("content-length").as_str()), ("application/octet-stream", "5"));
    assert_eq!(header("etag"), format!("\"{}\"", view["etag"].as_str().unwrap()));
    assert_eq!(header("content-disposition"), "attachment; filename*=UTF-8''a%20b");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(read.text().await.unwrap(), "hello");
    let moved = json!({ "path": "/srv/ann/a b", "to": "/srv/ann/c" }).to_string();
    assert_eq!(ann.post(&format!("{}/move", bed.files), &moved).await.json()["path"], "/srv/ann/c");
    assert_eq!(ann.post(&format!("{}/move", bed.files), &moved).await.refusal().code, "no_such_file");
    assert_eq!(bed.names("/srv/ann").await, ["c"]);
    let packed = ann.open(&format!("{}&archive=tar", bed.content("/srv/ann"))).await;
    assert_eq!(packed.headers()["content-disposition"], "attachment; filename*=UTF-8''ann.tar");
    assert!(packed.bytes().await.unwrap().windows(5).any(|part| part == b"hello"));
    assert_eq!(ann.send("DELETE", &bed.at("/srv/ann"), "").await.refusal().code, "not_empty");
    assert_eq!(ann.send("DELETE", &format!("{}&recursive=true", bed.at("/srv/ann")), "").await.status, 204);
    assert_eq!(ann.get(&bed.content("/srv/ann/c")).await.refusal().code, "no_such_file");
    assert_eq!(bed.names("/").await, ["srv"]);
}

#[tokio::test]
async fn who_saves_over_somebody_elses_words_is_told() {
    let bed = Bed::set().await;
    let path = bed.content("/srv/a");
    let new = bed.lab.ann.clone().header("if-none-match", "*");
    let first = new.send("PUT", &path, "one").await.json()["etag"].as_str().unwrap().to_owned();
    assert_eq!(new.send("PUT", &path, "two").await.refusal().code, "exists");
    let after = |etag: &str| bed.lab.carl.clone().header("if-match", format!("\"{etag}\""));
    let second = after(&first).send("PUT", &path, "two").await;
    assert_eq!(second.status, 200, "a driver writes too: {second:?}");
    let refused = bed.lab.ann.clone().header("if-match", format!("\"{first}\"")).send("PUT", &path, "three").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (412, "changed"));
    assert_eq!(bed.lab.ann.get(&path).await.text, "two");
}

#[tokio::test]
async fn viewers_look_drivers_work_and_nobody_else_knows_of_it() {
    let bed = Bed::set().await;
    assert_eq!(bed.lab.ann.send("PUT", &bed.content("/srv/a"), "mine").await.status, 200);
    let make = r#"{"path":"/srv/x","parents":true}"#;
    let moved = r#"{"path":"/srv/a","to":"/srv/a","replace":true}"#;
    let to_move = format!("{}/move", bed.files);
    for (name, sender, look, change) in [
        ("bob", &bed.lab.bob, 200, 403),
        ("carl", &bed.lab.carl, 200, 200),
        ("admin", &bed.lab.admin, 200, 200),
        ("eve", &bed.lab.eve, 404, 404),
    ] {
        assert_eq!(sender.get(&bed.at("/srv")).await.status, look, "{name}");
        assert_eq!(sender.get(&bed.content("/srv/a")).await.status, look, "{name}");
        assert_eq!(sender.get(&format!("{}&archive=zip", bed.content("/srv"))).await.status, look, "{name}");
        assert_eq!(sender.send("PUT", &bed.content("/srv/b"), name).await.status, change, "{name}");
        let made = if change == 200 { 201 } else { change };
        assert_eq!(sender.post(&bed.files, make).await.status, made, "{name}");
        assert_eq!(sender.post(&to_move, moved).await.status, change, "{name}");
        let gone = if change == 200 { 204 } else { change };
        assert_eq!(sender.send("DELETE", &bed.at("/srv/x"), "").await.status, gone, "{name}");
    }
    assert_eq!(bed.names("/srv").await, ["a", "b"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_named() {
    let bed = Bed::set().await;
    let ann = &bed.lab.ann;
    for path in ["", "srv", "/srv/../etc", "/..", "/a%2500", "/%25", "/%25ZZ", "/a%00"] {
        for (method, target) in [("GET", bed.at(path)), ("PUT", bed.content(path)), ("DELETE", bed.at(path))] {
            let refusal = ann.send(method, &target, "x").await.refusal();
            assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some("path")), "{method} {path}");
            assert!(refusal.message.contains("begins with /"), "{}", refusal.message);
        }
    }
    let content = format!("{}/content", bed.files);
    for (method, target, body, field) in [
        ("GET", content.clone(), "", "path"),
        ("PUT", content.clone(), "", "path"),
        ("DELETE", bed.files.clone(), "", "path"),
        ("GET", format!("{}&archive=rar", bed.content("/srv")), "", "archive"),
        ("PUT", format!("{}&mode=4755", bed.content("/srv/a")), "", "mode"),
        ("PUT", format!("{}&parents=perhaps", bed.content("/srv/a")), "", "parents"),
        ("GET", format!("{}&container=No%20Name", bed.at("/")), "", "container"),
        ("GET", format!("{}&depth=2", bed.at("/")), "", "depth"),
        ("POST", bed.files.clone(), r#"{"path":"/a/../b"}"#, "path"),
        ("POST", format!("{}/move", bed.files), r#"{"path":"/a","to":"b"}"#, "to"),
    ] {
        let refusal = ann.send(method, &target, body).await.refusal();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some(field)), "{method} {target}");
    }
    let odd = ann.clone().header("if-match", "unquoted");
    assert_eq!(odd.send("PUT", &bed.content("/srv/a"), "x").await.refusal().field.as_deref(), Some("if-match"));
    let refusal = ann.get(&format!("{}&container=none", bed.at("/"))).await.refusal();
    assert_eq!((refusal.code.as_str(), refusal.message.contains("no container none")), ("not_found", true));
    assert_eq!(bed.names("/srv").await, Vec::<String>::new(), "nothing was changed");
}

#[tokio::test]
async fn one_that_does_not_run_has_no_files_to_show() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let id = lab.workspace().await;
    let refusal = lab.ann.get(&format!("/api/workspaces/{id}/files")).await.refusal();
    assert_eq!(refusal.code, "not_running");
    let written = lab.ann.send("PUT", &format!("/api/workspaces/{id}/files/content?path=/a"), vec![0; 3 << 20]).await;
    assert_eq!(written.refusal().code, "not_running", "whoever is sending hears it");
}
