//! A workspace whose containers are there, or are being made: what is the next safe step.

use super::ahead::{another_shell, asleep, in_state, is_whole};
use super::stopping::{stop_cause, warning};
use super::{
    Draft, Happened, NewNetwork, NewWorkspaceContainer, SaveOrder, SavedContainer, WorkspaceAction, WorkspaceStep,
    after_leaving, over,
};
use crate::slot::exit_words;
use pierhead_model::{
    ContainerState, EnvironmentContainer, Failure, FailureKind, HealthStatus, MemberName, ObservedContainer, SaveCause,
    SaveId, StopCause, Timestamp, Workspace, WorkspaceAssignment, WorkspaceOrigin, WorkspaceOwnership, WorkspacePlace,
    WorkspaceStage, WorkspaceWish,
};
use std::collections::BTreeMap;

/// How much later activity must be than what is written down, to be written down.
const ACTIVITY_MS: u64 = 60_000;

/// The containers of a workspace on its host.
pub(super) type Current<'a> = BTreeMap<&'a MemberName, &'a ObservedContainer>;

impl<'a> Draft<'a> {
    pub(super) fn live(&mut self, workspace: &'a Workspace, assignment: &'a WorkspaceAssignment) {
        let Some(place) = &assignment.place else {
            return self.assign(WorkspaceAssignment { stage: WorkspaceStage::Waiting, ..assignment.clone() }, None);
        };
        let Some(engine) = self.world.engines().get(&place.engine).filter(|engine| engine.is_usable()) else {
            return self.away(workspace, assignment, place);
        };
        let cause = stop_cause(self, workspace, assignment, engine);
        let goes_on = workspace.run != assignment.run && workspace.origin == WorkspaceOrigin::Newest;
        if cause.is_none() && goes_on {
            // It was asked for again before anything of it had gone.
            let stage = WorkspaceStage::Starting;
            let next = WorkspaceAssignment { run: workspace.run, stage, warned_minutes: None, ..assignment.clone() };
            return self.assign(next, None);
        }
        let mut current = self.world.at_place(&workspace.id, place);
        current.retain(|_, container| !matches!(container.state, ContainerState::Removing | ContainerState::Dead));
        match (&assignment.stage, cause) {
            (_, Some(cause)) => self.stop(workspace, assignment, place, &current, cause),
            (WorkspaceStage::Saving { save, cause: SaveCause::Asked, name }, None) => {
                let order = save_order(workspace, place, &current, save, Why::Asked(name.clone()));
                self.save(workspace, assignment, place, order);
            }
            (WorkspaceStage::Saving { .. }, None) => {
                // What was to stop it does not hold any more.
                let stage = WorkspaceStage::Starting;
                let next = WorkspaceAssignment { stage, failure: None, failures: 0, ..assignment.clone() };
                self.assign(next, None);
            }
            (_, None) => self.run(workspace, assignment, place, &current),
        }
    }

    /// What is in it is saved, unless there is nothing or its owner gave it up.
    fn stop(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
        cause: StopCause,
    ) {
        let told = Happened { kind: "stop-workspace", message: format!("it is stopped: {}", cause.words()) };
        let told = Some(told).filter(|_| workspace.wish != WorkspaceWish::Warm);
        if !may_hold_work(workspace, assignment, place)
            || workspace.wish == WorkspaceWish::Discarded
            || current.is_empty()
        {
            let stage = WorkspaceStage::Leaving(cause);
            let next = WorkspaceAssignment {
                stage,
                failure: None,
                failures: 0,
                not_before: Timestamp(0),
                ..assignment.clone()
            };
            return self.assign(next, told);
        }
        let why = SaveCause::Stops(cause);
        match &assignment.stage {
            WorkspaceStage::Saving { save, cause: begun, .. } if *begun == why => {
                let order = save_order(workspace, place, current, save, Why::Stops(cause));
                self.save(workspace, assignment, place, order);
            }
            WorkspaceStage::Saving { save, cause: SaveCause::Stops(_), .. } => {
                let stage = WorkspaceStage::Saving { save: save.clone(), cause: why, name: None };
                self.assign(WorkspaceAssignment { stage, ..assignment.clone() }, told);
            }
            // People went on to work while one was made that they asked for: that can't be the last.
            _ => self.assign(begin_save(workspace, assignment, why), told),
        }
    }

    fn save(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        order: SaveOrder,
    ) {
        if let (Some(seconds), Some(failure)) = (self.waits(assignment), &assignment.failure) {
            let words = &failure.message;
            return self.block(
                &workspace.id,
                format!("it could not be saved, so it is kept: {words}; is tried again in {seconds} s"),
            );
        }
        self.act(workspace, place, WorkspaceStep::Save(Box::new(order)));
    }

