//! Environments and saves: described, listed, compared, made of one another, forgotten.

use crate::scripted::Reply;
use crate::session::{Ran, Session};
use serde_json::{Value, json};

fn environment() -> Value {
    json!({"id": "lab", "owner": "ann", "visibility": "shared", "version": 2, "description": {"containers": [{"name":
        "main", "image": "alpine:latest", "cpus": 0.5, "memory": 64.0}], "lifetime_minutes": 60, "idle_minutes": 0,
        "warm": 2}, "warm_ready": 1, "unconfined": ["root, to install packages"],
        "created_at": "2026-01-01T00:00:00.000Z", "changed_at": "2026-01-02T00:00:00.000Z"})
}

fn save(id: &str, state: &str) -> Value {
    json!({"id": id, "name": "before\u{1b}[2J", "owner": "ann", "workspace": "k3f5a2bq7x", "environment": "lab",
        "version": 2, "automatic": state != "complete", "state": state, "why": "only one host has it", "bytes": 1_500_000,
        "containers": [{"name": "main", "image": "i", "image_id": "sha256:1", "base": "alpine:latest", "bytes": 1_500_000}],
        "copies": ["host-1"], "moved_bytes": 0, "created_at": "2026-01-01T00:00:00.000Z"})
}

async fn with_environment() -> Session {
    let session = Session::start().await;
    session.server.on("POST /api/environments", Reply::Json(201, environment().to_string()));
    session.server.json("GET /api/environments", json!([environment()]));
    session.server.json("GET /api/environments/lab", environment());
    session.server.json("PUT /api/environments/lab", environment());
    session
}

fn failed(ran: &Ran, code: u8, words: &str) {
    assert!(ran.code == code && ran.out.is_empty() && ran.err.contains(words), "{words}: {ran:?}");
}

/// The body of the last request.
fn sent(session: &Session) -> Value {
    serde_json::from_str(&session.server.asked().pop().unwrap().body).unwrap()
}

