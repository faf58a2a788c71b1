//! What is handed in for courses, when it is due, and what it was worth.

use crate::scripted::Reply;
use crate::session::Session;
use serde_json::{Value, json};

fn submission(state: &str) -> Value {
    json!({"course": "cs", "lab": "mysql", "username": "li", "number": 2, "state": state,
        "submitted_at": "2026-12-01T09:59:59.000Z", "due_at": "2026-12-01T10:00:00.000Z", "late": false,
        "automatic": false, "version": 1, "save": "aaaaaaaaaa-2", "ran_on_copy": true, "checks": [], "quizzes": [],
        "message": "as it was"})
}

fn work() -> Value {
    let due = json!({"at": "2026-12-01T10:00:00.000Z", "local": "2026-12-01T18:00:00+08:00"});
    let later = json!({"at": "2026-12-03T10:00:00.000Z", "local": "2026-12-03T18:00:00+08:00"});
    json!({"course": "cs", "lab": "mysql", "title": "A database", "zone": "Asia/Shanghai", "due": due, "due_for_you": due,
        "late": "refuse", "collects": true, "published": false, "begun": true, "submission": submission("complete"),
        "rubric": [{"id": "style", "title": "Style", "from": "hand", "most": 2.5}],
        "extensions": [{"username": "wu", "due": later}]})
}

fn result(published: bool) -> Value {
    let mut result = json!({"lab": "mysql", "title": "A database", "published": published, "whole": published, "lines": [],
        "comment": "", "submission": submission("complete")});
    if published {
        result["lines"] = json!([{"criterion": "style", "title": "Style", "points": 1.5, "most": 2.5, "by_hand": true,
            "comment": "neat"}]);
        result["points"] = json!(1.5);
        result["most"] = json!(2.5);
        result["comment"] = json!("Well \u{1b}[2Jdone.");
    }
    result
}

fn sent(session: &Session) -> Value {
    serde_json::from_str(&session.server.asked().pop().unwrap().body).unwrap()
}

#[tokio::test]
async fn what_is_handed_in_is_waited_for() {
    let session = Session::start().await;
    let asked = Reply::Json(201, submission("asked").to_string());
    session.server.on("POST /api/courses/cs/work/mysql/submissions", asked);
    let at_once = session.run("submit cs mysql --no-wait").await;
    assert!(at_once.code == 0 && at_once.out.contains("asked"), "{at_once:?}");
    session.server.json("GET /api/courses/cs/submissions?lab=mysql", json!([submission("complete")]));
    let done = session.run("submit cs mysql").await;
    assert!(done.out.contains("complete") && done.out.contains("aaaaaaaaaa-2"), "{done:?}");
    let listed = session.run("work submissions cs --lab mysql").await;
    assert!(listed.out.contains("HANDED IN") && listed.out.contains("li"), "{listed:?}");
    session.server.refuse("POST /api/courses/cs/work/late/submissions", 409, "work_state", "it was due");
    let late = session.run("submit cs late").await;
    assert!(late.code != 0 && late.err.contains("it was due"), "{late:?}");
}

