//! Descriptions of environments.

use crate::{assert_names, comes_back, is_odd, read};
use pierhead_model::{Asks, EnvironmentSpec, Resources, Visibility};
use pierhead_wire::{Defaults, EnvironmentChange, EnvironmentDescription, EnvironmentRequest, FieldError};
use proptest::prelude::*;
use serde_json::{Value, json};

const PATH: &str = "a path from the root on without '..', of at most 4096 bytes";
const CONTAINERS: &str = "1 to 10 containers";
const PORTS: &str = "at most 32 ports from 1 to 65535";
const MODE: &str = "permissions in octal digits, such as 644";
const TEXTS: &str = "with files and scripts of at most 256 KiB together";

fn defaults() -> Defaults {
    Defaults { image: Some("alpine".to_owned()), reserved: Resources::new(100, 64) }
}

fn described(description: &Value) -> Result<EnvironmentSpec, FieldError> {
    read::<EnvironmentDescription>(description).to_spec(&defaults())
}

/// A description of one container.
fn one(container: Value) -> Value {
    json!({ "containers": [container] })
}

fn file(path: &str, bytes: usize) -> Value {
    json!({ "path": path, "content": "x".repeat(bytes) })
}

/// Containers `c0`, `c1`, ...
fn named(count: usize) -> Value {
    json!({ "containers": (0..count).map(|at| json!({ "name": format!("c{at}") })).collect::<Vec<_>>() })
}

#[test]
fn what_is_just_within_the_bounds_is_accepted_and_what_is_just_beyond_is_not() {
    let with = |field: &str, value: u32| json!({ "containers": [{}], field: value });
    let pids = |pids: u32| json!({ "containers": [{}], "asks": { "pids": pids } });
    let ports = |count: u16| one(json!({ "ports": (1..=count).collect::<Vec<_>>() }));
    let files =
        |count: usize| one(json!({ "files": (0..count).map(|at| file(&format!("/f{at}"), 0)).collect::<Vec<_>>() }));
    let path = |bytes: usize| one(json!({ "files": [file(&format!("/{}", "p".repeat(bytes - 1)), 0)] }));
    let mode = |mode: &str| one(json!({ "files": [{ "path": "/a", "mode": mode }] }));
    let (minutes, first) = ("a whole number from 1 to 10080 (a week)", "containers[0]");
    for (good, bad, field, form) in [
        (named(10), named(11), "containers".to_owned(), CONTAINERS),
        (with("lifetime_minutes", 1), with("lifetime_minutes", 0), "lifetime_minutes".into(), minutes),
        (with("lifetime_minutes", 10_080), with("lifetime_minutes", 10_081), "lifetime_minutes".into(), minutes),
        (
            with("idle_minutes", 10_080),
            with("idle_minutes", 10_081),
            "idle_minutes".into(),
            "a whole number up to 10080, or 0 for never",
        ),
        (with("warm", 100), with("warm", u32::MAX), "warm".into(), "a whole number up to 100"),
        (pids(4096), pids(4097), "asks.pids".into(), "a whole number from 1 to 4096"),
        (ports(32), ports(33), format!("{first}.ports"), PORTS),
        (one(json!({ "ports": [1, 65535] })), one(json!({ "ports": [80, 0] })), format!("{first}.ports"), PORTS),
        (files(64), files(65), format!("{first}.files"), "at most 64 files"),
        (path(4096), path(4097), format!("{first}.files[0].path"), PATH),
        (mode("7777"), mode("10000"), format!("{first}.files[0].mode"), MODE),
        (mode("0"), mode(""), format!("{first}.files[0].mode"), MODE),
        (mode("0644"), mode("rw-r--r--"), format!("{first}.files[0].mode"), MODE),
        (mode("1777"), mode("-644"), format!("{first}.files[0].mode"), MODE),
    ] {
        described(&good).unwrap_or_else(|error| panic!("{error}"));
        assert_names(&described(&bad).unwrap_err(), &field, form);
    }
}

