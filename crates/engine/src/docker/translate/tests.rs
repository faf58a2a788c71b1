//! What reaches the engine, for one description by hand and for any description.

mod workspace;

use super::*;
use pierhead_model::{
    ImageReference, LabelExpression, Limits, NetworkMode, PortRequest, Protocol, Resources, RestartPolicy as Restarts,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn spec() -> ContainerSpec {
    ContainerSpec {
        restart: Restarts::Always,
        ..ContainerSpec::new(
            ImageReference::parse("a:1").unwrap(),
            Limits { reserved: Resources::new(250, 64), cpu_limit_millis: 1500 },
        )
    }
}

fn request(spec: ContainerSpec) -> CreateRequest {
    CreateRequest {
        name: "web.0.1".into(),
        spec,
        ports: vec![],
        labels: BTreeMap::new(),
        pids_limit: 512,
        engine_restarts: false,
        workspace: None,
    }
}

fn json(request: &CreateRequest) -> serde_json::Value {
    serde_json::to_value(create_body(request, None).unwrap()).unwrap()
}

#[test]
fn what_an_image_says_of_its_purpose_is_covered() {
    let own = BTreeMap::from([
        ("pierhead.cluster".to_owned(), "c".to_owned()),
        ("pierhead.app-id".to_owned(), "a1".to_owned()),
        ("pierhead.generation".to_owned(), "3".to_owned()),
    ]);
    let body = json(&CreateRequest { labels: own.clone(), ..request(spec()) });
    let told: BTreeMap<String, String> = serde_json::from_value(body["Labels"].clone()).unwrap();
    for label in ["pierhead.app", "pierhead.slot", "pierhead.member", "pierhead.workspace", "pierhead.container"] {
        assert_eq!(told[label], "", "an engine would take the image's");
    }
    assert_eq!(crate::request::uncovered(told), own);
}

#[test]
fn limits_become_dockers() {
    let body = json(&request(spec()));
    let host = &body["HostConfig"];
    assert_eq!(host["NanoCpus"], 1_500_000_000i64);
    assert_eq!(host["CpuShares"], 256);
    assert_eq!(host["Memory"], 64 << 20);
    assert_eq!(host["MemorySwap"], host["Memory"]);
    assert_eq!(host["PidsLimit"], 512);
    assert_eq!(host["LogConfig"]["Type"], "json-file");
    assert_eq!(host["LogConfig"]["Config"]["max-size"], "10m");
    assert_eq!(host["LogConfig"]["Config"]["max-file"], "3");
    assert_eq!(host["RestartPolicy"]["Name"], "no");
}

#[test]
fn a_limit_of_nothing_is_refused_because_docker_takes_it_for_none() {
    let broken: [fn(&mut CreateRequest); 5] = [
        |r| r.spec.limits.cpu_limit_millis = 0,
        |r| r.spec.limits.reserved.memory_mb = 0,
        |r| r.pids_limit = 0,
        |r| r.spec.limits.reserved.memory_mb = u64::MAX,
        |r| r.spec.limits.cpu_limit_millis = u64::MAX,
    ];
    for (index, break_it) in broken.into_iter().enumerate() {
        let mut request = request(spec());
        break_it(&mut request);
        assert!(matches!(create_body(&request, None), Err(EngineError::Refused(_))), "case {index}");
    }
}

#[test]
fn cpu_is_capped_at_the_cores_of_a_small_host() {
    let capped = |cores| create_body(&request(spec()), cores).unwrap().host_config.unwrap().nano_cpus;
    assert_eq!(capped(Some(1)), Some(1_000_000_000));
    assert_eq!(capped(Some(2)), Some(1_500_000_000));
}

#[test]
fn what_runs_and_with_which_words() {
    let body = json(&request(spec()));
    assert_eq!(body["Image"], "a:1");
    assert!(body.get("Cmd").is_none() && body.get("Entrypoint").is_none(), "the image's own");
    let mut spec = spec();
    spec.entrypoint = vec!["/bin/sh".into(), "-c".into()];
    spec.args = vec!["echo $X".into()];
    spec.environment = BTreeMap::from([("X".into(), "a=b".into())]);
    spec.hostname = Some("h".into());
    spec.domainname = Some("d.lan".into());
    spec.links = BTreeMap::from([("db.0.1".into(), "db".into())]);
    spec.cpuset = Some("0-1".into());
    let mut request = request(spec);
    request.engine_restarts = true;
    let body = json(&request);
    assert_eq!(body["Entrypoint"], serde_json::json!(["/bin/sh", "-c"]));
    assert_eq!(body["Cmd"], serde_json::json!(["echo $X"]));
    assert_eq!(body["Env"], serde_json::json!(["X=a=b"]));
    assert_eq!((&body["Hostname"], &body["Domainname"]), (&"h".into(), &"d.lan".into()));
    assert_eq!(body["HostConfig"]["Links"], serde_json::json!(["db.0.1:db"]));
    assert_eq!(body["HostConfig"]["CpusetCpus"], "0-1");
    assert_eq!(body["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
}

#[test]
fn user_data_is_json_and_cannot_be_forged() {
    let mut spec = spec();
    spec.environment = BTreeMap::from([(USER_DATA.into(), "forged".into()), ("A".into(), "1".into())]);
    spec.user_data = BTreeMap::from([("keys".into(), vec!["x \"y\"".into(), "z".into()])]);
    assert_eq!(environment(&spec).unwrap(), ["A=1", r#"PIERHEAD_USER_DATA={"keys":["x \"y\"","z"]}"#]);
}

#[test]
fn ports_of_the_host_are_bound_and_exposed() {
    let mut request = request(spec());
    let port = |ip: Option<&str>, host_port| HostPort {
        protocol: Protocol::Tcp,
        host_ip: ip.map(|ip| ip.parse().unwrap()),
        host_port,
        container_port: 80,
    };
    request.ports = vec![port(None, 8080), port(Some("10.0.0.1"), 8081)];
    request.spec.ports =
        vec![PortRequest { protocol: Protocol::Udp, host_ip: None, host_port: None, container_port: 53 }];
    let body = json(&request);
    assert_eq!(body["ExposedPorts"], serde_json::json!({"80/tcp": {}, "53/udp": {}}));
    assert_eq!(
        body["HostConfig"]["PortBindings"],
        serde_json::json!({"80/tcp": [{"HostPort": "8080"}, {"HostIp": "10.0.0.1", "HostPort": "8081"}]})
    );
}

#[test]
fn volumes_by_their_source() {
    let mut spec = spec();
    spec.volumes = ["/data", "db:/db:ro", "/srv:/srv:ro"].iter().map(|text| Volume::parse(text).unwrap()).collect();
    let host = json(&request(spec.clone()))["HostConfig"].clone();
    assert_eq!(host["Binds"], serde_json::json!(["/srv:/srv:ro"]));
    assert_eq!(
        host["Mounts"],
        serde_json::json!([
            {"Target": "/data", "Type": "volume", "ReadOnly": false},
            {"Target": "/db", "Source": "db", "Type": "volume", "ReadOnly": true},
        ])
    );
    spec.volumes[2].target = "/x:rw,z".into();
    assert!(create_body(&request(spec), None).is_err(), "a colon would be split by the engine");
}

fn any_volume() -> impl Strategy<Value = Volume> {
    let source = prop_oneof![
        Just(VolumeSource::Anonymous),
        ".{0,12}".prop_map(VolumeSource::Named),
        "/.{0,12}".prop_map(VolumeSource::HostPath),
    ];
    (source, ".{0,12}", any::<bool>()).prop_map(|(source, target, read_only)| Volume { source, target, read_only })
}

fn any_ports() -> impl Strategy<Value = Vec<HostPort>> {
    let port = (any::<bool>(), any::<Option<std::net::IpAddr>>(), any::<u16>(), any::<u16>());
    let port = port.prop_map(|(udp, host_ip, host_port, container_port)| HostPort {
        protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
        host_ip,
        host_port,
        container_port,
    });
    proptest::collection::vec(port, 0..4)
}

prop_compose! {
    fn any_spec()(
        limits in (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>()),
        texts in proptest::collection::vec(".{0,20}", 6),
        list in proptest::collection::vec(".{0,20}", 0..4),
        map in proptest::collection::btree_map(".{0,12}", ".{0,20}", 0..4),
        user_data in proptest::collection::btree_map(".{0,8}", proptest::collection::vec(".{0,8}", 0..3), 0..3),
        volumes in proptest::collection::vec(any_volume(), 0..3),
        flags in any::<(bool, bool, bool)>(),
        network in prop_oneof![Just(NetworkMode::Bridge), Just(NetworkMode::Host), Just(NetworkMode::None)],
    ) -> ContainerSpec {
        let (cpu, memory, reserved, small) = limits;
        let bound = |value: u64, bound| if small { value % bound } else { value };
        ContainerSpec {
            limits: Limits {
                reserved: Resources::new(bound(reserved, 64_000), bound(memory, 1 << 20)),
                cpu_limit_millis: bound(cpu, 64_000),
            },
            cpuset: flags.0.then(|| texts[0].clone()),
            entrypoint: list.clone(),
            args: list,
            environment: map.clone(),
            hostname: flags.1.then(|| texts[1].clone()),
            domainname: flags.2.then(|| texts[2].clone()),
            labels: vec![LabelExpression::parse("ssd").unwrap()],
            publish_all: flags.0,
            user_data,
            volumes,
            links: map,
            network,
            ..spec()
        }
    }
}

/// The fields that a request may have at all.
const ALLOWED: [&str; 8] = ["Hostname", "Domainname", "ExposedPorts", "Env", "Cmd", "Entrypoint", "Image", "Labels"];
const ALLOWED_OF_HOST: [&str; 15] = [
    "NanoCpus",
    "CpuShares",
    "CpusetCpus",
    "Memory",
    "MemorySwap",
    "PidsLimit",
    "LogConfig",
    "Binds",
    "Mounts",
    "NetworkMode",
    "PortBindings",
    "PublishAllPorts",
    "Links",
    "RestartPolicy",
    "Privileged",
];

proptest! {
    #[test]
    fn any_description_is_a_safe_request_or_none(
        spec in any_spec(),
        ports in any_ports(),
        labels in proptest::collection::btree_map(".{0,12}", ".{0,12}", 0..4),
        pids_limit in any::<u32>(),
        engine_restarts in any::<bool>(),
    ) {
        let request = CreateRequest {
            name: "n".into(), spec: spec.clone(), ports, labels, pids_limit, engine_restarts, workspace: None,
        };
        let Ok(body) = create_body(&request, None) else { return Ok(()) };
        let body = serde_json::to_value(&body).unwrap();
        let keys = |value: &serde_json::Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
        for key in keys(&body) {
            prop_assert!(key == "HostConfig" || ALLOWED.contains(&key.as_str()), "{key}");
        }
        let host = &body["HostConfig"];
        for key in keys(host) {
            prop_assert!(ALLOWED_OF_HOST.contains(&key.as_str()), "{key}");
        }
        prop_assert_eq!(&host["Privileged"], false);
        prop_assert!(host["NanoCpus"].as_i64().unwrap() > 0);
        prop_assert_eq!(host["NanoCpus"].as_u64(), spec.limits.cpu_limit_millis.checked_mul(1_000_000));
        prop_assert!(host["Memory"].as_i64().unwrap() > 0);
        prop_assert_eq!(host["Memory"].as_u64(), spec.limits.reserved.memory_mb.checked_mul(1 << 20));
        prop_assert_eq!(&host["MemorySwap"], &host["Memory"]);
        prop_assert!(pids_limit > 0 && host["PidsLimit"] == pids_limit);
        prop_assert!((2..=262_144).contains(&host["CpuShares"].as_i64().unwrap()));
        prop_assert_eq!(host["NetworkMode"].as_str().unwrap(), spec.network.to_string());
        let paths = spec.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::HostPath(_))).count();
        let binds = host["Binds"].as_array().cloned().unwrap_or_default();
        prop_assert_eq!(binds.len(), paths);
        for bind in binds {
            prop_assert_eq!(bind.as_str().unwrap().matches(':').count(), 2, "{}", bind);
        }
        for mount in host["Mounts"].as_array().cloned().unwrap_or_default() {
            prop_assert_eq!(&mount["Type"], "volume");
        }
    }
}
