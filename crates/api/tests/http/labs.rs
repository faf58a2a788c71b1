//! Labs: written file by file and as a whole, published, and seen by those who may.

use crate::raw::{Answer, Sender, snapshot};
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::{Value, json};

pub(crate) const HEAD: &str =
    "title: Shell\nsummary: Look around.\ncontainers:\n  - {name: main, image: \"alpine:3.22\"}\nminutes: 20\n";

/// A pool without hosts, and people who write labs.
pub(crate) struct Bed {
    pub(crate) cluster: Cluster,
    pub(crate) admin: Sender,
    pub(crate) ann: Sender,
    pub(crate) bob: Sender,
}

impl Bed {
    pub(crate) async fn set() -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
        let (ann, bob) = (Sender::user(&cluster, "ann").await, Sender::user(&cluster, "bob").await);
        Self { admin: Sender::admin(&cluster), ann, bob, cluster }
    }

    /// The same with ann's lab `shell`.
    pub(crate) async fn with_lab() -> Self {
        let bed = Self::set().await;
        let made = bed.ann.post("/api/labs", r#"{"id":"shell","title":"Shell"}"#).await;
        assert_eq!(made.status, 201, "{made:?}");
        bed
    }
}

/// Writes a file of ann's lab without asking what is there.
pub(crate) async fn put(sender: &Sender, path: &str, content: impl Into<Vec<u8>>) -> Answer {
    sender.send("PUT", &content_of(path), content).await
}

pub(crate) fn content_of(path: &str) -> String {
    format!("/api/labs/shell/files/content?path={path}")
}

pub(crate) fn only(sender: &Sender, digest: &str) -> Sender {
    sender.clone().header("if-match", format!("\"{digest}\""))
}

