//! Operations: how far each is, when it ends, and what is taken back if it fails.

mod relocation;

use crate::World;
use crate::plan::{AppWrite, Blocked, Plan, RecordWrite};
use crate::reconcile::is_clearing;
use crate::retry::{is_worn_out, lasting_attempts};
use crate::slot::has_run;
use crate::status::{SlotPhase, slot_status};
use pierhead_model::{
    App, AppId, FailureKind, Goal, HealthStatus, Operation, OperationError, OperationState, Slot, SlotIntent, SlotKey,
    SlotWish, Target, Timestamp, Verdict, VerdictState,
};
use std::collections::{BTreeMap, BTreeSet};

/// Adds to the plan what becomes of the open operations.
pub(crate) fn progress(world: &World, now: Timestamp, plan: &mut Plan) {
    let blocked: BTreeMap<&SlotKey, &Blocked> = plan.blocked.iter().map(|blocked| (&blocked.key, blocked)).collect();
    let mut apps = Apps { world, changed: BTreeMap::new() };
    let mut writes = Vec::new();
    for operation in world.operations().values() {
        if let Some(write) = advance(world, operation, &blocked, now, &apps) {
            apps.note(&write);
            writes.push(write);
        }
    }
    plan.writes.extend(writes);
}

/// The apps as they will be after the operations that ended before, so that none undoes what another did.
struct Apps<'a> {
    world: &'a World,
    changed: BTreeMap<AppId, Option<App>>,
}

impl Apps<'_> {
    fn get(&self, id: &AppId) -> Option<&App> {
        self.changed.get(id).map_or_else(|| self.world.apps().get(id), Option::as_ref)
    }

    fn note(&mut self, write: &RecordWrite) {
        match write {
            RecordWrite::Progress { app: AppWrite::Put(app), .. } => {
                self.changed.insert(app.id.clone(), Some(app.clone()));
            }
            RecordWrite::Progress { app: AppWrite::Delete(id, _), .. } => {
                self.changed.insert(id.clone(), None);
            }
            _ => {}
        }
    }
}

type BlockedSlots<'a> = BTreeMap<&'a SlotKey, &'a Blocked>;

fn advance(
    world: &World,
    operation: &Operation,
    blocked: &BlockedSlots<'_>,
    now: Timestamp,
    apps: &Apps<'_>,
) -> Option<RecordWrite> {
    if let Some(moves) = &operation.relocation {
        return relocation::advance(world, operation, moves, blocked, now);
    }
    let app = apps.get(&operation.app);
    let fail = |outcome, error: OperationError, verdicts| {
        let app = undone(app, operation, &error.message);
        let operation = Box::new(failed(world, operation, outcome, error, verdicts, now));
        Some(RecordWrite::Progress { operation, app })
    };
    if let Some(outcome) = operation.ending {
        let gone =
            operation.targets.iter().all(|target| target.goal != Goal::Added || is_gone(world, operation, target));
        if gone && has_gone_back(world, app, operation, now) {
            return Some(finish(operation, outcome, now, AppWrite::Keep));
        }
        let late = still_being_taken_back(operation);
        return (now >= operation.deadline).then(|| finish(&late, outcome, now, AppWrite::Keep));
    }
    let judged: Vec<Judgement> =
        operation.targets.iter().map(|target| judge(world, operation, target, blocked, now)).collect();
    let verdicts: Vec<Verdict> = judged.iter().map(|judgement| judgement.verdict.clone()).collect();
    if let Some(app) = app.filter(|app| operation.describes.is_some_and(|version| app.version < version)) {
        let reason = app.taken_back.as_deref().unwrap_or("it failed");
        let message = format!("a later change of {} was taken back, and this one with it: {reason}", app.name);
        return fail(OperationState::Failed, OperationError::new("taken_back", message), verdicts);
    }
    let exit = judged.iter().find_map(|judgement| judgement.exit.clone());
    if let Some(error) = judged.into_iter().find_map(|judgement| judgement.error) {
        return fail(OperationState::Failed, error, verdicts);
    }
    if let Some(error) = exit.filter(|_| verdicts.iter().all(|verdict| verdict.state != VerdictState::Pending)) {
        if operation.describes.is_some() {
            return fail(OperationState::Failed, error, verdicts);
        }
        // What ran to its end is kept, however it ended: people look at it.
        let ended = Operation { verdicts, error: Some(error), ..operation.clone() };
        return Some(finish(&ended, OperationState::Failed, now, settle(app, operation)));
    }
    if verdicts.iter().all(|verdict| verdict.state == VerdictState::Done) {
        let ended = Operation { verdicts, ..operation.clone() };
        return Some(finish(&ended, OperationState::Done, now, settle(app, operation)));
    }
    if now >= operation.deadline {
        let error = OperationError::new("timed_out", what_is_late(&verdicts));
        return fail(OperationState::TimedOut, error, verdicts);
    }
    None
}

