//! Terminals, against a controller that says what it was told to say: which is meant, who may come, what was recorded,
//! and what is said where that fails.

use crate::scripted::Reply;
use crate::session::{FIRST, Ran, SECOND, Session, app, container};
use serde_json::{Value, json};

fn terminal(id: &str, name: &str, more: Value) -> Value {
    let mut body = json!({"id": id, "container": FIRST, "engine": "e1", "app": "web", "owner": "ann", "name": name,
        "command": ["sh", "-c", "a b"], "tty": true, "columns": 80, "rows": 24, "home": "agent", "state": "running",
        "created_at": "2026-01-01T00:00:00.000Z", "right": "owner", "viewers": [{"id": "v1", "username": "ann",
        "role": "driver", "since": "2026-01-01T00:00:00.000Z"}], "guests": [{"username": "bob", "role": "viewer"}]});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    body
}

/// Two that run and one that has ended, and no answer to anything else.
async fn pool() -> Session {
    let session = Session::start().await;
    let over = json!({"state": "ended", "exit_code": 7, "reason": "its \u{1b}[2Jhost is gone"});
    let all = [terminal("abc1", "abc2", json!({})), terminal("abc2", "two", json!({})), terminal("def3", "two", over)];
    for one in &all {
        session.server.json(&format!("GET /api/terminals/{}", one["id"].as_str().unwrap()), one);
    }
    session.server.json("GET /api/terminals", json!(all));
    session
}

fn failed(ran: &Ran, code: u8, words: &str) {
    assert!(ran.code == code && ran.out.is_empty() && ran.err.contains(words), "{words}: {ran:?}");
}

#[tokio::test]
async fn those_that_have_ended_are_listed_when_asked_for() {
    let session = pool().await;
    session.server.json("GET /api/terminals?container=1111", "[]");
    session.server.json("GET /api/terminals?limit=1", json!([terminal("x", "a\u{1b}]0;t\u{7}\nb", json!({}))]));
    for line in ["terminal", "terminals ls", "terminal list"] {
        let out = session.run(line).await.out;
        assert!(out.contains("abc1") && out.contains("abc2") && !out.contains("def3"), "{out}");
    }
    let all = session.run("terminal ls -a").await.out;
    assert!(all.contains("ended (7)") && all.contains("111111111111 ") && !all.contains(FIRST), "{all}");
    let none = session.run("terminal ls --container 1111").await;
    assert_eq!((none.code, none.out.as_str()), (0, "No terminals. Open one: pierhead exec -it APP\n"));
    assert_eq!(session.run("terminal ls --container 1111 --json").await.out, "[]\n");
    let strange = session.run("terminal ls --limit 1").await.out;
    assert!(strange.contains(r"a\x1b]0;t\x07\nb") && strange.lines().count() == 2, "{strange}");
    let told: Value = serde_json::from_str(&session.run("terminal ls --json").await.out).unwrap();
    assert_eq!((told.as_array().unwrap().len(), &told[2]["exit_code"]), (3, &json!(7)), "programs choose themselves");
}

