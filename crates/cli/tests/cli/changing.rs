//! Commands that change something.

use crate::scripted::Reply;
use crate::session::{FIRST, SECOND, Session, app, container, done, not_done, operation};
use pierhead_cli::Terminals;
use serde_json::{Value, json};

const OPERATION: &str = "GET /api/operations/op1?wait=1";

fn begun() -> Reply {
    Reply::Operation(202, "op1", operation("running", "", ""))
}

/// A run of two that takes a while.
async fn slow_run() -> Session {
    let session = Session::start().await;
    let pulling = format!("{},{}", done(0, FIRST), not_done(1, "pending", r"pulling httpd:latest \u001b[2J"));
    let both = format!("{},{}", done(0, FIRST), done(1, SECOND));
    session.server.on("POST /api/containers?count=2&app=web&wait=0", begun());
    session.server.json(OPERATION, operation("running", &pulling, ""));
    session.server.json(OPERATION, operation("done", &both, ""));
    let [third, second, first] =
        [container("333", "other", 0, 1), container(SECOND, "web", 1, 20001), container(FIRST, "web", 0, 20000)];
    session.server.json("GET /api/containers?all=true", format!("[{third},{second},{first}]"));
    session
}

#[tokio::test]
async fn a_run_prints_its_containers_and_where_they_answer() {
    let session = slow_run().await;
    let ran = session.run("run httpd --app web --count 2").await;
    assert_eq!((ran.code, ran.err.as_str(), ran.progress.as_str()), (0, "", ""), "no progress in a script");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    assert!(lines[0].starts_with("CONTAINER") && lines[1].starts_with("222222222222  web"), "{}", ran.out);
    assert!(lines[2].contains("http://10.0.0.5:20000 -> 80"), "{}", ran.out);
}

#[tokio::test]
async fn a_run_prints_the_servers_json_with_fields_that_are_not_known() {
    let ran = slow_run().await.run("run httpd --app web --count 2 --json").await;
    let printed: Value = serde_json::from_str(&ran.out).unwrap();
    let [second, first] = [container(SECOND, "web", 1, 20001), container(FIRST, "web", 0, 20000)];
    let expected: Value = serde_json::from_str(&format!("[{second},{first}]")).unwrap();
    assert_eq!(printed, expected);
    assert!(ran.out.starts_with("[\n  {\n    \"id\": \"2222"), "laid out, in the server's order: {}", ran.out);
}

#[tokio::test]
async fn progress_is_shown_where_somebody_looks() {
    let mut session = slow_run().await;
    session.terminals = Terminals { stderr: true, ..Terminals::default() };
    let ran = session.run("run httpd --app web --count 2").await;
    assert!(ran.progress.contains(r"1/2 running, slot 1 pulling httpd:latest \x1b[2J"), "{:?}", ran.progress);
    assert!(!ran.progress.contains("\u{1b}[2J") && !ran.out.contains("1/2"), "{:?}", ran.progress);
}

#[tokio::test]
async fn a_run_that_is_over_at_once_asks_nothing_more() {
    let session = Session::start().await;
    let answer = format!("[{}]", container(FIRST, "web", 0, 20000));
    session.server.on("POST /api/containers?pull=false&wait=0", Reply::Operation(200, "op1", answer));
    let ran = session.run("run --name httpd --port tcp/::80 --memory 100 --pull false").await;
    assert!(ran.code == 0 && ran.out.contains("http://10.0.0.5:20000 -> 80"), "{ran:?}");
    let asked = session.server.asked();
    assert_eq!(asked.len(), 1);
    let sent: Value = serde_json::from_str(&asked[0].body).unwrap();
    let expected = json!({"name": "httpd", "memory": 100.0,
        "bind_ports": [{"proto": "tcp", "host_ip": "", "container_port": 80}]});
    assert_eq!(sent, expected);
    assert_eq!(asked[0].token.as_deref(), Some("Bearer secret"));
}

