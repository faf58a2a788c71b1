//! Operations: how far each is, when it ends, and what is taken back if it fails.

use crate::World;
use crate::plan::{AppWrite, Blocked, Plan, RecordWrite};
use crate::status::{SlotPhase, slot_status};
use pierhead_model::{
    App, Goal, HealthStatus, Operation, OperationError, OperationState, SlotKey, Target, Timestamp, Verdict,
    VerdictState,
};
use std::collections::BTreeMap;

/// Adds to the plan what becomes of the open operations.
pub(crate) fn progress(world: &World, now: Timestamp, plan: &mut Plan) {
    let blocked: BTreeMap<&SlotKey, &Blocked> = plan.blocked.iter().map(|blocked| (&blocked.key, blocked)).collect();
    let writes: Vec<RecordWrite> =
        world.operations().values().filter_map(|operation| advance(world, operation, &blocked, now)).collect();
    plan.writes.extend(writes);
}

type BlockedSlots<'a> = BTreeMap<&'a SlotKey, &'a Blocked>;

fn advance(world: &World, operation: &Operation, blocked: &BlockedSlots<'_>, now: Timestamp) -> Option<RecordWrite> {
    if let Some(outcome) = operation.ending {
        let gone =
            operation.targets.iter().all(|target| target.goal != Goal::Added || is_gone(world, operation, target));
        let over = gone || now >= operation.deadline;
        return over.then(|| finish(operation, outcome, now, AppWrite::Keep));
    }
    let judged: Vec<Judgement> =
        operation.targets.iter().map(|target| judge(world, operation, target, blocked)).collect();
    let verdicts: Vec<Verdict> = judged.iter().map(|judgement| judgement.verdict.clone()).collect();
    if let Some(error) = judged.into_iter().find_map(|judgement| judgement.error) {
        return Some(fail(world, operation, OperationState::Failed, error, verdicts, now));
    }
    if verdicts.iter().all(|verdict| verdict.state == VerdictState::Done) {
        let ended = Operation { verdicts, ..operation.clone() };
        return Some(finish(&ended, OperationState::Done, now, settle(world, operation)));
    }
    if now >= operation.deadline {
        let pending = verdicts.iter().find(|verdict| verdict.state == VerdictState::Pending);
        let doing = pending.map_or("", |verdict| verdict.message.as_str());
        let message = format!("not done within its time; slot {} {doing}", pending.map_or(0, |verdict| verdict.slot.0));
        let error = OperationError { code: "timed_out".to_owned(), message };
        return Some(fail(world, operation, OperationState::TimedOut, error, verdicts, now));
    }
    None
}

/// What calls an operation off: what it had added is taken back. Nothing if it has ended or is about to.
#[must_use]
pub fn cancel(world: &World, operation: &Operation, now: Timestamp) -> Option<RecordWrite> {
    if operation.state.has_ended() || operation.ending.is_some() {
        return None;
    }
    let error = OperationError { code: "cancelled".to_owned(), message: "called off".to_owned() };
    let verdicts = verdicts(world, operation);
    Some(fail(world, operation, OperationState::Cancelled, error, verdicts, now))
}

/// What became of each target so far.
#[must_use]
pub fn verdicts(world: &World, operation: &Operation) -> Vec<Verdict> {
    if operation.state.has_ended() || operation.ending.is_some() {
        return operation.verdicts.clone();
    }
    let nothing = BTreeMap::new();
    operation.targets.iter().map(|target| judge(world, operation, target, &nothing).verdict).collect()
}

/// What is thought of one target.
struct Judgement {
    verdict: Verdict,
    /// Why it can't be done.
    error: Option<OperationError>,
}

