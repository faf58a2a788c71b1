//! What is done ahead in a workspace that is nobody's: a shell with its prompt, and rest while nobody comes. Giving it to
//! somebody needs no container and no process; what rests goes on as soon as its host has the CPU for it.

use super::live::Current;
use super::stopping::active_at;
use super::{Draft, WorkspaceStep};
use crate::making_room::MakingRoom;
use crate::world::place_hold;
use crate::{HoldKey, Ledger, World};
use pierhead_model::{
    Ahead, ContainerId, ContainerState, StopCause, Workspace, WorkspaceAssignment, WorkspacePlace, WorkspaceStage,
    WorkspaceWish,
};
use std::borrow::Cow;

impl<'a> Draft<'a> {
    /// Opens the shell that is missing in one that is nobody's; tells whether one is.
    pub(super) fn lacks_shell(&mut self, workspace: &Workspace, place: &WorkspacePlace, current: &Current<'_>) -> bool {
        let first = place.spec.containers.first().and_then(|described| current.get(&described.name));
        let Some(first) = first.filter(|_| workspace.wish == WorkspaceWish::Warm && !place.ahead.has_shell) else {
            return false;
        };
        let terminal = Workspace::shell_ahead(&workspace.id, place.generation, place.ahead.shells);
        self.act(workspace, place, WorkspaceStep::OpenShell { container: first.id.clone(), terminal });
        true
    }

    /// Whether nothing has happened in it for so long that it is paused.
    pub(super) fn has_nothing_to_do(&self, workspace: &Workspace, assignment: &WorkspaceAssignment) -> bool {
        let since = active_at(self, workspace, assignment).max(assignment.ready_at.unwrap_or(self.now));
        self.now.since(since) >= self.world.policy.warm_pause_ms
    }

    /// One that rests stays so while it is nobody's; whether it can go on is decided when all else has its room.
    pub(super) fn rest(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
    ) {
        if workspace.wish != WorkspaceWish::Warm {
            return;
        }
        if !is_whole(place, current) {
            // Its processes have ended, and nothing of it is worth the CPU that it gave back.
            let stage = WorkspaceStage::Leaving(StopCause::Ended);
            return self.assign(WorkspaceAssignment { stage, ..assignment.clone() }, None);
        }
        let awake = in_state(current, ContainerState::Running);
        if !awake.is_empty() && self.waits(assignment).is_none() {
            self.act(workspace, place, WorkspaceStep::Pause(awake));
        }
    }

    /// What is frozen in it goes on.
    pub(super) fn go_on(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
    ) {
        if !self.waits_for_another_try(workspace, assignment) {
            self.act(workspace, place, WorkspaceStep::Unpause(in_state(current, ContainerState::Paused)));
        }
    }
}

/// Those that were given to somebody while they rested: they go on if their hosts have the CPU, or can make the room for
/// it; else they are made anew elsewhere, as there is no work in them yet.
pub(super) fn wake_given(draft: &mut Draft<'_>, ledger: &mut Cow<'_, Ledger>, room: &mut MakingRoom) {
    let world = draft.world;
    let given = world.workspaces().values().filter(|workspace| workspace.wish == WorkspaceWish::Running);
    for workspace in given {
        let Some((assignment, place)) = resting(world, workspace) else { continue };
        if draft.is_decided(&workspace.id) {
            continue;
        }
        let key = HoldKey::Workspace(workspace.id.clone(), place.generation);
        let next = asleep(assignment, false);
        let Some(hold) = next.place.as_ref().map(place_hold) else { continue };
        let facts = ledger.host(&place.engine).map(|facts| facts.allocatable).unwrap_or_default();
        let free = facts.saturating_sub(ledger.reserved(&place.engine));
        if hold.resources.cpu_millis <= free.cpu_millis {
            ledger.to_mut().hold(key, hold);
            draft.assign(next, None);
            let current = world.at_place(&workspace.id, place);
            let frozen = in_state(&current, ContainerState::Paused);
            if !frozen.is_empty() {
                draft.act(workspace, place, WorkspaceStep::Unpause(frozen));
            }
        } else if let Some(reason) = room.for_more(ledger, key, hold) {
            draft.block(&workspace.id, reason);
        } else {
            let stage = WorkspaceStage::Leaving(StopCause::NoRoom);
            draft.assign(WorkspaceAssignment { stage, ..assignment.clone() }, None);
        }
    }
}

/// Where one that rests is, if its host can be acted on and nothing ends it.
fn resting<'a>(world: &'a World, workspace: &Workspace) -> Option<(&'a WorkspaceAssignment, &'a WorkspacePlace)> {
    let assignment = world.workspace_assignments().get(&workspace.id)?;
    let place = assignment.place.as_ref().filter(|place| place.ahead.is_paused)?;
    let is_usable = world.engines().get(&place.engine).is_some_and(|engine| engine.is_usable());
    let is_live = matches!(assignment.stage, WorkspaceStage::Starting | WorkspaceStage::Ready);
    let is_up = is_live && assignment.run == workspace.run;
    (is_usable && is_up).then_some((assignment, place))
}

/// The same, to rest or to be awake. Who is given it may have begun to work in it.
pub(super) fn asleep(assignment: &WorkspaceAssignment, is_paused: bool) -> WorkspaceAssignment {
    let place = assignment.place.clone().map(|place| WorkspacePlace {
        ahead: Ahead { is_paused, ..place.ahead },
        holds_work: place.holds_work || !is_paused,
        ..place
    });
    WorkspaceAssignment { place, ..assignment.clone() }
}

/// After its container was started again the shell in it is another one.
pub(super) fn another_shell(ahead: Ahead) -> Ahead {
    if ahead.has_shell { Ahead { shells: ahead.shells + 1, has_shell: false, ..ahead } } else { ahead }
}

/// Whether the processes of all its containers are there, frozen or not.
pub(super) fn is_whole(place: &WorkspacePlace, current: &Current<'_>) -> bool {
    place.spec.containers.iter().all(|described| {
        let state = current.get(&described.name).map(|container| container.state);
        matches!(state, Some(ContainerState::Running | ContainerState::Paused))
    })
}

pub(super) fn in_state(current: &Current<'_>, state: ContainerState) -> Vec<ContainerId> {
    current.values().filter(|container| container.state == state).map(|container| container.id.clone()).collect()
}
