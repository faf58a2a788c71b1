//! Hosts that are cordoned and drained, and those that return after they were forgotten.

use super::host::Fault;
use super::people::{of_size, publishing, restarting, spec};
use super::simulation::{Simulation, engine};
use crate::{SlotPhase, survive};
use pierhead_model::{ContainerState, Duty, FailureKind, LabelExpression, OperationId, OperationState, RestartPolicy};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use std::collections::BTreeMap;

fn moved(pool: &Simulation, drain: &OperationId) -> Vec<String> {
    let verdicts = &pool.operation(drain).verdicts;
    verdicts.iter().map(|verdict| format!("{}: {}", verdict.slot, verdict.message)).collect()
}

#[test]
fn nothing_new_comes_to_a_cordoned_host_and_what_runs_there_stays() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, spec("httpd"));
    pool.settle();
    let before = pool.running()["a"].len();
    assert!(before > 0);
    pool.set_duty("a", Duty::Cordoned);
    pool.run("web", 4, spec("httpd"));
    pool.settle();
    assert_eq!((pool.running()["a"].len(), pool.count("web")), (before, 8));
    // What exits there is started there again.
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").end(&id, 1);
    pool.settle();
    assert_eq!(pool.running()["a"].len(), before);
    // What vanishes is made anew elsewhere.
    pool.host("a").containers.remove(&id);
    pool.settle();
    assert_eq!((pool.running()["a"].len(), pool.count("web")), (before - 1, 8));
    pool.set_duty("a", Duty::InService);
    pool.run("more", 1, spec("httpd"));
    pool.settle();
    assert_eq!(pool.running()["a"].len(), before, "it takes slots again");
}

#[test]
fn a_pool_whose_only_host_is_cordoned_says_so() {
    let mut pool = Simulation::new(&["a"]);
    pool.set_duty("a", Duty::Cordoned);
    let run = pool.run("web", 1, spec("httpd"));
    pool.settle();
    insta::assert_snapshot!(pool.error(&run), @"no_room: no place on the only host, a: cordoned");
}

#[test]
fn a_stopped_slot_of_a_cordoned_host_starts_there_and_of_a_drained_one_elsewhere() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 2, spec("httpd"));
    pool.settle();
    let slot = (0..2).find(|&slot| pool.assignment("web", slot).engine == engine("a")).unwrap();
    pool.stop("web", slot);
    pool.settle();
    pool.set_duty("a", Duty::Cordoned);
    pool.restart("web", slot);
    pool.settle();
    assert_eq!((pool.running()["a"].len(), pool.assignment("web", slot).generation.0), (1, 1));

    pool.stop("web", slot);
    pool.settle();
    let drain = pool.drain("a");
    pool.settle();
    assert_eq!(pool.state(&drain), OperationState::Done);
    assert_eq!(pool.assignment("web", slot).engine, engine("a"), "what is stopped need not move");
    let start = pool.restart("web", slot);
    pool.settle();
    assert_eq!((pool.state(&start), pool.running()["b"].len()), (OperationState::Done, 2));
    assert!(pool.host("a").containers.is_empty());
}

#[test]
fn a_job_that_is_run_again_leaves_a_cordoned_host() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.set_duty("b", Duty::Cordoned);
    pool.run("work", 1, restarting("job", RestartPolicy::No));
    pool.rest();
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").end(&id, 0);
    pool.settle();
    pool.set_duty("a", Duty::Cordoned);
    pool.set_duty("b", Duty::InService);
    let again = pool.restart("work", 0);
    pool.settle();
    assert_eq!((pool.state(&again), pool.running()["b"].len()), (OperationState::Done, 1));
}

/// The fewest containers of each app that ran at any moment until the operation ended.
fn fewest(pool: &mut Simulation, operation: &OperationId, apps: &[&str]) -> BTreeMap<String, usize> {
    let mut fewest: BTreeMap<String, usize> = apps.iter().map(|app| ((*app).to_owned(), usize::MAX)).collect();
    for _ in 0..5_000 {
        pool.round();
        for (app, least) in &mut fewest {
            *least = pool.count(app).min(*least);
        }
        if pool.state(operation).has_ended() {
            return fewest;
        }
    }
    panic!("it never ended: {:#?}", moved(pool, operation));
}

