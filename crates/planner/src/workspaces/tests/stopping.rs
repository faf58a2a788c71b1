//! When a run is over: its time, its warnings, and who was active in it last.

use super::pool::{MINUTE_MS, Pool, spec};
use crate::{workspace_ends_at, workspace_status};
use pierhead_model::{
    ContainerState, Duty, EnvironmentSpec, SaveCause, StopCause, WorkspaceId, WorkspaceStage, WorkspaceWish,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn ready(lifetime_minutes: u32, idle_minutes: u32) -> (Pool, WorkspaceId) {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(EnvironmentSpec { lifetime_minutes, idle_minutes, ..spec(&["main"]) });
    pool.until_phase(&id, "ready");
    (pool, id)
}

/// As if so much time had passed in which nothing was to be done.
fn pass(pool: &mut Pool, milliseconds: u64) {
    pool.now = pool.now.plus(milliseconds);
    pool.round();
}

/// Of how many minutes people were warned, in turn.
fn warned(pool: &Pool) -> Vec<u32> {
    let words = pool.told.iter().filter_map(|(_, told)| told.strip_prefix("warn-workspace: "));
    words.map(|told| told.split_whitespace().find_map(|word| word.parse().ok()).unwrap()).collect()
}

fn cause(pool: &Pool, id: &WorkspaceId) -> Option<StopCause> {
    match pool.assignments[id].stage {
        WorkspaceStage::Over { cause, .. }
        | WorkspaceStage::Leaving(cause)
        | WorkspaceStage::Saving { cause: SaveCause::Stops(cause), .. } => Some(cause),
        _ => None,
    }
}

#[test]
fn the_time_that_it_waited_for_a_host_is_not_counted() {
    let mut pool = Pool::new(&["a"]);
    pool.host("a").record.duty = Duty::Cordoned;
    let id = pool.open(spec(&["main"]));
    pass(&mut pool, 50 * MINUTE_MS);
    let status = workspace_status(&pool.world, &id, pool.now).unwrap();
    assert_eq!((status.ends_at, status.idle_at, status.active_at), (None, None, None));
    pool.host("a").record.duty = Duty::InService;
    pool.until_phase(&id, "ready");
    let ready_at = pool.assignments[&id].ready_at.unwrap();
    let status = workspace_status(&pool.world, &id, pool.now).unwrap();
    assert_eq!(status.ends_at, Some(ready_at.plus(60 * MINUTE_MS)));
    assert_eq!(status.idle_at, None, "it does not stop for want of use");
}

#[test]
fn one_that_was_started_ahead_begins_when_it_is_given() {
    let mut pool = Pool::new(&["a"]);
    let short = EnvironmentSpec { lifetime_minutes: 30, idle_minutes: 10, warm: 1, ..spec(&["main"]) };
    pool.describe("lab", short);
    pool.run_until("it is ready", |pool| pool.assignments.values().any(|found| found.ready_at.is_some()));
    let id = pool.records.keys().next().unwrap().clone();
    pass(&mut pool, 600 * MINUTE_MS);
    assert_eq!((cause(&pool, &id), pool.phase(&id)), (None, "ready"), "nobody's time goes by");
    assert_eq!(workspace_ends_at(&pool.records[&id], &pool.assignments[&id]), None);
    let now = pool.now;
    pool.change(&id, |workspace| (workspace.wish, workspace.asked_at) = (WorkspaceWish::Running, now));
    pool.round();
    let ends_at = workspace_ends_at(&pool.records[&id], &pool.assignments[&id]);
    assert_eq!(ends_at, Some(now.plus(30 * MINUTE_MS)));
    pass(&mut pool, 9 * MINUTE_MS);
    assert_eq!(cause(&pool, &id), None);
    pass(&mut pool, MINUTE_MS);
    assert_eq!(cause(&pool, &id), Some(StopCause::Idle));
}

#[test]
fn who_asks_for_its_end_is_told_so_whatever_else_ends_it() {
    let (mut pool, id) = ready(30, 10);
    pool.host("a").record.duty = Duty::Drained;
    pool.world.set_over_disk(&id, Some("it uses too much".to_owned()));
    pool.wish(&id, WorkspaceWish::Saved);
    pass(&mut pool, 100 * MINUTE_MS);
    assert_eq!(cause(&pool, &id), Some(StopCause::Asked));
}

#[test]
fn of_several_causes_the_one_that_people_can_mend_comes_first() {
    for (is_over_disk, minutes, expected) in
        [(true, 40, StopCause::DiskFull), (false, 40, StopCause::Expired), (false, 20, StopCause::Idle)]
    {
        let (mut pool, id) = ready(30, 10);
        pool.host("a").record.duty = Duty::Drained;
        let words = is_over_disk.then(|| "it uses too much".to_owned());
        pool.world.set_over_disk(&id, words);
        pool.now = pool.now.plus(minutes * MINUTE_MS);
        pool.round();
        assert_eq!(cause(&pool, &id), Some(expected));
    }
}

#[test]
fn a_time_beyond_all_clocks_does_not_end_it() {
    let (mut pool, id) = ready(u32::MAX, u32::MAX);
    pool.change(&id, |workspace| workspace.extended_minutes = u32::MAX);
    pass(&mut pool, 60_000 * MINUTE_MS);
    assert_eq!((cause(&pool, &id), warned(&pool)), (None, Vec::new()));
}

#[test]
fn activity_that_comes_late_or_of_nobody_does_not_turn_back_the_clock() {
    let (mut pool, id) = ready(600, 20);
    let now = pool.now;
    pool.world.note_activity(&id, now.plus(5 * MINUTE_MS));
    pool.world.note_activity(&id, now);
    let stranger = WorkspaceId::from_random(77);
    pool.world.note_activity(&stranger, now);
    assert_eq!(pool.world.activity(&stranger).0, 0, "no record of it, nothing to note");
    let status = workspace_status(&pool.world, &id, pool.now).unwrap();
    assert_eq!(status.active_at, Some(now.plus(5 * MINUTE_MS)));
    assert_eq!(status.idle_at, Some(now.plus(25 * MINUTE_MS)));
}

#[test]
fn one_that_may_be_idle_for_a_short_time_is_said_to_be_after_half_of_it() {
    let (mut pool, id) = ready(600, 4);
    pass(&mut pool, MINUTE_MS);
    assert_eq!(pool.phase(&id), "ready");
    pass(&mut pool, MINUTE_MS);
    assert_eq!(pool.phase(&id), "idle");
    let (mut forever, id) = ready(600, 0);
    pass(&mut forever, 300 * MINUTE_MS);
    assert_eq!(forever.phase(&id), "ready", "where it does not matter it is not said");
}

fn states(pool: &Pool) -> BTreeSet<&'static str> {
    let all = pool.hosts.values().flat_map(|host| host.containers.values());
    all.map(|container| container.state.as_str()).collect()
}

