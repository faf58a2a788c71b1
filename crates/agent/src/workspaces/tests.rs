//! What a host makes of workspaces, and each thing that it does not.

use super::*;
use serde_json::json;

const GUARDED: Consent<'static> = Consent { unguarded: None, privileged: false };
const CONTAINER: &str = "/containers/create";
const NETWORKS: &str = "/networks/create";

fn container() -> Value {
    json!({
        "Image": "a:1",
        "Labels": {"pierhead.cluster": "c1", "pierhead.workspace": "abcdefgh23"},
        "NetworkingConfig": {"EndpointsConfig": {"ph-abcdefgh23": {"Aliases": ["main"]}}},
        "HostConfig": {
            "NetworkMode": "ph-abcdefgh23", "PidsLimit": 256, "Memory": 1 << 26, "MemorySwap": 1 << 26,
            "NanoCpus": 500_000_000, "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 4096}], "Init": true,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
            "Privileged": false, "CapDrop": ["ALL"], "CapAdd": ["CHOWN"], "SecurityOpt": ["no-new-privileges"],
            "PortBindings": {}, "PublishAllPorts": false,
        },
    })
}

fn network() -> Value {
    json!({
        "Name": "ph-abcdefgh23", "Driver": "bridge", "Internal": true, "Attachable": false, "EnableIPv6": false,
        "IPAM": {"Config": [{"Subnet": "10.213.0.0/28"}]}, "Labels": {"pierhead.workspace": "abcdefgh23"},
        "Options": {
            "com.docker.network.bridge.name": "phw-abcdefgh23",
            "com.docker.network.bridge.enable_icc": "true",
            "com.docker.network.bridge.enable_ip_masquerade": "false",
        },
    })
}

fn checked(consent: Consent<'_>, path: &str, described: &Value) -> Result<(), Refusal> {
    check_new(consent, path, described.to_string().as_bytes())
}

/// The description with a field set, by its path.
fn with(mut described: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    described.pointer_mut(parent).unwrap()[key] = value;
    described
}

#[test]
fn what_is_held_is_made() {
    checked(GUARDED, CONTAINER, &container()).unwrap();
    checked(GUARDED, NETWORKS, &network()).unwrap();
    let open = with(network(), "/Options/com.docker.network.bridge.name", json!("phe-abcdefgh23"));
    let open = with(open, "/Options/com.docker.network.bridge.enable_ip_masquerade", json!("true"));
    checked(GUARDED, NETWORKS, &with(open, "/Internal", json!(false))).unwrap();
    let other = json!({"Image": "a:1", "HostConfig": {"NetworkMode": "bridge", "Binds": ["/srv:/srv"]}});
    checked(GUARDED, CONTAINER, &other).unwrap();
    // Labels that cover what an image may say.
    checked(GUARDED, CONTAINER, &with(container(), "/Labels/pierhead.app-id", json!(""))).unwrap();
    checked(GUARDED, CONTAINER, &json!({"Image": "a:1", "Labels": {"pierhead.workspace": ""}})).unwrap();
    checked(GUARDED, "/containers/{id}/exec", &json!({"Privileged": true})).unwrap();
}

