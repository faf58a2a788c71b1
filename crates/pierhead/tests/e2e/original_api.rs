//! The remote API of the original, route by route, as a client that was written for it uses it: real program, real hosts.

mod accounts;
mod containers;
mod engines;
mod events;
mod sender;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::canary::Canary;
use crate::raw;
use pierhead_devhosts::sample;
use sender::Sender;

const PASSWORD: &str = "a password for tests only";

/// Who asks: the administrator, and two who have the role `user`.
struct People {
    nobody: Sender,
    admin: Sender,
    admin_token: String,
    ann: Sender,
    ann_token: String,
    bob: Sender,
}

impl People {
    fn of(bed: &Bed) -> Self {
        let nobody = Sender::nobody(bed.text("url"));
        let admin_token = bed.text("token").to_owned();
        let admin = nobody.original("admin", &admin_token);
        for name in ["ann", "bob"] {
            let account = json!({ "username": name, "password": PASSWORD, "role": { "name": "user" } });
            admin.send("POST", "/api/account", &account).check(204, name);
        }
        let (ann_token, bob_token) = (nobody.log_in("ann", PASSWORD), nobody.log_in("bob", PASSWORD));
        let (ann, bob) = (nobody.original("ann", &ann_token), nobody.bearer(&bob_token));
        Self { nobody, admin, admin_token, ann, ann_token, bob }
    }
}

#[test]
fn every_route_of_the_original_is_as_it_was() {
    let bed = Bed::up(3);
    let canaries: Vec<Canary> = bed.hosts.iter().map(Canary::new).collect();
    let people = People::of(&bed);
    every_route_knows_who_may(&bed, &people);
    accounts::are_added_listed_and_deleted(&people);
    accounts::passwords_are_changed_by_their_owner_and_by_an_admin(&people);
    engines::are_shown_whole(&bed, &people);
    engines::leave_and_are_added_again_in_both_forms(&bed, &people, &canaries);
    containers::are_run_as_described(&bed, &people);
    containers::live_through_every_verb(&bed, &people);
    containers::are_scaled_by_any_of_them(&bed, &people);
    containers::that_are_not_ours_are_seen_and_obey_admins_only(&bed, &people, &canaries);
    events::tell_what_was_done(&bed, &people);
    containers::are_destroyed_running_or_not(&bed, &people);
    engines::cluster_info_sums_them_up(&bed, &people);
    assert_eq!(raw::ours(&bed.hosts), []);
    canaries.iter().for_each(|canary| canary.check().unwrap());
}

/// Every route, asked about what is not there or refused for its body: method, path, body, and the statuses for an
/// administrator and for a user.
fn routes(bed: &Bed) -> Vec<(&'static str, &'static str, Value, u16, u16)> {
    let none = Value::Null;
    let there = json!({ "id": "another", "addr": bed.hosts[0].docker_host() });
    let mut routes = vec![
        ("GET", "/api/account", none.clone(), 200, 403),
        ("POST", "/api/account", json!({ "username": "ann", "password": PASSWORD }), 409, 403),
        ("DELETE", "/api/account", json!({ "username": "nobody" }), 404, 403),
        ("DELETE", "/api/account", json!({ "id": "nobody" }), 404, 403),
        ("DELETE", "/api/account/nobody", none.clone(), 404, 403),
        ("GET", "/api/engines", none.clone(), 200, 200),
        ("POST", "/api/engines", there, 409, 403),
        ("GET", "/api/engines/nothing", none.clone(), 404, 404),
        ("DELETE", "/api/engines/nothing", none.clone(), 404, 403),
        ("GET", "/api/cluster/info", none.clone(), 200, 200),
        ("GET", "/api/events?count=3", none.clone(), 200, 200),
        ("GET", "/api/containers?all=true", none.clone(), 200, 200),
        ("GET", "/api/containers", none.clone(), 200, 200),
        ("POST", "/api/containers?count=1&pull=true", json!({ "name": "No Image" }), 400, 400),
        ("GET", "/api/containers/0badcafe", none.clone(), 404, 404),
        ("DELETE", "/api/containers/0badcafe", none.clone(), 404, 404),
        ("GET", "/api/containers/0badcafe/logs", none.clone(), 404, 404),
        ("POST", "/account/passwdchange", json!({ "username": "nobody", "password": PASSWORD }), 404, 403),
    ];
    for verb in ["start", "stop", "restart", "scale?count=2"] {
        let path: &'static str = format!("/api/containers/0badcafe/{verb}").leak();
        routes.extend(["GET", "POST"].map(|method| (method, path, none.clone(), 404, 404)));
    }
    routes
}

fn every_route_knows_who_may(bed: &Bed, people: &People) {
    let nobody = &people.nobody;
    let strangers = [
        nobody.clone(),
        nobody.header("X-Access-Token", ""),
        nobody.header("Authorization", ""),
        nobody.header("X-Access-Token", &people.ann_token),
        nobody.original("admin", &people.ann_token),
        nobody.original("ann", "AAAA"),
        nobody.bearer("AAAA"),
        nobody.header("Cookie", &format!("token={}", people.admin_token)),
    ];
    for (method, path, body, admin, user) in routes(bed) {
        let what = format!("{method} {path}");
        for stranger in &strangers {
            stranger.send(method, path, &body).check(401, &what);
        }
        people.ann.send(method, path, &body).check(user, &what);
        people.bob.send(method, path, &body).check(user, &what);
        people.admin.send(method, path, &body).check(admin, &what);
        // An empty header beside the other one counts as absent.
        let bearer = nobody.header("X-Access-Token", "").bearer(&people.admin_token);
        bearer.send(method, path, &body).check(admin, &what);
        let original = nobody.header("Authorization", "").original("admin", &people.admin_token);
        original.send(method, path, &body).check(admin, &what);
    }
}

/// The sample with little memory, so that many find room.
fn small() -> Value {
    json!({ "name": sample::IMAGE, "cpus": 0.05, "memory": 16 })
}

/// The names of an object's fields.
fn fields(object: &Value) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().map(String::as_str).collect()
}

fn has_fields(object: &Value, wanted: &[&str]) {
    let found = fields(object);
    wanted.iter().for_each(|field| assert!(found.contains(field), "{field} is missing in {object}"));
}
