//! Environments, workspaces, saves and previews: what is sent for each, and what is made of the answers.

use crate::scripted::{Reply, Scripted};
use pierhead_client::{Addresses, Change, Client, ClientError, Wait};
use pierhead_wire::{
    EnvironmentChange, EnvironmentContainerDescription, EnvironmentDescription, EnvironmentRequest, WorkspaceRequest,
};

const ID: &str = "k3f5a2bq7x";
const SAVE: &str = "k3f5a2bq7x-2";
const WORKSPACE: &str = r#"{"id":"k3f5a2bq7x","name":"my work","owner":"ann","right":"driver","environment":"python",
    "version":3,"phase":"queued","queue":2,"message":"no host has room","containers":[],"of_a_later_version":[1],
    "created_at":"2026-01-01T00:00:00.000Z"}"#;
const ENVIRONMENT: &str = r#"{"id":"python","owner":"ann","visibility":"shared","version":3,"warm_ready":1,
    "description":{"containers":[{"name":"main","image":"python:3.12"}]},"created_at":"t","changed_at":"t"}"#;
const SAVED: &str = r#"{"id":"k3f5a2bq7x-2","name":"n","owner":"ann","workspace":"k3f5a2bq7x","environment":"python",
    "version":3,"automatic":false,"state":"single-copy","why":"no other host has room","bytes":18446744073709551615,
    "containers":[],"copies":["host-1"],"moved_bytes":0,"created_at":"t"}"#;
const PREVIEW: &str = r#"{"url":"http://8000-k3f5a2bq7x.localhost:8081/?pierhead-ticket=once","expires":"t"}"#;

async fn scripted() -> (Scripted, Client) {
    let server = Scripted::start().await;
    let client = at(&server.url);
    (server, client)
}

fn at(urls: &str) -> Client {
    Client::new(Addresses::parse(urls).unwrap(), Some("secret".to_owned())).unwrap()
}

fn wanted() -> WorkspaceRequest {
    WorkspaceRequest { environment: Some("python".to_owned()), ..WorkspaceRequest::default() }
}

fn described() -> EnvironmentRequest {
    let containers = vec![EnvironmentContainerDescription::default()];
    let description = EnvironmentDescription { containers, ..EnvironmentDescription::default() };
    EnvironmentRequest { name: "python".to_owned(), visibility: None, description }
}

/// Under which keys something was asked.
fn keys(server: &Scripted) -> Vec<Option<String>> {
    server.asked().into_iter().map(|asked| asked.key).collect()
}

