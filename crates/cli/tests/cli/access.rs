//! Roles and tokens.

use crate::session::{Session, app};
use serde_json::Value;

const TOKENS: &str = r#"[
    {"id":"00112233aabbccdd","name":"pierhead/0.1.0","username":"ann","created_at":"2026-01-01T00:00:00.000Z",
     "expires_at":"2026-01-31T00:00:00.000Z","last_used_at":"2026-01-02T00:00:00.000Z","current":true},
    {"id":"ffffffff00000000","name":"robot\u001b[31m","username":"ann","created_at":"2026-01-01T00:00:00.000Z",
     "current":false},
    {"id":"aaaaaaaa00000000","name":"Firefox","username":"ann","created_at":"2026-01-01T00:00:00.000Z",
     "current":false,"session":true}]"#;

const ROLES: &str = r#"[{"name":"user","permissions":["read-engines","read-events"],"built_in":true},
    {"name":"watcher","permissions":[],"built_in":false}]"#;

#[tokio::test]
async fn tokens_are_listed_with_their_last_use_and_end() {
    let session = Session::start().await;
    let server = &session.server;
    server.json("GET /api/tokens", TOKENS).json("GET /api/tokens?all=true", "[]");
    server.json("GET /api/tokens?username=ann", "[]");
    let ran = session.run("token ls").await;
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["ID", "USER", "NAME", "LAST", "USED", "EXPIRES"]);
    assert_eq!(lines[1][..5], ["00112233aabbccdd", "ann", "pierhead/0.1.0", "(this", "one)"]);
    assert_eq!(lines[1][5..], ["2026-01-02T00:00:00.000Z", "2026-01-31T00:00:00.000Z"]);
    assert_eq!(lines[2][3..], ["never", "never"]);
    assert_eq!(lines[3][2..4], ["Firefox", "(browser)"]);
    assert!(!ran.out.contains('\u{1b}'), "{ran:?}");
    for line in ["token ls --all", "token ls --account ann", "tokens"] {
        assert_eq!(session.run(line).await.code, 0, "{line}");
    }
    assert!(session.run("token ls --all").await.out.contains("pierhead token add NAME"), "what to do next");
    let json = session.run("--json token ls").await.out;
    assert!(json.contains("ffffffff00000000"), "{json}");
    assert_eq!(server.lines()[1..3], ["GET /api/tokens?all=true", "GET /api/tokens?username=ann"]);
}

#[tokio::test]
async fn a_made_token_stands_alone_on_standard_output() {
    let session = Session::start().await;
    let made = r#"{"id":"0011","name":"CI","token":"t0ken","expires_at":"2026-01-31T00:00:00.000Z"}"#;
    session.server.json("POST /api/tokens", made);
    let ran = session.run("token add CI --expires-in 12h").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "t0ken\n"), "{ran:?}");
    assert!(ran.err.contains("only once") && ran.err.contains("pierhead token rm 0011"), "{ran:?}");
    assert_eq!(session.server.asked()[0].body, r#"{"name":"CI","expires_in":"12h"}"#);
    let json: Value = serde_json::from_str(&session.run("--json token add CI").await.out).unwrap();
    assert_eq!(json["token"], "t0ken");
    let refused = session.run("token add CI --expires-in soon").await;
    assert!(refused.code == 2 && refused.err.contains("--expires-in must be a span of time"), "{refused:?}");
    assert_eq!(session.server.asked().len(), 2, "nothing was asked for it");
}

#[tokio::test]
async fn tokens_and_roles_go_only_when_that_is_meant() {
    let session = Session::start().await;
    session.server.json("DELETE /api/tokens/0011", "").json("DELETE /api/roles/watcher", "");
    for (line, done) in [("token rm 0011", "revoked 0011\n"), ("role rm watcher", "deleted the role watcher\n")] {
        assert_eq!(session.run(line).await.code, 2, "{line}");
        let ran = session.run(&format!("{line} --yes")).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, done));
    }
    assert_eq!(session.server.lines(), ["DELETE /api/tokens/0011", "DELETE /api/roles/watcher"]);
}

#[tokio::test]
async fn roles_are_listed_made_changed_and_given() {
    let session = Session::start().await;
    let server = &session.server;
    server.json("GET /api/roles", ROLES).json("POST /api/roles", "").json("PUT /api/roles/watcher", "");
    server.json("PUT /api/account/ann", "");
    let listed = session.run("role ls").await.out;
    assert!(listed.contains("built in") && listed.contains("read-engines, read-events"), "{listed}");
    let user = r#"{"name":"user","permissions":["read-engines","read-events"],"built_in":true,"later":1}"#;
    server
        .json("GET /api/roles/user", user)
        .json("GET /api/roles/idle", r#"{"name":"idle","permissions":[],"built_in":false}"#);
    let shown = session.run("role show user").await.out;
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        ["role         user", "kind         built in", "permissions  read-engines", "             read-events"]
    );
    let json: Value = serde_json::from_str(&session.run("role inspect user --json").await.out).unwrap();
    assert_eq!((&json["permissions"][1], &json["later"]), (&"read-events".into(), &1.into()));
    assert!(session.run("role show idle").await.out.contains("permissions  none"));
    server.refuse("GET /api/roles/nope", 404, "not_found", "there is no role nope");
    let absent = session.run("role show nope").await;
    assert!(absent.code == 3 && absent.err.contains("there is no role nope"), "{absent:?}");
    for (line, said, body) in [
        (
            "role add watcher read-events read-engines",
            "added the role watcher\n",
            r#"{"name":"watcher","permissions":["read-events","read-engines"]}"#,
        ),
        (
            "role set watcher read-events,read-engines",
            "changed the role watcher\n",
            r#"{"permissions":["read-events","read-engines"]}"#,
        ),
        ("role set watcher", "changed the role watcher\n", r#"{"permissions":[]}"#),
        ("account set-role ann watcher", "ann has the role watcher now\n", r#"{"role":{"name":"watcher"}}"#),
    ] {
        let ran = session.run(line).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, said), "{line}: {ran:?}");
        assert_eq!(server.asked().last().unwrap().body, body, "{line}");
    }
}