#[tokio::test]
async fn one_is_meant_by_its_id_its_beginning_or_its_name_while_it_runs() {
    let session = pool().await;
    for (word, id) in [("abc1", "abc1"), ("abc2", "abc2"), ("two", "abc2"), ("def3", "def3"), ("de", "def3")] {
        let told: Value =
            serde_json::from_str(&session.run(&format!("terminal show {word} --json")).await.out).unwrap();
        assert_eq!(told["id"], id, "{word}: an id goes before a name");
    }
    let shown = session.run("terminal inspect def").await.out;
    for part in ["ann (driver)", "bob (viewer)", "80 x 24", "the host's agent", r"its \x1b[2Jhost is gone", "sh -c a b"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let changing = ["share WORD bob", "unshare WORD bob", "end WORD", "record WORD", "show WORD", "attach WORD"];
    for line in changing {
        let several = session.run(&format!("terminal {}", line.replace("WORD", "ab"))).await;
        failed(&several, 2, r#""ab" may be any of 2 terminals"#);
        assert!(several.err.contains("hint: give more of its id: pierhead terminal ls"), "{several:?}");
        let none = session.run(&format!("terminal {}", line.replace("WORD", "nothing"))).await;
        failed(&none, 3, r#"there is no terminal "nothing""#);
        assert!(none.err.contains("hint: what there is: pierhead terminal ls --all\n"), "{none:?}");
    }
    assert!(session.server.lines().iter().all(|line| line.starts_with("GET ")), "nothing was changed");
}

#[tokio::test]
async fn one_that_is_called_as_another_begins_is_counted_once() {
    let session = Session::start().await;
    let all = [terminal("web1", "web", json!({})), terminal("web2", "other", json!({}))];
    session.server.json("GET /api/terminals", json!(all));
    failed(&session.run("terminal show web").await, 2, r#""web" may be any of 2 terminals"#);
}

#[tokio::test]
async fn guests_come_to_look_unless_more_is_said() {
    let session = pool().await;
    let guest = "/api/terminals/abc2/guests/bob";
    session.server.on(&format!("PUT {guest}"), Reply::Json(204, String::new()));
    session.server.on(&format!("DELETE {guest}"), Reply::Json(204, String::new()));
    let shared = session.run("terminal share two bob").await;
    assert_eq!(shared.out, "bob may come as a viewer: pierhead attach abc2\n", "the id, for another may be called so");
    assert_eq!(session.run("terminal share two bob --as driver").await.code, 0);
    assert_eq!(session.run("terminal unshare two bob").await.out, "bob may not come to two any more\n");
    let asked = session.server.asked();
    let bodies: Vec<&str> = asked.iter().map(|asked| asked.body.as_str()).filter(|body| !body.is_empty()).collect();
    assert_eq!(bodies, [r#"{"role":"viewer"}"#, r#"{"role":"driver"}"#]);
    session.server.refuse("PUT /api/terminals/abc1/guests/eve", 404, "not_found", "there is no account eve");
    failed(&session.run("terminal share abc1 eve").await, 3, "error: there is no account eve");
    session.server.refuse("PUT /api/terminals/abc1/guests/bob", 403, "forbidden", "only its owner may");
    failed(&session.run("terminal share abc1 bob").await, 5, "error: only its owner may");
}

#[tokio::test]
async fn several_are_ended_and_those_that_are_not_are_named() {
    let session = pool().await;
    for id in ["abc1", "def3"] {
        session.server.on(&format!("DELETE /api/terminals/{id}"), Reply::Json(204, String::new()));
    }
    session.server.refuse("DELETE /api/terminals/abc2", 403, "forbidden", "two is ann's");
    let ran = session.run("terminal end abc1 two nothing def").await;
    assert_eq!((ran.code, ran.out.as_str()), (5, "ended abc1\nended def\n"), "the first failure's code: {ran:?}");
    let told: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(told.len() == 3 && told[0].ends_with("two is ann's") && told[1].ends_with("\"nothing\""), "{told:?}");
    assert_eq!(told[2], "error: 2 of 4 failed");
}

#[tokio::test]
async fn a_recording_is_written_as_it_is_or_not_at_all() {
    let session = pool().await;
    let recording = "GET /api/terminals/abc1/recording";
    session.server.on(recording, Reply::Chunks(vec![b"{\"version\": 2}\n[0.1, \"o\", \"\x1b[1m", b"\xff\"]\n"]));
    let path = session.folder.path().join("a.cast");
    let ran = session.run(&format!("terminal record abc1 -o {}", path.display())).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, format!("wrote {}\n", path.display()).as_str()), "{ran:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"{\"version\": 2}\n[0.1, \"o\", \"\x1b[1m\xff\"]\n");
    let ran = session.run("terminal record abc1 -o /nowhere/at/all.cast").await;
    failed(&ran, 1, "cannot write /nowhere/at/all.cast");
    assert!(ran.err.contains("hint: name a folder that you can write to"), "{ran:?}");
    session.server.refuse("GET /api/terminals/def3/recording", 409, "ended", "it ended a while ago");
    let over = session.folder.path().join("b.cast");
    failed(&session.run(&format!("terminal record def3 -o {}", over.display())).await, 4, "it ended a while ago");
    assert!(!over.exists(), "no empty file is left");
    session.server.on("GET /api/terminals/abc2/recording", Reply::BrokenAfter(b"{\"version\": 2}\n"));
    let ran = session.run("terminal record abc2").await;
    assert_eq!((ran.code, ran.out.as_str()), (6, "{\"version\": 2}\n"), "what came is shown, and that it is not all");
}

#[tokio::test]
async fn a_program_goes_to_the_lowest_slot_that_runs() {
    let session = Session::start().await;
    session.server.json("GET /api/apps/web", app("web")).json("GET /api/apps/idle", app("idle"));
    let away = container(FIRST, "web", 1, 80).replace(r#""status":"running""#, r#""status":"unreachable""#);
    let stopped = container(FIRST, "web", 0, 80).replace(r#""state":"running""#, r#""state":"exited""#);
    let (good, later) = (container(SECOND, "web", 2, 80), container(FIRST, "web", 3, 80));
    session.server.json("GET /api/containers", format!("[{later},{away},{good},{stopped}]"));
    let open = format!("POST /api/containers/{SECOND}/terminals");
    session.server.refuse(&open, 403, "forbidden", "you may only look");
    failed(&session.run("exec web -w /tmp --name mine -- ls -a").await, 5, "error: you may only look");
    let asked = session.server.asked().pop().unwrap();
    let expected = json!({"command": ["ls", "-a"], "tty": false, "working_dir": "/tmp", "name": "mine"});
    assert_eq!((asked.line, serde_json::from_str::<Value>(&asked.body).unwrap()), (open, expected));
    let none = session.run("exec idle -- ls").await;
    failed(&none, 3, "no container of the app idle runs");
    assert!(none.err.contains("pierhead app ls, pierhead container ls --all"), "{none:?}");
    let before = session.server.lines().len();
    failed(&session.run("exec -it web").await, 2, "hint: leave out -t");
    assert_eq!(session.server.lines().len(), before, "nobody was asked");
}
