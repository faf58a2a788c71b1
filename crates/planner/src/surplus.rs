//! What shall not be there: slots that nobody wants any more, older copies, and containers without a record.

use crate::plan::{Action, Plan, RecordWrite, Step};
use crate::relocation::Relocations;
use crate::writer::may_still_run;
use crate::{EngineState, World};
use pierhead_model::{App, Assignment, HealthStatus, ObservedContainer, Ownership, SlotKey, SlotWish, Timestamp};

/// Adds the steps that remove what shall not be there.
pub(crate) fn remove_surplus(world: &World, relocations: &Relocations<'_>, now: Timestamp, plan: &mut Plan) {
    if world.is_restored {
        // What the records do not know may be younger than they are.
        return;
    }
    for (key, assignment) in world.assignments() {
        let is_wanted = world.apps().get(&key.app).is_some_and(|app| app.slots.contains_key(&key.slot));
        if !is_wanted {
            remove_slot(world, assignment, now, plan);
        }
    }
    for (key, engine, container) in world.labelled() {
        if is_surplus(world, relocations, key, engine, container, now) {
            let step = Step::Remove(container.id.clone());
            plan.actions.push(Action { engine: engine.record.id.clone(), slot: None, step, then: None });
        }
    }
}

/// Nobody wants the slot: its containers go, then its record. What is on a host that is down is found by its label
/// when the host returns; of what must not run twice the record stays until nothing of it can run, so that no other slot
/// of the app begins before.
fn remove_slot(world: &World, assignment: &Assignment, now: Timestamp, plan: &mut Plan) {
    let key = assignment.key();
    let is_kept = is_kept(world, assignment, now);
    let Some(engine) = world.engines().get(&assignment.engine) else {
        plan.writes.extend((!is_kept).then_some(RecordWrite::Release(key)));
        return;
    };
    if engine.is_usable() {
        let current = world.current(assignment);
        // While an older copy is left, the record says that it is one, so that it need not wait for the grace time.
        if !is_kept && !world.containers_of(&key).any(|(engine, _)| engine.is_usable()) {
            plan.writes.push(RecordWrite::Release(key.clone()));
        }
        plan.actions.extend(current.values().map(|container| Action {
            engine: assignment.engine.clone(),
            slot: Some((key.clone(), assignment.generation)),
            step: Step::Remove(container.id.clone()),
            then: None,
        }));
    } else if engine.health.status == HealthStatus::Down && !is_kept {
        plan.writes.push(RecordWrite::Release(key));
    }
}

/// Whether a copy of a slot that nobody wants may still run on a host that does not answer.
fn is_kept(world: &World, assignment: &Assignment, now: Timestamp) -> bool {
    let has_one_writer = world.apps().get(&assignment.app).is_some_and(App::has_one_writer);
    let former = assignment.fallback.as_deref().map(|former| &former.assignment);
    let answers = |id| world.engines().get(id).is_some_and(EngineState::is_usable);
    let mut unseen = std::iter::once(assignment).chain(former).filter(|place| !answers(&place.engine));
    has_one_writer && unseen.any(|place| may_still_run(world, place, now).is_some())
}

/// An older copy of a slot goes at once: the newer one counts. One of a slot that is moved or made from a new
/// description goes when the newer one runs. A container without any record goes after a grace time, so that nothing is
/// lost to a controller that does not know everything yet.
fn is_surplus(
    world: &World,
    relocations: &Relocations<'_>,
    key: &SlotKey,
    engine: &EngineState,
    container: &ObservedContainer,
    now: Timestamp,
) -> bool {
    if !engine.is_usable() || world.is_current(&engine.record.id, container) {
        return false;
    }
    let Some(owner) = Ownership::read(&container.labels) else { return false };
    match world.assignments().get(key) {
        // The very container of the record, seen through a second address of its engine.
        Some(assignment) if assignment.containers.values().any(|id| *id == container.id) => false,
        Some(assignment) if owner.generation <= assignment.generation.max(assignment.newest_generation) => {
            let id = &engine.record.id;
            let is_wanted = || is_wanted_to_run(world, key);
            let serves = assignment.falls_back_to(id, owner.generation) && is_wanted();
            !serves && !relocations.keeps(&owner, id, container)
        }
        _ => {
            // A host whose clock is ahead must not keep its orphans for ever.
            let is_in_the_past = container.created_at <= now;
            let created_at = if is_in_the_past { container.created_at } else { world.since };
            now.since(created_at.max(world.since)) >= world.policy.orphan_grace_ms
        }
    }
}

fn is_wanted_to_run(world: &World, key: &SlotKey) -> bool {
    let intent = world.apps().get(&key.app).and_then(|app| app.slots.get(&key.slot));
    intent.is_some_and(|intent| intent.wish == SlotWish::Running)
}
