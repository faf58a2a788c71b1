//! The school's own list over HTTP: what a preview shows is what a sync does.

use crate::courses::person;
use crate::raw::Sender;
use pierhead_controller::{Options, RosterOptions};
use pierhead_identity::RosterSource;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, quick};
use serde_json::{Value, json};

const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn list(people: &str, enrolments: &str) -> Value {
    json!({
        "people": format!("username,name,role,password_hash\n{people}"),
        "courses": "course,title,zone\ncs-101,Databases,Asia/Shanghai\n",
        "enrolments": format!("course,username,role\n{enrolments}"),
    })
}

async fn look(admin: &Sender, what: &str, body: Value) -> Value {
    let answer = admin.post(&format!("/api/roster/{what}"), &body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.text.contains("CCCCCC"), "no hash is ever shown: {answer:?}");
    answer.json()
}

async fn school() -> (Cluster, Sender) {
    let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    (cluster, admin)
}

#[tokio::test]
async fn a_preview_is_what_a_sync_does() {
    let (cluster, admin) = school().await;
    let first = list(
        &format!("wang,Wang,teacher,\nli,Li Lei,,{BCRYPT}\nadmin,Evil,student,{BCRYPT}\nwu,Wu,,\n"),
        "cs-101,wang,teacher\ncs-101,li,\ncs-101,wu,\ncs-101,nobody,\n",
    );
    let shown = look(&admin, "preview", json!({ "csv": first })).await;
    assert_eq!((&shown["done"], &shown["added"], &shown["enrolled"]), (&json!(false), &json!(3), &json!(2)));
    assert_eq!(shown["kept"], json!(["admin"]), "an account of ours is never the school's");
    assert_eq!(shown["problems"][0]["what"], "nobody is not among the people");
    assert_eq!(admin.get("/api/courses").await.json(), json!([]), "nothing was changed");

    let done = look(&admin, "sync", json!({ "csv": first, "expect": shown["digest"] })).await;
    for same in ["digest", "changes", "added", "enrolled", "courses_added", "kept"] {
        assert_eq!(done[same], shown[same], "{same}");
    }
    assert_eq!(done["done"], true);
    let again = look(&admin, "preview", json!({ "csv": first })).await;
    assert_eq!(again["changes"], json!([]), "all is as it says");
    let stale = json!({ "csv": first, "expect": shown["digest"] }).to_string();
    assert_eq!(admin.post("/api/roster/sync", &stale).await.refusal().code, "changed_meanwhile");

    let log_in = |name: &str, password: &str| json!({ "username": name, "password": password }).to_string();
    let nobody = Sender::nobody(&cluster);
    for _ in 0..2 {
        let entered = nobody.post("/auth/login", &log_in("li", "U*U")).await;
        assert_eq!(
            (entered.status, &entered.json()["role"]),
            (200, &json!("student")),
            "by the school's hash, then ours"
        );
    }
    assert_eq!(nobody.post("/auth/login", &log_in("wu", "")).await.status, 401, "no password is none");
    assert_eq!(look(&admin, "preview", json!({ "csv": first })).await["changes"], json!([]), "ours counts as theirs");

    let without = list(&format!("wang,Wang,teacher,\nli,Li Lei,,{BCRYPT}\n"), "cs-101,wang,teacher\ncs-101,li,\n");
    let refused = admin.post("/api/roster/sync", &json!({ "csv": without }).to_string()).await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "too_much"), "half of the students would go");
    let forced = look(&admin, "sync", json!({ "csv": without, "force": true })).await;
    assert_eq!((&forced["suspended"], &forced["left"]), (&json!(1), &json!(1)), "{forced}");
    let accounts = admin.get("/api/account").await.json();
    let wu = accounts.as_array().unwrap().iter().find(|account| account["username"] == "wu").unwrap();
    assert_eq!((&wu["suspended"], &wu["source"]), (&json!(true), &json!("roster")), "never deleted");
    let events = admin.get("/api/events?count=50").await.text;
    assert!(events.contains("sync-roster") && events.contains("changed=wu"), "{events}");
}

