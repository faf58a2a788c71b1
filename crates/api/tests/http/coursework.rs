//! Work in courses by HTTP: deadlines as they are written on walls, what each may see and set, and the table for
//! spreadsheets. What is handed in and graded has its tests beside the controller.

use crate::courses::{School, person};
use crate::raw::{Answer, Sender};
use pierhead_testkit::PATIENCE;
use serde_json::{Value, json};

/// The school, with the lab `mysql` in its course.
async fn school() -> School {
    let school = School::open().await;
    assert_eq!(school.wang.post("/api/labs", r#"{"id":"mysql","title":"A database"}"#).await.status, 201);
    assert_eq!(school.wang.post("/api/labs/mysql/publish", "{}").await.status, 200);
    let labs = json!({ "labs": [{ "lab": "mysql" }] }).to_string();
    assert_eq!(school.wang.send("PUT", "/api/courses/cs-101", labs).await.status, 200);
    school
}

async fn set(sender: &Sender, body: Value) -> Answer {
    sender.send("PUT", "/api/courses/cs-101/work/mysql", body.to_string()).await
}

async fn work(sender: &Sender) -> Value {
    sender.get("/api/courses/cs-101/work").await.json()[0].clone()
}

#[tokio::test]
async fn deadlines_are_told_in_the_courses_zone_and_to_each_their_own() {
    let school = school().await;
    let (wang, li) = (&school.wang, &school.li);
    let before = work(li).await;
    assert_eq!(
        (before["lab"].as_str(), before["due"].clone(), before["late"].as_str()),
        (Some("mysql"), Value::Null, Some("mark"))
    );
    assert_eq!(before["collects"], true);
    let now = set(wang, json!({ "due": "2026-12-01T18:00", "late": "refuse", "collects": false })).await;
    assert_eq!(now.status, 200, "{now:?}");
    let due = json!({ "at": "2026-12-01T10:00:00.000Z", "local": "2026-12-01T18:00:00+08:00" });
    assert_eq!((now.json()["due"].clone(), now.json()["late"].as_str()), (due.clone(), Some("refuse")));
    let course = wang.get("/api/courses/cs-101").await.json();
    assert_eq!(course["labs"][0]["due_at"], "2026-12-01T18:00:00+08:00", "it is the course's own");
    let extension = "/api/courses/cs-101/work/mysql/extensions/li";
    let later = r#"{"due":"2026-12-03T18:00:00+08:00"}"#;
    assert_eq!(wang.send("PUT", extension, later).await.status, 200);
    assert_eq!(work(li).await["due_for_you"]["local"], "2026-12-03T18:00:00+08:00");
    assert_eq!(work(li).await["due"], due, "everybody's is what it was");
    assert!(work(li).await["extensions"].is_null(), "whose they are is not for students");
    assert_eq!(work(&school.zhao).await["extensions"][0]["username"], "li");
    assert_eq!(wang.send("DELETE", extension, "").await.status, 204);
    assert_eq!(wang.send("DELETE", extension, "").await.status, 404);
    assert_eq!(work(li).await["due_for_you"], due);
    assert_eq!(set(wang, json!({ "due": "" })).await.json()["due"], Value::Null);
    assert_eq!(wang.send("PUT", extension, later).await.refusal().field.as_deref(), Some("due"), "nothing is due");
}

/// What an open stream tells up to a word.
async fn told_until(stream: &mut reqwest::Response, word: &str) -> String {
    let mut told = String::new();
    while !told.contains(word) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("it is told");
        told.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
    told
}

#[tokio::test]
async fn students_of_the_course_hear_that_results_are_published_and_of_nobodys_grade_but_theirs() {
    let school = school().await;
    let ned = person(&school.cluster, "ned", "student").await;
    let mut streams = [school.li.open("/api/events/stream").await, ned.open("/api/events/stream").await];
    set(&school.wang, json!({ "rubric": [{ "id": "style", "title": "Style", "from": "hand", "most": 5 }] })).await;
    let grade = json!({ "points": { "style": 2 } }).to_string();
    for student in ["wu", "li"] {
        let graded =
            school.wang.send("PUT", &format!("/api/courses/cs-101/grades/mysql/{student}"), grade.clone()).await;
        assert!(graded.status < 300, "{graded:?}");
    }
    set(&school.wang, json!({ "published": true })).await;
    for sender in [&school.li, &ned] {
        assert_eq!(sender.post("/api/tokens", r#"{"name":"their-last"}"#).await.status, 201);
    }
    let [li, ned] = &mut streams;
    let (li, ned) = (told_until(li, "their-last").await, told_until(ned, "their-last").await);
    assert!(li.contains("publish-results") && !ned.contains("publish-results"), "{li} {ned}");
    assert_eq!(
        (li.matches("grade-work").count(), li.contains("account=wu"), ned.contains("cs-101")),
        (1, false, false)
    );
}

#[tokio::test]
async fn what_can_not_be_is_refused_by_its_field_and_changes_nothing() {
    let school = school().await;
    set(&school.wang, json!({ "opens": "2026-11-01T08:00", "due": "2026-12-01T18:00" })).await;
    let before = work(&school.wang).await;
    let rubric = |most: Value| json!({ "rubric": [{ "id": "style", "title": "Style", "from": "hand", "most": most }] });
    for (body, field) in [
        (json!({ "due": "tomorrow" }), "due"),
        (json!({ "due": "2026-10-01T08:00" }), "due"),
        (json!({ "opens": "2026-13-01T08:00" }), "opens"),
        (json!({ "late": "perhaps" }), "late"),
        (rubric(json!(-1)), "rubric[0].most"),
        (rubric(json!(0.001)), "rubric[0].most"),
        (rubric(json!(0)), "rubric"),
        (json!({ "rubric": [{ "id": "Style", "title": "Style", "from": "hand", "most": 1 }] }), "rubric"),
        (json!({ "rubric": [{ "id": "style", "title": "Style", "from": "luck", "most": 1 }] }), "rubric[0].from"),
    ] {
        let refused = set(&school.wang, body.clone()).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}");
    }
    assert_eq!(set(&school.wang, rubric(json!(2.5))).await.json()["rubric"][0]["most"], 2.5);
    let grade = "/api/courses/cs-101/grades/mysql/li";
    for (body, field) in [
        (json!({ "points": { "style": 3 } }), "points"),
        (json!({ "points": { "beauty": 1 } }), "points"),
        (json!({ "points": { "style": 1.001 } }), "points.style"),
        (json!({ "comment": "\u{7}" }), "comment"),
    ] {
        let refused = school.zhao.send("PUT", grade, body.to_string()).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}");
    }
    assert_eq!(work(&school.wang).await["due"], before["due"]);
    for (method, path) in [
        ("PUT", "/api/courses/cs-101/work/other"),
        ("PUT", "/api/courses/cs-101/grades/mysql/nobody"),
        ("PUT", "/api/courses/cs-101/grades/other/li"),
        ("POST", "/api/courses/cs-101/submissions/mysql/li/retry"),
        ("POST", "/api/courses/cs-101/submissions/mysql/li/workspace"),
    ] {
        assert_eq!(school.wang.send(method, path, "{}").await.status, 404, "{method} {path}");
    }
    let submit = "/api/courses/cs-101/work/mysql/submissions";
    assert_eq!(school.li.post(submit, "").await.refusal().code, "work_state", "nothing was begun");
    assert_eq!(school.wang.post(submit, "").await.refusal().code, "work_state", "who gives a course hands in nothing");
}

#[tokio::test]
async fn what_others_came_to_is_for_those_who_give_the_course() {
    let school = school().await;
    let group = r#"{"group":"=1+1"}"#;
    assert_eq!(school.wang.send("PUT", "/api/courses/cs-101/students/li", group).await.status, 204);
    let rubric = json!({ "rubric": [{ "id": "style", "title": "Style", "from": "hand", "most": 5 }] });
    set(&school.wang, rubric).await;
    let grade = "/api/courses/cs-101/grades/mysql/li";
    let body = json!({ "points": { "style": 4.5 }, "comments": { "style": "neat" }, "comment": "Good." }).to_string();
    let graded = school.zhao.send("PUT", grade, body.clone()).await;
    assert_eq!((graded.status, graded.json()["points"].as_f64()), (200, Some(4.5)), "{graded:?}");
    assert_eq!(
        (graded.json()["graded_by"].as_str(), graded.json()["lines"][0]["by_hand"].as_bool()),
        (Some("zhao"), Some(true))
    );
    let own = async || school.li.get("/api/courses/cs-101/results").await.json()[0].clone();
    assert_eq!((own().await["points"].clone(), own().await["published"].as_bool()), (Value::Null, Some(false)));
    assert!(!own().await.to_string().contains("Good."));
    set(&school.wang, json!({ "published": true })).await;
    assert_eq!((own().await["points"].as_f64(), own().await["comment"].as_str()), (Some(4.5), Some("Good.")));
    for (method, path, body) in [
        ("GET", "/api/courses/cs-101/grades", ""),
        ("GET", "/api/courses/cs-101/grades/csv", ""),
        ("PUT", grade, body.as_str()),
        ("PUT", "/api/courses/cs-101/work/mysql", "{}"),
        ("PUT", "/api/courses/cs-101/work/mysql/extensions/li", r#"{"due":"2027-01-01T00:00"}"#),
        ("POST", "/api/courses/cs-101/submissions/mysql/li/workspace", ""),
    ] {
        assert_eq!(school.li.send(method, path, body).await.status, 403, "{method} {path} of a student");
        assert_eq!(school.eve.send(method, path, body).await.status, 404, "{method} {path} of somebody else");
    }
    assert_eq!(school.zhao.send("PUT", "/api/courses/cs-101/work/mysql", "{}").await.status, 403, "of an assistant");
    let gradebook = school.zhao.get("/api/courses/cs-101/grades").await.json();
    assert_eq!((gradebook[0]["username"].as_str(), gradebook[0]["points"].as_f64()), (Some("li"), Some(4.5)));
    let csv = school.wang.get("/api/courses/cs-101/grades/csv").await;
    let lines: Vec<&str> = csv.text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(
        lines[0],
        "username,name,group,mysql state,mysql submitted,mysql late,mysql points,mysql most,points,most"
    );
    assert_eq!(lines[1], "li,,'=1+1,,,,4.5,5,4.5,5", "a group is no formula");
    assert_eq!(lines.len(), 3);
}

#[tokio::test]
async fn what_was_used_is_told_to_who_gives_the_course_and_to_each_of_themselves() {
    let school = school().await;
    let usage = "/api/courses/cs-101/usage";
    let told = async |sender: &Sender| {
        let all = sender.get(usage).await.json();
        let names = all.as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    for (sender, names) in [
        (&school.wang, vec!["li", "wu"]),
        (&school.zhao, vec!["li", "wu"]),
        (&school.admin, vec!["li", "wu"]),
        (&school.li, vec!["li"]),
    ] {
        assert_eq!(told(sender).await, names);
    }
    let nothing = json!({ "username": "li", "name": "", "course": "cs-101", "cpu_hours": 0.0, "memory_gb_hours": 0.0,
        "save_bytes": 0 });
    assert_eq!(school.li.get(usage).await.json()[0], nothing, "nothing was counted");
    let csv = school.wang.get("/api/courses/cs-101/usage/csv").await;
    assert!(
        csv.text.ends_with("\r\nli,,cs-101,0.000000,0.000000,0,,\r\nwu,,cs-101,0.000000,0.000000,0,,\r\n"),
        "{csv:?}"
    );
    assert_eq!(school.li.get("/api/courses/cs-101/usage/csv").await.text.lines().count(), 2);
    assert_eq!((school.eve.get(usage).await.status, school.admin.get("/api/usage").await.status), (404, 200));
    for sender in [&school.wang, &school.zhao, &school.li] {
        assert_eq!(sender.get("/api/usage").await.status, 403);
    }
}

/// What somebody meets at a door: let in, forbidden, or as if there were none.
fn door(status: u16) -> &'static str {
    match status {
        401 | 403 => "forbidden",
        404 => "nothing",
        500.. => "broken",
        _ => "in",
    }
}

#[tokio::test]
async fn every_role_of_this_course_and_of_another_meets_its_door() {
    let school = school().await;
    let due = json!({ "due": "2050-12-01T18:00" });
    assert_eq!(set(&school.wang, due).await.status, 200);
    let pan = person(&school.cluster, "pan", "student").await;
    let gone = person(&school.cluster, "gone", "student").await;
    assert_eq!(school.enrol(&["gone"]).await.status, 204);
    let suspended = school.wang.send("PUT", "/api/courses/cs-101/students/gone", r#"{"suspended":true}"#).await;
    assert_eq!(suspended.status, 204, "{suspended:?}");
    assert_eq!(school.eve.post("/api/courses", r#"{"id":"cs-202","title":"Networks"}"#).await.status, 201);
    let students = json!({ "students": [{ "username": "pan" }] }).to_string();
    assert_eq!(school.eve.post("/api/courses/cs-202/students", &students).await.status, 204);
    // There is something that was handed in: nobody had to save anything for it.
    let begun = school.li.post("/api/labs/mysql/attempts", r#"{"course":"cs-101"}"#).await;
    assert_eq!((begun.status, begun.json()["course"].as_str()), (201, Some("cs-101")), "{begun:?}");
    let handed_in = school.li.post("/api/courses/cs-101/work/mysql/submissions", "").await;
    assert_eq!(handed_in.status, 201, "{handed_in:?}");
    let extension = ("/api/courses/cs-101/work/mysql/extensions/li", r#"{"due":"2050-12-03T18:00"}"#);
    let all = ["in", "in", "in", "in"];
    let staff = ["in", "in", "in", "forbidden"];
    let teachers = ["in", "in", "forbidden", "forbidden"];
    for (method, path, body, doors) in [
        ("GET", "/api/courses/cs-101/work", "", all),
        ("PUT", "/api/courses/cs-101/work/mysql", "{}", teachers),
        ("PUT", extension.0, extension.1, teachers),
        ("DELETE", extension.0, "", teachers),
        ("POST", "/api/courses/cs-101/work/mysql/submissions", "", all),
        ("GET", "/api/courses/cs-101/submissions", "", all),
        ("POST", "/api/courses/cs-101/submissions/mysql/li/retry", "", staff),
        ("POST", "/api/courses/cs-101/submissions/mysql/li/workspace", "", staff),
        ("PUT", "/api/courses/cs-101/grades/mysql/li", r#"{"comment":"Good."}"#, staff),
        ("GET", "/api/courses/cs-101/results", "", all),
        ("GET", "/api/courses/cs-101/grades", "", staff),
        ("GET", "/api/courses/cs-101/grades/csv", "", staff),
        ("GET", "/api/courses/cs-101/usage", "", all),
        ("GET", "/api/courses/cs-101/usage/csv", "", all),
    ] {
        let here =
            [("admin", &school.admin), ("teacher", &school.wang), ("assistant", &school.zhao), ("student", &school.li)];
        let elsewhere = [("teacher of another", &school.eve), ("student of another", &pan), ("suspended", &gone)];
        let expected = doors.into_iter().chain(["nothing"; 3]);
        for ((who, sender), expected) in here.into_iter().chain(elsewhere).zip(expected) {
            if method == "DELETE" {
                assert_eq!(school.wang.send("PUT", extension.0, extension.1).await.status, 200, "there is one");
            }
            let met = sender.send(method, path, body).await;
            assert_eq!(door(met.status), expected, "{method} {path} of {who}: {met:?}");
        }
    }
    // What others handed in and got is nowhere in what a student sees.
    let wu = Sender::nobody(&school.cluster);
    let log_in = wu.post("/auth/login", r#"{"username":"wu","password":"correct horse battery"}"#).await;
    let wu = Sender::nobody(&school.cluster).token(log_in.json()["token"].as_str().unwrap());
    for path in ["work", "submissions", "submissions?username=li", "results"] {
        let seen = wu.get(&format!("/api/courses/cs-101/{path}")).await;
        assert_eq!(seen.status, 200, "{path}");
        assert!(!seen.text.contains("\"li\"") && !seen.text.contains("Good."), "{path}: {}", seen.text);
    }
}

#[tokio::test]
async fn an_attempt_belongs_to_its_course_and_has_its_version() {
    let school = school().await;
    let begin = async |sender: &Sender, body: &str| sender.post("/api/labs/mysql/attempts", body).await;
    let of = |answer: &Answer| {
        let view = answer.json();
        (view["course"].as_str().map(str::to_owned), view["version"].as_u64(), view["newest_version"].as_u64())
    };
    let step = "/api/labs/mysql/files/content?path=steps/01-first.md";
    assert_eq!(school.wang.send("PUT", step, "# Another\n").await.status, 200);
    assert_eq!(school.wang.post("/api/labs/mysql/publish", "{}").await.json()["versions"][1]["number"], 2);
    let labs = json!({ "labs": [{ "lab": "mysql", "version": 1 }] }).to_string();
    assert_eq!(school.wang.send("PUT", "/api/courses/cs-101", labs).await.status, 200);
    let cs = Some("cs-101".to_owned());
    let unsaid = begin(&school.li, "{}").await;
    assert_eq!(of(&unsaid), (cs.clone(), Some(1), Some(1)), "the course says the version: {unsaid:?}");
    let named = begin(&school.li, r#"{"course":"cs-101"}"#).await;
    assert_eq!(named.json()["id"], unsaid.json()["id"], "it is the same attempt");
    let own = begin(&school.wang, "{}").await;
    assert_eq!(of(&own), (None, Some(2), Some(2)), "who teaches it works at it by themselves");
    assert_eq!(of(&begin(&school.wang, r#"{"course":"cs-101"}"#).await), (cs, Some(1), Some(1)));
    let other = json!({ "id": "cs-202", "title": "Networks" }).to_string();
    assert_eq!(school.eve.post("/api/courses", &other).await.status, 201);
    for course in ["cs-202", "cs-303", "\u{0}", ""] {
        let refused = begin(&school.li, &json!({ "course": course }).to_string()).await;
        assert_eq!(refused.status, 404, "{course:?}: {refused:?}");
    }
    // The course goes on to the second version, and so may whoever takes it.
    let labs = json!({ "labs": [{ "lab": "mysql" }] }).to_string();
    assert_eq!(school.wang.send("PUT", "/api/courses/cs-101", labs).await.status, 200);
    let id = unsaid.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(school.li.get(&format!("/api/attempts/{id}")).await.json()["newest_version"], 2);
    let moved = school.li.post(&format!("/api/attempts/{id}/move"), "").await;
    assert_eq!(moved.json()["version"], 2, "{moved:?}");
}

#[tokio::test]
async fn what_was_handed_in_is_listed_once_and_tried_again_only_if_it_failed() {
    let school = school().await;
    let begun = school.li.post("/api/labs/mysql/attempts", "{}").await;
    assert_eq!(begun.status, 201, "{begun:?}");
    assert_eq!(work(&school.li).await["begun"], true);
    let submit = "/api/courses/cs-101/work/mysql/submissions";
    let first = school.li.post(submit, "").await;
    assert_eq!(
        (first.status, first.json()["number"].as_u64(), first.json()["late"].as_bool()),
        (201, Some(1), Some(false))
    );
    // Its workspace waits for a host: there is nothing to save, and what came out is all.
    pierhead_testkit::eventually(pierhead_testkit::PATIENCE, "it is complete", async || {
        work(&school.li).await["submission"]["state"] == "complete"
    })
    .await;
    let seen = school.zhao.get("/api/courses/cs-101/submissions").await.json();
    assert_eq!(seen.as_array().map(Vec::len), Some(1));
    assert!(seen[0]["save"].is_null() && seen[0]["message"].is_string(), "{seen}");
    for (query, many) in
        [("?lab=mysql", 1), ("?lab=other", 0), ("?username=li", 1), ("?username=wu", 0), ("?lab=mysql&username=li", 1)]
    {
        let all = school.wang.get(&format!("/api/courses/cs-101/submissions{query}")).await.json();
        assert_eq!(all.as_array().map(Vec::len), Some(many), "{query}");
    }
    assert_eq!(school.wang.get("/api/courses/cs-101/submissions?of=li").await.status, 400, "nobody knows `of`");
    let place = "/api/courses/cs-101/submissions/mysql/li";
    let again = school.wang.post(&format!("{place}/retry"), "").await;
    assert_eq!((again.status, again.refusal().code.as_str()), (409, "work_state"), "it did not fail");
    let copy = school.wang.post(&format!("{place}/workspace"), "").await;
    assert_eq!((copy.status, copy.refusal().code.as_str()), (409, "work_state"), "nothing was saved");
    // What is handed in again takes its place, and both are kept.
    assert_eq!(school.li.post(submit, "").await.json()["number"], 2);
    let numbers = school.wang.get("/api/courses/cs-101/submissions").await.json();
    let numbers: Vec<_> = numbers.as_array().unwrap().iter().map(|one| one["number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    // What is late is refused where the course says so, and marked where it does not.
    let past = json!({ "opens": "2020-01-01T08:00", "due": "2020-02-01T08:00", "late": "refuse", "collects": false });
    assert_eq!(set(&school.wang, past).await.status, 200);
    pierhead_testkit::eventually(pierhead_testkit::PATIENCE, "the second is complete", async || {
        work(&school.li).await["submission"]["number"] == 2
    })
    .await;
    let refused = school.li.post(submit, "").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "work_state"));
    assert!(refused.refusal().message.contains("late"), "{refused:?}");
    assert_eq!(set(&school.wang, json!({ "late": "mark" })).await.status, 200);
    assert_eq!(school.li.post(submit, "").await.json()["late"], true);
}
