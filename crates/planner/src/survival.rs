//! What if a host were lost: would the others carry what runs there?
//!
//! It asks the same plan that would be made if it happened, on a copy of the world.

use crate::{RecordWrite, World, plan};
use pierhead_model::{AppName, Engine, EngineId, Health, HealthStatus, Move, SlotKey, Timestamp};
use std::collections::BTreeSet;

/// What would become of what runs on a host if it were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survival {
    /// How many slots run there.
    pub slots: usize,
    /// Where those would go that another host takes.
    pub moves: Vec<Move>,
    /// Those that no other host would take.
    pub homeless: Vec<Homeless>,
}

/// A slot that no other host would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homeless {
    /// The slot.
    pub key: SlotKey,
    /// The app's name.
    pub app: AppName,
    /// Why, in words.
    pub reason: String,
}

/// What would become of what runs on a host if it were lost now; `None` if there is no such host.
#[must_use]
pub fn survive(world: &World, host: &EngineId, now: Timestamp) -> Option<Survival> {
    let mut lost = world.clone();
    lost.forget_warm();
    let since = Timestamp(now.0.saturating_sub(lost.policy.grace_ms));
    let record = world.engines().get(host)?.record.clone();
    // It is asked about its own loss, not about one that it would share with others.
    lost.set_engine(Engine { given_up: true, ..record });
    let reason = "lost".to_owned();
    lost.set_health(host, Health { status: HealthStatus::Down, reason, since, ..Health::default() });
    // What is lost for good has stopped in the end.
    lost.forget_leases(host);
    let there = lost.assignments().values().filter(|assignment| assignment.engine == *host);
    let slots: BTreeSet<SlotKey> = there
        .filter(|assignment| crate::relocation::moves(&lost, assignment))
        .map(|assignment| assignment.key())
        .collect();
    let plan = plan(&lost, now);
    let moved = plan.writes.iter().filter_map(|write| placed_anew(&lost, write));
    let moves: Vec<Move> = moved.filter(|moved| slots.contains(&moved.key)).collect();
    let placed: BTreeSet<SlotKey> = moves.iter().map(|moved| moved.key.clone()).collect();
    let homeless = slots.difference(&placed).map(|key| {
        let blocked = plan.blocked.iter().find(|blocked| blocked.key == *key);
        Homeless {
            key: key.clone(),
            app: lost.assignments()[key].app_name.clone(),
            reason: blocked.map(|blocked| blocked.reason.clone()).unwrap_or_default(),
        }
    });
    Some(Survival { slots: slots.len(), homeless: homeless.collect(), moves })
}

fn placed_anew(world: &World, write: &RecordWrite) -> Option<Move> {
    let RecordWrite::Assign(next) = write else { return None };
    let present = world.assignments().get(&next.key()).filter(|present| present.engine != next.engine)?;
    Some(Move {
        key: next.key(),
        app_name: next.app_name.clone(),
        generation: present.generation,
        from: present.engine.clone(),
        to: Some(next.engine.clone()),
    })
}
