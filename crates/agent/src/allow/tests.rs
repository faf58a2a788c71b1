#[path = "../../tests/tunnel/oracle.rs"]
mod oracle;

use super::table::RULES;
use super::*;
use oracle::is_listed;
use proptest::prelude::*;
use serde_json::{Value, json};

fn asked(method: &str, target: &str) -> Result<Allowed, Refusal> {
    let uri = target.parse().map_err(|_| Refusal::malformed("no address"))?;
    decide(&method.parse().unwrap(), &uri, &HeaderMap::new())
}

#[test]
fn what_pierhead_does_passes_as_it_is() {
    for (method, target) in [
        ("GET", "/_ping"),
        ("HEAD", "/_ping"),
        ("GET", "/version"),
        ("GET", "/v1.41/info"),
        ("GET", "/v1.47/events?since=1795300263.000000789"),
        ("GET", "/v1.41/containers/json?all=true&size=false"),
        ("GET", "/v1.41/containers/web.0.1/json"),
        ("GET", "/v1.41/containers/00ff/logs?follow=true&stdout=true&stderr=true&timestamps=false&tail=all"),
        ("GET", "/v1.41/containers/00ff/stats?stream=false&one-shot=true"),
        ("POST", "/v1.41/containers/create?name=web.0.1"),
        ("POST", "/v1.41/containers/00ff/start"),
        ("POST", "/v1.41/containers/00ff/stop?t=10"),
        ("POST", "/v1.41/containers/00ff/restart?t=10"),
        ("DELETE", "/v1.41/containers/00ff?v=false&force=true&link=false"),
        ("GET", "/v1.41/images/json"),
        ("GET", "/v1.41/images/pierhead/sample:1/json"),
        ("GET", "/v1.41/images/registry.lan:5000/team/a@sha256:00ff/get"),
        ("POST", "/v1.41/images/load?quiet=false"),
        ("POST", "/v1.41/images/create?fromImage=registry.lan%3A5000%2Fteam%2Fa%3A1"),
        ("POST", "/v1.41/images/pierhead/save:s-1-main/tag?repo=r.lan%3A5000%2Fa%2Fpierhead%2Fsave&tag=s-1-main"),
        ("POST", "/v1.41/images/r.lan:5000/a/pierhead/save/push?tag=s-1-main"),
        ("DELETE", "/v1.41/images/r.lan:5000/a/pierhead/save:s-1-main"),
        ("PUT", "/containers/00ff/archive?path=%2Fetc"),
        ("POST", "/exec/00ff/resize?h=24&w=80"),
    ] {
        assert_eq!(asked(method, target).map(|allowed| allowed.target).as_deref(), Ok(target), "{method}");
    }
}

#[test]
fn what_it_does_not_do_is_refused() {
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/containers"),
        ("POST", "/containers/prune"),
        ("POST", "/containers/00ff/update"),
        ("POST", "/containers/00ff/rename?name=x"),
        ("GET", "/containers/00ff/export"),
        ("GET", "/containers/00ff/attach/ws"),
        ("POST", "/build"),
        ("POST", "/commit?container=00ff&repo=alpine&tag=1"),
        ("POST", "/images/create?fromSrc=http%3A%2F%2F169.254.169.254%2F"),
        ("POST", "/images/create?fromSrc=-"),
        ("POST", "/images/a/push"),
        ("POST", "/images/r.lan/mine/push?tag=a"),
        ("POST", "/images/pierhead/save/push?tag=a"),
        ("POST", "/images/r.lan/pierhead/saves/push?tag=a"),
        ("POST", "/images/a/tag?repo=b"),
        ("POST", "/images/a/tag?repo=r.lan%2Fmysql&tag=8"),
        ("DELETE", "/images/a"),
        ("DELETE", "/images/mine/save:a"),
        ("DELETE", "/images/mine/pierhead/save"),
        ("DELETE", "/images/mine/pierhead/save:"),
        ("DELETE", "/images/mine/pierhead/saves:a"),
        ("DELETE", "/images/mine/pierhead/save:a/b"),
        ("DELETE", "/images/pierhead/save:a?force=1"),
        ("POST", "/images/prune"),
        ("POST", "/volumes/create"),
        ("DELETE", "/volumes/a"),
        ("POST", "/networks/prune"),
        ("GET", "/networks/a"),
        ("POST", "/networks/a/connect"),
        ("POST", "/networks/a/disconnect"),
        ("POST", "/plugins/pull?remote=x"),
        ("POST", "/swarm/init"),
        ("GET", "/secrets"),
        ("POST", "/session"),
        ("POST", "/auth"),
        ("DELETE", "/containers/00ff?link=true"),
        ("POST", "/_ping"),
        ("CONNECT", "engine:80"),
        ("TRACE", "/info"),
        ("OPTIONS", "*"),
        ("get", "/info"),
        ("GET", "/pierhead/beats/x"),
        ("GET", "http://169.254.169.254/info"),
        ("GET", "http://engine:80/info"),
        ("GET", "http://user@engine/info"),
        ("GET", "/containers/00ff%2f..%2f..%2finfo/json"),
        ("GET", "/containers/00ff/json/"),
        ("GET", "/containers/00ff/json#/info"),
        ("GET", "/containers/00ff/json%23"),
    ] {
        match asked(method, target) {
            Err(refusal) => assert!(matches!(refusal.status.as_u16(), 400 | 403), "{method} {target}"),
            // What stands behind `#` is no part of an address, and was never sent.
            Ok(allowed) => {
                assert_eq!((target, allowed.target.as_str()), ("/containers/00ff/json#/info", "/containers/00ff/json"))
            }
        }
    }
}