#[tokio::test]
async fn a_list_that_is_none_changes_nothing_and_says_why() {
    let (cluster, admin) = school().await;
    let wang = person(&cluster, "wang", "teacher").await;
    for path in ["/api/roster/preview", "/api/roster/sync"] {
        let none = admin.post(path, "{}").await;
        assert_eq!((none.status, none.refusal().code.as_str()), (409, "no_roster"));
        assert_eq!(wang.post(path, "{}").await.status, 403);
        for (csv, told) in [
            (json!({ "people": "" }), "people.csv, line 1: is empty"),
            (json!({ "people": "name\nLi\n" }), "the people have no column username"),
            (json!({ "people": "username,pasword_hash\nli,x\n" }), "the unknown column pasword_hash"),
            (json!({ "people": "username\nli,x\n" }), "people.csv, line 2: has 2 fields"),
        ] {
            let refused = admin.post(path, &json!({ "csv": csv }).to_string()).await;
            assert_eq!((refused.status, refused.refusal().code.as_str()), (422, "bad_roster"), "{refused:?}");
            assert!(refused.refusal().message.contains(told), "{refused:?}");
        }
        let odd = admin.post(path, r#"{"csv":{"people":"username\n","persons":""}}"#).await;
        assert_eq!(odd.refusal().field.as_deref(), Some("csv.persons"));
    }
    let empty = admin.post("/api/roster/sync", r#"{"csv":{"people":"username\n"}}"#).await;
    assert_eq!(empty.refusal().code, "too_much", "{empty:?}");
    let status = admin.get("/api/roster").await.json();
    assert_eq!((&status["source"], &status["outcome"]), (&Value::Null, &Value::Null));
    assert_eq!(admin.get("/api/account").await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_course_of_the_list_is_changed_there() {
    let (_cluster, admin) = school().await;
    let all = list("wang,Wang,teacher,\nli,Li,,\n", "cs-101,wang,teacher\ncs-101,li,\n");
    look(&admin, "sync", json!({ "csv": all })).await;
    let path = "/api/courses/cs-101";
    for (method, path, body) in [
        ("PUT", path, r#"{"title":"Mine"}"#),
        ("PUT", path, r#"{"teachers":["admin"]}"#),
        ("DELETE", path, ""),
        ("DELETE", "/api/courses/cs-101/students/li", ""),
    ] {
        let refused = admin.send(method, path, body).await;
        assert_eq!(
            (refused.status, refused.refusal().code.as_str()),
            (409, "from_roster"),
            "{method} {path}: {refused:?}"
        );
    }
    let changed = admin.send("PUT", path, r#"{"teachers":["wang","admin"],"zone":"UTC"}"#).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let left = look(&admin, "preview", json!({ "csv": all })).await;
    assert_eq!(left["changes"][0]["what"], "change-course", "the zone is the list's: {left}");
}

/// What came of the last look, when it is another than the one before.
async fn outcome(admin: &Sender, wanted: &str) -> Value {
    let status = async || admin.get("/api/roster").await.json();
    eventually(PATIENCE, wanted, async || status().await["outcome"] == wanted).await;
    status().await
}

#[tokio::test]
async fn the_leader_looks_at_the_list_by_itself_and_a_broken_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        // Whole, as those who write such files should.
        std::fs::write(dir.path().join("new"), text).unwrap();
        std::fs::rename(dir.path().join("new"), dir.path().join(name)).unwrap();
    };
    put("people.csv", "username,role\nwang,teacher\nli,\nwu,\n");
    put("courses.csv", "course\ncs-101\n");
    put("enrolments.csv", "course,username,role\ncs-101,wang,teacher\ncs-101,li,\n");
    let roster = RosterOptions {
        source: Some(RosterSource::Folder(dir.path().to_owned())),
        every: Some(std::time::Duration::from_millis(200)),
    };
    let controller = Options { roster, ..quick() };
    let cluster = Cluster::start(ClusterOptions { hosts: 0, controller, ..ClusterOptions::default() }).await;
    let admin = Sender::admin(&cluster);
    let done = outcome(&admin, "done").await;
    assert!(done["source"].as_str().unwrap().starts_with("CSV files in ") && done["done_at"].is_string(), "{done}");
    assert_eq!(admin.get("/api/courses/cs-101").await.json()["teachers"], json!(["wang"]));

    let accounts = admin.get("/api/account").await.text;
    put("people.csv", "username,role\nwang,teacher\n");
    let refused = outcome(&admin, "refused").await;
    assert!(refused["message"].as_str().unwrap().contains("2 of 3 people would go"), "{refused}");
    assert!(refused["done_at"].is_string(), "when all was well last is still told");
    std::fs::remove_file(dir.path().join("enrolments.csv")).unwrap();
    let failed = outcome(&admin, "failed").await;
    assert!(failed["message"].as_str().unwrap().contains("enrolments.csv"), "{failed}");
    assert_eq!(admin.get("/api/account").await.text, accounts, "nothing was changed");
    let events = admin.get("/api/events?count=200").await.text;
    assert_eq!(events.matches("\"roster-failed\"").count(), 2, "each reason is told once: {events}");
}

/// A school of so many people, of whom the last so many have another name; each takes two of its courses.
fn school_of(count: usize, renamed: usize) -> Value {
    let (mut people, mut courses) = ("username,name\n".to_owned(), "course\n".to_owned());
    let mut enrolments = "course,username\n".to_owned();
    let halls = count / 100;
    courses.extend((0..halls).map(|hall| format!("c{hall}\n")));
    for at in 0..count {
        let name = if at < count - renamed { "Before" } else { "After" };
        people.push_str(&format!("s{at},{name} {at}\n"));
        let (one, other) = (at % halls, (at / halls + 1 + at) % halls);
        enrolments.push_str(&format!("c{one},s{at}\nc{other},s{at}\n"));
    }
    json!({ "people": people, "courses": courses, "enrolments": enrolments })
}

/// What the process holds in memory, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn a_large_school_changes_a_tenth_of_its_people() {
    let count = if std::env::var_os("PIERHEAD_SOAK").is_some() { 50_000 } else { 2_000 };
    let (_cluster, admin) = school().await;
    let timed = async |what: &str, csv: Value| {
        let (before, began) = (resident(), std::time::Instant::now());
        let seen = look(&admin, what, json!({ "csv": csv })).await;
        println!("{what} of {count}: {:?}, {before} to {} MiB", began.elapsed(), resident());
        seen
    };
    let first = timed("sync", school_of(count, 0)).await;
    assert_eq!((&first["added"], &first["done"]), (&json!(count), &json!(true)));
    let shown = timed("preview", school_of(count, count / 10)).await;
    assert_eq!((&shown["changed"], &shown["added"]), (&json!(count / 10), &json!(0)));
    let done = timed("sync", school_of(count, count / 10)).await;
    assert_eq!((&done["digest"], &done["changed"]), (&shown["digest"], &shown["changed"]));
    let after = timed("preview", school_of(count, count / 10)).await;
    assert_eq!((&after["changes"], &after["more_changes"]), (&json!([]), &json!(0)), "all is as it says");
}
