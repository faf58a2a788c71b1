//! A changed description replaces the containers of an app one by one.

use super::host::Fault;
use super::people::{key, of_size, publishing, restarting, spec};
use super::simulation::Simulation;
use pierhead_model::{
    ContainerId, ContainerSpec, Duty, FailureKind, OperationId, OperationState, Placement, RestartPolicy, Volume,
    VolumeSource,
};
use std::collections::BTreeSet;

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
    let mut most = 0;
    while !pool.state(&change).has_ended() {
        pool.round();
        assert!(pool.count("web") >= 4, "none is ever away");
        most = most.max(pool.count("web"));
    }
    assert_eq!(most, 5, "one more at a time");
    assert_eq!(pool.state(&change), OperationState::Done);
    assert_eq!((count_of(&pool, "one"), count_of(&pool, "two")), (0, 4));
    pool.settle();
}

/// The ids of the containers that run an image.
fn ids_of(pool: &Simulation, image: &str) -> BTreeSet<ContainerId> {
    let containers = pool.hosts.values().flat_map(|host| host.containers.values());
    let of = containers.filter(|c| c.state.is_running() && c.image == format!("{image}:latest"));
    of.map(|container| container.id.clone()).collect()
}

#[test]
fn a_description_that_fails_stops_no_container_and_is_taken_back() {
    for kind in [FailureKind::NoImage, FailureKind::Refused, FailureKind::NotStarted] {
        let mut pool = four();
        let before = ids_of(&pool, "one");
        for host in ["a", "b"] {
            pool.host(host).faults.push(Fault { image: "two:latest".to_owned(), kind, times: 1000, is_made: false });
        }
        let change = pool.describe_anew("web", spec("two"));
        assert_eq!(fewest_until_end(&mut pool, &change), 4, "{kind:?}");
        assert_eq!(pool.state(&change), OperationState::Failed);
        pool.settle();
        pool.run_for(200_000);
        assert_eq!(ids_of(&pool, "one"), before, "{kind:?}: the very same containers");
        let app = pool.app("web");
        assert_eq!((app.members[0].spec.image.as_str(), app.version, app.former), ("one:latest", 1, None));
        let reason = pool.operation(&change).error.as_ref().map(|error| error.message.clone());
        assert_eq!(app.taken_back, reason, "the app says why");
        let again = pool.describe_anew("web", spec("three"));
        pool.settle();
        assert_eq!((pool.state(&again), count_of(&pool, "three")), (OperationState::Done, 4));
        assert_eq!(pool.app("web").version, 3, "a number that failed is never used again");
        let generations: BTreeSet<u32> = (0..4).map(|slot| pool.assignment("web", slot).generation.0).collect();
        assert!(generations.iter().all(|&generation| generation >= 2), "{generations:?}");
    }
}

#[test]
fn a_description_that_exits_at_once_or_soon_is_taken_back() {
    let mut pool = four();
    let before = ids_of(&pool, "one");
    for host in ["a", "b"] {
        pool.host(host).exits.insert("two:latest".to_owned(), 1);
    }
    let change = pool.describe_anew("web", spec("two"));
    assert_eq!(fewest_until_end(&mut pool, &change), 4);
    pool.settle();
    assert_eq!((pool.state(&change), ids_of(&pool, "one")), (OperationState::Failed, before.clone()));
    // It runs for a second and then exits: the former container is still there.
    pool.hosts.values_mut().for_each(|host| host.exits.clear());
    let change = pool.describe_anew("web", spec("three"));
    pool.run_until("one runs", |pool| count_of(pool, "three") == 1);
    pool.run_for(1_000);
    assert!(ids_of(&pool, "one").is_superset(&before));
    for host in ["a", "b"] {
        pool.host(host).exits.insert("three:latest".to_owned(), 1);
    }
    let new = ids_of(&pool, "three");
    pool.hosts.values_mut().for_each(|host| new.iter().for_each(|id| host.end(id, 1)));
    assert_eq!(fewest_until_end(&mut pool, &change), 4);
    pool.settle();
    assert_eq!((pool.state(&change), ids_of(&pool, "one")), (OperationState::Failed, before));
}

#[test]
fn a_description_that_only_ever_runs_for_a_moment_replaces_nothing() {
    let mut pool = four();
    let before = ids_of(&pool, "one");
    let change = pool.describe_anew("web", spec("two"));
    pool.run_until("one runs", |pool| count_of(pool, "two") == 1);
    for _ in 0..20 {
        // Each time that it is looked at it runs.
        for id in ids_of(&pool, "two") {
            let host = pool.hosts.values_mut().find(|host| host.containers.contains_key(&id)).unwrap();
            host.begin_anew(&id);
        }
        pool.run_for(500);
        assert!(ids_of(&pool, "one").is_superset(&before), "the former containers serve");
    }
    assert_eq!(pool.state(&change), OperationState::Running);
    pool.settle();
    assert_eq!((pool.state(&change), count_of(&pool, "two")), (OperationState::Done, 4));
}