#[tokio::test]
async fn teachers_say_when_it_is_due_and_for_whom_later() {
    let session = Session::start().await;
    session.server.json("PUT /api/courses/cs/work/mysql", work()).json("GET /api/courses/cs/work", json!([work()]));
    let line = "work set cs mysql --due 2026-12-01T18:00 --late refuse --collects false --criterion style:hand:2.5:Good:style --publish true";
    let set = session.run(line).await;
    assert!(
        set.code == 0 && set.out.contains("2026-12-01T18:00:00+08:00") && set.out.contains("is refused"),
        "{set:?}"
    );
    assert_eq!(
        sent(&session),
        json!({"due": "2026-12-01T18:00", "late": "refuse", "collects": false, "published": true,
            "rubric": [{"id": "style", "title": "Good:style", "from": "hand", "most": 2.5}]})
    );
    assert!(set.out.contains("wu until 2026-12-03T18:00:00+08:00"), "{set:?}");
    assert!(session.run("work ls cs").await.out.contains("2026-12-01T18:00:00+08:00"));
    let place = "/api/courses/cs/work/mysql/extensions/li";
    session
        .server
        .json(&format!("PUT {place}"), work())
        .on(&format!("DELETE {place}"), Reply::Json(204, String::new()));
    assert_eq!(session.run("work extend cs mysql li --due 2026-12-03T18:00").await.code, 0);
    assert_eq!(sent(&session), json!({"due": "2026-12-03T18:00"}));
    let back = session.run("work extend cs mysql li").await;
    assert!(back.code == 0 && back.out.contains("as for everybody"), "{back:?}");
    assert_eq!(session.server.lines().pop().unwrap(), format!("DELETE {place}"));
    session.server.json("POST /api/courses/cs/submissions/mysql/li/retry", submission("asked"));
    assert!(session.run("work retry cs mysql li").await.out.contains("asked"));
}

#[tokio::test]
async fn points_are_given_shown_and_exported() {
    let session = Session::start().await;
    session.server.json("PUT /api/courses/cs/grades/mysql/li", result(true));
    let set =
        session.run("grade set cs mysql li --points style=1.5 --points work= --about style=neat --comment Good.").await;
    assert!(set.code == 0 && set.out.contains("1.5 of 2.5"), "{set:?}");
    let given = json!({"points": {"style": 1.5, "work": null}, "comments": {"style": "neat"}, "comment": "Good."});
    assert_eq!(sent(&session), given, "an empty number takes back");
    let row = json!({"username": "li", "name": "Li Na", "suspended": false, "points": 1.5, "most": 2.5, "results": [result(true)]});
    session.server.json("GET /api/courses/cs/grades", json!([row]));
    let listed = session.run("grade ls cs").await;
    assert!(listed.out.contains("MYSQL") && listed.out.contains("1.5 of 2.5"), "{listed:?}");
    session.server.json("GET /api/courses/cs/results", json!([result(false)]));
    session.server.json("GET /api/courses/cs/results", json!([result(true)]));
    let hidden = session.run("grade results cs").await;
    assert!(hidden.out.contains("not published yet") && !hidden.out.contains("1.5"), "{hidden:?}");
    let told = session.run("grade results cs").await;
    assert!(told.out.contains("Style 1.5 of 2.5 (neat)") && !told.out.contains('\u{1b}'), "{told:?}");
    let csv = "\u{feff}username,points\r\nli,1.5\r\n";
    session.server.on("GET /api/courses/cs/grades/csv", Reply::Json(200, csv.to_owned()));
    let file = session.folder.path().join("grades.csv");
    assert_eq!(session.run(&format!("grade export cs -o {}", file.display())).await.code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), csv);
    assert_eq!(session.run("grade export cs").await.out, csv, "to a program as into a file");
}

#[tokio::test]
async fn what_was_used_is_told_and_exported() {
    let session = Session::start().await;
    let li = json!({"username": "li", "name": "Li \u{1b}[2JNa", "course": "cs", "cpu_hours": 1.5, "memory_gb_hours": 12.25,
        "save_bytes": 1048576, "since": "2026-12-01T10:00:00.000Z", "until": "2026-12-01T12:00:00.000Z"});
    let wu = json!({"username": "wu", "name": "", "course": "cs", "cpu_hours": 2.0, "memory_gb_hours": 0.0, "save_bytes": 0});
    session.server.json("GET /api/courses/cs/usage", json!([li, wu]));
    let told = session.run("course usage cs").await;
    let users: Vec<&str> = told.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!((told.code, users), (0, vec!["USER", "wu", "li"]), "{told:?}");
    assert!(told.out.contains("1.50") && told.out.contains("12.25") && told.out.contains("1.0 MiB"), "{told:?}");
    assert!(!told.out.contains('\u{1b}'), "{told:?}");
    let json: Value = serde_json::from_str(&session.run("course usage cs --json").await.out).unwrap();
    assert_eq!(json, json!([li, wu]), "as it was told");
    let csv = "\u{feff}username,cpu_hours\r\nli,1.500000\r\n";
    session.server.on("GET /api/courses/cs/usage/csv", Reply::Json(200, csv.to_owned()));
    assert_eq!(session.run("course usage cs --csv").await.out, "username,cpu_hours\nli,1.500000\n");
    session.server.json("GET /api/usage", json!([]));
    session.server.json("GET /api/usage", json!([li]));
    assert_eq!(session.run("account usage").await.out, "Nobody used anything yet.\n");
    let all = session.run("account usage").await;
    assert!(all.out.contains("COURSE") && all.out.contains(" cs "), "{all:?}");
}

