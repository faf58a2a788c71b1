//! What people read while something is not as it should be.

use super::host::Fault;
use super::people::{restarting, spec};
use super::simulation::Simulation;
use pierhead_model::{ContainerState, FailureKind, RestartPolicy};

fn one(restart: RestartPolicy) -> Simulation {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, restarting("httpd", restart));
    pool.settle();
    pool
}

/// The phase and message of the slot, and what it waits for.
fn words(pool: &Simulation) -> String {
    let status = pool.status("web", 0);
    format!("{}: {}\n{}", status.phase.as_str(), status.message, pool.reasons().join("\n"))
}

#[test]
fn all_is_well() {
    insta::assert_snapshot!(words(&one(RestartPolicy::Always)), @"running:");
}

#[test]
fn it_starts() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").latency_ms = 1_000;
    pool.run("web", 1, spec("httpd"));
    insta::assert_snapshot!(words(&pool), @"waiting: waits for a host");
    pool.round();
    insta::assert_snapshot!(words(&pool), @"starting: starts on host a");
}

#[test]
fn it_is_being_stopped_and_is_stopped() {
    let mut pool = one(RestartPolicy::Always);
    pool.host("a").latency_ms = 1_000;
    pool.stop("web", 0);
    pool.round();
    insta::assert_snapshot!(words(&pool), @"running: is being stopped on host a");
    pool.settle();
    insta::assert_snapshot!(words(&pool), @"stopped:");
}

#[test]
fn it_is_being_removed() {
    let mut pool = one(RestartPolicy::Always);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    pool.host("a").latency_ms = 1_000;
    pool.destroy("web", &[0]);
    pool.round();
    insta::assert_snapshot!(words(&pool), @"removing: is being removed from host a");
    pool.settle();
    insta::assert_snapshot!(words(&pool), @"removed:");
}

#[test]
fn its_host_is_lost() {
    let mut pool = one(RestartPolicy::Always);
    pool.host("a").answers = false;
    pool.round();
    insta::assert_snapshot!(words(&pool), @"
    lost: host a is down
    0: host a is down: no answer within 1000 ms; goes to another host in 3 s
    ");
    pool.run_for(5_000);
    insta::assert_snapshot!(words(&pool), @"
    lost: host a is down
    0: no place on the only host, a: down: no answer within 1000 ms
    ");
    pool.stop("web", 0);
    pool.run_for(1_000);
    insta::assert_snapshot!(words(&pool), @"
    lost: host a is down
    0: is stopped as soon as host a answers
    ");
}

#[test]
fn its_host_is_not_known_yet() {
    let mut pool = one(RestartPolicy::Always);
    pool.crash();
    insta::assert_snapshot!(words(&pool), @"
    starting: starts on host a
    0: waits for the first answer of host a
    ");
    pool.host("a").lists = false;
    pool.observe();
    insta::assert_snapshot!(words(&pool), @"
    starting: starts on host a
    0: waits until it is known what runs on host a
    ");
}

#[test]
fn it_failed_and_is_tried_again() {
    let mut pool = one(RestartPolicy::Always);
    let image = "httpd:latest".to_owned();
    pool.host("a").faults.push(Fault { image, kind: FailureKind::NoSpace, times: 100, is_made: false });
    pool.host("a").containers.clear();
    pool.run_for(1_000);
    insta::assert_snapshot!(words(&pool), @"
    waiting: failed on host a: a cannot run httpd:latest
    0: no place on the only host, a: failed there before: a cannot run httpd:latest; is tried again in 1 s
    ");
}

#[test]
fn it_exits() {
    let mut pool = one(RestartPolicy::OnFailure { maximum_retry_count: 0 });
    let id = pool.status("web", 0).container.unwrap();
    pool.host("a").exits.insert("httpd:latest".to_owned(), 137);
    pool.host("a").end(&id, 137);
    pool.run_for(500);
    insta::assert_snapshot!(words(&pool), @"
    starting: exited on host a (exit code 137: killed, often because it used more memory than its limit) and is started again
    0: exited (exit code 137: killed, often because it used more memory than its limit); is started again in 1 s
    ");
    pool.run_for(20_000);
    insta::assert_snapshot!(words(&pool), @"
    starting: exited on host a (exit code 137: killed, often because it used more memory than its limit) and is started again
    0: exited (exit code 137: killed, often because it used more memory than its limit); is started again in 11 s
    ");
}

#[test]
fn its_engine_restarts_it() {
    let mut pool = one(RestartPolicy::Always);
    let id = pool.status("web", 0).container.unwrap();
    let container = pool.host("a").containers.get_mut(&id).unwrap();
    container.state = ContainerState::Restarting;
    container.restart_count = 2;
    container.exit_code = Some(1);
    pool.observe();
    insta::assert_snapshot!(words(&pool), @"
    starting: exited on host a (exit code 1) and is started again
    0: exits and is restarted by its engine (exit code 1)
    ");
}

#[test]
fn it_is_removed_again_and_again() {
    let mut pool = one(RestartPolicy::Always);
    pool.host("a").containers.clear();
    pool.run_for(500);
    pool.host("a").containers.clear();
    pool.run_for(300);
    insta::assert_snapshot!(words(&pool), @"
    starting: starts on host a
    0: was removed from its host again and again; is made anew in 1 s
    ");
}
