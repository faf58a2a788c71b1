//! What a workspace is at this moment, in a word and a sentence.

use super::placing::queue;
use super::stopping::{active_at, idle_at, workspace_ends_at};
use super::{Draft, WorkspacePlan, plan_workspaces, warm};
use crate::World;
use crate::freeze::{Freeze, freeze};
use pierhead_model::{
    ContainerId, ContainerState, EngineId, HealthStatus, MemberName, ObservedContainer, SaveId, StopCause, Timestamp,
    Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceOrigin, WorkspaceStage, WorkspaceWish,
};
use std::collections::{BTreeMap, BTreeSet};

/// From how many failures in a row on it is said that a workspace fails.
const FAILS: u32 = 3;
/// Said of one that stands still.
const STANDS_STILL: &str = "it stands still until whoever leads the class lets it go on";
/// After how long without activity a workspace is said to be idle.
const IDLE_MS: u64 = 5 * 60_000;

/// What a workspace is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceStatus {
    /// In a word.
    pub phase: WorkspacePhase,
    /// Its place in the queue, from 1 on, if it is in it.
    pub queue: Option<usize>,
    /// What it waits for, what failed, or what people should know; empty if all is well.
    pub message: String,
    /// Its host, if it has one.
    pub engine: Option<EngineId>,
    /// Its containers that are there, by their names in the environment.
    pub containers: BTreeMap<MemberName, ContainerId>,
    /// When its run is over.
    pub ends_at: Option<Timestamp>,
    /// When it stops if nobody becomes active in it.
    pub idle_at: Option<Timestamp>,
    /// When somebody or something was last active in it.
    pub active_at: Option<Timestamp>,
    /// Its newest save and when that was made.
    pub last_save: Option<(SaveId, Timestamp)>,
    /// How many of the saves that people asked for were taken up.
    pub saves_taken: u32,
    /// Hosts on which a copy was left that is in no save yet.
    pub left_on: Vec<EngineId>,
}

/// What a workspace is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspacePhase {
    /// It waits for a host.
    Queued,
    /// It has one, and is made there.
    Starting,
    /// People can work in it.
    Ready,
    /// They can, and nobody has for a while.
    Idle,
    /// They could, but it stands still: whoever leads its owner asked for that.
    Paused,
    /// It is being saved.
    Saving,
    /// Nothing of it runs; it can be started.
    Saved,
    /// It is over for good.
    Ended,
    /// It does not get on.
    Failed,
}

impl WorkspacePhase {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Idle => "idle",
            Self::Paused => "paused",
            Self::Saving => "saving",
            Self::Saved => "saved",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }
}

/// What a workspace is at this moment; `None` if there is no such workspace.
#[must_use]
pub fn workspace_status(world: &World, id: &WorkspaceId, now: Timestamp) -> Option<WorkspaceStatus> {
    let workspace = world.workspaces().get(id)?;
    let view = View::of(world, now);
    Some(view.status(workspace))
}

/// The same of all.
#[must_use]
pub fn workspace_statuses(world: &World, now: Timestamp) -> BTreeMap<WorkspaceId, WorkspaceStatus> {
    let view = View::of(world, now);
    world.workspaces().values().map(|workspace| (workspace.id.clone(), view.status(workspace))).collect()
}

/// Whether a workspace is over for good.
#[must_use]
pub fn workspace_has_ended(world: &World, workspace: &Workspace) -> bool {
    let assignment = world.workspace_assignments().get(&workspace.id);
    let is_nowhere =
        assignment.is_none_or(|found| matches!(found.stage, WorkspaceStage::Over { .. } | WorkspaceStage::Waiting));
    is_nowhere && matches!(workspace.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded)
}

/// Whether somebody asked for its stop or its reset, and that has not begun yet.
fn is_about_to_stop(workspace: &Workspace, assignment: &WorkspaceAssignment) -> bool {
    let begins_anew = workspace.run != assignment.run && workspace.origin != WorkspaceOrigin::Newest;
    begins_anew || !workspace.wants_to_run()
}

/// Whether it is somebody's and its containers are frozen, from the time when it was nobody's or by somebody.
fn is_frozen(world: &World, workspace: &Workspace, assignment: &WorkspaceAssignment) -> bool {
    let Some(place) = assignment.place.as_ref().filter(|_| workspace.wish != WorkspaceWish::Warm) else { return false };
    let is_paused = |container: &&ObservedContainer| container.state == ContainerState::Paused;
    place.ahead.is_paused || world.at_place(&workspace.id, place).values().any(is_paused)
}

struct View<'a> {
    world: &'a World,
    now: Timestamp,
    plan: WorkspacePlan,
    queue: BTreeMap<&'a WorkspaceId, usize>,
    freeze: Option<Freeze>,
    surplus: BTreeSet<WorkspaceId>,
}

impl<'a> View<'a> {
    fn of(world: &'a World, now: Timestamp) -> Self {
        let plan = plan_workspaces(world, now);
        let surplus = warm::surplus(world);
        let queue = queue(world, &surplus);
        let queue = queue.into_iter().enumerate().map(|(at, workspace)| (&workspace.id, at + 1)).collect();
        Self { world, now, plan, queue, freeze: freeze(world), surplus }
    }