#[test]
fn one_that_stands_still_is_frozen_and_loses_only_time() {
    let (mut pool, id) = ready(60, 10);
    pool.work(&id);
    pool.stand_still(&id);
    assert_eq!(pool.phase(&id), "paused");
    pool.run_until("it is frozen", |pool| states(pool) == BTreeSet::from(["paused"]));
    assert!(pool.message(&id).contains("stands still"), "{}", pool.message(&id));
    assert_eq!(workspace_status(&pool.world, &id, pool.now).unwrap().idle_at, None);
    pass(&mut pool, 30 * MINUTE_MS);
    assert_eq!((cause(&pool, &id), pool.phase(&id)), (None, "paused"), "nobody could have been active");
    pool.go_on(&id);
    let until = pool.now;
    pool.until_phase(&id, "ready");
    assert_eq!((states(&pool), pool.worth(&id)), (BTreeSet::from(["running"]), 1));
    assert_eq!(workspace_status(&pool.world, &id, pool.now).unwrap().idle_at, Some(until.plus(10 * MINUTE_MS)));
    pool.stand_still(&id);
    pass(&mut pool, 30 * MINUTE_MS);
    assert_eq!(cause(&pool, &id), Some(StopCause::Expired), "its time goes on");
    pool.until_phase(&id, "saved");
    assert_eq!(pool.saves.values().flat_map(|save| save.values()).sum::<u64>(), 1, "with what was in it");
}

#[test]
fn one_that_stands_still_is_saved_where_it_is_and_started_as_any_other() {
    let (mut pool, id) = ready(60, 0);
    pool.stand_still(&id);
    pool.run_until("it is frozen", |pool| states(pool) == BTreeSet::from(["paused"]));
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save", |pool| pool.saves.len() == 1);
    assert_eq!((pool.phase(&id), states(&pool)), ("paused", BTreeSet::from(["paused"])));
    // Its host is started again: what ran has ended.
    let containers = &mut pool.host("a").containers;
    containers.values_mut().for_each(|container| container.state = ContainerState::Exited);
    pool.run_until("it is frozen again", |pool| pool.phase(&id) == "paused" && states(pool).contains("paused"));
    pool.wish(&id, WorkspaceWish::Saved);
    pool.until_phase(&id, "saved");
    assert_eq!(pool.left(), (0, 0));
}

#[test]
fn one_that_is_not_ready_yet_stands_still_when_it_is() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main", "db"]));
    pool.stand_still(&id);
    pool.until_phase(&id, "paused");
    pool.run_until("it is frozen", |pool| states(pool) == BTreeSet::from(["paused"]));
    assert!(pool.assignments[&id].place.as_ref().unwrap().primed.len() == 2, "what follows a start was done");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn warnings_come_in_turn_once_and_before_the_end(lifetime in 1..40_u32, step_s in 5..55_u64) {
        let (mut pool, id) = ready(lifetime, 0);
        let ends_at = workspace_ends_at(&pool.records[&id], &pool.assignments[&id]).unwrap();
        while pool.now < ends_at {
            prop_assert_eq!(cause(&pool, &id), None);
            pass(&mut pool, step_s * 1_000);
        }
        pool.round();
        prop_assert_eq!(cause(&pool, &id), Some(StopCause::Expired));
        let expected: Vec<u32> = [15, 5, 1].into_iter().filter(|minutes| *minutes < lifetime).collect();
        prop_assert_eq!(warned(&pool), expected);
    }

    #[test]
    fn each_minute_that_it_is_put_off_is_a_minute_more(lifetime in 1..10_000_u32, extended in 0..10_000_u32) {
        let (mut pool, id) = ready(lifetime, 0);
        let before = workspace_ends_at(&pool.records[&id], &pool.assignments[&id]).unwrap();
        pool.change(&id, |workspace| workspace.extended_minutes = extended);
        let after = workspace_ends_at(&pool.records[&id], &pool.assignments[&id]).unwrap();
        prop_assert_eq!(after.since(before), u64::from(extended) * MINUTE_MS);
        let assignment = pool.assignments[&id].clone();
        pool.change(&id, |workspace| workspace.run += 1);
        prop_assert_eq!(workspace_ends_at(&pool.records[&id], &assignment), None, "that was another run");
    }
}
