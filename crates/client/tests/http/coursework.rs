//! Work in courses: what is sent for each call, and what is made of the answers.

use crate::scripted::{Reply, Scripted};
use pierhead_client::{Addresses, Client, ClientError};
use pierhead_wire::{CriterionEntry, GradeUpdate, WorkUpdate};
use std::collections::BTreeMap;

const SUBMISSION: &str = r#"{"course":"cs","lab":"mysql","username":"li","number":2,"state":"complete",
    "submitted_at":"2026-12-01T09:59:59.000Z","late":false,"automatic":true,"version":1,"save":"aaaaaaaaaa-2",
    "ran_on_copy":true,"checks":[],"quizzes":[],"of_a_later_version":{}}"#;
const RESULT: &str = r#"{"lab":"mysql","title":"A database","published":true,"points":1.25,"most":2.5,"whole":true,
    "lines":[{"criterion":"style","title":"Style","points":1.25,"most":2.5,"by_hand":true}]}"#;

async fn scripted() -> (Scripted, Client) {
    let server = Scripted::start().await;
    let client = Client::new(Addresses::parse(&server.url).unwrap(), Some("secret".to_owned())).unwrap();
    (server, client)
}

#[tokio::test]
async fn recordings_are_asked_for_by_course() {
    let (server, client) = scripted().await;
    let missing = [
        client.consent("cs").await.err(),
        client.set_consent("cs", true).await.err(),
        client.recordings("cs", Some("mysql"), Some("li")).await.err(),
        client.deleted_recordings("cs").await.err(),
        client.recording("cs", "t-1").await.err(),
        client.delete_recording("cs", "t-1").await.err(),
    ];
    assert!(missing.iter().all(Option::is_some));
    assert_eq!(
        server.lines(),
        [
            "GET /api/courses/cs/consent",
            "PUT /api/courses/cs/consent",
            "GET /api/courses/cs/recordings?lab=mysql&username=li",
            "GET /api/courses/cs/deleted-recordings",
            "GET /api/courses/cs/recordings/t-1",
            "DELETE /api/courses/cs/recordings/t-1",
        ]
    );
    assert_eq!(server.asked()[1].body, r#"{"recordings":true}"#);
}

fn rubric() -> WorkUpdate {
    let style =
        CriterionEntry { id: "style".to_owned(), title: "Style".to_owned(), from: "hand".to_owned(), most: 2.5 };
    WorkUpdate { due: Some("2026-12-01T18:00".to_owned()), rubric: Some(vec![style]), ..WorkUpdate::default() }
}

fn grade() -> GradeUpdate {
    let points = BTreeMap::from([("style".to_owned(), Some(1.25)), ("work".to_owned(), None)]);
    GradeUpdate { points, comment: Some("Good.".to_owned()), ..GradeUpdate::default() }
}

#[tokio::test]
async fn each_call_asks_its_route_with_what_was_given() {
    let (server, client) = scripted().await;
    let missing = [
        client.course_work("cs").await.err(),
        client.change_work("cs", "mysql", &rubric()).await.err(),
        client.extend_work("cs", "mysql", "li", Some("2026-12-03T18:00")).await.err(),
        client.extend_work("cs", "mysql", "li", None).await.err(),
        client.submit_work("cs", "mysql").await.err(),
        client.submissions("cs", None, None).await.err(),
        client.submissions("cs", Some("mysql"), Some("li")).await.err(),
        client.retry_submission("cs", "mysql", "li").await.err(),
        client.open_submission("cs", "mysql", "li").await.err(),
        client.grade_work("cs", "mysql", "li", &grade()).await.err(),
        client.course_results("cs").await.err(),
        client.gradebook("cs").await.err(),
        client.export_grades("cs").await.err(),
        client.course_usage("cs").await.err(),
        client.export_course_usage("cs").await.err(),
        client.usage().await.err(),
    ];
    let is_told = |error: &Option<ClientError>| error.as_ref().and_then(ClientError::code) == Some("not_found");
    assert!(missing.iter().all(is_told), "{missing:?}");
    let expected = [
        ("GET /api/courses/cs/work", ""),
        (
            "PUT /api/courses/cs/work/mysql",
            r#"{"due":"2026-12-01T18:00","rubric":[{"id":"style","title":"Style","from":"hand","most":2.5}]}"#,
        ),
        ("PUT /api/courses/cs/work/mysql/extensions/li", r#"{"due":"2026-12-03T18:00"}"#),
        ("DELETE /api/courses/cs/work/mysql/extensions/li", ""),
        ("POST /api/courses/cs/work/mysql/submissions", ""),
        ("GET /api/courses/cs/submissions", ""),
        ("GET /api/courses/cs/submissions?lab=mysql&username=li", ""),
        ("POST /api/courses/cs/submissions/mysql/li/retry", ""),
        ("POST /api/courses/cs/submissions/mysql/li/workspace", ""),
        ("PUT /api/courses/cs/grades/mysql/li", r#"{"points":{"style":1.25,"work":null},"comment":"Good."}"#),
        ("GET /api/courses/cs/results", ""),
        ("GET /api/courses/cs/grades", ""),
        ("GET /api/courses/cs/grades/csv", ""),
        ("GET /api/courses/cs/usage", ""),
        ("GET /api/courses/cs/usage/csv", ""),
        ("GET /api/usage", ""),
    ];
    let asked = server.asked();
    let asked: Vec<_> = asked.iter().map(|asked| (asked.line.as_str(), asked.body.as_str())).collect();
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn what_is_handed_in_twice_by_mistake_has_one_key() {
    let (server, client) = scripted().await;
    server.on("POST /api/courses/cs/work/mysql/submissions", Reply::Lost);
    server.on("POST /api/courses/cs/work/mysql/submissions", Reply::Json(201, SUBMISSION.to_owned()));
    let submission = client.submit_work("cs", "mysql").await.unwrap().into_value();
    assert_eq!((submission.number, submission.state.as_str(), submission.automatic), (2, "complete", true));
    let keys: Vec<Option<String>> = server.asked().into_iter().map(|asked| asked.key).collect();
    assert_eq!(keys.len(), 2, "the connection was lost, and it was asked again");
    assert!(keys[0].is_some() && keys[0] == keys[1], "so that it is handed in once: {keys:?}");
}

#[tokio::test]
async fn answers_and_refusals_are_told_as_they_are() {
    let (server, client) = scripted().await;
    server.json("GET /api/courses/cs/submissions", format!("[{SUBMISSION}]"));
    server.json("GET /api/courses/cs/results", format!("[{RESULT}]"));
    let all = client.submissions("cs", None, None).await.unwrap().into_value();
    assert_eq!(all[0].save.as_deref(), Some("aaaaaaaaaa-2"));
    let results = client.course_results("cs").await.unwrap().into_value();
    assert_eq!((results[0].points, results[0].lines[0].by_hand), (Some(1.25), true));
    let csv = "\u{feff}username,points\r\n\"Li, Na\",1.25\r\n";
    server.on("GET /api/courses/cs/grades/csv", Reply::Json(200, csv.to_owned()));
    assert_eq!(client.export_grades("cs").await.unwrap(), csv, "not a byte is otherwise");
    server.refuse("GET /api/courses/cs/grades", 403, "forbidden", "only those who give the course may do that");
    let refused = client.gradebook("cs").await.unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"), "{refused}");
    server.refuse("POST /api/courses/cs/work/mysql/submissions", 409, "work_state", "it was due");
    let late = client.submit_work("cs", "mysql").await.unwrap_err();
    assert!(late.code() == Some("work_state") && late.to_string().contains("it was due"), "{late}");
}
