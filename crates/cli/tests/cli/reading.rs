//! Commands that only show something.

use crate::session::{FIRST, Session, app, container, done, not_done, operation};
use pierhead_cli::Terminals;
use serde_json::Value;

const ENGINE: &str = r#"{"id":"e1","addr":"http://10.0.0.5:2375","cpus":2.0,"memory":1533.0,"labels":["ssd"],
    "health":{"status":"down","response_time":3,"reason":"connection refused","since":"2026-01-01T00:00:00.000Z"},
    "docker_version":"20.10.24","reserved_cpus":0.5,"reserved_memory":64.0,"container_count":1,"image_count":2,
    "api_version":"1.41","operating_system":"Debian","kernel":"6.1","storage_driver":"overlay2",
    "lacks":["It cannot limit swap."]}"#;
const ACCOUNT: &str = r#"{"id":"1","username":"clare","role":{"name":"user"},"created_at":"2026-01-01T00:00:00.000Z"}"#;
const CLUSTER: &str = r#"{"cpus":4.0,"memory":3066.0,"reserved_cpus":1.0,"reserved_memory":64.0,"used_cpus":0.25,
    "used_memory":32.0,"container_count":1,"image_count":2,"engine_count":3,
    "silent_engines":[{"id":"e3","reason":"no answer in 2 s"}],"id":"c1","version":"0.1.0"}"#;
const EVENT: &str = r#"{"id":"1","type":"add-account","time":"2026-01-01T00:00:00.000Z","message":"name=clare",
    "tags":["security"],"actor":"admin"}"#;
const EXPLANATION: &str = r#"{"subject":"a run of 1 httpd:latest","summary":"It would be placed on e1.",
    "hosts":[{"engine":"e1","fits":true,"chosen":true,"score":82.5,"cpu_part":50.0,"memory_part":32.5},
    {"engine":"e2","fits":false,"chosen":false,"filter":"labels","reason":"has no label ssd"}],
    "slots":[{"slot":0,"engine":"e1","state":"running","message":"as wanted"}]}"#;

/// Every list, what it is asked with, one entry, and what must be seen of it.
const LISTS: [(&str, &str, &str); 6] = [
    ("container ls --all", "GET /api/containers?all=true", "http://10.0.0.5:20000 -> 80"),
    ("app ls", "GET /api/apps", "1/2"),
    ("engine ls", "GET /api/engines", "down: connection refused"),
    ("account ls", "GET /api/account", "clare"),
    ("events 5", "GET /api/events?count=5", "name=clare"),
    ("operation ls", "GET /api/operations", "run 2 of httpd:latest"),
];

fn entry(command: &str) -> String {
    match command.split(' ').next() {
        Some("container") => container(FIRST, "web", 0, 20000),
        Some("app") => app("web"),
        Some("engine") => ENGINE.to_owned(),
        Some("account") => ACCOUNT.to_owned(),
        Some("events") => EVENT.to_owned(),
        _ => operation("failed", "", ""),
    }
}

#[tokio::test]
async fn lists_are_tables_for_people_and_the_servers_json_for_programs() {
    for (command, line, seen) in LISTS {
        let session = Session::start().await;
        let body = format!("[{}]", entry(command));
        session.server.json(line, &body);
        let ran = session.run(command).await;
        assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{command}: {}", ran.out);
        assert!(ran.out.contains(seen), "{command}: {}", ran.out);
        let ran = session.run(&format!("{command} --json")).await;
        let (printed, sent): (Value, Value) =
            (serde_json::from_str(&ran.out).unwrap(), serde_json::from_str(&body).unwrap());
        assert_eq!(printed, sent, "{command}");
    }
}

#[tokio::test]
async fn an_empty_list_says_what_to_do_next() {
    for (command, line, hint) in [
        ("container ls --all", "GET /api/containers?all=true", "No containers yet. Try: pierhead run"),
        ("containers", "GET /api/containers", "pierhead container ls --all"),
        ("app ls", "GET /api/apps", "Try: pierhead run"),
        ("engine ls", "GET /api/engines", "Try: pierhead engine add"),
        ("operation ls", "GET /api/operations", "Try: pierhead run"),
        ("events", "GET /api/events?count=20", "No events yet"),
    ] {
        let session = Session::start().await;
        session.server.json(line, "[]");
        let ran = session.run(command).await;
        assert!(ran.code == 0 && ran.out.contains(hint), "{command}: {ran:?}");
        assert_eq!(session.run(&format!("{command} --json")).await.out, "[]\n", "{command}");
    }
}

const CONTROLLERS: &str = r#"[
    {"id":"1","url":"http://a:1","leader":true,"since":"2026-01-01T00:00:00.000Z","lag":3},
    {"id":"2","url":"http://b:2","leader":false,"since":"2026-01-01T00:00:00.000Z","lag":null}
]"#;

