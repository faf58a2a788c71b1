//! Words and records that several parts share: failures, states, operations, assignments, and what events may tell.

use pierhead_model::{
    App, Assignment, ContainerState, ContainerThen, Engine, EngineId, EngineThen, Failure, FailureKind, Generation,
    Health, HostPort, ImageId, MemberName, NetworkMode, ObservedContainer, OperationState, Protocol,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

fn observed(labels: &Value) -> ObservedContainer {
    serde_json::from_value(json!({
        "id": "0f", "name": "web.1.1", "image": "alpine", "state": "running", "exit_code": null, "created_at": 1,
        "ports": [], "limits": { "cpu_millis": 0, "memory_mb": 0 }, "labels": labels, "restart_count": 0,
    }))
    .unwrap()
}

fn app() -> App {
    serde_json::from_value(json!({
        "id": "a1", "name": "web", "owner": "ann", "transient": false, "version": 1, "slots": {}, "next_slot": 1,
        "created_at": 1,
        "members": [{ "name": "main", "spec": {
            "image": "alpine", "placement": "service", "restart": "always", "network": "bridge",
            "limits": { "reserved": { "cpu_millis": 1, "memory_mb": 1 }, "cpu_limit_millis": 1 },
            "environment": { "TOKEN": "s3cret" }, "user_data": { "script": ["s3cret"] },
        } }],
    }))
    .unwrap()
}

#[test]
fn an_event_tells_no_secret_of_a_container() {
    let labels = json!({ "pierhead.app": "web", "com.example.token": "s3cret", "pierheadlike": "s3cret" });
    let (app, main) = (app(), MemberName::main());
    let then = ContainerThen::new(&observed(&labels), Some((&app, &main)));
    let told = serde_json::to_string(&then).unwrap();
    assert!(!told.contains("s3cret"), "{told}");
    assert_eq!(then.observed.labels.keys().collect::<Vec<_>>(), ["pierhead.app"]);
    let spec = then.spec.unwrap();
    assert!(spec.environment.contains_key("TOKEN"), "that it was set is told");
    assert_eq!(then.owner, Some(app.owner.clone()));
    let gone = MemberName::parse("gone").unwrap();
    let then = ContainerThen::new(&observed(&labels), Some((&app, &gone)));
    assert!(then.spec.is_none() && then.app.is_some(), "one that its app does not describe any more");
    assert_eq!(ContainerThen::new(&observed(&labels), None).owner, None);
}

#[test]
fn an_event_tells_no_key_of_a_host() {
    let record: Engine = serde_json::from_value(json!({
        "id": "a", "addr": "https://10.0.0.5:2376", "labels": ["ssd"], "capacity": {}, "added_at": 1,
        "added_by": "admin", "sealed_tls": "s3cret", "sealed_registry_auth": "s3cret",
    }))
    .unwrap();
    let then = EngineThen::new(&record, None, &Health::default());
    assert!(!serde_json::to_string(&then).unwrap().contains("s3cret"));
    assert_eq!((&then.record.addr, &then.record.labels), (&record.addr, &record.labels));
}

#[test]
fn each_failure_has_a_code_of_its_own_and_only_a_refusal_is_the_same_everywhere() {
    use FailureKind as K;
    let kinds = [
        K::Unreachable,
        K::PortTaken,
        K::SubnetTaken,
        K::NoImage,
        K::NoSpace,
        K::Refused,
        K::NotStarted,
        K::Exited,
        K::NameTaken,
        K::Other,
    ];
    assert_eq!(kinds.iter().map(|kind| kind.code()).collect::<BTreeSet<_>>().len(), kinds.len());
    assert_eq!(kinds.into_iter().filter(|kind| kind.is_everywhere()).collect::<Vec<_>>(), [K::Refused]);
    let old: Failure = serde_json::from_value(json!({ "kind": "no_space", "message": "full" })).unwrap();
    assert_eq!(old, Failure::new(K::NoSpace, "full"));
    assert_eq!(serde_json::to_value(&old).unwrap().get("log"), None);
}

#[test]
fn a_state_that_no_engine_of_today_knows_counts_as_dead() {
    for word in ["created", "running", "paused", "restarting", "removing", "exited", "dead"] {
        let state = ContainerState::from_engine(word);
        assert_eq!((state.as_str(), serde_json::to_value(state).unwrap()), (word, json!(word)));
        assert_eq!(state.is_running(), ["running", "paused", "restarting"].contains(&word), "{word}");
    }
    for word in ["", "Running", "hibernating"] {
        assert_eq!(ContainerState::from_engine(word), ContainerState::Dead);
    }
}

#[test]
fn operations_are_said_to_be_what_their_records_say() {
    for (word, has_ended) in
        [("running", false), ("done", true), ("failed", true), ("timed_out", true), ("cancelled", true)]
    {
        let state: OperationState = serde_json::from_value(json!(word)).unwrap();
        assert_eq!((state.as_str(), state.has_ended()), (word, has_ended));
    }
}

#[test]
fn generations_of_a_slot_are_never_used_twice() {
    let record = |generation: u32| {
        json!({
            "app": "a1", "app_name": "web", "slot": 4, "generation": generation, "version": 1, "engine": "a",
            "reserved": { "cpu_millis": 1, "memory_mb": 1 }, "created_at": 1,
        })
    };
    let mut assignment: Assignment = serde_json::from_value(record(3)).unwrap();
    assert_eq!(assignment.next_generation(), Generation(4), "records of old have no newest one");
    assignment.newest_generation = Generation(7);
    assert_eq!(assignment.next_generation(), Generation(8), "a fallback came back");
    let main = MemberName::main();
    assert_eq!(assignment.container_name(&main, true), "web.4.3");
    assert_eq!(
        (assignment.container_name(&main, false), assignment.key().to_string()),
        ("web.4.3.main".into(), "a1/4".into())
    );
    let engine = |id: &str| EngineId::parse(id).unwrap();
    assert!(!assignment.falls_back_to(&engine("a"), Generation(2)), "it has nothing to fall back to");
    let mut with_fallback = record(5);
    with_fallback["fallback"] = json!({ "assignment": record(2), "goes_first": true });
    let assignment: Assignment = serde_json::from_value(with_fallback).unwrap();
    assert!(assignment.falls_back_to(&engine("a"), Generation(2)));
    assert!(
        !assignment.falls_back_to(&engine("b"), Generation(2))
            && !assignment.falls_back_to(&engine("a"), Generation(5))
    );
}

#[test]
fn networks_are_named_as_clients_name_them_and_others_are_refused_with_the_form() {
    for (text, mode) in
        [("", "bridge"), ("default", "bridge"), ("bridge", "bridge"), ("host", "host"), ("none", "none")]
    {
        assert_eq!(NetworkMode::parse(text).unwrap().to_string(), mode);
    }
    for bad in ["Host", "container:web", "my-net"] {
        let words = NetworkMode::parse(bad).unwrap_err().to_string();
        assert_eq!(words, "network_mode must be bridge, host or none");
    }
}

#[test]
fn an_image_id_of_a_record_is_read_in_both_forms_and_written_in_one() {
    let digits = "0f".repeat(32);
    for text in [digits.clone(), format!("sha256:{digits}")] {
        let id: ImageId = serde_json::from_value(json!(text)).unwrap();
        assert_eq!(serde_json::to_value(&id).unwrap(), json!(format!("sha256:{digits}")));
    }
    assert!(serde_json::from_value::<ImageId>(json!(format!("sha512:{digits}"))).is_err());
}

fn bound() -> impl Strategy<Value = HostPort> {
    let address = prop::sample::select(vec![None, Some("0.0.0.0"), Some("10.0.0.1"), Some("10.0.0.2"), Some("::")]);
    (any::<bool>(), address, 80..83_u16).prop_map(|(is_tcp, address, host_port)| HostPort {
        protocol: if is_tcp { Protocol::Tcp } else { Protocol::Udp },
        host_ip: address.map(|text| text.parse::<IpAddr>().unwrap()),
        host_port,
        container_port: 80,
    })
}

proptest! {
    #[test]
    fn who_collides_with_another_is_collided_with(one in bound(), other in bound()) {
        let collides = |one: &HostPort, other: &HostPort| one.collides(other.protocol, other.host_ip, other.host_port);
        prop_assert_eq!(collides(&one, &other), collides(&other, &one));
        prop_assert!(collides(&one, &one));
        let is_apart = one.protocol != other.protocol || one.host_port != other.host_port;
        prop_assert!(!is_apart || !collides(&one, &other));
    }
}