fn what_is_late(verdicts: &[Verdict]) -> String {
    let mut late = verdicts.iter().filter(|verdict| verdict.state == VerdictState::Pending);
    let Some(first) = late.next() else { return "not done in time".to_owned() };
    let doing = if first.message.is_empty() { "is under way" } else { &first.message };
    let of_app = first.app.as_ref().map(|app| format!(" of {app}")).unwrap_or_default();
    format!("{} of {} not done in time; slot {}{of_app} {doing}", late.count() + 1, verdicts.len(), first.slot)
}

/// What calls an operation off: what it had added is taken back, what it had moved stays. Nothing if it has ended or is about to.
#[must_use]
pub fn cancel(world: &World, operation: &Operation, now: Timestamp) -> Option<RecordWrite> {
    if operation.state.has_ended() || operation.ending.is_some() {
        return None;
    }
    let what_stays = operation.relocation.as_ref().map(relocation::what_stays).unwrap_or_default();
    let error = OperationError::new("cancelled", format!("called off{what_stays}"));
    let verdicts = verdicts(world, operation, &[], now);
    let app = undone(world.apps().get(&operation.app), operation, &error.message);
    Some(RecordWrite::Progress {
        operation: Box::new(failed(world, operation, OperationState::Cancelled, error, verdicts, now)),
        app,
    })
}

/// What became of each target so far, with the reasons of what the last plan could not do.
#[must_use]
pub fn verdicts(world: &World, operation: &Operation, blocked: &[Blocked], now: Timestamp) -> Vec<Verdict> {
    if operation.state.has_ended() || operation.ending.is_some() {
        return operation.verdicts.clone();
    }
    let blocked: BTreeMap<&SlotKey, &Blocked> = blocked.iter().map(|blocked| (&blocked.key, blocked)).collect();
    if let Some(moves) = &operation.relocation {
        return relocation::verdicts(world, moves, &blocked);
    }
    operation.targets.iter().map(|target| judge(world, operation, target, &blocked, now).verdict).collect()
}

/// What is thought of one target.
struct Judgement {
    verdict: Verdict,
    /// Why it can't be done.
    error: Option<OperationError>,
    /// How it ran to its end, if it says itself that it failed.
    exit: Option<OperationError>,
}

fn judge(
    world: &World,
    operation: &Operation,
    target: &Target,
    blocked: &BlockedSlots<'_>,
    now: Timestamp,
) -> Judgement {
    let key = operation.slot_key(target.slot);
    let status = slot_status(world, &key);
    let mut verdict = Verdict {
        slot: target.slot,
        app: None,
        state: VerdictState::Pending,
        container: status.container.clone(),
        engine: status.engine.clone(),
        message: status.message.clone(),
    };
    if let Some(blocked) = blocked.get(&key) {
        verdict.message.clone_from(&blocked.reason);
    }
    let wish = world.apps().get(&key.app).and_then(|app| app.slots.get(&key.slot)).map(|intent| intent.wish);
    let mut error = None;
    let is_done = match target.goal {
        // Somebody stopped it meanwhile.
        Goal::Added | Goal::Running if wish == Some(SlotWish::Stopped) => true,
        Goal::Added | Goal::Running => {
            error = failure(world, &key, blocked);
            let is_there = match status.phase {
                SlotPhase::Running => has_started(world, &key, now),
                phase => matches!(phase, SlotPhase::Done | SlotPhase::Failed | SlotPhase::Removed),
            };
            let is_clearing = || {
                let assignment = world.assignments().get(&key);
                operation.describes.is_some() && assignment.is_some_and(|found| is_clearing(world, found, now))
            };
            is_there && is_up_to_date(world, &key) && !is_clearing()
        }
        // Somebody started it meanwhile.
        Goal::Stopped if wish == Some(SlotWish::Running) => true,
        Goal::Stopped => !matches!(status.phase, SlotPhase::Running | SlotPhase::Starting),
        Goal::Gone => is_gone(world, operation, target),
    };
    let exit = bad_exit(world, operation, target);
    if let Some(exit) = &exit {
        (verdict.state, error) = (VerdictState::Failed, None);
        verdict.message.clone_from(&exit.message);
    } else if is_done {
        verdict.state = VerdictState::Done;
        verdict.message.clone_from(&status.message);
        error = None;
    } else if let Some(error) = &error {
        verdict.state = VerdictState::Failed;
        verdict.message.clone_from(&error.message);
    }
    Judgement { verdict, error, exit }
}