pub(crate) fn digest_of(answer: &Answer) -> String {
    answer.json()["digest"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

async fn lab(sender: &Sender) -> Value {
    sender.get("/api/labs/shell").await.json()
}

async fn paths(sender: &Sender, version: &str) -> Vec<String> {
    let listed = sender.get(&format!("/api/labs/shell/files?version={version}")).await.json();
    listed.as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_lab_is_made_written_and_published() {
    let bed = Bed::with_lab().await;
    let begun = lab(&bed.ann).await;
    assert_eq!((begun["title"].as_str(), begun["draft"]["revision"].as_u64()), (Some("Shell"), Some(1)));
    assert_eq!(paths(&bed.ann, "draft").await, ["lab.yaml", "steps/01-first.md"]);
    // What it begins with is a lab that could be published.
    let outline = bed.ann.get("/api/labs/shell/outline").await.json();
    assert_eq!(
        (outline["problems"].as_array().unwrap().len(), outline["steps"][0]["title"].as_str()),
        (0, Some("First step"))
    );
    let written = put(&bed.ann, "lab.yaml", HEAD.replace("Shell", "The shell")).await;
    assert_eq!((written.status, written.json()["path"].as_str()), (200, Some("lab.yaml")), "{written:?}");
    let step =
        "---\nchecks:\n  - {title: It is there, run: test -e /tmp/x}\n---\n# Second\n\nMake `touch /tmp/x`{run}.\n";
    assert_eq!(put(&bed.ann, "steps/02-second.md", step).await.status, 201);
    assert_eq!(lab(&bed.ann).await["title"], "The shell", "the record has the title of the draft");
    let published = bed.ann.post("/api/labs/shell/publish", r#"{"note":"first"}"#).await;
    assert_eq!(published.status, 200, "{published:?}");
    let version = &published.json()["versions"][0];
    assert_eq!(
        (version["number"].as_u64(), version["steps"].as_u64(), version["note"].as_str()),
        (Some(1), Some(2), Some("first"))
    );
    // Once more is the same.
    let again = bed.ann.post("/api/labs/shell/publish", r#"{"note":"again"}"#).await.json();
    assert_eq!(again["versions"].as_array().unwrap().len(), 1);
    let environment = bed.ann.get("/api/environments/lab-shell").await.json();
    assert_eq!((environment["owner"].as_str(), environment["visibility"].as_str()), (Some("ann"), Some("private")));
    assert_eq!(environment["description"]["containers"][0]["image"], "alpine:3.22");
    // The draft goes on, what is published stays.
    assert_eq!(put(&bed.ann, "steps/03-third.md", "# Third\n").await.status, 201);
    assert_eq!((paths(&bed.ann, "1").await.len(), paths(&bed.ann, "draft").await.len()), (3, 4));
    let page = bed.ann.get("/api/labs/shell/pages/1?version=1").await.json();
    assert_eq!((page["title"].as_str(), page["blocks"][0]["kind"].as_str()), (Some("Second"), Some("run")), "{page}");
    assert_eq!(page["checks"][0]["title"], "It is there");
    assert_eq!(bed.ann.get("/api/labs/shell/pages/2?version=1").await.refusal().code, "not_found");
}

#[tokio::test]
async fn of_two_who_write_one_file_one_is_told() {
    let bed = Bed::with_lab().await;
    assert_eq!(bed.ann.send("PUT", "/api/labs/shell", r#"{"authors":["bob"]}"#).await.status, 200);
    let path = "steps/01-first.md";
    let first = digest_of(&put(&bed.ann, path, "# One\n").await);
    let (by_ann, by_bob) = (only(&bed.ann, &first), only(&bed.bob, &first));
    let (one, other) = tokio::join!(put(&by_ann, path, "# By ann\n"), put(&by_bob, path, "# By bob\n"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{one:?} {other:?}");
    let (won, lost, winner) = if one.status == 200 { (one, other, "ann") } else { (other, one, "bob") };
    let refusal = lost.refusal();
    assert_eq!(refusal.code, "changed_meanwhile");
    assert!(refusal.message.contains(path) && refusal.message.contains(&format!("by {winner}, at ")), "{refusal:?}");
    let there = bed.ann.get(&content_of(path)).await.text;
    assert_eq!(there, format!("# By {winner}\n"));
    // Whoever merged by hand writes over what they have seen.
    let merged = put(&only(&bed.bob, &digest_of(&won)), path, "# Both\n").await;
    assert_eq!(merged.status, 200, "{merged:?}");
    // A repetition of what is there is no quarrel, as after an answer that was lost.
    assert_eq!(put(&only(&bed.bob, &digest_of(&won)), path, "# Both\n").await.status, 200);
    // Other files are nobody's business.
    let (one, other) = tokio::join!(put(&bed.ann, "a.md", "a"), put(&bed.bob, "b.md", "b"));
    assert_eq!((one.status, other.status), (201, 201));
    let absent = bed.ann.clone().header("if-none-match", "*");
    assert_eq!(put(&absent, "a.md", "new").await.refusal().code, "changed_meanwhile");
    assert_eq!(put(&absent, "c.md", "new").await.status, 201);
}

#[tokio::test]
async fn what_others_may_not_see_is_not_there() {
    let bed = Bed::with_lab().await;
    let hidden = [
        ("GET", "/api/labs/shell", ""),
        ("GET", "/api/labs/shell/outline", ""),
        ("GET", "/api/labs/shell/files", ""),
        ("GET", "/api/labs/shell/files/content?path=lab.yaml", ""),
        ("PUT", "/api/labs/shell/files/content?path=lab.yaml", "x"),
        ("GET", "/api/labs/shell/archive", ""),
        ("PUT", "/api/labs/shell", r#"{"authors":["bob"]}"#),
        ("POST", "/api/labs/shell/publish", "{}"),
        ("DELETE", "/api/labs/shell", ""),
    ];
    let before = snapshot(&bed.cluster).await;
    for (method, path, body) in hidden {
        assert_eq!(bed.bob.send(method, path, body).await.refusal().code, "not_found", "{method} {path}");
    }
    // Shared, and nothing of it is published yet.
    assert_eq!(bed.ann.send("PUT", "/api/labs/shell", r#"{"visibility":"shared"}"#).await.status, 200);
    assert_eq!(bed.bob.get("/api/labs/shell").await.status, 404);
    assert_eq!(bed.ann.post("/api/labs/shell/publish", "{}").await.status, 200);
    let seen = lab(&bed.bob).await;
    assert_eq!((seen["writable"].as_bool(), &seen["draft"]), (Some(false), &Value::Null), "{seen}");
    let outline = bed.bob.get("/api/labs/shell/outline").await.json();
    assert_eq!(
        (outline["steps"][0]["title"].as_str(), &outline["steps"][0]["file"]),
        (Some("First step"), &Value::Null)
    );
    for (method, path, body) in hidden.into_iter().skip(2) {
        assert_eq!(bed.bob.send(method, path, body).await.refusal().code, "forbidden", "{method} {path}");
    }
    assert_eq!(bed.bob.get("/api/labs/shell/outline?version=draft").await.refusal().code, "forbidden");
    assert_eq!(bed.admin.get("/api/labs/shell/files").await.status, 200);
    assert_ne!(before, snapshot(&bed.cluster).await, "the environment of the lab");
    assert_eq!(bed.bob.get("/api/labs").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_error_is_not_published() {
    let bed = Bed::with_lab().await;
    put(&bed.ann, "steps/02-bad.md", "# Bad\n\n![gone](../gone.png)\n").await;
    let refused = bed.ann.post("/api/labs/shell/publish", "{}").await;
    let refusal = refused.refusal();
    assert_eq!((refused.status, refusal.code.as_str()), (422, "lab_invalid"));
    let problem = &refusal.problems[0];
    assert_eq!((problem.file.as_str(), problem.line, problem.severity.as_str()), ("steps/02-bad.md", 3, "error"));
    put(&bed.ann, "steps/02-bad.md", "# Good\n").await;
    put(&bed.ann, "lab.yaml", "title: [").await;
    let refusal = bed.ann.post("/api/labs/shell/publish", "{}").await.refusal();
    assert_eq!((refusal.code.as_str(), refusal.problems[0].file.as_str()), ("lab_invalid", "lab.yaml"), "{refusal:?}");
    assert_eq!(lab(&bed.ann).await["title"], "Shell", "the last title that could be read");
    assert_eq!(lab(&bed.ann).await["versions"], json!([]));
    let named = HEAD.replace("containers:\n  - {name: main, image: \"alpine:3.22\"}", "environment: nowhere");
    put(&bed.ann, "lab.yaml", named).await;
    let refusal = bed.ann.post("/api/labs/shell/publish", "{}").await.refusal();
    assert!(refusal.problems[0].message.contains("no environment nowhere"), "{refusal:?}");
}

#[tokio::test]
async fn a_draft_becomes_what_it_was() {
    let bed = Bed::with_lab().await;
    put(&bed.ann, "a.md", "one").await;
    put(&bed.ann, "a.md", "two").await;
    put(&bed.ann, "b.md", "b").await;
    let moved = json!({ "path": "b.md", "to": "notes/b.md" }).to_string();
    assert_eq!(bed.ann.post("/api/labs/shell/files/move", &moved).await.status, 200);
    assert_eq!(bed.ann.send("DELETE", &content_of("a.md"), "").await.status, 204);
    let history = bed.ann.get("/api/labs/shell/history").await.json();
    let told: Vec<(u64, &str)> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|draft| (draft["revision"].as_u64().unwrap(), draft["what"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [(6, "removed"), (5, "moved"), (4, "written"), (3, "written"), (1, "made")],
        "two of one file are one"
    );
    let restored = bed.ann.post("/api/labs/shell/history/4/restore", "").await;
    assert_eq!((restored.status, restored.json()["draft"]["revision"].as_u64()), (200, Some(7)), "{restored:?}");
    assert_eq!(paths(&bed.ann, "draft").await, ["a.md", "b.md", "lab.yaml", "steps/01-first.md"]);
    assert_eq!(bed.ann.get(&content_of("a.md")).await.text, "two");
    assert_eq!(bed.ann.post("/api/labs/shell/history/99/restore", "").await.refusal().code, "not_found");
}

#[tokio::test]
async fn what_cannot_be_a_file_is_refused() {
    let bed = Bed::with_lab().await;
    for path in ["", "..%2Fx", "%2Fetc%2Fpasswd", "a%5Cb", "c:x", "a%00b", "a%0Ab", &"a".repeat(600)] {
        let refusal = put(&bed.ann, path, "x").await.refusal();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some("path")), "{path:?}");
    }
    let in_the_way = put(&bed.ann, "lab.yaml%2Fx", "x").await.refusal();
    assert_eq!(in_the_way.code, "bad_files", "{in_the_way:?}");
    assert_eq!(bed.ann.post("/api/labs", r#"{"id":"import"}"#).await.refusal().field.as_deref(), Some("id"));
    assert_eq!(bed.ann.post("/api/labs", r#"{"id":"Shell"}"#).await.refusal().field.as_deref(), Some("id"));
    assert_eq!(bed.bob.post("/api/labs", r#"{"id":"shell"}"#).await.refusal().code, "exists");
    let reserved = json!({ "name": "lab-x", "description": { "containers": [{ "image": "alpine" }] } }).to_string();
    assert_eq!(bed.ann.post("/api/environments", &reserved).await.refusal().field.as_deref(), Some("name"));
}

#[tokio::test]
async fn files_come_as_images_or_as_bytes() {
    let bed = Bed::with_lab().await;
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    put(&bed.ann, "pages/a.svg", svg).await;
    let digest = digest_of(&put(&bed.ann, "a.html", "<script>alert(1)</script>").await);
    let image = bed.ann.open(&content_of("pages/a.svg")).await;
    let header = |answer: &reqwest::Response, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header(&image, "content-type").as_str(), header(&image, "x-content-type-options").as_str()),
        ("image/svg+xml", "nosniff")
    );
    assert!(header(&image, "content-security-policy").contains("default-src 'none'"));
    assert!(header(&image, "content-security-policy").ends_with("sandbox"), "scripts of an image run nowhere");
    assert_eq!(image.text().await.unwrap(), svg);
    let page = bed.ann.open(&content_of("a.html")).await;
    assert_eq!(header(&page, "content-type"), "application/octet-stream");
    assert_eq!(
        (header(&page, "content-disposition").as_str(), header(&page, "etag")),
        ("attachment", format!("\"{digest}\""))
    );
}

#[tokio::test]
async fn a_page_is_shown_as_it_would_be() {
    let bed = Bed::with_lab().await;
    let preview = async |path: &str, text: &str| {
        let body = json!({ "path": path, "text": text }).to_string();
        let answer = bed.ann.post("/api/labs/shell/preview", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let page =
        preview("steps/01-first.md", "# New\n\n`ls`{run}\n\n<script>alert(1)</script>\n\n![x](gone.png)\n").await;
    assert_eq!(
        (page["title"].as_str(), page["step"].as_u64(), page["blocks"][0]["code"].as_str()),
        (Some("New"), Some(0), Some("ls"))
    );
    assert!(!page["html"].as_str().unwrap().contains("<script"), "{page}");
    assert_eq!(
        (page["problems"][0]["file"].as_str(), page["problems"][0]["line"].as_u64()),
        (Some("steps/01-first.md"), Some(7))
    );
    let head = preview("lab.yaml", "title: [").await;
    assert_eq!((head["problems"][0]["file"].as_str(), head["html"].as_str()), (Some("lab.yaml"), Some("")), "{head}");
    assert!(lab(&bed.ann).await["draft"]["revision"] == 1, "nothing is kept of it");
}

#[tokio::test]
async fn states_differ_by_files_and_lines() {
    let bed = Bed::with_lab().await;
    put(&bed.ann, "old.bin", vec![0_u8, 1, 2]).await;
    bed.ann.post("/api/labs/shell/publish", "{}").await;
    put(&bed.ann, "steps/01-first.md", "# First step\n\nLook closely.\n").await;
    put(&bed.ann, "new.md", "new\n").await;
    bed.ann.send("DELETE", &content_of("old.bin"), "").await;
    let diff = bed.ann.get("/api/labs/shell/diff?from=1&to=draft").await.json();
    let kinds: Vec<(&str, &str)> = diff["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [("new.md", "added"), ("old.bin", "removed"), ("steps/01-first.md", "changed")]);
    assert!(diff["files"][2]["text"].as_str().unwrap().contains("+Look closely."), "{diff}");
    assert_eq!(diff["files"][1]["text"], Value::Null, "no text");
    assert_eq!(bed.ann.get("/api/labs/shell/diff?from=7").await.refusal().code, "not_found");
    assert_eq!(bed.ann.get("/api/labs/shell/diff?from=x").await.refusal().field.as_deref(), Some("from"));
}
