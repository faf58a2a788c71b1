//! Files of workspaces: what is sent for each, and what is made of the answers.

use crate::scripted::{Reply, Scripted};
use pierhead_client::{Addresses, Client, ClientError, FileAt};
use std::io::Cursor;

const FILE: &str =
    r#"{"name":"a b","path":"/in/a b","kind":"file","bytes":5,"mode":"0644","modified":"t","etag":"1-2"}"#;
const FOLDER: &str = r#"{"container":"db","path":"/in","entries":[],"has_more":true,"of_a_later_version":1}"#;

async fn scripted() -> (Scripted, Client) {
    let server = Scripted::start().await;
    let client = Client::new(Addresses::parse(&server.url).unwrap(), Some("secret".to_owned())).unwrap();
    (server, client)
}

fn at(path: &str) -> FileAt<'_> {
    FileAt { workspace: "k3f5a2bq7x", container: Some("db"), path }
}

fn of(method: &str, rest: &str) -> String {
    format!("{method} /api/workspaces/k3f5a2bq7x/files{rest}")
}

#[tokio::test]
async fn what_is_asked_of_files_names_container_and_path() {
    let (server, client) = scripted().await;
    server.json(&of("GET", "?container=db&path=%2Fin"), FOLDER);
    assert!(client.list_files(at("/in")).await.unwrap().has_more);
    server.on(&of("POST", ""), Reply::Json(201, FILE.to_owned())).json(&of("POST", "/move"), FILE);
    assert_eq!(client.make_folder(at("/in"), true).await.unwrap().etag, "1-2");
    client.move_file(at("/in/x"), "/in/a b", false).await.unwrap();
    server.on(&of("DELETE", "?container=db&path=%2Fin&recursive=true"), Reply::Json(204, String::new()));
    client.remove_file(at("/in"), true).await.unwrap();
    let bodies: Vec<String> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies[1], r#"{"container":"db","path":"/in","parents":true}"#);
    assert_eq!(bodies[2], r#"{"container":"db","path":"/in/x","to":"/in/a b","replace":false}"#);
}

#[tokio::test]
async fn bytes_are_sent_as_they_are_and_a_refusal_is_one() {
    let (server, client) = scripted().await;
    let line = of("PUT", "/content?container=db&path=%2Fin%2F100%2525&mode=755&parents=true");
    server.json(&line, FILE);
    let words = || Cursor::new(b"words".to_vec());
    let written = client.write_file(at("/in/100%25"), Some(0o100_755), words(), Some(5), |_| {}).await.unwrap();
    assert_eq!((written.name.as_str(), server.asked().last().unwrap().body.as_str()), ("a b", "words"));
    let full = of("PUT", "/content?container=db&path=%2Fin&parents=true");
    server.refuse(&full, 507, "no_space", "there is no room for it");
    let refused = client.write_file(at("/in"), None, words(), None, |_| {}).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused { status: 507, body } if body.code == "no_space"));
}

#[tokio::test]
async fn bytes_that_break_off_are_no_file() {
    let (server, client) = scripted().await;
    server.on(&of("GET", "/content?container=db&path=%2Fa&archive=tar"), Reply::Chunks(vec![b"one", b"two"]));
    let mut stream = client.read_file(at("/a"), Some("tar")).await.unwrap();
    let mut all = Vec::new();
    while let Some(bytes) = stream.next().await.unwrap() {
        all.extend(bytes);
    }
    assert_eq!(all, b"onetwo");
    server.on(&of("GET", "/content?container=db&path=%2Fa"), Reply::BrokenAfter(b"half"));
    let mut stream = client.read_file(at("/a"), None).await.unwrap();
    let failed = loop {
        match stream.next().await {
            Ok(Some(bytes)) => assert_eq!(bytes, b"half"),
            other => break other,
        }
    };
    assert!(matches!(failed, Err(ClientError::ReadLog { .. })), "{failed:?}");
    server.refuse(&of("GET", "/content?container=db&path=%2Fb"), 404, "no_such_file", "nothing is at /b");
    assert!(matches!(client.read_file(at("/b"), None).await, Err(ClientError::Refused { status: 404, .. })));
}
