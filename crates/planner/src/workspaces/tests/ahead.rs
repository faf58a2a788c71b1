//! What is started ahead: its shell, its rest, how it is given, how it gives way, and how often another is started.

use super::pool::{MINUTE_MS, Pool, engine, spec};
use crate::{Policy, plan_workspaces, workspace_status};
use pierhead_model::{
    ContainerState, EnvironmentSpec, FailureKind, Resources, StopCause, Workspace, WorkspaceId, WorkspaceStage,
    WorkspaceWish,
};

/// Hosts of four cores, and so many of half a core started ahead.
fn warm_pool(hosts: &[&str], warm: u32) -> Pool {
    let mut pool = Pool::new(hosts);
    pool.describe("lab", EnvironmentSpec { warm, ..spec(&["main"]) });
    pool.run_until("all are ready", |pool| pool.warm().0 == warm as usize);
    pool
}

fn rested(hosts: &[&str], warm: u32) -> Pool {
    let mut pool = warm_pool(hosts, warm);
    pool.run_until("all rest", |pool| pool.warm() == (warm as usize, warm as usize));
    pool
}

fn steps<'a>(pool: &'a Pool, word: &'a str) -> impl Iterator<Item = &'a String> + 'a {
    pool.journal.iter().filter(move |line| line.contains(word))
}

fn reserved(pool: &Pool, host: &str) -> Resources {
    pool.world.ledger().reserved(&engine(host))
}

fn wide(containers: usize, millis: u64) -> EnvironmentSpec {
    let mut wide = spec(&["main", "db"][..containers]);
    wide.containers.iter_mut().for_each(|container| container.limits.reserved = Resources::new(millis, 64));
    wide
}

#[test]
fn one_is_ready_when_its_shell_is() {
    let mut pool = Pool::new(&["a"]);
    pool.host("a").faults.push(("shell".to_owned(), FailureKind::Other, 1));
    pool.describe("lab", EnvironmentSpec { warm: 2, ..spec(&["main", "db"]) });
    pool.run_until("two are ready", |pool| pool.warm().0 == 2);
    assert_eq!(steps(&pool, "shell").count(), 2, "one for each: what can't be had is not tried for ever");
    assert_eq!(pool.shells.len(), 1);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    assert_eq!(steps(&pool, "shell").count(), 2, "people open theirs themselves");
}

#[test]
fn a_container_that_is_started_again_gets_another_shell() {
    let mut pool = warm_pool(&["a"], 1);
    let first = pool.shells.clone();
    let exits = |pool: &mut Pool| {
        let container = pool.host("a").containers.values_mut().next().unwrap();
        (container.state, container.exit_code) = (ContainerState::Exited, Some(1));
    };
    exits(&mut pool);
    pool.run_for(100);
    pool.run_until("it is ready again", |pool| pool.warm().0 == 1);
    assert_eq!((first.len(), pool.shells.len()), (1, 2));
}

#[test]
fn it_rests_after_a_while_and_keeps_its_memory_only() {
    let mut pool = warm_pool(&["a"], 2);
    let began = pool.now;
    assert_eq!(reserved(&pool, "a"), Resources::new(1000, 128));
    pool.run_until("both rest", |pool| pool.warm() == (2, 2));
    let after_ms = pool.now.since(began);
    let limit_ms = Policy::default().warm_pause_ms;
    assert!((limit_ms - 2_000..limit_ms + 2_000).contains(&after_ms), "after {after_ms} ms");
    pool.run_for(1_000);
    assert_eq!(reserved(&pool, "a"), Resources::new(0, 128));
    assert!(pool.hosts[&engine("a")].containers.values().all(|container| container.state == ContainerState::Paused));
    let steps = pool.journal.len();
    pool.run_for(10 * MINUTE_MS);
    assert_eq!((pool.warm(), pool.journal.len()), ((2, 2), steps), "and stays so");
}

#[test]
fn what_computes_does_not_rest() {
    let mut pool = warm_pool(&["a"], 1);
    let id = pool.records.keys().next().unwrap().clone();
    for _ in 0..20 {
        pool.run_for(MINUTE_MS);
        let now = pool.now;
        pool.world.note_activity(&id, now);
    }
    assert_eq!(pool.warm(), (1, 0));
}