    /// It shall run.
    fn run(
        &mut self,
        workspace: &'a Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
    ) {
        if place.ahead.is_paused {
            return self.rest(workspace, assignment, place, current);
        }
        if self.note_what_is_there(assignment, place, current) {
            return;
        }
        if current.is_empty() && place.from != assignment.resumes {
            // Nothing of it is there any more: it comes back as it was saved last.
            let place = Some(WorkspacePlace { from: assignment.resumes.clone(), ..place.clone() });
            return self.assign(WorkspaceAssignment { place, ..assignment.clone() }, None);
        }
        let missing: Vec<&EnvironmentContainer> =
            place.spec.containers.iter().filter(|container| !current.contains_key(&container.name)).collect();
        if !missing.is_empty() {
            let words = || format!("container {} is gone from host {}", missing[0].name, place.engine);
            return self.make(workspace, assignment, place, &missing, words);
        }
        if workspace.stands_still() && assignment.stage == WorkspaceStage::Ready && is_whole(place, current) {
            return self.stand_still(workspace, assignment, place, current);
        }
        let halted = place.spec.containers.iter().find_map(|described| {
            let container = current.get(&described.name)?;
            (container.state != ContainerState::Running).then_some((described, *container))
        });
        if let Some((described, container)) = halted {
            return self.revive(workspace, assignment, place, current, (described, container));
        }
        let has_files = |name: &MemberName| place.filled.contains(name) || place.from.is_some();
        let has_to_do = |described: &&EnvironmentContainer| {
            let is_asked = described.startup.is_some() || !has_files(&described.name) && !described.files.is_empty();
            is_asked && !place.primed.contains(&described.name)
        };
        if let Some(described) = place.spec.containers.iter().find(has_to_do) {
            let Some(container) = current.get(&described.name) else { return };
            // In a save they are as people left them.
            let files = if has_files(&described.name) { Vec::new() } else { described.files.clone() };
            let (container, name) = (container.id.clone(), described.name.clone());
            let step = WorkspaceStep::Prime { container, name, files, script: described.startup.clone() };
            return self.act(workspace, place, step);
        }
        if self.lacks_shell(workspace, place, current) {
            return;
        }
        match assignment.stage {
            WorkspaceStage::Ready => self.keep(workspace, assignment, place),
            _ => self.become_ready(workspace, assignment, place),
        }
    }

    /// It is frozen, and kept so.
    fn stand_still(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
    ) {
        let awake = in_state(current, ContainerState::Running);
        if awake.is_empty() {
            self.keep(workspace, assignment, place);
        } else if !self.waits_for_another_try(workspace, assignment) {
            self.act(workspace, place, WorkspaceStep::Pause(awake));
        }
    }

    /// Writes down which containers there are; of those that have gone or changed, nothing is done any more.
    fn note_what_is_there(
        &mut self,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
    ) -> bool {
        let there: BTreeMap<_, _> =
            current.iter().map(|(name, container)| ((*name).clone(), container.id.clone())).collect();
        if there == place.containers {
            return false;
        }
        let mut place = place.clone();
        let is_same = |name: &MemberName| there.contains_key(name) && there.get(name) == place.containers.get(name);
        let (primed, filled) = (std::mem::take(&mut place.primed), std::mem::take(&mut place.filled));
        place.primed = primed.into_iter().filter(is_same).collect();
        place.filled = filled.into_iter().filter(is_same).collect();
        place.containers = there;
        place.ahead = another_shell(place.ahead);
        let next = WorkspaceAssignment { place: Some(place), ..assignment.clone() };
        self.assign(next, None);
        true
    }

    /// Containers that are not there are made.
    fn make(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        missing: &[&EnvironmentContainer],
        words: impl Fn() -> String,
    ) {
        if assignment.stage == WorkspaceStage::Ready {
            let failure = Some(Failure::new(FailureKind::Exited, words()));
            let told = Happened { kind: "fail-workspace", message: words() };
            let next = WorkspaceAssignment { stage: WorkspaceStage::Starting, failure, ..assignment.clone() };
            return self.assign(next, Some(told));
        }
        if self.waits_for_another_try(workspace, assignment) {
            return;
        }
        let of =
            |container| WorkspaceOwnership { workspace: workspace.id.clone(), generation: place.generation, container };
        let container = |described: &&EnvironmentContainer| NewWorkspaceContainer {
            name: Workspace::container_name(&workspace.id, &described.name, place.generation),
            labels: of(Some(described.name.clone())).labels(&self.world.cluster),
            description: (*described).clone(),
            asks: place.spec.asks,
        };
        let network = NewNetwork {
            name: Workspace::network_name(&workspace.id),
            subnet: place.subnet,
            labels: of(None).labels(&self.world.cluster),
            egress: place.spec.asks.egress,
        };
        let containers = missing.iter().map(container).collect();
        self.act(workspace, place, WorkspaceStep::Create { network, containers, from: place.from.clone() });
    }