#[test]
fn an_account_goes_to_a_registry_only() {
    let headers = |value: &str| HeaderMap::from_iter([(REGISTRY_AUTH.parse().unwrap(), value.parse().unwrap())]);
    let ask = |target: &str, value: &str| decide(&Method::POST, &target.parse().unwrap(), &headers(value));
    assert_eq!(ask("/images/create?fromImage=a", "eyJ1-_=").unwrap().registry_auth.as_deref(), Some("eyJ1-_="));
    assert_eq!(ask("/images/r.lan/pierhead/save/push?tag=a", "e30=").unwrap().registry_auth.as_deref(), Some("e30="));
    assert_eq!(ask("/images/a/tag?repo=pierhead%2Fsave", "eyJ1").unwrap().registry_auth, None);
    assert_eq!(ask("/containers/a/start", "eyJ1").unwrap().registry_auth, None);
    for bad in ["a+b", "a/b", "a b", "{}", "\u{e9}", &"a".repeat(9000)] {
        let refusal = ask("/images/create?fromImage=a", bad).unwrap_err();
        assert!(refusal.code == "malformed" && !refusal.message.contains(bad), "{refusal}");
    }
}

#[test]
fn every_change_needs_a_term() {
    for rule in &RULES {
        let harmless = matches!(rule.method, "GET" | "HEAD") || rule.path.ends_with("/wait");
        assert_eq!(rule.access == Access::Read, harmless, "{} {}", rule.method, rule.path);
    }
}

/// The bodies of the list by their lines.
fn shape(path: &str) -> &'static Shape {
    let rule = RULES.iter().find(|rule| rule.path == path && rule.method == "POST").unwrap();
    match &rule.body {
        Body::Json(shape) | Body::JsonTalk(shape) => shape,
        _ => panic!("{path} has no JSON"),
    }
}

