//! Records of a backup, put back when the hosts have gone on since.

use super::people::{DEADLINE_MS, key, restarting, single_writer, spec};
use super::simulation::{Records, Simulation};
use crate::unknown_to_records;
use pierhead_model::{ContainerId, OperationState, RestartPolicy};
use std::collections::BTreeSet;

/// Much longer than any grace time.
const LONG_MS: u64 = 3 * DEADLINE_MS;

fn running(pool: &Simulation) -> BTreeSet<ContainerId> {
    let containers = pool.hosts.values().flat_map(|host| host.containers.values());
    containers.filter(|container| container.state.is_running()).map(|container| container.id.clone()).collect()
}

fn unknown(pool: &Simulation) -> usize {
    unknown_to_records(&pool.world).count()
}

/// The records become those of the backup, and a controller begins with them. For a long time nothing may be done.
fn restore(pool: &mut Simulation, backup: &Records) {
    pool.records = backup.clone();
    pool.crash();
    pool.world.is_restored = true;
    pool.journal.clear();
    let before = running(pool);
    pool.run_for(LONG_MS);
    assert_eq!(pool.journal, Vec::<String>::new(), "nothing is done before somebody says that all is well");
    assert_eq!(running(pool), before);
}

fn say_that_all_is_well(pool: &mut Simulation) {
    pool.world.is_restored = false;
    pool.journal.clear();
    pool.settle();
}

fn web(count: u32) -> Simulation {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.run("web", count, spec("httpd"));
    pool.settle();
    pool
}

#[test]
fn where_nothing_changed_nothing_is_done() {
    let mut pool = web(6);
    let backup = pool.records.clone();
    restore(&mut pool, &backup);
    assert_eq!(unknown(&pool), 0);
    say_that_all_is_well(&mut pool);
    assert_eq!(pool.journal, Vec::<String>::new());
}

#[test]
fn what_was_added_since_is_kept_and_told_until_it_is_let_go() {
    let mut pool = web(2);
    let backup = pool.records.clone();
    pool.run("web", 3, spec("httpd"));
    pool.run("new", 2, spec("httpd"));
    pool.settle();
    let before = running(&pool);
    restore(&mut pool, &backup);
    assert_eq!((unknown(&pool), running(&pool)), (5, before.clone()));

    // Without the mark they would go: what keeps them is seen to be the mark.
    let mut rash = pool.clone();
    rash.world.is_restored = false;
    rash.run_for(60_000);
    assert_eq!((rash.count("new"), rash.count("web")), (0, 2));

    say_that_all_is_well(&mut pool);
    assert_eq!((unknown(&pool), pool.count("web"), pool.count("new")), (0, 2, 0));
    assert!(running(&pool).is_subset(&before), "none was made anew");
}

#[test]
fn what_moved_since_is_found_where_it_is() {
    let mut pool = web(6);
    let backup = pool.records.clone();
    pool.drain("a");
    pool.settle();
    let before = running(&pool);
    restore(&mut pool, &backup);
    assert_eq!(unknown(&pool), 0);
    say_that_all_is_well(&mut pool);
    assert_eq!((pool.journal.clone(), running(&pool)), (Vec::new(), before));
}

#[test]
fn a_run_that_was_not_placed_yet_is_found_done() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    let run = pool.run("web", 6, spec("httpd"));
    let backup = pool.records.clone();
    assert!(backup.assignments.is_empty(), "the backup knows of none of them");
    pool.settle();
    let before = running(&pool);
    assert_eq!(before.len(), 6);
    // By then its time is over.
    restore(&mut pool, &backup);
    assert_eq!((pool.state(&run), unknown(&pool)), (OperationState::Done, 0));
    say_that_all_is_well(&mut pool);
    assert_eq!((pool.journal.clone(), running(&pool)), (Vec::new(), before));
}

#[test]
fn what_is_gone_since_is_made_only_when_somebody_says_so() {
    let mut pool = web(4);
    let backup = pool.records.clone();
    pool.destroy("web", &[1]);
    pool.settle();
    restore(&mut pool, &backup);
    assert!(pool.reasons().iter().any(|reason| reason.contains("pierhead cluster settle")), "{:?}", pool.reasons());
    say_that_all_is_well(&mut pool);
    assert_eq!(pool.count("web"), 4);
}

/// As whoever restores may want it: what was added since has a place again, without being made anew.
#[test]
fn what_was_added_since_is_kept_if_it_is_asked_for_again() {
    let mut pool = web(2);
    let backup = pool.records.clone();
    pool.run("web", 3, spec("httpd"));
    pool.settle();
    let before = running(&pool);
    restore(&mut pool, &backup);
    assert_eq!(unknown(&pool), 3);
    let again = pool.run("web", 3, spec("httpd"));
    pool.run_for(10_000);
    assert_eq!((unknown(&pool), pool.state(&again)), (0, OperationState::Done));
    say_that_all_is_well(&mut pool);
    assert_eq!((pool.journal.clone(), running(&pool)), (Vec::new(), before));
}

#[test]
fn a_job_that_ended_since_is_not_done_again() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("job", 1, restarting("httpd", RestartPolicy::No));
    pool.settle();
    let backup = pool.records.clone();
    let host = pool.host("a");
    let id = host.containers.keys().next().unwrap().clone();
    let job = host.containers.get_mut(&id).unwrap();
    job.state = pierhead_model::ContainerState::Exited;
    job.exit_code = Some(0);
    pool.settle();
    restore(&mut pool, &backup);
    say_that_all_is_well(&mut pool);
    assert_eq!(pool.journal, Vec::<String>::new());
}

/// The simulation itself looks at every moment that no two copies run.
#[test]
fn of_what_has_one_writer_no_second_copy_is_started() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("db", 1, single_writer("postgres"));
    pool.settle();
    let backup = pool.records.clone();
    let place = backup.assignments[&key("db", 0)].engine.clone();
    pool.drain(place.as_str());
    pool.settle();
    let elsewhere = pool.records.assignments[&key("db", 0)].engine.clone();
    assert_ne!(place, elsewhere);

    // The host where it now runs is not seen yet.
    pool.host(elsewhere.as_str()).lists = false;
    let before = running(&pool);
    restore(&mut pool, &backup);
    pool.host(elsewhere.as_str()).lists = true;
    pool.run_for(10_000);
    assert_eq!(pool.records.assignments[&key("db", 0)].engine, elsewhere);
    say_that_all_is_well(&mut pool);
    assert_eq!(running(&pool), before);
}
