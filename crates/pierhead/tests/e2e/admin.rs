//! `pierhead admin`: a forgotten password, set anew on the server's own machine.

use crate::api::Api;
use crate::controller::{Controller, PASSWORD};
use crate::place::Place;
use crate::program::{Ended, program};

fn reset(controller: &Controller, flags: &[&str], input: &str) -> Ended {
    let mut command = program();
    command.args(["admin", "reset-password", "--data-dir"]).arg(controller.data_dir()).args(flags);
    Ended::with_input(&mut command, input)
}

#[test]
fn a_forgotten_password_is_set_anew_while_the_server_is_stopped() {
    let place = Place::new();
    let dir = place.beside("controller");
    let file = dir.join("password").display().to_string();
    let mut controller = Controller::new(&dir, &["--admin-password-file", &file], &[]);
    let token = Api::new(&controller.start(), None).log_in(PASSWORD).unwrap();

    let running = reset(&controller, &[], "");
    assert_eq!(running.code, 1, "{running:?}");
    assert!(running.stderr.contains("Stop the server (containers run on)"), "{running:?}");
    assert!(!running.stdout.contains("password:"), "nothing was changed: {running:?}");
    controller.kill();
    assert_eq!(reset(&controller, &["--username", "nobody"], "").code, 1);
    assert_eq!(reset(&controller, &["--password-stdin"], "short\n").code, 1);

    let told = reset(&controller, &["--json"], "");
    assert_eq!((told.code, &told.json()["username"]), (0, &"admin".into()), "{told:?}");
    assert!(told.json()["password"].as_str().unwrap().len() >= 8, "{told:?}");
    let done = reset(&controller, &[], "");
    assert_eq!(done.code, 0, "{done:?}");
    let password = done.stdout.lines().find_map(|line| line.trim().strip_prefix("password:")).unwrap().trim();
    let url = controller.start();
    let api = Api::new(&url, None);
    assert!(api.log_in(PASSWORD).is_err() && api.log_in(password).is_ok());
    let held = Api::new(&url, Some(&token));
    assert!(held.wait(held.client.apps()).is_err(), "whoever knew the old one is logged out");
    controller.kill();

    let chosen = reset(&controller, &["--password-stdin"], "a password of my own\n");
    assert!(chosen.code == 0 && !chosen.stdout.contains("a password of my own"), "{chosen:?}");
    assert!(Api::new(&controller.start(), None).log_in("a password of my own").is_ok());
}

#[test]
fn a_directory_without_a_server_is_named_and_left_alone() {
    let place = Place::new();
    let empty = place.beside("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let refused = Ended::of(program().args(["admin", "reset-password", "--data-dir"]).arg(&empty));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("holds no data of a server"), "{refused:?}");
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0, "nothing was made there");
}
