//! Moves that even out the hosts: what is proposed, and that what is proposed is what happens.

use super::people::{of_size, restarting, spec};
use super::simulation::{Simulation, engine};
use crate::rebalance;
use pierhead_model::{Duty, EngineId, Move, OperationState, Placement, Relocation, RestartPolicy, SlotKey};
use std::collections::BTreeMap;

/// A pool whose third host has just joined.
fn lopsided() -> Simulation {
    let mut pool = Simulation::new(&["a", "b", "c"]);
    pool.set_duty("c", Duty::Cordoned);
    for app in ["web", "shop", "lab"] {
        pool.run(app, 4, of_size("httpd", 500, 300));
    }
    pool.settle();
    pool.set_duty("c", Duty::InService);
    pool
}

fn places(pool: &Simulation) -> BTreeMap<SlotKey, EngineId> {
    pool.records.assignments.values().map(|assignment| (assignment.key(), assignment.engine.clone())).collect()
}

#[test]
fn the_new_host_takes_its_share() {
    let pool = lopsided();
    let planned = rebalance(&pool.world);
    assert_eq!(planned, rebalance(&pool.world), "the same world, the same plan");
    assert_eq!(planned.moves.len(), 4, "{:#?}", planned.moves);
    assert!(planned.moves.iter().all(|moved| moved.to == Some(engine("c"))));
    let spread = |score: fn(&crate::HostScore) -> f64| {
        let scores: Vec<f64> = planned.scores.iter().map(score).collect();
        scores.iter().copied().fold(f64::MIN, f64::max) - scores.iter().copied().fold(f64::MAX, f64::min)
    };
    assert!(spread(|host| host.before) > 50.0 && spread(|host| host.after) < 2.0, "{:?}", planned.scores);
}

#[test]
fn the_plan_is_what_happens() {
    let mut pool = lopsided();
    for host in ["a", "b", "c"] {
        pool.host(host).latency_ms = 300;
    }
    let planned = rebalance(&pool.world);
    let mut expected = places(&pool);
    expected.extend(planned.moves.iter().map(|moved| (moved.key.clone(), moved.to.clone().unwrap())));
    let order: Vec<Move> = planned.moves.clone();
    let operation = pool.relocate(Relocation { drained: None, moves: planned.moves });
    let mut seen: Vec<SlotKey> = Vec::new();
    while !pool.state(&operation).has_ended() {
        pool.round();
        for app in ["web", "shop", "lab"] {
            assert!(pool.count(app) >= 4, "{app} runs in full");
        }
        let moved = order.iter().filter(|one| pool.records.assignments[&one.key].engine != one.from);
        let new: Vec<SlotKey> = moved.map(|one| one.key.clone()).filter(|key| !seen.contains(key)).collect();
        assert!(new.len() <= 1, "one after the other");
        seen.extend(new);
    }
    assert_eq!(pool.state(&operation), OperationState::Done);
    assert_eq!(seen, order.iter().map(|one| one.key.clone()).collect::<Vec<_>>(), "in the order of the plan");
    pool.settle();
    assert_eq!(places(&pool), expected);
    let scores = rebalance(&pool.world);
    assert!(scores.moves.is_empty(), "nothing is left to gain: {scores:#?}");
}

#[test]
fn what_is_tied_to_its_host_or_does_not_run_stays() {
    let mut pool = Simulation::new(&["a", "b"]);
    let here = pierhead_model::ContainerSpec { placement: Placement::Host(engine("a")), ..of_size("db", 1000, 500) };
    pool.run("db", 1, here);
    pool.set_duty("b", Duty::Cordoned);
    pool.run("work", 1, restarting("job", RestartPolicy::No));
    pool.run("idle", 1, spec("httpd"));
    pool.settle();
    pool.stop("idle", 0);
    pool.settle();
    pool.set_duty("b", Duty::InService);
    assert_eq!(rebalance(&pool.world).moves, []);
}

#[test]
fn a_pool_that_is_even_or_cordoned_has_nothing_to_move() {
    let mut pool = Simulation::new(&["a", "b"]);
    pool.run("web", 4, of_size("httpd", 500, 300));
    pool.settle();
    assert_eq!((rebalance(&pool.world).moves, rebalance(&pool.world).left), (vec![], None));
    // One small slot more makes them differ by less than a move is worth.
    pool.set_duty("b", Duty::Cordoned);
    pool.run("small", 2, of_size("httpd", 60, 10));
    pool.settle();
    pool.set_duty("b", Duty::InService);
    let planned = rebalance(&pool.world);
    assert_eq!(planned.moves, []);
    assert!(planned.left.is_some_and(|gain| gain > 0.5 && gain < 2.0), "{:?}", planned.left);
    let pool = {
        let mut pool = lopsided();
        pool.set_duty("c", Duty::Cordoned);
        pool
    };
    assert_eq!(rebalance(&pool.world).moves, []);
}

#[test]
fn a_plan_that_does_not_fit_the_pool_any_more_fails_and_says_so() {
    let mut pool = lopsided();
    let moves = rebalance(&pool.world).moves;
    pool.set_duty("c", Duty::Cordoned);
    let before = places(&pool);
    let operation = pool.relocate(Relocation { drained: None, moves });
    pool.settle();
    assert_eq!(pool.state(&operation), OperationState::Failed);
    insta::assert_snapshot!(pool.error(&operation), @"plan_outdated: host c does not take it any more: cordoned");
    assert_eq!(places(&pool), before);
}

#[test]
fn slots_that_went_meanwhile_are_left_out() {
    let mut pool = lopsided();
    let moves = rebalance(&pool.world).moves;
    let gone = &moves[0];
    let app = gone.app_name.to_string();
    pool.destroy(&app, &[gone.key.slot.0]);
    let operation = pool.relocate(Relocation { drained: None, moves: moves.clone() });
    pool.settle();
    assert_eq!(pool.state(&operation), OperationState::Done);
    assert_eq!(pool.operation(&operation).verdicts[0].message, "is gone");
}
