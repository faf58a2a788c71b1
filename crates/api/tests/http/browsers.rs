//! Browsers: their sessions, and what another site can make them do.

use crate::raw::{Answer, Sender, snapshot};
use pierhead_api::LogInLimits;
use pierhead_controller::keys;
use pierhead_model::{Timestamp, TokenKind, TokenRecord};
use pierhead_store::StoreJson;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";
const CONTAINER: &str = "/api/containers/00000000beef";

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

fn credentials(name: &str) -> String {
    json!({ "username": name, "password": PASSWORD }).to_string()
}

async fn opened(cluster: &Cluster, name: &str) -> Answer {
    Sender::nobody(cluster).post("/auth/session", &credentials(name)).await
}

/// A browser with a session, and the token in its cookie.
async fn browser(cluster: &Cluster, name: &str) -> (Sender, String) {
    let answer = opened(cluster, name).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.cookie.unwrap().split(';').next().unwrap().to_owned();
    let token = cookie.strip_prefix("pierhead=").unwrap().to_owned();
    (Sender::nobody(cluster).header("cookie", cookie), token)
}

/// The same on a page of this server.
fn at_home(cluster: &Cluster, browser: &Sender) -> Sender {
    browser.clone().header("origin", cluster.url())
}

#[tokio::test]
async fn a_session_is_a_cookie_that_tells_nobody_its_token() {
    let cluster = cluster().await;
    cluster.user_token("ann").await;
    let answer = opened(&cluster, "ann").await;
    let cookie = answer.cookie.clone().unwrap();
    let (token, attributes) = cookie.strip_prefix("pierhead=").unwrap().split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    assert!(token.len() >= 32 && !answer.text.contains(token), "{answer:?}");
    let view = answer.json();
    assert_eq!((&view["username"], &view["role"]), (&json!("ann"), &json!("user")));
    assert!(view["permissions"].as_array().unwrap().contains(&json!("write-containers")), "{view}");

    let browser = Sender::nobody(&cluster).header("cookie", format!("a=b; pierhead={token}"));
    assert_eq!(browser.get("/auth/session").await.json(), view);
    assert_eq!(browser.get("/api/engines").await.status, 200);
    let records = cluster.controller().store().list_all(keys::TOKENS).await.unwrap().entries;
    assert!(
        records
            .iter()
            .all(|entry| !entry.key.contains(token) && !String::from_utf8_lossy(&entry.value).contains(token))
    );
    for shown in [
        Sender::nobody(&cluster).token(token),
        Sender::nobody(&cluster).header("x-access-token", format!("ann:{token}")),
        Sender::nobody(&cluster).header("cookie", format!("__Host-pierhead={token}")),
        Sender::nobody(&cluster).header("cookie", format!("pierhead={token}; pierhead={token}")),
    ] {
        assert_eq!(shown.get("/api/engines").await.status, 401, "a session counts in its cookie only");
    }
    let program = cluster.user_token("bob").await;
    let smuggled = Sender::nobody(&cluster).header("cookie", format!("pierhead={program}"));
    assert_eq!(smuggled.get("/api/engines").await.status, 401, "and a token not in a cookie");
}

#[tokio::test]
async fn a_wrong_password_opens_nothing_and_counts_as_at_log_in() {
    let log_in_limits = LogInLimits { per_account: 3, per_address: 0, window_ms: 3_600_000 };
    let cluster = Cluster::start(ClusterOptions { hosts: 0, log_in_limits, ..ClusterOptions::default() }).await;
    let nobody = Sender::nobody(&cluster);
    let wrong = json!({ "username": "admin", "password": "a wrong password" }).to_string();
    for path in ["/auth/session", "/auth/login", "/auth/session"] {
        let answer = nobody.post(path, &wrong).await;
        assert_eq!((answer.status, answer.cookie), (401, None), "{path}");
    }
    let locked = opened(&cluster, "admin").await;
    assert_eq!((locked.status, locked.refusal().code.as_str()), (429, "too_many_attempts"));
    assert!(locked.retry_after.is_some() && locked.cookie.is_none());
}