#[tokio::test]
async fn one_of_each_is_shown_in_full() {
    let verdicts = format!("{},{}", done(0, FIRST), not_done(1, "failed", "exited with 1"));
    for (command, line, body, seen) in [
        ("container 1111", "GET /api/containers/1111", container(FIRST, "web", 0, 20000), vec![FIRST, "64 MB"]),
        ("app web", "GET /api/apps/web", app("web"), vec!["1 of 2", "waiting", "pulling httpd:latest"]),
        ("engine show e1", "GET /api/engines/e1", ENGINE.to_owned(), vec!["0.5/2 reserved", "It cannot limit swap."]),
        ("cluster info", "GET /api/cluster/info", CLUSTER.to_owned(), vec!["(25 %)", "e3: no answer in 2 s"]),
        (
            "controller ls",
            "GET /api/controllers",
            CONTROLLERS.to_owned(),
            vec!["http://a:1  yes", "3 ms", "http://b:2  no", "no answer"],
        ),
        ("clusterinfo", "GET /api/cluster/info", CLUSTER.to_owned(), vec!["4: 1 reserved"]),
        (
            "operation op1",
            "GET /api/operations/op1",
            operation("failed", &verdicts, r#","error":{"code":"x","message":"it broke"}"#),
            vec!["it broke", "exited with 1", "111111111111"],
        ),
    ] {
        let session = Session::start().await;
        session.server.json(line, &body);
        let ran = session.run(command).await;
        assert_eq!(ran.code, 0, "{command}: {}", ran.err);
        for text in seen {
            assert!(ran.out.contains(text), "{command} lacks {text:?}:\n{}", ran.out);
        }
        let ran = session.run(&format!("{command} --json")).await;
        assert_eq!(
            serde_json::from_str::<Value>(&ran.out).unwrap(),
            serde_json::from_str::<Value>(&body).unwrap(),
            "{command}"
        );
    }
}

#[tokio::test]
async fn an_explanation_names_every_host_and_its_score() {
    let session = Session::start().await;
    session.server.json("POST /api/explain", EXPLANATION).json("GET /api/apps/web", app("web"));
    session.server.json("GET /api/apps/web/explain", EXPLANATION);
    session.server.json("GET /api/containers/1111/explain", EXPLANATION);
    let ran = session.run("explain --image httpd --count 3 --label ssd").await;
    let expected = "\
a run of 1 httpd:latest: It would be placed on e1.

HOST  VERDICT            SCORE  CPU  MEMORY  WHY
e1    chosen             82.5   50   32.5    -
e2    refused by labels  -      -    -       has no label ssd

SLOT  STATE    ENGINE  WHY
0     running  e1      as wanted
";
    assert_eq!((ran.code, ran.out.as_str()), (0, expected));
    let body = &session.server.asked()[0].body;
    assert_eq!(body, r#"{"image":{"name":"httpd","labels":["ssd"]},"count":3}"#);
    for command in ["explain web", "app explain web", "explain 1111", "container explain 1111"] {
        assert_eq!(session.run(command).await.out, expected, "{command}");
    }
    assert_eq!(session.run("explain nobody").await.code, 3);
}

#[tokio::test]
async fn a_terminal_obeys_nothing_that_a_stranger_wrote() {
    let mut session = Session::start().await;
    session.terminals = Terminals { stdin: true, stdout: true, stderr: true };
    let hostile = r"we\u001b]0;owned\u0007b\n\u009b31m\u202e";
    let bodies = [
        ("GET /api/containers", format!("[{}]", container(FIRST, hostile, 0, 1).replace("10.0.0.5", hostile))),
        ("GET /api/apps", format!("[{}]", app(hostile))),
        ("GET /api/engines", format!("[{}]", ENGINE.replace("ssd", hostile).replace("connection refused", hostile))),
        ("GET /api/account", format!("[{}]", ACCOUNT.replace("clare", hostile))),
        ("GET /api/events?count=20", format!("[{}]", EVENT.replace("name=clare", hostile))),
        ("GET /api/apps/x/explain", EXPLANATION.replace("as wanted", hostile).replace("a run of", hostile)),
        ("GET /api/cluster/info", CLUSTER.replace("no answer", hostile)),
        ("GET /api/engines/x", ENGINE.replace("It cannot", hostile)),
    ];
    for (line, body) in &bodies {
        session.server.json(line, body);
    }
    session.server.json("POST /api/engines", ENGINE.replace("\"e1\"", &format!("\"{hostile}\"")));
    for command in [
        "engine add x",
        "containers",
        "app ls",
        "engines",
        "accounts",
        "events",
        "app explain x",
        "clusterinfo",
        "engine x",
    ] {
        for line in [command.to_owned(), format!("{command} --json")] {
            let ran = session.run(&line).await;
            assert_eq!(ran.code, 0, "{line}: {}", ran.err);
            let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(ran.out.contains("owned") && !ran.out.contains(harmful), "{line}: {:?}", ran.out);
        }
    }
}

#[tokio::test]
async fn version_needs_no_server() {
    let session = Session::start().await;
    let ran = session.run_alone("version").await;
    assert_eq!(ran.out, format!("pierhead {}\n", env!("CARGO_PKG_VERSION")));
    let ran = session.run_alone("version --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn every_list_may_be_cut_to_its_first_entries() {
    let session = Session::start().await;
    for (command, path) in [
        ("app", "/api/apps?"),
        ("container", "/api/containers?"),
        ("container ls --all", "/api/containers?all=true&"),
        ("engine", "/api/engines?"),
        ("image", "/api/images?"),
        ("registry", "/api/registries?"),
        ("operation", "/api/operations?"),
        ("account", "/api/account?"),
        ("role", "/api/roles?"),
        ("token", "/api/tokens?"),
        ("containers", "/api/containers?"),
    ] {
        session.server.json(&format!("GET {path}limit=7"), "[]");
        let ls = if command.contains("ls") || command == "containers" { "" } else { " ls" };
        let ran = session.run(&format!("{command}{ls} --limit 7")).await;
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
        assert_eq!(session.server.lines().last().unwrap(), &format!("GET {path}limit=7"));
    }
}
