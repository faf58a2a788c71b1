//! Slots: stopped, started and restarted, and made of several containers.

use super::people::{DEADLINE_MS, restarting, spec};
use super::simulation::{Simulation, engine};
use crate::SlotPhase;
use pierhead_model::{ContainerState, Generation, OperationState, Resources, RestartPolicy};

fn one() -> Simulation {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    pool
}

#[test]
fn a_stopped_slot_is_kept_with_its_reservation_and_starts_as_the_same_container() {
    let mut pool = one();
    let id = pool.status("web", 0).container;
    let stop = pool.stop("web", 0);
    pool.settle();
    assert_eq!((pool.state(&stop), pool.status("web", 0).phase), (OperationState::Done, SlotPhase::Stopped));
    assert_eq!(pool.world.ledger().totals().reserved, Resources::new(100, 64));
    let start = pool.restart("web", 0);
    pool.settle();
    assert_eq!(pool.state(&start), OperationState::Done);
    assert_eq!(pool.status("web", 0).container, id);
    assert_eq!(pool.journal.iter().filter(|line| line.contains(": start ")).count(), 1, "{:?}", pool.journal);
    assert_eq!(pool.assignment("web", 0).generation, Generation::FIRST);
}

#[test]
fn a_stopped_slot_stays_where_it_is_while_its_host_is_lost() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    pool.stop("web", 0);
    pool.settle();
    pool.host("a").answers = false;
    pool.run_for(60_000);
    assert_eq!(pool.creations(), 1);
    let start = pool.restart("web", 0);
    pool.settle();
    assert_eq!((pool.state(&start), pool.running()["b"].len()), (OperationState::Done, 1));
    pool.host("a").answers = true;
    pool.settle();
}

#[test]
fn a_restart_is_carried_out_once() {
    let mut pool = one();
    let id = pool.status("web", 0).container;
    let restart = pool.restart("web", 0);
    pool.settle();
    assert_eq!((pool.state(&restart), pool.status("web", 0).container), (OperationState::Done, id));
    assert_eq!(pool.journal.iter().filter(|line| line.contains("restart")).count(), 1);
    assert_eq!(pool.assignment("web", 0).restarts_done, 1);
}

#[test]
fn what_is_made_after_a_restart_was_asked_is_not_restarted_again() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").latency_ms = 1_000;
    pool.run("web", 1, spec("httpd"));
    pool.round();
    pool.stop("web", 0);
    pool.forget_steps();
    let start = pool.restart("web", 0);
    pool.settle();
    assert_eq!(pool.state(&start), OperationState::Done);
    assert_eq!(pool.journal.iter().filter(|line| line.contains("restart")).count(), 0, "{:?}", pool.journal);
}

#[test]
fn a_slot_stopped_before_it_has_a_host_gets_none() {
    let mut pool = Simulation::new(&["a"]);
    let run = pool.run("web", 1, spec("httpd"));
    let stop = pool.stop("web", 0);
    pool.rest();
    assert_eq!((pool.journal.len(), pool.state(&stop)), (0, OperationState::Done));
    assert!(pool.now.0 < 1_000_000 + DEADLINE_MS, "nobody waits for what was stopped");
    assert_eq!(pool.state(&run), OperationState::Done);
    pool.restart("web", 0);
    pool.settle();
    assert_eq!(pool.count("web"), 1);
}

#[test]
fn a_group_is_placed_together_and_restarted_together() {
    let mut pool = Simulation::new(&["a", "b"]);
    let run = pool.run_group("lab", 2, vec![("main", spec("shell")), ("db", spec("mysql"))]);
    pool.settle();
    assert_eq!(pool.state(&run), OperationState::Done);
    assert_eq!(pool.running()["a"], ["lab.0.1", "lab.0.1.db"]);
    assert_eq!(pool.running()["b"], ["lab.1.1", "lab.1.1.db"]);
    let restart = pool.restart("lab", 1);
    pool.settle();
    assert_eq!(pool.state(&restart), OperationState::Done);
    assert_eq!(pool.journal.iter().filter(|line| line.contains("restart")).count(), 2);
}