#[tokio::test]
async fn detach_prints_the_id_and_ends() {
    let session = Session::start().await;
    session.server.on("POST /api/containers?wait=0", begun());
    let ran = session.run("run httpd -d").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "op1\n"));
    let ran = session.run("run httpd -d --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["state"], "running");
    assert_eq!(session.server.asked().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let session = Session::start().await;
    let line = "POST /api/containers?wait=0";
    session.server.on(line, Reply::Lost).on(line, Reply::Json(200, "[]".to_owned()));
    assert_eq!(session.run("run httpd").await.code, 0);
    let first_keys: Vec<_> = session.server.asked().into_iter().map(|asked| asked.key).collect();
    assert!(first_keys.len() == 2 && first_keys[0].is_some() && first_keys[0] == first_keys[1], "{first_keys:?}");
    assert_eq!(session.run("run httpd").await.code, 0);
    assert_ne!(session.server.asked()[2].key, first_keys[0], "another run has another key");
}

#[tokio::test]
async fn scale_asks_for_an_app_first_and_then_for_a_container() {
    let session = Session::start().await;
    session.server.json("GET /api/apps/web", app("web"));
    session.server.on("POST /api/apps/web/scale?count=4&wait=0", Reply::Operation(204, "op1", String::new()));
    session.server.on("POST /api/containers/714e/scale?count=2&wait=0", begun());
    session.server.json(OPERATION, operation("done", "", ""));
    assert_eq!(session.run("scale web 4").await.out, "scaled web to 4\n");
    assert_eq!(session.run("scale 714e 2").await.out, "scaled 714e to 2\n");
    let asked = ["GET /api/apps/714e", "POST /api/containers/714e/scale?count=2&wait=0", OPERATION];
    assert_eq!(session.server.lines()[2..], asked);
    let ran = session.run("scale nobody 2").await;
    assert_eq!(ran.code, 3);
    assert!(ran.err.starts_with("error: there is neither an app nor a container \"nobody\"\nhint: "), "{}", ran.err);
}

#[tokio::test]
async fn verbs_act_on_each_container_in_turn() {
    let session = Session::start().await;
    for line in ["stop?wait=0", "start?wait=0", "restart?wait=0"] {
        session.server.on(&format!("POST /api/containers/a/{line}"), Reply::Operation(204, "op1", String::new()));
    }
    session.server.on("POST /api/containers/b/stop?wait=0", begun());
    session.server.json(OPERATION, operation("done", &done(0, FIRST), ""));
    session.server.json("GET /api/operations/op1", operation("done", "", ""));
    assert_eq!(session.run("container stop a b").await.out, "stopped a\nstopped b\n");
    assert_eq!(session.run("start a").await.out, "started a\n");
    assert_eq!(session.run("restart a").await.out, "restarted a\n");
    let ran = session.run("stop a --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["id"], "op1");
}

#[tokio::test]
async fn an_app_is_set_from_the_same_flags() {
    let session = Session::start().await;
    session.server.on("PUT /api/apps/web?wait=0", begun());
    session.server.json(OPERATION, operation("done", "", "")).json("GET /api/apps/web", app("web"));
    let ran = session.run("app set web httpd:2 --count 3 --env A=b -- -x").await;
    assert!(ran.out.contains("running  1 of 2") && ran.out.contains("pulling httpd:latest"), "{}", ran.out);
    let sent: Value = serde_json::from_str(&session.server.asked()[0].body).unwrap();
    let expected = json!({"image": {"name": "httpd:2", "args": ["-x"], "environment": {"A": "b"}}, "replicas": 3});
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn what_destroys_is_asked_about() {
    let mut session = Session::start().await;
    for line in ["DELETE /api/containers/a?wait=0", "DELETE /api/apps/web?wait=0", "DELETE /api/engines/e1"] {
        session.server.on(line, Reply::Json(204, String::new()));
    }
    session.server.on("DELETE /api/account", Reply::Json(204, String::new()));
    let commands = ["container rm a", "app rm web", "engine rm e1", "account rm clare"];
    for command in commands {
        let ran = session.run(command).await;
        assert_eq!((ran.code, ran.err.contains("hint: scripts say --yes")), (2, true), "{ran:?}");
    }
    session.terminals.stdin = true;
    for (input, command) in ["n\n", "\n", "", "nonsense\n"].into_iter().zip(commands) {
        session.input = input;
        let ran = session.run(command).await;
        assert!(ran.code == 1 && ran.err.contains("[y/N]") && ran.err.contains("nothing was changed"), "{ran:?}");
    }
    assert!(session.server.asked().is_empty());
    session.input = "y\n";
    for command in commands {
        assert_eq!(session.run(command).await.code, 0, "{command}");
    }
    session.input = "";
    for command in commands {
        assert_eq!(session.run(&format!("{command} --yes")).await.code, 0, "{command}");
    }
    let asked = session.server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.line.starts_with("DELETE")).count(), 8, "{asked:?}");
}

#[tokio::test]
async fn the_originals_verbs_need_no_flag_in_a_script() {
    let mut session = Session::start().await;
    session.server.on("DELETE /api/containers/a?wait=0", Reply::Operation(204, "op1", String::new()));
    session.server.on("DELETE /api/engines/e1", Reply::Json(204, String::new()));
    session.server.on("DELETE /api/account", Reply::Json(204, String::new()));
    assert_eq!(session.run("destroy a").await.out, "destroyed a\n");
    assert_eq!(session.run("edelete e1").await.out, "removed e1\n");
    assert_eq!(session.run("adelete clare").await.out, "deleted clare\n");
    session.terminals.stdin = true;
    assert_eq!(session.run("destroy a").await.code, 1, "at a terminal they ask like the others");
}

#[tokio::test]
async fn engines_and_accounts_are_added_with_their_secrets_in_files_or_on_stdin() {
    let mut session = Session::start().await;
    for (file, pem) in [("ca.pem", "CA"), ("cert.pem", "CERTIFICATE"), ("key.pem", "KEY")] {
        std::fs::write(session.folder.path().join(file), pem).unwrap();
    }
    session.server.refuse("POST /api/engines", 409, "exists", "e1 is there already");
    session.server.on("POST /api/account", Reply::Json(204, String::new()));
    session.input = "s3cret\n";
    let line = "eadd --id e1 --addr https://10.0.0.5:2376 --label ssd --cpus 1.5 --registry r:5000 \
        --registry-username bot --registry-password-stdin";
    let pem = session.folder.path().display();
    let line = format!("{line} --tls-ca {pem}/ca.pem --tls-cert {pem}/cert.pem --tls-key {pem}/key.pem");
    let ran = session.run(&line).await;
    assert_eq!((ran.code, ran.err.lines().next()), (4, Some("error: e1 is there already")));
    assert!(!format!("{}{}", ran.out, ran.err).contains("KEY"));
    assert_eq!(session.run("account add clare --role admin --password-stdin").await.out, "added clare (admin)\n");
    let sent: Vec<Value> =
        session.server.asked().iter().map(|asked| serde_json::from_str(&asked.body).unwrap()).collect();
    let engine = json!({"id": "e1", "addr": "https://10.0.0.5:2376", "labels": ["ssd"], "ca_certificate": "CA",
        "ssl_certificate": "CERTIFICATE", "ssl_key": "KEY",
        "auth": {"server": "r:5000", "username": "bot", "password": "s3cret"}, "capacity_cpus": 1.5});
    let account = json!({"username": "clare", "password": "s3cret", "role": {"name": "admin"}});
    assert_eq!(sent, [engine, account]);
    assert_eq!(session.run("engine add e2 --tls-key /nowhere/key.pem").await.code, 1);
    session.input = "";
    assert_eq!(session.run("account add clare").await.code, 2, "a password cannot be typed in a script");
}

#[tokio::test]
async fn apps_are_scaled_and_deleted() {
    let session = Session::start().await;
    session.server.on("POST /api/apps/web/scale?count=0&wait=0", begun());
    session.server.on("DELETE /api/apps/web?wait=0", begun());
    session.server.on("DELETE /api/apps/db?wait=0", begun());
    session.server.json(OPERATION, operation("done", "", ""));
    assert_eq!(session.run("app scale web 0").await.out, "scaled web to 0\n");
    assert_eq!(session.run("app rm web db --yes").await.out, "deleted web\ndeleted db\n");
    let ran = session.run("app rm web db --yes --detach").await;
    assert_eq!(ran.out, "op1\nop1\n");
    let ran = session.run("app scale web 0 --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["state"], "done");
}

#[tokio::test]
async fn one_that_fails_does_not_stop_the_others() {
    let session = Session::start().await;
    for id in ["a", "c"] {
        session.server.on(&format!("POST /api/containers/{id}/stop?wait=0"), Reply::Json(204, String::new()));
        session.server.on(&format!("DELETE /api/containers/{id}?wait=0"), Reply::Json(204, String::new()));
        session.server.on(&format!("DELETE /api/apps/{id}?wait=0"), Reply::Json(204, String::new()));
    }
    session.server.refuse("POST /api/containers/d/stop?wait=0", 409, "conflict", "d is being moved");
    let ran = session.run("stop a b c d").await;
    assert_eq!((ran.code, ran.out.as_str()), (3, "stopped a\nstopped c\n"), "the first failure's code");
    let told: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(told, ["error: b: nothing of that name", "error: d is being moved", "error: 2 of 4 failed"]);
    assert_eq!(session.server.asked().len(), 4);
    assert_eq!(session.run("container rm a b c --yes").await.out, "destroyed a\ndestroyed c\n");
    assert_eq!(session.run("app rm a b c --yes").await.code, 3);

    let ran = session.run("stop a b c --json").await;
    let done: Vec<Value> = serde_json::Deserializer::from_str(&ran.out).into_iter().map(Result::unwrap).collect();
    assert_eq!(done, [json!({"done": "stopped a"}), json!({"done": "stopped c"})]);
    let told: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&told["subject"], &told["code"], &told["exit_code"]), (&json!("b"), &json!("not_found"), &json!(3)));
}