/// How a slot that shall run ended in the time of an operation, if it was not with code 0.
fn bad_exit(world: &World, operation: &Operation, target: &Target) -> Option<OperationError> {
    if !matches!(target.goal, Goal::Added | Goal::Running) {
        return None;
    }
    let key = operation.slot_key(target.slot);
    let (app, assignment) = world.apps().get(&key.app).zip(world.assignments().get(&key))?;
    let intent = app.slots.get(&key.slot).filter(|intent| intent.wish == SlotWish::Running)?;
    let is_of_now = assignment.version == app.version && assignment.restarts_done >= intent.restarts;
    let exit = assignment.exit.as_ref().filter(|exit| exit.code != 0 && exit.at >= operation.created_at);
    let exit = exit.filter(|_| is_of_now)?;
    let message = format!("slot {} of {} exited with code {}", target.slot, app.name, exit.code);
    Some(OperationError::new(FailureKind::Exited.code(), message))
}

/// Whether a slot has run for long enough to count as started.
fn has_started(world: &World, key: &SlotKey, now: Timestamp) -> bool {
    let slot = world.apps().get(&key.app).zip(world.assignments().get(key));
    slot.is_some_and(|(app, assignment)| has_run(world, app, assignment, now, world.policy.started_ms))
}

/// Whether the slot's containers are made from the newest description and every restart asked for was carried out.
fn is_up_to_date(world: &World, key: &SlotKey) -> bool {
    let Some(app) = world.apps().get(&key.app) else { return true };
    let Some(intent) = app.slots.get(&key.slot) else { return true };
    world.assignments().get(key).is_some_and(|assignment| {
        // What has ended is not run again for a new description.
        let is_newest = assignment.version == app.version || assignment.exit.is_some();
        is_newest && assignment.fallback.is_none() && assignment.restarts_done >= intent.restarts
    })
}

/// Why the slot can't be had: no host takes it, or every host that would has failed.
fn failure(world: &World, key: &SlotKey, blocked: &BlockedSlots<'_>) -> Option<OperationError> {
    let assignment = world.assignments().get(key).zip(world.apps().get(&key.app));
    let attempts = assignment.map_or(&[][..], |(assignment, app)| lasting_attempts(app, assignment));
    let last = attempts.last();
    let of_failure = |failure: &pierhead_model::Failure| OperationError {
        log: failure.log.clone(),
        ..OperationError::new(failure.kind.code(), failure.message.clone())
    };
    if let Some(attempt) = last.filter(|attempt| attempt.failure.kind.is_everywhere() || is_worn_out(attempts)) {
        return Some(of_failure(&attempt.failure));
    }
    let blocked = blocked.get(key).filter(|blocked| blocked.refusal.is_some())?;
    Some(match last {
        Some(attempt) => of_failure(&attempt.failure),
        None => OperationError::new("no_room", blocked.reason.clone()),
    })
}

/// Nothing is left of it on any host that answers.
fn is_gone(world: &World, operation: &Operation, target: &Target) -> bool {
    let key = operation.slot_key(target.slot);
    let answers = |status: HealthStatus| status != HealthStatus::Down;
    let is_recorded = world.assignments().get(&key).is_some_and(|assignment| {
        // The record of what must not run twice stays while its host is down.
        let status = world.engines().get(&assignment.engine).map(|engine| engine.health.status);
        !(assignment.writer.is_some() && status.is_none_or(|status| status == HealthStatus::Down))
    });
    !is_recorded && !world.containers_of(&key).any(|(engine, _)| answers(engine.health.status))
}