#[test]
fn one_that_rests_is_given_by_one_step() {
    let mut pool = rested(&["a"], 1);
    let before = pool.journal.len();
    let id = pool.claim().unwrap();
    assert_eq!(pool.phase(&id), "starting", "nobody is told that what is frozen is ready");
    let plan = plan_workspaces(&pool.world, pool.now);
    assert_eq!(
        (plan.writes.len(), plan.actions.len()),
        (1, 1),
        "what it holds is written down, and it goes on: {plan:#?}"
    );
    pool.round();
    pool.until_phase(&id, "ready");
    let steps: Vec<_> = pool.journal[before..].iter().filter(|line| line.contains(id.as_str())).collect();
    assert!(steps.len() == 1 && steps[0].contains("thaw 1"), "{steps:?}");
    assert_eq!(pool.work(&id), 1);
    let held = reserved(&pool, "a");
    assert!(held.cpu_millis >= 500, "it holds its CPU again: {held:?}");
}

#[test]
fn one_that_is_stopped_and_started_before_it_is_thawed_is_thawed() {
    let mut pool = rested(&["a"], 1);
    let id = pool.claim().unwrap();
    pool.wish(&id, WorkspaceWish::Saved);
    pool.start(&id, pierhead_model::WorkspaceOrigin::Newest);
    pool.until_phase(&id, "ready");
    assert_eq!(pool.work(&id), 1);
}

#[test]
fn one_that_was_given_and_not_thawed_holds_no_work() {
    // Its host is lost in that moment: it is made anew elsewhere, and waits for nothing.
    let mut pool = rested(&["a", "b"], 1);
    let id = pool.claim().unwrap();
    let home = pool.engine_of(&id).unwrap();
    pool.host(&home).answers = false;
    pool.observe();
    pool.run_until("it is ready elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != home)
    });
    assert!(pool.assignments[&id].left.is_empty(), "nothing of it is kept there");
    pool.host(&home).answers = true;
    pool.run_until("nothing of it is left", |pool| pool.hosts[&engine(&home)].containers.is_empty());
    // It is ended in that moment: there is nothing to save.
    let mut pool = rested(&["a"], 1);
    let id = pool.claim().unwrap();
    pool.wish(&id, WorkspaceWish::Ended);
    pool.until_phase(&id, "ended");
    assert_eq!(steps(&pool, "save").count(), 0);
}

#[test]
fn what_somebody_works_in_goes_on_and_is_saved_whoever_froze_it() {
    let mut pool = warm_pool(&["a"], 1);
    let id = pool.claim().unwrap();
    pool.run_for(1_000);
    let freeze = |pool: &mut Pool| {
        let running = pool.host("a").containers.values_mut().filter(|found| found.state == ContainerState::Running);
        running.for_each(|container| container.state = ContainerState::Paused);
    };
    assert_eq!(pool.work(&id), 1);
    freeze(&mut pool);
    pool.run_for(200);
    pool.until_phase(&id, "ready");
    assert_eq!(pool.work(&id), 2, "it goes on where it was");
    freeze(&mut pool);
    pool.wish(&id, WorkspaceWish::Ended);
    pool.until_phase(&id, "ended");
    assert_eq!(pool.saves.values().next_back().unwrap().values().sum::<u64>(), 2);
}

#[test]
fn one_that_runs_is_given_without_any_step() {
    let mut pool = warm_pool(&["a"], 1);
    let before = pool.journal.len();
    let id = pool.claim().unwrap();
    assert_eq!(pool.phase(&id), "ready");
    pool.run_for(1_000);
    assert_eq!((pool.journal.len(), pool.work(&id)), (before, 1));
}

#[test]
fn one_that_is_given_while_it_is_being_frozen_goes_on() {
    let mut pool = warm_pool(&["a"], 1);
    pool.host("a").latency_ms = 3_000;
    pool.run_until("it is being frozen", |pool| steps(pool, "freeze").count() == 1);
    let id = pool.claim().unwrap();
    pool.until_phase(&id, "ready");
    pool.run_for(10_000);
    assert_eq!((pool.phase(&id), pool.work(&id)), ("ready", 1));
}

