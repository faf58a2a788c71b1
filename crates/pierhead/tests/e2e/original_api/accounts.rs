//! Accounts and passwords.

use serde_json::json;

use super::sender::Answer;
use super::{PASSWORD, People, has_fields};

fn named(listed: &Answer, name: &str) -> Option<serde_json::Value> {
    listed.list().into_iter().find(|account| account["username"] == name)
}

pub(super) fn are_added_listed_and_deleted(people: &People) {
    let admin = &people.admin;
    // Fields that only a server sets are taken and ignored.
    let clare = json!({
        "id": "c-1", "username": "clare", "password": PASSWORD, "role": { "name": "user" },
        "tokens": [{ "token": "forged", "user_agent": "curl" }], "created_at": "2001-01-01T00:00:00Z",
    });
    admin.send("POST", "/api/account", &clare).check(204, "an account is added");
    admin.send("POST", "/api/account", &clare).check(409, "a second of the same name");
    let same_id = json!({ "id": "c-1", "username": "clara", "password": PASSWORD });
    admin.send("POST", "/api/account", &same_id).check(409, "a second of the same id");
    people.nobody.original("clare", "forged").get("/api/engines").check(401, "a token of the body is no token");

    let listed = admin.get("/api/account").check(200, "accounts");
    let shown = named(&listed, "clare").expect("it is listed");
    assert_eq!((&shown["id"], &shown["role"]["name"]), (&json!("c-1"), &json!("user")));
    assert_ne!(shown["created_at"], clare["created_at"]);
    for account in listed.list() {
        has_fields(&account, &["id", "username", "role"]);
    }
    for secret in ["password", "token", "hash", "salt", PASSWORD] {
        assert!(!listed.text.contains(secret), "{secret} in {listed:?}");
    }

    admin.send("DELETE", "/api/account", &json!({ "id": "c-1" })).check(204, "by its id");
    admin.send("DELETE", "/api/account", &json!({ "id": "c-1" })).check(404, "it is gone");
    admin.send("POST", "/api/account", &json!({ "username": "clare", "password": PASSWORD })).check(204, "no role");
    let listed = admin.get("/api/account");
    assert_eq!(named(&listed, "clare").unwrap()["role"]["name"], "user", "what an account is without a role");
    let token = people.nobody.log_in("clare", PASSWORD);
    let clare = people.nobody.original("clare", &token);
    clare.get("/api/engines").check(200, "clare is let in");
    admin.send("DELETE", "/api/account", &json!({ "username": "clare" })).check(204, "by its name");
    clare.get("/api/engines").check(401, "her token went with her");
    assert_eq!(named(&admin.get("/api/account"), "clare"), None);

    let bad = json!({ "username": "dora", "password": PASSWORD, "role": { "name": "queen" } });
    let refused = admin.send("POST", "/api/account", &bad).check(400, "no such role");
    assert_eq!(refused.json()["field"], "role.name");
    admin.send("DELETE", "/api/account", &json!({ "username": "admin" })).check(409, "the last admin");
}

pub(super) fn passwords_are_changed_by_their_owner_and_by_an_admin(people: &People) {
    let (nobody, admin) = (&people.nobody, &people.admin);
    admin.send("POST", "/api/account", &json!({ "username": "carl", "password": PASSWORD })).check(204, "carl");
    let carl = nobody.original("carl", &nobody.log_in("carl", PASSWORD));
    let log_in = |password: &str| {
        let answer = nobody.send("POST", "/auth/login", &json!({ "username": "carl", "password": password }));
        answer.status
    };
    let change = |password: &str| json!({ "username": "carl", "password": password });
    people.ann.send("POST", "/account/passwdchange", &change("of somebody else")).check(403, "another's");
    carl.send("POST", "/account/passwdchange", &change("a second password")).check(204, "the own");
    assert_eq!((log_in(PASSWORD), log_in("a second password")), (401, 200));
    carl.get("/api/engines").check(200, "the token that it was changed with stays good");
    admin.send("POST", "/account/passwdchange", &change(PASSWORD)).check(204, "anybody's");
    assert_eq!((log_in(PASSWORD), log_in("a second password")), (200, 401));
    carl.get("/api/engines").check(401, "somebody else changed it: all tokens end");
    admin.send("DELETE", "/api/account", &json!({ "username": "carl" })).check(204, "carl");

    let unknown = json!({ "username": "nobody", "password": PASSWORD });
    let unknown = nobody.send("POST", "/auth/login", &unknown).check(401, "an unknown name");
    let wrong = nobody.send("POST", "/auth/login", &json!({ "username": "ann", "password": "wrong one" }));
    assert_eq!(unknown.text, wrong.check(401, "a wrong password").text, "nothing tells which names there are");
}
