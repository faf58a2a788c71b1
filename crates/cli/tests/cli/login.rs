//! Logging in, and to whom the token goes.

use crate::scripted::Scripted;
use crate::session::Session;
use serde_json::Value;
use std::path::PathBuf;

const LOGGED_IN: &str = r#"{"token":"t0ken","username":"clare","role":"user","expires_at":"2027-01-01T00:00:00.000Z"}"#;

async fn session() -> Session {
    let mut session = Session::start().await;
    session.server.json("POST /auth/login", LOGGED_IN).json("GET /api/apps", "[]");
    session.input = "s3cret\n";
    session
}

fn file(session: &Session) -> PathBuf {
    session.folder.path().join("pierhead/login.json")
}

async fn log_in(session: &Session) {
    let ran = session.run_alone(&format!("login {} -u clare --password-stdin", session.server.url)).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out, format!("logged in to {} as clare (user)\n", session.server.url));
    assert!(!ran.err.contains("t0ken") && !ran.err.contains("s3cret"), "{}", ran.err);
}

#[tokio::test]
async fn the_token_is_kept_for_its_owner_only_and_used() {
    let session = session().await;
    log_in(&session).await;
    assert_eq!(session.server.asked()[0].body, r#"{"username":"clare","password":"s3cret"}"#);
    let saved: Value = serde_json::from_slice(&std::fs::read(file(&session)).unwrap()).unwrap();
    assert_eq!((&saved["token"], &saved["url"]), (&"t0ken".into(), &session.server.url.as_str().into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file(&session)), mode(session.folder.path().join("pierhead"))), (0o600, 0o700));
    }
    assert_eq!(session.run_alone("app ls").await.code, 0);
    assert_eq!(session.server.asked()[1].token.as_deref(), Some("Bearer t0ken"));
}

#[tokio::test]
async fn a_saved_token_goes_to_nobody_else() {
    let session = session().await;
    log_in(&session).await;
    let other = Scripted::start().await;
    other.json("GET /api/apps", "[]");
    assert_eq!(session.run_alone(&format!("--url {} app ls", other.url)).await.code, 0);
    assert_eq!(other.asked()[0].token, None);
    let both = format!("--url {},{} app ls", session.server.url, other.url);
    assert_eq!(session.run_alone(&both).await.code, 0);
    assert_eq!(session.server.asked()[1].token, None, "a list with a stranger in it is a stranger's");
    assert_eq!(session.run_alone(&format!("--url {}/ app ls", session.server.url)).await.code, 0);
    assert_eq!(session.server.asked()[2].token.as_deref(), Some("Bearer t0ken"));
    assert_eq!(session.run_alone("--token mine app ls").await.code, 0);
    assert_eq!(session.server.asked()[3].token.as_deref(), Some("Bearer mine"));
}

#[tokio::test]
async fn logging_out_revokes_and_forgets_it() {
    let session = session().await;
    log_in(&session).await;
    session.server.json("DELETE /api/tokens/current", "");
    let ran = session.run_alone("logout").await;
    assert!(ran.out.starts_with("logged out") && ran.err.is_empty(), "{ran:?}");
    assert!(!file(&session).exists());
    let asked = &session.server.asked()[1];
    assert_eq!((asked.line.as_str(), asked.token.as_deref()), ("DELETE /api/tokens/current", Some("Bearer t0ken")));
    assert_eq!(session.run_alone("logout").await.out, "nobody was logged in\n");
}

#[tokio::test]
async fn logging_out_says_if_the_token_lives_on() {
    let session = session().await;
    log_in(&session).await;
    session.server.refuse("DELETE /api/tokens/current", 503, "store_failed", "the store does not work");
    let ran = session.run_alone("logout").await;
    assert!(ran.code == 0 && !file(&session).exists(), "{ran:?}");
    assert!(ran.err.contains("not revoked") && ran.err.contains("the store does not work"), "{ran:?}");
    log_in(&session).await;
    let expired = Scripted::start().await;
    expired.refuse("DELETE /api/tokens/current", 401, "unauthenticated", "the token is not valid");
    let saved = std::fs::read_to_string(file(&session)).unwrap().replace(&session.server.url, &expired.url);
    std::fs::write(file(&session), saved).unwrap();
    let ran = session.run_alone("logout").await;
    assert!(ran.code == 0 && ran.err.is_empty(), "{ran:?}");
}

#[tokio::test]
async fn a_refused_log_in_keeps_nothing() {
    let mut session = Session::start().await;
    session.server.refuse("POST /auth/login", 401, "unauthorized", "user name or password is wrong");
    session.input = "wrong\n";
    let line = format!("login {} -u clare --password-stdin", session.server.url);
    let ran = session.run_alone(&line).await;
    assert_eq!((ran.code, file(&session).exists()), (5, false), "{ran:?}");
    let asked = session.server.asked().len();
    for input in ["", "one\ntwo\n", "one\n\n"] {
        session.input = input;
        assert_eq!(session.run_alone(&line).await.code, 2, "{input:?}");
    }
    assert_eq!(session.server.asked().len(), asked, "no half of it was tried");
    let line = format!("login {} --password-stdin", session.server.url);
    assert_eq!(session.run_alone(&line).await.code, 2, "nobody can be asked for the user name");
}

#[tokio::test]
async fn url_and_name_are_asked_for_at_a_terminal() {
    let mut session = session().await;
    session.terminals.stdin = true;
    session.input = "clare\ns3cret\n";
    let ran = session.run_alone(&format!("login {} --password-stdin", session.server.url)).await;
    assert!(ran.code == 0 && ran.err.contains("User name:"), "{ran:?}");
    session.input = "ftp://nowhere\n";
    let ran = session.run_alone("login").await;
    assert!(ran.code == 2 && ran.err.contains(&format!("Controller [{}]:", session.server.url)), "{ran:?}");
}

#[tokio::test]
async fn a_spoilt_file_is_named() {
    let session = session().await;
    std::fs::create_dir_all(file(&session).parent().unwrap()).unwrap();
    std::fs::write(file(&session), "{").unwrap();
    let ran = session.run_alone("app ls").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("login.json") && ran.err.contains("--config-dir"), "{}", ran.err);
    log_in(&session).await;
    assert_eq!(session.run_alone("app ls").await.code, 0);
}

#[tokio::test]
async fn a_password_is_changed_for_the_one_that_is_logged_in() {
    let session = session().await;
    log_in(&session).await;
    session.server.json("POST /account/passwdchange", "");
    let ran = session.run_alone("account passwd --password-stdin").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "changed the password of clare\n"), "{}", ran.err);
    assert_eq!(session.server.asked()[1].body, r#"{"username":"clare","password":"s3cret"}"#);
}