#[test]
fn what_cannot_be_frozen_or_thawed_is_tried_again() {
    let mut pool = warm_pool(&["a"], 1);
    pool.host("a").faults.push(("freeze".to_owned(), FailureKind::Other, 2));
    pool.host("a").faults.push(("thaw".to_owned(), FailureKind::Other, 2));
    let frozen = |pool: &Pool| {
        pool.hosts[&engine("a")].containers.values().all(|container| container.state == ContainerState::Paused)
    };
    pool.run_until("it is frozen", frozen);
    assert_eq!(steps(&pool, "freeze").count(), 3);
    let id = pool.claim().unwrap();
    pool.run_for(100);
    assert_eq!(pool.phase(&id), "starting");
    pool.until_phase(&id, "ready");
    assert_eq!(steps(&pool, "thaw").count(), 3);
    assert_eq!(pool.message(&id), "", "what failed is over");
}

#[test]
fn one_whose_host_has_no_cpu_left_is_made_elsewhere() {
    let mut pool = rested(&["a", "b"], 1);
    let host = pool.engine_of(pool.records.keys().next().unwrap()).unwrap();
    let other = if host == "a" { "b" } else { "a" };
    // All CPU of its host is taken.
    pool.host(other).record.duty = pierhead_model::Duty::Cordoned;
    pool.observe();
    let big = pool.open(wide(1, 4_000));
    pool.until_phase(&big, "ready");
    assert_eq!(pool.engine_of(&big).as_deref(), Some(host.as_str()), "what rests holds no CPU");
    pool.host(other).record.duty = pierhead_model::Duty::InService;
    pool.observe();
    let id = pool.claim().unwrap();
    pool.until_phase(&id, "ready");
    assert_eq!(pool.engine_of(&id).as_deref(), Some(other));
    assert_eq!(pool.work(&id), 1);
}

#[test]
fn people_come_before_what_is_nobodys() {
    let mut pool = warm_pool(&["a"], 6);
    // Three of four cores are held ahead; two of half a core have to go for a person's two cores.
    pool.host("a").latency_ms = 500;
    let id = pool.open(wide(2, 1_000));
    pool.run_for(100);
    assert!(pool.message(&id).starts_with("waits until room is made on host a"), "{}", pool.message(&id));
    assert_eq!(pool.place_in_queue(&id), Some(1));
    pool.until_phase(&id, "ready");
    assert_eq!(pool.warm().0, 4, "no more than needed");
    pool.run_for(60_000);
    assert_eq!(pool.warm().0, 4, "and they don't come back without room");
    assert!(steps(&pool, "remove").count() == 2);
    pool.wish(&id, WorkspaceWish::Discarded);
    pool.run_until("they are made up for", |pool| pool.warm().0 == 6);
}

#[test]
fn the_youngest_and_those_that_rest_go_first() {
    let mut pool = rested(&["a"], 2);
    let resting: Vec<WorkspaceId> = pool.records.keys().cloned().collect();
    pool.describe("other", EnvironmentSpec { warm: 1, ..spec(&["main"]) });
    pool.run_until("a third runs", |pool| pool.warm() == (3, 2));
    // All the memory but what one of them holds.
    let mut huge = spec(&["main"]);
    huge.containers[0].limits.reserved = Resources::new(500, 4096 - 64);
    let huge = pool.open(huge);
    pool.until_phase(&huge, "ready");
    assert_eq!(pool.warm(), (1, 0));
    assert!(resting.iter().all(|id| !pool.records.contains_key(id)));
}

#[test]
fn nothing_is_given_up_for_what_fits_nowhere_anyway() {
    let mut pool = warm_pool(&["a", "b"], 4);
    let huge = pool.open(wide(1, 4_001));
    pool.run_for(30_000);
    assert_eq!((pool.phase(&huge), pool.warm().0), ("queued", 4));
    assert_eq!(steps(&pool, "remove").count(), 0);
}

#[test]
fn one_that_was_given_while_it_gave_way_is_made_anew() {
    let mut pool = warm_pool(&["a", "b"], 1);
    let id = pool.records.keys().next().unwrap().clone();
    let leaving = {
        let found = &pool.assignments[&id];
        pierhead_model::WorkspaceAssignment { stage: WorkspaceStage::Leaving(StopCause::Yielded), ..found.clone() }
    };
    pool.assignments.insert(id.clone(), leaving.clone());
    pool.world.set_workspace_assignment(leaving);
    pool.change(&id, |workspace| workspace.wish = WorkspaceWish::Running);
    pool.run_for(200);
    pool.until_phase(&id, "ready");
    assert_eq!(pool.work(&id), 1);
}

