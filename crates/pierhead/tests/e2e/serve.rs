//! `pierhead serve` alone, without hosts: how it starts, ends, starts again and refuses to start.

use std::fs;
use std::time::Duration;

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::place::Place;
use crate::program::{Ended, program, signal};

/// The word behind `password:` in the output of a first start.
fn printed_password(output: &str) -> Vec<&str> {
    output.lines().filter_map(|line| line.trim().strip_prefix("password:").map(str::trim)).collect()
}

#[test]
fn the_password_is_printed_once_and_outlives_a_restart_with_the_tokens() {
    let place = Place::new();
    let mut controller = Controller::new(&place.beside("controller"), &[], &[]);
    let api = Api::new(&controller.start(), None);
    let output = controller.output();
    let password = printed_password(&output)[0].to_owned();
    assert!(password.len() >= 16, "{password}");
    let token = api.log_in(&password).unwrap();
    assert!(api.log_in("another").is_err());

    signal(controller.process().pid(), "TERM");
    let (status, took) = controller.process().end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");

    let url = controller.start();
    assert_eq!(printed_password(&controller.output()), [&password], "shown once only");
    assert!(Api::new(&url, None).log_in(&password).is_ok());
    let held = Api::new(&url, Some(&token));
    assert_eq!(held.wait(held.client.apps()).unwrap().into_value(), []);
    signal(controller.process().pid(), "INT");
    assert!(controller.process().end().0.success());
}

#[test]
fn the_password_may_come_from_a_file() {
    let place = Place::new();
    let dir = place.beside("controller");
    let file = dir.join("password").display().to_string();
    let mut controller = Controller::new(&dir, &["--admin-password-file", &file], &[]);
    let api = Api::new(&controller.start(), None);
    assert!(api.log_in(PASSWORD).is_ok());
    assert!(!controller.output().contains(PASSWORD) && printed_password(&controller.output()).is_empty());

    // The first start decides: another file later changes nothing.
    controller.kill();
    fs::write(controller.password_file(), "quite another password").unwrap();
    let api = Api::new(&controller.start(), None);
    assert!(api.log_in(PASSWORD).is_ok());
    assert!(api.log_in("quite another password").is_err());

    // Nor is it needed any more: who keeps no password in a file removes it.
    controller.kill();
    fs::remove_file(controller.password_file()).unwrap();
    assert!(Api::new(&controller.start(), None).log_in(PASSWORD).is_ok());
}

#[test]
fn what_it_can_not_start_with_is_refused_by_name() {
    let place = Place::new();
    let dir = place.beside("controller");
    let mut controller = Controller::new(&dir, &[], &[]);
    let url = controller.start();
    let port = url.rsplit(':').next().unwrap().to_owned();
    let at = |name: &str| place.beside(name).display().to_string();
    fs::write(at("short"), "12").unwrap();
    fs::write(at("config.toml"), "lissten = \"127.0.0.1:0\"").unwrap();
    fs::write(at("a-file"), "").unwrap();
    let (live, short, config) = (controller.data_dir().display().to_string(), at("short"), at("config.toml"));
    let (fresh, fresher, a_file) = (at("fresh"), at("fresher"), at("a-file"));
    for (args, parts) in [
        (vec!["--data-dir", &live, "--listen", "127.0.0.1:0"], vec![live.as_str(), "--data-dir"]),
        (vec!["--data-dir", &fresh, "--port", &port], vec!["cannot listen", &port]),
        (vec!["--data-dir", &fresher, "--listen", "127.0.0.1:0", "--admin-password-file", &short], vec![&short]),
        (vec!["--data-dir", &a_file, "--listen", "127.0.0.1:0"], vec![&a_file]),
        (vec!["--data-dir", &fresh, "--config", &config], vec![&config, "lissten"]),
        (vec!["--data-dir", &fresh, "--heartbeat-interval", "1ms"], vec!["--heartbeat-interval"]),
        (vec!["--data-dir", &fresh, "--listen", "nowhere"], vec!["--listen"]),
    ] {
        let ended = Ended::of(program().arg("serve").args(&args));
        assert!(ended.code == 1 || ended.code == 2, "{args:?}: {ended:?}");
        for part in parts {
            assert!(ended.stderr.contains(part), "{args:?}: {part} in {}", ended.stderr);
        }
    }
    assert!(Api::new(&url, None).wait(async { true }) && controller.process().has_ended().is_none());
    let api = Api::new(&url, None);
    assert!(api.wait(api.client.health()).is_ok(), "the live one goes on");
}
