//! Attempts to log in: how many, and that who is locked out locks out nobody else.

use crate::raw::Sender;
use pierhead_api::LogInLimits;
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

async fn cluster(per_account: u32, per_address: u32) -> Cluster {
    let log_in_limits = LogInLimits { per_account, per_address, window_ms: 3_600_000 };
    Cluster::start(ClusterOptions { hosts: 0, log_in_limits, ..ClusterOptions::default() }).await
}

async fn log_in(nobody: &Sender, username: &str, password: &str) -> crate::raw::Answer {
    nobody.post("/auth/login", &json!({ "username": username, "password": password }).to_string()).await
}

#[tokio::test]
async fn a_name_is_locked_whether_there_is_such_an_account_or_not_and_no_other_with_it() {
    let cluster = cluster(3, 0).await;
    let (nobody, ann) = (Sender::nobody(&cluster), Sender::user(&cluster, "ann").await);
    let mut answers = Vec::new();
    for name in ["ann", "nobody"] {
        for _ in 0..3 {
            assert_eq!(log_in(&nobody, name, "a wrong password").await.status, 401, "{name}");
        }
        let locked = log_in(&nobody, name, PASSWORD).await;
        assert_eq!((locked.status, locked.refusal().code.as_str()), (429, "too_many_attempts"), "{name}");
        let seconds: u64 = locked.retry_after.as_deref().expect("Retry-After").parse().unwrap();
        assert!((1190..=1200).contains(&seconds), "{name}: {seconds}");
        answers.push(locked.text.replace(&seconds.to_string(), "N"));
    }
    assert_eq!(answers[0], answers[1], "the answer does not tell whether there is such an account");
    assert_eq!(log_in(&nobody, "admin", PASSWORD).await.status, 200, "others go on, from the same address too");
    assert_eq!(ann.get("/api/engines").await.status, 200, "who is logged in stays so");
}

#[tokio::test]
async fn an_address_is_locked_whatever_names_it_tries() {
    let cluster = cluster(0, 4).await;
    let nobody = Sender::nobody(&cluster);
    for attempt in 0..4 {
        assert_eq!(log_in(&nobody, &format!("user{attempt}"), "a wrong password").await.status, 401);
    }
    assert_eq!(log_in(&nobody, "admin", PASSWORD).await.status, 429);
    let claimed = nobody.clone().header("x-forwarded-for", "10.9.9.9");
    assert_eq!(log_in(&claimed, "admin", PASSWORD).await.status, 429, "a header moves nobody elsewhere");
    assert_eq!(Sender::admin(&cluster).get("/api/engines").await.status, 200);
}

#[tokio::test]
async fn right_passwords_are_never_too_many() {
    let cluster = cluster(3, 4).await;
    let nobody = Sender::nobody(&cluster);
    for _ in 0..8 {
        assert_eq!(log_in(&nobody, "admin", PASSWORD).await.status, 200);
    }
}