#[tokio::test]
async fn a_change_needs_the_servers_own_origin() {
    let cluster = cluster().await;
    let (browser, _) = browser(&cluster, "admin").await;
    let own = cluster.url();
    let port: u16 = own.rsplit(':').next().unwrap().parse().unwrap();
    let before = snapshot(&cluster).await;
    let foreign = [
        "null".to_owned(),
        String::new(),
        own.replace("http", "https"),
        format!("{own}.evil"),
        format!("http://evil{}", own.strip_prefix("http://").unwrap()),
        format!("http://127.0.0.1:{}", port ^ 1),
        "http://127.0.0.1".to_owned(),
        format!("http://localhost:{port}"),
        format!("{own}/"),
        "http://evil.example".to_owned(),
    ];
    let added = credentials("eve");
    for (method, path, body) in [
        ("POST", "/api/account", added.as_str()),
        ("DELETE", "/api/account/ann", ""),
        ("PUT", "/api/account/admin", r#"{"role":{"name":"user"}}"#),
        ("POST", "/api/tokens", r#"{"name":"x"}"#),
        ("POST", "/api/tickets", r#"{"resource":"/api/events/stream"}"#),
        ("DELETE", "/auth/session", ""),
        ("DELETE", "/api/tokens/current", ""),
    ] {
        let silent = browser.send(method, path, body).await;
        assert_eq!((silent.status, silent.refusal().code.as_str()), (403, "foreign_origin"), "{method} {path}");
        for origin in &foreign {
            let answer = browser.clone().header("origin", origin).send(method, path, body).await;
            assert_eq!((answer.status, answer.refusal().code.as_str()), (403, "foreign_origin"), "{path} of {origin}");
        }
    }
    for origin in &foreign {
        let answer = browser.clone().header("origin", origin).get("/api/engines").await;
        assert_eq!(answer.status, 403, "what reads from elsewhere is foreign too: {origin}");
        let log_in =
            Sender::nobody(&cluster).header("origin", origin).post("/auth/session", &credentials("admin")).await;
        assert_eq!((log_in.status, log_in.cookie), (403, None), "nobody is logged in from elsewhere: {origin}");
    }
    assert_eq!(snapshot(&cluster).await, before);
    assert_eq!(at_home(&cluster, &browser).post("/api/account", &added).await.status, 204);
    let program = Sender::admin(&cluster).header("origin", "http://evil.example");
    assert_eq!(program.send("DELETE", "/api/account/eve", "").await.status, 204, "a token in a header is no browser's");
}

#[tokio::test]
async fn a_change_by_get_never_takes_a_session() {
    let cluster = cluster().await;
    let (browser, token) = browser(&cluster, "admin").await;
    let browser = at_home(&cluster, &browser);
    for verb in ["start", "stop", "restart", "scale?count=2"] {
        let path = format!("{CONTAINER}/{verb}");
        assert_eq!(browser.get(&path).await.status, 403, "{verb}");
        assert_eq!(browser.post(&path, "").await.status, 404, "{verb} by POST: there is no such container");
        assert_eq!(Sender::admin(&cluster).get(&path).await.status, 404, "{verb} with a token");
    }
    let mixed = browser.token(&token);
    assert_eq!(mixed.get("/api/engines").await.status, 401, "who shows a token is asked for that alone");
}

#[tokio::test]
async fn sessions_are_listed_revoked_and_end_like_tokens() {
    let cluster = cluster().await;
    let ann = Sender::user(&cluster, "ann").await;
    let (first, _) = browser(&cluster, "ann").await;
    let (second, _) = browser(&cluster, "ann").await;
    let status = async |browser: &Sender| browser.get("/auth/session").await.status;
    let listed: Vec<Value> = first.get("/api/tokens").await.json().as_array().unwrap().clone();
    assert_eq!(listed.len(), 3);
    let sessions = listed.iter().filter(|token| token["session"] == true).count();
    assert_eq!(sessions, 2, "and one token of a program: {listed:?}");
    let current = listed.iter().find(|token| token["current"] == true).unwrap();
    assert_eq!(current["session"], true);
    let path = format!("/api/tokens/{}", current["id"].as_str().unwrap());
    assert_eq!(ann.send("DELETE", &path, "").await.status, 204);
    assert_eq!((status(&first).await, status(&second).await), (401, 200));

    let out = at_home(&cluster, &second).send("DELETE", "/auth/session", "").await;
    assert_eq!(out.status, 204, "{out:?}");
    assert_eq!(out.cookie.as_deref(), Some("pierhead=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"));
    assert_eq!((status(&second).await, ann.get("/api/engines").await.status), (401, 200));
    let no_session = ann.send("DELETE", "/auth/session", "").await;
    assert_eq!((no_session.status, no_session.refusal().code.as_str()), (400, "no_session"));

    let (own, _) = browser(&cluster, "ann").await;
    let (other, _) = browser(&cluster, "ann").await;
    let change = json!({ "username": "ann", "password": "a new password", "current": PASSWORD }).to_string();
    assert_eq!(at_home(&cluster, &own).post("/account/passwdchange", &change).await.status, 204);
    assert_eq!((status(&own).await, status(&other).await, ann.get("/api/engines").await.status), (200, 401, 401));
    assert_eq!(Sender::admin(&cluster).send("DELETE", "/api/account/ann", "").await.status, 204);
    assert_eq!(status(&own).await, 401);
}

#[tokio::test]
async fn who_sits_down_at_a_browser_needs_the_password_to_change_it() {
    let log_in_limits = LogInLimits { per_account: 4, per_address: 0, window_ms: 3_600_000 };
    let cluster = Cluster::start(ClusterOptions { hosts: 0, log_in_limits, ..ClusterOptions::default() }).await;
    let ann = Sender::user(&cluster, "ann").await;
    let (own, root) = (browser(&cluster, "ann").await.0, browser(&cluster, "admin").await.0);
    let (own, root) = (at_home(&cluster, &own), at_home(&cluster, &root));
    let path = "/account/passwdchange";
    let change = |name: &str, current: Value| match current {
        Value::Null => json!({ "username": name, "password": "a new password" }).to_string(),
        current => json!({ "username": name, "password": "a new password", "current": current }).to_string(),
    };
    let refused = own.post(path, &change("ann", Value::Null)).await;
    assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some("current")));
    for who in [&own, &ann] {
        let refused = who.post(path, &change("ann", json!("a wrong guess"))).await;
        assert_eq!((refused.status, refused.refusal().code.as_str()), (403, "wrong_password"));
        assert_eq!(refused.refusal().field.as_deref(), Some("current"));
    }
    assert_eq!(own.post(path, &change("ann", json!(7))).await.status, 400);
    assert_eq!(opened(&cluster, "ann").await.status, 200, "nothing was changed");
    // What is no guess at one's own is refused before anything is compared.
    let refused = root.post(path, &change("ann", json!("a wrong guess"))).await;
    assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some("current")));
    for guess in 0..4 {
        assert_eq!(own.post(path, &change("ann", json!(guess.to_string()))).await.status, 403, "{guess}");
    }
    let locked = own.post(path, &change("ann", json!(PASSWORD))).await;
    assert_eq!((locked.status, locked.refusal().code.as_str()), (429, "too_many_attempts"), "nobody guesses on");
    assert_eq!(root.post(path, &change("ann", Value::Null)).await.status, 204, "an administrator needs none");
    let program = Sender::admin(&cluster);
    assert_eq!(program.post(path, &change("admin", Value::Null)).await.status, 204, "nor does a program");
}

