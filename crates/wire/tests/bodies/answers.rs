//! Answers, between programs of different versions too.

use crate::{comes_back, is_odd, read};
use pierhead_wire::{
    AppView, EnvironmentView, ErrorBody, OperationView, PortView, PreviewView, SaveChangesView, SaveView,
    StatsHistoryView, StatsView, TerminalView, WorkspaceView,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const AT: &str = "2026-11-21T22:10:06.120Z";

/// The least that the controllers of any version say of each thing.
fn workspace() -> Value {
    json!({ "id": "k3f5a2bq7x", "name": "my work", "owner": "ann", "right": "owner", "environment": "python", "version": 1,
        "phase": "queued", "containers": [{ "name": "main", "image": "python:3.12" }], "saves_asked": 1, "saves_taken": 0,
        "created_at": AT })
}

fn environment() -> Value {
    json!({ "id": "python", "owner": "ann", "visibility": "private", "version": 1, "warm_ready": 0,
        "description": { "containers": [{ "name": "main", "image": "" }] }, "created_at": AT, "changed_at": AT })
}

fn save() -> Value {
    json!({ "id": "k3f5a2bq7x-1", "name": "n", "owner": "ann", "workspace": "k3f5a2bq7x", "environment": "python",
        "version": 1, "automatic": true, "state": "saving", "bytes": 0, "containers": [], "copies": [], "moved_bytes": 0,
        "created_at": AT })
}

fn terminal() -> Value {
    json!({ "id": "t1", "container": "beef", "engine": "e1", "owner": "ann", "name": "a shell", "command": [], "tty": true,
        "columns": 80, "rows": 24, "home": "agent", "state": "running", "created_at": AT, "right": "viewer",
        "viewers": [], "guests": [] })
}

fn app() -> Value {
    json!({ "id": "a1", "name": "web", "owner": "ann", "image": { "name": "httpd" }, "replicas": 1, "running": 0, "done": 0,
        "failed": 0, "version": 1, "created_at": AT,
        "slots": [{ "slot": 1, "wish": "running", "state": "waiting", "ports": [] }] })
}

/// Shows that an answer is read and written in its shortest form, that each of its fields is needed, and that a field of
/// a later version is passed over.
pub fn check<T: DeserializeOwned + Serialize>(shortest: &Value, filled_in: &[&str]) {
    comes_back::<T>(shortest);
    for field in shortest.as_object().unwrap().keys() {
        let mut without = shortest.clone();
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(is_odd::<T>(&without), !filled_in.contains(&field.as_str()), "without {field}");
    }
    let mut later = shortest.clone();
    later["of_a_later_version"] = json!({ "any": ["thing"] });
    assert_eq!(serde_json::to_value(read::<T>(&later)).unwrap(), *shortest);
}

#[test]
fn what_is_not_there_is_left_out_and_what_a_later_version_adds_is_passed_over() {
    check::<WorkspaceView>(&workspace(), &["saves_asked", "saves_taken"]);
    check::<EnvironmentView>(&environment(), &["warm_ready"]);
    check::<SaveView>(&save(), &[]);
    check::<TerminalView>(&terminal(), &[]);
    check::<AppView>(&app(), &["done", "failed"]);
    let port = json!({ "port": 8000, "container": "main", "declared": false, "listening": true, "only_inside": true });
    check::<PortView>(&port, &[]);
    check::<PreviewView>(&json!({ "url": "http://8000-k3f5a2bq7x.localhost:8081/", "expires": AT }), &[]);
    check::<SaveChangesView>(&json!({ "container": "main", "added": 0, "changed": 0, "removed": 0, "files": [] }), &[]);
    check::<StatsView>(&json!({ "at": AT, "engines": [], "containers": [] }), &[]);
    check::<StatsHistoryView>(&json!({ "series": [{ "interval_s": 15, "points": [] }] }), &[]);
    check::<ErrorBody>(&json!({ "code": "not_found", "message": "there is no workspace k3f5a2bq7x" }), &[]);
}

#[test]
fn a_workspace_that_waits_tells_its_place_and_one_that_does_not_tells_none() {
    let waits: WorkspaceView = read(&workspace());
    assert_eq!((waits.queue, waits.engine.as_deref(), waits.containers[0].id.as_deref()), (None, None, None));
    assert!(waits.guests.is_empty() && waits.left_on.is_empty() && waits.unconfined.is_empty());
    let mut full = workspace();
    for (field, value) in [
        ("queue", json!(1)),
        ("message", json!("no host has room")),
        ("guests", json!([{ "username": "bob", "role": "viewer" }])),
        ("left_on", json!(["host-2"])),
        ("last_save", json!("k3f5a2bq7x-1")),
    ] {
        full[field] = value;
        comes_back::<WorkspaceView>(&full);
    }
}

#[test]
fn numbers_keep_every_digit() {
    let engine = json!({ "id": "e1", "measured": "host", "cpu_cores": 0.1, "cpu_total": 64.0, "memory_bytes": u64::MAX,
        "memory_total": 9_007_199_254_740_993_u64, "rx_bytes_s": 0, "tx_bytes_s": 1, "read_bytes_s": 2, "write_bytes_s": 3 });
    comes_back::<StatsView>(&json!({ "at": AT, "engines": [engine], "containers": [] }));
    let mut large = save();
    large["bytes"] = json!(u64::MAX);
    large["moved_bytes"] = json!(u64::MAX - 1);
    comes_back::<SaveView>(&large);
    for bad in [json!(-1), json!(0.5), json!("1"), json!(null)] {
        let mut odd = save();
        odd["bytes"] = bad;
        assert!(is_odd::<SaveView>(&odd), "{odd}");
    }
}

#[test]
fn the_outcome_of_a_terminal_is_told_whatever_the_number() {
    for code in [0, 137, -1, i64::MAX] {
        let mut ended = terminal();
        ended["exit_code"] = json!(code);
        ended["ended_at"] = json!(AT);
        comes_back::<TerminalView>(&ended);
    }
    let running: TerminalView = read(&terminal());
    assert_eq!((running.exit_code, running.reason, running.ended_at), (None, None, None));
}

#[test]
fn a_refusal_may_say_more_than_its_code() {
    let full = json!({ "code": "invalid", "message": "minutes must be few", "field": "minutes", "replaced_by": "beef",
        "operation": "op1", "log": ["one", "two"] });
    comes_back::<ErrorBody>(&full);
    assert!(is_odd::<OperationView>(&full), "and is nothing else");
}
