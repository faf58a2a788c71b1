//! A workspace's ways: it begins, is worked in, and whatever ends it, it is saved before.

use super::pool::{MINUTE_MS, Pool, spec};
use pierhead_model::{
    ContainerState, FailureKind, StopCause, Timestamp, WorkspaceOrigin, WorkspaceStage, WorkspaceWish,
};

#[test]
fn it_is_made_saved_stopped_and_comes_back_elsewhere() {
    let mut pool = Pool::new(&["a", "b"]);
    let id = pool.open(spec(&["main", "db"]));
    pool.until_phase(&id, "ready");
    assert_eq!(pool.left(), (2, 1));
    let first = pool.engine_of(&id).unwrap();
    pool.work(&id);
    pool.work(&id);
    pool.wish(&id, WorkspaceWish::Saved);
    assert_eq!(pool.phase(&id), "saving");
    pool.until_phase(&id, "saved");
    assert_eq!(pool.left(), (0, 0), "nothing of it is left");
    assert_eq!(pool.message(&id), "it was stopped: somebody asked for it");
    let ends = |pool: &Pool| pool.told.iter().filter(|(_, told)| told.contains("nothing of it runs any more")).count();
    assert_eq!(ends(&pool), 1, "{:?}", pool.told);
    pool.host(&first).record.duty = pierhead_model::Duty::Cordoned;
    pool.start(&id, WorkspaceOrigin::Newest);
    pool.until_phase(&id, "ready");
    assert_ne!(pool.engine_of(&id).unwrap(), first);
    assert_eq!(pool.worth(&id), 2);
    assert!(pool.told.iter().any(|(_, told)| told.starts_with("save-workspace: save=")), "{:?}", pool.told);
}

#[test]
fn a_failed_save_keeps_it_and_is_tried_again() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.host("a").faults.push(("save".to_owned(), FailureKind::NoSpace, 3));
    pool.wish(&id, WorkspaceWish::Ended);
    pool.run_until("a failed save", |pool| pool.message(&id).starts_with("it could not be saved, so it is kept"));
    assert_eq!((pool.phase(&id), pool.left()), ("saving", (1, 1)));
    pool.until_phase(&id, "ended");
    assert_eq!(pool.left(), (0, 0));
    assert!(pool.saves.values().any(|save| save.values().sum::<u64>() == 1));
    let saves = pool.journal.iter().filter(|line| line.contains("save")).count();
    assert_eq!(saves, 4);
    let told = pool.told.iter().filter(|(_, told)| told.starts_with("fail-save")).count();
    assert_eq!(told, 1, "the same is told once");
}

#[test]
fn who_changes_their_mind_meanwhile_goes_on_in_it() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.host("a").faults.push(("save".to_owned(), FailureKind::Other, 1_000));
    pool.wish(&id, WorkspaceWish::Saved);
    pool.run_until("a failed save", |pool| pool.message(&id).contains("is tried again"));
    pool.start(&id, WorkspaceOrigin::Newest);
    pool.until_phase(&id, "ready");
    assert_eq!(pool.worth(&id), 1, "it is the very same");
    assert_eq!(pool.journal.iter().filter(|line| line.contains("create")).count(), 1);
}

#[test]
fn an_end_is_warned_of_put_off_and_comes() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    let warnings = |pool: &Pool| pool.told.iter().filter(|(_, told)| told.starts_with("warn-workspace")).count();
    pool.run_for(44 * MINUTE_MS);
    assert_eq!(warnings(&pool), 0);
    pool.run_for(2 * MINUTE_MS);
    assert_eq!(warnings(&pool), 1, "{:?}", pool.told);
    pool.change(&id, |workspace| workspace.extended_minutes = 30);
    pool.run_for(20 * MINUTE_MS);
    assert_eq!((warnings(&pool), pool.phase(&id)), (1, "ready"));
    pool.run_for(23 * MINUTE_MS);
    assert_eq!(warnings(&pool), 4, "anew of 15, 5 and 1: {:?}", pool.told);
    pool.run_for(3 * MINUTE_MS);
    assert_eq!(pool.phase(&id), "saved");
    assert_eq!(pool.message(&id), "it was stopped: its time was over");
    assert_eq!(pool.saves.len(), 1);
}

#[test]
fn what_nobody_uses_is_saved_and_stopped() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(pierhead_model::EnvironmentSpec { idle_minutes: 20, lifetime_minutes: 600, ..spec(&["main"]) });
    pool.until_phase(&id, "ready");
    for _ in 0..3 {
        pool.run_for(15 * MINUTE_MS);
        let now = pool.now;
        pool.world.note_activity(&id, now);
        pool.round();
        assert_eq!(pool.phase(&id), "ready");
    }
    // What was noted in memory is written down, so that another controller knows it.
    pool.crash(false);
    pool.run_for(6 * MINUTE_MS);
    assert_eq!(pool.phase(&id), "idle");
    pool.run_for(15 * MINUTE_MS);
    assert_eq!((pool.phase(&id), pool.message(&id).as_str()), ("saved", "it was stopped: nobody used it"));
}

#[test]
fn a_reset_begins_anew_and_what_was_there_is_saved() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.start(&id, WorkspaceOrigin::Environment);
    assert_eq!(pool.phase(&id), "saving", "what it was is not what was asked for");
    pool.run_until("another generation", |pool| {
        pool.phase(&id) == "ready" && pool.assignments[&id].newest_generation.0 == 2
    });
    assert_eq!(pool.worth(&id), 0);
    let save = pool.saves.keys().next().unwrap().clone();
    pool.start(&id, WorkspaceOrigin::Save(save));
    pool.run_until("the third", |pool| pool.phase(&id) == "ready" && pool.assignments[&id].newest_generation.0 == 3);
    assert_eq!((pool.worth(&id), pool.left()), (1, (1, 1)));
}

