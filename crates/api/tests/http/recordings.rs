//! Recordings of class work by HTTP: what a course asks, what each says, who sees what is kept, and who hears that it is
//! gone. How they come to be kept has its tests beside the controller.

use crate::courses::School;
use crate::raw::{Answer, Sender};
use pierhead_controller::keys;
use pierhead_model::{
    AttemptId, CourseId, Digest, KeptRecording, LabId, RecordingMark, TerminalId, Timestamp, Username,
};
use pierhead_store::StoreJson;
use pierhead_testkit::PATIENCE;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CONSENT: &str = "/api/courses/cs-101/consent";
const ALL: &str = "/api/courses/cs-101/recordings";
const ONE: &str = "/api/courses/cs-101/recordings/t-1";
const GONE: &str = "/api/courses/cs-101/deleted-recordings";
const CAST: &str = "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":7}\n[0.100, \"o\", \"$ \"]\n";

async fn asks(school: &School, days: u32) -> Answer {
    school.wang.send("PUT", "/api/courses/cs-101", json!({ "recording_days": days }).to_string()).await
}

async fn says(sender: &Sender, yes: bool) -> Answer {
    sender.send("PUT", CONSENT, json!({ "recordings": yes }).to_string()).await
}

/// A recording of what Li did, as the leading controller keeps it.
async fn kept(school: &School) {
    assert_eq!(school.wang.post("/api/labs", r#"{"id":"mysql"}"#).await.status, 201);
    let file = school.wang.send("PUT", "/api/labs/mysql/files/content?path=kept.cast", CAST).await.json();
    let record = KeptRecording {
        id: TerminalId::parse("t-1").unwrap(),
        course: CourseId::parse("cs-101").unwrap(),
        lab: LabId::parse("mysql").unwrap(),
        account: Username::parse("li").unwrap(),
        also: BTreeSet::new(),
        attempt: AttemptId::from_random(1),
        submission: Some(1),
        name: "sh".to_owned(),
        began: Timestamp(7_000),
        until: Timestamp(9_000),
        bytes: file["bytes"].as_u64().unwrap(),
        blob: Digest::parse(file["digest"].as_str().unwrap()).unwrap(),
        kept_until: Timestamp(u64::MAX / 2),
        marks: vec![RecordingMark { at: Timestamp(8_500), step: 2, passed: None, title: "Three".to_owned() }],
    };
    school.cluster.controller().store().put_json(&keys::recording(&record), &record).await.unwrap();
}

async fn wu(school: &School) -> Sender {
    let log_in = json!({ "username": "wu", "password": "correct horse battery" }).to_string();
    let answer = Sender::nobody(&school.cluster).post("/auth/login", &log_in).await;
    Sender::nobody(&school.cluster).token(answer.json()["token"].as_str().unwrap())
}

/// What somebody is told of what was deleted, and whether their console hears of it before a token of theirs with this
/// name.
async fn hears(sender: &Sender, last: &str) -> (usize, bool) {
    let told = sender.get(GONE).await;
    let told = if told.status == 404 { 0 } else { told.json().as_array().unwrap().len() };
    let (mut stream, mut heard) = (sender.open("/api/events/stream?since=1d").await, String::new());
    assert_eq!(sender.post("/api/tokens", &json!({ "name": last }).to_string()).await.status, 201);
    while !heard.contains(last) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("their own is told");
        heard.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
    (told, heard.contains("delete-recording"))
}

#[tokio::test]
async fn a_course_asks_and_each_says_for_themselves() {
    let school = School::open().await;
    assert_eq!(school.li.get("/api/courses/cs-101").await.json()["recording_days"], Value::Null, "it asks for none");
    assert_eq!(says(&school.li, true).await.refusal().code, "work_state");
    assert_eq!(asks(&school, 30).await.json()["recording_days"], 30);
    assert_eq!(asks(&school, 400).await.refusal().field.as_deref(), Some("recording_days"));
    let refused = school.li.send("PUT", "/api/courses/cs-101", r#"{"recording_days":1}"#).await;
    assert_eq!(refused.status, 403, "who takes it does not change it");
    assert_eq!(school.li.get("/api/courses/cs-101").await.json()["recording_days"], 30);
    assert_eq!(school.li.get(CONSENT).await.json(), json!({ "days": 30, "recordings": false }));
    let said = says(&school.li, true).await.json();
    assert!(said["recordings"] == true && said["since"].is_string(), "{said}");
    assert_eq!(says(&school.li, true).await.json(), said, "saying it again changes nothing");
    for other in [&wu(&school).await, &school.wang, &school.zhao] {
        assert_eq!(other.get(CONSENT).await.json()["recordings"], false, "one's own, nobody else's");
    }
    assert_eq!(says(&school.wang, true).await.refusal().code, "work_state");
    for sender in [says(&school.eve, true).await, school.eve.get(CONSENT).await, school.eve.get(ALL).await] {
        assert_eq!(sender.status, 404);
    }
    for odd in ["{}", r#"{"recordings":"yes"}"#, r#"{"recordings":true,"for":"ever"}"#] {
        assert_eq!(school.li.send("PUT", CONSENT, odd).await.status, 400, "{odd}");
    }
    assert_eq!(says(&school.li, false).await.json(), json!({ "days": 30, "recordings": false }));
}

#[tokio::test]
async fn what_is_kept_is_seen_and_deleted_by_those_who_have_to_do_with_it() {
    let school = School::open().await;
    asks(&school, 30).await;
    says(&school.li, true).await;
    kept(&school).await;
    let wu = wu(&school).await;
    for (sender, may_delete) in [(&school.li, true), (&school.wang, true), (&school.admin, true), (&school.zhao, false)]
    {
        let all = sender.get(ALL).await.json();
        let expected = json!([{ "seconds": 1.5, "step": 2, "what": "seen", "title": "Three" }]);
        assert_eq!((all.as_array().unwrap().len(), &all[0]["marks"]), (1, &expected));
        assert_eq!((&all[0]["may_delete"], &all[0]["submission"]), (&json!(may_delete), &json!(1)));
        let file = sender.get(ONE).await;
        assert_eq!((file.status, file.text.as_str()), (200, CAST));
    }
    assert_eq!(school.wang.get(&format!("{ALL}?lab=mysql&username=li")).await.json().as_array().unwrap().len(), 1);
    for none in ["?lab=other", "?username=wu", "?username=%20"] {
        assert_eq!(school.wang.get(&format!("{ALL}{none}")).await.json(), json!([]), "{none}");
    }
    assert_eq!((wu.get(ALL).await.json(), wu.get(ONE).await.status), (json!([]), 404));
    for (sender, status) in [(&wu, 404), (&school.eve, 404), (&school.zhao, 403)] {
        assert_eq!(sender.send("DELETE", ONE, "").await.status, status);
    }
    assert_eq!(hears(&school.li, "the-last-before").await, (0, false));
    says(&school.li, false).await;
    assert_eq!((school.li.get(ONE).await.status, school.wang.get(ALL).await.json()), (404, json!([])));
    for (name, sender, hears_of_it) in [
        ("li", &school.li, true),
        ("wang", &school.wang, true),
        ("zhao", &school.zhao, true),
        ("wu", &wu, false),
        ("eve", &school.eve, false),
    ] {
        let heard = hears(sender, &format!("the-last-of-{name}")).await;
        assert_eq!(heard, (usize::from(hears_of_it), hears_of_it), "{name}");
    }
    let told = school.wang.get(GONE).await.json();
    assert_eq!((&told[0]["username"], &told[0]["why"]), (&json!("li"), &json!("consent was withdrawn")), "{told}");
    assert_eq!(school.eve.get(GONE).await.status, 404);
    assert_eq!(school.wang.send("DELETE", ONE, "").await.status, 404, "it is gone");
}