    /// One that was only created, or has ended, is started again; what it did at its start is done again.
    fn revive(
        &mut self,
        workspace: &Workspace,
        assignment: &WorkspaceAssignment,
        place: &WorkspacePlace,
        current: &Current<'_>,
        (described, container): (&EnvironmentContainer, &ObservedContainer),
    ) {
        match container.state {
            // Frozen ahead and given to somebody, or frozen by somebody else.
            ContainerState::Paused => return self.go_on(workspace, assignment, place, current),
            ContainerState::Restarting => return self.block(&workspace.id, "a container is being restarted"),
            _ => {}
        }
        let words = format!("container {} ended ({})", described.name, exit_words(container));
        let has_ended = container.state == ContainerState::Exited;
        let is_new = assignment.failure.as_ref().is_none_or(|failure| failure.message != words);
        if assignment.stage == WorkspaceStage::Ready || place.primed.contains(&described.name) || has_ended && is_new {
            let mut place = place.clone();
            place.primed.remove(&described.name);
            place.ahead = another_shell(place.ahead);
            let failure =
                has_ended.then(|| Failure::new(FailureKind::Exited, words.clone())).or(assignment.failure.clone());
            let told = (assignment.stage == WorkspaceStage::Ready)
                .then_some(Happened { kind: "fail-workspace", message: words });
            let stage = WorkspaceStage::Starting;
            return self.assign(WorkspaceAssignment { stage, place: Some(place), failure, ..assignment.clone() }, told);
        }
        if !self.waits_for_another_try(workspace, assignment) {
            self.act(workspace, place, WorkspaceStep::Start(container.id.clone()));
        }
    }

    pub(super) fn waits_for_another_try(&mut self, workspace: &Workspace, assignment: &WorkspaceAssignment) -> bool {
        let Some(seconds) = self.waits(assignment) else { return false };
        let words = assignment.failure.as_ref().map_or("it failed", |failure| failure.message.as_str());
        self.block(&workspace.id, format!("{words}; is tried again in {seconds} s"));
        true
    }

    fn become_ready(&mut self, workspace: &Workspace, assignment: &WorkspaceAssignment, place: &WorkspacePlace) {
        let is_somebodys = workspace.wish != WorkspaceWish::Warm;
        let place = WorkspacePlace { holds_work: place.holds_work || is_somebodys, ..place.clone() };
        let is_first = assignment.ready_at.is_none();
        let told = (is_first && is_somebodys)
            .then(|| Happened { kind: "ready-workspace", message: format!("it is ready on host {}", place.engine) });
        let failure = assignment.failure.clone().filter(|failure| failure.kind == FailureKind::NotStarted);
        let next = WorkspaceAssignment {
            stage: WorkspaceStage::Ready,
            place: Some(place),
            ready_at: Some(assignment.ready_at.unwrap_or(self.now)),
            failure,
            ..assignment.clone()
        };
        self.assign(next, told);
    }

    /// It is ready, and stays so.
    fn keep(&mut self, workspace: &Workspace, assignment: &WorkspaceAssignment, place: &WorkspacePlace) {
        if workspace.wish == WorkspaceWish::Warm && self.has_nothing_to_do(workspace, assignment) {
            return self.assign(asleep(assignment, true), None);
        }
        if !place.holds_work && workspace.wish != WorkspaceWish::Warm {
            let place = Some(WorkspacePlace { holds_work: true, ..place.clone() });
            return self.assign(WorkspaceAssignment { place, ..assignment.clone() }, None);
        }
        if assignment.owes_save(workspace) {
            return self.assign(begin_save(workspace, assignment, SaveCause::Asked), None);
        }
        if let Some(warning) = warning(self, workspace, assignment) {
            let next = WorkspaceAssignment { warned_minutes: warning.minutes, ..assignment.clone() };
            return self.assign(next, warning.told);
        }
        let active_at = self.world.activity(&workspace.id);
        if active_at.since(assignment.active_at) >= ACTIVITY_MS {
            return self.assign(WorkspaceAssignment { active_at, ..assignment.clone() }, None);
        }
        let is_settled =
            self.waits(assignment).is_none() && self.now.since(assignment.not_before) >= self.world.policy.settle_ms;
        if assignment.failures > 0 && is_settled {
            self.assign(WorkspaceAssignment { failures: 0, ..assignment.clone() }, None);
        }
    }

    /// Its containers and its network go.
    pub(super) fn leave(&mut self, assignment: &'a WorkspaceAssignment) {
        let WorkspaceStage::Leaving(cause) = assignment.stage else { return };
        let Some(place) = &assignment.place else {
            return self.assign(over(assignment.clone(), cause, self.now), None);
        };
        let Some(engine) = self.world.engines().get(&place.engine) else {
            return self.assign(over(assignment.clone(), cause, self.now), None);
        };
        if engine.health.status == HealthStatus::Down {
            // What was to be saved is saved; what is left there is surplus when the host returns.
            return self.assign(after_leaving(assignment, cause, self.now), None);
        }
        if !engine.is_usable() {
            return self.block(
                &assignment.workspace,
                format!("its containers are removed as soon as host {} answers", place.engine),
            );
        }
        self.remove(assignment, place);
    }

