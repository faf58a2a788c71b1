use super::*;
use crate::Cli;
use clap::{CommandFactory, Parser};
use pierhead_api::{LogInLimits, PublicUrl};
use std::time::Duration;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    serve: ServeArgs,
}

pub(super) fn settle(flags: &[&str]) -> Result<Settings> {
    Flags::try_parse_from([&["pierhead", "--data-dir", "/tmp/x"], flags].concat())?.serve.settle()
}

#[test]
fn spans_have_units() {
    let millis = |text: &str| text.parse::<Span>().map(Span::millis);
    assert_eq!(millis("1s"), Ok(1_000));
    assert_eq!(millis("250ms"), Ok(250));
    assert_eq!(millis("1.5m"), Ok(90_000));
    assert_eq!(millis("3"), Ok(3_000));
    assert_eq!(millis("30d"), Ok(2_592_000_000));
    for bad in ["", "s", "-1s", "1w", "1e99s", "NaN"] {
        assert!(millis(bad).is_err(), "{bad}");
    }
}

#[test]
fn flags_count_more_than_the_file_and_the_file_more_than_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pierhead.toml");
    std::fs::write(
        &file,
        "listen = \"0.0.0.0:9000\"\ngrace = \"5s\"\nheartbeat-interval = 2\nhost-ports = \"100-200\"\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let settings = settle(&["--config", file, "--grace", "7s", "--port", "1234"]).unwrap();
    assert_eq!(settings.listen.to_string(), "0.0.0.0:1234");
    assert_eq!(settings.controller.policy.grace_ms, 7_000);
    assert_eq!(settings.controller.heartbeat.interval, Duration::from_secs(2));
    assert_eq!(settings.controller.policy.placement.host_ports, 100..=200);
    assert_eq!(settings.controller.policy.orphan_grace_ms, 10_000);
}

#[test]
fn the_originals_flags_work() {
    let settings = settle(&["--port", "8081", "--debug", "--image", "alpine"]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8081");
    assert!(settings.debug);
    assert_eq!(settings.defaults.image.as_deref(), Some("alpine"));
}

#[test]
fn image_archives_lie_in_the_data_directory_and_have_a_limit() {
    let images = |flags: &[&str]| {
        let controller = settle(flags).unwrap().controller;
        (controller.images.spool().to_owned(), controller.largest_image_bytes)
    };
    assert_eq!(images(&[]), (PathBuf::from("/tmp/x/images"), 4 << 30));
    assert_eq!(images(&["--largest-image", "100"]).1, 100 << 20);
}

#[test]
fn bad_values_are_refused_with_the_accepted_form() {
    for (flags, expected) in [
        (vec!["--grace", "soon"], "a span of time"),
        (vec!["--host-ports", "9-1"], "a range of ports"),
        (vec!["--default-memory", "1"], "from 6 to"),
        (vec!["--largest-image", "0"], "--largest-image"),
        (vec!["--cpu-weight", "-1"], "--cpu-weight"),
        (vec!["--image", "Not An Image"], "--image"),
        (vec!["--starts-per-engine", "0"], "at least 1"),
        (vec!["--login-window", "10ms"], "at least 1s"),
        (vec!["--public-url", "pool.example"], "--public-url \"pool.example\" must be https://HOST"),
        (vec!["--public-url", "https://pool.example/pierhead"], "without a path"),
        (vec!["--advertise-url", "10.0.0.1:8080"], "--advertise-url \"10.0.0.1:8080\" must be https://HOST"),
        (vec!["--advertise-url", "https://a.example/x"], "without a path"),
    ] {
        let flags: Vec<&str> = match flags.as_slice() {
            [flag, value] if value.starts_with('-') => vec![Box::leak(format!("{flag}={value}").into_boxed_str())],
            other => other.to_vec(),
        };
        let message = format!("{:#}", settle(&flags).unwrap_err());
        assert!(message.contains(expected), "{flags:?}: {message}");
    }
}

#[test]
fn limits_on_log_in_can_be_set_and_lifted() {
    let limits = |flags: &[&str]| settle(flags).unwrap().log_in_limits;
    assert_eq!(limits(&[]), LogInLimits::default());
    let set = ["--login-attempts-per-account", "0", "--login-attempts-per-address", "9", "--login-window", "1m"];
    assert_eq!(limits(&set), LogInLimits { per_account: 0, per_address: 9, window_ms: 60_000 });
}

#[test]
fn a_public_url_can_be_set() {
    assert_eq!(settle(&[]).unwrap().public_url, None);
    let set = settle(&["--public-url", "https://pool.example"]).unwrap().public_url;
    assert_eq!(set, Some(PublicUrl::parse("https://pool.example").unwrap()));
}

#[test]
fn where_a_controller_is_reached_can_be_said() {
    assert_eq!(settle(&[]).unwrap().advertise_url, None);
    let said = settle(&["--advertise-url", "https://ctl-1.example:8443/"]).unwrap().advertise_url;
    assert_eq!(said.as_deref(), Some("https://ctl-1.example:8443"));
}

#[test]
fn an_unknown_setting_of_the_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pierhead.toml");
    std::fs::write(&file, "lisen = \"0.0.0.0:9000\"\n").unwrap();
    let message = format!("{:#}", settle(&["--config", file.to_str().unwrap()]).unwrap_err());
    assert!(message.contains("lisen"), "{message}");
}