#[tokio::test]
async fn with_many_sessions_the_one_that_was_unused_longest_ends() {
    let cluster = cluster().await;
    let program = Sender::user(&cluster, "ann").await;
    let (oldest, _) = browser(&cluster, "ann").await;
    let (other, _) = browser(&cluster, "admin").await;
    let store = cluster.controller().store();
    let sessions = async |name: &str| {
        let records = store.list_all(keys::TOKENS).await.unwrap().entries.into_iter();
        let records = records.map(|entry| (entry.key.clone(), entry.json::<TokenRecord>().unwrap()));
        let is_theirs = |record: &TokenRecord| record.username.as_str() == name && record.kind == TokenKind::Session;
        records.filter(|(_, record)| is_theirs(record)).collect::<Vec<_>>()
    };
    // As many as there may be, all of them used since.
    let (_, record) = sessions("ann").await.remove(0);
    for number in 1..100 {
        let used = record.last_used_at.map(|at| at.plus(number));
        store
            .put_json(&keys::token(&format!("{number:042}A")), &TokenRecord { last_used_at: used, ..record.clone() })
            .await
            .unwrap();
    }
    assert_eq!((sessions("ann").await.len(), oldest.get("/api/engines").await.status), (100, 200));
    let (newest, _) = browser(&cluster, "ann").await;
    assert_eq!(sessions("ann").await.len(), 100);
    let status = async |sender: &Sender| sender.get("/api/engines").await.status;
    assert_eq!((status(&oldest).await, status(&newest).await), (401, 200));
    assert_eq!((status(&program).await, status(&other).await), (200, 200), "tokens and other people's stay");
    let told = Sender::admin(&cluster).get("/api/events?type=delete-token").await.json();
    assert!(told[0]["message"].as_str().unwrap().ends_with("account=ann"), "{told}");
}

#[tokio::test]
async fn a_session_expires() {
    let cluster = cluster().await;
    let (browser, _) = browser(&cluster, "admin").await;
    assert_eq!(browser.get("/auth/session").await.status, 200);
    let store = cluster.controller().store();
    for entry in store.list_all(keys::TOKENS).await.unwrap().entries {
        let record: TokenRecord = entry.json().unwrap();
        if record.kind == pierhead_model::TokenKind::Session {
            store.put_json(&entry.key, &TokenRecord { expires_at: Timestamp(1), ..record }).await.unwrap();
        }
    }
    eventually(PATIENCE, "the session is over", async || browser.get("/auth/session").await.status == 401).await;
}
