//! Docker hosts, and the pool as a whole.

use serde_json::{Value, json};

use super::{People, fields, has_fields, small};
use crate::bed::Bed;
use crate::canary::Canary;
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};

const FIELDS: [&str; 7] = ["id", "addr", "cpus", "memory", "labels", "health", "docker_version"];

pub(super) fn are_shown_whole(bed: &Bed, people: &People) {
    let (listed, _) = until_some("all are healthy", PATIENCE, || {
        let listed = people.ann.get("/api/engines").check(200, "engines").list();
        listed.iter().all(|engine| engine["health"]["status"] == "healthy").then_some(listed)
    });
    assert_eq!(listed.len(), 3);
    for (engine, host) in listed.iter().zip(&bed.hosts) {
        has_fields(engine, &FIELDS);
        has_fields(&engine["health"], &["status", "response_time"]);
        let told = raw::call(host, "GET", "/info", None);
        assert_eq!(engine["id"], host.name());
        assert_eq!(engine["cpus"].as_f64(), told["NCPU"].as_f64());
        let megabytes = told["MemTotal"].as_u64().unwrap() / (1 << 20);
        assert!(engine["memory"].as_f64().unwrap() as u64 <= megabytes, "{engine}");
        assert_eq!(engine["docker_version"], told["ServerVersion"]);
        assert!(engine["labels"].is_array() && engine["health"]["response_time"].is_u64(), "{engine}");
        let one = people.bob.get(&format!("/api/engines/{}", host.name())).check(200, "one engine").json();
        assert_eq!((fields(&one), &one["addr"]), (fields(engine), &engine["addr"]));
    }
}

/// It is removed and added while it runs: nothing else is touched.
pub(super) fn leave_and_are_added_again_in_both_forms(bed: &Bed, people: &People, canaries: &[Canary]) {
    let (admin, host) = (&people.admin, &bed.hosts[2]);
    let path = format!("/api/engines/{}", host.name());
    let before = admin.get(&path).check(200, "as it was").json();
    let secret = "canary-registry-password";
    let auth = json!({ "server": "registry.lan:5000", "username": "puller", "password": secret });
    let nested = json!({
        "id": host.name(), "engine": { "addr": host.docker_host(), "labels": ["ssd", ""] }, "auth": auth,
        "ca_certificate": "", "ssl_certificate": "", "ssl_key": "",
        "health": { "status": "up", "response_time": 9 }, "docker_version": "0.1",
    });
    let flat = json!({ "addr": host.docker_host(), "labels": ["ssd"] });
    // What was listed can be sent as it is: what only the server sets counts for nothing.
    for (form, body, id) in [
        ("nested", nested, host.name().to_owned()),
        ("flat", flat, digits(host.docker_host())),
        ("listed", before.clone(), host.name().to_owned()),
    ] {
        let present = if form == "listed" { digits(host.docker_host()) } else { host.name().to_owned() };
        admin.send("DELETE", &format!("/api/engines/{present}"), &Value::Null).check(204, form);
        admin.get(&format!("/api/engines/{present}")).check(404, form);
        assert_eq!(people.ann.get("/api/engines").list().len(), 2);
        let added = admin.send("POST", "/api/engines", &body).check(201, form).json();
        assert_eq!(added["id"], id, "{form}");
        has_fields(&added, &FIELDS);
        let health = &added["health"];
        // Its first answer may have come already.
        assert!(health["status"] == "healthy" || health["status"] == "pending", "{added}");
        assert!(health["response_time"] != 9 && health["since"] != before["health"]["since"], "{added}");
        assert!(!added.to_string().contains(secret) && added.get("auth").is_none(), "{added}");
        admin.send("POST", "/api/engines", &body).check(409, "it is there already");
        until("it is known what it is", PATIENCE, || {
            let now = admin.get(&format!("/api/engines/{id}")).json();
            now["health"]["status"] == "healthy" && now["docker_version"] == before["docker_version"]
        });
        let shown = admin.get(&format!("/api/engines/{id}"));
        assert!(!shown.text.contains(secret));
        if form != "listed" {
            assert!(shown.json()["labels"].as_array().unwrap().contains(&json!("ssd")), "{shown:?}");
        }
    }
    for (field, bad) in [
        ("addr", json!({ "addr": "ftp://10.0.0.1" })),
        ("addr", json!({})),
        ("labels[0]", json!({ "addr": "10.0.0.9:2375", "labels": ["a b"] })),
    ] {
        assert_eq!(admin.send("POST", "/api/engines", &bad).check(400, field).json()["field"], field);
    }
    canaries.iter().for_each(|canary| canary.check_ran_on().unwrap());
}

/// The id that an engine gets from its address: its digits.
fn digits(addr: &str) -> String {
    let host = addr.rsplit_once(':').unwrap().0;
    host.chars().filter(char::is_ascii_digit).collect()
}

pub(super) fn cluster_info_sums_them_up(bed: &Bed, people: &People) {
    let before = people.ann.get("/api/cluster/info").check(200, "cluster info").json();
    let names = ["cpus", "memory", "reserved_cpus", "reserved_memory", "used_cpus", "used_memory"];
    for name in names.iter().chain(&["container_count", "image_count", "engine_count"]) {
        assert!(before[name].is_number(), "{name}: {before}");
    }
    let engines = people.ann.get("/api/engines").list();
    let sum = |field: &str| engines.iter().map(|engine| engine[field].as_f64().unwrap()).sum::<f64>();
    assert_eq!((before["cpus"].as_f64(), before["memory"].as_f64()), (Some(sum("cpus")), Some(sum("memory"))));
    let images: usize =
        bed.hosts.iter().map(|host| raw::call(host, "GET", "/images/json", None).as_array().unwrap().len()).sum();
    assert_eq!((&before["engine_count"], &before["image_count"]), (&json!(3), &json!(images)));
    let running =
        |hosts: &[pierhead_devhosts::Host]| hosts.iter().flat_map(raw::list).filter(raw::Listed::runs).count();
    assert_eq!(before["container_count"], running(&bed.hosts));

    let made = people.ann.send("POST", "/api/containers", &small()).check(200, "run").list();
    let after = people.ann.get("/api/cluster/info").json();
    assert_eq!(after["container_count"], running(&bed.hosts));
    let more = |field: &str| after[field].as_f64().unwrap() - before[field].as_f64().unwrap();
    assert!((more("reserved_cpus") - 0.05).abs() < 1e-9 && (more("reserved_memory") - 16.0).abs() < 1e-9, "{after}");
    people
        .ann
        .send("DELETE", &format!("/api/containers/{}", made[0]["id"].as_str().unwrap()), &Value::Null)
        .check(204, "gone");

    // A host that does not answer is skipped and named.
    let silent = json!({ "id": "silent", "addr": "http://127.0.0.1:9" });
    people.admin.send("POST", "/api/engines", &silent).check(201, "nobody is there");
    until("it is found out", PATIENCE, || people.admin.get("/api/engines/silent").json()["health"]["status"] == "down");
    let info = people.ann.get("/api/cluster/info").check(200, "all the same").json();
    assert_eq!((&info["engine_count"], &info["cpus"]), (&json!(4), &before["cpus"]));
    assert_eq!(info["silent_engines"][0]["id"], "silent");
    people.admin.send("DELETE", "/api/engines/silent", &Value::Null).check(204, "it never answered");
}
