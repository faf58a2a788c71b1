//! What is wanted ahead for a while beyond what environments keep themselves: courses that begin.

use super::pool::{Pool, spec, user};
use crate::AskedAhead;
use pierhead_model::{Environment, EnvironmentId, EnvironmentSpec, Visibility, Workspace, WorkspaceWish};
use std::collections::BTreeSet;
use std::sync::Arc;

fn id() -> EnvironmentId {
    EnvironmentId::parse("lab").unwrap()
}

fn asked(older: Option<Arc<Environment>>, count: u32) -> AskedAhead {
    AskedAhead { environment: id(), older, count }
}

/// What an older version of the lab says: it has no record.
fn older(containers: &[&str]) -> Arc<Environment> {
    Arc::new(Environment {
        id: id(),
        owner: user("ann"),
        visibility: Visibility::Private,
        version: 0,
        spec: spec(containers),
        versions: Vec::new(),
        created_at: pierhead_model::Timestamp(1),
        lab: None,
    })
}

/// Those that are nobody's: how many of each version and number of containers.
fn ahead(pool: &Pool) -> Vec<(u32, usize)> {
    let nobodys = pool.records.values().filter(|workspace| workspace.wish == WorkspaceWish::Warm);
    let mut ahead: Vec<_> = nobodys.map(|workspace| (workspace.version, workspace.spec.containers.len())).collect();
    ahead.sort_unstable();
    ahead
}

fn pool(warm: u32) -> Pool {
    let mut pool = Pool::new(&["a", "b"]);
    pool.describe("lab", EnvironmentSpec { warm, ..spec(&["main"]) });
    pool
}

#[test]
fn what_is_asked_for_comes_on_top_and_goes_when_it_is_not() {
    let mut pool = pool(1);
    pool.run_until("its own is ready", |pool| pool.warm().0 == 1);
    let own: BTreeSet<_> = pool.records.keys().cloned().collect();
    pool.world.ask_ahead(vec![asked(None, 2), asked(None, 1)]);
    pool.run_until("two courses add up", |pool| pool.warm().0 == 4);
    pool.run_for(20_000);
    assert_eq!(ahead(&pool).len(), 4, "and no more");
    pool.world.ask_ahead(vec![asked(None, 1)]);
    pool.run_until("one course is left", |pool| pool.records.len() == 2);
    pool.world.ask_ahead(Vec::new());
    pool.run_until("its own is left", |pool| pool.records.len() == 1);
    assert_eq!(pool.records.keys().cloned().collect::<BTreeSet<_>>(), own);
    pool.run_for(20_000);
    assert_eq!((ahead(&pool).len(), pool.saves.len()), (1, 0));
}

#[test]
fn somebody_who_comes_takes_one_and_it_is_made_up_for_only_if_it_is_asked() {
    let mut pool = pool(0);
    pool.world.ask_ahead(vec![asked(None, 2)]);
    pool.run_until("both are ready", |pool| pool.warm().0 == 2);
    let mine = pool.claim().unwrap();
    pool.world.ask_ahead(vec![asked(None, 1)]);
    pool.run_for(30_000);
    assert_eq!(ahead(&pool).len(), 1, "who has one needs no other");
    pool.world.ask_ahead(Vec::new());
    pool.run_until("the rest goes", |pool| pool.records.len() == 1);
    assert_eq!(pool.phase(&mine), "ready", "and what is somebody's stays");
}

#[test]
fn an_older_version_is_told_by_what_it_says() {
    let mut pool = pool(0);
    let (two, three) = (older(&["main", "db"]), older(&["main", "db", "web"]));
    pool.world.ask_ahead(vec![asked(Some(two.clone()), 2), asked(None, 1)]);
    pool.run_until("all are ready", |pool| pool.warm().0 == 3);
    assert_eq!(ahead(&pool), [(0, 2), (0, 2), (1, 1)]);
    pool.world.ask_ahead(vec![asked(Some(three), 1), asked(Some(two), 1)]);
    pool.run_until("another version takes the place of one", |pool| ahead(pool) == [(0, 2), (0, 3)]);
    pool.world.remove_environment(&id());
    pool.run_for(10_000);
    assert_eq!(ahead(&pool).len(), 2, "these have no record to lose");
}

#[test]
fn a_new_description_takes_the_place_of_the_former_one() {
    let mut pool = pool(0);
    pool.world.ask_ahead(vec![asked(None, 2)]);
    pool.run_until("both are ready", |pool| pool.warm().0 == 2);
    pool.describe("lab", spec(&["main", "db"]));
    pool.run_until("the new ones are there", |pool| ahead(pool) == [(2, 2), (2, 2)]);
    // Nothing is started for what has no record, and it does no harm.
    pool.world.remove_environment(&id());
    pool.run_until("none is left", |pool| pool.records.values().collect::<Vec<&Workspace>>().is_empty());
}
