//! Logging in to controllers with TLS: who is trusted, and that a stranger hears nothing.

use crate::secured::{Secured, Signer};
use crate::session::{Ran, Session};
use serde_json::Value;

const PASSWORD: &str = "canary-of-a-password";

async fn session() -> Session {
    let mut session = Session::start().await;
    session.input = "canary-of-a-password\n";
    session
}

async fn log_in(session: &Session, controller: &Secured, more: &str) -> Ran {
    session.run_alone(&format!("login {} -u clare --password-stdin {more}", controller.url)).await
}

fn saved(session: &Session) -> Option<Value> {
    let file = std::fs::read(session.folder.path().join("pierhead/login.json")).ok()?;
    Some(serde_json::from_slice(&file).unwrap())
}

/// It was refused before a word was said, and nothing was kept.
fn is_refused(ran: &Ran, session: &Session, controller: &Secured, code: u8, words: &[&str]) {
    assert_eq!(ran.code, code, "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word}: {ran:?}");
    }
    assert_eq!((controller.told(), saved(session)), (String::new(), None));
}

#[tokio::test]
async fn a_script_names_the_fingerprint_and_all_later_commands_keep_to_it() {
    let (signer, session) = (Signer::new("ours"), session().await);
    let controller = signer.controller("127.0.0.1").await;
    let fingerprint = signer.authority.fingerprint().to_string();
    let unknown = log_in(&session, &controller, "").await;
    is_refused(&unknown, &session, &controller, 5, &[&fingerprint, "not known here", "--ca-fingerprint"]);

    let ran = log_in(&session, &controller, &format!("--ca-fingerprint {}", fingerprint.to_uppercase())).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(controller.told().contains(PASSWORD));
    assert_eq!(saved(&session).unwrap()["authority"], signer.authority.pem());
    assert_eq!(session.run_alone("app ls").await.code, 0);
    assert!(controller.told().contains("GET /api/apps") && controller.told().contains("Bearer t0ken"));
    assert_eq!(session.run_alone(&format!("--url {} --token mine app ls", controller.url)).await.code, 0);
    assert_eq!(log_in(&session, &controller, "").await.code, 0, "it is known from now on");
    assert_eq!(session.run_alone("logout").await.code, 0);
    assert!(controller.told().contains("DELETE /api/tokens/current"));
}

#[tokio::test]
async fn a_wrong_fingerprint_is_refused_and_so_is_what_is_none() {
    let (signer, session) = (Signer::new("ours"), session().await);
    let controller = signer.controller("127.0.0.1").await;
    let (right, wrong) = (signer.authority.fingerprint().to_string(), "00".repeat(32));
    let ran = log_in(&session, &controller, &format!("--ca-fingerprint {wrong}")).await;
    is_refused(&ran, &session, &controller, 5, &[&right, &wrong]);
    let ran = log_in(&session, &controller, "--ca-fingerprint 1234").await;
    is_refused(&ran, &session, &controller, 2, &["64 hexadecimal digits"]);
    for (other, why) in
        [(signer.controller("127.0.0.9").await, "not for this name"), (signer.controller_of(2019).await, "expired")]
    {
        let ran = log_in(&session, &other, &format!("--ca-fingerprint {right}")).await;
        is_refused(&ran, &session, &other, 5, &[why]);
    }
    let plain = session.run_alone(&format!("login http://127.0.0.1:1 -u a --ca-fingerprint {right}")).await;
    assert!(plain.code == 2 && plain.err.contains("for https"), "{plain:?}");
}

#[tokio::test]
async fn a_person_is_shown_the_fingerprint_and_asked() {
    let (signer, mut session) = (Signer::new("ours"), session().await);
    let controller = signer.controller("127.0.0.1").await;
    session.terminals.stdin = true;
    for no in ["n\ncanary-of-a-password\n", "\n", ""] {
        session.input = no;
        let ran = log_in(&session, &controller, "").await;
        is_refused(&ran, &session, &controller, 1, &[&signer.authority.fingerprint().to_string(), "do you trust it?"]);
    }
    session.input = "y\ncanary-of-a-password\n";
    let ran = log_in(&session, &controller, "").await;
    assert!(ran.code == 0 && controller.told().contains(PASSWORD), "{ran:?}");
    session.terminals.stdin = false;
    assert_eq!(session.run_alone("app ls").await.code, 0);
}

#[tokio::test]
async fn another_authority_later_is_refused_until_somebody_agrees() {
    let (signer, mut session) = (Signer::new("ours"), session().await);
    let controller = signer.controller("127.0.0.1").await;
    let fingerprint = signer.authority.fingerprint().to_string();
    assert_eq!(log_in(&session, &controller, &format!("--ca-fingerprint {fingerprint}")).await.code, 0);

    // The same address is another's now: what was saved names it.
    let thief = Signer::new("ours");
    let theirs = thief.controller("127.0.0.1").await;
    let file = session.folder.path().join("pierhead/login.json");
    let moved = std::fs::read_to_string(&file).unwrap().replace(&controller.url, &theirs.url);
    std::fs::write(&file, moved).unwrap();
    for line in ["app ls", "events", "engine ls"] {
        let ran = session.run_alone(line).await;
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.err.contains("not trusted") && ran.err.contains("pierhead login"), "{ran:?}");
    }
    let again = log_in(&session, &theirs, "").await;
    assert!(again.code == 5 && again.err.contains(&thief.authority.fingerprint().to_string()), "{again:?}");
    assert_eq!(theirs.told(), "");
    session.terminals.stdin = true;
    session.input = "y\ncanary-of-a-password\n";
    let asked = log_in(&session, &theirs, "").await;
    assert!(asked.code == 0 && asked.err.contains("ANOTHER") && asked.err.contains(&fingerprint), "{asked:?}");
}

#[tokio::test]
async fn a_file_of_authorities_counts_alone() {
    let (signer, session) = (Signer::new("ours"), session().await);
    let controller = signer.controller("127.0.0.1").await;
    let file = |name: &str, text: &str| {
        let path = session.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("--ca-file {}", path.display())
    };
    let (right, foreign) = (file("right", &signer.authority.pem()), file("foreign", &Signer::new("x").authority.pem()));
    let ran = log_in(&session, &controller, &foreign).await;
    is_refused(&ran, &session, &controller, 5, &["not trusted"]);
    let ran = log_in(&session, &controller, &file("none", "hello")).await;
    is_refused(&ran, &session, &controller, 1, &["none", "not a certificate"]);
    let stateless = format!("--url {} --token mine {right} app ls", controller.url);
    assert_eq!(session.run_alone(&stateless).await.code, 0, "nothing needs to be saved");
    assert_eq!(log_in(&session, &controller, &right).await.code, 0);
    assert_eq!(session.run_alone("app ls").await.code, 0, "it was saved");
    assert_eq!(session.run_alone(&format!("{foreign} app ls")).await.code, 5, "a file that is given counts more");
}
