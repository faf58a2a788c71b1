//! Courses, who takes them, and the school's own list.

use crate::scripted::Reply;
use crate::session::Session;
use serde_json::{Value, json};

fn course() -> Value {
    json!({"id": "cs-101", "title": "Databases", "term": "2026", "zone": "Asia/Shanghai", "right": "teacher",
        "teachers": ["wang"], "assistants": [], "labs": [{"lab": "mysql", "due_at": "2026-12-01T10:00:00.000Z"}],
        "sessions": [], "students": 2, "source": "here", "archived": false, "revision": 3,
        "created_at": "2026-01-01T00:00:00.000Z"})
}

fn report(done: bool) -> Value {
    json!({"source": "CSV files that were sent in", "digest": "0f0f", "done": done, "listed": {"people": 1, "courses": 0,
        "enrolments": 0}, "added": 1, "changed": 0, "suspended": 0, "resumed": 0, "courses_added": 0, "courses_changed": 0,
        "courses_ended": 0, "enrolled": 0, "left": 0, "regrouped": 0, "kept": [],
        "changes": [{"what": "add-person", "to": "li\u{1b}[2J"}], "more_changes": 0, "problems": [], "more_problems": 0,
        "took_ms": 3})
}

async fn session() -> Session {
    let session = Session::start().await;
    session.server.json("GET /api/courses", json!([course()])).json("GET /api/courses/cs-101", course());
    session.server.json("PUT /api/courses/cs-101", course());
    session.server.on("POST /api/courses", Reply::Json(201, course().to_string()));
    session.server.on("POST /api/courses/cs-101/students", Reply::Json(204, String::new()));
    session
}

fn sent(session: &Session) -> Value {
    serde_json::from_str(&session.server.asked().pop().unwrap().body).unwrap()
}

#[tokio::test]
async fn a_course_is_made_shown_and_changed() {
    let session = session().await;
    let made = session.run("course add cs-101 --title Databases --zone Asia/Shanghai --assistant zhao,wu").await;
    assert_eq!((made.code, made.out.as_str()), (0, "made the course cs-101\n"), "{made:?}");
    let expected = json!({"id": "cs-101", "title": "Databases", "zone": "Asia/Shanghai", "assistants": ["zhao", "wu"]});
    assert_eq!(sent(&session), expected);
    let listed = session.run("courses").await;
    assert!(listed.out.contains("cs-101") && listed.out.contains("teacher"), "{listed:?}");
    assert!(session.run("course show cs-101").await.out.contains("mysql, due 2026-12-01T10:00:00.000Z"));
    assert_eq!(session.run("course set cs-101 --archived").await.code, 0);
    assert_eq!(sent(&session), json!({"archived": true}), "what is not named stays");
    assert_eq!(session.run("course add-lab cs-101 shell --opens 2026-12-01T18:00").await.code, 0);
    let labs = json!({"labs": [{"lab": "mysql", "due_at": "2026-12-01T10:00:00.000Z"},
        {"lab": "shell", "opens_at": "2026-12-01T18:00"}]});
    assert_eq!(sent(&session), labs);
    assert_eq!(session.run("course rm-lab cs-101 mysql").await.code, 0);
    assert_eq!(sent(&session), json!({"labs": []}));
    let none = session.run("course rm-lab cs-101 other").await;
    assert!(none.code == 2 && none.err.contains("other is no lab of cs-101"), "{none:?}");
}

/// Of which revisions a course was changed.
fn written(session: &Session) -> Vec<String> {
    let puts = session.server.asked().into_iter().filter(|asked| asked.line.starts_with("PUT "));
    puts.map(|asked| asked.only_if.unwrap_or_default()).collect()
}