#[tokio::test]
async fn a_refusal_says_why() {
    let session = Session::start().await;
    session.server.refuse("DELETE /api/roles/watcher", 409, "role_in_use", "role watcher is that of ann");
    let ran = session.run("role rm watcher --yes").await;
    assert!(ran.code == 4 && ran.err.contains("is that of ann"), "{ran:?}");
    session.server.refuse("POST /auth/login", 429, "too_many_attempts", "too many attempts; try again in 20 s");
    let mut session = session;
    session.input = "s3cret\n";
    let line = format!("login {} -u ann --password-stdin", session.server.url);
    let ran = session.run_alone(&line).await;
    assert!(ran.code == 5 && ran.err.contains("try again in 20 s"), "{ran:?}");
}

#[tokio::test]
async fn whoami_tells_who_where_and_until_when() {
    let session = Session::start().await;
    let me = r#"{"username":"ann\u001b[31m","role":"user","permissions":["read-engines","read-events"],
        "expires_at":"2026-01-31T00:00:00.000Z","later":1}"#;
    session.server.json("GET /auth/session", me);
    let ran = session.run("whoami").await;
    let url = &session.server.url;
    for line in [
        "role         user".to_owned(),
        "permissions  read-engines, read-events".to_owned(),
        format!("server       {url}"),
        "token ends   2026-01-31T00:00:00.000Z".to_owned(),
    ] {
        assert!(ran.out.lines().any(|found| found == line), "{line}: {ran:?}");
    }
    assert!(ran.out.starts_with("user         ann") && !ran.out.contains('\u{1b}'), "{ran:?}");
    let json: Value = serde_json::from_str(&session.run("--json whoami").await.out).unwrap();
    assert_eq!(
        (&json["role"], &json["later"], json["server"].as_str()),
        (&"user".into(), &1.into(), Some(url.as_str()))
    );
    let session = Session::start().await;
    session.server.json("GET /auth/session", r#"{"username":"robot","role":"","permissions":[]}"#);
    let ran = session.run("whoami").await;
    assert!(ran.out.contains("role         none") && ran.out.contains("token ends   never"), "{ran:?}");
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_told_so() {
    let session = Session::start().await;
    session.server.refuse("GET /auth/session", 401, "unauthenticated", "log in first");
    let ran = session.run("whoami").await;
    assert!(ran.code == 5 && ran.err.contains("pierhead login"), "{ran:?}");
}

#[tokio::test]
async fn what_an_account_leaves_is_said_and_taken_over_only_if_that_is_said() {
    let mut session = Session::start().await;
    let image = r#"{"id":"sha256:1","tags":["clare/shop:1"],"size":1,"engines":[],
        "archive":{"tags":["clare/shop:1"],"size":1,"uploaded_at":"2026-01-01T00:00:00.000Z","uploaded_by":"clare"}}"#;
    let apps = format!("[{},{}]", app("web"), app("shop").replace(r#""owner":"admin""#, r#""owner":"clare""#));
    session.server.json("DELETE /api/account", "").json("GET /api/apps", &apps);
    session.server.json("GET /api/images", format!("[{image}]"));
    let ran = session.run("account rm clare --yes").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "deleted clare\n"));
    for part in ["clare leaves apps (1), uploaded images (1)", "--inherit"] {
        assert!(ran.err.contains(part), "{part}: {ran:?}");
    }
    assert_eq!(session.run("account rm clare --yes --json").await.err, "", "a script reads no notes");
    let none = session.run("account rm bob --yes").await;
    assert_eq!((none.code, none.err.as_str()), (0, ""), "who leaves nothing is not spoken of: {none:?}");
    let blind = Session::start().await;
    blind.server.json("DELETE /api/account", "").refuse("GET /api/apps", 403, "forbidden", "no");
    let ran = blind.run("account rm clare --yes").await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "it is deleted, whatever can be told of it: {ran:?}");

    session.server.json("POST /api/account", "");
    session.input = "a new password\n";
    for (line, inherit) in [("--inherit", Some(true)), ("", None)] {
        let ran = session.run(&format!("account add clare --password-stdin {line}")).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, "added clare (user)\n"), "{ran:?}");
        let body: Value = serde_json::from_str(&session.server.asked().last().unwrap().body).unwrap();
        assert_eq!(body.get("inherit").and_then(Value::as_bool), inherit, "{body}");
    }
    let text = "a former account clare left 1 app and 1 uploaded image ('account add --inherit')";
    blind.server.refuse("POST /api/account", 409, "name_owns_things", text);
    let refused = Session { input: session.input, ..blind }.run("account add clare --password-stdin").await;
    assert!(refused.code == 4 && refused.err.contains("account add --inherit"), "{refused:?}");
}
