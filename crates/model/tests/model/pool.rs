//! What the pool keeps of hosts and containers: labels, descriptions, and who may be trusted.

use pierhead_model::{
    ContainerSpec, Engine, EngineFacts, LabelExpression, NetworkMode, ObservedContainer, ObservedNetwork, Ownership,
    Placement, Resources, RestartPolicy,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn engine(more: &[(&str, Value)]) -> Engine {
    let mut record = json!({ "id": "a", "addr": "http://10.0.0.5:2375", "added_at": 1, "added_by": "admin" });
    for (field, value) in more {
        record[*field] = value.clone();
    }
    serde_json::from_value(record).unwrap()
}

fn spec(more: &[(&str, Value)]) -> serde_json::Result<ContainerSpec> {
    let mut record = json!({ "image": "alpine", "placement": "service", "restart": "always", "network": "bridge",
        "limits": { "reserved": { "cpu_millis": 1, "memory_mb": 1 }, "cpu_limit_millis": 1 } });
    for (field, value) in more {
        record[*field] = value.clone();
    }
    serde_json::from_value(record)
}

#[test]
fn whatever_somebody_sets_of_a_host_makes_it_more_than_its_registration() {
    assert!(engine(&[]).is_plain());
    assert!(engine(&[("registered", json!("now"))]).is_plain() && engine(&[("given_up", json!(true))]).is_plain());
    for (field, value) in [
        ("labels", json!(["ssd"])),
        ("capacity", json!({ "memory_mb": 1 })),
        ("over_commit", json!({ "cpu_percent": 101, "memory_percent": 100 })),
        ("duty", json!("cordoned")),
        ("sealed_tls", json!("x")),
        ("sealed_registry_auth", json!("x")),
        ("agent", json!({ "certificates": [] })),
    ] {
        assert!(!engine(&[(field, value)]).is_plain(), "{field}");
    }
}

#[test]
fn a_host_has_left_only_if_it_had_registered_itself_and_waits_only_for_its_agent() {
    assert!(!engine(&[]).has_left() && !engine(&[("registered", json!("now"))]).has_left());
    assert!(engine(&[("registered", json!("no_more"))]).has_left());
    assert!(
        !engine(&[]).waits_for_approval() && !engine(&[("agent", json!({ "certificates": [] }))]).waits_for_approval()
    );
    assert!(engine(&[("agent", json!({ "certificates": [], "waits": true }))]).waits_for_approval());
}

#[test]
fn no_capacity_is_too_large_to_be_counted() {
    let facts = EngineFacts { capacity: Resources::new(u64::MAX, 3), ..EngineFacts::default() };
    let over = json!({ "cpu_percent": u32::MAX, "memory_percent": 50 });
    let room = engine(&[("over_commit", over)]).allocatable(&facts);
    assert_eq!(room, Resources::new(u64::MAX / 100, 1), "what is not whole is not given away");
    let nothing = engine(&[("capacity", json!({ "cpu_millis": 0, "memory_mb": 0 }))]).allocatable(&facts);
    assert_eq!(nothing, Resources::default(), "a capacity of nothing is one, too");
}

#[test]
fn a_container_is_of_the_cluster_whose_label_it_bears_and_of_a_slot_only_with_all_of_them() {
    let labels: BTreeMap<String, String> = [
        (Ownership::CLUSTER, "c1"),
        (Ownership::APP_ID, "a1"),
        (Ownership::SLOT, "7"),
        (Ownership::GENERATION, "3"),
        (Ownership::MEMBER, "main"),
    ]
    .map(|(label, value)| (label.to_owned(), value.to_owned()))
    .into();
    assert_eq!(Ownership::read(&labels).map(|of| of.slot.to_string()).as_deref(), Some("a1/7"));
    for (label, bad) in [
        (Ownership::APP_ID, ""),
        (Ownership::SLOT, "-1"),
        (Ownership::SLOT, "4294967296"),
        (Ownership::GENERATION, "three"),
        (Ownership::MEMBER, "../main"),
    ] {
        let mut odd = labels.clone();
        odd.insert(label.to_owned(), bad.to_owned());
        assert_eq!(Ownership::read(&odd), None, "{label}={bad}");
        odd.remove(label);
        assert_eq!(Ownership::read(&odd), None, "without {label}");
        let observed: ObservedContainer = serde_json::from_value(json!({ "id": "0f", "name": "x", "image": "alpine",
            "state": "running", "exit_code": null, "created_at": 1, "ports": [], "labels": odd, "restart_count": 0,
            "limits": { "cpu_millis": 0, "memory_mb": 0 } }))
        .unwrap();
        assert!(observed.belongs_to("c1") && !observed.belongs_to("c") && !observed.belongs_to(""));
    }
    let network = |labels: Value| -> ObservedNetwork {
        serde_json::from_value(json!({ "name": "n", "subnet": null, "labels": labels, "created_at": 1 })).unwrap()
    };
    assert!(network(json!(labels)).belongs_to("c1"));
    assert!(!network(json!({})).belongs_to("") && !network(json!({ "cluster": "c1" })).belongs_to("c1"));
}

#[test]
fn a_description_is_kept_with_its_words_and_odd_ones_are_refused() {
    let kept = |more: &[(&str, Value)]| spec(more).unwrap();
    for (word, asks_labels, is_unique) in [
        (json!("service"), true, false),
        (json!("unique"), false, true),
        (json!("multi"), true, true),
        (json!({ "host": "a" }), false, false),
    ] {
        let placement: Placement = kept(&[("placement", word.clone())]).placement;
        assert_eq!((placement.asks_labels(), placement.is_unique()), (asks_labels, is_unique), "{word}");
        assert_eq!(serde_json::to_value(&placement).unwrap(), word);
    }
    let policy = kept(&[("restart", json!({ "on-failure": { "maximum_retry_count": 3 } }))]).restart;
    assert_eq!(policy, RestartPolicy::OnFailure { maximum_retry_count: 3 });
    for (field, bad) in [
        ("image", json!("Bad Image")),
        ("placement", json!("application")),
        ("restart", json!("sometimes")),
        ("network", json!("container:web")),
        ("labels", json!(["a b"])),
        ("volumes", json!([7])),
    ] {
        assert!(spec(&[(field, bad)]).is_err(), "{field}");
    }
}

#[test]
fn only_what_reaches_the_host_needs_a_permission() {
    assert!(spec(&[("network", json!("none")), ("publish_all", json!(true))]).unwrap().privileges().is_empty());
    let mut risky = spec(&[("network", json!("host"))]).unwrap();
    assert_eq!((risky.network, risky.privileges().len()), (NetworkMode::Host, 1));
    risky.volumes =
        ["/etc:/host:ro", "db:/data", "/srv:/srv"].map(|text| pierhead_model::Volume::parse(text).unwrap()).into();
    let words = risky.privileges();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(words[1].ends_with("/etc") && words[2].ends_with("/srv"), "{words:?}");
}

proptest! {
    #[test]
    fn an_expression_and_its_opposite_never_agree(
        any_of in prop::collection::vec("[a-c]=[0-2]", 1..5), there in prop::collection::btree_set("[a-c]=[0-2]", 0..5),
    ) {
        let there: BTreeSet<String> = there;
        let expression = LabelExpression::parse(&any_of.join("|")).unwrap();
        let opposite = LabelExpression::parse(&format!("!{expression}")).unwrap();
        prop_assert_ne!(expression.holds(&there), opposite.holds(&there));
        prop_assert_eq!(expression.holds(&there), any_of.iter().any(|label| there.contains(label)));
        let written = serde_json::to_string(&opposite).unwrap();
        prop_assert_eq!(serde_json::from_str::<LabelExpression>(&written).unwrap(), opposite);
    }
}
