//! The next safe step of one slot that shall be there.

use crate::plan::{Action, NewContainer, Step};
use crate::retry::{after_exit, after_failure, has_failed};
use crate::{EngineState, World};
use pierhead_model::{
    App, Assignment, ContainerState, Exit, Failure, FailureKind, HealthStatus, MemberName, ObservedContainer,
    Ownership, RestartPolicy, SlotIntent, SlotWish, Timestamp,
};
use std::collections::BTreeMap;

/// What to do next for a slot.
#[derive(Debug, Default)]
pub(crate) struct SlotStep {
    /// What becomes of its record, before anything is done.
    pub write: Option<Assignment>,
    /// What to do on its engine.
    pub actions: Vec<Action>,
    /// Whether it needs a host, instead of the one that it has.
    pub needs_host: bool,
    /// What it waits for, in words.
    pub waits_for: Option<String>,
}

/// What is looked at to decide on a slot.
pub(crate) struct SlotView<'a> {
    pub world: &'a World,
    pub app: &'a App,
    pub intent: &'a SlotIntent,
    pub assignment: &'a Assignment,
    pub now: Timestamp,
    /// Whether it may be replaced now because the app's description changed.
    pub may_replace: bool,
}

type Current<'a> = BTreeMap<&'a MemberName, &'a ObservedContainer>;

impl SlotStep {
    fn waits(reason: impl Into<String>) -> Self {
        Self { waits_for: Some(reason.into()), ..Self::default() }
    }

    fn needs_host() -> Self {
        Self { needs_host: true, ..Self::default() }
    }

    fn writes(assignment: Assignment) -> Self {
        Self { write: Some(assignment), ..Self::default() }
    }
}

/// The next safe step.
pub(crate) fn next_step(view: &SlotView<'_>) -> SlotStep {
    let Some(engine) = view.world.engines().get(&view.assignment.engine) else {
        return if view.wants_to_run() { SlotStep::needs_host() } else { SlotStep::default() };
    };
    if !engine.is_usable() {
        return off_duty(view, engine);
    }
    let current = view.world.current(view.assignment);
    match view.intent.wish {
        SlotWish::Stopped => stop(view, &current),
        SlotWish::Running => run(view, &current),
    }
}

impl SlotView<'_> {
    fn wants_to_run(&self) -> bool {
        self.intent.wish == SlotWish::Running && self.assignment.exit.is_none()
    }

    fn restart_asked(&self) -> bool {
        self.assignment.restarts_done < self.intent.restarts
    }

    fn action(&self, step: Step) -> Action {
        let slot = Some((self.assignment.key(), self.assignment.generation));
        Action { engine: self.assignment.engine.clone(), slot, step, then: None }
    }

    /// The restart policy of the group: that of its first member.
    fn restart_policy(&self) -> RestartPolicy {
        self.app.members.first().map_or(RestartPolicy::Always, |member| member.spec.restart)
    }
}

/// The slot's host does not answer: after the grace time it lives elsewhere.
fn off_duty(view: &SlotView<'_>, engine: &EngineState) -> SlotStep {
    let health = &engine.health;
    let id = &engine.record.id;
    if health.status != HealthStatus::Down || !view.wants_to_run() {
        return SlotStep::waits(format!("waits for host {id}, which is {}", health.status.as_str()));
    }
    let down_for = view.now.since(health.since);
    if down_for >= view.world.policy.grace_ms {
        SlotStep::needs_host()
    } else {
        SlotStep::waits(format!("host {id} is down; moves in {} ms", view.world.policy.grace_ms - down_for))
    }
}

fn stop(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    let running = current.values().filter(|container| container.state.is_running());
    SlotStep {
        actions: running.map(|c| view.action(Step::Stop(c.id.clone()))).collect(),
        ..record_containers(view, current)
    }
}

fn run(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    let assignment = view.assignment;
    if has_failed(assignment) {
        return retire(view, current);
    }
    if assignment.version != view.app.version && !is_finished_job(view) {
        let is_running = !current.is_empty() && current.values().all(|container| container.state.is_running());
        return if is_running && !view.may_replace {
            SlotStep::waits("waits for its turn to be replaced")
        } else {
            retire(view, current)
        };
    }
    if current.len() == view.app.members.len() {
        return keep_running(view, current);
    }
    if is_finished_job(view) {
        return SlotStep::default();
    }
    if current.is_empty() && assignment.containers.is_empty() {
        return create(view);
    }
    // Something was removed behind our back.
    if view.now < assignment.not_before {
        return SlotStep::waits("was removed from its host repeatedly; waits before it is made anew");
    }
    let mut step = retire(view, current);
    step.write = step.needs_host.then(|| after_exit(assignment, view.now, &view.world.policy));
    step
}

fn is_finished_job(view: &SlotView<'_>) -> bool {
    view.assignment.exit.is_some() && !view.restart_asked()
}

/// Containers that must be made anew: those that are there go first, then the slot needs a host.
fn retire(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    if current.is_empty() {
        return SlotStep::needs_host();
    }
    SlotStep {
        actions: current.values().map(|c| view.action(Step::Remove(c.id.clone()))).collect(),
        ..SlotStep::default()
    }
}