#[test]
fn texts_of_all_containers_count_together() {
    let most = 256 * 1024;
    // The path counts, too.
    let full = one(json!({ "files": [file("/a", most - 2)] }));
    assert_eq!(described(&full).unwrap().containers[0].files[0].content.len(), most - 2);
    let script = json!({ "name": "b", "startup": "x".repeat(most / 2) });
    let halves = json!({ "containers": [{ "name": "a", "files": [file("/a", most / 2 - 2)] }, script] });
    assert!(described(&halves).is_ok());
    let beyond = json!({ "containers": [{ "name": "a", "files": [file("/a", most / 2 - 1)] }, script] });
    assert_names(&described(&beyond).unwrap_err(), "containers", TEXTS);
    let none = json!({ "containers": [] });
    assert_names(&described(&none).unwrap_err(), "containers", CONTAINERS);
}

#[test]
fn the_field_is_that_of_an_environment_where_an_app_calls_it_otherwise() {
    for (container, field) in [
        (json!({ "image": "UPPER/case" }), "containers[0].image"),
        (json!({ "command": ["ok", "x".repeat(40_000)] }), "containers[0].command[1]"),
        (json!({ "cpus": 1025 }), "containers[0].cpus"),
        (json!({ "cpus": 2, "cpu_limit": 1 }), "containers[0].cpu_limit"),
        (json!({ "memory": 5.9 }), "containers[0].memory"),
        (json!({ "environment": { "A=B": "" } }), "containers[0].environment"),
    ] {
        let error = described(&one(container)).unwrap_err();
        assert!(error.field.starts_with(field), "{error}");
        assert!(error.message.starts_with(&format!("{} must be ", error.field)), "{error}");
        assert!(!error.message.contains("args") && !error.message.contains("].name"), "{error}");
    }
    let nameless = Defaults { image: None, ..defaults() };
    let error = read::<EnvironmentDescription>(&one(json!({}))).to_spec(&nameless).unwrap_err();
    assert_eq!(error.field, "containers[0].image", "without a default image one must be named");
}

#[test]
fn the_first_container_that_is_wrong_is_named_by_its_place() {
    let third = json!({ "containers": [{ "name": "a" }, { "name": "b" }, { "name": "c", "working_dir": "../etc" }] });
    assert_names(&described(&third).unwrap_err(), "containers[2].working_dir", PATH);
    let twice = json!({ "containers": [{ "name": "a" }, {}, { "name": "main" }] });
    let other = "another name than the containers before";
    assert_names(&described(&twice).unwrap_err(), "containers[2].name", other);
    for name in ["-a", "a-", "a.b", "a_b", "a b", "ä", "abcdefghijklmnopqrstu"] {
        assert_eq!(described(&one(json!({ "name": name }))).unwrap_err().field, "containers[0].name", "{name}");
    }
}

#[test]
fn no_path_leads_back_or_is_relative() {
    for path in ["", "a", "./a", "/..", "/a/..", "/../a", "/a/../b", "/a\0b", "~/a", "C:\\a"] {
        let error = described(&one(json!({ "files": [{ "path": path }] }))).unwrap_err();
        assert_names(&error, "containers[0].files[0].path", PATH);
        let error = described(&one(json!({ "working_dir": path }))).unwrap_err();
        assert_names(&error, "containers[0].working_dir", PATH);
    }
    for path in ["/a", "/..a/b..", "/a b/ü", "/...", "/a/./b"] {
        assert!(described(&one(json!({ "files": [{ "path": path }], "working_dir": path }))).is_ok(), "{path}");
    }
    let root = one(json!({ "working_dir": "/" }));
    assert_eq!(described(&root).unwrap().containers[0].working_dir.as_deref(), Some("/"));
}

#[test]
fn a_script_of_blanks_is_none_and_any_other_is_kept_to_the_letter() {
    let startup = |text: &str| described(&one(json!({ "startup": text }))).unwrap().containers[0].startup.clone();
    assert_eq!((startup(""), startup(" \n\t")), (None, None));
    let script = "\n  printf 'a\\n' > /b\n# ü\n";
    assert_eq!(startup(script).as_deref(), Some(script));
}

