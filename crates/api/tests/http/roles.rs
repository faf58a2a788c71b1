//! Roles: made, given, changed and deleted; and that nobody gets or gives more than they have.

use crate::raw::{Answer, Sender};
use pierhead_model::Permission;
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::json;

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 0, ..ClusterOptions::default() }).await
}

fn role(name: &str, permissions: &[&str]) -> String {
    json!({ "name": name, "permissions": permissions }).to_string()
}

async fn set_role(by: &Sender, account: &str, role: &str) -> Answer {
    by.send("PUT", &format!("/api/account/{account}"), json!({ "role": { "name": role } }).to_string()).await
}

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.refusal().code)
}

#[tokio::test]
async fn a_role_is_made_given_changed_and_deleted() {
    let cluster = cluster().await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    assert_eq!(admin.post("/api/roles", &role("watcher", &["read-engines"])).await.status, 204);
    assert_eq!(refusal(&admin.post("/api/roles", &role("watcher", &[])).await), (409, "exists".to_owned()));
    assert_eq!(set_role(&admin, "ann", "watcher").await.status, 204);
    assert_eq!((ann.get("/api/engines").await.status, ann.get("/api/apps").await.status), (200, 403), "at once");
    let used = admin.send("DELETE", "/api/roles/watcher", "").await;
    assert_eq!(refusal(&used), (409, "role_in_use".to_owned()));
    assert!(used.text.contains("ann"), "{used:?}");
    let wider = json!({ "permissions": ["read-containers"] }).to_string();
    assert_eq!(admin.send("PUT", "/api/roles/watcher", wider).await.status, 204);
    assert_eq!((ann.get("/api/engines").await.status, ann.get("/api/apps").await.status), (403, 200), "at once");
    let shown = admin.get("/api/roles/watcher").await.json();
    assert_eq!(shown, json!({ "name": "watcher", "permissions": ["read-containers"], "built_in": false }));
    let accounts = admin.get("/api/account").await.json();
    assert_eq!(accounts[1]["role"], json!({ "name": "watcher" }));
    assert_eq!(set_role(&admin, "ann", "user").await.status, 204);
    assert_eq!(admin.send("DELETE", "/api/roles/watcher", "").await.status, 204);
    assert_eq!(admin.get("/api/roles/watcher").await.status, 404);
    assert_eq!(set_role(&admin, "ann", "watcher").await.refusal().field.as_deref(), Some("role.name"));
    let told = admin.get("/api/events?count=20").await.text;
    for kind in ["add-role", "change-role", "delete-role", "change-account"] {
        assert!(told.contains(kind), "{kind}: {told}");
    }
}

#[tokio::test]
async fn the_built_in_roles_stay_as_they_are() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    let listed = admin.get("/api/roles").await.json();
    assert_eq!(listed[0]["name"], "admin");
    assert_eq!(listed[0]["permissions"].as_array().unwrap().len(), Permission::ALL.len());
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["admin", "assistant", "student", "teacher", "user"]);
    assert!(listed.as_array().unwrap().iter().all(|role| role["built_in"] == true));
    for name in names {
        let none = json!({ "permissions": [] }).to_string();
        assert_eq!(refusal(&admin.send("PUT", &format!("/api/roles/{name}"), none).await).1, "built_in");
        assert_eq!(refusal(&admin.send("DELETE", &format!("/api/roles/{name}"), "").await).1, "built_in");
        assert_eq!(refusal(&admin.post("/api/roles", &role(name, &[])).await).1, "exists");
    }
    assert_eq!(admin.get("/api/roles").await.json(), listed);
}