#[test]
fn a_drained_host_is_left_while_every_app_runs_in_full() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    let apps = ["web", "shop", "lab"];
    apps.iter().for_each(|app| drop(pool.run(app, 5, publishing("httpd", None))));
    pool.settle();
    for host in ["a", "b", "c"] {
        pool.host(host).latency_ms = 400;
    }
    let there = pool.running()["b"].len();
    assert!(there >= 4);
    let drain = pool.drain("b");
    let fewest = fewest(&mut pool, &drain, &apps);
    assert_eq!(pool.state(&drain), OperationState::Done);
    assert!(fewest.values().all(|&least| least == 5), "{fewest:?}");
    pool.settle();
    assert!(pool.host("b").containers.is_empty());
    let told = moved(&pool, &drain);
    assert_eq!(told.len(), there);
    assert!(told.iter().all(|line| line.contains("moved to host ")), "{told:?}");
}

#[test]
fn slots_of_one_app_leave_one_after_the_other() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.set_duty("b", Duty::Cordoned);
    pool.run("web", 3, spec("httpd"));
    pool.settle();
    pool.set_duty("b", Duty::InService);
    pool.host("b").latency_ms = 1_000;
    let drain = pool.drain("a");
    let mut most = 0;
    while !pool.state(&drain).has_ended() {
        pool.round();
        most = most.max(pool.count("web"));
        let away = (0..3).filter(|&slot| pool.status("web", slot).phase != SlotPhase::Running).count();
        assert!(away <= 1, "{away} slots are on their way at once");
    }
    assert!(most <= 4, "one slot at most runs twice, for as long as its new copy starts: {most}");
}

#[test]
fn what_no_host_takes_stays_and_the_drain_says_why() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.host("a").record.labels.insert("ssd".to_owned());
    pool.take_over();
    pool.observe();
    let tied = pierhead_model::ContainerSpec { labels: vec![LabelExpression::parse("ssd").unwrap()], ..spec("db") };
    pool.run("db", 1, tied);
    pool.run("web", 2, spec("httpd"));
    pool.settle();
    let drain = pool.drain("a");
    pool.run_for(5_000);
    assert_eq!(pool.state(&drain), OperationState::Running);
    assert_eq!(pool.running()["a"], ["db.0.1"]);
    insta::assert_snapshot!(pool.reasons().join("\n"), @"0: no place on any of 2 hosts: 1 is unavailable, 1 lacks a label; nearest is b: its labels don't satisfy ssd");
    pool.run_until("ends", |pool| pool.state(&drain).has_ended());
    insta::assert_snapshot!(pool.error(&drain), @"no_room: 1 slot finds no other host: slot 0 of db: no place on any of 2 hosts: 1 is unavailable, 1 lacks a label; nearest is b: its labels don't satisfy ssd; what was moved stays where it is, and host a stays cordoned");
    let took = pool.operation(&drain).ended_at.unwrap().since(pool.operation(&drain).created_at);
    assert!((10_000..15_000).contains(&took), "{took} ms");
    pool.settle();
    assert_eq!(pool.running()["a"], ["db.0.1"], "it runs on");
}

#[test]
fn a_drain_that_is_called_off_begins_nothing_more() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.set_duty("b", Duty::Cordoned);
    pool.run("web", 3, spec("httpd"));
    pool.settle();
    pool.set_duty("b", Duty::InService);
    pool.host("b").latency_ms = 2_000;
    let drain = pool.drain("a");
    pool.run_for(500);
    pool.cancel(&drain);
    assert_eq!(pool.state(&drain), OperationState::Running, "what is on its way arrives first");
    let fewest = fewest(&mut pool, &drain, &["web"]);
    assert_eq!((pool.state(&drain), fewest["web"]), (OperationState::Cancelled, 3));
    pool.settle();
    assert_eq!((pool.running()["a"].len(), pool.running()["b"].len()), (2, 1));
    insta::assert_snapshot!(pool.error(&drain), @"cancelled: called off; what was moved stays where it is, and host a stays cordoned");
}