/// Whether the slots of a description that was taken back are again as they were before it.
fn has_gone_back(world: &World, app: Option<&App>, operation: &Operation, now: Timestamp) -> bool {
    let Some(app) = app.filter(|_| operation.describes.is_some()) else { return true };
    let wanted = |target: &&Target| {
        app.slots.get(&target.slot).is_some_and(|intent| intent.wish == SlotWish::Running && intent.added_by.is_none())
    };
    operation.targets.iter().filter(wanted).all(|target| {
        let key = operation.slot_key(target.slot);
        let Some(assignment) = world.assignments().get(&key) else { return false };
        assignment.exit.is_some()
            || (assignment.version == app.version
                && assignment.fallback.is_none()
                && slot_status(world, &key).phase == SlotPhase::Running
                && !is_clearing(world, assignment, now))
    })
}

/// The operation with a word about what it leaves behind because that takes too long.
fn still_being_taken_back(operation: &Operation) -> Operation {
    let mut late = operation.clone();
    if let Some(error) = &mut late.error {
        error.message.push_str("; it is still being taken back");
    }
    late
}

fn finish(operation: &Operation, state: OperationState, now: Timestamp, app: AppWrite) -> RecordWrite {
    let operation = Operation { state, ending: None, ended_at: Some(now), ..operation.clone() };
    RecordWrite::Progress { operation: Box::new(operation), app }
}

/// The operation on its way to failure: it ends when what it had added is gone.
fn failed(
    world: &World,
    operation: &Operation,
    outcome: OperationState,
    error: OperationError,
    verdicts: Vec<Verdict>,
    now: Timestamp,
) -> Operation {
    Operation {
        error: Some(error),
        verdicts,
        ending: Some(outcome),
        deadline: now.plus(world.policy.take_back_ms),
        ..operation.clone()
    }
}

/// Takes back what the operation described and added, and the app with its last slot if it was made for that.
fn undone(app: Option<&App>, operation: &Operation, reason: &str) -> AppWrite {
    let Some(app) = app else { return AppWrite::Keep };
    let mut rest = app.clone();
    if let Some(version) = operation.describes
        && rest.take_back(version, reason)
    {
        return_removed(&mut rest, operation);
    }
    rest.slots.retain(|_, intent| intent.added_by.as_ref() != Some(&operation.id));
    let goes = rest.slots.is_empty() && (operation.made_app || rest.transient);
    if goes {
        AppWrite::Delete(app.id.clone(), app.name.clone())
    } else if rest == *app {
        AppWrite::Keep
    } else {
        AppWrite::Put(rest)
    }
}

/// Slots that went with a smaller number of replicas in the same change come back, unless somebody has changed the
/// number since.
fn return_removed(app: &mut App, operation: &Operation) {
    let of_it = |goals: &[Goal]| -> BTreeSet<Slot> {
        operation.targets.iter().filter(|target| goals.contains(&target.goal)).map(|target| target.slot).collect()
    };
    let running = app.slots.iter().filter(|(_, intent)| intent.wish == SlotWish::Running);
    let running: BTreeSet<Slot> = running.map(|(slot, _)| *slot).collect();
    if running != of_it(&[Goal::Added, Goal::Running]) {
        return;
    }
    for slot in of_it(&[Goal::Gone]) {
        let again = SlotIntent { wish: SlotWish::Running, restarts: 0, added_by: None };
        app.slots.entry(slot).or_insert(again);
    }
}

/// The slots that the operation added are now like any other, and there is no way back from its description.
fn settle(app: Option<&App>, operation: &Operation) -> AppWrite {
    let Some(app) = app else { return AppWrite::Keep };
    let mut settled = app.clone();
    for intent in settled.slots.values_mut() {
        if intent.added_by.as_ref() == Some(&operation.id) {
            intent.added_by = None;
        }
    }
    if operation.describes == Some(app.version) {
        settled.former = None;
    }
    if settled == *app { AppWrite::Keep } else { AppWrite::Put(settled) }
}
