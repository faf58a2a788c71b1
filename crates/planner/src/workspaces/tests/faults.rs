//! Work that is not lost though several things go wrong at once.

use super::pool::{Pool, engine, saved_once};
use crate::workspaces::{WorkspaceStep, after_workspace_step, plan_workspaces};
use pierhead_model::{Failure, FailureKind, SaveCause, SaveId, WorkspaceStage, WorkspaceWish};

/// The order of a save that is to be made next.
fn order(pool: &Pool) -> crate::SaveOrder {
    let plan = plan_workspaces(&pool.world, pool.now);
    let mut orders = plan.actions.into_iter().filter_map(|action| match action.step {
        WorkspaceStep::Save(order) => Some(*order),
        _ => None,
    });
    orders.next_back().expect("a save is to be made")
}

#[test]
fn the_last_save_is_never_one_that_was_asked_for_before() {
    let (mut pool, id, host) = saved_once(&["a"]);
    pool.host(&host).latency_ms = 2_000;
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("it is being saved", |pool| {
        matches!(pool.assignments[&id].stage, WorkspaceStage::Saving { cause: SaveCause::Asked, .. })
    });
    pool.round();
    // It is made, nobody hears of it, and people work on.
    pool.crash(true);
    pool.observe();
    assert_eq!(pool.saves.len(), 2);
    assert_eq!(pool.work(&id), 3);
    pool.wish(&id, WorkspaceWish::Ended);
    pool.until_phase(&id, "ended");
    let last = pool.assignments[&id].last_save.clone().unwrap();
    assert_eq!(pool.saves[&last].values().sum::<u64>(), 3, "{:?}", pool.saves);
}

#[test]
fn after_a_failed_save_another_one_is_made_not_that_one() {
    let (mut pool, id, host) = saved_once(&["a"]);
    pool.host(&host).faults.push(("save".to_owned(), FailureKind::NoSpace, 2));
    pool.wish(&id, WorkspaceWish::Saved);
    pool.until_phase(&id, "saved");
    let saves: Vec<&String> = pool.journal.iter().filter(|line| line.contains(": save ")).collect();
    let ids: std::collections::BTreeSet<&str> = saves.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!((saves.len(), ids.len()), (4, 4), "{saves:?}");
}

#[test]
fn what_was_left_is_nobodys_but_the_peoples() {
    let (mut pool, id, lost) = saved_once(&["a", "b", "c"]);
    pool.host(&lost).answers = false;
    pool.run_until("it comes back elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != lost)
    });
    pool.host(&lost).answers = true;
    pool.host(&lost).latency_ms = 1_000;
    pool.run_until("what was left gets a save", |pool| pool.assignments[&id].left[0].save.is_some());
    let order = order(&pool);
    assert!(order.stops && !order.restarts && !order.automatic, "it runs elsewhere now: {order:?}");
    // A save that was begun before the host was lost does not hold what was done since.
    let present = pool.assignments[&id].clone();
    let action = plan_workspaces(&pool.world, pool.now).actions.remove(0);
    let WorkspaceStep::Save(begun) = &action.step else { panic!("{action:?}") };
    let early = crate::SaveOrder { id: SaveId::of(&id, 1), ..(**begun).clone() };
    let early = crate::WorkspaceAction { step: WorkspaceStep::Save(Box::new(early)), ..action.clone() };
    for result in [Ok(()), Err(Failure::new(FailureKind::Other, "cut off"))] {
        let policy = &pool.world.policy;
        assert_eq!(after_workspace_step(policy, &present, &early, result, pool.now), None);
    }
    let (next, _) = after_workspace_step(&pool.world.policy, &present, &action, Ok(()), pool.now).unwrap();
    assert!(!next.left[0].holds_work);
}

#[test]
fn what_goes_with_a_host_is_told_with_the_age_of_what_is_kept() {
    let (mut pool, id, host) = saved_once(&["a", "b", "c"]);
    pool.run_for(185_000);
    let remove = |pool: &mut Pool, host: &str| {
        pool.hosts.remove(&engine(host));
        pool.world.remove_engine(&engine(host));
    };
    remove(&mut pool, &host);
    pool.until_phase(&id, "ready");
    let words = format!("what was not saved is lost, its newest save is {id}-1, which was made 3 min before");
    assert!(pool.told.iter().any(|(_, told)| told.contains(&words)), "{:?}", pool.told);
    // The same of a copy that was left on a host, when that is given up.
    let lost = pool.engine_of(&id).unwrap();
    pool.host(&lost).answers = false;
    pool.run_until("it comes back elsewhere", |pool| {
        pool.phase(&id) == "ready" && pool.engine_of(&id).is_some_and(|host| host != lost)
    });
    let before = pool.told.len();
    remove(&mut pool, &lost);
    pool.run_for(1_000);
    assert!(pool.assignments[&id].left.is_empty());
    let told = &pool.told[before..];
    assert!(
        told.iter().any(|(_, told)| told.contains(&format!("host {lost} is not in the pool any more"))),
        "{told:?}"
    );
}