/// All containers are there: are they as wanted?
fn keep_running(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    if view.restart_asked() {
        return restart(view, current);
    }
    if is_finished_job(view) {
        return SlotStep::default();
    }
    if let Some(container) =
        current.values().find(|c| !matches!(c.state, ContainerState::Running | ContainerState::Paused))
    {
        return revive(view, container);
    }
    let assignment = view.assignment;
    let troubled = assignment.retries > 0 || !assignment.attempts.is_empty();
    if troubled && view.now >= assignment.not_before.plus(view.world.policy.settle_ms) {
        return SlotStep::writes(Assignment { retries: 0, attempts: Vec::new(), ..assignment.clone() });
    }
    record_containers(view, current)
}

/// Remembers the ids that the engine gave, for those who ask for them after they are gone.
fn record_containers(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    let seen: BTreeMap<_, _> = current.iter().map(|(member, c)| ((*member).clone(), c.id.clone())).collect();
    if seen.is_empty() || seen == view.assignment.containers {
        return SlotStep::default();
    }
    SlotStep::writes(Assignment { containers: seen, ..view.assignment.clone() })
}

/// A person asked for a start or restart.
fn restart(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    let done = Assignment {
        restarts_done: view.intent.restarts,
        exit: None,
        retries: 0,
        not_before: Timestamp(0),
        ..view.assignment.clone()
    };
    let mut actions: Vec<Action> = current
        .values()
        .map(|c| {
            view.action(if c.state.is_running() { Step::Restart(c.id.clone()) } else { Step::Start(c.id.clone()) })
        })
        .collect();
    if let Some(last) = actions.last_mut() {
        last.then = Some(done);
    }
    SlotStep { actions, ..SlotStep::default() }
}

/// A container that should run does not.
fn revive(view: &SlotView<'_>, container: &ObservedContainer) -> SlotStep {
    let policy = &view.world.policy;
    match container.state {
        ContainerState::Created => {
            SlotStep { actions: vec![view.action(Step::Start(container.id.clone()))], ..SlotStep::default() }
        }
        ContainerState::Removing | ContainerState::Dead => {
            SlotStep { actions: vec![view.action(Step::Remove(container.id.clone()))], ..SlotStep::default() }
        }
        ContainerState::Restarting if container.restart_count < policy.exits_before_move => {
            SlotStep::waits(format!("exits and is restarted by its engine ({})", exit_words(container)))
        }
        ContainerState::Restarting => SlotStep::writes(keeps_exiting(view, container)),
        _ => after_an_exit(view, container),
    }
}

fn after_an_exit(view: &SlotView<'_>, container: &ObservedContainer) -> SlotStep {
    let assignment = view.assignment;
    let code = container.exit_code.unwrap_or(0);
    let is_over = match view.restart_policy() {
        RestartPolicy::Always => false,
        RestartPolicy::No => true,
        RestartPolicy::OnFailure { maximum_retry_count: most } => code == 0 || (most > 0 && assignment.retries >= most),
    };
    if is_over {
        let exit = Some(Exit { code, at: view.now });
        return SlotStep::writes(Assignment { exit, ..assignment.clone() });
    }
    if view.now < assignment.not_before {
        return SlotStep::waits(format!("{}; waits before it is started again", exit_words(container)));
    }
    let exits = assignment.retries;
    if exits > 0 && exits.is_multiple_of(view.world.policy.exits_before_move) {
        return SlotStep::writes(keeps_exiting(view, container));
    }
    SlotStep {
        write: Some(after_exit(assignment, view.now, &view.world.policy)),
        actions: vec![view.action(Step::Start(container.id.clone()))],
        ..SlotStep::default()
    }
}

fn keeps_exiting(view: &SlotView<'_>, container: &ObservedContainer) -> Assignment {
    let message = format!("keeps exiting on host {} ({})", view.assignment.engine, exit_words(container));
    after_failure(view.assignment, Failure::new(FailureKind::Exited, message), view.now, &view.world.policy)
}

fn exit_words(container: &ObservedContainer) -> String {
    match container.exit_code {
        Some(137) => "exit code 137: killed, often because it used more memory than its limit".to_owned(),
        Some(code) => format!("exit code {code}"),
        None => "exit code unknown".to_owned(),
    }
}

/// The intent is written; now make it so.
fn create(view: &SlotView<'_>) -> SlotStep {
    let assignment = view.assignment;
    let operation = view.intent.added_by.as_ref().and_then(|id| view.world.operations().get(id));
    let containers = view.app.members.iter().enumerate().map(|(at, member)| {
        let owner =
            Ownership { slot: assignment.key(), generation: assignment.generation, member: member.name.clone() };
        NewContainer {
            member: member.name.clone(),
            name: assignment.container_name(&member.name, at == 0),
            spec: member.spec.clone(),
            ports: assignment.ports.get(&member.name).cloned().unwrap_or_default(),
            labels: owner.labels(&view.world.cluster, assignment.app_name.as_str()),
            engine_restarts: member.spec.restart == RestartPolicy::Always,
        }
    });
    let pull = operation.is_some_and(|operation| operation.pull);
    SlotStep {
        actions: vec![view.action(Step::Create { containers: containers.collect(), pull })],
        ..SlotStep::default()
    }
}
