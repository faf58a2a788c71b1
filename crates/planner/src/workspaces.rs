//! Workspaces: what to do next for each, beside apps and against the same ledger. Pure, as everything here.
//!
//! A workspace goes from `Waiting` over `Starting` to `Ready`; whatever ends its run, it goes over `Saving` and `Leaving`
//! to `Over`, or back to `Waiting` if it goes on elsewhere. What is in it is never given up without a save, unless its
//! owner said so.

mod ahead;
mod left;
mod live;
mod outcome;
mod placing;
mod status;
mod step;
mod stopping;
mod surplus;
mod warm;

pub use outcome::after_workspace_step;
pub use status::{WorkspacePhase, WorkspaceStatus, workspace_has_ended, workspace_status, workspace_statuses};
pub use step::{
    Happened, NewNetwork, NewWorkspaceContainer, SaveOrder, SavedContainer, WorkspaceAction, WorkspacePlan,
    WorkspaceStep, WorkspaceWrite,
};
pub use stopping::workspace_ends_at;
pub use warm::ready_ahead;

use crate::freeze::{Freeze, freeze};
use crate::making_room::MakingRoom;
use crate::{Ledger, World};
use pierhead_model::{
    Generation, StopCause, Timestamp, Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceStage, WorkspaceWish,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a workspace waits for while the records are those of a backup.
const RESTORED: &str = "the records were restored from a backup; nothing is made or ended until an administrator says so \
     with 'pierhead cluster settle'";

/// The next safe steps of all workspaces, and why others can't be done. The same world and moment give the same plan.
#[must_use]
pub fn plan_workspaces(world: &World, now: Timestamp) -> WorkspacePlan {
    let mut ledger = Cow::Borrowed(world.ledger());
    plan_with(world, &mut ledger, &mut MakingRoom::of(world), now)
}

/// The same, after apps have taken their room. What is given up for them or for others is given up here.
pub(crate) fn plan_with(
    world: &World,
    ledger: &mut Cow<'_, Ledger>,
    room: &mut MakingRoom,
    now: Timestamp,
) -> WorkspacePlan {
    let frozen = freeze(world);
    let surplus = warm::surplus(world);
    let mut draft = Draft { world, now, freeze: frozen.as_ref(), surplus: &surplus, plan: WorkspacePlan::default() };
    if world.is_restored {
        draft.hold();
        return draft.plan;
    }
    for workspace in world.workspaces().values() {
        draft.workspace(workspace);
    }
    for assignment in world.workspace_assignments().values() {
        if !world.workspaces().contains_key(&assignment.workspace) {
            draft.without_record(assignment);
        }
    }
    ahead::wake_given(&mut draft, ledger, room);
    let is_somebody_waiting = placing::place_waiting(&mut draft, ledger, room);
    draft.give_up(room);
    surplus::remove_surplus(&mut draft);
    if !room.is_awaited() {
        let refill = warm::refill(&draft, ledger, is_somebody_waiting);
        draft.plan.warm = refill.now.into_iter().collect();
        draft.plan.warm_later = refill.later;
    }
    draft.plan
}

/// A plan in the making.
struct Draft<'a> {
    world: &'a World,
    now: Timestamp,
    freeze: Option<&'a Freeze>,
    /// Workspaces started ahead that are not wanted any more.
    surplus: &'a BTreeSet<WorkspaceId>,
    plan: WorkspacePlan,
}

impl<'a> Draft<'a> {
    /// Records that were restored: what runs is left alone.
    fn hold(&mut self) {
        let waiting = self.world.workspaces().values().filter(|workspace| workspace.wants_to_run());
        for workspace in waiting {
            let assignment = self.world.workspace_assignments().get(&workspace.id);
            if assignment.is_none_or(|assignment| assignment.stage != WorkspaceStage::Ready) {
                self.block(&workspace.id, RESTORED);
            }
        }
    }

    fn workspace(&mut self, workspace: &'a Workspace) {
        let Some(assignment) = self.world.workspace_assignments().get(&workspace.id) else {
            if !self.wants_to_run(workspace) {
                // It never had a host.
                self.assign(over(first_assignment(workspace), cause_of(workspace), self.now), None);
            }
            return;
        };
        self.left(Some(workspace), assignment);
        match &assignment.stage {
            WorkspaceStage::Waiting if assignment.run != workspace.run => {
                self.assign(begin_run(workspace, assignment), None);
            }
            WorkspaceStage::Waiting if !self.wants_to_run(workspace) => {
                self.assign(over(assignment.clone(), cause_of(workspace), self.now), None);
            }
            WorkspaceStage::Waiting => {}
            WorkspaceStage::Starting | WorkspaceStage::Ready | WorkspaceStage::Saving { .. } => {
                self.live(workspace, assignment);
            }
            WorkspaceStage::Leaving(_) => self.leave(assignment),
            WorkspaceStage::Over { at, cause } => {
                // What was nobody's and filled its disk would do so again: it stands for that.
                let is_of_no_use = self.surplus.contains(&workspace.id)
                    || workspace.wish == WorkspaceWish::Warm && *cause != StopCause::DiskFull;
                let is_ended = matches!(workspace.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded);
                let kept_ms = self.world.policy.workspace_kept_ms;
                // What gave way and was given to somebody meanwhile is made for them elsewhere.
                let is_given = *cause == StopCause::Yielded && workspace.wish == WorkspaceWish::Running;
                if self.wants_to_run(workspace) && (workspace.run != assignment.run || is_given) {
                    self.assign(begin_run(workspace, assignment), None);
                } else if assignment.left.is_empty() && (is_of_no_use || is_ended && self.now.since(*at) >= kept_ms) {
                    self.plan.writes.push(WorkspaceWrite::Forget(workspace.id.clone()));
                }
            }
        }
    }