#[test]
fn a_group_that_lost_a_member_is_made_anew_whole() {
    let mut pool = Simulation::new(&["a"]);
    pool.run_group("lab", 1, vec![("main", spec("shell")), ("db", spec("mysql"))]);
    pool.settle();
    pool.host("a").containers.retain(|_, container| !container.name.ends_with("db"));
    pool.settle();
    assert_eq!(pool.running()["a"], ["lab.0.2", "lab.0.2.db"]);
    assert_eq!(pool.assignment("lab", 0).former.len(), 2);
}

#[test]
fn all_members_that_exited_are_started_at_once() {
    let mut pool = Simulation::new(&["a"]);
    let policy = RestartPolicy::OnFailure { maximum_retry_count: 0 };
    pool.run_group("lab", 1, vec![("main", restarting("shell", policy)), ("db", restarting("mysql", policy))]);
    pool.settle();
    let ids: Vec<_> = pool.host("a").containers.keys().cloned().collect();
    ids.iter().for_each(|id| pool.host("a").end(id, 1));
    pool.round();
    pool.round();
    assert_eq!(pool.count("lab"), 2);
    assert_eq!(pool.assignment("lab", 0).retries, 1, "it is one exit of the slot");
    pool.settle();
}

#[test]
fn what_was_created_and_not_started_is_started() {
    let mut pool = Simulation::new(&["a"]);
    pool.run_group("lab", 1, vec![("main", spec("shell")), ("db", spec("mysql"))]);
    pool.settle();
    for container in pool.host("a").containers.values_mut() {
        container.state = ContainerState::Created;
    }
    pool.journal.clear();
    pool.settle();
    assert_eq!(pool.journal.len(), 2);
    assert_eq!(pool.assignment("lab", 0).generation, Generation::FIRST);
    assert_eq!(pool.hosts[&engine("a")].running().len(), 2);
}

#[test]
fn the_log_is_read_before_a_container_that_keeps_exiting_goes() {
    let mut pool = Simulation::new(&["a"]);
    pool.host("a").exits.insert("httpd:latest".to_owned(), 3);
    let run = pool.run("web", 1, spec("httpd"));
    pool.settle();
    let at = |what: &str| pool.journal.iter().position(|line| line.starts_with(what)).unwrap();
    assert!(at("a: read the log of ax1") < at("a: remove ax1"), "{:?}", pool.journal);
    assert_eq!(pool.error(&run), "exited: keeps exiting on host a (exit code 3)");
}

#[test]
fn a_slot_that_runs_for_a_moment_has_not_started() {
    let mut pool = Simulation::new(&["a"]);
    let run = pool.run("web", 1, spec("httpd"));
    pool.run_until("runs", |pool| pool.count("web") == 1);
    pool.run_for(300);
    assert!(!pool.state(&run).has_ended());
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").exits.insert("httpd:latest".to_owned(), 3);
    pool.host("a").end(&id, 3);
    pool.settle();
    assert_eq!(pool.error(&run), "exited: keeps exiting on host a (exit code 3)");
    // One that stumbles once has started when it has run for long enough.
    pool.host("a").exits.clear();
    let run = pool.run("web", 1, spec("httpd"));
    pool.run_until("runs", |pool| pool.count("web") == 1);
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").end(&id, 3);
    let again = pool.now;
    pool.settle();
    assert_eq!(pool.state(&run), pierhead_model::OperationState::Done);
    let took = pool.operation(&run).ended_at.unwrap().since(again);
    assert!((500..=1_500).contains(&took), "{took} ms");
}

#[test]
fn what_is_paused_behind_our_back_does_not_count_and_is_restarted() {
    let mut pool = one();
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").containers.get_mut(&id).unwrap().state = ContainerState::Paused;
    pool.run_for(1_000);
    let status = pool.status("web", 0);
    assert!(!status.serves && status.phase == SlotPhase::Starting, "{status:?}");
    assert_eq!(
        (status.message.as_str(), pool.reasons().join("")),
        ("is paused on host a", "0: was paused on host a; is restarted in 9 s".to_owned())
    );
    pool.settle();
    assert_eq!(pool.journal.last().unwrap(), "a: restart ax1");
    assert!(pool.status("web", 0).serves);
    // Somebody lets it go on in time.
    pool.host("a").containers.get_mut(&id).unwrap().state = ContainerState::Paused;
    pool.run_for(5_000);
    pool.host("a").containers.get_mut(&id).unwrap().state = ContainerState::Running;
    let steps = pool.journal.len();
    pool.settle();
    assert_eq!((pool.journal.len(), pool.status("web", 0).serves), (steps, true));
}
