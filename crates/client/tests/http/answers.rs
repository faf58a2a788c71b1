//! Each answer as the API writes it, read into its type.

use crate::scripted::{Reply, Scripted};
use pierhead_client::{Addresses, Change, Client, ClientError, LogOptions, RunOptions, Started, Wait};
use pierhead_wire::{AppChange, EngineRequest, ExplainRequest, ImageDescription, LogIn};

const CONTAINER: &str = r#"{"id":"714e","name":"/web-0-1","image":{"name":"httpd:latest"},
    "engine":{"id":"e1","addr":"http://10.0.0.5:2375","cpus":2,"memory":1533,"labels":["Docker"]},"state":"stopped",
    "status":"exited","ports":[],"exit_code":1,"created_at":"2026-01-01T00:00:00.000Z"}"#;
const APP: &str = r#"{"id":"a1","name":"web","owner":"clare","image":{"name":"httpd:latest"},"replicas":2,"running":1,
    "version":3,"created_at":"2026-01-01T00:00:00.000Z","slots":[{"slot":4,"wish":"running","state":"blocked",
    "ports":[],"message":"no room"}]}"#;
const ENGINE: &str = r#"{"id":"e1","addr":"http://10.0.0.5:2375","cpus":2.0,"memory":1533.0,"labels":[],
    "health":{"status":"pending","response_time":0,"since":"2026-01-01T00:00:00.000Z"},"docker_version":"",
    "reserved_cpus":0.0,"reserved_memory":0.0,"container_count":0,"image_count":0,"api_version":"",
    "operating_system":"","kernel":"","storage_driver":"","lacks":[]}"#;
const OPERATION: &str = r#"{"id":"op1","title":"scale web to 2","state":"failed",
    "verdicts":[{"slot":3,"state":"failed","message":"exited"}],"error":{"code":"not_started","message":"it exited"},
    "actor":"clare","app":"web","created_at":"2026-01-01T00:00:00.000Z","deadline":"2026-01-01T00:05:00.000Z",
    "ended_at":"2026-01-01T00:01:00.000Z"}"#;
const EXPLANATION: &str = r#"{"subject":"app web","summary":"It runs.","hosts":[{"engine":"e1","fits":true,
    "chosen":true,"score":82.5}],"slots":[]}"#;

async fn scripted() -> (Scripted, Client) {
    let server = Scripted::start().await;
    let client = Client::new(Addresses::parse(&server.url).unwrap(), None).unwrap();
    (server, client)
}

