//! What people are told of a workspace while its host, its save or its end is not as it should be.

use super::pool::{MINUTE_MS, Pool, engine, spec};
use crate::{workspace_status, workspace_statuses};
use pierhead_model::{
    Duty, FailureKind, Health, HealthStatus, SaveId, Timestamp, WorkspaceId, WorkspaceOrigin, WorkspaceWish,
};

fn ready() -> (Pool, WorkspaceId) {
    let mut pool = Pool::new(&["a", "b"]);
    pool.host("b").record.duty = Duty::Cordoned;
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    (pool, id)
}

fn say(pool: &mut Pool, status: HealthStatus, reason: &str) {
    let health = Health { status, reason: reason.to_owned(), since: pool.now, ..Health::default() };
    pool.world.set_health(&engine("a"), health);
}

#[test]
fn a_host_that_is_in_doubt_is_waited_for_and_the_reason_is_told() {
    let (mut pool, id) = ready();
    say(&mut pool, HealthStatus::Suspect, "timed out");
    let words = "waits for host a, which did not answer lately: timed out";
    assert_eq!((pool.phase(&id), pool.message(&id).as_str()), ("ready", words));
    say(&mut pool, HealthStatus::Pending, "");
    assert_eq!(pool.message(&id), "waits for the first answer of host a");
    // A new controller has heard that it answers, and not yet what runs there.
    pool.take_over();
    say(&mut pool, HealthStatus::Healthy, "");
    assert_eq!(pool.message(&id), "waits until it is known what runs on host a");
    pool.observe();
    assert_eq!((pool.phase(&id), pool.message(&id).as_str()), ("ready", ""));
}

#[test]
fn a_host_that_is_down_is_counted_down_and_no_longer_than_it_takes() {
    let (mut pool, id) = ready();
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save", |pool| pool.saves.len() == 1 && pool.phase(&id) == "ready");
    pool.host("a").answers = false;
    pool.observe();
    let down_at = pool.now;
    for (passed_ms, left_s) in [(0, 10), (1, 10), (4_000, 6), (9_999, 1)] {
        pool.now = down_at.plus(passed_ms);
        assert_eq!(pool.phase(&id), "failed");
        assert_eq!(pool.message(&id), format!("host a is down: no answer; it goes on elsewhere in {left_s} s"));
    }
    pool.now = down_at.plus(10_000);
    assert!(!pool.message(&id).contains("elsewhere in"), "{}", pool.message(&id));
    // There is no other host: it waits, and tells where a copy is.
    pool.round();
    let status = workspace_status(&pool.world, &id, pool.now).unwrap();
    assert_eq!((status.phase.as_str(), status.queue, status.engine), ("queued", Some(1), None));
    assert_eq!(status.left_on, [engine("a")]);
    assert_eq!(status.last_save.map(|(save, _)| save), Some(SaveId::of(&id, 1)));
}

#[test]
fn a_removal_does_not_wait_for_a_host_that_died() {
    let (mut pool, id) = ready();
    pool.host("a").faults.push(("remove".to_owned(), FailureKind::Other, 1_000));
    pool.wish(&id, WorkspaceWish::Saved);
    pool.run_until("it leaves", |pool| pool.message(&id) == "it is stopped: somebody asked for it");
    assert_eq!(pool.phase(&id), "saving");
    pool.host("a").answers = false;
    pool.round();
    pool.round();
    assert_eq!((pool.phase(&id), pool.message(&id).as_str()), ("saved", "it was stopped: somebody asked for it"));
    pool.start(&id, WorkspaceOrigin::Newest);
    pool.run_for(60_000);
    assert_eq!(pool.phase(&id), "queued", "no other host is there");
    pool.host("a").answers = true;
    pool.host("a").faults.clear();
    pool.until_phase(&id, "ready");
    pool.run_for(2_000);
    assert_eq!((pool.worth(&id), pool.left()), (1, (1, 1)), "what was left there has gone");
}

#[test]
fn one_that_is_given_up_on_a_lost_host_is_over_at_once_and_removed_later() {
    let (mut pool, id) = ready();
    pool.host("a").answers = false;
    pool.run_for(1_000);
    pool.wish(&id, WorkspaceWish::Discarded);
    pool.run_for(1_000);
    assert_eq!((pool.phase(&id), pool.left()), ("ended", (1, 1)));
    pool.host("a").answers = true;
    pool.run_until("it is removed", |pool| pool.left() == (0, 0));
    assert!(pool.saves.is_empty());
}

