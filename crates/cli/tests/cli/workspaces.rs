//! Workspaces: opened and waited for, found, changed, shared, saved, ended; and what is said where that fails.

use crate::scripted::Reply;
use crate::session::{Ran, Session};
use serde_json::{Value, json};

const ID: &str = "k3f5a2bq7x";

/// A workspace in this phase, with more fields.
fn workspace(phase: &str, more: Value) -> String {
    let mut body = json!({"id": ID, "name": "mine", "owner": "ann", "right": "owner", "environment": "lab", "version": 2,
        "phase": phase, "containers": [{"name": "main", "image": "alpine:latest", "id": "714e01115f76"}],
        "created_at": "2026-01-01T00:00:00.000Z"});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    body.to_string()
}

fn path(rest: &str) -> String {
    format!("/api/workspaces/{ID}{rest}")
}

/// A session with a workspace that is there, in this phase.
async fn with(phase: &str, more: Value) -> Session {
    let session = Session::start().await;
    session.server.json(&format!("GET {}", path("")), workspace(phase, more));
    session
}

/// The requests that would change something.
fn changes(session: &Session) -> Vec<String> {
    session.server.lines().into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

fn failed(ran: &Ran, code: u8, words: &str) {
    assert!(ran.code == code && ran.out.is_empty() && ran.err.contains(words), "{words}: {ran:?}");
}

#[tokio::test]
async fn it_is_waited_for_until_it_is_ready() {
    let session = Session::start().await;
    let queued = workspace("queued", json!({"queue": 2, "message": "waits for room"}));
    session.server.on("POST /api/workspaces", Reply::Json(201, queued.clone()));
    let shown = format!("GET {}", path(""));
    session.server.on(&shown, Reply::Json(200, queued)).json(&shown, workspace("starting", json!({})));
    session.server.json(&shown, workspace("ready", json!({"engine": "host-1"})));
    let ran = session.run("workspace open lab --name mine").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, format!("{ID} is ready on host host-1\n").as_str()), "{ran:?}");
    let told = format!("{ID} is queued (2): waits for room\n{ID} is starting\n");
    assert_eq!(ran.err, told, "each state is told once");
    let asked = session.server.asked();
    assert_eq!(asked[0].body, r#"{"environment":"lab","name":"mine"}"#);
    assert!(asked[0].key.is_some(), "it may be asked again");
    let ran = session.run("workspace open --save k3f5a2bq7x-1 --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["phase"], "ready", "one document: {ran:?}");
    assert_eq!(ran.err, "");
    let last = session.server.asked().into_iter().rfind(|asked| asked.line.starts_with("POST")).unwrap();
    assert_eq!(last.body, r#"{"save":"k3f5a2bq7x-1"}"#);
}

#[tokio::test]
async fn who_does_not_wait_is_told_how_it_stands() {
    let session = with("saving", json!({})).await;
    session.server.json(&format!("POST {}", path("/stop")), workspace("saving", json!({})));
    let ran = session.run(&format!("workspace stop {ID} --no-wait")).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, format!("{ID} is saving\n").as_str()), "{ran:?}");
    let late = session.run(&format!("workspace stop {ID} --wait 0")).await;
    failed(&late, 1, &format!("is saving after 0 s; it goes on: pierhead workspace show {ID}"));
}

