//! The event log.

use std::collections::BTreeSet;

use pierhead_wire::parse_timestamp;
use serde_json::{Value, json};

use super::{People, has_fields};
use crate::bed::Bed;
use crate::wait::{PATIENCE, until};

fn find(people: &People, query: &str) -> Vec<Value> {
    people.admin.get(&format!("/api/events?{query}")).check(200, query).list()
}

pub(super) fn tell_what_was_done(bed: &Bed, people: &People) {
    // More than there are gives what there is.
    let all = find(people, "count=100000");
    assert!(all.len() > 40 && all.len() < 100_000, "{}", all.len());
    for event in &all {
        has_fields(event, &["id", "type", "time", "message", "tags"]);
        let time = event["time"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z') && parse_timestamp(time).is_some(), "{time}");
    }
    let ids: Vec<&str> = all.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older), "newest first, none twice");
    // Later ones may have come meanwhile, from the engines.
    let newest = find(people, "count=5");
    assert!(newest.len() == 5 && newest[0]["id"].as_str() >= Some(ids[0]));
    assert_eq!(find(people, "count=0"), Vec::<Value>::new());
    for bad in ["count=-1", "count=x", "count=1.5"] {
        assert_eq!(people.ann.get(&format!("/api/events?{bad}")).check(400, bad).json()["field"], "count");
    }
    messages_are_those_of_the_original(&all);
    others_accounts_are_not_for_everybody(people);
    objects_are_whole(bed, &all);
    tags_match_in_any_case(people);
    people.ann.get("/api/events?type=stop-container").check(200, "a filter");
}

fn messages_are_those_of_the_original(all: &[Value]) {
    for (kind, tag, message, actor) in [
        ("add-account", "security", "name=clare", "admin"),
        ("delete-account", "security", "name=clare", "admin"),
        ("add-engine", "cluster", "addr=http://", "admin"),
        ("delete-engine", "cluster", "addr=http://", "admin"),
        ("run-container", "cluster", "name=pierhead/sample:1", "ann"),
        ("scale-container", "cluster", "id=", "ann"),
        ("start-container", "cluster", "id=", "ann"),
        ("stop-container", "cluster", "id=", "ann"),
        ("restart-container", "cluster", "id=", "ann"),
        ("restart-container", "cluster", "id=", "admin"),
    ] {
        let is_it = |event: &&Value| {
            event["type"] == kind && event["actor"] == actor && event["message"].as_str().unwrap().starts_with(message)
        };
        let found = all.iter().find(is_it);
        let seen =
            || all.iter().filter(|event| event["type"] == kind).map(|event| &event["message"]).collect::<Vec<_>>();
        let found = found.unwrap_or_else(|| panic!("{kind} of {actor} with {message}: {:?}", seen()));
        assert!(found["tags"].as_array().unwrap().contains(&json!(tag)), "{found}");
    }
}

/// A user reads all events but those of others' accounts.
fn others_accounts_are_not_for_everybody(people: &People) {
    let seen = people.ann.get("/api/events?count=100000").check(200, "a user's events").list();
    let kinds: BTreeSet<&str> = seen.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for kind in ["add-engine", "run-container", "scale-container", "start"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let security = seen.iter().filter(|event| event["tags"].as_array().unwrap().contains(&json!("security")));
    for event in security {
        assert!(event["actor"] == "ann" || event["message"].as_str().unwrap().contains("ann"), "{event}");
    }
}

/// Containers and engines as they then were, not their ids only.
fn objects_are_whole(bed: &Bed, all: &[Value]) {
    let of = |kind: &str| all.iter().find(|event| event["type"] == kind).unwrap_or_else(|| panic!("no {kind}"));
    for kind in ["stop-container", "scale-container", "destroy-container", "start"] {
        let event = of(kind);
        has_fields(&event["container"], &["id", "name", "image", "engine", "state", "ports"]);
        has_fields(&event["container"]["image"], &["name", "cpus", "memory"]);
        assert!(bed.hosts.iter().any(|host| event["engine"]["id"] == host.name()), "{event}");
    }
    assert_eq!(of("stop-container")["container"]["state"], "running", "as it was before");
    let added = of("add-engine");
    has_fields(&added["engine"], &["id", "addr", "cpus", "memory", "labels", "health", "docker_version"]);
    assert_eq!(added["engine"]["health"]["status"], "pending");
    assert_eq!(added["engine"]["health"]["response_time"], 0);
    let text = all.iter().map(Value::to_string).collect::<String>();
    for secret in ["canary-value", "canary-key", "canary-registry-password", "a password for tests only"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// What Docker told bears its status and the tag `Docker`.
fn tags_match_in_any_case(people: &People) {
    until("the engines' events", PATIENCE, || {
        let kinds = |events: Vec<Value>| -> BTreeSet<String> {
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
        };
        let told = kinds(find(people, "count=1000&tag=docker"));
        ["create", "start", "die", "stop", "destroy"].iter().all(|status| told.contains(*status))
    });
    let counts = ["Docker", "docker", "DOCKER"].map(|tag| {
        let found = find(people, &format!("count=3&tag={tag}"));
        assert!(found.iter().all(|event| event["tags"] == json!(["Docker"])));
        found.len()
    });
    assert_eq!(counts, [3, 3, 3]);
    let secure = find(people, "count=1000&tag=Security");
    assert!(
        !secure.is_empty() && secure.iter().all(|event| event["tags"].as_array().unwrap().contains(&json!("security")))
    );
}