#[test]
fn a_host_that_is_put_back_into_service_is_not_drained_any_more() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, spec("httpd"));
    pool.settle();
    pool.host("b").latency_ms = 2_000;
    let drain = pool.drain("a");
    pool.run_for(500);
    pool.set_duty("a", Duty::InService);
    pool.settle();
    assert_eq!((pool.state(&drain), pool.running()["a"].len()), (OperationState::Cancelled, 1));
    insta::assert_snapshot!(pool.error(&drain), @"cancelled: host a was put back into service; what was moved stays where it is");
}

#[test]
fn a_running_job_is_waited_for() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.set_duty("b", Duty::Cordoned);
    pool.run("work", 1, restarting("job", RestartPolicy::No));
    pool.rest();
    pool.set_duty("b", Duty::InService);
    let drain = pool.drain("a");
    pool.run_for(5_000);
    assert_eq!((pool.state(&drain), pool.creations()), (OperationState::Running, 1));
    insta::assert_snapshot!(pool.reasons().join("\n"), @"0: is a job, and is waited for until it has ended");
    let id = pool.host("a").containers.keys().next().unwrap().clone();
    pool.host("a").end(&id, 0);
    pool.settle();
    assert_eq!((pool.state(&drain), moved(&pool, &drain)), (OperationState::Done, vec!["0: has ended".to_owned()]));
}

#[test]
fn a_move_that_fails_on_one_host_goes_to_another_and_the_old_copy_stays_until_then() {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.set_duty("b", Duty::Cordoned);
    pool.set_duty("c", Duty::Cordoned);
    pool.run("web", 1, spec("httpd"));
    pool.settle();
    pool.set_duty("b", Duty::InService);
    pool.set_duty("c", Duty::InService);
    let image = "httpd:latest".to_owned();
    pool.host("b").faults.push(Fault { image, kind: FailureKind::NoImage, times: 9, is_made: false });
    pool.host("c").latency_ms = 1_000;
    let drain = pool.drain("a");
    let fewest = fewest(&mut pool, &drain, &["web"]);
    assert_eq!((pool.state(&drain), fewest["web"]), (OperationState::Done, 1));
    pool.settle();
    assert_eq!(pool.running()["c"].len(), 1);
}

#[test]
fn a_controller_may_die_at_any_moment_of_a_drain() {
    for (die_at, before_steps) in (0..14).flat_map(|round| [(round, true), (round, false)]) {
        let mut pool = Simulation::new(&["a", "b"]);
        pool.run("web", 4, spec("httpd"));
        pool.settle();
        pool.host("b").latency_ms = 300;
        let drain = pool.drain("a");
        (0..die_at).for_each(|_| pool.round());
        if before_steps {
            let writes = pool.plan().writes;
            pool.write(&writes);
        }
        pool.crash();
        pool.settle();
        assert_eq!((pool.state(&drain), pool.running()["b"].len()), (OperationState::Done, 4), "round {die_at}");
    }
}

#[test]
fn a_drain_is_not_done_while_nobody_can_say_what_is_left_there() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 2, spec("httpd"));
    pool.settle();
    pool.host("a").latency_ms = 2_000;
    let drain = pool.drain("a");
    pool.run_until("all has its new copy", |pool| pool.running()["b"].len() == 2);
    assert!(!pool.host("a").containers.is_empty(), "an older one is there still");
    pool.host("a").lists = false;
    pool.crash();
    (0..10).for_each(|_| pool.round());
    assert!(!pool.state(&drain).has_ended(), "{:?}", pool.state(&drain));
    pool.host("a").lists = true;
    pool.settle();
    assert_eq!(pool.state(&drain), OperationState::Done);
    assert!(pool.host("a").containers.is_empty());
}