    /// Where something lives that has no record any more: it goes, and is not saved, as nobody could be given it.
    fn without_record(&mut self, assignment: &'a WorkspaceAssignment) {
        self.left(None, assignment);
        match &assignment.stage {
            WorkspaceStage::Leaving(_) => self.leave(assignment),
            _ if assignment.is_live() => {
                let stage = WorkspaceStage::Leaving(StopCause::Ended);
                self.assign(WorkspaceAssignment { stage, ..assignment.clone() }, None);
            }
            _ if assignment.left.is_empty() => {
                self.plan.writes.push(WorkspaceWrite::Forget(assignment.workspace.clone()));
            }
            _ => {}
        }
    }

    /// Those that are nobody's and whose room somebody needs go, whatever else was planned for them.
    fn give_up(&mut self, room: &MakingRoom) {
        let given_up = room.given_up();
        self.plan.actions.retain(|action| !given_up.contains(&action.workspace));
        self.plan.writes.retain(|write| !given_up.contains(write.workspace()));
        let assignments = self.world.workspace_assignments();
        for assignment in given_up.iter().filter_map(|id| assignments.get(id)) {
            let stage = WorkspaceStage::Leaving(StopCause::Yielded);
            self.assign(WorkspaceAssignment { stage, ..assignment.clone() }, None);
        }
    }

    /// Whether something is written of it in this plan.
    fn is_decided(&self, id: &WorkspaceId) -> bool {
        self.plan.writes.iter().any(|write| write.workspace() == id)
    }

    fn wants_to_run(&self, workspace: &Workspace) -> bool {
        workspace.wants_to_run() && !self.surplus.contains(&workspace.id)
    }

    fn assign(&mut self, assignment: WorkspaceAssignment, told: Option<Happened>) {
        self.plan.writes.push(WorkspaceWrite::Assign { assignment: Box::new(assignment), told });
    }

    fn block(&mut self, id: &WorkspaceId, reason: impl Into<String>) {
        self.plan.blocked.insert(id.clone(), reason.into());
    }

    /// How many seconds are left until something may be tried again; `None` if it may.
    fn waits(&self, assignment: &WorkspaceAssignment) -> Option<u64> {
        let left = assignment.not_before.since(self.now);
        (left > 0).then(|| left.div_ceil(1000))
    }
}

/// Why a workspace stops that is not wished to run.
fn cause_of(workspace: &Workspace) -> StopCause {
    match workspace.wish {
        WorkspaceWish::Saved => StopCause::Asked,
        WorkspaceWish::Running | WorkspaceWish::Warm | WorkspaceWish::Ended | WorkspaceWish::Discarded => {
            StopCause::Ended
        }
    }
}

fn over(assignment: WorkspaceAssignment, cause: StopCause, at: Timestamp) -> WorkspaceAssignment {
    let stage = WorkspaceStage::Over { cause, at };
    WorkspaceAssignment { stage, place: None, failure: None, failures: 0, not_before: Timestamp(0), ..assignment }
}

/// The record of a workspace that has left its host.
fn after_leaving(assignment: &WorkspaceAssignment, cause: StopCause, at: Timestamp) -> WorkspaceAssignment {
    if !matches!(cause, StopCause::Drained | StopCause::NoRoom) {
        return over(assignment.clone(), cause, at);
    }
    let stage = WorkspaceStage::Waiting;
    WorkspaceAssignment { stage, place: None, ..assignment.clone() }
}

/// A workspace that has no host yet.
fn first_assignment(workspace: &Workspace) -> WorkspaceAssignment {
    WorkspaceAssignment {
        workspace: workspace.id.clone(),
        run: workspace.run,
        stage: WorkspaceStage::Waiting,
        place: None,
        newest_generation: Generation(0),
        left: Vec::new(),
        resumes: placing::origin(workspace, None),
        last_save: None,
        saved_at: Timestamp(0),
        saves_begun: 0,
        saves_taken: workspace.saves_asked,
        ready_at: None,
        active_at: Timestamp(0),
        warned_minutes: None,
        note: None,
        failure: None,
        failures: 0,
        avoid: BTreeSet::new(),
        not_before: Timestamp(0),
    }
}

/// A workspace that was over is asked for again: it waits for a host, and knows what it begins from.
fn begin_run(workspace: &Workspace, assignment: &WorkspaceAssignment) -> WorkspaceAssignment {
    WorkspaceAssignment {
        newest_generation: assignment.newest_generation,
        left: assignment.left.clone(),
        resumes: placing::origin(workspace, Some(assignment)),
        last_save: assignment.last_save.clone(),
        saved_at: assignment.saved_at,
        saves_begun: assignment.saves_begun,
        ..first_assignment(workspace)
    }
}

#[cfg(test)]
mod tests;