#[test]
fn a_save_that_is_asked_for_lets_it_run() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save", |pool| pool.saves.len() == 1 && pool.phase(&id) == "ready");
    pool.host("a").faults.push(("save".to_owned(), FailureKind::NoSpace, 1));
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save that fails", |pool| pool.message(&id) == "NoSpace");
    pool.run_for(60_000);
    assert_eq!((pool.phase(&id), pool.saves.len()), ("ready", 1), "it is not tried again by itself");
}

#[test]
fn a_save_asked_for_while_another_is_made_is_made_after_it() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    let ask = |pool: &mut Pool, name: &str| {
        pool.change(&id, |workspace| {
            workspace.saves_asked += 1;
            workspace.save_name = Some(name.to_owned());
        });
    };
    pool.host("a").latency_ms = 3_000;
    pool.work(&id);
    ask(&mut pool, "first");
    pool.until_phase(&id, "saving");
    ask(&mut pool, "second");
    // A controller that takes over calls the first by its own name all the same.
    pool.crash(false);
    pool.run_until("the first", |pool| pool.saves.len() == 1);
    pool.work(&id);
    pool.run_until("the second", |pool| pool.saves.len() == 2 && pool.phase(&id) == "ready");
    let works: Vec<u64> = pool.saves.values().map(|save| save.values().sum()).collect();
    assert_eq!(works, [1, 2]);
    let names: Vec<&str> = pool.orders.iter().map(|order| order.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    pool.run_for(60_000);
    assert_eq!(pool.saves.len(), 2);
}

#[test]
fn one_that_is_to_stop_while_a_save_is_made_is_saved_once_more() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.host("a").latency_ms = 3_000;
    pool.work(&id);
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.until_phase(&id, "saving");
    // The save comes to its end while its controller dies; somebody works on, then stops it.
    pool.crash(true);
    assert_eq!((pool.saves.len(), pool.work(&id)), (1, 2));
    pool.wish(&id, WorkspaceWish::Saved);
    pool.until_phase(&id, "saved");
    let newest = pool.assignments[&id].last_save.clone().unwrap();
    assert_eq!(pool.saves[&newest].values().sum::<u64>(), 2, "what was done after the first save");
}

#[test]
fn what_is_given_up_goes_without_a_save() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.wish(&id, WorkspaceWish::Discarded);
    pool.until_phase(&id, "ended");
    assert_eq!((pool.saves.len(), pool.left()), (0, (0, 0)));
    pool.run_for(25 * 3600 * 1000 / 10);
    pool.now = pool.now.plus(25 * 3600 * 1000);
    pool.run_until("it is forgotten", |pool| pool.records.is_empty() && pool.assignments.is_empty());
}

#[test]
fn what_was_ended_before_it_had_a_host_never_gets_one() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.wish(&id, WorkspaceWish::Ended);
    pool.run_for(1_000);
    assert_eq!((pool.phase(&id), pool.left(), pool.journal.len()), ("ended", (0, 0), 0));
}

#[test]
fn a_container_that_ends_is_started_again_and_primed_again() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main", "db"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    let primes = |pool: &Pool| pool.journal.iter().filter(|line| line.contains("prime main")).count();
    for turn in 0..5 {
        let place = pool.assignments[&id].place.clone().unwrap();
        let main = place.containers.iter().find(|(name, _)| name.as_str() == "main").unwrap().1.clone();
        let container = pool.host("a").containers.get_mut(&main).unwrap();
        (container.state, container.exit_code) = (ContainerState::Exited, Some(1));
        pool.run_until("it is missed", |pool| pool.phase(&id) != "ready");
        assert!(pool.message(&id).contains("container main ended (exit code 1)"), "{}", pool.message(&id));
        pool.until_phase(&id, "ready");
        assert_eq!(primes(&pool), turn + 2);
    }
    assert_eq!(pool.worth(&id), 1, "what was in it is in it");
    assert!(pool.assignments[&id].failures >= 3);
    pool.run_for(120_000);
    assert_eq!(pool.assignments[&id].failures, 0, "it is forgotten when it runs well");
}

#[test]
fn one_that_uses_too_much_disk_is_saved_and_stopped() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.world.set_over_disk(&id, Some("it uses 3 GB of the disk, and may use 2".to_owned()));
    pool.until_phase(&id, "saved");
    let over = |stage: &WorkspaceStage| matches!(stage, WorkspaceStage::Over { cause: StopCause::DiskFull, .. });
    assert!(over(&pool.assignments[&id].stage) && pool.saves.len() == 1);
}

#[test]
fn records_of_a_backup_change_nothing_until_somebody_says_so() {
    let mut pool = Pool::new(&["a"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.world.is_restored = true;
    pool.wish(&id, WorkspaceWish::Discarded);
    let other = pool.open(spec(&["main"]));
    pool.run_for(60_000);
    assert_eq!(pool.left(), (1, 1));
    assert!(pool.message(&other).contains("pierhead cluster settle"), "{}", pool.message(&other));
    pool.world.is_restored = false;
    pool.until_phase(&other, "ready");
    assert_eq!((pool.phase(&id), pool.left()), ("ended", (1, 1)));
    assert!(pool.now > Timestamp(0));
}