#[tokio::test]
async fn recordings_are_listed_written_and_deleted_and_one_says_whether_they_are_kept() {
    let session = Session::start().await;
    let kept = json!({"id": "t-1", "course": "cs", "lab": "mysql", "username": "li", "also": ["wu"], "submission": 2,
        "name": "main \u{1b}[2J", "began_at": "2026-12-01T10:00:00.000Z", "ended_at": "2026-12-01T11:00:00.000Z",
        "bytes": 2048, "kept_until": "2026-12-31T11:00:00.000Z", "marks": [], "may_delete": true});
    session.server.json("GET /api/courses/cs/recordings?lab=mysql&username=li", json!([kept]));
    let listed = session.run("recording ls cs --lab mysql --student li").await;
    assert!(listed.code == 0 && listed.out.contains("li, wu") && listed.out.contains("2026-12-31"), "{listed:?}");
    assert!(!listed.out.contains('\u{1b}'), "{listed:?}");
    session.server.json("GET /api/courses/cs/recordings", json!([]));
    assert_eq!(session.run("recording ls cs").await.out, "No recordings are kept.\n");
    let gone = json!({"id": "t-0", "course": "cs", "lab": "mysql", "username": "wu", "deleted_at": "2026-12-02T10:00:00.000Z",
        "why": "consent was withdrawn"});
    session.server.json("GET /api/courses/cs/deleted-recordings", json!([gone]));
    session.server.json("GET /api/courses/cs/deleted-recordings", json!([]));
    let told = session.run("recording deleted cs").await;
    assert!(told.out.contains("wu") && told.out.contains("consent was withdrawn"), "{told:?}");
    assert_eq!(session.run("recording deleted cs").await.out, "No recordings were deleted lately.\n");
    let cast = "{\"version\":2}\n[0.1, \"o\", \"$ \"]\n";
    session.server.on("GET /api/courses/cs/recordings/t-1", Reply::Json(200, cast.to_owned()));
    let file = session.folder.path().join("one.cast");
    assert_eq!(session.run(&format!("recording get cs t-1 -o {}", file.display())).await.code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), cast);
    assert_eq!(session.run("recording get cs t-1").await.out, cast);
    session.server.on("DELETE /api/courses/cs/recordings/t-1", Reply::Json(204, String::new()));
    let refused = session.run("recording rm cs t-1").await;
    assert!(refused.code != 0 && refused.err.contains("--yes"), "without a terminal nobody is asked: {refused:?}");
    assert_eq!(session.run("recording rm cs t-1 --yes").await.code, 0);
    session.server.json("GET /api/courses/cs/consent", json!({"days": 30, "recordings": false}));
    let asked = session.run("recording consent cs").await;
    assert!(asked.out.contains("for 30 days") && asked.out.contains("None of yours"), "{asked:?}");
    let yes = json!({"days": 30, "recordings": true, "since": "2026-12-01T10:00:00.000Z"});
    session.server.json("PUT /api/courses/cs/consent", yes);
    let said = session.run("recording consent cs yes").await;
    assert!(said.out.contains("since 2026-12-01"), "{said:?}");
    assert_eq!(sent(&session), json!({"recordings": true}));
    session.run("recording consent cs no").await;
    assert_eq!(sent(&session), json!({"recordings": false}));
}