#[test]
fn nothing_that_is_not_known_is_taken_at_any_depth() {
    for bad in [
        json!({ "containers": [{ "privileged": true }] }),
        json!({ "containers": [{ "volumes": ["/:/host"] }] }),
        json!({ "containers": [{ "network_mode": "host" }] }),
        json!({ "containers": [{ "files": [{ "path": "/a", "owner": "root" }] }] }),
        json!({ "containers": [{}], "asks": { "capabilities": ["SYS_ADMIN"] } }),
        json!({ "containers": [{}], "lifetime": 5 }),
        json!({ "lifetime_minutes": 5 }),
        json!({ "containers": {} }),
        json!({ "containers": [{ "ports": [65536] }] }),
        json!({ "containers": [{ "ports": ["80"] }] }),
        json!({ "containers": [{ "command": "sleep 1" }] }),
        json!({ "containers": [{ "files": [{ "content": "x" }] }] }),
        json!({ "containers": [{ "files": [{ "path": "/a", "mode": 644 }] }] }),
        json!({ "containers": [{}], "lifetime_minutes": -1 }),
        json!({ "containers": [{}], "idle_minutes": 0.5 }),
        json!({ "containers": [{}], "asks": { "root": "yes" } }),
    ] {
        assert!(is_odd::<EnvironmentDescription>(&bad), "{bad}");
        assert!(is_odd::<EnvironmentRequest>(&json!({ "name": "a", "description": bad })), "{bad}");
        assert!(is_odd::<EnvironmentChange>(&json!({ "description": bad })), "{bad}");
    }
    for bad in [json!({ "name": "a" }), json!({ "description": { "containers": [{}] } })] {
        assert!(is_odd::<EnvironmentRequest>(&bad), "{bad}");
    }
    let owned = json!({ "name": "a", "owner": "ann", "description": { "containers": [{}] } });
    assert!(is_odd::<EnvironmentRequest>(&owned), "nobody makes one for somebody else");
    assert!(is_odd::<EnvironmentChange>(&json!({ "name": "b" })), "a name is for ever");
}

#[test]
fn a_name_and_who_may_open_it_have_their_forms() {
    let request = |name: &str, visibility: &str| {
        let body = json!({ "name": name, "visibility": visibility, "description": { "containers": [{}] } });
        read::<EnvironmentRequest>(&body).to_model(&defaults())
    };
    assert_eq!(request("a", "shared").unwrap().1, Visibility::Shared);
    assert_eq!(request(&"a".repeat(40), "private").unwrap().1, Visibility::Private);
    let long = "a".repeat(41);
    for name in ["", "A", "a/b", "..", "a_b", "-a", "a-", "a\n", long.as_str()] {
        let error = request(name, "shared").unwrap_err();
        assert!(error.field == "name" && error.message.contains("1 to 40 lower-case letters"), "{name:?}: {error}");
    }
    for visibility in ["", "public", "Shared", " private"] {
        assert_names(&request("a", visibility).unwrap_err(), "visibility", "private or shared");
    }
}

#[test]
fn a_change_says_nothing_of_what_it_leaves_out() {
    let change = |body: Value| read::<EnvironmentChange>(&body).to_model(&defaults());
    assert_eq!(change(json!({})).unwrap(), (None, None));
    assert_eq!(change(json!({ "visibility": "shared" })).unwrap(), (Some(Visibility::Shared), None));
    let (visibility, spec) = change(json!({ "description": { "containers": [{}] } })).unwrap();
    assert!(visibility.is_none() && spec.is_some_and(|spec| spec.lifetime_minutes == 240));
    assert_names(&change(json!({ "visibility": "all" })).unwrap_err(), "visibility", "private or shared");
    let error = change(json!({ "description": { "containers": [{ "ports": [0] }] } })).unwrap_err();
    assert_names(&error, "description.containers[0].ports", PORTS);
    for body in [json!({}), json!({ "visibility": "shared" })] {
        comes_back::<EnvironmentChange>(&body);
    }
}

#[test]
fn what_is_asked_beyond_the_usual_is_only_what_is_written() {
    let asks = |asks: Value| described(&json!({ "containers": [{}], "asks": asks })).unwrap().asks;
    assert_eq!(asks(json!({})), Asks::default());
    assert_eq!(asks(json!({ "egress": true })), Asks { egress: true, ..Asks::default() });
    assert_eq!(asks(json!({ "root": true, "privileged": false })), Asks { root: true, ..Asks::default() });
    let shown = |asks: Value| {
        let spec = described(&json!({ "containers": [{}], "asks": asks })).unwrap();
        serde_json::to_value(EnvironmentDescription::of(&spec)).unwrap()
    };
    assert!(shown(json!({ "root": false })).get("asks").is_none(), "who asks for nothing is shown so");
    assert_eq!(
        shown(json!({ "pids": 512 }))["asks"],
        json!({ "root": false, "egress": false, "privileged": false, "pids": 512 })
    );
}

