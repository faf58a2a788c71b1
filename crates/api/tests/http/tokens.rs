//! Tokens: the forms in which they come, and those that are worth nothing.

use crate::raw::Sender;
use pierhead_controller::keys;
use pierhead_model::{Timestamp, TokenRecord};
use pierhead_store::StoreJson;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually};

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

async fn status(sender: &Sender) -> u16 {
    sender.get("/api/engines").await.status
}

#[tokio::test]
async fn both_headers_carry_a_token() {
    let cluster = cluster().await;
    let (nobody, token) = (Sender::nobody(&cluster), cluster.admin_token());
    let with = |name, value: String| nobody.clone().header(name, value);
    for good in [
        with("authorization", format!("Bearer {token}")),
        with("authorization", format!("bearer {token}")),
        with("x-access-token", format!("admin:{token}")),
        with("x-access-token", format!("admin:{token}")).header("authorization", ""),
    ] {
        assert_eq!(status(&good).await, 200);
    }
    for bad in [
        with("authorization", token.to_owned()),
        with("authorization", format!("Basic {token}")),
        with("authorization", format!("Bearer {token}x")),
        with("authorization", format!("Bearer {}", &token[1..])),
        with("authorization", "Bearer".to_owned()),
        with("x-access-token", token.to_owned()),
        with("x-access-token", format!("ann:{token}")),
        with("x-access-token", format!(":{token}")),
        with("x-access-token", "admin:".to_owned()),
        with("cookie", format!("token={token}")),
    ] {
        let answer = bad.get("/api/engines").await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (401, "unauthenticated"));
        assert!(!answer.text.contains(token), "an answer never repeats a token");
    }
    assert_eq!(nobody.get(&format!("/api/engines?token={token}")).await.status, 401);
}

#[tokio::test]
async fn an_expired_token_is_worth_nothing() {
    let cluster = cluster().await;
    let ann = Sender::user(&cluster, "ann").await;
    assert_eq!(status(&ann).await, 200);
    let store = cluster.controller().store();
    for entry in store.list_all(keys::TOKENS).await.unwrap().entries {
        let record: TokenRecord = entry.json().unwrap();
        if record.username.as_str() == "ann" {
            let now = cluster.controller().clock().now();
            let expired = TokenRecord { expires_at: Timestamp(now.0 - 1), ..record };
            store.put_json(&entry.key, &expired).await.unwrap();
        }
    }
    // Nobody told this controller: it hears of it from the store.
    eventually(PATIENCE, "the token is worth nothing", async || status(&ann).await == 401).await;
    assert_eq!(status(&Sender::admin(&cluster)).await, 200);
}

#[tokio::test]
async fn tokens_are_stored_as_hashes_and_passwords_too() {
    let cluster = cluster().await;
    let secrets =
        [cluster.admin_token().to_owned(), cluster.user_token("ann").await, "correct horse battery".to_owned()];
    let everything = cluster.controller().store().list_all("").await.unwrap();
    assert!(everything.entries.len() > 5);
    for entry in everything.entries {
        let text = format!("{} {}", entry.key, String::from_utf8_lossy(&entry.value));
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{}", entry.key);
    }
}

#[tokio::test]
async fn tokens_outlive_the_controller() {
    let mut cluster = cluster().await;
    let token = cluster.user_token("ann").await;
    cluster.crash().await;
    cluster.restart().await;
    assert_eq!(status(&Sender::nobody(&cluster).token(&token)).await, 200);
}
