use super::table::RULES;
use super::*;
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
        ("DELETE", "/v1.41/containers/00ff?v=false&force=true"),
        ("GET", "/v1.41/images/json"),
        ("GET", "/v1.41/images/pierhead/sample:1/json"),
        ("GET", "/v1.41/images/registry.lan:5000/team/a@sha256:00ff/get"),
        ("POST", "/v1.41/images/load?quiet=false"),
        ("POST", "/v1.41/images/create?fromImage=registry.lan%3A5000%2Fteam%2Fa%3A1"),
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
        ("POST", "/commit?container=00ff"),
        ("POST", "/images/create?fromSrc=http%3A%2F%2F169.254.169.254%2F"),
        ("POST", "/images/create?fromSrc=-"),
        ("POST", "/images/a/push"),
        ("POST", "/images/a/tag?repo=b"),
        ("DELETE", "/images/a"),
        ("POST", "/images/prune"),
        ("POST", "/volumes/create"),
        ("DELETE", "/volumes/a"),
        ("POST", "/networks/create"),
        ("POST", "/networks/a/connect"),
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
        json!({"Privileged": true}),
        json!({"privileged": true}),
        json!({"PRIVILEGED": true}),
        json!({"Privileged\u{0}": true}),
        json!({"CapAdd": ["ALL"]}),
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

/// The lines once more, in words of their own: path with `*` for one piece and `**` for several, then the keys.
const ORACLE: &str = "GET /_ping | HEAD /_ping | GET /version | GET /info | GET /events since until filters \
    | GET /containers/json all limit size filters | GET /containers/*/json size \
    | GET /containers/*/logs follow stdout stderr since until timestamps tail \
    | GET /containers/*/stats stream one-shot | GET /containers/*/archive path | HEAD /containers/*/archive path \
    | PUT /containers/*/archive path noOverwriteDirNonDir copyUIDGID | POST /containers/*/wait condition \
    | POST /containers/create name platform | POST /containers/*/start | POST /containers/*/stop t signal \
    | POST /containers/*/restart t signal | POST /containers/*/kill signal | POST /containers/*/pause \
    | POST /containers/*/unpause | POST /containers/*/resize h w | DELETE /containers/* v force \
    | POST /containers/*/attach logs stream stdin stdout stderr detachKeys | POST /containers/*/exec \
    | POST /exec/*/start | POST /exec/*/resize h w | GET /exec/*/json | GET /images/json all digests filters \
    | GET /images/get names | GET /images/**/json | GET /images/**/get | POST /images/load quiet \
    | POST /images/create fromImage tag platform";

/// Whether a written request is one of the oracle's, told without the code that wrote it.
pub(crate) fn is_listed(method: &str, target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let keys: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap()).collect();
    let path = match path.strip_prefix("/v1.") {
        Some(rest) => match rest.split_once('/') {
            Some((minor, rest)) if minor.len() == 2 && minor.bytes().all(|b| b.is_ascii_digit()) => format!("/{rest}"),
            _ => return false,
        },
        None => path.to_owned(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:@/-".contains(c);
    if path.contains("//") || path.contains("/.") || path.ends_with('/') || !path.chars().all(plain) {
        return false;
    }
    ORACLE.split('|').any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (before, after) = words[1].split_once('*').unwrap_or((words[1], ""));
        let fits = match words[1].matches('*').count() {
            0 => path == words[1],
            stars => path
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after.trim_start_matches('*')))
                .is_some_and(|middle| !middle.is_empty() && (stars == 2 || !middle.contains('/'))),
        };
        words[0] == method && fits && keys.iter().all(|key| words[2..].contains(key))
    })
}

/// Pieces of paths, good and bad, and whatever else.
fn piece() -> impl Strategy<Value = String> {
    let known = "containers|images|exec|json|create|start|stop|get|load|archive|attach|info|events|_ping|wait|logs";
    prop_oneof![
        6 => known,
        2 => "v1\\.[0-9]{1,3}",
        2 => "[a-z0-9_.:@-]{0,12}",
        1 => "\\.{1,3}|%2[ef]|%00|[;%#&=+ \\\\~!$'()*,]{1,3}",
        1 => "[ -~]{0,8}",
    ]
}

pub(crate) fn target() -> impl Strategy<Value = String> {
    let keys = "all|size|path|name|names|t|signal|fromImage|fromSrc|filters|tail|since|force|v|link|[a-zA-Z%;]{1,6}";
    let pair = (keys, "[a-z0-9.]{0,6}|true|[ -~]{0,10}").prop_map(|(key, value)| format!("{key}={value}"));
    let path = proptest::collection::vec(piece(), 1..6).prop_map(|pieces| format!("/{}", pieces.join("/")));
    (path, proptest::collection::vec(pair, 0..4)).prop_map(|(path, query)| match query.is_empty() {
        true => path,
        false => format!("{path}?{}", query.join("&")),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_comes_only_the_list_goes_on(
        method in "GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|get", target in target(),
    ) {
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
        let path = version + &rule.path.replace("{id}", &id).replace("{image}", &image);
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

/// Whether a body says nothing dangerous wherever it is looked at, except in labels, which mean nothing to an engine.
fn is_harmless(value: &Value, at: &str) -> bool {
    match value {
        Value::Object(object) => object.iter().all(|(key, value)| {
            let lower = key.to_lowercase();
            let free = matches!(at, "Labels" | "ExposedPorts" | "PortBindings");
            let bad = ["cap", "device", "pidmode", "security", "sysctl", "runtime"]
                .iter()
                .any(|word| lower.starts_with(word))
                || (lower == "privileged" && value != &Value::Bool(false))
                || (at == "Mounts" && key == "Type" && value != "volume");
            (free || !bad) && is_harmless(value, key)
        }),
        Value::Array(list) => list.iter().all(|value| is_harmless(value, at)),
        _ => true,
    }
}