#[tokio::test]
async fn what_somebody_else_changed_in_the_same_moment_stays() {
    let session = Session::start().await;
    let path = "/api/courses/cs-101";
    let mut changed = course();
    (changed["revision"], changed["labs"]) = (json!(4), json!([{"lab": "git"}]));
    session.server.json(&format!("GET {path}"), course()).json(&format!("GET {path}"), changed.clone());
    session.server.refuse(&format!("PUT {path}"), 412, "changed_meanwhile", "it was changed meanwhile");
    session.server.json(&format!("PUT {path}"), changed);
    let added = session.run("course add-lab cs-101 shell").await;
    assert_eq!((added.code, added.out.as_str()), (0, "shell is a lab of cs-101\n"), "{added:?}");
    assert_eq!(sent(&session), json!({"labs": [{"lab": "git"}, {"lab": "shell"}]}));
    assert_eq!(written(&session), ["\"3\"", "\"4\""]);

    let session = Session::start().await;
    session.server.json(&format!("GET {path}"), course());
    session.server.refuse(&format!("PUT {path}"), 412, "changed_meanwhile", "it was changed meanwhile");
    let never = session.run("course add-lab cs-101 shell").await;
    assert!(never.code == 1 && never.err.contains("it was changed meanwhile"), "{never:?}");
    assert_eq!(written(&session).len(), 10, "it is not tried for ever");
}

#[tokio::test]
async fn people_are_enrolled_by_names_or_a_file_and_get_links() {
    let session = session().await;
    assert_eq!(session.run("course enrol cs-101 li wu --group A").await.out, "enrolled 2 in cs-101\n");
    assert_eq!(
        sent(&session),
        json!({"students": [{"username": "li", "group": "A"}, {"username": "wu", "group": "A"}]})
    );
    let file = session.folder.path().join("class.txt");
    std::fs::write(&file, "li\nwu,B\n").unwrap();
    assert_eq!(session.run(&format!("course enrol cs-101 --file {}", file.display())).await.code, 0);
    assert_eq!(sent(&session), json!({"students": [{"username": "li"}, {"username": "wu", "group": "B"}]}));
    assert_eq!(session.run("course enrol cs-101 --file /no/such/file").await.code, 2);
    let link = json!({"url": "https://pool.example/auth/link?key=k3y", "expires_at": "2026-01-01T01:00:00.000Z"});
    for (command, line) in [
        ("course link cs-101 li", "POST /api/courses/cs-101/students/li/link"),
        ("account link li", "POST /api/account/li/link"),
    ] {
        session.server.on(line, Reply::Json(201, link.to_string()));
        let ran = session.run(command).await;
        assert_eq!(ran.out, "https://pool.example/auth/link?key=k3y\n", "alone, for a script: {ran:?}");
        assert!(ran.err.contains("logs li in once"), "{ran:?}");
    }
    session.server.on("PUT /api/courses/cs-101/students/li", Reply::Json(204, String::new()));
    assert_eq!(session.run("course unenrol cs-101 li --suspend").await.code, 0);
    assert_eq!(sent(&session), json!({"suspended": true}));
}

#[tokio::test]
async fn a_list_is_previewed_and_carried_out() {
    let session = session().await;
    session.server.json("POST /api/roster/preview", report(false)).json("POST /api/roster/sync", report(true));
    let shown = session.run("roster preview").await;
    assert!(shown.out.contains("would be: 1 added") && shown.out.contains("roster sync --expect 0f0f"), "{shown:?}");
    assert!(!shown.out.contains('\u{1b}'), "{shown:?}");
    for (name, text) in [("people.csv", "username\nli\n"), ("courses.csv", ""), ("enrolments.csv", "")] {
        std::fs::write(session.folder.path().join(name), text).unwrap();
    }
    let dir = session.folder.path().display().to_string();
    let done = session.run(&format!("roster sync --dir {dir} --expect 0f0f --force")).await;
    assert!(done.code == 0 && done.out.contains("done: 1 added"), "{done:?}");
    let csv = json!({"people": "username\nli\n", "courses": "", "enrolments": ""});
    assert_eq!(sent(&session), json!({"csv": csv, "force": true, "expect": "0f0f"}));
    let missing = session.run("roster preview --dir /no/such/folder").await;
    assert!(missing.code == 2 && missing.err.contains("/no/such/folder/people.csv"), "{missing:?}");
}
