//! What descriptions of environments say, and which are refused.

use super::{EnvironmentDescription, EnvironmentRequest, ExtendRequest, WorkspaceRequest};
use crate::{Defaults, WorkspaceFrom, check_name};
use pierhead_model::{Resources, Visibility};
use serde_json::{Value, json};

fn defaults() -> Defaults {
    Defaults { image: Some("alpine".to_owned()), reserved: Resources::new(100, 64) }
}

fn request(description: Value) -> EnvironmentRequest {
    serde_json::from_value(json!({ "name": "python", "description": description })).unwrap()
}

#[test]
fn what_is_left_out_is_filled_in() {
    let (id, visibility, spec) = request(json!({ "containers": [{}] })).to_model(&defaults()).unwrap();
    assert_eq!((id.as_str(), visibility), ("python", Visibility::Private));
    let container = &spec.containers[0];
    assert_eq!((container.name.as_str(), container.image.as_str()), ("main", "alpine:latest"));
    assert_eq!(container.limits.reserved, Resources::new(100, 64));
    assert_eq!((spec.lifetime_minutes, spec.idle_minutes, spec.warm), (240, 60, 0));
    assert!(spec.asks.words().is_empty());
}

#[test]
fn what_is_shown_says_the_same_again() {
    let full = json!({
        "containers": [
            { "name": "main", "image": "python:3.12", "cpus": 0.5, "cpu_limit": 2.0, "memory": 256, "command": ["sleep", "1"],
              "environment": { "A": "b" }, "working_dir": "/srv", "user": "1000:1000", "ports": [8000],
              "files": [{ "path": "/srv/run.sh", "content": "echo", "mode": "755" }], "startup": "true" },
            { "name": "db", "image": "mariadb" }
        ],
        "lifetime_minutes": 60, "idle_minutes": 0, "warm": 2, "asks": { "root": true, "pids": 512 }
    });
    let (_, _, spec) = request(full).to_model(&defaults()).unwrap();
    assert_eq!(spec.containers[0].files[0].mode, 0o755);
    let shown = EnvironmentDescription::of(&spec);
    assert_eq!(shown.to_spec(&defaults()).unwrap(), spec);
    let text = serde_json::to_string(&shown).unwrap();
    assert_eq!(serde_json::from_str::<EnvironmentDescription>(&text).unwrap(), shown);
}

#[test]
fn a_refusal_names_the_field_and_the_form() {
    let one = |container: Value| json!({ "containers": [container] });
    for (description, field) in [
        (json!({ "containers": [] }), "description.containers"),
        (json!({ "containers": vec![json!({}); 11] }), "description.containers"),
        (json!({ "containers": [{}, {}] }), "description.containers[1].name"),
        (one(json!({ "name": "Web" })), "description.containers[0].name"),
        (one(json!({ "image": "Not An Image" })), "description.containers[0].image"),
        (one(json!({ "cpus": -1 })), "description.containers[0].cpus"),
        (one(json!({ "memory": 1 })), "description.containers[0].memory"),
        (one(json!({ "command": ["a\u{0}b"] })), "description.containers[0].command[0]"),
        (one(json!({ "environment": { "1A": "b" } })), "description.containers[0].environment"),
        (one(json!({ "working_dir": "srv" })), "description.containers[0].working_dir"),
        (one(json!({ "working_dir": "/srv/../etc" })), "description.containers[0].working_dir"),
        (one(json!({ "user": "a b" })), "description.containers[0].user"),
        (one(json!({ "ports": [0] })), "description.containers[0].ports"),
        (one(json!({ "files": [{ "path": "etc/motd" }] })), "description.containers[0].files[0].path"),
        (one(json!({ "files": [{ "path": "/etc/" }] })), "description.containers[0].files[0].path"),
        (one(json!({ "files": [{ "path": "/a", "mode": "99" }] })), "description.containers[0].files[0].mode"),
        (one(json!({ "files": [{ "path": "/a", "mode": "+644" }] })), "description.containers[0].files[0].mode"),
        (one(json!({ "files": [{ "path": "/a", "content": "x".repeat(300_000) }] })), "description.containers"),
        (one(json!({ "startup": "a\u{0}b" })), "description.containers[0].startup"),
        (json!({ "containers": [{}], "lifetime_minutes": 0 }), "description.lifetime_minutes"),
        (json!({ "containers": [{}], "lifetime_minutes": 10081 }), "description.lifetime_minutes"),
        (json!({ "containers": [{}], "idle_minutes": 10081 }), "description.idle_minutes"),
        (json!({ "containers": [{}], "warm": 101 }), "description.warm"),
        (json!({ "containers": [{}], "asks": { "pids": 0 } }), "description.asks.pids"),
    ] {
        let error = request(description).to_model(&defaults()).unwrap_err();
        assert_eq!(error.field, field, "{error}");
        assert!(error.message.starts_with(field) && error.message.contains(" must be "), "{error}");
    }
    let unknown = serde_json::from_value::<EnvironmentRequest>(
        json!({ "name": "a", "description": { "containers": [], "x": 1 } }),
    );
    assert!(unknown.is_err());
}

#[test]
fn a_workspace_is_made_from_one_thing() {
    let from = |value: Value| serde_json::from_value::<WorkspaceRequest>(value).unwrap().from();
    assert!(matches!(from(json!({ "environment": "python" })), Ok(WorkspaceFrom::Environment(_))));
    assert!(matches!(from(json!({ "save": "abcdefgh23-1" })), Ok(WorkspaceFrom::Save(_))));
    for (bad, field) in [
        (json!({}), "environment"),
        (json!({ "environment": "python", "save": "abcdefgh23-1" }), "environment"),
        (json!({ "environment": "../x" }), "environment"),
        (json!({ "save": "abcdefgh23" }), "save"),
        (json!({ "environment": "python", "name": "a\nb" }), "name"),
    ] {
        assert_eq!(from(bad).unwrap_err().field, field);
    }
}

#[test]
fn an_end_is_put_off_by_so_much() {
    assert_eq!(ExtendRequest { minutes: 30 }.check().unwrap(), 30);
    assert!(ExtendRequest { minutes: 0 }.check().is_err() && ExtendRequest { minutes: 10_081 }.check().is_err());
    assert!(check_name("my work").is_ok() && check_name("").is_err());
}