fn judge(world: &World, operation: &Operation, target: &Target, blocked: &BlockedSlots<'_>) -> Judgement {
    let key = operation.slot_key(target.slot);
    let status = slot_status(world, &key);
    let mut verdict = Verdict {
        slot: target.slot,
        state: VerdictState::Pending,
        container: status.container.clone(),
        engine: status.engine.clone(),
        message: status.message.clone(),
    };
    let mut error = None;
    let is_done = match target.goal {
        Goal::Added | Goal::Running => {
            error = failure(world, &key, blocked);
            matches!(status.phase, SlotPhase::Running | SlotPhase::Done | SlotPhase::Removed)
                && is_up_to_date(world, &key)
        }
        Goal::Stopped => !matches!(status.phase, SlotPhase::Running | SlotPhase::Starting),
        Goal::Gone => is_gone(world, operation, target),
    };
    if is_done {
        verdict.state = VerdictState::Done;
        error = None;
    } else if let Some(error) = &error {
        verdict.state = VerdictState::Failed;
        verdict.message.clone_from(&error.message);
    }
    Judgement { verdict, error }
}

/// Whether the slot's containers are made from the newest description and every restart asked for was carried out.
fn is_up_to_date(world: &World, key: &SlotKey) -> bool {
    let Some(app) = world.apps().get(&key.app) else { return true };
    let Some(intent) = app.slots.get(&key.slot) else { return true };
    world
        .assignments()
        .get(key)
        .is_some_and(|assignment| assignment.version == app.version && assignment.restarts_done >= intent.restarts)
}

/// Why the slot can't be had: no host takes it, or every host that would has failed.
fn failure(world: &World, key: &SlotKey, blocked: &BlockedSlots<'_>) -> Option<OperationError> {
    let last = world.assignments().get(key).and_then(|assignment| assignment.attempts.last());
    let of_failure = |failure: &pierhead_model::Failure| OperationError {
        code: failure.kind.code().to_owned(),
        message: failure.message.clone(),
    };
    if let Some(attempt) = last.filter(|attempt| attempt.failure.kind.is_everywhere()) {
        return Some(of_failure(&attempt.failure));
    }
    let blocked = blocked.get(key).filter(|blocked| blocked.refusal.is_some())?;
    Some(match last {
        Some(attempt) => of_failure(&attempt.failure),
        None => OperationError { code: "no_room".to_owned(), message: blocked.reason.clone() },
    })
}

/// Nothing is left of it on any host that answers.
fn is_gone(world: &World, operation: &Operation, target: &Target) -> bool {
    let key = operation.slot_key(target.slot);
    let answers = |status: HealthStatus| status != HealthStatus::Down;
    !world.assignments().contains_key(&key)
        && !world.containers_of(&key).any(|(engine, _)| answers(engine.health.status))
}

fn finish(operation: &Operation, state: OperationState, now: Timestamp, app: AppWrite) -> RecordWrite {
    let operation = Operation { state, ending: None, ended_at: Some(now), ..operation.clone() };
    RecordWrite::Progress { operation, app }
}

/// Takes back what the operation added. It ends when that is gone.
fn fail(
    world: &World,
    operation: &Operation,
    outcome: OperationState,
    error: OperationError,
    verdicts: Vec<Verdict>,
    now: Timestamp,
) -> RecordWrite {
    let failed = Operation {
        error: Some(error),
        verdicts,
        ending: Some(outcome),
        deadline: now.plus(world.policy.take_back_ms),
        ..operation.clone()
    };
    let Some(app) = world.apps().get(&operation.app) else {
        return RecordWrite::Progress { operation: failed, app: AppWrite::Keep };
    };
    let mut rest: App = app.clone();
    rest.slots.retain(|_, intent| intent.added_by.as_ref() != Some(&operation.id));
    let write = if operation.made_app && rest.slots.is_empty() {
        AppWrite::Delete(app.id.clone(), app.name.clone())
    } else if rest == *app {
        AppWrite::Keep
    } else {
        AppWrite::Put(rest)
    };
    RecordWrite::Progress { operation: failed, app: write }
}

/// The slots that the operation added are now like any other.
fn settle(world: &World, operation: &Operation) -> AppWrite {
    let Some(app) = world.apps().get(&operation.app) else { return AppWrite::Keep };
    let mut settled = app.clone();
    for intent in settled.slots.values_mut() {
        if intent.added_by.as_ref() == Some(&operation.id) {
            intent.added_by = None;
        }
    }
    if settled == *app { AppWrite::Keep } else { AppWrite::Put(settled) }
}