#[test]
fn a_copy_that_was_left_goes_unsaved_if_its_owner_gives_it_up() {
    let (mut pool, id) = ready();
    pool.host("b").record.duty = Duty::InService;
    pool.host("a").answers = false;
    pool.run_for(1_000);
    pool.start(&id, WorkspaceOrigin::Environment);
    pool.until_phase(&id, "ready");
    pool.wish(&id, WorkspaceWish::Discarded);
    pool.until_phase(&id, "ended");
    pool.now = pool.now.plus(48 * 60 * MINUTE_MS);
    pool.run_for(1_000);
    assert!(pool.records.contains_key(&id), "it is remembered as long as a copy of it may be somewhere");
    pool.host("a").answers = true;
    pool.run_until("all is gone and forgotten", |pool| pool.records.is_empty() && pool.left() == (0, 0));
    assert!(pool.saves.is_empty());
}

#[test]
fn a_copy_on_a_host_that_is_removed_is_not_waited_for() {
    let (mut pool, id) = ready();
    pool.host("b").record.duty = Duty::InService;
    pool.host("a").answers = false;
    pool.run_for(1_000);
    pool.start(&id, WorkspaceOrigin::Environment);
    pool.until_phase(&id, "ready");
    assert_eq!(pool.assignments[&id].left.len(), 1);
    pool.hosts.remove(&engine("a"));
    pool.world.remove_engine(&engine("a"));
    pool.run_until("it is not remembered any more", |pool| pool.assignments[&id].left.is_empty());
    assert_eq!((pool.phase(&id), pool.engine_of(&id).as_deref()), ("ready", Some("b")));
}

#[test]
fn a_copy_that_cannot_be_saved_is_kept_and_tried_again_after_a_while() {
    let (mut pool, id) = ready();
    pool.host("b").record.duty = Duty::InService;
    pool.host("a").answers = false;
    pool.run_for(1_000);
    pool.start(&id, WorkspaceOrigin::Environment);
    pool.until_phase(&id, "ready");
    pool.host("a").faults.push(("save".to_owned(), FailureKind::NoSpace, 1));
    pool.host("a").answers = true;
    pool.run_for(30_000);
    let saves = |pool: &Pool| pool.journal.iter().filter(|line| line.contains("on a: save")).count();
    assert_eq!((saves(&pool), pool.left(), pool.saves.len()), (1, (2, 2), 0));
    assert!(pool.told.iter().any(|(of, told)| *of == id && told == "fail-save: NoSpace"), "{:?}", pool.told);
    pool.run_for(40_000);
    assert_eq!((saves(&pool), pool.left(), pool.saves.len()), (2, (1, 1), 1));
    assert_eq!(pool.assignments[&id].last_save, None, "it went on elsewhere, from something else");
}

#[test]
fn what_is_in_the_way_is_told_before_what_is_merely_to_be_known() {
    let (mut pool, id) = ready();
    pool.world.set_over_disk(&id, Some("it uses 3 GB of the disk".to_owned()));
    assert_eq!(pool.message(&id), "it uses 3 GB of the disk");
    pool.world.set_over_disk(&id, None);
    assert_eq!(pool.message(&id), "");
    let stranger = WorkspaceId::from_random(99);
    pool.world.set_over_disk(&stranger, Some("whose?".to_owned()));
    assert_eq!(pool.world.over_disk(&stranger), None);
    assert_eq!(workspace_status(&pool.world, &stranger, pool.now), None);
}

#[test]
fn all_are_told_the_same_together_as_each_alone() {
    let (mut pool, id) = ready();
    let ids: Vec<_> = (0..9).map(|_| pool.open(spec(&["main"]))).collect();
    pool.wish(&ids[0], WorkspaceWish::Ended);
    pool.wish(&ids[1], WorkspaceWish::Discarded);
    pool.run_for(1_000);
    pool.wish(&id, WorkspaceWish::Saved);
    let together = workspace_statuses(&pool.world, pool.now);
    assert_eq!(together.len(), 10);
    for (id, status) in &together {
        assert_eq!(workspace_status(&pool.world, id, pool.now).as_ref(), Some(status));
        let has_end = matches!(status.phase.as_str(), "ready" | "saving");
        assert_eq!(status.ends_at.is_some(), has_end, "{status:?}");
        assert!(status.queue.is_none() || status.engine.is_none(), "{status:?}");
        assert!(status.active_at.is_none_or(|at| at > Timestamp(0)));
    }
    assert_eq!(together[&ids[0]].phase.as_str(), "ended");
}