#[test]
fn contents_of_files_are_not_written_into_logs() {
    let body = json!({ "name": "a", "description": one(json!({
        "files": [{ "path": "/etc/key", "content": "s3cret" }]
    })) });
    let request: EnvironmentRequest = read(&body);
    let change = EnvironmentChange { visibility: None, description: Some(request.description.clone()) };
    for text in [format!("{request:?}"), format!("{change:#?}"), format!("{:?}", request.to_model(&defaults()))] {
        assert!(text.contains("/etc/key") && !text.contains("s3cret"), "{text}");
    }
    let error = described(&one(json!({ "files": [{ "path": "etc", "content": "s3cret" }] }))).unwrap_err();
    assert!(!format!("{error:?}").contains("s3cret"));
}

/// A container of any accepted form, but for its name.
fn container() -> impl Strategy<Value = Value> {
    let limits = (proptest::option::of(1_u32..64_000), proptest::option::of(6_u32..100_000), 0_u32..3_000);
    let files = proptest::collection::vec(("/[a-z]{1,8}(/[a-z.]?[a-z]{1,6}){0,2}", "\\PC{0,20}", 0_u32..=0o7777), 0..4);
    let runs = (proptest::collection::vec("[ -~]{1,12}", 0..4), proptest::option::of("[a-z]{1,8}(:[0-9]{1,4})?"));
    let rest = (proptest::collection::vec(1_u16.., 0..6), proptest::option::of("\\PC{0,30}"), any::<bool>());
    (limits, files, runs, rest).prop_map(|((millis, memory, more), files, (command, user), (ports, startup, rooted))| {
        let files = files.iter().map(|(path, content, mode)| {
            json!({ "path": path, "content": content, "mode": format!("{mode:o}") })
        });
        json!({
            "cpus": millis.map(|millis| f64::from(millis) / 1000.0), "memory": memory, "command": command, "user": user,
            "cpu_limit": millis.map(|millis| f64::from(millis + more) / 1000.0), "ports": ports, "startup": startup,
            "files": files.collect::<Vec<_>>(), "working_dir": rooted.then_some("/srv"),
            "environment": { "EDITOR": user },
        })
    })
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_shown_so_that_it_says_the_same_again(
        mut containers in proptest::collection::vec(container(), 1..=10),
        (lifetime, idle, warm) in (1_u32..=10_080, 0_u32..=10_080, 0_u32..=100),
        (root, egress, pids) in (any::<bool>(), any::<bool>(), proptest::option::of(1_u32..=4096)),
    ) {
        for (at, container) in containers.iter_mut().enumerate() {
            container["name"] = json!(format!("c{at}"));
            if container["environment"]["EDITOR"].is_null() {
                container["environment"] = json!({});
            }
        }
        let asks = json!({ "root": root, "egress": egress, "pids": pids });
        let body = json!({ "containers": containers, "lifetime_minutes": lifetime, "idle_minutes": idle, "warm": warm, "asks": asks });
        let spec = described(&body).unwrap();
        let shown = serde_json::to_value(EnvironmentDescription::of(&spec)).unwrap();
        prop_assert_eq!(described(&shown).unwrap(), spec);
        comes_back::<EnvironmentDescription>(&shown);
    }

    #[test]
    fn any_text_in_any_place_is_accepted_or_refused_by_the_name_of_its_field(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
        for (container, field) in [
            (json!({ "name": text }), "name"),
            (json!({ "image": text }), "image"),
            (json!({ "working_dir": text }), "working_dir"),
            (json!({ "user": text }), "user"),
            (json!({ "command": [text] }), "command"),
            (json!({ "startup": text }), "startup"),
            (json!({ "files": [{ "path": text }] }), "files[0].path"),
            (json!({ "files": [{ "path": "/a", "mode": text }] }), "files[0].mode"),
            (json!({ "environment": { &text: "x" } }), "environment"),
        ] {
            if let Err(error) = described(&one(container)) {
                let field = format!("containers[0].{field}");
                prop_assert!(error.field.starts_with(&field) && error.message.starts_with(&error.field), "{}", error);
            }
        }
    }
}