/// What is refused is refused with the bounds that stand in the table of settings.
#[test]
fn the_docs_tell_what_is_refused() {
    let docs = include_str!("../../../../../docs/settings.md");
    for (flag, bad, bounds) in [
        ("--agent-certificate-life", "4s", &["5s", "3650d"][..]),
        ("--heartbeat-interval", "49ms", &["50ms"]),
        ("--cpu-weight", "1000001", &["0", "1000000"]),
        ("--memory-weight", "1000001", &["0", "1000000"]),
        ("--default-cpus", "0", &["0.001", "1024"]),
        ("--default-memory", "5", &["6", "16777216"]),
        ("--pids-limit", "0", &["1"]),
        ("--starts-per-engine", "0", &["1"]),
        ("--operation-timeout", "999ms", &["1s"]),
        ("--gone-log-bytes", "1048577", &["1048576"]),
        ("--gone-logs-kept", "100001", &["100000"]),
        ("--largest-image", "16777217", &["1", "16777216"]),
        ("--events-kept", "0", &["1"]),
        ("--login-window", "999ms", &["1s"]),
    ] {
        let refused = settle(&["--agent-listen", "127.0.0.1:0", flag, bad]).unwrap_err().to_string();
        let row = docs.lines().find(|line| line.starts_with(&format!("| `{flag}`"))).unwrap();
        let takes = row.split(" | ").nth(2).unwrap();
        for bound in bounds {
            assert!(refused.contains(flag) && refused.contains(bound), "{flag} {bad}: {refused}");
            assert!(takes.contains(bound), "{flag}: {takes} does not say {bound}");
        }
    }
}

/// The table of settings in the docs names every flag, its variable and its default.
#[test]
fn the_docs_list_every_setting() {
    let docs = include_str!("../../../../../docs/settings.md");
    let mut command = Cli::command();
    let serve = command.find_subcommand_mut("serve").unwrap();
    for argument in serve.get_arguments().filter(|argument| argument.get_env().is_some() && argument.get_id() != "url")
    {
        let Some(long) = argument.get_long() else { continue };
        let variable = argument.get_env().unwrap().to_str().unwrap();
        if argument.is_global_set() {
            continue;
        }
        let row =
            docs.lines().find(|line| line.contains(&format!("`--{long}`")) && line.contains(&format!("`{variable}`")));
        let row = row.unwrap_or_else(|| panic!("docs/settings.md has no row for --{long} and {variable}"));
        let help = argument.get_help().unwrap().to_string();
        if let Some((_, default)) = help.split_once("[default: ") {
            let default = default.trim_end_matches(']');
            assert!(row.contains(default), "the row of --{long} does not say that its default is {default}");
        }
    }
}

#[test]
fn settings_with_which_nothing_works_are_refused() {
    for (flags, named) in [
        (&["--cpu-weight", "0", "--memory-weight", "0"][..], "--cpu-weight"),
        (&["--operation-timeout", "0"], "--operation-timeout"),
        (&["--operation-timeout", "999ms"], "--operation-timeout"),
        (&["--events-kept", "0"], "--events-kept"),
    ] {
        let refused = settle(flags).unwrap_err().to_string();
        assert!(refused.contains(named) && refused.contains("must be"), "{flags:?}: {refused}");
    }
    settle(&["--cpu-weight", "0", "--operation-timeout", "1s", "--events-kept", "1"]).unwrap();
}
