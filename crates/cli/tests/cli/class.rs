//! Hands that are raised in class, and when a course is held.

use crate::session::Session;
use serde_json::{Value, json};

fn hand(workspace: &str, by: &str) -> Value {
    json!({"workspace": workspace, "name": "A database", "owner": by, "by": by, "question": "How?\u{1b}[2J",
        "raised_at": "2026-12-01T10:00:00.000Z"})
}

fn course(sessions: Value) -> Value {
    json!({"id": "cs", "title": "Databases", "term": "", "zone": "Asia/Shanghai", "right": "teacher", "teachers": ["wang"],
        "assistants": [], "labs": [], "sessions": sessions, "students": 2, "source": "here", "archived": false, "revision": 3,
        "created_at": "2026-11-01T10:00:00.000Z"})
}

fn evening(day: u32) -> Value {
    json!({"starts": format!("2026-12-0{day}T18:00:00+08:00"), "ends": format!("2026-12-0{day}T19:30:00+08:00"), "lab": "mysql"})
}

/// What was sent last to change something, and where.
fn changed(session: &Session) -> (String, Value) {
    let asked = session.server.asked().pop().unwrap();
    (asked.line, serde_json::from_str(&asked.body).unwrap_or_default())
}

#[tokio::test]
async fn a_hand_is_answered_by_whoever_sees_it() {
    let session = Session::start().await;
    session.server.json("GET /api/hands", json!({"hands": [hand("aaaaaaaaaa", "li"), hand("bbbbbbbbbb", "zhao")]}));
    let listed = session.run("hand ls").await;
    assert!(listed.out.contains("zhao") && !listed.out.contains('\u{1b}'), "{listed:?}");
    // Workspaces of others are not among those that one has: the queue tells them.
    for (named, workspace) in [("aaaaaaaaaa", "aaaaaaaaaa"), ("zhao", "bbbbbbbbbb")] {
        session.server.json(&format!("DELETE /api/workspaces/{workspace}/hand"), json!({}));
        let lowered = session.run(&format!("hand lower {named}")).await;
        assert!(lowered.code == 0 && lowered.out.contains("down"), "{lowered:?}");
        assert_eq!(changed(&session).0, format!("DELETE /api/workspaces/{workspace}/hand"));
    }
    session.server.refuse("GET /api/workspaces/nobody", 404, "not_found", "there is no workspace nobody");
    let none = session.run("hand lower nobody").await;
    assert_eq!(none.code, 3, "{none:?}");
}

/// With a course that is held then.
async fn held(sessions: Value) -> Session {
    let session = Session::start().await;
    session.server.json("GET /api/courses/cs", course(sessions)).json("PUT /api/courses/cs", course(json!([])));
    session
}

#[tokio::test]
async fn a_timetable_is_written_session_by_session() {
    let once = held(json!([evening(1)])).await;
    let added = once.run("course add-session cs --starts 2026-12-08T18:00 --ends 2026-12-08T19:30 --lab mysql").await;
    assert!(added.code == 0 && added.out.contains("2026-12-08T18:00"), "{added:?}");
    let second = json!({"starts": "2026-12-08T18:00", "ends": "2026-12-08T19:30", "lab": "mysql"});
    assert_eq!(changed(&once).1, json!({"sessions": [evening(1), second]}), "what was there stays");

    let twice = held(json!([evening(1), evening(2)])).await;
    let shown = twice.run("course show cs").await;
    assert!(shown.out.contains("2. 2026-12-02T18:00:00+08:00 to 2026-12-02T19:30:00+08:00, mysql"), "{shown:?}");
    for number in ["0", "3"] {
        let refused = twice.run(&format!("course rm-session cs {number}")).await;
        assert!(refused.code == 2 && refused.err.contains("has 2 sessions"), "{refused:?}");
        assert!(changed(&twice).0.starts_with("GET "), "nothing was changed");
    }
    let removed = twice.run("course rm-session cs 1").await;
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(changed(&twice).1, json!({"sessions": [evening(2)]}));
}
