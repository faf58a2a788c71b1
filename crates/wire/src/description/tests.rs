use super::*;
use pierhead_model::{EngineId, NetworkMode};

fn defaults() -> Defaults {
    Defaults { image: Some("alpine".to_owned()), reserved: Resources::new(50, 128) }
}

fn spec(json: &str) -> Result<ContainerSpec, crate::FieldError> {
    serde_json::from_str::<ImageDescription>(json).unwrap().to_spec(&defaults())
}

fn refused_field(json: &str) -> String {
    spec(json).expect_err(json).field
}

#[test]
fn what_is_left_out_has_defaults() {
    let spec = spec("{}").unwrap();
    assert_eq!(spec.image.as_str(), "alpine:latest");
    assert_eq!(spec.limits.reserved, Resources::new(50, 128));
    assert_eq!(spec.limits.cpu_limit_millis, DEFAULT_CPU_LIMIT_MILLIS);
    assert_eq!(
        (spec.restart, spec.network, spec.placement),
        (RestartPolicy::Always, NetworkMode::Bridge, Placement::Service)
    );
}

#[test]
fn named_cpu_is_also_the_limit() {
    let spec = spec(r#"{"name":"httpd","cpus":0.1,"memory":20}"#).unwrap();
    assert_eq!(spec.limits.reserved, Resources::new(100, 20));
    assert_eq!(spec.limits.cpu_limit_millis, 100);
}

#[test]
fn what_is_shown_of_the_limits_reads_back_as_the_same() {
    for json in [
        "{}",
        r#"{"cpus":0.1}"#,
        r#"{"cpus":0.1,"cpu_limit":2.5}"#,
        r#"{"cpus":2,"cpu_limit":2}"#,
        r#"{"cpu_limit":0}"#,
        r#"{"cpu_limit":0.05}"#,
    ] {
        let told = spec(json).unwrap();
        let shown = ImageDescription::of(&told, false);
        assert_eq!(shown.to_spec(&defaults()).unwrap().limits, told.limits, "{json}");
    }
    assert_eq!(spec(r#"{"cpus":0.1,"cpu_limit":2.5}"#).unwrap().limits.cpu_limit_millis, 2500);
    let same = ImageDescription::of(&spec(r#"{"cpus":2}"#).unwrap(), false);
    assert_eq!(same.cpu_limit, None, "a limit that is what is reserved goes without saying");
}

#[test]
fn the_originals_own_description_is_understood() {
    let json = r#"{"name":"ubuntu:14.04","cpus":0.1,"memory":20,"hostname":"714e01115f76","type":"service",
        "labels":[""],"restart_policy":{"name":"no"},"network_mode":"bridge","entrypoint":null,"links":null}"#;
    let spec = spec(json).unwrap();
    assert_eq!(spec.restart, RestartPolicy::No);
    assert!(spec.labels.is_empty());
}

#[test]
fn ports_are_numbers_or_texts_and_zero_means_choose() {
    for port in ["0", "\"\"", "\"0\"", "null"] {
        let spec =
            spec(&format!(r#"{{"bind_ports":[{{"proto":"TCP","port":{port},"container_port":"80"}}]}}"#)).unwrap();
        assert_eq!((spec.ports[0].host_port, spec.ports[0].container_port), (None, 80), "{port}");
    }
    for different in [
        r#"[{"port":53,"container_port":53},{"port":53,"container_port":53,"proto":"udp"}]"#,
        r#"[{"port":53,"container_port":53,"host_ip":"10.0.0.1"},{"port":53,"container_port":53,"host_ip":"10.0.0.2"}]"#,
        r#"[{"container_port":53},{"container_port":53}]"#,
    ] {
        assert_eq!(spec(&format!(r#"{{"bind_ports":{different}}}"#)).unwrap().ports.len(), 2, "{different}");
    }
    let spec = spec(r#"{"bind_ports":[{"host_ip":"10.0.0.1","port":"8080","container_port":80}]}"#).unwrap();
    assert_eq!(spec.ports[0].host_port, Some(8080));
    assert_eq!(spec.ports[0].host_ip, Some("10.0.0.1".parse().unwrap()));
}

#[test]
fn a_host_is_named_by_a_label() {
    let spec = spec(r#"{"type":"host","labels":["host:1921687101"]}"#).unwrap();
    assert_eq!(spec.placement, Placement::Host(EngineId::parse("1921687101").unwrap()));
    assert_eq!(refused_field(r#"{"type":"host"}"#), "labels");
}

#[test]
fn every_bad_value_names_its_field() {
    for (json, field) in [
        (r#"{"name":"Bad Name"}"#, "name"),
        (r#"{"cpus":-1}"#, "cpus"),
        (r#"{"cpus":1e300}"#, "cpus"),
        (r#"{"cpus":2,"cpu_limit":1}"#, "cpu_limit"),
        (r#"{"cpu_limit":-1}"#, "cpu_limit"),
        (r#"{"cpu_limit":1e300}"#, "cpu_limit"),
        (r#"{"cpu_limit":0.01}"#, "cpu_limit"),
        (r#"{"memory":-5}"#, "memory"),
        (r#"{"memory":1}"#, "memory"),
        (r#"{"memory":1e18}"#, "memory"),
        (r#"{"cpuset":"2-1"}"#, "cpuset"),
        (r#"{"cpuset":"a"}"#, "cpuset"),
        (r#"{"type":"best"}"#, "type"),
        (r#"{"labels":["ok","not ok"]}"#, "labels[1]"),
        (r#"{"hostname":"-x"}"#, "hostname"),
        (r#"{"domainname":"a..b"}"#, "domainname"),
        (r#"{"args":["a\u0000b"]}"#, "args[0]"),
        (r#"{"environment":{"A=B":"x"}}"#, "environment"),
        (r#"{"environment":{"A":"x\u0000"}}"#, "environment.A"),
        (r#"{"bind_ports":[{"container_port":70000}]}"#, "bind_ports[0].container_port"),
        (r#"{"bind_ports":[{"port":-1,"container_port":80}]}"#, "bind_ports[0].port"),
        (r#"{"bind_ports":[{"port":"x","container_port":80}]}"#, "bind_ports[0].port"),
        (r#"{"bind_ports":[{}]}"#, "bind_ports[0].container_port"),
        (r#"{"bind_ports":[{"port":80,"container_port":1},{"port":80,"container_port":2}]}"#, "bind_ports[1].port"),
        (
            r#"{"bind_ports":[{"port":80,"container_port":1,"host_ip":"10.0.0.1"},{"port":"80","container_port":2}]}"#,
            "bind_ports[1].port",
        ),
        (r#"{"bind_ports":[{"proto":"icmp","container_port":80}]}"#, "bind_ports[0].proto"),
        (r#"{"bind_ports":[{"host_ip":"host","container_port":80}]}"#, "bind_ports[0].host_ip"),
        (r#"{"volumes":["../etc:/x"]}"#, "volumes[0]"),
        (r#"{"links":{"a b":"c"}}"#, "links"),
        (r#"{"restart_policy":{"name":"sometimes"}}"#, "restart_policy.name"),
        (r#"{"network_mode":"container:abc"}"#, "network_mode"),
    ] {
        assert_eq!(refused_field(json), field, "{json}");
    }
}

#[test]
fn unknown_fields_are_refused() {
    let error = serde_json::from_str::<ImageDescription>(r#"{"privileged":true}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `privileged`"), "{error}");
}

#[test]
fn one_writer_is_said_plainly_or_not_at_all() {
    for (json, is_single) in [("{}", false), (r#"{"single_writer":false}"#, false), (r#"{"single_writer":true}"#, true)]
    {
        assert_eq!(spec(json).unwrap().single_writer, is_single, "{json}");
    }
    for wrong in [r#"{"single_writer":"yes"}"#, r#"{"single_writer":1}"#] {
        let error = serde_json::from_str::<ImageDescription>(wrong).unwrap_err().to_string();
        assert!(error.contains("expected a boolean"), "{error}");
    }
    let shown = serde_json::to_string(&ImageDescription::of(&spec("{}").unwrap(), false)).unwrap();
    assert!(!shown.contains("single_writer"), "others have no word of it: {shown}");
}

#[test]
fn what_is_shown_describes_the_same_container() {
    let json = r#"{"name":"httpd","cpus":0.5,"memory":64,"type":"multi","labels":["ssd","!old"],"environment":{"A":"b"},
        "bind_ports":[{"port":8080,"container_port":80}],"volumes":["db:/data:ro"],"links":{"/db":"db"},
        "user_data":{"k":["v"]},"restart_policy":{"name":"on-failure","maximum_retry_count":3},"publish":true,
        "single_writer":true}"#;
    let first = spec(json).unwrap();
    assert!(first.single_writer);
    assert_eq!(ImageDescription::of(&first, false).to_spec(&defaults()).unwrap(), first);
}

#[test]
fn others_see_no_values() {
    let first = spec(r#"{"environment":{"PASSWORD":"secret"},"user_data":{"k":["secret"]}}"#).unwrap();
    let shown = serde_json::to_string(&ImageDescription::of(&first, true)).unwrap();
    assert!(shown.contains("PASSWORD") && !shown.contains("secret"), "{shown}");
    assert!(shown.contains(r#""PASSWORD":"(hidden)""#), "not empty, which would be a value: {shown}");
}