#[test]
fn a_change_that_fails_half_way_is_rolled_back() {
    let mut pool = four();
    let change = pool.describe_anew("web", spec("two"));
    pool.run_until("two are replaced", |pool| count_of(pool, "one") == 2);
    for host in ["a", "b"] {
        let kind = FailureKind::NotStarted;
        pool.host(host).faults.push(Fault { image: "two:latest".to_owned(), kind, times: 1000, is_made: false });
    }
    assert_eq!(fewest_until_end(&mut pool, &change), 4);
    assert_eq!(pool.state(&change), OperationState::Failed);
    assert_eq!((count_of(&pool, "one"), count_of(&pool, "two")), (4, 0), "it has ended when all is as it was");
    assert!(!pool.error(&change).contains("still"), "{}", pool.error(&change));
    pool.settle();
}

#[test]
fn what_takes_too_long_to_take_back_is_said_to_go_on() {
    let mut pool = four();
    pool.world.policy.take_back_ms = 1_000;
    let change = pool.describe_anew("web", spec("two"));
    pool.run_until("two are replaced", |pool| count_of(pool, "one") == 2);
    pool.cancel(&change);
    pool.run_until("it ends", |pool| pool.state(&change).has_ended());
    insta::assert_snapshot!(pool.error(&change), @"cancelled: called off; it is still being taken back");
    assert!(count_of(&pool, "two") > 0);
    pool.settle();
    assert_eq!((count_of(&pool, "one"), count_of(&pool, "two")), (4, 0));
}

#[test]
fn slots_that_went_with_the_same_change_return() {
    let fails = |pool: &mut Simulation| {
        for host in ["a", "b"] {
            let kind = FailureKind::NotStarted;
            pool.host(host).faults.push(Fault { image: "two:latest".to_owned(), kind, times: 1000, is_made: false });
        }
    };
    let mut pool = four();
    fails(&mut pool);
    let change = pool.describe_fewer("web", spec("two"), 3);
    pool.run_until("it ends", |pool| pool.state(&change).has_ended());
    assert_eq!((pool.state(&change), count_of(&pool, "one")), (OperationState::Failed, 4));
    pool.settle();
    assert_eq!(pool.app("web").slots.len(), 4);
    // What somebody has said of the number meanwhile counts.
    let mut pool = four();
    pool.hosts.values_mut().for_each(|host| host.latency_ms = 1_000);
    fails(&mut pool);
    let change = pool.describe_fewer("web", spec("two"), 2);
    pool.scale_down("web", 1);
    pool.settle();
    assert_eq!((pool.state(&change), count_of(&pool, "one")), (OperationState::Failed, 1));
}

#[test]
fn without_room_for_both_the_former_goes_once_the_image_is_there() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 2, of_size("one", 2000, 64));
    pool.settle();
    pool.journal.clear();
    let change = pool.describe_anew("web", of_size("two", 1900, 64));
    assert_eq!(fewest_until_end(&mut pool, &change), 1);
    assert_eq!((pool.state(&change), count_of(&pool, "two")), (OperationState::Done, 2));
    insta::assert_snapshot!(pool.journal.join("\n"), @r"
    a: pull two:latest
    a: remove ax1
    a: create web.0.2
    a: pull two:latest
    a: remove ax2
    a: create web.1.2
    ");
    pool.settle();
    // An image that can't be had stops nothing.
    let before = ids_of(&pool, "two");
    let kind = FailureKind::NoImage;
    pool.host("a").faults.push(Fault { image: "three:latest".to_owned(), kind, times: 1000, is_made: false });
    let change = pool.describe_anew("web", of_size("three", 2000, 64));
    assert_eq!(fewest_until_end(&mut pool, &change), 2);
    pool.settle();
    assert_eq!((pool.state(&change), ids_of(&pool, "two")), (OperationState::Failed, before));
}

