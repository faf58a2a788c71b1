//! Containers: run, list, inspect, every verb, scale, logs, destroy.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::sender::Sender;
use super::{People, has_fields, small};
use crate::bed::Bed;
use crate::canary::Canary;
use crate::raw;
use crate::wait::{PATIENCE, until};

const FIELDS: [&str; 6] = ["id", "name", "image", "engine", "state", "ports"];

fn id(container: &Value) -> &str {
    container["id"].as_str().unwrap()
}

fn show(sender: &Sender, id: &str) -> Value {
    sender.get(&format!("/api/containers/{id}")).check(200, "inspect").json()
}

/// The ids of the listed containers of an app, newest first.
fn listed(sender: &Sender, app: &Value, query: &str) -> Vec<String> {
    let all = sender.get(&format!("/api/containers{query}")).check(200, "list").list();
    all.iter().filter(|container| container["app"] == *app).map(|container| id(container).to_owned()).collect()
}

pub(super) fn are_run_as_described(bed: &Bed, people: &People) {
    let image = json!({
        "name": pierhead_devhosts::sample::IMAGE, "cpus": 0.1, "memory": 20, "cpuset": "0", "hostname": "web",
        "domainname": "lan", "type": "service", "labels": [""], "environment": { "GREETING": "canary-value" },
        "restart_policy": { "name": "on-failure", "maximum_retry_count": 3 }, "network_mode": "bridge",
        "user_data": { "keys": ["canary-key"] }, "links": null, "volumes": null, "args": [], "publish": false,
        "bind_ports": [
            { "proto": "tcp", "host_ip": "", "port": "", "container_port": "80" },
            { "proto": "tcp", "port": "21555", "container_port": 8080 },
            { "proto": "udp", "port": 0, "container_port": "53" },
        ],
    });
    let made = people.ann.send("POST", "/api/containers?count=1&pull=false", &image).check(200, "run").list();
    assert_eq!(made.len(), 1);
    let container = &made[0];
    has_fields(container, &FIELDS);
    has_fields(&container["engine"], &["id", "addr", "cpus", "memory", "labels"]);
    assert_eq!((&container["state"], &container["status"]), (&json!("running"), &json!("running")));
    assert!(container["name"].as_str().unwrap().starts_with('/'), "{container}");
    for field in ["name", "cpus", "cpuset", "hostname", "domainname", "environment", "restart_policy", "user_data"] {
        let (told, wanted) = (&container["image"][field], &image[field]);
        let is_same = told == wanted || (told.is_number() && told.as_f64() == wanted.as_f64());
        assert!(is_same, "{field}: {told}, not {wanted}");
    }
    let mut ports: Vec<(&str, u64, u64)> = Vec::new();
    let host = bed.host(container["engine"]["id"].as_str().unwrap());
    for port in container["ports"].as_array().unwrap() {
        assert_eq!(super::fields(port), ["container_port", "host_ip", "port", "proto"]);
        assert_eq!(port["host_ip"], host.address().to_string());
        let number = |field: &str| port[field].as_u64().unwrap_or_else(|| panic!("{field} is a number: {port}"));
        ports.push((port["proto"].as_str().unwrap(), number("container_port"), number("port")));
    }
    ports.sort_unstable();
    let chosen = ports.iter().map(|port| (port.0, port.1)).collect::<Vec<_>>();
    assert_eq!(chosen, [("tcp", 80), ("tcp", 8080), ("udp", 53)]);
    assert_eq!(ports[1].2, 21555);
    assert!(ports.iter().all(|port| port.2 > 0));
    assert_eq!(raw::page(&format!("tcp://{}:{}", host.address(), ports[0].2)), "web");

    let seen = show(&people.ann, &id(container)[..7]);
    assert_eq!((&seen["id"], &seen["image"]["environment"]), (&container["id"], &image["environment"]));
    let hidden = people.bob.get(&format!("/api/containers/{}", id(container))).check(200, "another sees it");
    let hides = |text: &str| !text.contains("canary-value") && !text.contains("canary-key");
    assert!(hides(&hidden.text) && hides(&people.bob.get("/api/containers?all=true").text), "{hidden:?}");
    assert!(!hides(&people.admin.get("/api/containers?all=true").text), "an admin sees all");

    for (field, bad) in [
        ("cpus", json!({ "name": "a", "cpus": "many" })),
        ("bind_ports[0].container_port", json!({ "name": "a", "bind_ports": [{ "container_port": "http" }] })),
        ("restart_policy.name", json!({ "name": "a", "restart_policy": { "name": "sometimes" } })),
        ("type", json!({ "name": "a", "type": "cron" })),
    ] {
        assert_eq!(people.ann.send("POST", "/api/containers", &bad).check(400, field).json()["field"], field);
    }
    people.ann.send("POST", "/api/containers?count=0", &small()).check(400, "none");
    people.ann.send("POST", "/api/containers?count=many", &small()).check(400, "many");
}

