//! A changed description replaces the containers of an app one by one.

use super::host::Fault;
use super::people::{key, of_size, spec};
use super::simulation::Simulation;
use pierhead_model::{ContainerSpec, FailureKind, OperationId, OperationState, Placement};

fn four() -> Simulation {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, spec("one"));
    pool.settle();
    pool
}

/// How many containers of the app run an image.
fn count_of(pool: &Simulation, image: &str) -> usize {
    let containers = pool.hosts.values().flat_map(|host| host.containers.values());
    containers.filter(|c| c.state.is_running() && c.image == format!("{image}:latest")).count()
}

/// Runs until the operation has ended, and says how few containers ran at the worst moment.
fn fewest_until_end(pool: &mut Simulation, id: &OperationId) -> usize {
    let mut fewest = usize::MAX;
    while !pool.state(id).has_ended() {
        pool.round();
        fewest = fewest.min(pool.count("web"));
    }
    fewest
}

#[test]
fn containers_are_replaced_one_by_one() {
    let mut pool = four();
    pool.host("a").latency_ms = 500;
    pool.host("b").latency_ms = 2_000;
    let change = pool.describe_anew("web", spec("two"));
    assert_eq!(fewest_until_end(&mut pool, &change), 3, "never more than one is away");
    assert_eq!(pool.state(&change), OperationState::Done);
    assert_eq!((count_of(&pool, "one"), count_of(&pool, "two")), (0, 4));
    pool.settle();
}

#[test]
fn a_description_that_fails_stops_at_the_first() {
    for kind in [FailureKind::NoImage, FailureKind::Refused, FailureKind::NotStarted] {
        let mut pool = four();
        for host in ["a", "b"] {
            pool.host(host).faults.push(Fault { image: "two:latest".to_owned(), kind, times: 1000, is_made: false });
        }
        let change = pool.describe_anew("web", spec("two"));
        assert_eq!(fewest_until_end(&mut pool, &change), 3);
        assert_eq!(pool.state(&change), OperationState::Failed);
        pool.run_for(200_000);
        assert_eq!(count_of(&pool, "one"), 3, "{kind:?}");
        let back = pool.describe_anew("web", spec("one"));
        pool.settle();
        assert_eq!((pool.state(&back), count_of(&pool, "one")), (OperationState::Done, 4));
    }
}

#[test]
fn a_description_that_exits_stops_at_the_first() {
    let mut pool = four();
    for host in ["a", "b"] {
        pool.host(host).exits.insert("two:latest".to_owned(), 1);
    }
    let change = pool.describe_anew("web", spec("two"));
    assert_eq!(fewest_until_end(&mut pool, &change), 3);
    pool.run_for(100_000);
    assert_eq!((pool.state(&change), count_of(&pool, "one")), (OperationState::Failed, 3));
}

#[test]
fn a_description_without_room_replaces_nothing() {
    let mut pool = four();
    pool.journal.clear();
    let change = pool.describe_anew("web", of_size("two", 5000, 64));
    pool.run_for(10_000);
    assert_eq!((pool.state(&change), pool.journal.len()), (OperationState::Failed, 0), "{:?}", pool.journal);
    insta::assert_snapshot!(pool.error(&change), @"no_room: no room on any of 2 hosts: all lack CPU; nearest is a, which lacks 1.1 CPU");
    insta::assert_debug_snapshot!(pool.reasons(), @r#"
    [
        "0: no room on any of 2 hosts: all lack CPU; nearest is a, which lacks 1.1 CPU",
        "1: waits for its turn to be replaced",
        "2: waits for its turn to be replaced",
        "3: waits for its turn to be replaced",
    ]
    "#);
}

#[test]
fn nothing_is_replaced_while_another_slot_is_on_a_lost_host() {
    let mut pool = four();
    pool.host("b").answers = false;
    pool.run_for(500);
    pool.journal.clear();
    pool.describe_anew("web", spec("two"));
    pool.run_for(1_500);
    assert_eq!(pool.journal, Vec::<String>::new());
    pool.settle();
    assert_eq!(pool.records.assignments.values().filter(|assignment| assignment.version == 2).count(), 4);
}

#[test]
fn a_stopped_slot_takes_the_new_description_when_it_starts() {
    let mut pool = four();
    pool.stop("web", 1);
    pool.settle();
    pool.describe_anew("web", spec("two"));
    pool.settle();
    assert_eq!((count_of(&pool, "two"), pool.assignment("web", 1).version), (3, 1));
    pool.restart("web", 1);
    pool.settle();
    assert_eq!((count_of(&pool, "two"), pool.assignment("web", 1).version), (4, 2));
    assert_eq!(pool.journal.iter().filter(|line| line.contains(": restart")).count(), 0);
}

#[test]
fn a_second_change_overtakes_the_first() {
    let mut pool = four();
    let first = pool.describe_anew("web", spec("two"));
    pool.run_until("has begun", |pool| count_of(pool, "two") == 1);
    let second = pool.describe_anew("web", spec("three"));
    pool.settle();
    assert_eq!(count_of(&pool, "three"), 4);
    assert_eq!((pool.state(&first), pool.state(&second)), (OperationState::Done, OperationState::Done));
}

#[test]
fn one_per_host_holds_through_a_change() {
    let unique = |image| ContainerSpec { placement: Placement::Unique, ..spec(image) };
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 2, unique("one"));
    pool.settle();
    let change = pool.describe_anew("web", unique("two"));
    pool.round();
    let other = pool.run("other", 1, unique("one"));
    pool.settle();
    assert_eq!(pool.state(&change), OperationState::Done);
    assert!(pool.state(&other).has_ended());
    assert!(pool.running().values().all(|names| names.iter().filter(|name| name.starts_with("web")).count() == 1));
    assert!(pool.records.assignments.contains_key(&key("web", 0)));
}