#[test]
fn refilling_keeps_to_its_rate_and_waits_for_calm() {
    let mut pool = Pool::new(&["a", "b"]);
    pool.world.policy.warm_every_ms = 4_000;
    pool.describe("lab", EnvironmentSpec { warm: 6, ..spec(&["main"]) });
    let began = pool.now;
    pool.run_until("all are ready", |pool| pool.warm().0 == 6);
    let took = pool.now.since(began);
    assert!((10_000..12_000).contains(&took), "one each two seconds on two hosts: {took} ms");
    // People come, one after another; nothing is started while they do.
    for _ in 0..5 {
        assert!(pool.claim().is_some());
        pool.run_for(1_500);
        assert_eq!(pool.records.len(), 6, "{:?}", pool.journal);
    }
    assert_eq!(pool.warm().0, 1);
    pool.run_until("they are made up for", |pool| pool.warm().0 == 6);
}

#[test]
fn people_who_never_stop_coming_keep_nothing_from_being_refilled() {
    let mut pool = warm_pool(&["a", "b"], 3);
    // One each second, and each leaves again: there is no quiet of two seconds.
    let (mut given, mut theirs) = (0, Vec::new());
    for _ in 0..60 {
        let claimed = pool.claim();
        given += usize::from(claimed.is_some());
        theirs.push(claimed.unwrap_or_else(|| pool.open(spec(&["main"]))));
        if theirs.len() > 5 {
            pool.wish(&theirs.remove(0), WorkspaceWish::Discarded);
        }
        pool.run_for(1_000);
    }
    assert!(given > 10, "only {given} of 60 were given what was started ahead");
}

#[test]
fn an_environment_that_fails_holds_up_no_other() {
    let mut pool = Pool::new(&["a"]);
    pool.host("a").faults.push(("create".to_owned(), FailureKind::NoImage, 1));
    pool.describe("bad", EnvironmentSpec { warm: 3, ..spec(&["main"]) });
    pool.run_until("it has failed", |pool| pool.assignments.values().any(|found| found.failures > 0));
    pool.host("a").faults.push(("create".to_owned(), FailureKind::NoImage, 0));
    pool.describe("good", EnvironmentSpec { warm: 2, ..spec(&["main"]) });
    let of = |pool: &Pool, name: &str| {
        let theirs = |found: &&Workspace| found.environment.as_str() == name;
        pool.records.values().filter(theirs).filter(|found| pool.phase(&found.id) == "ready").count()
    };
    pool.run_until("the good one is there", |pool| of(pool, "good") == 2);
    pool.run_until("the other too, in the end", |pool| of(pool, "bad") == 3);
}

#[test]
fn a_host_that_is_drained_takes_those_that_rest_elsewhere() {
    let mut pool = rested(&["a", "b"], 2);
    pool.host("a").record.duty = pierhead_model::Duty::Drained;
    pool.observe();
    pool.run_until("all are elsewhere", |pool| {
        pool.warm().0 == 2 && pool.records.keys().all(|id| pool.engine_of(id).as_deref() == Some("b"))
    });
    assert!(pool.hosts[&engine("a")].containers.is_empty());
}

#[test]
fn an_engine_that_stopped_what_rested_loses_it() {
    let mut pool = rested(&["a"], 2);
    let ids: Vec<WorkspaceId> = pool.records.keys().cloned().collect();
    for container in pool.host("a").containers.values_mut() {
        (container.state, container.exit_code) = (ContainerState::Exited, Some(137));
    }
    pool.run_until("others are ready", |pool| {
        pool.warm().0 == 2 && ids.iter().all(|id| !pool.records.contains_key(id))
    });
    assert_eq!(pool.left(), (2, 2));
}

#[test]
fn the_status_says_why_one_waits_for_cpu() {
    let mut pool = rested(&["a"], 1);
    pool.describe("other", EnvironmentSpec { warm: 1, ..wide(1, 4_000) });
    pool.run_until("all CPU is held ahead", |pool| pool.warm() == (2, 1));
    let id = pool.records.values().find(|found| found.environment.as_str() == "lab").unwrap().id.clone();
    pool.change(&id, |workspace| workspace.wish = WorkspaceWish::Running);
    let status = workspace_status(&pool.world, &id, pool.now).unwrap();
    assert!(status.message.starts_with("waits until room is made on host a"), "{status:?}");
    pool.until_phase(&id, "ready");
    assert_eq!(steps(&pool, "create").count(), 2, "it went on where it was");
}
