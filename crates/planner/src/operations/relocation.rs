//! How far operations are that move slots, and when they end. What was moved is never taken back.

use super::{BlockedSlots, failed, finish, what_is_late};
use crate::World;
use crate::plan::{AppWrite, Blocked, RecordWrite};
use crate::relocation::{MoveState, has_been_left, move_state, workspaces_on};
use crate::status::slot_status;
use pierhead_model::{
    EngineId, Move, Operation, OperationError, OperationState, Relocation, Timestamp, Verdict, VerdictState,
};

pub(super) fn advance(
    world: &World,
    operation: &Operation,
    relocation: &Relocation,
    blocked: &BlockedSlots<'_>,
    now: Timestamp,
) -> Option<RecordWrite> {
    let verdicts = verdicts(world, relocation, blocked);
    if let Some(outcome) = operation.ending {
        let is_under_way = |moved: &Move| move_state(world, moved) == MoveState::UnderWay;
        let over = now >= operation.deadline || !relocation.moves.iter().any(is_under_way);
        let ended = Operation { verdicts, ..operation.clone() };
        return over.then(|| finish(&ended, outcome, now, AppWrite::Keep));
    }
    if verdicts.iter().all(|verdict| verdict.state == VerdictState::Done) && has_been_left(world, operation) {
        let ended = Operation { verdicts, ..operation.clone() };
        return Some(finish(&ended, OperationState::Done, now, AppWrite::Keep));
    }
    if let Some(host) = back_in_service(world, relocation) {
        let message = format!("host {host} was put back into service; what was moved stays where it is");
        let operation = failed(
            world,
            operation,
            OperationState::Cancelled,
            OperationError::new("cancelled", message),
            verdicts,
            now,
        );
        return Some(RecordWrite::Progress { operation: Box::new(operation), app: AppWrite::Keep });
    }
    if let Some(error) = homeless(world, operation, relocation, blocked, now) {
        let operation = failed(world, operation, OperationState::Failed, error, verdicts, now);
        return Some(RecordWrite::Progress { operation: Box::new(operation), app: AppWrite::Keep });
    }
    let refused = verdicts.iter().find(|verdict| verdict.state == VerdictState::Failed);
    let (outcome, error) = match refused {
        Some(verdict) => (OperationState::Failed, OperationError::new("plan_outdated", verdict.message.clone())),
        None if now >= operation.deadline => (
            OperationState::TimedOut,
            OperationError::new("timed_out", late(world, relocation, &verdicts) + &what_stays(relocation)),
        ),
        None => return None,
    };
    let operation = failed(world, operation, outcome, error, verdicts, now);
    Some(RecordWrite::Progress { operation: Box::new(operation), app: AppWrite::Keep })
}

/// What was not done in time.
fn late(world: &World, relocation: &Relocation, verdicts: &[Verdict]) -> String {
    let workspaces = relocation.drained.as_ref().map_or(0, |host| workspaces_on(world, host));
    let slots_are_late = verdicts.iter().any(|verdict| verdict.state != VerdictState::Done);
    match (workspaces, slots_are_late) {
        (0, _) => what_is_late(verdicts),
        (1, true) => format!("{}; 1 workspace is still there", what_is_late(verdicts)),
        (1, false) => "1 workspace is still there".to_owned(),
        (more, true) => format!("{}; {more} workspaces are still there", what_is_late(verdicts)),
        (more, false) => format!("{more} workspaces are still there"),
    }
}

/// Why a drain cannot come to its end under the present hosts: everything that could leave has left, and nobody takes the
/// rest. It is waited a little, as room may just be on its way.
fn homeless(
    world: &World,
    operation: &Operation,
    relocation: &Relocation,
    blocked: &BlockedSlots<'_>,
    now: Timestamp,
) -> Option<OperationError> {
    if relocation.drained.is_none() || now.since(operation.created_at) < world.policy.stuck_ms {
        return None;
    }
    let states = relocation.moves.iter().map(|moved| (moved, move_state(world, moved)));
    let left: Vec<&Move> =
        states.filter(|(_, state)| !matches!(state, MoveState::Over(_))).map(|(moved, _)| moved).collect();
    let refused = |moved: &&Move| {
        let found = blocked.get(&moved.key).filter(|found| found.refusal.is_some())?;
        (move_state(world, moved) == MoveState::Waiting).then_some(*found)
    };
    let found: Vec<&Blocked> = left.iter().filter_map(refused).collect();
    let first = found.first().filter(|_| found.len() == left.len())?;
    let slots = if found.len() == 1 { "1 slot finds".to_owned() } else { format!("{} slots find", found.len()) };
    let Blocked { key, app, reason, .. } = first;
    let message = format!("{slots} no other host: slot {} of {app}: {reason}{}", key.slot, what_stays(relocation));
    Some(OperationError::new("no_room", message))
}

/// The host that is drained, if somebody takes it back.
fn back_in_service<'a>(world: &World, relocation: &'a Relocation) -> Option<&'a EngineId> {
    let host = relocation.drained.as_ref()?;
    world.engines().get(host)?.record.duty.is_in_service().then_some(host)
}

/// What an operation leaves behind that ends before its time.
pub(super) fn what_stays(relocation: &Relocation) -> String {
    match &relocation.drained {
        Some(host) => format!("; what was moved stays where it is, and host {host} stays cordoned"),
        None => "; what was moved stays where it is".to_owned(),
    }
}

/// What became of each move.
pub(super) fn verdicts(world: &World, relocation: &Relocation, blocked: &BlockedSlots<'_>) -> Vec<Verdict> {
    relocation.moves.iter().map(|moved| judge(world, moved, blocked)).collect()
}

fn judge(world: &World, moved: &Move, blocked: &BlockedSlots<'_>) -> Verdict {
    let status = slot_status(world, &moved.key);
    let obstacle = blocked.get(&moved.key);
    let (state, message) = match move_state(world, moved) {
        MoveState::Over(why) => (VerdictState::Done, why),
        MoveState::UnderWay => (VerdictState::Pending, obstacle.map_or(status.message, |found| found.reason.clone())),
        MoveState::Waiting => match obstacle {
            // The host was chosen beforehand; another one would not be what was agreed on.
            Some(found) if found.refusal.is_some() && moved.to.is_some() => {
                (VerdictState::Failed, found.reason.clone())
            }
            Some(found) => (VerdictState::Pending, found.reason.clone()),
            None => (VerdictState::Pending, "waits for its turn".to_owned()),
        },
    };
    Verdict {
        slot: moved.key.slot,
        app: Some(moved.app_name.clone()),
        state,
        container: status.container,
        engine: status.engine,
        message,
    }
}