#[test]
fn each_thing_that_is_loose_is_refused() {
    for (pointer, value, words) in [
        ("/HostConfig/NetworkMode", json!("bridge"), "its workspace's network"),
        ("/HostConfig/NetworkMode", json!("ph-abcdefgh24"), "its workspace's network"),
        ("/HostConfig/NetworkMode", json!("host"), "its workspace's network"),
        ("/NetworkingConfig/EndpointsConfig/bridge", json!({}), "no other network"),
        ("/HostConfig/PidsLimit", json!(0), "limit of processes"),
        ("/HostConfig/PidsLimit", json!(-1), "limit of processes"),
        ("/HostConfig/PidsLimit", json!(100_000), "limit of processes"),
        ("/HostConfig/PidsLimit", Value::Null, "limit of processes"),
        ("/HostConfig/Memory", json!(0), "limit of memory"),
        ("/HostConfig/MemorySwap", json!(-1), "no swap"),
        ("/HostConfig/MemorySwap", Value::Null, "no swap"),
        ("/HostConfig/NanoCpus", Value::Null, "limit of CPU"),
        ("/HostConfig/Ulimits", json!([]), "open files"),
        ("/HostConfig/Ulimits", json!([{"Name": "nofile", "Soft": 1, "Hard": -1}]), "open files"),
        ("/HostConfig/Init", json!(false), "init process"),
        ("/HostConfig/LogConfig", json!({"Type": "json-file", "Config": {"max-file": "3"}}), "limited size"),
        ("/HostConfig/Binds", json!(["/:/host"]), "no volumes"),
        ("/HostConfig/Mounts", json!([{"Type": "volume", "Target": "/x"}]), "no volumes"),
        ("/HostConfig/Links", json!(["web.0.1:web"]), "no volumes, links"),
        ("/HostConfig/PortBindings", json!({"80/tcp": [{"HostPort": "80"}]}), "published ports"),
        ("/HostConfig/PublishAllPorts", json!(true), "published ports"),
        ("/HostConfig/CapDrop", json!([]), "drop all"),
        ("/HostConfig/CapDrop", Value::Null, "drop all"),
        ("/HostConfig/CapAdd", json!(["NET_RAW"]), "no such capability"),
        ("/HostConfig/CapAdd", json!(["CHOWN", "SYS_ADMIN"]), "no such capability"),
        ("/HostConfig/SecurityOpt", json!([]), "no new privileges"),
        ("/HostConfig/SecurityOpt", json!(["no-new-privileges", "seccomp=unconfined"]), "no new privileges"),
        ("/HostConfig/Privileged", json!(true), "--label workspaces=privileged"),
        ("/Labels/pierhead.workspace", json!("ABCDEFGH23"), "10 lower-case"),
        ("/Labels/pierhead.workspace", json!("a/../../../"), "10 lower-case"),
        ("/Labels/pierhead.workspace", json!(""), "only containers of workspaces"),
        ("/Labels/pierhead.app-id", json!("a1b2"), "no app's"),
    ] {
        let refusal = checked(GUARDED, CONTAINER, &with(container(), pointer, value.clone())).unwrap_err();
        assert!(refusal.message.contains(words), "{pointer} = {value}: {refusal}");
    }
    for (pointer, value, words) in [
        ("/Name", json!("ph-abcdefgh24"), "have its name"),
        ("/Name", json!("bridge"), "have its name"),
        ("/Driver", json!("macvlan"), "must be a bridge"),
        ("/Internal", json!(false), "must be internal"),
        ("/Options/com.docker.network.bridge.name", json!("docker0"), "its bridge's name"),
        ("/Options/com.docker.network.bridge.name", json!("phe-abcdefgh24"), "its bridge's name"),
        ("/Options/com.docker.network.bridge.enable_ip_masquerade", json!("true"), "not masquerade"),
        ("/EnableIPv6", json!(true), "version 4"),
        ("/Attachable", json!(true), "must be its own"),
        ("/Labels", json!({"pierhead.cluster": "c1"}), "lacks its label"),
    ] {
        let refusal = checked(GUARDED, NETWORKS, &with(network(), pointer, value.clone())).unwrap_err();
        assert!(refusal.message.contains(words), "{pointer} = {value}: {refusal}");
    }
}

#[test]
fn what_is_no_workspaces_gets_nothing_of_theirs() {
    for host in [
        json!({"Privileged": true}),
        json!({"CapAdd": ["CHOWN"]}),
        json!({"NetworkMode": "ph-abcdefgh23"}),
        json!({"NetworkMode": "0123456789abcdef"}),
        json!({"NetworkMode": "container:ph-abcdefgh23-main.1"}),
    ] {
        let refusal = checked(GUARDED, CONTAINER, &json!({"Image": "a:1", "HostConfig": host})).unwrap_err();
        assert!(refusal.message.contains("only containers of workspaces"), "{host}: {refusal}");
    }
    let joins = json!({"Image": "a:1", "NetworkingConfig": {"EndpointsConfig": {"ph-abcdefgh23": {}}}});
    assert!(checked(GUARDED, CONTAINER, &joins).is_err());
}

