//! A class on the wall: how far its students have come, whose students are whose, and what students hear of messages.

use super::write;
use crate::attempts::{Bed, id_of};
use crate::courses::person;
use crate::lab::Lab;
use crate::raw::Sender;
use pierhead_controller::keys;
use pierhead_model::{LabAttempt, Username, WorkspaceId};
use pierhead_store::StoreJson;
use pierhead_testkit::{PATIENCE, eventually};
use serde_json::{Value, json};

/// The only one on somebody's wall.
async fn seen(sender: &Sender, query: &str) -> Value {
    sender.get(&format!("/api/wall{query}")).await.json()["people"][0].clone()
}

/// What is wrong with a request for a wall.
async fn refused(sender: &Sender, query: &str) -> (u16, String) {
    let answer = sender.get(&format!("/api/wall{query}")).await;
    (answer.status, answer.refusal().code)
}

async fn gives(lab: &Lab, course: &str, more: Value) {
    let mut record = json!({ "id": course, "title": "CS", "teachers": ["eve"], "assistants": ["bob"],
        "labs": [{ "lab": "shell" }], "created_at": 1 });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    write(lab, &format!("{}{course}", keys::COURSES), &record).await;
}

async fn takes(lab: &Lab, course: &str, names: &[&str]) {
    let students: Value = names.iter().map(|name| ((*name).to_owned(), json!({ "since": 1 }))).collect();
    write(lab, &format!("{}{course}", keys::ENROLMENTS), &json!({ "students": students })).await;
}

#[tokio::test]
async fn who_gives_a_lab_sees_how_far_its_students_have_come() {
    let bed = Bed::set().await;
    let begun = bed.begin().await;
    let (id, workspace) = (id_of(&begun), begun["workspace"].as_str().unwrap().to_owned());
    let lab = &bed.lab;
    eventually(PATIENCE, "it is ready", async || bed.view(&id).await["phase"] == "ready").await;
    let first = seen(&lab.ann, "").await;
    assert_eq!((&first["owner"], &first["may"], &first["phase"]), (&json!("carl"), &json!("help"), &json!("ready")));
    let work = &first["work"];
    assert_eq!((&work["attempt"], &work["lab"], &work["title"]), (&json!(id), &json!("shell"), &json!("Shell {{n}}")));
    assert_eq!(
        ["step", "steps", "done", "score", "most"].map(|name| work[name].as_u64()),
        [0, 2, 0, 0, 9].map(Some),
        "{work}"
    );
    assert_eq!(seen(&lab.eve, "").await, Value::Null);
    let shared = json!({ "role": "driver" }).to_string();
    let guests = format!("/api/workspaces/{workspace}/guests/bob");
    assert_eq!(bed.carl.send("PUT", &guests, shared).await.status, 204);
    bed.step(&id, 1).await;
    let answered = bed.done(&id, "steps/1/quizzes/q", json!({ "answer": [1] })).await;
    assert!(answered["score"].as_u64() >= Some(3), "{answered}");
    eventually(PATIENCE, "all see what the attempt says", async || {
        let score = bed.view(&id).await["score"].clone();
        let mut same = true;
        for sender in [&lab.ann, &lab.admin, &bed.carl] {
            let work = seen(sender, "").await["work"].clone();
            same &= work["step"] == 1 && work["score"] == score;
        }
        same
    })
    .await;
    let guest = seen(&lab.bob, "").await;
    assert_eq!(
        (&guest["may"], &guest["work"]),
        (&json!("help"), &Value::Null),
        "a guest works along, and judges nobody"
    );
}

