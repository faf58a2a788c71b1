//! What is remembered of a failure, so that the next try goes elsewhere or waits.

use crate::Policy;
use pierhead_model::{App, Assignment, Attempt, Failure, Timestamp};

/// The assignment after something failed for it: the failure is remembered, and the wait before everything is tried
/// once more grows. Another host may be tried at once.
#[must_use]
pub fn after_failure(assignment: &Assignment, failure: Failure, now: Timestamp, policy: &Policy) -> Assignment {
    let mut next = Assignment { up_since: None, ..assignment.clone() };
    next.retries += 1;
    next.not_before = now.plus(policy.back_off(next.retries));
    // The newest log says enough.
    next.attempts.iter_mut().for_each(|attempt| attempt.failure.log.clear());
    next.attempts.push(Attempt {
        engine: assignment.engine.clone(),
        generation: assignment.generation,
        ports: assignment.ports.values().flatten().cloned().collect(),
        failure,
        at: now,
    });
    let surplus = next.attempts.len().saturating_sub(Assignment::ATTEMPTS_KEPT);
    next.attempts.drain(..surplus);
    next
}

/// The assignment after its container exited or vanished, about to run once more on the same host.
pub(crate) fn after_exit(assignment: &Assignment, now: Timestamp, policy: &Policy) -> Assignment {
    let retries = assignment.retries + 1;
    Assignment { retries, not_before: now.plus(policy.back_off(retries)), up_since: None, ..assignment.clone() }
}

/// Whether this generation has failed, so that its containers must be made anew.
pub(crate) fn has_failed(assignment: &Assignment) -> bool {
    assignment.attempts.last().is_some_and(|attempt| attempt.generation == assignment.generation)
}

/// The failures that still count: a changed description may mend what failed, and so may time when somebody asks for
/// another start.
pub(crate) fn lasting_attempts<'a>(app: &App, assignment: &'a Assignment) -> &'a [Attempt] {
    let restarts = app.slots.get(&assignment.slot).map_or(0, |intent| intent.restarts);
    if assignment.version != app.version || assignment.restarts_done < restarts { &[] } else { &assignment.attempts }
}

/// Whether it failed so often in a row, wherever it was tried, that it must wait before it is tried anywhere.
pub(crate) fn is_worn_out(attempts: &[Attempt]) -> bool {
    attempts.len() >= Assignment::ATTEMPTS_KEPT
}
