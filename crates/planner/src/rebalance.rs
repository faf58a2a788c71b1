//! Moves that even out the load of the hosts: from the host of the lowest score to where the score stays highest.
//!
//! It only proposes. Each move is possible after those before it, and raises the lower of the two scores; so it ends.

use crate::reconcile::runs_well;
use crate::relocation::{as_move, is_job};
use crate::request::slot_request;
use crate::{Avoid, Hold, HoldKey, Ledger, Placed, World};
use pierhead_model::{App, Assignment, EngineId, Move, Placement, Resources, SlotKey, SlotWish};
use std::collections::BTreeSet;

/// The most moves of one plan.
const MOST_MOVES: usize = 100;
/// What a move must gain, in points of the score (a host that is empty has 100).
const LEAST_GAIN: f64 = 2.0;

/// Moves that even out the hosts' scores, in the order in which to make them, and the scores before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebalance {
    /// The moves; empty if there is nothing to gain.
    pub moves: Vec<Move>,
    /// Each host's score, before and after.
    pub scores: Vec<HostScore>,
    /// What the best move that is left would gain, in points: too little to be worth it. `None` if none would gain.
    pub left: Option<f64>,
}

impl Rebalance {
    /// What a move must gain at least, in points of the score.
    pub const LEAST_GAIN: f64 = LEAST_GAIN;
}

/// How a host's score changes.
#[derive(Debug, Clone, PartialEq)]
pub struct HostScore {
    /// The host.
    pub engine: EngineId,
    /// Now.
    pub before: f64,
    /// After all moves.
    pub after: f64,
}

/// A move that might be made.
struct Candidate<'a> {
    app: &'a App,
    assignment: &'a Assignment,
    placed: Placed,
    /// The lower of the two hosts' scores once it is made.
    lower: f64,
    /// By how much that is more than the score of the host that it leaves.
    gain: f64,
}

/// What to move so that the hosts are loaded evenly. The same world gives the same plan.
#[must_use]
pub fn rebalance(world: &World) -> Rebalance {
    let mut ledger = world.ledger().clone();
    let before = scores(&ledger);
    let mut moves: Vec<Move> = Vec::new();
    let mut moved: BTreeSet<SlotKey> = BTreeSet::new();
    while moves.len() < MOST_MOVES {
        let Some(best) = next_move(world, &ledger, &moved, LEAST_GAIN) else { break };
        let key = best.assignment.key();
        ledger.hold(HoldKey::Slot(key.clone()), hold(best.app, best.assignment, &best.placed));
        moves.push(as_move(best.assignment, Some(best.placed.engine)));
        moved.insert(key);
    }
    let left = next_move(world, &ledger, &moved, 0.0).map(|best| best.gain);
    let after = scores(&ledger);
    let scores = before.into_iter().zip(after);
    let scores = scores.map(|((engine, before), (_, after))| HostScore { engine, before, after }).collect();
    Rebalance { moves, scores, left }
}

/// The score of every host that can be placed on, with nothing more on it, in the order of the ids.
fn scores(ledger: &Ledger) -> Vec<(EngineId, f64)> {
    let open = ledger.hosts().filter(|facts| facts.unavailable.is_none());
    open.map(|facts| (facts.id.clone(), score(ledger, &facts.id, Resources::default()))).collect()
}

/// A host's score after it has given back some of what is reserved on it.
fn score(ledger: &Ledger, host: &EngineId, given_back: Resources) -> f64 {
    let Some(facts) = ledger.host(host) else { return 0.0 };
    let reserved = ledger.reserved(host).saturating_sub(given_back);
    ledger.weights().score(facts.allocatable, reserved, Resources::default())
}

/// The best move away from the most loaded host that has one.
fn next_move<'a>(
    world: &'a World,
    ledger: &Ledger,
    moved: &BTreeSet<SlotKey>,
    least_gain: f64,
) -> Option<Candidate<'a>> {
    let mut hosts = scores(ledger);
    hosts.sort_by(|(a, of_a), (b, of_b)| of_a.total_cmp(of_b).then_with(|| a.cmp(b)));
    hosts.into_iter().find_map(|(host, present)| {
        let there = world.assignments().values().filter(|assignment| assignment.engine == host);
        let unmoved = there.filter(|assignment| !moved.contains(&assignment.key()));
        let mut best: Option<Candidate<'_>> = None;
        for assignment in unmoved {
            let Some(mut candidate) = candidate(world, ledger, assignment) else { continue };
            candidate.gain = candidate.lower - present;
            if candidate.gain > least_gain && best.as_ref().is_none_or(|best| candidate.lower > best.lower) {
                best = Some(candidate);
            }
        }
        best
    })
}

fn candidate<'a>(world: &'a World, ledger: &Ledger, assignment: &'a Assignment) -> Option<Candidate<'a>> {
    let app = world.apps().get(&assignment.app).filter(|app| may_move(world, app, assignment))?;
    let mut request = slot_request(app, assignment.slot, assignment.next_generation());
    request.avoid.push(Avoid { engine: assignment.engine.clone(), reason: "it is there already".to_owned() });
    let placed = ledger.place(&request).ok()?;
    let lower = score(ledger, &assignment.engine, assignment.reserved).min(placed.score);
    Some(Candidate { app, assignment, placed, lower, gain: 0.0 })
}

/// Whether nothing ties a slot to its host, and it runs well there.
fn may_move(world: &World, app: &App, assignment: &Assignment) -> bool {
    let is_tied = |member: &pierhead_model::Member| {
        matches!(member.spec.placement, Placement::Host(_)) || !member.spec.links.is_empty()
    };
    let is_wanted = app.slots.get(&assignment.slot).is_some_and(|intent| intent.wish == SlotWish::Running);
    is_wanted
        && assignment.exit.is_none()
        && assignment.version == app.version
        && !is_job(app)
        && !app.members.iter().any(is_tied)
        && runs_well(world, app, assignment)
}

fn hold(app: &App, assignment: &Assignment, placed: &Placed) -> Hold {
    Hold {
        engine: placed.engine.clone(),
        resources: assignment.reserved,
        ports: placed.ports.values().flatten().cloned().collect(),
        images: app.members.iter().map(|member| member.spec.image.to_string()).collect(),
        names: Vec::new(),
        owner: Some(app.owner.clone()),
    }
}
