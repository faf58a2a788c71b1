//! Lists and single containers as Docker 20.10 gives them.

use super::*;
use std::net::Ipv6Addr;

const LISTED: &str = r#"{
    "Id": "816937594fba38b7eec3869c82f83d77261609538c0d729c63b1467552e55101",
    "Names": ["/web/db", "/db.0.1"],
    "Image": "bb:1",
    "Created": 1795300263,
    "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 81, "Type": "tcp"},
        {"IP": "10.0.0.1", "PrivatePort": 53, "PublicPort": 53, "Type": "udp"}
    ],
    "Labels": {"pierhead.cluster": "c1"},
    "State": "running",
    "Status": "Up Less than a second"
}"#;

const INSPECTED: &str = r#"{
    "Id": "816937594fba38b7eec3869c82f83d77261609538c0d729c63b1467552e55101",
    "Created": "2026-11-21T22:31:03.987654321Z",
    "Name": "/db.0.1",
    "RestartCount": 3,
    "State": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-21T22:31:04.125999999Z"},
    "Config": {"Image": "bb:1", "Labels": {"pierhead.cluster": "c1"}},
    "HostConfig": {"NanoCpus": 500000000, "Memory": 67108864},
    "NetworkSettings": {"Ports": {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "81/tcp": null,
        "53/udp": [{"HostIp": "10.0.0.1", "HostPort": "53"}]
    }}
}"#;

fn inspected(change: impl FnOnce(&mut serde_json::Value)) -> ObservedContainer {
    let mut json: serde_json::Value = serde_json::from_str(INSPECTED).unwrap();
    change(&mut json);
    from_inspect(serde_json::from_value(json).unwrap()).unwrap()
}

#[test]
fn both_ways_of_looking_agree() {
    let listed = from_summary(serde_json::from_str(LISTED).unwrap()).unwrap();
    let mut alone = inspected(|_| {});
    assert_eq!(std::mem::take(&mut alone.restart_count), 3, "only a look at the container shows it");
    assert_eq!(std::mem::take(&mut alone.started_at), Some(Timestamp(1_795_300_264_125)), "nor does a list show this");
    assert_eq!(std::mem::replace(&mut alone.created_at, listed.created_at), Timestamp(1_795_300_263_987));
    assert_eq!(listed.created_at, Timestamp(1_795_300_263_000), "a list tells the second only");
    assert_eq!(listed, alone);
    assert_eq!(listed.name, "db.0.1");
}

#[test]
fn every_address_is_one_binding() {
    let ports = inspected(|_| {}).ports;
    let tcp = HostPort { protocol: Protocol::Tcp, host_ip: None, host_port: 8080, container_port: 80 };
    let udp = HostPort {
        protocol: Protocol::Udp,
        host_ip: Some("10.0.0.1".parse().unwrap()),
        host_port: 53,
        container_port: 53,
    };
    assert_eq!(ports, [tcp, udp]);
}

#[test]
fn two_ports_chosen_for_the_two_families_stay_two() {
    let ports = inspected(|json| {
        json["NetworkSettings"]["Ports"] = serde_json::json!({
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}, {"HostIp": "::", "HostPort": "49154"}],
            "90/sctp": [{"HostIp": "0.0.0.0", "HostPort": "1"}],
            "x/tcp": [{"HostIp": "0.0.0.0", "HostPort": "1"}],
            "91/tcp": [{"HostIp": "", "HostPort": ""}],
        });
    })
    .ports;
    assert_eq!(ports.len(), 2);
    assert_eq!((ports[0].host_ip, ports[0].host_port), (None, 49153));
    assert_eq!((ports[1].host_ip, ports[1].host_port), (Some(Ipv6Addr::UNSPECIFIED.into()), 49154));
}

#[test]
fn an_exit_code_belongs_to_what_has_exited() {
    for (status, expected) in [
        ("running", None),
        ("paused", None),
        ("created", None),
        ("exited", Some(137)),
        ("restarting", Some(137)),
        ("dead", Some(137)),
    ] {
        let container = inspected(|json| {
            json["State"]["Status"] = status.into();
            json["State"]["ExitCode"] = 137.into();
        });
        assert_eq!(container.exit_code, expected, "{status}");
    }
}

#[test]
fn limits_are_those_of_containers_that_are_not_ours() {
    assert_eq!(inspected(|_| {}).limits, Resources::default());
    for (host, expected) in [
        (serde_json::json!({"NanoCpus": 500_000_000, "Memory": 64 << 20}), Resources::new(500, 64)),
        (serde_json::json!({"CpuQuota": 25_000, "CpuPeriod": 50_000, "Memory": 1}), Resources::new(500, 1)),
        (serde_json::json!({"CpuQuota": 150_000}), Resources::new(1500, 0)),
        (serde_json::json!({"NanoCpus": 1, "CpuQuota": -1, "Memory": -1}), Resources::new(1, 0)),
        (serde_json::json!({}), Resources::default()),
    ] {
        let container = inspected(|json| {
            json["Config"]["Labels"] = serde_json::json!({});
            json["HostConfig"] = host.clone();
        });
        assert_eq!(container.limits, expected, "{host}");
    }
}

#[test]
fn what_was_never_started_has_no_start() {
    for text in ["0001-01-01T00:00:00Z", "", "soon"] {
        assert_eq!(inspected(|json| json["State"]["StartedAt"] = text.into()).started_at, None, "{text}");
    }
}

#[test]
fn a_container_is_young_for_ten_seconds() {
    for (status, expected) in [
        ("Up Less than a second", true),
        ("Up 1 second", true),
        ("Up 10 seconds (health: starting)", true),
        ("Up 11 seconds", false),
        ("Up About a minute", false),
        ("Up 3 days", false),
        ("Exited (0) 3 seconds ago", false),
        ("Restarting (7) 1 second ago", false),
        ("", false),
    ] {
        let summary = ContainerSummary { status: Some(status.to_owned()), ..ContainerSummary::default() };
        assert_eq!(is_young(&summary), expected, "{status}");
    }
}

#[test]
fn half_a_container_is_still_one_and_one_without_id_is_none() {
    let bare = from_summary(serde_json::from_str(r#"{"Id": "ab"}"#).unwrap()).unwrap();
    assert_eq!((bare.name.as_str(), bare.state), ("", ContainerState::Dead));
    assert!(from_summary(serde_json::from_str("{}").unwrap()).is_none());
    assert!(from_inspect(serde_json::from_str(r#"{"Id": ""}"#).unwrap()).is_none());
}
