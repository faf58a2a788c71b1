//! When a workspace stops, and why.

use super::{Draft, Happened, cause_of};
use crate::EngineState;
use pierhead_model::{
    Duty, Standstill, StopCause, Timestamp, Workspace, WorkspaceAssignment, WorkspaceOrigin, WorkspaceWish,
};

/// Of how many minutes that are left people are warned.
const WARNINGS: [u32; 3] = [15, 5, 1];
const MINUTE_MS: u64 = 60_000;

/// When the run of a workspace is over, unless it is extended; `None` while it was never ready in this run.
#[must_use]
pub fn workspace_ends_at(workspace: &Workspace, assignment: &WorkspaceAssignment) -> Option<Timestamp> {
    let began = began(workspace, assignment)?;
    let minutes = u64::from(workspace.spec.lifetime_minutes) + u64::from(workspace.extended_minutes);
    Some(began.plus(minutes.saturating_mul(MINUTE_MS)))
}

/// When one is given up that never gets ready: it holds room for as long as others may work in theirs.
fn given_up_at(workspace: &Workspace, assignment: &WorkspaceAssignment) -> Option<Timestamp> {
    let place = assignment.place.as_ref().filter(|_| assignment.ready_at.is_none())?;
    Some(place.created_at.plus(u64::from(workspace.spec.lifetime_minutes).saturating_mul(MINUTE_MS)))
}

/// When people could begin to work in it.
fn began(workspace: &Workspace, assignment: &WorkspaceAssignment) -> Option<Timestamp> {
    let is_somebodys = workspace.wish != WorkspaceWish::Warm && workspace.run == assignment.run;
    is_somebodys.then_some(assignment.ready_at?.max(workspace.asked_at))
}

/// Since when nobody was active in it, though they could have been.
pub(super) fn active_at(draft: &Draft<'_>, workspace: &Workspace, assignment: &WorkspaceAssignment) -> Timestamp {
    let noted = draft.world.activity(&workspace.id).max(assignment.active_at);
    let stood_still = match workspace.standstill {
        Some(Standstill::Until(moment)) => moment,
        Some(Standstill::Lasts) | None => Timestamp::default(),
    };
    began(workspace, assignment).unwrap_or_default().max(noted).max(stood_still)
}

/// When it stops if nobody becomes active in it; `None` if that is never, or nobody can while it stands still.
pub(super) fn idle_at(draft: &Draft<'_>, workspace: &Workspace, assignment: &WorkspaceAssignment) -> Option<Timestamp> {
    began(workspace, assignment).filter(|_| !workspace.stands_still())?;
    let minutes = u64::from(workspace.spec.idle_minutes);
    let since = active_at(draft, workspace, assignment);
    (minutes > 0).then(|| since.plus(minutes.saturating_mul(MINUTE_MS)))
}

/// Why a workspace that is there has to stop, if it has to.
pub(super) fn stop_cause(
    draft: &Draft<'_>,
    workspace: &Workspace,
    assignment: &WorkspaceAssignment,
    engine: &EngineState,
) -> Option<StopCause> {
    let is_over = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= draft.now);
    if !draft.wants_to_run(workspace) {
        Some(cause_of(workspace))
    } else if workspace.run != assignment.run && workspace.origin != WorkspaceOrigin::Newest {
        Some(StopCause::Replaced)
    } else if draft.world.over_disk(&workspace.id).is_some() {
        Some(StopCause::DiskFull)
    } else if is_over(workspace_ends_at(workspace, assignment)) || is_over(given_up_at(workspace, assignment)) {
        Some(StopCause::Expired)
    } else if is_over(idle_at(draft, workspace, assignment)) {
        Some(StopCause::Idle)
    } else if engine.record.duty == Duty::Drained {
        Some(StopCause::Drained)
    } else {
        None
    }
}

/// The warning that is due: of how many minutes, and what is told. The end of a run that was put off is warned of anew.
pub(super) fn warning(draft: &Draft<'_>, workspace: &Workspace, assignment: &WorkspaceAssignment) -> Option<Warning> {
    let left = workspace_ends_at(workspace, assignment)?.since(draft.now);
    let due = WARNINGS.into_iter().filter(|minutes| left <= u64::from(*minutes) * MINUTE_MS).min();
    // Who has so little from the start need not be told.
    let due = due.filter(|minutes| *minutes < workspace.spec.lifetime_minutes);
    if due == assignment.warned_minutes {
        return None;
    }
    let told = due.filter(|due| assignment.warned_minutes.is_none_or(|warned| *due < warned));
    let told = told.map(|minutes| Happened {
        kind: "warn-workspace",
        message: format!("it is saved and stopped in {minutes} min, unless it is extended"),
    });
    Some(Warning { minutes: due, told })
}

/// A warning that is due.
pub(super) struct Warning {
    /// What was warned of then; nothing if the end was put off.
    pub minutes: Option<u32>,
    /// What is told.
    pub told: Option<Happened>,
}