/// By every method and by both headers; the id stays what it was.
pub(super) fn live_through_every_verb(bed: &Bed, people: &People) {
    let made = people.ann.send("POST", "/api/containers?count=1", &small()).check(200, "run").list();
    let full = id(&made[0]);
    let host = bed.host(made[0]["engine"]["id"].as_str().unwrap());
    let (by_bearer, by_original) = (people.nobody.bearer(&people.ann_token), &people.ann);
    let act = |sender: &Sender, method: &str, verb: &str| {
        sender.send(method, &format!("/api/containers/{}/{verb}", &full[..10]), &Value::Null).check(204, verb);
        let state = raw::inspect(host, full)["State"].clone();
        let shown = show(&people.bob, full);
        assert_eq!(shown["state"], if state["Running"] == true { "running" } else { "stopped" });
        let is_listed = |query: &str| people.ann.get(&format!("/api/containers{query}")).text.contains(full);
        assert_eq!((is_listed(""), is_listed("?all=true")), (state["Running"] == true, true), "{verb}");
        state
    };
    for (method, sender) in [("GET", by_original), ("POST", &by_bearer)] {
        assert_eq!(act(sender, method, "stop")["Running"], false);
        assert_eq!(act(sender, method, "stop")["Running"], false, "twice is once");
        let first = act(sender, method, "start");
        assert_eq!(first["Running"], true);
        assert_eq!(act(sender, method, "start")["StartedAt"], first["StartedAt"], "it runs already");
        let again = act(sender, method, "restart");
        assert!(again["Running"] == true && again["StartedAt"] != first["StartedAt"], "{again}");
        assert_eq!(act(sender, method, "stop")["Running"], false);
        assert_eq!(act(sender, method, "restart")["Running"], true, "restart starts what is stopped");
    }
    // Who does not own it sees it and changes nothing.
    for verb in ["start", "stop", "restart", "scale?count=3"] {
        let path = format!("/api/containers/{full}/{verb}");
        people.bob.send("POST", &path, &Value::Null).check(403, verb);
        people.bob.get(&path).check(403, verb);
    }
    people.bob.send("DELETE", &format!("/api/containers/{full}"), &Value::Null).check(403, "destroy");
    people.bob.get(&format!("/api/containers/{full}/logs")).check(403, "logs");
    let path = format!("/api/containers/{full}/logs");
    let logs = people.ann.get(&path);
    assert_eq!((logs.status, logs.head.contains("text/plain")), (200, true), "{logs:?}");
    assert_eq!(people.admin.get(&path).status, 200);
    assert!(raw::inspect(host, full)["State"]["Running"] == true);
    people.ann.send("DELETE", &path.replace("/logs", ""), &Value::Null).check(204, "destroy");
}

/// 5 → 2 → 4, and only those that run count.
pub(super) fn are_scaled_by_any_of_them(bed: &Bed, people: &People) {
    let mut image = small();
    image["hostname"] = json!("scaled");
    let made = people.ann.send("POST", "/api/containers?count=5", &image).check(200, "run").list();
    let app = &made[0]["app"];
    let ids: BTreeSet<&str> = made.iter().map(id).collect();
    assert_eq!((made.len(), ids.len()), (5, 5));
    let five = listed(&people.ann, app, "");
    assert_eq!(five.len(), 5);
    let scale = |method: &str, id: &str, count: u32| {
        let path = format!("/api/containers/{}/scale?count={count}", &id[..12]);
        people.ann.send(method, &path, &Value::Null).check(204, &path);
        listed(&people.ann, app, "")
    };
    let two = scale("GET", &five[0], 2);
    assert_eq!(two, five[3..], "the newest went, the oldest are left");
    let four = scale("POST", &two[0], 4);
    assert_eq!((four.len(), &four[2..]), (4, &two[..]), "the newest come first");
    assert!(four[..2].iter().all(|id| !five.contains(id)));
    // A stopped one does not count.
    people.ann.post(&format!("/api/containers/{}/stop", four[3])).check(204, "stop");
    let running = scale("POST", &four[0], 4);
    assert_eq!(running.len(), 4, "four run beside the stopped one");
    assert!(!running.contains(&four[3]) && listed(&people.ann, app, "?all=true").contains(&four[3]));
    let there = raw::of_app(&bed.hosts, app.as_str().unwrap());
    assert_eq!(there.iter().filter(|container| container.runs()).count(), 4);
    let path = format!("/api/containers/{}/scale", four[0]);
    for bad in ["", "?count=", "?count=-1", "?count=many"] {
        assert_eq!(people.ann.post(&format!("{path}{bad}")).check(400, bad).json()["field"], "count");
    }
}

pub(super) fn that_are_not_ours_are_seen_and_obey_admins_only(bed: &Bed, people: &People, canaries: &[Canary]) {
    let theirs = canaries[0].id();
    let shown = show(&people.ann, theirs);
    has_fields(&shown, &FIELDS);
    assert_eq!((&shown["name"], &shown["state"], shown.get("app")), (&json!("/canary"), &json!("running"), None));
    for verb in ["start", "stop", "restart", "scale?count=2"] {
        people.ann.post(&format!("/api/containers/{theirs}/{verb}")).check(403, verb);
    }
    people.ann.send("DELETE", &format!("/api/containers/{theirs}"), &Value::Null).check(403, "destroy");
    canaries[0].check_ran_on().unwrap();
    people.admin.get(&format!("/api/containers/{theirs}/restart")).check(204, "an admin may");
    let state = raw::inspect(&bed.hosts[0], theirs)["State"].clone();
    assert!(state["Running"] == true && canaries[0].check_ran_on().is_err(), "{state}");
    people.admin.post(&format!("/api/containers/{theirs}/scale?count=2")).check(403, "there is no app to scale");
}

pub(super) fn are_destroyed_running_or_not(bed: &Bed, people: &People) {
    let all = people.admin.get("/api/containers?all=true").check(200, "all").list();
    let ours: Vec<&Value> = all.iter().filter(|container| container.get("app").is_some()).collect();
    assert!(ours.iter().any(|container| container["state"] == "stopped"), "one is stopped");
    for container in ours {
        let path = format!("/api/containers/{}", id(container));
        let answer = people.ann.send("DELETE", &path, &Value::Null);
        answer.check(204, &path);
        people.ann.get(&path).check(404, "it is gone");
        people.ann.send("DELETE", &path, &Value::Null).check(404, "it is gone");
    }
    until("the engines have none of them", PATIENCE, || raw::ours(&bed.hosts).is_empty());
}