#[test]
fn what_makes_a_container_dangerous_is_refused() {
    let create = shape("/containers/create");
    let with = |host: Value| rebuild(create, json!({"Image": "a:1", "HostConfig": host}).to_string().as_bytes());
    assert!(with(json!({"Memory": 1, "Privileged": false, "NetworkMode": "container:web.0.1"})).is_ok());
    for host in [
        json!({"privileged": true}),
        json!({"PRIVILEGED": true}),
        json!({"Privileged\u{0}": true}),
        json!({"CapAdd": ["ALL"]}),
        json!({"CapAdd": ["NET_RAW"]}),
        json!({"CapAdd": ["CAP_SYS_ADMIN"]}),
        json!({"CapDrop": ["NONE"]}),
        json!({"Ulimits": [{"Name": "core", "Soft": 1, "Hard": 1}]}),
        json!({"StorageOpt": {"path": "/"}}),
        json!({"ExtraHosts": ["a:1.2.3.4"]}),
        json!({"Devices": [{"PathOnHost": "/dev/sda"}]}),
        json!({"DeviceRequests": []}),
        json!({"SecurityOpt": ["seccomp=unconfined"]}),
        json!({"PidMode": "host"}),
        json!({"IpcMode": "host"}),
        json!({"UTSMode": "host"}),
        json!({"UsernsMode": "host"}),
        json!({"CgroupnsMode": "host"}),
        json!({"CgroupParent": "/"}),
        json!({"Sysctls": {"kernel.core_pattern": "|/x"}}),
        json!({"Runtime": "other"}),
        json!({"OomKillDisable": true}),
        json!({"MaskedPaths": []}),
        json!({"VolumesFrom": ["other"]}),
        json!({"VolumeDriver": "other"}),
        json!({"Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}]}),
        json!({"Mounts": [{"Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": {"Name": "local"}}}]}),
        json!({"LogConfig": {"Type": "syslog", "Config": {}}}),
        json!({"LogConfig": {"Type": "json-file", "Config": {"path": "/etc/passwd"}}}),
        json!({"NetworkMode": "../../proc/1/ns/net"}),
    ] {
        let refusal = with(host.clone()).unwrap_err();
        assert_eq!(refusal.code, "not_allowed", "{host}");
        assert!(refusal.message.contains("HostConfig."), "{host}: {refusal}");
    }
    assert!(rebuild(shape("/containers/{id}/exec"), br#"{"Cmd":["sh"],"Privileged":true}"#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_comes_only_the_list_goes_on((method, target) in oracle::asked()) {
        if let Ok(allowed) = asked(&method, &target) {
            prop_assert!(is_listed(&method, &allowed.target), "{method} {target} became {}", allowed.target);
            prop_assert!(allowed.target.bytes().all(|byte| byte.is_ascii_graphic()));
            let again = asked(&method, &allowed.target).unwrap();
            prop_assert_eq!(again.target, allowed.target, "writing it anew changes nothing more");
        }
    }

    #[test]
    fn every_line_lets_its_own_pass(
        at in 0..RULES.len(), id in "[a-z0-9][a-z0-9_.-]{0,20}", image in "[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}(:[a-z0-9]{1,3})?",
        minor in proptest::option::of(24u32..=99),
    ) {
        let rule = &RULES[at];
        let version = minor.map(|minor| format!("/v1.{minor}")).unwrap_or_default();
        let path = version + &rule.path.replace("{id}", &id).replace("{image}", &image).replace("{save}", "save:a");
        let allowed = asked(rule.method, &path).unwrap();
        prop_assert_eq!(&allowed.target, &path);
        prop_assert!(is_listed(rule.method, &path));
    }

    #[test]
    fn whatever_body_comes_only_listed_fields_go_on(body in body()) {
        let text = body.to_string();
        for path in ["/containers/create", "/containers/{id}/exec", "/exec/{id}/start"] {
            if let Ok(rebuilt) = rebuild(shape(path), text.as_bytes()) {
                let rebuilt: Value = serde_json::from_slice(&rebuilt).unwrap();
                prop_assert!(is_harmless(&rebuilt, ""), "{path}: {text} became {rebuilt}");
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _refused = rebuild(shape("/containers/create"), &bytes);
        let _refused = asked("GET", &format!("/{}", String::from_utf8_lossy(&bytes)));
    }
}

/// Objects whose fields are often known ones, of any kind of value.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "bind|volume|host|no|json-file|[ -~]{0,8}".prop_map(Value::from),
    ];
    let key = "Image|Env|Cmd|HostConfig|Privileged|privileged|Mounts|Type|Source|Binds|CapAdd|Devices|Labels|Detach|Tty|PidMode|LogConfig|Config|max-size|[a-zA-Z]{1,6}";
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::hash_map(key, inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Whether it is a list of some of these words.
fn words_of(value: &Value, words: &[&str]) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(|one| words.iter().any(|word| one == word)))
}

/// Whether a body says nothing dangerous wherever it is looked at, except in labels, which mean nothing to an engine.
fn is_harmless(value: &Value, at: &str) -> bool {
    match value {
        Value::Object(object) => object.iter().all(|(key, value)| {
            let lower = key.to_lowercase();
            let free = matches!(at, "Labels" | "ExposedPorts" | "PortBindings");
            let known = match key.as_str() {
                "CapAdd" => words_of(value, &crate::workspaces::CAPABILITIES),
                "CapDrop" => words_of(value, &["ALL"]),
                "SecurityOpt" => words_of(value, &["no-new-privileges"]),
                "Privileged" => at == "HostConfig",
                _ => false,
            };
            let bad = ["cap", "device", "pidmode", "security", "sysctl", "runtime"]
                .iter()
                .any(|word| lower.starts_with(word))
                || (lower == "privileged" && value != &Value::Bool(false))
                || (at == "Mounts" && key == "Type" && value != "volume");
            (free || known || !bad) && is_harmless(value, key)
        }),
        Value::Array(list) => list.iter().all(|value| is_harmless(value, at)),
        _ => true,
    }
}