#[tokio::test]
async fn what_would_stop_them_all_is_told_once() {
    let session = Session::start().await;
    session.server.refuse("POST /api/containers/a/stop?wait=0", 401, "unauthenticated", "who are you?");
    let ran = session.run("stop a b c").await;
    assert_eq!((ran.code, ran.err.matches("error: ").count()), (5, 1), "{ran:?}");
    assert_eq!(session.server.asked().len(), 1);
}

#[tokio::test]
async fn operations_are_waited_for_and_called_off() {
    let session = Session::start().await;
    session.server.json(OPERATION, operation("done", "", ""));
    session.server.on("POST /api/operations/op1/cancel", Reply::Json(204, String::new()));
    session.server.refuse("POST /api/operations/op2/cancel", 409, "ended", "op2 has ended");
    assert_eq!(session.run("operation wait op1").await.out, "run 2 of httpd:latest: done\n");
    let ran = session.run("operation wait op1 --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["id"], "op1");
    assert_eq!(session.run("operation cancel op1").await.out, "cancelled op1\n");
    assert_eq!(session.run("operation cancel op2").await.code, 4);
    assert_eq!(session.run("operation wait nothing").await.code, 3);
}

#[tokio::test]
async fn a_change_without_an_answer_says_what_was_done() {
    let session = Session::start().await;
    session.server.on("DELETE /api/engines/e1", Reply::Json(204, String::new()));
    session.server.on("POST /api/engines/e1/cordon", Reply::Json(204, String::new()));
    session.server.on("POST /api/apps/web/scale?count=1&wait=0", Reply::Json(204, String::new()));
    session.server.on("PUT /api/account/ann", Reply::Json(204, String::new()));
    for (command, done) in [
        ("engine rm e1 --yes --json", "removed e1"),
        ("engine cordon e1 --json", "cordoned e1; what runs there stays"),
        ("app scale web 1 --json", "scaled web to 1"),
        ("account set-role ann user --json", "ann has the role user now"),
    ] {
        let ran = session.run(command).await;
        assert_eq!(ran.code, 0, "{command}");
        assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), json!({ "done": done }), "{command}");
    }
}