#[tokio::test]
async fn what_is_no_role_is_named() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    for (body, field) in [
        (role("pilot", &["read-events", "fly"]), "permissions[1]"),
        (role("../pilot", &[]), "name"),
        (json!({ "name": "pilot" }).to_string(), "permissions"),
    ] {
        let refused = admin.post("/api/roles", &body).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}");
    }
    let unknown = admin.post("/api/roles", &role("pilot", &["fly"])).await;
    assert!(unknown.text.contains("fly"), "{unknown:?}");
    assert_eq!(admin.send("PUT", "/api/roles/pilot", r#"{"permissions":["fly"]}"#).await.status, 400);
    assert_eq!(admin.send("PUT", "/api/roles/pilot", r#"{"permissions":[]}"#).await.status, 404);
    assert_eq!(set_role(&admin, "nobody", "user").await.status, 404);
}

#[tokio::test]
async fn nobody_gets_or_gives_more_than_they_have() {
    let cluster = cluster().await;
    let (admin, ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    Sender::user(&cluster, "bob").await;
    let clerk = role("clerk", &["write-accounts", "read-engines"]);
    assert_eq!(admin.post("/api/roles", &clerk).await.status, 204);
    assert_eq!(set_role(&admin, "ann", "clerk").await.status, 204);
    let added = |name: &str, role: &str| {
        json!({ "username": name, "password": "a password", "role": { "name": role } }).to_string()
    };
    let password = |name: &str| json!({ "username": name, "password": "a password" }).to_string();
    for (what, answer) in [
        ("make oneself an admin", set_role(&ann, "ann", "admin").await),
        ("take the admin's role", set_role(&ann, "admin", "clerk").await),
        ("delete the admin", ann.send("DELETE", "/api/account/admin", "").await),
        ("take the admin's password", ann.post("/account/passwdchange", &password("admin")).await),
        ("take a user's password", ann.post("/account/passwdchange", &password("bob")).await),
        ("add an admin", ann.post("/api/account", &added("eve", "admin")).await),
        ("make a mighty role", ann.post("/api/roles", &role("king", &["run-privileged"])).await),
        (
            "widen one's own role",
            ann.send("PUT", "/api/roles/clerk", r#"{"permissions":["write-accounts","read-events"]}"#).await,
        ),
    ] {
        assert_eq!((what, refusal(&answer)), (what, (403, "forbidden".to_owned())));
    }
    assert_eq!(ann.post("/api/account", &added("dan", "clerk")).await.status, 204, "as much as one has");
    assert_eq!(ann.post("/account/passwdchange", &password("dan")).await.status, 204);
    assert_eq!(ann.send("DELETE", "/api/account/dan", "").await.status, 204);
}

#[tokio::test]
async fn one_administrator_stays_however_many_go_at_once() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    assert_eq!(refusal(&set_role(&admin, "admin", "user").await), (409, "last_admin".to_owned()));
    for round in 0..5 {
        // Everybody who might be left over is asked by somebody who is not among them.
        Sender::user(&cluster, "ann").await;
        assert_eq!(set_role(&admin, "ann", "admin").await.status, 204, "round {round}");
        let path = |name: &str| format!("/api/account/{name}");
        let (ann, boss) = (path("ann"), path("admin"));
        let demotion = json!({ "role": { "name": "user" } }).to_string();
        let (one, other) =
            tokio::join!(admin.send("PUT", &ann, demotion.clone()), admin.send("PUT", &boss, demotion.clone()));
        let refused = [one.status, other.status].into_iter().filter(|status| *status != 204).count();
        assert_eq!(refused, 1, "{one:?} {other:?}");
        let accounts = cluster.controller().store().list_all("accounts/").await.unwrap().entries;
        let admins: Vec<_> =
            accounts.iter().filter(|e| e.json::<pierhead_model::Account>().unwrap().is_admin()).collect();
        assert_eq!(admins.len(), 1);
        if &*admins[0].key != "accounts/admin" {
            let ann = Sender::user(&cluster, "ann").await;
            assert_eq!(set_role(&ann, "admin", "admin").await.status, 204);
            assert_eq!(set_role(&ann, "ann", "user").await.status, 204);
        }
    }
}

#[tokio::test]
async fn one_administrator_stays_when_all_are_deleted_at_once() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    for name in ["ann", "bob", "dan"] {
        Sender::user(&cluster, name).await;
        assert_eq!(set_role(&admin, name, "admin").await.status, 204);
    }
    let senders = [
        ("bob", Sender::user(&cluster, "ann").await),
        ("dan", Sender::user(&cluster, "bob").await),
        ("admin", Sender::user(&cluster, "dan").await),
        ("ann", admin),
    ];
    let all = senders
        .map(|(name, by)| tokio::spawn(async move { by.send("DELETE", &format!("/api/account/{name}"), "").await }));
    let mut gone = 0;
    for deletion in all {
        // Whoever was deleted first can't delete any more.
        let answer = deletion.await.unwrap();
        gone += usize::from(answer.status == 204);
        assert!([204, 401, 409].contains(&answer.status), "{answer:?}");
    }
    let left = cluster.controller().store().list_all("accounts/").await.unwrap().entries.len();
    assert!(left >= 1 && left == 4 - gone, "{left} left, {gone} gone");
}

#[tokio::test]
async fn a_role_that_is_deleted_while_it_is_given_is_either_there_or_nobodys() {
    let cluster = cluster().await;
    let (admin, _ann) = (Sender::admin(&cluster), Sender::user(&cluster, "ann").await);
    for round in 0..10 {
        assert_eq!(admin.post("/api/roles", &role("guest", &[])).await.status, 204);
        let (given, deleted) =
            tokio::join!(set_role(&admin, "ann", "guest"), admin.send("DELETE", "/api/roles/guest", ""));
        match (given.status, deleted.status) {
            (204, 409) => {
                assert_eq!(set_role(&admin, "ann", "user").await.status, 204);
                assert_eq!(admin.send("DELETE", "/api/roles/guest", "").await.status, 204);
            }
            (400, 204) => {}
            _ => panic!("round {round}: {given:?} {deleted:?}"),
        }
    }
}

#[tokio::test]
async fn who_administers_accounts_only_logs_no_administrator_out() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    assert_eq!(admin.post("/api/roles", &role("clerk", &["write-accounts"])).await.status, 204);
    assert_eq!(admin.post("/api/roles", &role("guest", &[])).await.status, 204);
    let (clerk, guest) = (Sender::user(&cluster, "clerk").await, Sender::user(&cluster, "guest").await);
    assert_eq!(set_role(&admin, "clerk", "clerk").await.status, 204);
    assert_eq!(set_role(&admin, "guest", "guest").await.status, 204);
    let tokens = clerk.get("/api/tokens?all=true").await.json();
    let of = |name: &str| {
        let found = tokens.as_array().unwrap().iter().find(|token| token["username"] == name).unwrap();
        format!("/api/tokens/{}", found["id"].as_str().unwrap())
    };
    assert_eq!(refusal(&clerk.send("DELETE", &of("admin"), "").await), (403, "forbidden".to_owned()));
    assert_eq!(admin.get("/api/engines").await.status, 200, "the token is good as before");
    assert_eq!(clerk.send("DELETE", &of("guest"), "").await.status, 204, "who may less");
    assert_eq!(guest.get("/api/tokens").await.status, 401);
    assert_eq!(clerk.send("DELETE", &of("clerk"), "").await.status, 204, "and one's own");
}
