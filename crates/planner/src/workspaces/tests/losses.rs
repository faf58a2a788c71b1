//! Hosts that are lost, drained, removed and that return: what was saved comes back, what was not is kept.

use super::pool::{Pool, engine, saved_once, spec};
use pierhead_model::{Duty, WorkspaceOrigin, WorkspaceWish};

#[test]
fn the_last_save_comes_back_and_the_copy_is_kept_until_it_is_saved() {
    let (mut pool, id, lost) = saved_once(&["a", "b", "c"]);
    pool.run_for(125_000);
    pool.host(&lost).answers = false;
    pool.run_until("it comes back elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != lost)
    });
    assert_eq!(pool.worth(&id), 1, "as it was saved");
    let message = pool.message(&id);
    assert!(message.contains(&format!("comes back from save {id}-1, which was made 2 min before")), "{message}");
    pool.run_for(60_000);
    pool.host(&lost).answers = true;
    pool.run_until("the copy is a save of its own", |pool| {
        pool.saves.values().any(|save| save.values().any(|n| *n == 2))
    });
    pool.run_until("and gone", |pool| pool.hosts[&engine(&lost)].containers.is_empty());
    assert_eq!((pool.left(), pool.phase(&id), pool.worth(&id)), ((1, 1), "ready", 1));
}

#[test]
fn what_was_never_saved_waits_for_its_host() {
    let mut pool = Pool::new(&["a", "b"]);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    let lost = pool.engine_of(&id).unwrap();
    pool.host(&lost).answers = false;
    pool.run_for(300_000);
    assert_eq!(pool.phase(&id), "failed");
    assert!(pool.message(&id).contains("nothing of it was saved yet"), "{}", pool.message(&id));
    pool.host(&lost).answers = true;
    pool.until_phase(&id, "ready");
    assert_eq!(pool.worth(&id), 1);
    // Its owner may also begin anew; the copy is kept all the same.
    pool.host(&lost).answers = false;
    pool.run_for(60_000);
    pool.start(&id, WorkspaceOrigin::Environment);
    pool.until_phase(&id, "ready");
    assert_eq!(pool.worth(&id), 0);
    pool.host(&lost).answers = true;
    pool.run_until("the copy is saved", |pool| pool.saves.values().any(|save| save.values().any(|n| *n == 1)));
    pool.run_until("and gone", |pool| pool.left() == (1, 1));
}

#[test]
fn one_that_was_just_being_made_is_made_elsewhere() {
    let mut pool = Pool::new(&["a", "b"]);
    for host in ["a", "b"] {
        pool.host(host).latency_ms = 3_000;
    }
    let id = pool.open(spec(&["main"]));
    pool.run_for(500);
    let lost = pool.engine_of(&id).unwrap();
    pool.host(&lost).answers = false;
    pool.until_phase(&id, "ready");
    assert_ne!(pool.engine_of(&id).unwrap(), lost);
    pool.host(&lost).answers = true;
    pool.run_for(5_000);
    assert_eq!(pool.left(), (1, 1));
}

#[test]
fn what_is_to_be_stopped_on_a_lost_host_waits_to_be_saved() {
    let (mut pool, id, lost) = saved_once(&["a", "b"]);
    pool.host(&lost).answers = false;
    pool.run_for(5_000);
    pool.wish(&id, WorkspaceWish::Ended);
    pool.run_for(60_000);
    assert!(pool.message(&id).contains("it is saved as soon as that answers"), "{}", pool.message(&id));
    pool.host(&lost).answers = true;
    pool.until_phase(&id, "ended");
    assert_eq!(pool.left(), (0, 0));
    assert!(pool.saves.values().any(|save| save.values().any(|n| *n == 2)), "{:?}", pool.saves);
}

#[test]
fn a_drained_host_gives_them_to_others() {
    let (mut pool, id, host) = saved_once(&["a", "b"]);
    pool.host(&host).record.duty = Duty::Drained;
    pool.run_until("it goes on elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|now| now != host)
    });
    assert_eq!((pool.worth(&id), pool.left()), (2, (1, 1)));
}

#[test]
fn several_hosts_that_vanish_at_once_are_waited_for() {
    let (mut pool, id, lost) = saved_once(&["a", "b", "c"]);
    let other = ["a", "b", "c"].into_iter().find(|host| *host != lost).unwrap();
    pool.host(&lost).answers = false;
    pool.host(other).answers = false;
    pool.run_for(120_000);
    assert_eq!(pool.engine_of(&id).as_deref(), Some(lost.as_str()));
    assert!(pool.message(&id).contains("it goes on when it answers"), "{}", pool.message(&id));
    pool.host(&lost).answers = true;
    pool.until_phase(&id, "ready");
    assert_eq!(pool.worth(&id), 2);
}

#[test]
fn a_host_that_is_removed_takes_along_what_was_not_saved() {
    let (mut pool, id, host) = saved_once(&["a", "b"]);
    let fresh = pool.open(spec(&["main"]));
    pool.until_phase(&fresh, "ready");
    pool.work(&fresh);
    let of_fresh = pool.engine_of(&fresh).unwrap();
    for gone in [host.as_str(), of_fresh.as_str()] {
        pool.hosts.remove(&engine(gone));
        pool.world.remove_engine(&engine(gone));
    }
    if pool.hosts.is_empty() {
        let mut other = Pool::new(&["z"]);
        pool.hosts.insert(engine("z"), other.host("z").clone());
        pool.take_over();
    }
    pool.until_phase(&id, "ready");
    assert_eq!(pool.worth(&id), 1);
    pool.until_phase(&fresh, "failed");
    assert_eq!(pool.message(&fresh), "it was stopped: its host was removed from the pool");
    pool.start(&fresh, WorkspaceOrigin::Newest);
    pool.until_phase(&fresh, "ready");
}
