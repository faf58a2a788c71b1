//! Files of workspaces: listed, copied in both directions, and what is said where that fails.

use crate::scripted::Reply;
use crate::session::Session;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const ID: &str = "k3f5a2bq7x";

fn file(name: &str, kind: &str, more: Value) -> Value {
    let mut file = json!({"name": name, "path": format!("/desk/{name}"), "kind": kind, "bytes": 5, "mode": "0644",
        "modified": "2026-01-01T00:00:00.000Z", "etag": "1-2"});
    file.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    file
}

fn folder(entries: &[Value]) -> String {
    json!({"container": "main", "path": "/desk", "entries": entries, "has_more": false}).to_string()
}

/// A session with a workspace that is there.
async fn session() -> Session {
    let session = Session::start().await;
    let workspace = json!({"id": ID, "name": "mine", "owner": "ann", "right": "owner", "environment": "lab", "version": 2,
        "phase": "ready", "containers": [], "created_at": "2026-01-01T00:00:00.000Z"});
    session.server.json(&format!("GET /api/workspaces/{ID}"), workspace);
    session
}

fn asks(method: &str, rest: &str) -> String {
    format!("{method} /api/workspaces/{ID}/files{rest}")
}

#[tokio::test]
async fn a_folder_is_listed_and_names_obey_nobody() {
    let session = session().await;
    let entries = [
        file("evil\u{1b}[2J", "file", json!({})),
        file("in", "folder", json!({})),
        file("near", "link", json!({"target": "in/x", "leads_to": "file"})),
    ];
    session.server.json(&asks("GET", "?path=%2Fdesk"), folder(&entries));
    let ran = session.run(&format!("workspace files {ID} /desk")).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let rows: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["MODE", "KIND", "BYTES", "CHANGED", "NAME"]);
    assert_eq!((rows[2][..3].to_vec(), rows[2].last()), (vec!["0644", "folder", "-"], Some(&"in/")));
    assert_eq!(&rows[3][rows[3].len() - 3..], ["near", "->", "in/x"]);
    assert!(!ran.out.contains('\u{1b}'), "{ran:?}");
    let ran = session.run(&format!("workspace files {ID} /desk --json")).await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["entries"][1]["kind"], "folder");
    session.server.json(&asks("GET", "?container=db&path=%2F"), folder(&[]));
    let ran = session.run(&format!("workspace files {ID} -c db")).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "Nothing is in it\n"), "{ran:?}");
}

#[tokio::test]
async fn a_file_comes_whole_or_not_at_all() {
    let session = session().await;
    let folder = session.folder.path().join("here");
    fs::create_dir(&folder).unwrap();
    let to = folder.join("copy");
    let copy = |from: &str| format!("workspace cp {ID}:{from} {}", to.display());
    session.server.on(&asks("GET", "/content?path=%2Fa"), Reply::Chunks(vec![b"one ", b"two"]));
    let ran = session.run(&copy("/a")).await;
    assert_eq!((ran.code, fs::read_to_string(&to).unwrap().as_str()), (0, "one two"), "{ran:?}");
    session.server.on(&asks("GET", "/content?path=%2Fb"), Reply::BrokenAfter(b"half"));
    let ran = session.run(&copy("/b")).await;
    assert!(ran.code != 0 && !ran.err.is_empty(), "{ran:?}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "one two", "what was there is as it was");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "and nothing is beside it");
    let ran = session.run(&format!("workspace cp {ID}:/a -")).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "one two"));
    fs::remove_file(&to).unwrap();
    fs::create_dir(&to).unwrap();
    let ran = session.run(&copy("/a")).await;
    assert_eq!(
        (ran.code, fs::read_to_string(to.join("a")).unwrap().as_str()),
        (0, "one two"),
        "into a folder: {ran:?}"
    );
}

#[tokio::test]
async fn a_file_goes_to_a_path_or_into_a_folder() {
    let mut session = session().await;
    let from = session.folder.path().join("100%");
    fs::write(&from, "words").unwrap();
    fs::set_permissions(&from, fs::Permissions::from_mode(0o644)).unwrap();
    let copy = |to: &str| format!("workspace cp {} {ID}:{to}", from.display());
    session.server.refuse(&asks("GET", "?path=%2Fx"), 404, "no_such_file", "nothing is at /x");
    session.server.json(&asks("GET", "?path=%2Fdesk"), folder(&[]));
    let put = |path: &str| asks("PUT", &format!("/content?path={path}&mode=644&parents=true"));
    for path in ["%2Fx", "%2Fdesk%2F100%2525"] {
        session.server.json(&put(path), file("x", "file", json!({})));
    }
    assert_eq!(session.run(&copy("/x")).await.out, "copied to /x\n");
    assert_eq!(session.run(&copy("/desk")).await.out, "copied to /desk/100%25\n");
    let sent: Vec<String> =
        session.server.asked().into_iter().filter(|it| it.line.starts_with("PUT")).map(|it| it.body).collect();
    assert_eq!(sent, ["words", "words"]);
    session.input = "typed";
    session.server.json(&asks("PUT", "/content?path=%2Fy&parents=true"), file("y", "file", json!({})));
    assert_eq!(session.run(&format!("workspace cp - {ID}:/y")).await.code, 0);
    assert_eq!(session.server.asked().last().unwrap().body, "typed");
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let session = session().await;
    let here = session.folder.path().join("folder");
    fs::create_dir(&here).unwrap();
    session.server.json(&asks("GET", "?path=%2Fx"), folder(&[]));
    for (line, words) in [
        ("workspace cp a b".to_owned(), "neither of both is in a workspace"),
        (format!("workspace cp {ID}:/a {ID}:/b"), "both are in workspaces"),
        (format!("workspace cp {} {ID}:/x", here.display()), "is a folder"),
        (format!("workspace cp {}/none {ID}:/x", here.display()), "cannot read"),
    ] {
        let ran = session.run(&line).await;
        assert!(ran.code != 0 && ran.out.is_empty() && ran.err.contains(words), "{line}: {ran:?}");
    }
    assert!(session.server.lines().iter().all(|line| line.starts_with("GET ")));
}