#[tokio::test]
async fn one_is_described_by_an_image_a_file_or_nothing() {
    let mut session = with_environment().await;
    let made = session.run("environment create lab --image alpine --startup true").await;
    assert_eq!(made.out, "environment lab is there; open it: pierhead workspace open lab\n", "{made:?}");
    let container = json!([{"name": "", "image": "alpine", "startup": "true"}]);
    let expected = json!({"name": "lab", "visibility": "private", "description": {"containers": container}});
    assert_eq!(sent(&session), expected);
    assert_eq!(session.run("environment add lab --visibility shared").await.code, 0);
    let expected = json!({"containers": [{"name": "", "image": ""}]});
    assert_eq!(sent(&session)["description"], expected, "the default image");
    let file = session.folder.path().join("lab.json");
    std::fs::write(&file, session.run("environment show lab --json").await.out).unwrap();
    let set = session.run(&format!("environment set lab -f {}", file.display())).await;
    assert_eq!(set.out, "environment lab is of version 2 and shared\n", "{set:?}");
    assert_eq!(sent(&session), json!({"description": environment()["description"]}), "as show printed it");
    assert_eq!(session.run("environment set lab --visibility private").await.code, 0);
    assert_eq!(sent(&session), json!({"visibility": "private"}), "what is not named stays");
    session.input = r#"{"containers":[{"image":"httpd"}],"warm":3}"#;
    assert_eq!(session.run("environment create lab -f -").await.code, 0);
    assert_eq!(sent(&session)["description"]["warm"], 3, "from standard input");
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_before_anything_is_asked() {
    let mut session = with_environment().await;
    let file = session.folder.path().join("lab.json");
    for verb in ["create", "set"] {
        let ran = session.run(&format!("environment {verb} lab -f /nowhere/at/all.json")).await;
        failed(&ran, 1, "cannot read /nowhere/at/all.json");
        assert!(ran.err.contains("hint: name a file that you can read"), "{ran:?}");
        for (text, why) in [
            ("no JSON", "line 1 column 2"),
            (r#"{"containers":[],"colour":"red"}"#, "unknown field `colour`"),
            (r#"{"containers":[{"memory":"much"}]}"#, "invalid type"),
            (r#"{"id":"lab","description":{}}"#, "missing field `containers`"),
        ] {
            std::fs::write(&file, text).unwrap();
            let ran = session.run(&format!("environment {verb} lab -f {}", file.display())).await;
            failed(&ran, 2, "is no description of an environment");
            assert!(ran.err.contains(why) && ran.err.contains("environment show NAME --json"), "{why}: {ran:?}");
        }
        session.input = "{";
        failed(&session.run(&format!("environment {verb} lab -f -")).await, 2, "- is no description");
    }
    assert!(session.server.asked().is_empty());
}

#[tokio::test]
async fn environments_are_listed_and_shown() {
    let session = with_environment().await;
    for line in ["environment", "environments list"] {
        let out = session.run(line).await.out;
        assert!(out.contains("alpine:latest") && out.contains("root, to install packages"), "{out}");
    }
    let shown = session.run("environment inspect lab").await.out;
    assert!(shown.contains("1 of 2 ready") && shown.contains("main (alpine:latest, 0.5 CPU, 64 MB)"), "{shown}");
    assert!(!shown.contains("idle for"), "never is not a number of minutes: {shown}");
    let missing = session.run("environment show nothing").await;
    failed(&missing, 3, "hint: what there is: pierhead environment ls\n");
    session.server.json("GET /api/environments?limit=5", "[]");
    let none = session.run("environment ls --limit 5").await.out;
    assert_eq!(none, "No environments. Describe one: pierhead environment create NAME --image IMAGE\n");
    assert_eq!(session.run("environment ls --limit 5 --json").await.out, "[]\n");
}

#[tokio::test]
async fn an_environment_that_is_anothers_or_there_already_stays() {
    let session = Session::start().await;
    session.server.refuse("POST /api/environments", 409, "exists", "there is an environment lab");
    let there = session.run("environment create lab").await;
    failed(&there, 4, "hint: choose another name, or change that environment: pierhead environment set NAME");
    session.server.refuse("PUT /api/environments/lab", 403, "forbidden", "lab is ann's");
    failed(&session.run("environment set lab --image httpd").await, 5, "error: lab is ann's");
    session.server.refuse("DELETE /api/environments/lab", 403, "forbidden", "lab is ann's");
    failed(&session.run("environment rm lab --yes").await, 5, "ask an administrator");
    let body = r#"{"code":"invalid","message":"memory is a number of MB","field":"containers.memory"}"#;
    session.server.on("PUT /api/environments/odd", Reply::Json(422, body.to_owned()));
    let odd = session.run("environment set odd --image httpd --json").await;
    let told: Value = serde_json::from_str(&odd.err).unwrap();
    assert_eq!((odd.code, &told["field"]), (1, &json!("containers.memory")), "{odd:?}");
}

#[tokio::test]
async fn saves_are_listed_and_say_what_they_are_worth() {
    let session = Session::start().await;
    let mut complete = save("x-1", "complete");
    complete["registry"] = json!("registry.lan:5000/school/pool/pierhead/save");
    session.server.json("GET /api/saves", json!([complete, save("x-2", "single-copy")]));
    session.server.json("GET /api/saves/x-2", save("x-2", "single-copy"));
    session.server.json("GET /api/saves?limit=1", "[]");
    for line in ["save", "saves ls"] {
        let out = session.run(line).await.out;
        let lines: Vec<&str> = out.lines().collect();
        assert!(
            lines.len() == 3 && lines[1].contains("complete ") && lines[2].contains("single-copy, automatic"),
            "{out}"
        );
        assert!(lines[0].contains("PLACES"), "{out}");
        assert!(lines[1].contains("  host-1, registry.lan:5000  ") && lines[2].contains("  host-1  "), "{out}");
        assert!(out.contains(r"before\x1b[2J") && out.contains("1.5 MB") && !out.contains('\x1b'), "{out}");
    }
    let shown = session.run("save show x-2").await.out;
    assert!(shown.contains("only one host has it") && shown.contains("main (1.5 MB over alpine:latest)"), "{shown}");
    let none = session.run("save ls --limit 1").await.out;
    assert_eq!(none, "No saves. Save a workspace: pierhead workspace save WORKSPACE\n");
    let told: Value = serde_json::from_str(&session.run("save ls --json").await.out).unwrap();
    assert_eq!(told[1]["state"], "single-copy");
    failed(&session.run("save show x-9").await, 3, "hint: what there is: pierhead save ls\n");
}

#[tokio::test]
async fn saves_are_compared_with_their_environment_or_an_earlier_one() {
    let session = Session::start().await;
    let file = |path: &str, kind: &str, is_folder: bool| {
        json!({"path": path, "kind": kind, "is_folder": is_folder,
        "bytes_before": 7, "bytes": 9})
    };
    let files =
        json!([file("/a\n+ /b\u{1b}[2K", "added", false), file("/c", "changed", true), file("/d", "removed", false)]);
    let main = json!({"container": "main", "added": 1, "changed": 1, "removed": 4, "files": files});
    session.server.json("GET /api/saves/x-2/changes", json!([main]));
    session.server.json("GET /api/saves/x-2/changes?since=x-1", "[]");
    let out = session.run("save diff x-2").await.out;
    assert!(out.starts_with("main: 1 added, 1 changed, 4 removed\n"), "{out}");
    assert!(out.contains("~ /c  folder\n- /d  7 bytes\nand 3 more\n") && !out.contains('\x1b'), "{out}");
    assert_eq!(out.lines().count(), 5, "a file's name makes no line of its own: {out}");
    assert_eq!(session.run("save changes x-2 --since x-1").await.out, "nothing differs\n");
    assert_eq!(session.run("save changes x-2 --since x-1 --json").await.out, "[]\n");
    session.server.refuse("GET /api/saves/x-3/changes", 503, "unreachable", "no host that answers has it");
    failed(&session.run("save changes x-3").await, 1, "hint: try again soon; which hosts answer: pierhead engine ls");
}

#[tokio::test]
async fn an_environment_is_made_of_a_save_and_a_save_in_use_stays() {
    let session = Session::start().await;
    session.server.on("POST /api/saves/x-1/environment", Reply::Json(201, environment().to_string()));
    let made = session.run("save environment x-1 lab").await;
    assert_eq!(made.out, "environment lab is there; open it: pierhead workspace open lab\n", "{made:?}");
    assert_eq!(sent(&session), json!({"name": "lab"}));
    assert!(session.server.asked()[0].key.is_some(), "asked twice it is made once");
    session.server.refuse("POST /api/saves/x-2/environment", 409, "exists", "there is an environment lab");
    failed(&session.run("save environment x-2 lab").await, 4, "pierhead environment ls");
    session.server.refuse("DELETE /api/saves/x-1", 409, "conflict", "k3f5a2bq7x begins from it");
    failed(&session.run("save rm x-1 --yes").await, 4, "error: k3f5a2bq7x begins from it");
    let gone = session.run("save rm x-9 --yes --json").await;
    let told: Value = serde_json::from_str(&gone.err).unwrap();
    assert_eq!((gone.code, &told["exit_code"]), (3, &json!(3)), "{gone:?}");
}