#[test]
fn what_must_not_run_twice_goes_first() {
    let volume = Volume { source: VolumeSource::Named("db".to_owned()), target: "/data".to_owned(), read_only: false };
    let written = |image: &str| ContainerSpec { volumes: vec![volume.clone()], ..spec(image) };
    for (one, two) in [
        (written("one"), written("two")),
        (restarting("one", RestartPolicy::No), restarting("two", RestartPolicy::No)),
        (publishing("one", Some(80)), publishing("two", Some(80))),
    ] {
        let mut pool = Simulation::new(&["a", "b"]);
        pool.run("web", 1, one.clone());
        pool.settle();
        let home = pool.assignment("web", 0).engine.clone();
        let is_free = one.ports.is_empty();
        if !is_free {
            // The only other host cannot be had, so that the port is in the way.
            pool.set_duty(if home.as_str() == "a" { "b" } else { "a" }, Duty::Cordoned);
        }
        let change = pool.describe_anew("web", two);
        let mut most = 0;
        while !pool.state(&change).has_ended() {
            pool.round();
            most = most.max(pool.count("web"));
        }
        assert_eq!((pool.state(&change), most, count_of(&pool, "two")), (OperationState::Done, 1, 1));
        if !one.volumes.is_empty() {
            assert_eq!(pool.assignment("web", 0).engine, home, "what it wrote is there");
        }
        pool.settle();
    }
}

#[test]
fn a_fixed_port_is_no_hindrance_where_another_host_is_free() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.run("web", 2, publishing("one", Some(80)));
    pool.settle();
    let change = pool.describe_anew("web", publishing("two", Some(80)));
    assert_eq!(fewest_until_end(&mut pool, &change), 2);
    assert_eq!(pool.state(&change), OperationState::Done);
    pool.settle();
}

#[test]
fn when_the_former_is_lost_with_its_host_the_new_one_goes_on() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 1, publishing("one", Some(80)));
    pool.settle();
    let home = pool.assignment("web", 0).engine.clone();
    let other = if home.as_str() == "a" { "b" } else { "a" };
    pool.host(other).latency_ms = 5_000;
    let change = pool.describe_anew("web", publishing("two", Some(80)));
    pool.run_for(1_000);
    pool.host(home.as_str()).answers = false;
    pool.run_until("is replaced", |pool| pool.state(&change).has_ended());
    assert_eq!((pool.state(&change), count_of(&pool, "two")), (OperationState::Done, 1));
    pool.host(home.as_str()).answers = true;
    pool.settle();
    assert_eq!(pool.count("web"), 1);
}

#[test]
fn what_is_stopped_or_called_off_on_its_way_leaves_nothing_behind() {
    let mut pool = four();
    pool.hosts.values_mut().for_each(|host| host.latency_ms = 1_000);
    let change = pool.describe_anew("web", spec("two"));
    pool.run_until("is under way", |pool| pool.count("web") == 5);
    let slot = (0..4).find(|&slot| pool.assignment("web", slot).fallback.is_some()).unwrap();
    pool.stop("web", slot);
    pool.settle();
    assert_eq!((pool.state(&change), count_of(&pool, "two"), pool.count("web")), (OperationState::Done, 3, 3));
    let change = pool.describe_anew("web", spec("three"));
    pool.run_for(3_000);
    pool.cancel(&change);
    pool.settle();
    assert_eq!((pool.state(&change), count_of(&pool, "two"), pool.count("web")), (OperationState::Cancelled, 3, 3));
}

#[test]
fn a_description_without_room_changes_nothing() {
    let mut pool = four();
    pool.journal.clear();
    let before = pool.app("web");
    let change = pool.describe_anew("web", of_size("two", 5000, 64));
    insta::assert_snapshot!(pool.reasons().join("\n"), @r"
    0: no room on any of 2 hosts: all lack CPU; nearest is a, which lacks 1.1 CPU
    1: waits for its turn to be replaced
    2: waits for its turn to be replaced
    3: waits for its turn to be replaced
    ");
    pool.run_for(10_000);
    assert_eq!((pool.state(&change), pool.journal.len()), (OperationState::Failed, 0), "{:?}", pool.journal);
    insta::assert_snapshot!(pool.error(&change), @"no_room: no room on any of 2 hosts: all lack CPU; nearest is a, which lacks 1.1 CPU");
    let after = pool.app("web");
    assert_eq!((after.members, after.version, after.slots), (before.members, before.version, before.slots));
    pool.settle();
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
fn a_second_change_that_fails_takes_the_first_with_it() {
    let mut pool = four();
    let first = pool.describe_anew("web", spec("two"));
    pool.run_until("has begun", |pool| count_of(pool, "two") == 1);
    let second = pool.describe_anew("web", spec("three"));
    pool.run_until("has begun", |pool| count_of(pool, "three") == 1);
    pool.cancel(&second);
    pool.settle();
    assert_eq!((pool.state(&first), pool.state(&second)), (OperationState::Failed, OperationState::Cancelled));
    insta::assert_snapshot!(pool.error(&first), @"taken_back: a later change of web was taken back, and this one with it: called off");
    assert_eq!(count_of(&pool, "one"), 4);
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