    pub(super) fn remove(&mut self, assignment: &WorkspaceAssignment, place: &WorkspacePlace) {
        let there = self.world.at_place(&assignment.workspace, place);
        let step = WorkspaceStep::Remove {
            containers: there.values().map(|container| container.id.clone()).collect(),
            network: Workspace::network_name(&assignment.workspace),
        };
        let (engine, workspace) = (place.engine.clone(), assignment.workspace.clone());
        self.plan.actions.push(WorkspaceAction { engine, workspace, generation: place.generation, step });
    }

    pub(super) fn act(&mut self, workspace: &Workspace, place: &WorkspacePlace, step: WorkspaceStep) {
        let (engine, workspace) = (place.engine.clone(), workspace.id.clone());
        self.plan.actions.push(WorkspaceAction { engine, workspace, generation: place.generation, step });
    }

    pub(super) fn save_left(&mut self, workspace: &Workspace, place: &WorkspacePlace, save: &SaveId) {
        let current = self.world.at_place(&workspace.id, place);
        let order = save_order(workspace, place, &current, save, Why::Left);
        self.act(workspace, place, WorkspaceStep::Save(Box::new(order)));
    }
}

/// Whether there may be work in it that is in no save. One that was given to somebody may hold their work before that is
/// written down, unless it rests: nobody comes into that before it is written down that it goes on.
pub(super) fn may_hold_work(workspace: &Workspace, assignment: &WorkspaceAssignment, place: &WorkspacePlace) -> bool {
    let was_ready = matches!(assignment.stage, WorkspaceStage::Ready | WorkspaceStage::Saving { .. });
    place.holds_work || was_ready && workspace.wish != WorkspaceWish::Warm && !place.ahead.is_paused
}

/// Why a save is made, which tells what it is called and how long it is kept.
enum Why {
    /// Somebody asked for it, and may have said what it is called.
    Asked(Option<String>),
    Stops(StopCause),
    /// Its host was lost with it, and has returned.
    Left,
}

/// A save gets its id before anything is done. One that people ask for from here on is another.
fn begin_save(workspace: &Workspace, assignment: &WorkspaceAssignment, cause: SaveCause) -> WorkspaceAssignment {
    let saves_begun = assignment.saves_begun + 1;
    let save = SaveId::of(&assignment.workspace, saves_begun);
    let (name, saves_taken) = match cause {
        SaveCause::Asked => (workspace.save_name.clone(), workspace.saves_asked),
        SaveCause::Stops(_) => (None, assignment.saves_taken),
    };
    WorkspaceAssignment {
        stage: WorkspaceStage::Saving { save, cause, name },
        saves_begun,
        saves_taken,
        failure: None,
        failures: 0,
        not_before: Timestamp(0),
        ..assignment.clone()
    }
}

/// What is there is saved as it was made, whatever is wanted of the workspace since.
fn save_order(
    workspace: &Workspace,
    place: &WorkspacePlace,
    current: &Current<'_>,
    save: &SaveId,
    why: Why,
) -> SaveOrder {
    let saved = |described: &EnvironmentContainer| {
        let container = current.get(&described.name)?;
        let (name, image) = (described.name.clone(), described.image.clone());
        Some(SavedContainer { name, id: container.id.clone(), image })
    };
    let containers: Vec<SavedContainer> = place.spec.containers.iter().filter_map(saved).collect();
    let is_whole = containers.len() == place.spec.containers.len();
    let stops = !matches!(why, Why::Asked(_));
    // Of what was left behind the workspace may run elsewhere.
    let restarts = matches!(why, Why::Stops(_));
    // The next one that is made by itself takes the place of the last: not of what people would look for.
    let automatic = is_whole && matches!(why, Why::Stops(cause) if cause != StopCause::Replaced);
    let name = match why {
        Why::Asked(Some(name)) => name,
        Why::Left => format!("left on host {}", place.engine),
        Why::Stops(StopCause::Replaced) => format!("{} before it began anew", workspace.name),
        Why::Asked(None) | Why::Stops(_) => workspace.name.clone(),
    };
    SaveOrder {
        id: save.clone(),
        workspace: workspace.id.clone(),
        generation: place.generation,
        owner: workspace.owner.clone(),
        name,
        environment: workspace.environment.clone(),
        version: place.version,
        spec: place.spec.clone(),
        from: place.from.clone(),
        containers,
        automatic,
        stops,
        restarts,
    }
}
