//! Tokens: given, listed, revoked; and what of a token is known to whom.

use crate::raw::{Answer, Sender};
use pierhead_controller::keys;
use pierhead_model::{Timestamp, TokenRecord};
use pierhead_store::StoreJson;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};
use serde_json::{Value, json};

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

const PASSWORD: &str = "correct horse battery";

async fn log_in(nobody: &Sender, username: &str) -> Answer {
    nobody.post("/auth/login", &json!({ "username": username, "password": PASSWORD }).to_string()).await
}

async fn status(sender: &Sender) -> u16 {
    sender.get("/api/engines").await.status
}

async fn listed(sender: &Sender, query: &str) -> Vec<Value> {
    let answer = sender.get(&format!("/api/tokens{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().unwrap().clone()
}

fn names(tokens: &[Value]) -> Vec<&str> {
    tokens.iter().map(|token| token["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_token_is_made_shown_once_listed_and_revoked() {
    let cluster = cluster().await;
    let (nobody, ann) = (Sender::nobody(&cluster), Sender::user(&cluster, "ann").await);
    let made = ann.post("/api/tokens", r#"{"name":"CI","expires_in":"12h"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let program = nobody.clone().token(&token);

    let tokens = listed(&ann, "").await;
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_eq!((&tokens[0]["current"], &tokens[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!((&tokens[1]["name"], &tokens[1]["username"]), (&json!("CI"), &json!("ann")));
    assert_eq!(tokens[1]["last_used_at"], Value::Null);
    let span = |token: &Value| {
        let at = |name: &str| pierhead_wire::parse_timestamp(token[name].as_str().unwrap()).unwrap();
        at("expires_at").since(at("created_at"))
    };
    // The two moments are taken one after the other.
    for (token, hours) in [(&tokens[1], 12), (&tokens[0], 30 * 24)] {
        let wanted = hours * 3_600_000;
        assert!((wanted - 1_000..=wanted).contains(&span(token)), "{tokens:?}");
    }
    let text = ann.get("/api/tokens").await.text;
    assert!(!text.contains(&token) && !text.contains("epoch"), "{text}");

    assert_eq!(status(&program).await, 200);
    eventually(PATIENCE, "its use is written down", async || listed(&ann, "").await[1]["last_used_at"].is_string())
        .await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(id, tokens[1]["id"].as_str().unwrap());
    assert_eq!(nobody.clone().token(&id).get("/api/engines").await.status, 401, "an id is not a token");
    assert_eq!(ann.send("DELETE", &format!("/api/tokens/{id}"), "").await.status, 204);
    assert_eq!((status(&program).await, status(&ann).await), (401, 200), "at once, and no other");
    assert_eq!(ann.send("DELETE", &format!("/api/tokens/{id}"), "").await.status, 404);
    let told = Sender::admin(&cluster).get("/api/events?count=10").await.text;
    assert!(told.contains("add-token") && told.contains("delete-token") && !told.contains(&token), "{told}");
}

#[tokio::test]
async fn a_log_in_is_listed_with_its_program_and_ended_by_logging_out() {
    let cluster = cluster().await;
    cluster.user_token("ann").await;
    let browser = Sender::nobody(&cluster).header("user-agent", "Firefox/200");
    let token = log_in(&browser, "ann").await.json()["token"].as_str().unwrap().to_owned();
    let browser = browser.token(&token);
    assert!(names(&listed(&browser, "").await).contains(&"Firefox/200"));
    assert_eq!(browser.send("DELETE", "/api/tokens/current", "").await.status, 204);
    assert_eq!(status(&browser).await, 401);
}

#[tokio::test]
async fn tokens_are_their_owners_and_the_administrators_business() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    let (ann, bob) = (Sender::user(&cluster, "ann").await, Sender::user(&cluster, "bob").await);
    let made = ann.post("/api/tokens", r#"{"name":"CI"}"#).await.json();
    let path = format!("/api/tokens/{}", made["id"].as_str().unwrap());
    let strange = bob.send("DELETE", &path, "").await;
    let absent = bob.send("DELETE", "/api/tokens/0000000000000000", "").await;
    assert_eq!((strange.status, absent.status), (404, 404), "nobody learns that there is one");
    for query in ["?username=ann", "?username=nobody", "?all=true"] {
        assert_eq!(bob.get(&format!("/api/tokens{query}")).await.status, 403, "{query}");
    }
    assert_eq!(listed(&bob, "?username=bob").await.len(), 1);
    assert_eq!(listed(&admin, "?username=ann").await.len(), 2);
    assert_eq!(listed(&admin, "?all=true").await.len(), 4);
    assert_eq!(listed(&admin, "").await.len(), 1);
    assert_eq!(admin.send("DELETE", &path, "").await.status, 204);
    assert_eq!(names(&listed(&admin, "?username=ann").await).len(), 1);
}

#[tokio::test]
async fn only_an_administrators_token_may_have_no_end() {
    let cluster = cluster().await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let forever = r#"{"name":"robot","expires_in":"never"}"#;
    assert_eq!(ann.post("/api/tokens", forever).await.status, 403);
    let made = admin.post("/api/tokens", forever).await;
    assert_eq!((made.status, &made.json()["expires_at"]), (201, &Value::Null));
    let robot = Sender::nobody(&cluster).token(made.json()["token"].as_str().unwrap());
    assert_eq!(status(&robot).await, 200);
    for (body, field) in [
        (r#"{"name":"x","expires_in":"soon"}"#, "expires_in"),
        (r#"{"name":"x","expires_in":"0d"}"#, "expires_in"),
        (r#"{"name":""}"#, "name"),
        (r#"{"expires_in":"1d"}"#, "name"),
        (r#"{"name":"x","scope":"all"}"#, "scope"),
    ] {
        let refused = admin.post("/api/tokens", body).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}");
    }
}

#[tokio::test]
async fn a_new_account_of_an_old_name_inherits_no_token() {
    let cluster = cluster().await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let store = cluster.controller().store();
    let before = store.list_all(keys::TOKENS).await.unwrap().entries;
    let (mut kept, is_anns) = (None, |record: &TokenRecord| record.username.as_str() == "ann");
    for entry in before {
        kept = kept.or(Some((entry.key.clone(), entry.json::<TokenRecord>().unwrap())).filter(|(_, t)| is_anns(t)));
    }
    let (key, record) = kept.unwrap();
    assert_eq!(admin.send("DELETE", "/api/account/ann", "").await.status, 204);
    assert_eq!(status(&ann).await, 401);
    let again = json!({ "username": "ann", "password": PASSWORD }).to_string();
    assert_eq!(admin.post("/api/account", &again).await.status, 204);
    // As if the controller had died before it removed the record.
    store.put_json(&key, &record).await.unwrap();
    assert_eq!(status(&ann).await, 401);
    assert!(listed(&admin, "?username=ann").await.is_empty(), "and it is not listed");
}

#[tokio::test]
async fn a_changed_password_ends_other_tokens_even_if_their_records_stay() {
    let cluster = cluster().await;
    let ann = Sender::user(&cluster, "ann").await;
    let other = ann.post("/api/tokens", r#"{"name":"CI"}"#).await.json()["token"].as_str().unwrap().to_owned();
    let other = Sender::nobody(&cluster).token(&other);
    assert_eq!((status(&ann).await, status(&other).await), (200, 200));
    let store = cluster.controller().store();
    let records = store.list_all(keys::TOKENS).await.unwrap().entries;
    let change = json!({ "username": "ann", "password": "a new password" }).to_string();
    assert_eq!(ann.post("/account/passwdchange", &change).await.status, 204);
    assert_eq!((status(&ann).await, status(&other).await), (200, 401));
    for entry in records {
        let record: TokenRecord = entry.json().unwrap();
        if record.name == "CI" {
            store.put_json(&entry.key, &TokenRecord { last_used_at: Some(Timestamp(1)), ..record }).await.unwrap();
        }
    }
    assert_eq!((status(&ann).await, status(&other).await), (200, 401));
    assert_eq!(listed(&ann, "").await.len(), 1);
}

#[tokio::test]
async fn an_account_has_so_many_tokens_and_no_more() {
    let cluster = cluster().await;
    let ann = Sender::user(&cluster, "ann").await;
    for number in 0..100 {
        assert_eq!(ann.post("/api/tokens", &json!({ "name": format!("t{number}") }).to_string()).await.status, 201);
    }
    let refused = ann.post("/api/tokens", r#"{"name":"more"}"#).await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "too_many_tokens"));
    assert_eq!(Sender::user(&cluster, "bob").await.post("/api/tokens", r#"{"name":"his"}"#).await.status, 201);
    let tokens = listed(&ann, "").await;
    let one = tokens.iter().find(|token| token["name"] == "t7").unwrap();
    assert_eq!(ann.send("DELETE", &format!("/api/tokens/{}", one["id"].as_str().unwrap()), "").await.status, 204);
    assert_eq!(ann.post("/api/tokens", r#"{"name":"more"}"#).await.status, 201);
}

#[tokio::test]
async fn of_many_log_ins_the_one_that_was_unused_longest_ends() {
    let cluster = cluster().await;
    let ann = Sender::user(&cluster, "ann").await;
    let made = ann.post("/api/tokens", r#"{"name":"CI"}"#).await.json()["token"].as_str().unwrap().to_owned();
    let made = Sender::nobody(&cluster).token(&made);
    let store = cluster.controller().store();
    let records = store.list_all(keys::TOKENS).await.unwrap().entries;
    let record = records.iter().map(|entry| entry.json::<TokenRecord>().unwrap());
    let record = record.into_iter().find(|record| record.username.as_str() == "ann" && record.at_log_in).unwrap();
    // As many as there may be, all of them used since.
    for number in 1..100 {
        let used = TokenRecord { last_used_at: record.last_used_at.map(|at| at.plus(number)), ..record.clone() };
        store.put_json(&keys::token(&format!("{number:042}A")), &used).await.unwrap();
    }
    assert_eq!((status(&ann).await, listed(&ann, "").await.len()), (200, 101));
    let newest = log_in(&Sender::nobody(&cluster), "ann").await;
    let newest = Sender::nobody(&cluster).token(newest.json()["token"].as_str().unwrap());
    assert_eq!((status(&ann).await, status(&newest).await), (401, 200));
    assert_eq!((status(&made).await, listed(&newest, "").await.len()), (200, 101), "what somebody made stays");
}