#[tokio::test]
async fn lists_are_bare_arrays() {
    let (server, client) = scripted().await;
    server.json("GET /api/containers", format!("[{CONTAINER}]")).json("GET /api/apps", format!("[{APP}]"));
    server.json("GET /api/engines", format!("[{ENGINE}]")).json("GET /api/operations", format!("[{OPERATION}]"));
    server.json("GET /api/events?count=2", r#"[{"id":"1","type":"start","time":"t","message":"m","tags":["Docker"]}]"#);
    let containers = client.containers(false).await.unwrap();
    assert_eq!((containers[0].status.as_str(), containers[0].exit_code), ("exited", Some(1)));
    assert_eq!(client.apps().await.unwrap()[0].slots[0].message, "no room");
    assert_eq!(client.engines().await.unwrap()[0].health.status, "pending");
    assert_eq!(client.operations().await.unwrap()[0].verdicts[0].message, "exited");
    assert_eq!(client.events(2).await.unwrap()[0].tags, ["Docker"]);
}

#[tokio::test]
async fn single_things_are_objects() {
    let (server, client) = scripted().await;
    server.json("GET /api/containers/714e", CONTAINER).json("GET /api/apps/web", APP);
    server.json("GET /api/engines/e1", ENGINE).json("GET /api/operations/op1?wait=2", OPERATION);
    server.json("GET /api/apps/web/explain", EXPLANATION).json("GET /api/containers/714e/explain", EXPLANATION);
    server.json("POST /api/explain", EXPLANATION);
    server.json("GET /api/cluster/info", r#"{"cpus":4,"memory":2,"reserved_cpus":1,"reserved_memory":1,"used_cpus":0,
        "used_memory":0,"container_count":1,"image_count":1,"engine_count":2,"silent_engines":[],"id":"c","version":"1"}"#);
    assert_eq!(client.container("714e").await.unwrap().into_value().engine.memory, 1533.0);
    assert_eq!(client.app("web").await.unwrap().owner, "clare");
    assert_eq!(client.engine("e1").await.unwrap().addr, "http://10.0.0.5:2375");
    let operation = client.operation("op1", Some(2)).await.unwrap();
    assert_eq!(operation.error.as_ref().map(|error| error.code.as_str()), Some("not_started"));
    assert_eq!(client.cluster_info().await.unwrap().engine_count, 2);
    let request = ExplainRequest { image: ImageDescription::default(), count: Some(3) };
    for explanation in [
        client.explain_app("web").await.unwrap(),
        client.explain_container("714e").await.unwrap(),
        client.explain(&request).await.unwrap(),
    ] {
        assert_eq!(explanation.hosts[0].score, Some(82.5));
    }
    assert_eq!(server.asked()[7].body, r#"{"image":{"name":""},"count":3}"#);
}

#[tokio::test]
async fn what_is_added_is_answered() {
    let (server, client) = scripted().await;
    server.on("POST /api/engines", Reply::Json(201, ENGINE.to_owned()));
    server.on("PUT /api/apps/web?wait=9", Reply::Operation(201, "op1", APP.to_owned()));
    server.json("POST /auth/login", r#"{"token":"t0ken","username":"clare","role":"user","expires_at":"e"}"#);
    let engine = EngineRequest { addr: Some("10.0.0.5".to_owned()), ..EngineRequest::default() };
    assert_eq!(client.add_engine(&engine).await.unwrap().id, "e1");
    let app = AppChange { image: ImageDescription::default(), replicas: None };
    let started = client.set_app("web", &app, &Change::new(Wait::Seconds(9))).await.unwrap();
    assert_eq!(started.operation(), Some("op1"));
    assert!(matches!(started, Started::Ended { answer, .. } if answer.version == 3));
    let log_in = LogIn { username: "clare".to_owned(), password: "pw".to_owned() };
    assert_eq!(client.log_in(&log_in).await.unwrap().token, "t0ken");
    assert_eq!(server.asked()[2].body, r#"{"username":"clare","password":"pw"}"#);
}

#[tokio::test]
async fn an_answer_without_an_operation_names_none() {
    let (server, client) = scripted().await;
    server.on("POST /api/containers", Reply::Json(200, "[]".to_owned()));
    let image = ImageDescription::default();
    let started = client.run(&image, &RunOptions::default(), &Change::new(Wait::UntilEnded)).await.unwrap();
    assert_eq!(started.operation(), None);
}

#[tokio::test]
async fn a_running_operation_that_is_none_is_odd() {
    let (server, client) = scripted().await;
    server.on("DELETE /api/apps/web?wait=0", Reply::Json(202, "[]".to_owned()));
    let error = client.delete_app("web", &Change::new(Wait::Seconds(0))).await.unwrap_err();
    assert!(matches!(error, ClientError::ReadAnswer { .. }), "{error}");
}

#[tokio::test]
async fn a_log_that_breaks_off_is_not_one_that_ended() {
    let (server, client) = scripted().await;
    server.on("GET /api/containers/714e/logs", Reply::BrokenAfter(b"one\n"));
    let mut log = client.logs("714e", &LogOptions::default()).await.unwrap();
    let mut bytes = Vec::new();
    let error = loop {
        match log.next().await {
            Ok(Some(chunk)) => bytes.extend(chunk),
            Ok(None) => panic!("it ended"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, ClientError::ReadLog { .. }) && error.status().is_none(), "{error}");
    assert_eq!(error.to_string(), "the log broke off: the connection to the controller was lost");
    assert_eq!(bytes, b"one\n");
}

#[tokio::test]
async fn a_refused_log_has_its_reason() {
    let (server, client) = scripted().await;
    server.refuse("GET /api/containers/714e/logs", 503, "engine_unreachable", "e1 does not answer");
    let error = client.logs("714e", &LogOptions::default()).await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Some("engine_unreachable"), Some(503)));
}
