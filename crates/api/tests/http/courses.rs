//! Courses: Wang teaches, Zhao helps, Li and Wu are students; Eve is nobody here. What each may is said by the records.

use crate::raw::{Answer, Sender};
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

pub struct School {
    pub cluster: Cluster,
    pub admin: Sender,
    pub wang: Sender,
    pub zhao: Sender,
    pub li: Sender,
    pub eve: Sender,
}

/// Makes an account with a role, and logs in with it.
pub async fn person(cluster: &Cluster, name: &str, role: &str) -> Sender {
    let account = json!({ "username": name, "password": PASSWORD, "role": { "name": role } }).to_string();
    assert_eq!(Sender::admin(cluster).post("/api/account", &account).await.status, 204, "{name}");
    let log_in = json!({ "username": name, "password": PASSWORD }).to_string();
    let answer = Sender::nobody(cluster).post("/auth/login", &log_in).await;
    Sender::nobody(cluster).token(answer.json()["token"].as_str().unwrap())
}

impl School {
    pub async fn open() -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await;
        let admin = Sender::admin(&cluster);
        let wang = person(&cluster, "wang", "teacher").await;
        let zhao = person(&cluster, "zhao", "assistant").await;
        let li = person(&cluster, "li", "student").await;
        person(&cluster, "wu", "student").await;
        let eve = person(&cluster, "eve", "teacher").await;
        let course = json!({ "id": "cs-101", "title": "Databases", "zone": "Asia/Shanghai", "assistants": ["zhao"],
            "sessions": [{ "starts": "2026-12-01T18:00", "ends": "2026-12-01T19:30" }] });
        let made = wang.post("/api/courses", &course.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(made.json()["sessions"][0]["starts"], "2026-12-01T18:00:00+08:00", "of the course's zone");
        let school = Self { cluster, admin, wang, zhao, li, eve };
        assert_eq!(school.enrol(&["li", "wu"]).await.status, 204);
        school
    }

    pub async fn enrol(&self, names: &[&str]) -> Answer {
        let students: Vec<Value> = names.iter().map(|name| json!({ "username": name })).collect();
        self.wang.post("/api/courses/cs-101/students", &json!({ "students": students }).to_string()).await
    }
}

