//! Log-in, accounts and passwords.

use crate::raw::Sender;
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::json;

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

fn credentials(username: &str, password: &str) -> String {
    json!({ "username": username, "password": password }).to_string()
}

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn nobody_learns_whether_the_name_or_the_password_was_wrong() {
    let cluster = cluster().await;
    let nobody = Sender::nobody(&cluster);
    let wrong = nobody.post("/auth/login", &credentials("admin", "not the password")).await;
    assert_eq!((wrong.status, wrong.refusal().code.as_str()), (401, "unauthenticated"));
    for name in ["nobody", "", "Bad Name", "admin\u{0}", &"x".repeat(10_000)] {
        let unknown = nobody.post("/auth/login", &credentials(name, PASSWORD)).await;
        assert_eq!((unknown.status, &unknown.text), (401, &wrong.text), "{}", name.len());
    }
    let right = nobody.post("/auth/login", &credentials("admin", PASSWORD)).await.json();
    assert_eq!((right["username"].as_str(), right["role"].as_str()), (Some("admin"), Some("admin")));
}

#[tokio::test]
async fn accounts_are_added_listed_and_deleted_with_their_tokens() {
    let cluster = cluster().await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    let listed = admin.get("/api/account").await;
    let names: Vec<_> = listed.json().as_array().unwrap().iter().map(|account| account["username"].clone()).collect();
    assert_eq!(names, ["admin", "ann"]);
    assert!(!listed.text.contains("argon2"), "never a hash");
    let again = admin.post("/api/account", &credentials("ann", "another password")).await;
    assert_eq!((again.status, again.refusal().code.as_str()), (409, "exists"));
    assert_eq!(ann.get("/api/engines").await.status, 200);
    assert_eq!(admin.send("DELETE", "/api/account", r#"{"username":"ann"}"#).await.status, 204);
    assert_eq!(ann.get("/api/engines").await.status, 401, "its token is worth nothing any more");
    assert_eq!(admin.send("DELETE", "/api/account/ann", "").await.status, 404);
    let last = admin.send("DELETE", "/api/account/admin", "").await;
    assert_eq!((last.status, last.refusal().code.as_str()), (409, "last_admin"));
    let told = admin.get("/api/events").await.text;
    assert!(told.contains("add-account") && told.contains("delete-account"), "{told}");
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let cluster = cluster().await;
    let (nobody, ann) = (Sender::nobody(&cluster), Sender::user(&cluster, "ann").await);
    let other = nobody.post("/auth/login", &credentials("ann", PASSWORD)).await.json();
    let other = nobody.clone().token(other["token"].as_str().unwrap());
    let changed = ann.post("/account/passwdchange", &credentials("ann", "a new password")).await;
    assert_eq!(changed.status, 204);
    assert_eq!((ann.get("/api/engines").await.status, other.get("/api/engines").await.status), (200, 401));
    assert_eq!(nobody.post("/auth/login", &credentials("ann", PASSWORD)).await.status, 401);
    assert_eq!(nobody.post("/auth/login", &credentials("ann", "a new password")).await.status, 200);

    let theirs = ann.post("/account/passwdchange", &credentials("admin", "a new password")).await;
    assert_eq!((theirs.status, theirs.refusal().code.as_str()), (403, "forbidden"));
    let admin = Sender::admin(&cluster);
    assert_eq!(admin.post("/account/passwdchange", &credentials("ann", "set by the admin")).await.status, 204);
    assert_eq!(ann.get("/api/engines").await.status, 401);
    assert_eq!(admin.post("/account/passwdchange", &credentials("nobody", "a new password")).await.status, 404);
}

#[tokio::test]
async fn a_plain_client_may_log_in_and_a_form_without_a_token_changes_nothing() {
    let cluster = cluster().await;
    let plain = Sender::nobody(&cluster).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(plain.post("/auth/login", &credentials("admin", PASSWORD)).await.status, 200);
    let answer = plain.post("/api/containers", r#"{"name":"app"}"#).await;
    assert_eq!((answer.status, answer.refusal().code.as_str()), (401, "unauthenticated"));
}

#[tokio::test]
async fn of_accounts_added_at_once_with_one_id_one_is_made() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    for round in 0..8 {
        let add =
            |name: &str| json!({ "id": format!("id-{round}"), "username": name, "password": PASSWORD }).to_string();
        let names = [format!("ann-{round}"), format!("bob-{round}"), format!("clare-{round}")];
        let bodies: Vec<String> = names.iter().map(|name| add(name)).collect();
        let (one, two, three) = tokio::join!(
            admin.post("/api/account", &bodies[0]),
            admin.post("/api/account", &bodies[1]),
            admin.post("/api/account", &bodies[2]),
        );
        let mut statuses = [one.status, two.status, three.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409, 409], "{one:?} {two:?} {three:?}");
        // When it is gone the id is free.
        let id = json!({ "id": format!("id-{round}") }).to_string();
        assert_eq!(admin.send("DELETE", "/api/account", id).await.status, 204);
        assert_eq!(admin.post("/api/account", &add("again")).await.status, 204);
        assert_eq!(admin.send("DELETE", "/api/account/again", "").await.status, 204);
    }
}

#[tokio::test]
async fn a_new_account_gets_what_a_former_one_left_only_if_that_is_said() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    let add = |more: &str| format!(r#"{{"username":"ann","password":"{PASSWORD}"{more}}}"#);
    let delete = async || assert_eq!(admin.send("DELETE", "/api/account/ann", "").await.status, 204);
    // Who owns nothing leaves nothing.
    for _ in 0..2 {
        assert_eq!(admin.post("/api/account", &add("")).await.status, 204);
        delete().await;
    }
    let ann = Sender::user(&cluster, "ann").await;
    let image = r#"{"image":{"name":"pierhead/sample:1"},"replicas":0}"#;
    assert_eq!(ann.send("PUT", "/api/apps/hers", image).await.status, 201);
    let archive = pierhead_testkit::image_archive(&["ann/shop:1", "ann/shop:2"], "shop");
    assert_eq!(ann.send("POST", "/api/images", archive).await.status, 201);
    let again = admin.post("/api/account", &add("")).await;
    assert_eq!((again.status, again.refusal().code.as_str()), (409, "exists"), "it is there");
    delete().await;
    for more in ["", r#","inherit":false"#] {
        let refusal = admin.post("/api/account", &add(more)).await;
        assert_eq!((refusal.status, refusal.refusal().code.as_str()), (409, "name_owns_things"), "{more}");
        assert!(refusal.refusal().message.contains("1 app and 2 uploaded images"), "{}", refusal.text);
    }
    assert_eq!(admin.post("/api/account", &add(r#","inherit":true"#)).await.status, 204);
    delete().await;
    // The one without the other, and then nothing.
    assert_eq!(admin.send("DELETE", "/api/apps/hers", "").await.status, 204);
    let refusal = admin.post("/api/account", &add("")).await;
    assert!(refusal.refusal().message.contains("0 apps and 2 uploaded images"), "{}", refusal.text);
    for name in ["ann%2Fshop:1", "ann%2Fshop:2"] {
        assert_eq!(admin.send("DELETE", &format!("/api/images/{name}"), "").await.status, 204, "{name}");
    }
    assert_eq!(admin.post("/api/account", &add("")).await.status, 204);
}