#[tokio::test]
async fn one_that_ended_meanwhile_is_not_waited_for() {
    let session = with("ended", json!({})).await;
    session.server.on("POST /api/workspaces", Reply::Json(201, workspace("queued", json!({}))));
    failed(&session.run("workspace open lab").await, 1, &format!("{ID} has ended meanwhile"));
    for verb in ["start", "stop", "reset"] {
        session.server.json(&format!("POST {}", path(&format!("/{verb}"))), workspace("saving", json!({})));
    }
    for line in ["start k3f5a2bq7x --save x-1", "stop k3f5a2bq7x", "reset k3f5a2bq7x --yes"] {
        failed(&session.run(&format!("workspace {line}")).await, 1, "has ended meanwhile");
    }
    let start = session.server.asked().into_iter().find(|asked| asked.line.ends_with("/start")).unwrap();
    assert_eq!(start.body, r#"{"save":"x-1"}"#);
}

#[tokio::test]
async fn it_is_found_by_its_name_and_then_only_its_id_is_used() {
    let ready = json!({"engine": "host-1", "ends_at": "2026-01-01T04:00:00.000Z"});
    let session = with("ready", ready.clone()).await;
    session.server.json("GET /api/workspaces", format!("[{}]", workspace("ready", ready.clone())));
    session.server.json(&format!("POST {}", path("/extend")), workspace("ready", ready));
    for line in ["PUT /guests/bob", "DELETE /guests/bob", "DELETE ?discard=true", "DELETE "] {
        let (verb, rest) = line.split_once(' ').unwrap();
        session.server.on(&format!("{verb} {}", path(rest)), Reply::Json(204, String::new()));
    }
    assert!(session.run("workspace show mine").await.out.contains("lab, version 2"));
    let extended = session.run("workspace extend mine 90").await.out;
    assert_eq!(extended, format!("{ID} runs until 2026-01-01T04:00:00.000Z\n"));
    let shared = session.run("workspace share mine bob --as driver").await;
    assert_eq!(shared.out, "bob may come to mine as a driver\n", "{shared:?}");
    let shared = session.run("workspace share mine bob --json").await.out;
    assert_eq!(serde_json::from_str::<Value>(&shared).unwrap(), json!({"done": "bob may come to mine as a viewer"}));
    assert_eq!(session.run("workspace unshare mine bob").await.out, "bob may not come to mine any more\n");
    assert_eq!(session.run("workspace rm mine --discard --yes --no-wait").await.out, format!("ended {ID}\n"));
    assert_eq!(session.run("workspace end mine -y --no-wait").await.code, 0);
    let guest = path("/guests/bob");
    let expected = [
        format!("POST {}", path("/extend")),
        format!("PUT {guest}"),
        format!("PUT {guest}"),
        format!("DELETE {guest}"),
        format!("DELETE {}", path("?discard=true")),
        format!("DELETE {}", path("")),
    ];
    assert_eq!(changes(&session), expected);
    let asked = session.server.asked();
    let bodies: Vec<&str> = asked.iter().map(|asked| asked.body.as_str()).filter(|body| !body.is_empty()).collect();
    assert_eq!(bodies, [r#"{"minutes":90}"#, r#"{"role":"driver"}"#, r#"{"role":"viewer"}"#]);
}

#[tokio::test]
async fn a_name_of_none_or_of_several_changes_nothing() {
    let session = Session::start().await;
    let ended = workspace("ended", json!({"name": "over"}));
    let (one, other) = (workspace("ready", json!({})), workspace("saved", json!({"id": "aaaaaaaaaa"})));
    session.server.json("GET /api/workspaces", format!("[{one},{other},{ended}]"));
    for verb in ["show", "stop", "start", "save", "extend", "ports", "exec"] {
        let ran = session.run(&format!("workspace {verb} mine")).await;
        failed(&ran, 2, r#""mine" may be any of 2 workspaces"#);
        assert!(ran.err.contains("hint: give its id: pierhead workspace ls"), "{ran:?}");
    }
    for line in ["show over", "rm over --yes", "reset other --yes", "share over bob", "unshare x bob", "preview x 80"] {
        let ran = session.run(&format!("workspace {line}")).await;
        failed(&ran, 3, "there is no workspace");
        assert!(ran.err.contains("hint: what there is: pierhead workspace ls"), "{ran:?}");
    }
    assert_eq!(changes(&session), Vec::<String>::new());
    session.server.refuse("GET /api/workspaces/mine", 401, "unauthenticated", "who are you?");
    let lists = |session: &Session| session.server.lines().iter().filter(|line| *line == "GET /api/workspaces").count();
    let before = lists(&session);
    assert_eq!(session.run("workspace show mine").await.code, 5);
    assert_eq!(lists(&session), before, "what is no matter of names is not asked again");
}

#[tokio::test]
async fn lists_are_for_people_or_for_programs_and_obey_nobody() {
    let session = Session::start().await;
    let shown =
        workspace("idle", json!({"name": "a\u{1b}]0;x\u{7}\u{202e}b\nc", "ends_at": "2026-01-01T04:00:00.000Z"}));
    let gone = workspace("ended", json!({"id": "gonegonego"}));
    session.server.json("GET /api/workspaces", format!("[{shown},{gone}]"));
    session.server.json("GET /api/workspaces?limit=1", format!("[{gone}]"));
    for line in ["workspace", "workspaces ls", "workspace list --all"] {
        let out = session.run(line).await.out;
        assert!(out.contains(r"a\x1b]0;x\x07\u{202e}b\nc") && out.contains("2026-01-01T04:00:00.000Z"), "{out}");
        assert_eq!(
            (out.contains("gonegonego"), out.contains('\x1b')),
            (line.contains("--all"), false),
            "{line}: {out}"
        );
        assert_eq!(out.lines().count(), 2 + usize::from(line.contains("--all")), "a line each: {out}");
    }
    let none = session.run("workspace ls --limit 1").await;
    assert_eq!((none.code, none.out.contains("pierhead workspace open ENVIRONMENT")), (0, true), "{none:?}");
    let ran = session.run("workspace ls --json").await;
    assert!(!ran.out.contains(['\x1b', '\u{202e}', '\u{7}']), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told[0]["name"], "a\u{1b}]0;x\u{7}\u{202e}b\nc", "the same text for a program");
    assert_eq!(told[1]["phase"], "ended", "programs choose for themselves");
}

#[tokio::test]
async fn a_save_tells_its_name_or_why_there_is_none() {
    let shown = format!("GET {}", path(""));
    let second = |phase: &str, taken: u32, last: Option<&str>| {
        workspace(phase, json!({"message": "no room", "saves_asked": 2, "saves_taken": taken, "last_save": last}))
    };
    let (one, two) = (Some("k3f5a2bq7x-1"), Some("k3f5a2bq7x-2"));
    for (later, code, words) in [
        (second("ready", 2, two), 0, "k3f5a2bq7x is saved as k3f5a2bq7x-2"),
        // That of somebody else, which had been under way.
        (second("ready", 2, one), 1, "k3f5a2bq7x could not be saved: no room"),
        // The next one is under way.
        (second("saving", 3, two), 0, "k3f5a2bq7x is saved as k3f5a2bq7x-2"),
        // Whoever stopped it saved all.
        (second("saved", 1, one), 0, "k3f5a2bq7x is saved as k3f5a2bq7x-1"),
        (second("failed", 1, one), 1, "k3f5a2bq7x could not be saved: no room"),
        (second("ended", 2, one), 1, "k3f5a2bq7x has ended meanwhile"),
    ] {
        // The one before failed for the same reason, and this one is not begun at once.
        let session = with("ready", json!({"message": "no room", "saves_asked": 1, "saves_taken": 1})).await;
        session.server.json(&format!("POST {}", path("/save")), second("ready", 1, None));
        session
            .server
            .json(&shown, second("saving", 1, None))
            .json(&shown, second("saving", 2, one))
            .json(&shown, later);
        let ran = session.run(&format!("workspace save {ID} --name tested")).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(if code == 0 { &ran.out } else { &ran.err }.contains(words), "{words}: {ran:?}");
        assert_eq!(session.server.asked().iter().filter(|asked| asked.body == r#"{"name":"tested"}"#).count(), 1);
    }
    // Of a controller that tells no numbers.
    let session = with("ready", json!({})).await;
    session.server.json(&format!("POST {}", path("/save")), workspace("ready", json!({})));
    session
        .server
        .json(&shown, workspace("ready", json!({})))
        .json(&shown, workspace("ready", json!({"last_save": two})));
    assert_eq!(session.run(&format!("workspace save {ID}")).await.out, format!("{ID} is saved as {ID}-2\n"));
    let session = with("ready", json!({"last_save": "k3f5a2bq7x-1"})).await;
    session.server.json(&format!("POST {}", path("/save")), workspace("saving", json!({"last_save": "k3f5a2bq7x-1"})));
    let ran = session.run(&format!("workspace save {ID} --no-wait")).await;
    assert_eq!(ran.out, format!("{ID} is being saved\n"), "the one before is not taken for this one");
}

#[tokio::test]
async fn what_loses_files_or_processes_is_asked_about() {
    let mut session = with("ready", json!({})).await;
    let commands = [
        ("workspace rm k3f5a2bq7x --discard", "What is in it is lost."),
        ("workspace rm k3f5a2bq7x", "What is in it is saved before."),
        ("workspace reset k3f5a2bq7x", "What is in it is saved before."),
        ("environment rm lab", "Forget the environment lab?"),
        ("save rm k3f5a2bq7x-1", "Forget the save k3f5a2bq7x-1?"),
    ];
    for (command, question) in commands {
        let ran = session.run(command).await;
        failed(&ran, 2, "hint: scripts say --yes");
        assert!(ran.err.contains(question), "{ran:?}");
    }
    session.terminals.stdin = true;
    for input in ["n\n", "\n", "", "yes please\n"] {
        session.input = input;
        for (command, question) in commands {
            let ran = session.run(command).await;
            failed(&ran, 1, "nothing was changed");
            assert!(ran.err.contains(question) && ran.err.contains("[y/N]"), "{ran:?}");
        }
    }
    assert!(session.server.asked().is_empty(), "not even looked at");
    session.input = "y\n";
    session.server.on("DELETE /api/environments/lab", Reply::Json(204, String::new()));
    session.server.on("DELETE /api/saves/k3f5a2bq7x-1", Reply::Json(204, String::new()));
    assert_eq!(session.run("environment rm lab").await.out, "forgot the environment lab\n");
    assert_eq!(session.run("save rm k3f5a2bq7x-1 --json").await.code, 0);
}

#[tokio::test]
async fn a_program_runs_in_the_container_that_was_named() {
    let containers = json!([{"name": "main", "image": "a", "id": "714e01115f76"}, {"name": "db", "image": "b"}]);
    let session = with("starting", json!({ "containers": containers })).await;
    let none = session.run(&format!("workspace exec {ID} -c cache -- true")).await;
    failed(&none, 3, "k3f5a2bq7x has no container cache");
    let asleep = session.run(&format!("workspace exec {ID} -c db -- true")).await;
    failed(&asleep, 1, "does not run, it is starting: pierhead workspace start k3f5a2bq7x");
    assert_eq!(changes(&session), Vec::<String>::new());
    session.server.refuse("POST /api/containers/714e01115f76/terminals", 403, "forbidden", "you may only look");
    let refused = session.run(&format!("workspace exec {ID} -u www -- ls -l --all")).await;
    failed(&refused, 5, "error: you may only look");
    let asked: Value = serde_json::from_str(&session.server.asked().pop().unwrap().body).unwrap();
    let expected = json!({"command": ["ls", "-l", "--all"], "tty": false, "user": "www"});
    assert_eq!(asked, expected, "flags behind -- are the program's");
    failed(&session.run(&format!("workspace exec -it {ID}")).await, 2, "standard input is no terminal");
}

#[tokio::test]
async fn refusals_are_told_with_what_to_do_next() {
    let session = with("ready", json!({})).await;
    for (status, code, exit, hint) in [
        (403, "forbidden", 5, "ask an administrator"),
        (409, "conflict", 4, "pierhead workspace show"),
        (409, "not_running", 4, "pierhead workspace ls"),
        (422, "invalid", 1, "--help"),
        (503, "no_leader", 1, "try again soon"),
    ] {
        let session = with("ready", json!({})).await;
        for verb in ["extend", "save", "stop", "start", "reset"] {
            session.server.refuse(&format!("POST {}", path(&format!("/{verb}"))), status, code, r"it\u001b[2J is so");
            let yes = if verb == "reset" { "--yes" } else { "" };
            let ran = session.run(&format!("workspace {verb} {ID} {yes}")).await;
            failed(&ran, exit, r"error: it\x1b[2J is so");
            assert!(ran.err.contains(hint), "{verb} {status} {code}: {ran:?}");
        }
    }
    session.server.refuse("POST /api/workspaces", 404, "not_found", "there is no environment lab");
    let ran = session.run("workspace open lab").await;
    failed(&ran, 3, "there is no environment lab");
    assert!(ran.err.contains("pierhead environment ls") && ran.err.contains("pierhead save ls"), "{ran:?}");
    let json = session.run("workspace open lab --json").await;
    let told: Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!((&told["code"], &told["exit_code"], json.out.as_str()), (&json!("not_found"), &json!(3), ""));
}

#[tokio::test]
async fn ports_and_previews_are_shown_as_they_are() {
    let session = with("ready", json!({})).await;
    let port = |port: u16, listening: bool, only_inside: bool| {
        json!({"port": port, "container": "main\u{9b}1m",
        "declared": true, "listening": listening, "only_inside": only_inside})
    };
    let ports = format!("GET {}", path("/ports"));
    session.server.on(&ports, Reply::Json(200, "[]".to_owned()));
    session.server.json(&ports, json!([port(80, true, false), port(81, true, true), port(82, false, false)]));
    assert_eq!(session.run(&format!("workspace ports {ID}")).await.out, "Nothing listens in the workspace\n");
    let out = session.run(&format!("workspace ports {ID}")).await.out;
    let states = ["in use", "in use, inside of the container only", "nothing listens yet"];
    for (line, state) in out.lines().skip(1).zip(states) {
        assert!(line.trim_end().ends_with(state) && line.contains(r"main\x9b1m"), "{state}: {out}");
    }
    let told: Value = serde_json::from_str(&session.run(&format!("workspace ports {ID} --json")).await.out).unwrap();
    assert_eq!(told[1]["only_inside"], true);
    let url = "http://80-k3f5a2bq7x.localhost:8081/?ticket=abc";
    let preview = json!({"url": url, "expires": "2026-01-01T00:00:30.000Z"});
    session.server.json(&format!("POST {}", path("/previews/80")), preview);
    let ran = session.run(&format!("workspace preview {ID} 80")).await;
    assert_eq!((ran.out, ran.err), (format!("{url}\n"), String::new()), "a script may use it as it is");
    session.server.refuse(&format!("POST {}", path("/previews/81")), 503, "no_previews", "no previews are shown");
    failed(&session.run(&format!("workspace preview {ID} 81")).await, 1, "error: no previews are shown");
    session.server.refuse(&ports, 409, "not_running", "it is saved");
    session.run(&format!("workspace ports {ID}")).await;
    failed(&session.run(&format!("workspace ports {ID}")).await, 4, "error: it is saved");
}