#[tokio::test]
async fn a_wall_is_about_a_course_or_a_lab() {
    let bed = Bed::set().await;
    let attempt = id_of(&bed.begin().await);
    let lab = &bed.lab;
    gives(lab, "cs", json!({})).await;
    takes(lab, "cs", &["carl"]).await;
    let may = async |sender: &Sender, query: &str| seen(sender, query).await["may"].clone();
    for (query, there) in [
        ("", true),
        ("?course=cs", true),
        ("?course=cs&lab=shell", true),
        ("?lab=other", false),
        ("?environment=e", false),
    ] {
        let expected = |word: &str| if there { json!(word) } else { Value::Null };
        assert_eq!(may(&lab.eve, query).await, expected("lead"), "{query}");
        assert_eq!(may(&lab.bob, query).await, expected("help"), "{query}");
        assert_eq!(may(&lab.admin, query).await, expected("lead"), "{query}");
    }
    assert!(seen(&lab.bob, "?course=cs").await["work"].is_object(), "assistants look after them");
    let (forbidden, missing) = ((403, "forbidden".to_owned()), (404, "not_found".to_owned()));
    assert_eq!(refused(&bed.carl, "?course=cs").await, forbidden, "who takes it does not give it");
    assert_eq!(refused(&lab.ann, "?course=cs").await, missing, "who has nothing to do with it");
    assert_eq!(refused(&lab.eve, "?course=none").await, missing);
    assert_eq!(refused(&lab.eve, "?course=a/b").await.0, 400);
    let tell = async |sender: &Sender, course: &str| {
        sender.post("/api/messages", &json!({ "text": "Hello", "course": course }).to_string()).await
    };
    assert_eq!(tell(&lab.eve, "cs").await.json()["messages"][0]["people"], json!(1));
    assert_eq!((tell(&lab.ann, "cs").await.status, tell(&bed.carl, "cs").await.status), (404, 403));
    let nobody = lab.eve.post("/api/wall/change", r#"{"change":"stop","course":"cs","lab":"other"}"#).await;
    assert_eq!((nobody.status, nobody.refusal().code.as_str()), (409, "nobody"));
    // What is done for another course is none of this one's business; a course that is over has none.
    let key = format!("{}{attempt}", keys::ATTEMPTS);
    let of_another = async |course: Option<&str>| {
        let store = lab.cluster.controller().store();
        let (mut record, _) = store.get_json::<LabAttempt>(&key).await.unwrap().unwrap();
        record.course = course.map(str::to_owned);
        write(lab, &key, &serde_json::to_value(&record).unwrap()).await;
    };
    of_another(Some("another")).await;
    assert_eq!((may(&lab.eve, "").await, may(&lab.eve, "?course=cs").await), (Value::Null, Value::Null));
    of_another(Some("cs")).await;
    assert_eq!(may(&lab.eve, "").await, json!("lead"));
    gives(lab, "cs", json!({ "archived": true })).await;
    assert_eq!((may(&lab.eve, "").await, may(&lab.bob, "").await), (Value::Null, Value::Null));
}

#[tokio::test]
async fn a_student_hears_of_a_message_that_is_for_them_and_of_no_other() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let id = lab.workspace().await;
    let (sid, ned) = (person(&lab.cluster, "sid", "student").await, person(&lab.cluster, "ned", "student").await);
    let mut workspace = lab.record(&id).await;
    workspace.owner = Username::parse("sid").unwrap();
    lab.write_workspace(&workspace).await;
    let known = WorkspaceId::parse(id).unwrap();
    eventually(PATIENCE, "it is theirs", async || seen(&sid, "").await["workspace"] == json!(known.as_str())).await;
    let mut streams = [sid.open("/api/events/stream").await, ned.open("/api/events/stream").await];
    let sent = lab.admin.post("/api/messages", r#"{"text":"For one"}"#).await;
    assert_eq!((sent.status, &sent.json()["messages"][0]["people"]), (201, &json!(1)));
    for sender in [&sid, &ned] {
        assert_eq!(sender.post("/api/tokens", r#"{"name":"their-last"}"#).await.status, 201);
    }
    let mut told = [String::new(), String::new()];
    for (stream, told) in streams.iter_mut().zip(&mut told) {
        while !told.contains("their-last") {
            let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("their own is told");
            told.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
        }
    }
    assert!(told[0].contains("send-message") && !told[0].contains("For one"), "{}", told[0]);
    assert!(!told[1].contains("send-message"), "{}", told[1]);
}