    fn status(&self, workspace: &Workspace) -> WorkspaceStatus {
        let assignment = self.world.workspace_assignments().get(&workspace.id);
        let place = assignment.and_then(|assignment| assignment.place.as_ref());
        let (world, now, freeze, surplus) = (self.world, self.now, self.freeze.as_ref(), &self.surplus);
        let draft = Draft { world, now, freeze, surplus, plan: WorkspacePlan::default() };
        let is_up = assignment.filter(|assignment| assignment.is_live());
        let phase = self.phase(&draft, workspace, assignment);
        let queue = self.queue.get(&workspace.id).copied();
        WorkspaceStatus {
            phase,
            queue: queue.filter(|_| matches!(phase, WorkspacePhase::Queued | WorkspacePhase::Failed)),
            message: self.message(workspace, assignment, phase),
            engine: place.map(|place| place.engine.clone()),
            containers: place.map(|place| place.containers.clone()).unwrap_or_default(),
            ends_at: is_up.and_then(|assignment| workspace_ends_at(workspace, assignment)),
            idle_at: is_up.and_then(|assignment| idle_at(&draft, workspace, assignment)),
            active_at: is_up.map(|assignment| active_at(&draft, workspace, assignment)).filter(|at| at.0 > 0),
            last_save: assignment.and_then(|found| Some((found.last_save.clone()?, found.saved_at))),
            saves_taken: assignment.map_or(0, |assignment| assignment.saves_taken),
            left_on: assignment.into_iter().flat_map(|found| &found.left).map(|place| place.engine.clone()).collect(),
        }
    }

    fn phase(
        &self,
        draft: &Draft<'_>,
        workspace: &Workspace,
        assignment: Option<&WorkspaceAssignment>,
    ) -> WorkspacePhase {
        if workspace_has_ended(self.world, workspace) {
            return WorkspacePhase::Ended;
        }
        let Some(assignment) = assignment else { return WorkspacePhase::Queued };
        match &assignment.stage {
            WorkspaceStage::Over { .. } if workspace.wants_to_run() && workspace.run != assignment.run => {
                WorkspacePhase::Queued
            }
            WorkspaceStage::Over { cause: StopCause::HostGone, .. } => WorkspacePhase::Failed,
            WorkspaceStage::Over { .. } => WorkspacePhase::Saved,
            WorkspaceStage::Starting | WorkspaceStage::Ready if is_about_to_stop(workspace, assignment) => {
                WorkspacePhase::Saving
            }
            WorkspaceStage::Waiting | WorkspaceStage::Starting if assignment.failures >= FAILS => {
                WorkspacePhase::Failed
            }
            WorkspaceStage::Waiting => WorkspacePhase::Queued,
            WorkspaceStage::Starting | WorkspaceStage::Ready if self.is_lost(assignment) => WorkspacePhase::Failed,
            WorkspaceStage::Starting => WorkspacePhase::Starting,
            WorkspaceStage::Ready if workspace.stands_still() => WorkspacePhase::Paused,
            WorkspaceStage::Ready if is_frozen(self.world, workspace, assignment) => WorkspacePhase::Starting,
            WorkspaceStage::Ready => {
                let quiet = draft.now.since(active_at(draft, workspace, assignment));
                let limit = u64::from(workspace.spec.idle_minutes) * 60_000;
                let is_idle = limit > 0 && workspace.wish == WorkspaceWish::Running && quiet >= IDLE_MS.min(limit / 2);
                if is_idle { WorkspacePhase::Idle } else { WorkspacePhase::Ready }
            }
            WorkspaceStage::Saving { .. } | WorkspaceStage::Leaving(_) => WorkspacePhase::Saving,
        }
    }

    /// Whether its host is down.
    fn is_lost(&self, assignment: &WorkspaceAssignment) -> bool {
        let engine = assignment.place.as_ref().and_then(|place| self.world.engines().get(&place.engine));
        assignment.is_live() && engine.is_none_or(|engine| engine.health.status == HealthStatus::Down)
    }

    fn message(
        &self,
        workspace: &Workspace,
        assignment: Option<&WorkspaceAssignment>,
        phase: WorkspacePhase,
    ) -> String {
        let blocked = self.plan.blocked.get(&workspace.id);
        if let Some(reason) = blocked {
            return reason.clone();
        }
        let Some(assignment) = assignment else { return String::new() };
        if let (Some(words), true) = (self.world.over_disk(&workspace.id), assignment.is_live()) {
            return words.to_owned();
        }
        match &assignment.stage {
            WorkspaceStage::Over { cause, .. } if phase != WorkspacePhase::Queued => {
                format!("it was stopped: {}", cause.words())
            }
            WorkspaceStage::Leaving(cause) => format!("it is stopped: {}", cause.words()),
            _ if phase == WorkspacePhase::Paused => STANDS_STILL.to_owned(),
            _ => {
                let failure = assignment.failure.as_ref().map(|failure| failure.message.clone());
                failure.or_else(|| assignment.note.clone()).unwrap_or_default()
            }
        }
    }
}