fn ids(answer: &Answer) -> Vec<String> {
    answer.json().as_array().unwrap().iter().map(|course| course["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn everybody_sees_their_courses_and_what_they_may_in_them() {
    let school = School::open().await;
    for (sender, right) in
        [(&school.wang, "teacher"), (&school.admin, "teacher"), (&school.zhao, "assistant"), (&school.li, "student")]
    {
        let shown = sender.get("/api/courses/cs-101").await.json();
        assert_eq!(shown["right"], right);
        assert_eq!(shown["students"], if right == "student" { Value::Null } else { json!(2) }, "{right}");
        assert_eq!(ids(&sender.get("/api/courses").await), ["cs-101"], "{right}");
    }
    assert_eq!(school.eve.get("/api/courses/cs-101").await.status, 404, "also a teacher of others");
    assert!(ids(&school.eve.get("/api/courses").await).is_empty());
}

#[tokio::test]
async fn who_may_not_changes_nothing() {
    let school = School::open().await;
    let before = school.wang.get("/api/courses/cs-101").await.text;
    let student = json!({ "students": [{ "username": "eve" }] }).to_string();
    for (sender, met) in [(&school.zhao, 403), (&school.li, 403), (&school.eve, 404)] {
        for (method, path, body) in [
            ("PUT", "/api/courses/cs-101", r#"{"title":"Mine"}"#),
            ("DELETE", "/api/courses/cs-101", ""),
            ("POST", "/api/courses/cs-101/students", student.as_str()),
            ("PUT", "/api/courses/cs-101/students/li", r#"{"suspended":true}"#),
            ("DELETE", "/api/courses/cs-101/students/li", ""),
            ("POST", "/api/courses/cs-101/students/li/link", "{}"),
        ] {
            let answer = sender.send(method, path, body).await;
            assert_eq!(answer.status, met, "{method} {path}: {answer:?}");
            answer.refusal();
        }
    }
    assert_eq!(school.wang.get("/api/courses/cs-101").await.text, before);
    let students = "/api/courses/cs-101/students";
    for (sender, status) in [(&school.zhao, 200), (&school.li, 403), (&school.eve, 404)] {
        assert_eq!(sender.get(students).await.status, status);
    }
    assert_eq!(school.li.post("/api/courses", r#"{"id":"mine"}"#).await.status, 403, "students make none");
}

#[tokio::test]
async fn what_is_changed_is_what_was_seen() {
    let school = School::open().await;
    let path = "/api/courses/cs-101";
    let seen = school.wang.get(path).await.json()["revision"].as_u64().unwrap();
    let at = |tag: &str| {
        let wang = school.wang.clone().header("If-Match", tag);
        async move { wang.send("PUT", path, r#"{"sessions":[]}"#).await }
    };
    for tag in ["7", "\"x\"", "\"-1\""] {
        let refused = at(tag).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some("if-match")), "{tag}");
    }
    let absent = school.wang.clone().header("If-None-Match", "*").send("PUT", path, r#"{"sessions":[]}"#).await;
    assert_eq!((absent.status, absent.refusal().field.as_deref()), (400, Some("if-none-match")));

    // Whoever asks for nothing of that kind comes before.
    assert_eq!(school.wang.send("PUT", path, r#"{"term":"2026"}"#).await.status, 200);
    let late = at(&format!("\"{seen}\"")).await;
    assert_eq!((late.status, late.refusal().code.as_str()), (412, "changed_meanwhile"));
    let now = school.wang.get(path).await.json();
    assert_eq!((now["term"].as_str(), now["sessions"].as_array().map(Vec::len)), (Some("2026"), Some(1)), "{now}");
    // Who takes it is no part of that.
    assert_eq!(school.enrol(&["eve"]).await.status, 204);
    assert_eq!(at(&format!("\"{}\"", now["revision"])).await.json()["sessions"], json!([]));
}

#[tokio::test]
async fn students_come_leave_and_work_in_groups() {
    let school = School::open().await;
    let path = "/api/courses/cs-101/students";
    let listed = async || school.wang.get(path).await.json();
    let grouped = school.wang.send("PUT", &format!("{path}/li"), r#"{"group":"第一组"}"#).await;
    assert_eq!(grouped.status, 204, "{grouped:?}");
    assert_eq!(school.li.get("/api/courses/cs-101").await.json()["group"], "第一组");
    assert_eq!(school.wang.send("PUT", &format!("{path}/li"), r#"{"suspended":true}"#).await.status, 204);
    assert_eq!(school.li.get("/api/courses/cs-101").await.status, 404, "who left sees nothing of it");
    assert_eq!((&listed().await[0]["suspended"], &listed().await[0]["group"]), (&json!(true), &json!("第一组")));
    assert_eq!(school.enrol(&["li"]).await.status, 204);
    assert_eq!(school.li.get("/api/courses/cs-101").await.status, 200, "and comes back");
    assert_eq!(school.wang.send("DELETE", &format!("{path}/wu"), "").await.status, 204);
    assert_eq!(listed().await.as_array().unwrap().len(), 1);
    assert_eq!(school.wang.send("DELETE", &format!("{path}/wu"), "").await.status, 404);

    let refused = school.enrol(&["wu", "nobody"]).await;
    assert_eq!(refused.status, 404, "{refused:?}");
    assert_eq!(listed().await.as_array().unwrap().len(), 1, "all of them or nobody");
    for (body, field) in [
        (r#"{"students":[]}"#, "students"),
        (r#"{"students":[{"username":"li wu"}]}"#, "students[0].username"),
        (r#"{"students":[{"username":"li","group":" x"}]}"#, "students[0].group"),
    ] {
        let refused = school.wang.post(path, body).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}");
    }
}

#[tokio::test]
async fn what_a_course_cannot_be_is_named() {
    let school = School::open().await;
    let put = async |body: Value| school.wang.send("PUT", "/api/courses/cs-101", body.to_string()).await;
    for (body, field) in [
        (json!({ "title": "" }), "title"),
        (json!({ "term": "x".repeat(65) }), "term"),
        (json!({ "zone": "Asia/Atlantis" }), "zone"),
        (json!({ "zone": "+08:00" }), "zone"),
        (json!({ "teachers": [] }), "teachers"),
        (json!({ "sessions": [{ "starts": "tomorrow", "ends": "2026-12-01T19:30" }] }), "sessions[0].starts"),
        (json!({ "sessions": [{ "starts": "2026-12-01T19:30", "ends": "2026-12-01T18:00" }] }), "sessions"),
        (json!({ "labs": [{ "lab": "No Lab" }] }), "labs[0].lab"),
        (json!({ "labs": [{ "lab": "a", "due_at": "2026" }] }), "labs[0].due_at"),
    ] {
        let refused = put(body.clone()).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}: {refused:?}");
    }
    assert_eq!(put(json!({ "teachers": ["wang", "nobody"] })).await.status, 404);
    assert_eq!(put(json!({ "labs": [{ "lab": "no-such-lab" }] })).await.status, 404);
    let changed = put(json!({ "title": "Databases I", "teachers": ["wang", "eve"], "archived": true })).await;
    assert_eq!((changed.status, &changed.json()["archived"]), (200, &json!(true)), "{changed:?}");
    assert_eq!(school.eve.get("/api/courses/cs-101").await.json()["title"], "Databases I");
    assert_eq!(school.wang.post("/api/courses", r#"{"id":"cs-101"}"#).await.status, 409);
    assert_eq!(school.wang.post("/api/courses", r#"{"id":"a b"}"#).await.refusal().field.as_deref(), Some("id"));
    assert_eq!(school.eve.send("DELETE", "/api/courses/cs-101", "").await.status, 204);
    assert_eq!(school.li.get("/api/courses/cs-101").await.status, 404);
}

#[tokio::test]
async fn students_use_what_is_theirs_and_nothing_of_the_pool() {
    let school = School::open().await;
    for path in ["/api/workspaces", "/api/terminals", "/api/saves", "/api/courses"] {
        assert_eq!(school.li.get(path).await.status, 200, "{path}");
    }
    for path in [
        "/api/containers",
        "/api/apps",
        "/api/engines",
        "/api/environments",
        "/api/account",
        "/api/images",
        "/api/operations",
        "/api/stats",
        "/api/cluster/info",
        "/api/events",
        "/api/roster",
    ] {
        assert_eq!(school.li.get(path).await.status, 403, "{path}");
    }
    assert_eq!(school.li.post("/api/workspaces", r#"{"environment":"lab"}"#).await.status, 403);
    let other = school.li.post("/api/containers/00000000beef/terminals", "{}").await;
    assert_eq!(other.status, 404, "nobody tells whether there is one: {other:?}");
}

#[tokio::test]
async fn whoever_gets_a_name_again_is_told_of_its_courses() {
    let school = School::open().await;
    assert_eq!(school.admin.send("DELETE", "/api/account/li", "").await.status, 204);
    let account = json!({ "username": "li", "password": PASSWORD, "role": { "name": "student" } }).to_string();
    let refused = school.admin.post("/api/account", &account).await;
    assert_eq!(refused.refusal().code, "name_owns_things");
    assert!(refused.refusal().message.contains("a place in 1 course"), "{refused:?}");
}

#[tokio::test]
async fn whoever_takes_a_course_sees_its_labs_when_they_open() {
    let school = School::open().await;
    let made = school.wang.post("/api/labs", r#"{"id":"mysql","title":"MySQL"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let published = school.wang.post("/api/labs/mysql/publish", r#"{"note":"first"}"#).await;
    assert!([200, 201].contains(&published.status), "{published:?}");
    let seen = async |sender: &Sender| sender.get("/api/labs/mysql").await.status;
    assert_eq!((seen(&school.li).await, seen(&school.zhao).await, seen(&school.eve).await), (404, 404, 404));
    let put = async |sender: &Sender, lab: Value| {
        sender.send("PUT", "/api/courses/cs-101", json!({ "labs": [lab] }).to_string()).await
    };
    let due = "2026-12-01T18:00";
    let shown = put(&school.wang, json!({ "lab": "mysql", "version": 1, "due_at": due })).await;
    assert_eq!(
        (shown.status, &shown.json()["labs"][0]["due_at"]),
        (200, &json!("2026-12-01T18:00:00+08:00")),
        "{shown:?}"
    );
    assert_eq!((seen(&school.li).await, seen(&school.zhao).await, seen(&school.eve).await), (200, 200, 404));
    let later = put(&school.wang, json!({ "lab": "mysql", "opens_at": "2999-01-01T00:00" })).await;
    assert_eq!(later.status, 200, "{later:?}");
    assert_eq!((seen(&school.li).await, seen(&school.zhao).await), (404, 200), "not before it opens");
    let over = school.wang.send("PUT", "/api/courses/cs-101", r#"{"labs":[{"lab":"mysql"}],"archived":true}"#).await;
    assert_eq!((over.status, seen(&school.li).await), (200, 404), "nor when the course is over: {over:?}");

    let course = school.eve.post("/api/courses", r#"{"id":"evil"}"#).await;
    assert_eq!(course.status, 201);
    let stolen = school.eve.send("PUT", "/api/courses/evil", r#"{"labs":[{"lab":"mysql"}]}"#).await;
    assert_eq!(stolen.status, 404, "nobody gives what they may not: {stolen:?}");
    let twice = put(&school.wang, json!({ "lab": "mysql" })).await;
    assert_eq!(twice.status, 200);
    for (labs, told) in [
        (json!([{ "lab": "mysql" }, { "lab": "mysql" }]), "given twice"),
        (json!([{ "lab": "mysql", "opens_at": due, "due_at": due }]), "due later than they open"),
    ] {
        let refused = school.wang.send("PUT", "/api/courses/cs-101", json!({ "labs": labs }).to_string()).await;
        assert!(refused.status == 400 && refused.refusal().message.contains(told), "{refused:?}");
    }
}