#[test]
fn nothing_is_made_where_nothing_keeps_it_apart() {
    let consent = Consent { unguarded: Some("the program nft is not there"), ..GUARDED };
    for (path, described) in [(CONTAINER, container()), (NETWORKS, network())] {
        let refusal = checked(consent, path, &described).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (StatusCode::FORBIDDEN, "not_guarded"));
        assert!(refusal.message.contains("nft is not there"), "{refusal}");
    }
    checked(consent, CONTAINER, &json!({"Image": "a:1", "HostConfig": {}})).unwrap();
}

#[test]
fn privileged_ones_are_made_where_the_owner_lets_them() {
    let consent = Consent { privileged: true, ..GUARDED };
    let privileged = with(container(), "/HostConfig/Privileged", json!(true));
    let refusal = checked(consent, CONTAINER, &privileged).unwrap_err();
    assert!(refusal.message.contains("nothing else"), "{refusal}");
    let bare = ["CapAdd", "CapDrop", "SecurityOpt"]
        .iter()
        .fold(privileged, |described, field| with(described, &format!("/HostConfig/{field}"), Value::Null));
    checked(consent, CONTAINER, &bare).unwrap();
    assert!(checked(GUARDED, CONTAINER, &bare).is_err());
    assert!(checked(consent, CONTAINER, &with(bare, "/HostConfig/PidsLimit", json!(0))).is_err());
}

#[test]
fn only_networks_of_workspaces_are_removed() {
    check_network("/networks/{id}", "/v1.41/networks/ph-abcdefgh23").unwrap();
    check_network("/containers/{id}", "/v1.41/containers/web.0.1?force=true").unwrap();
    for name in ["bridge", "ph-", "ph-abc", "ph-ABCDEFGH23", "0123456789abcdef", "xph-abcdefgh23"] {
        assert!(check_network("/networks/{id}", &format!("/networks/{name}")).is_err(), "{name}");
    }
}

#[test]
fn the_host_and_the_controller_mean_the_same_by_root_and_by_limits() {
    let mut told: Vec<&str> = pierhead_engine::Capability::ALL.iter().map(|one| one.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, CAPABILITIES, "in order");
    assert_eq!(i64::from(pierhead_engine::MOST_PROCESSES), MOST_PROCESSES);
    assert_eq!(pierhead_engine::WORKSPACE_BRIDGES, [CLOSED, OPEN]);
    for most in [("/HostConfig/PidsLimit", MOST_PROCESSES), ("/HostConfig/Ulimits/0/Hard", MOST_OPEN_FILES)] {
        checked(GUARDED, CONTAINER, &with(container(), most.0, json!(most.1))).unwrap();
        assert!(checked(GUARDED, CONTAINER, &with(container(), most.0, json!(most.1 + 1))).is_err(), "{most:?}");
    }
}

#[test]
fn a_field_that_is_missing_is_as_bad_as_a_wrong_one() {
    let keys = |described: &Value, at: &str| -> Vec<String> {
        described.pointer(at).unwrap().as_object().unwrap().keys().map(|key| format!("{at}/{key}")).collect()
    };
    let refused = |path: &str, described: &Value, all: Vec<String>| -> Vec<String> {
        let is_bad = |pointer: &String| checked(GUARDED, path, &with(described.clone(), pointer, Value::Null)).is_err();
        all.into_iter().filter(|pointer| !is_bad(pointer)).collect()
    };
    let free = refused(CONTAINER, &container(), keys(&container(), "/HostConfig"));
    let harmless = ["CapAdd", "PortBindings", "Privileged", "PublishAllPorts"].map(|key| format!("/HostConfig/{key}"));
    assert_eq!(free.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(harmless), "these are nothing by themselves");
    let free = refused(NETWORKS, &network(), keys(&network(), ""));
    let harmless = ["/Attachable", "/EnableIPv6", "/IPAM"].map(str::to_owned);
    assert_eq!(free.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(harmless));
}

#[test]
fn a_label_that_is_no_text_and_a_body_that_is_none_make_nothing() {
    for label in [json!(7), json!([]), json!({"abcdefgh23": 1}), Value::Null] {
        let refusal = checked(GUARDED, CONTAINER, &with(container(), "/Labels/pierhead.workspace", label)).unwrap_err();
        assert!(refusal.message.contains("10 lower-case"), "{refusal}");
    }
    for garbage in [b"".as_slice(), b"[]", b"{", b"\xff"] {
        assert!(check_new(GUARDED, NETWORKS, garbage).is_err());
    }
}