#[tokio::test]
async fn each_call_asks_its_route_with_what_was_given() {
    let (server, client) = scripted().await;
    let change = EnvironmentChange { visibility: Some("shared".to_owned()), description: None };
    let missing = [
        client.environments().await.err(),
        client.environment("python").await.err(),
        client.set_environment("python", &change).await.err(),
        client.delete_environment("python").await.err(),
        client.workspaces().await.err(),
        client.workspace(ID).await.err(),
        client.end_workspace(ID, false).await.err(),
        client.end_workspace(ID, true).await.err(),
        client.extend_workspace(ID, 30).await.err(),
        client.save_workspace(ID, None).await.err(),
        client.save_workspace(ID, Some("before")).await.err(),
        client.stop_workspace(ID).await.err(),
        client.start_workspace(ID, None).await.err(),
        client.start_workspace(ID, Some(SAVE)).await.err(),
        client.reset_workspace(ID).await.err(),
        client.share_workspace(ID, "bob", "viewer").await.err(),
        client.unshare_workspace(ID, "bob").await.err(),
        client.workspace_ports(ID).await.err(),
        client.open_preview(ID, 8000).await.err(),
        client.saves().await.err(),
        client.save(SAVE).await.err(),
        client.save_changes(SAVE, None).await.err(),
        client.save_changes(SAVE, Some("k3f5a2bq7x-1")).await.err(),
        client.delete_save(SAVE).await.err(),
        client.save_environment(SAVE, "prepared").await.err(),
    ];
    let is_told = |error: &Option<ClientError>| error.as_ref().and_then(ClientError::code) == Some("not_found");
    assert!(missing.iter().all(is_told), "{missing:?}");
    let expected = [
        ("GET /api/environments", ""),
        ("GET /api/environments/python", ""),
        ("PUT /api/environments/python", r#"{"visibility":"shared"}"#),
        ("DELETE /api/environments/python", ""),
        ("GET /api/workspaces", ""),
        ("GET /api/workspaces/k3f5a2bq7x", ""),
        ("DELETE /api/workspaces/k3f5a2bq7x", ""),
        ("DELETE /api/workspaces/k3f5a2bq7x?discard=true", ""),
        ("POST /api/workspaces/k3f5a2bq7x/extend", r#"{"minutes":30}"#),
        ("POST /api/workspaces/k3f5a2bq7x/save", "{}"),
        ("POST /api/workspaces/k3f5a2bq7x/save", r#"{"name":"before"}"#),
        ("POST /api/workspaces/k3f5a2bq7x/stop", ""),
        ("POST /api/workspaces/k3f5a2bq7x/start", "{}"),
        ("POST /api/workspaces/k3f5a2bq7x/start", r#"{"save":"k3f5a2bq7x-2"}"#),
        ("POST /api/workspaces/k3f5a2bq7x/reset", ""),
        ("PUT /api/workspaces/k3f5a2bq7x/guests/bob", r#"{"role":"viewer"}"#),
        ("DELETE /api/workspaces/k3f5a2bq7x/guests/bob", ""),
        ("GET /api/workspaces/k3f5a2bq7x/ports", ""),
        ("POST /api/workspaces/k3f5a2bq7x/previews/8000", ""),
        ("GET /api/saves", ""),
        ("GET /api/saves/k3f5a2bq7x-2", ""),
        ("GET /api/saves/k3f5a2bq7x-2/changes", ""),
        ("GET /api/saves/k3f5a2bq7x-2/changes?since=k3f5a2bq7x-1", ""),
        ("DELETE /api/saves/k3f5a2bq7x-2", ""),
        ("POST /api/saves/k3f5a2bq7x-2/environment", r#"{"name":"prepared"}"#),
    ];
    let asked = server.asked();
    let said: Vec<(&str, &str)> = asked.iter().map(|asked| (asked.line.as_str(), asked.body.as_str())).collect();
    assert_eq!(said, expected);
    assert!(asked.iter().all(|asked| asked.token.as_deref() == Some("Bearer secret")));
    for asked in &asked {
        assert!(asked.key.is_some() || !asked.line.starts_with("POST"), "{}: has no key", asked.line);
        assert!(asked.key.is_none() || !asked.line.starts_with("GET"), "{}: changes nothing", asked.line);
    }
}

#[tokio::test]
async fn answers_are_read_and_kept_as_they_came() {
    let (server, client) = scripted().await;
    server.json("GET /api/workspaces", format!("[{WORKSPACE}]")).json("GET /api/workspaces/k3f5a2bq7x", WORKSPACE);
    server.json("GET /api/environments", format!("[{ENVIRONMENT}]")).json("GET /api/saves", format!("[{SAVED}]"));
    server.json("GET /api/saves/k3f5a2bq7x-2", SAVED).json("GET /api/environments/python", ENVIRONMENT);
    let changes = r#"[{"container":"main","added":1,"changed":0,"removed":2,
        "files":[{"path":"/a b","kind":"added","is_folder":false,"bytes_before":0,"bytes":3}]}]"#;
    server.json("GET /api/saves/k3f5a2bq7x-2/changes", changes);
    let ports = r#"[{"port":8000,"container":"main","declared":true,"listening":true,"only_inside":true}]"#;
    server.json("GET /api/workspaces/k3f5a2bq7x/ports", ports);
    server.on("POST /api/workspaces/k3f5a2bq7x/previews/8000", Reply::Json(201, PREVIEW.to_owned()));

    assert_eq!(client.workspaces().await.unwrap()[0].queue, Some(2));
    let workspace = client.workspace(ID).await.unwrap();
    assert_eq!((workspace.phase.as_str(), workspace.message.as_str()), ("queued", "no host has room"));
    assert_eq!(workspace.json(), WORKSPACE, "with what this version does not know");
    assert_eq!(client.environments().await.unwrap()[0].visibility, "shared");
    assert_eq!(client.environment("python").await.unwrap().description.containers[0].image, "python:3.12");
    assert_eq!(client.saves().await.unwrap()[0].copies, ["host-1"]);
    let save = client.save(SAVE).await.unwrap();
    assert_eq!((save.bytes, save.why.as_deref()), (u64::MAX, Some("no other host has room")));
    assert_eq!(client.save_changes(SAVE, None).await.unwrap()[0].files[0].path, "/a b");
    assert!(client.workspace_ports(ID).await.unwrap()[0].only_inside);
    assert!(client.open_preview(ID, 8000).await.unwrap().url.ends_with("pierhead-ticket=once"));
}

#[tokio::test]
async fn each_change_of_a_workspace_answers_what_it_is_then() {
    let (server, client) = scripted().await;
    for (verb, phase) in
        [("extend", "ready"), ("save", "saving"), ("stop", "saving"), ("start", "queued"), ("reset", "starting")]
    {
        let line = format!("POST /api/workspaces/{ID}/{verb}");
        server.json(&line, WORKSPACE.replace("queued", phase));
    }
    assert_eq!(client.extend_workspace(ID, 5).await.unwrap().phase, "ready");
    assert_eq!(client.save_workspace(ID, None).await.unwrap().phase, "saving");
    assert_eq!(client.stop_workspace(ID).await.unwrap().phase, "saving");
    assert_eq!(client.start_workspace(ID, None).await.unwrap().phase, "queued");
    assert_eq!(client.reset_workspace(ID).await.unwrap().phase, "starting");
}

#[tokio::test]
async fn lists_are_asked_for_in_part() {
    let (server, client) = scripted().await;
    for line in ["GET /api/workspaces?limit=7", "GET /api/environments?limit=7", "GET /api/saves?limit=7"] {
        server.json(line, "[]");
    }
    let few = client.at_most(Some(7));
    assert!(few.workspaces().await.unwrap().is_empty() && few.environments().await.unwrap().is_empty());
    assert!(few.saves().await.unwrap().is_empty());
    assert_eq!(few.at_most(None).saves().await.unwrap_err().status(), Some(404), "and in full again");
}

#[tokio::test]
async fn a_workspace_whose_opening_got_lost_is_asked_for_under_the_same_key() {
    let (server, client) = scripted().await;
    let line = "POST /api/workspaces";
    server.on(line, Reply::Lost).on(line, Reply::Lost).on(line, Reply::Json(201, WORKSPACE.to_owned()));
    let opened = client.open_workspace(&wanted(), &Change::with_key("k1", Wait::UntilEnded)).await.unwrap();
    assert_eq!(opened.id, ID);
    assert_eq!(keys(&server), vec![Some("k1".to_owned()); 3]);
    assert!(server.asked().iter().all(|asked| asked.body == r#"{"environment":"python"}"#));

    // Whoever wants another one says so by another key.
    for _ in 0..2 {
        client.open_workspace(&wanted(), &Change::new(Wait::UntilEnded)).await.unwrap();
    }
    let keys = keys(&server);
    assert!(keys[3] != keys[4] && keys[3..].iter().all(Option::is_some), "{keys:?}");
}

#[tokio::test]
async fn what_makes_or_changes_something_keeps_its_key_while_answers_get_lost() {
    let (server, client) = scripted().await;
    let lost_first = |line: String, status: u16, body: &str| {
        server.on(&line, Reply::Lost).on(&line, Reply::Json(status, body.to_owned()));
    };
    lost_first("POST /api/environments".to_owned(), 201, ENVIRONMENT);
    lost_first(format!("POST /api/saves/{SAVE}/environment"), 201, ENVIRONMENT);
    lost_first(format!("DELETE /api/saves/{SAVE}"), 204, "");
    for verb in ["extend", "save", "stop", "start", "reset"] {
        lost_first(format!("POST /api/workspaces/{ID}/{verb}"), 200, WORKSPACE);
    }
    lost_first(format!("POST /api/workspaces/{ID}/previews/8000"), 201, PREVIEW);
    client.add_environment(&described()).await.unwrap();
    client.save_environment(SAVE, "prepared").await.unwrap();
    client.delete_save(SAVE).await.unwrap();
    client.extend_workspace(ID, 5).await.unwrap();
    client.save_workspace(ID, Some("n")).await.unwrap();
    client.stop_workspace(ID).await.unwrap();
    client.start_workspace(ID, Some(SAVE)).await.unwrap();
    client.reset_workspace(ID).await.unwrap();
    client.open_preview(ID, 8000).await.unwrap();

    let asked = server.asked();
    let mut seen = std::collections::BTreeSet::new();
    for pair in asked.chunks(2) {
        assert_eq!((&pair[0].line, &pair[0].body), (&pair[1].line, &pair[1].body));
        assert_eq!(pair[0].key, pair[1].key, "{}", pair[0].line);
        let key = pair[0].key.clone().unwrap();
        assert!(key.len() == 32 && seen.insert(key), "each change has its own: {}", pair[0].line);
    }
    assert_eq!(seen.len(), 9);
}

#[tokio::test]
async fn a_refusal_is_asked_for_once_and_told_with_its_field() {
    let (first, second) = (Scripted::start().await, Scripted::start().await);
    let body = r#"{"code":"invalid","message":"minutes must be few","field":"minutes"}"#;
    first.on("POST /api/workspaces/k3f5a2bq7x/extend", Reply::Json(400, body.to_owned()));
    first.refuse("POST /api/workspaces", 429, "too_many_workspaces", "you have 50");
    first.refuse("POST /api/environments", 409, "exists", "there is one");
    first.refuse("DELETE /api/environments/python", 403, "forbidden", "it is ann's");
    first.refuse("DELETE /api/saves/k3f5a2bq7x-2", 409, "in_use", "a workspace begins from it");
    first.refuse("POST /api/workspaces/k3f5a2bq7x/previews/80", 503, "no_previews", "this server shows none");
    first.refuse("GET /api/saves/k3f5a2bq7x-2/changes", 503, "engine_unreachable", "no host that has it answers");
    let client = at(&format!("{},{}", first.url, second.url));

    let ClientError::Refused { status: 400, body } = client.extend_workspace(ID, 9).await.unwrap_err() else {
        panic!("it was refused otherwise")
    };
    assert_eq!((body.field.as_deref(), body.message.as_str()), (Some("minutes"), "minutes must be few"));
    let opened = client.open_workspace(&wanted(), &Change::new(Wait::UntilEnded)).await.map(drop);
    for (refused, status, code) in [
        (opened, 429, "too_many_workspaces"),
        (client.add_environment(&described()).await.map(drop), 409, "exists"),
        (client.delete_environment("python").await, 403, "forbidden"),
        (client.delete_save(SAVE).await, 409, "in_use"),
        (client.open_preview(ID, 80).await.map(drop), 503, "no_previews"),
        (client.save_changes(SAVE, None).await.map(drop), 503, "engine_unreachable"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{error}");
    }
    assert_eq!((first.asked().len(), second.asked().len()), (7, 0), "a verdict is one, whoever tells it");
}

#[tokio::test]
async fn another_controller_is_asked_where_one_is_lost_or_cut_off() {
    let (lost, cut_off, third) = (Scripted::start().await, Scripted::start().await, Scripted::start().await);
    lost.on("POST /api/workspaces", Reply::Lost);
    cut_off.refuse("POST /api/workspaces", 503, "store_unavailable", "the store does not answer");
    third.on("POST /api/workspaces", Reply::Json(201, WORKSPACE.to_owned()));
    let client = at(&format!("{},{},{}", lost.url, cut_off.url, third.url));
    client.open_workspace(&wanted(), &Change::with_key("k1", Wait::Seconds(0))).await.unwrap();
    for server in [&lost, &cut_off, &third] {
        assert_eq!(keys(server), [Some("k1".to_owned())]);
        assert_eq!(server.lines(), ["POST /api/workspaces"], "a workspace is not waited for");
    }
}

#[tokio::test]
async fn who_is_never_answered_is_told_whom_they_asked() {
    let (server, client) = scripted().await;
    server.on("GET /api/workspaces", Reply::Lost).on("GET /api/saves/k3f5a2bq7x-2/changes", Reply::Lost);
    server.on("POST /api/workspaces/k3f5a2bq7x/previews/1", Reply::Lost);
    let lost = [
        client.workspaces().await.map(drop),
        client.save_changes(SAVE, None).await.map(drop),
        client.open_preview(ID, 1).await.map(drop),
    ];
    for lost in lost {
        let error = lost.unwrap_err();
        assert!(matches!(&error, ClientError::Unreachable { url, .. } if *url == server.url), "{error}");
        assert_eq!((error.status(), error.code()), (None, None));
    }
    assert_eq!(server.asked().len(), 9, "a bounded number of times");
}

#[tokio::test]
async fn an_answer_of_another_kind_is_not_taken_for_one() {
    let (server, client) = scripted().await;
    server.json("GET /api/workspaces", WORKSPACE).json("GET /api/saves", r#"[{"id":"k3f5a2bq7x-2"}]"#);
    server.json("POST /api/workspaces", "").json("GET /api/environments/python", "null");
    server.json("GET /api/workspaces/k3f5a2bq7x/ports", r#"[{"port":65536}]"#);
    server.on("GET /api/workspaces/k3f5a2bq7x", Reply::Json(403, "<html>".to_owned()));
    let opened = client.open_workspace(&wanted(), &Change::new(Wait::UntilEnded)).await;
    for odd in [
        client.workspaces().await.map(drop),
        client.saves().await.map(drop),
        client.environment("python").await.map(drop),
        client.workspace_ports(ID).await.map(drop),
        client.workspace(ID).await.map(drop),
        opened.map(drop),
    ] {
        let error = odd.unwrap_err();
        assert!(matches!(&error, ClientError::ReadAnswer { url, .. } if url.starts_with(&server.url)), "{error}");
    }
}

#[tokio::test]
async fn no_id_or_name_leads_to_another_route() {
    let (server, client) = scripted().await;
    for id in ["", ".", "..", "a\nb"] {
        let refused = [
            client.workspace(id).await.map(drop),
            client.end_workspace(id, true).await,
            client.unshare_workspace(ID, id).await,
            client.delete_environment(id).await,
            client.delete_save(id).await,
            client.open_preview(id, 80).await.map(drop),
        ];
        for refused in refused {
            assert!(matches!(&refused, Err(ClientError::ParseName(name)) if name == id), "{id:?}: {refused:?}");
        }
    }
    assert!(server.asked().is_empty(), "nothing of it was sent");
    assert_eq!(client.end_workspace("a/../b?discard=true", false).await.unwrap_err().status(), Some(404));
    assert_eq!(client.share_workspace(ID, "../../x", "driver").await.unwrap_err().status(), Some(404));
    assert_eq!(client.save_changes(SAVE, Some("a&b=c d")).await.unwrap_err().status(), Some(404));
    assert_eq!(
        server.lines(),
        [
            "DELETE /api/workspaces/a%2F..%2Fb%3Fdiscard=true",
            "PUT /api/workspaces/k3f5a2bq7x/guests/..%2F..%2Fx",
            "GET /api/saves/k3f5a2bq7x-2/changes?since=a%26b%3Dc+d",
        ]
    );
}