#[test]
fn a_forgotten_host_that_is_added_again_loses_its_older_copies_and_keeps_what_is_still_its_own() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, spec("httpd"));
    pool.settle();
    let left = pool.running()["a"].clone();
    assert!(!left.is_empty());
    pool.world.remove_engine(&engine("a"));
    let forgotten = pool.hosts.remove(&engine("a")).unwrap();
    pool.rest();
    assert_eq!(pool.running()["b"].len(), 4, "everything lives on b now");
    assert_eq!(forgotten.running(), left, "what ran there was left");

    pool.world.set_engine(forgotten.record.clone());
    pool.hosts.insert(engine("a"), forgotten);
    pool.settle();
    assert_eq!((pool.running()["a"].len(), pool.running()["b"].len()), (0, 4));
}

#[test]
fn a_host_that_is_added_again_at_once_keeps_what_runs_there() {
    let mut pool = Simulation::new(&["a"]);
    pool.run("web", 3, spec("httpd"));
    pool.settle();
    pool.journal.clear();
    pool.world.remove_engine(&engine("a"));
    let forgotten = pool.hosts.remove(&engine("a")).unwrap();
    pool.run_for(2_000);
    pool.world.set_engine(forgotten.record.clone());
    pool.hosts.insert(engine("a"), forgotten);
    pool.settle();
    assert_eq!(pool.journal, Vec::<String>::new(), "no other host took them meanwhile: they are adopted");
    assert!(pool.host("a").containers.values().all(|container| container.state == ContainerState::Running));
}

proptest! {
    #![proptest_config(Config { cases: 60, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Config::default() })]

    #[test]
    fn what_would_survive_is_what_survives(sizes in prop::collection::vec((1..4_u32, 200..2_500_u64, 64..2_000_u64), 1..6),
                                           lost in 0..3_usize) {
        let host = ["a", "b", "c"][lost];
        let mut pool = Simulation::new(&["a", "b", "c"]);
        for (at, (count, cpu, memory)) in sizes.iter().enumerate() {
            pool.run(&format!("app{at}"), *count, of_size("httpd", *cpu, *memory));
        }
        pool.settle();
        let there = pool.running()[host].len();
        let told = survive(&pool.world, &engine(host), pool.now).unwrap();
        prop_assert_eq!(told.slots, there);
        pool.host(host).answers = false;
        pool.run_for(10_000);
        let homeless: Vec<_> = pool.records.assignments.values()
            .filter(|assignment| assignment.engine == engine(host))
            .map(pierhead_model::Assignment::key)
            .collect();
        prop_assert_eq!(told.homeless.iter().map(|slot| slot.key.clone()).collect::<Vec<_>>(), homeless);
        prop_assert!(told.homeless.iter().all(|slot| !slot.reason.is_empty()));
        prop_assert_eq!(told.moves.len() + told.homeless.len(), there);
        for moved in &told.moves {
            let now = &pool.records.assignments[&moved.key].engine;
            prop_assert!(moved.from == engine(host) && moved.to.as_ref() == Some(now), "{:?} is on {}", moved, now);
        }
    }

    #[test]
    fn a_drain_ends_with_an_empty_host_whatever_runs_where_there_is_room(
        counts in prop::collection::vec(1..6_u32, 1..5), latency in 0..1_500_u64, drained in 0..3_usize
    ) {
        let host = ["a", "b", "c"][drained];
        let mut pool = Simulation::new(&["a", "b", "c"]);
        let names: Vec<String> = (0..counts.len()).map(|at| format!("app{at}")).collect();
        for (name, count) in names.iter().zip(&counts) {
            pool.run(name, *count, publishing("httpd", None));
        }
        pool.settle();
        ["a", "b", "c"].iter().for_each(|host| pool.host(host).latency_ms = latency);
        let drain = pool.drain(host);
        let apps: Vec<&str> = names.iter().map(String::as_str).collect();
        let fewest = fewest(&mut pool, &drain, &apps);
        prop_assert_eq!(pool.state(&drain), OperationState::Done);
        for (name, count) in names.iter().zip(&counts) {
            prop_assert_eq!(fewest[name], *count as usize);
        }
        pool.settle();
        prop_assert!(pool.host(host).containers.is_empty());
    }
}
