//! The next safe step of one slot that shall be there.

use crate::plan::{Action, NewContainer, Step};
use crate::request::slot_request;
use crate::retry::{after_exit, after_failure, has_failed};
use crate::writer::{has_one_writer, may_still_run};
use crate::{EngineState, Freeze, World};
use pierhead_model::{
    App, Assignment, ContainerState, Duty, Exit, Failure, FailureKind, HealthStatus, MemberName, ObservedContainer,
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
    /// Whether it has ended and needs room on its host to run once more.
    pub needs_room: bool,
    /// What it waits for, in words.
    pub waits_for: Option<String>,
}

/// What is looked at to decide on a slot.
pub(crate) struct SlotView<'a> {
    pub world: &'a World,
    pub app: &'a App,
    pub intent: &'a SlotIntent,
    pub assignment: &'a Assignment,
    /// Hosts that nothing is moved off.
    pub freeze: Option<&'a Freeze>,
    pub now: Timestamp,
}

/// The containers of a slot's present generation, by member.
pub(crate) type Current<'a> = BTreeMap<&'a MemberName, &'a ObservedContainer>;

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
    let mut current = view.world.current(view.assignment);
    // One that is being removed is as good as gone: a removal may take for ever.
    current.retain(|_, container| !matches!(container.state, ContainerState::Removing | ContainerState::Dead));
    match view.intent.wish {
        SlotWish::Stopped => stop(view, &current),
        SlotWish::Running => run(view, &current),
    }
}

impl SlotView<'_> {
    fn wants_to_run(&self) -> bool {
        self.intent.wish == SlotWish::Running && !is_finished_job(self)
    }

    fn restart_asked(&self) -> bool {
        self.assignment.restarts_done < self.intent.restarts
    }

    fn action(&self, step: Step) -> Action {
        let slot = Some((self.assignment.key(), self.assignment.generation));
        Action { engine: self.assignment.engine.clone(), slot, step, then: None }
    }

    /// The container of the group's first member.
    fn main<'c>(&self, current: &Current<'c>) -> Option<&'c ObservedContainer> {
        self.app.members.first().and_then(|member| current.get(&member.name)).copied()
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
    if !view.wants_to_run() {
        let runs = view.world.current(view.assignment).values().any(|container| container.state.is_running());
        let stops = view.intent.wish == SlotWish::Stopped && runs;
        return if stops {
            SlotStep::waits(format!("is stopped as soon as host {id} answers"))
        } else {
            SlotStep::default()
        };
    }
    match health.status {
        HealthStatus::Healthy => SlotStep::waits(format!("waits until it is known what runs on host {id}")),
        HealthStatus::Pending => SlotStep::waits(format!("waits for the first answer of host {id}")),
        HealthStatus::Suspect => {
            SlotStep::waits(format!("waits for host {id}, which did not answer lately: {}", health.reason))
        }
        HealthStatus::Down => {
            if let Some(freeze) = view.freeze.filter(|freeze| freeze.hosts.contains(id)) {
                return SlotStep::waits(freeze.of_slot(id));
            }
            let left = view.world.policy.grace_ms.saturating_sub(view.now.since(health.since));
            match left {
                0 => SlotStep::needs_host(),
                left => {
                    let (reason, seconds) = (&health.reason, in_seconds(left));
                    SlotStep::waits(format!("host {id} is down: {reason}; goes to another host in {seconds}"))
                }
            }
        }
    }
}

/// A time to wait, in words.
pub(crate) fn in_seconds(milliseconds: u64) -> String {
    format!("{} s", milliseconds.div_ceil(1000))
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
    if is_finished_job(view) {
        return finish(view, current);
    }
    if starts_elsewhere(view, current) {
        return SlotStep::needs_host();
    }
    if assignment.version != view.app.version {
        if !is_up(view.app, current) {
            return retire(view, current);
        }
        let step = note_up(view, current);
        return if step.write.is_some() { step } else { SlotStep::waits("waits for its turn to be replaced") };
    }
    if current.len() == view.app.members.len() {
        return keep_running(view, current);
    }
    if current.is_empty() && assignment.containers.is_empty() {
        return create(view);
    }
    // Something was removed behind our back.
    if view.now < assignment.not_before {
        let seconds = in_seconds(assignment.not_before.since(view.now));
        return SlotStep::waits(format!("was removed from its host again and again; is made anew in {seconds}"));
    }
    let mut step = retire(view, current);
    step.write = step.needs_host.then(|| after_exit(assignment, view.now, &view.world.policy));
    step
}

fn is_finished_job(view: &SlotView<'_>) -> bool {
    view.assignment.exit.is_some() && !view.restart_asked()
}

/// Whether a slot that does not run and shall, does so on another host: its own one takes nothing that runs anew.
fn starts_elsewhere(view: &SlotView<'_>, current: &Current<'_>) -> bool {
    let duty = view.world.engines().get(&view.assignment.engine).map(|engine| engine.record.duty);
    let has_left = match duty {
        Some(Duty::Drained) => true,
        Some(Duty::Cordoned) => view.assignment.exit.is_some(),
        Some(Duty::InService) | None => false,
    };
    has_left && view.restart_asked() && !current.values().any(|container| container.state.is_running())
}

/// Whether all containers of a slot that shall run are as they should be: they run, or have ended as helpers of the
/// first may.
pub(crate) fn is_up(app: &App, current: &Current<'_>) -> bool {
    let main = app.members.first();
    let policy = main.map_or(RestartPolicy::Always, |main| main.spec.restart);
    let has_done_its_part = |container: &ObservedContainer| match policy {
        RestartPolicy::Always => false,
        RestartPolicy::OnFailure { .. } => container.exit_code == Some(0),
        RestartPolicy::No => true,
    };
    current.len() == app.members.len()
        && current.iter().all(|(name, container)| match container.state {
            ContainerState::Running => true,
            ContainerState::Exited => main.is_some_and(|main| main.name != **name) && has_done_its_part(container),
            _ => false,
        })
}

/// The slot has ended: nobody needs the helpers of its first member any more.
fn finish(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    if view.main(current).is_some_and(|main| main.state.is_running()) {
        return SlotStep::default();
    }
    stop(view, current)
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
    if view.restart_asked() && view.assignment.exit.is_some() {
        return SlotStep { needs_room: true, ..SlotStep::default() };
    }
    if view.restart_asked() {
        return restart(view, current);
    }
    if let Some(step) = revive(view, current) {
        return step;
    }
    let assignment = view.assignment;
    let troubled = assignment.retries > 0 || !assignment.attempts.is_empty();
    if troubled && view.now >= assignment.not_before.plus(view.world.policy.settle_ms) {
        return SlotStep::writes(Assignment { retries: 0, attempts: Vec::new(), ..assignment.clone() });
    }
    note_up(view, current)
}

/// Remembers since when the slot runs, and lets go of its former containers once it has run for long enough.
fn note_up(view: &SlotView<'_>, current: &Current<'_>) -> SlotStep {
    let mut next = view.assignment.clone();
    let ids: BTreeMap<_, _> = current.iter().map(|(member, c)| ((*member).clone(), c.id.clone())).collect();
    if !ids.is_empty() {
        next.containers = ids;
    }
    if is_up(view.app, current) {
        let seen = view.world.seen_until(view.assignment, view.now);
        if next.up_since.is_none() || !is_same_life(&next, current) {
            next.up_since = Some(seen);
        }
        next.started_at = last_start(current).or(next.started_at);
        if has_run_for(&next, seen, view.world.policy.proven_ms) {
            next.fallback = None;
        }
    }
    if next == *view.assignment { SlotStep::default() } else { SlotStep::writes(next) }
}

/// When the last of the containers was started, by its host's clock, where that is known.
fn last_start(current: &Current<'_>) -> Option<Timestamp> {
    current.values().filter_map(|container| container.started_at).max()
}

/// Whether the containers are in the life that was seen last: one that its engine restarts is seen to run every time that
/// it is looked at, and has never run for long.
fn is_same_life(assignment: &Assignment, current: &Current<'_>) -> bool {
    last_start(current).is_none_or(|started| assignment.started_at == Some(started))
}

fn has_run_for(assignment: &Assignment, seen: Timestamp, milliseconds: u64) -> bool {
    assignment.up_since.is_some_and(|since| seen.since(since) >= milliseconds)
}

/// Whether all containers of a slot were seen to run, and for so long without an end in between.
pub(crate) fn has_run(world: &World, app: &App, assignment: &Assignment, now: Timestamp, milliseconds: u64) -> bool {
    let current = world.current(assignment);
    is_up(app, &current)
        && is_same_life(assignment, &current)
        && has_run_for(assignment, world.seen_until(assignment, now), milliseconds)
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
        up_since: None,
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

/// What is to be done if some containers do not run that should.
fn revive(view: &SlotView<'_>, current: &Current<'_>) -> Option<SlotStep> {
    let created: Vec<_> = current.values().filter(|c| c.state == ContainerState::Created).collect();
    if !created.is_empty() {
        let actions = created.into_iter().map(|c| view.action(Step::Start(c.id.clone()))).collect();
        return Some(SlotStep { actions, ..SlotStep::default() });
    }
    if let Some(step) = resume(view, current) {
        return Some(step);
    }
    if let Some(step) = after_an_exit(view, current) {
        return Some(step);
    }
    let restarting = current.values().find(|c| c.state == ContainerState::Restarting)?;
    Some(if restarting.restart_count < view.world.policy.exits_before_move {
        let ended = view.assignment.up_since.map(|_| Assignment { up_since: None, ..view.assignment.clone() });
        let reason = format!("exits and is restarted by its engine ({})", exit_words(restarting));
        SlotStep { write: ended, ..SlotStep::waits(reason) }
    } else {
        keeps_exiting(view, restarting)
    })
}

/// What was paused behind our back does not serve; it is restarted unless somebody lets it go on before.
fn resume(view: &SlotView<'_>, current: &Current<'_>) -> Option<SlotStep> {
    let paused: Vec<_> = current.values().filter(|c| c.state == ContainerState::Paused).collect();
    let assignment = view.assignment;
    if paused.is_empty() {
        return None;
    }
    if assignment.up_since.is_some() {
        let not_before = view.now.plus(view.world.policy.paused_ms);
        return Some(SlotStep::writes(Assignment { up_since: None, not_before, ..assignment.clone() }));
    }
    if view.now < assignment.not_before {
        let seconds = in_seconds(assignment.not_before.since(view.now));
        return Some(SlotStep::waits(format!("was paused on host {}; is restarted in {seconds}", assignment.engine)));
    }
    let actions = paused.into_iter().map(|c| view.action(Step::Restart(c.id.clone()))).collect();
    Some(SlotStep { actions, ..SlotStep::default() })
}

/// What is to be done about containers that have exited, if anything.
fn after_an_exit(view: &SlotView<'_>, current: &Current<'_>) -> Option<SlotStep> {
    let assignment = view.assignment;
    let main = view.main(current).filter(|main| main.state == ContainerState::Exited);
    let exited = current.values().copied().filter(|container| container.state == ContainerState::Exited);
    let failed: Vec<_> = match view.restart_policy() {
        RestartPolicy::Always => exited.collect(),
        RestartPolicy::OnFailure { .. } => exited.filter(|container| container.exit_code != Some(0)).collect(),
        RestartPolicy::No => Vec::new(),
    };
    let is_used_up = matches!(view.restart_policy(), RestartPolicy::OnFailure { maximum_retry_count: most }
        if most > 0 && assignment.retries >= most);
    let first_failed = failed.first().copied();
    let over = match (main, first_failed) {
        (_, Some(container)) if is_used_up => Some(main.unwrap_or(container)),
        (Some(main), _) if !failed.iter().any(|container| container.id == main.id) => Some(main),
        _ => None,
    };
    if let Some(container) = over {
        let exit = Some(Exit { code: container.exit_code.unwrap_or(0), at: view.now });
        return Some(SlotStep::writes(Assignment { exit, ..assignment.clone() }));
    }
    let container = first_failed?;
    if view.now < assignment.not_before {
        let seconds = in_seconds(assignment.not_before.since(view.now));
        return Some(SlotStep::waits(format!("exited ({}); is started again in {seconds}", exit_words(container))));
    }
    let exits = assignment.retries;
    if exits > 0 && exits.is_multiple_of(view.world.policy.exits_before_move) {
        return Some(keeps_exiting(view, container));
    }
    Some(SlotStep {
        write: Some(after_exit(assignment, view.now, &view.world.policy)),
        actions: failed.into_iter().map(|c| view.action(Step::Start(c.id.clone()))).collect(),
        ..SlotStep::default()
    })
}

/// It is given up on this host; why it exits is read from its log before it goes.
fn keeps_exiting(view: &SlotView<'_>, container: &ObservedContainer) -> SlotStep {
    let message = format!("keeps exiting on host {} ({})", view.assignment.engine, exit_words(container));
    let failure = Failure::new(FailureKind::Exited, message);
    let then = Some(after_failure(view.assignment, failure, view.now, &view.world.policy));
    let action = Action { then, ..view.action(Step::ReadLog(container.id.clone())) };
    SlotStep { actions: vec![action], ..SlotStep::default() }
}

/// How a container exited, in words.
pub(crate) fn exit_words(container: &ObservedContainer) -> String {
    match container.exit_code {
        Some(137) => "exit code 137: killed, often because it used more memory than its limit".to_owned(),
        Some(code) => format!("exit code {code}"),
        None => "exit code unknown".to_owned(),
    }
}

/// What serves and can't be there at the same time goes, but not before the new images are on their host.
fn make_way(view: &SlotView<'_>) -> Option<SlotStep> {
    let assignment = view.assignment;
    let has_one_writer = has_one_writer(view.app, assignment);
    let fallback = assignment.fallback.as_deref().filter(|fallback| fallback.goes_first || has_one_writer)?;
    let former = &fallback.assignment;
    let mut left = view.world.current(former);
    left.retain(|_, container| !matches!(container.state, ContainerState::Removing | ContainerState::Dead));
    let engine = view.world.engines().get(&former.engine);
    if has_one_writer && (left.is_empty() || !engine.is_some_and(EngineState::is_usable)) {
        return may_still_run(view.world, former, view.now).map(SlotStep::waits);
    }
    let engine = engine?;
    if left.is_empty() || engine.health.status == HealthStatus::Down {
        return None;
    }
    if !assignment.has_images {
        let images = view.app.members.iter().map(|member| member.spec.image.clone()).collect();
        let then = Some(Assignment { has_images: true, ..assignment.clone() });
        let pull = Action { then, ..view.action(Step::Pull(images)) };
        return Some(SlotStep { actions: vec![pull], ..SlotStep::default() });
    }
    let away = |c: &&ObservedContainer| {
        // What writes is asked to stop, and has its time for it.
        let stops = has_one_writer && c.state.is_running();
        let step = if stops { Step::Stop(c.id.clone()) } else { Step::Remove(c.id.clone()) };
        Action { engine: former.engine.clone(), ..view.action(step) }
    };
    Some(SlotStep { actions: left.values().map(away).collect(), ..SlotStep::default() })
}

fn labels(view: &SlotView<'_>, owner: &Ownership) -> BTreeMap<String, String> {
    let mut labels = owner.labels(&view.world.cluster, view.assignment.app_name.as_str());
    if view.app.has_one_writer() {
        labels.insert(Ownership::SINGLE_WRITER.to_owned(), "true".to_owned());
    }
    labels
}

/// The intent is written; now make it so.
fn create(view: &SlotView<'_>) -> SlotStep {
    if let Some(step) = make_way(view) {
        return step;
    }
    let assignment = view.assignment;
    let request = slot_request(view.app, assignment.slot, assignment.generation);
    if !view.world.ledger().has_links(&assignment.engine, &request) {
        return SlotStep::needs_host();
    }
    let operation = view.intent.added_by.as_ref().and_then(|id| view.world.operations().get(id));
    let containers = view.app.members.iter().enumerate().map(|(at, member)| {
        let owner =
            Ownership { slot: assignment.key(), generation: assignment.generation, member: member.name.clone() };
        NewContainer {
            member: member.name.clone(),
            name: assignment.container_name(&member.name, at == 0),
            spec: member.spec.clone(),
            ports: assignment.ports.get(&member.name).cloned().unwrap_or_default(),
            labels: labels(view, &owner),
            // Nobody may start what must not run twice but this loop, under a lease.
            engine_restarts: view.restart_policy() == RestartPolicy::Always && !view.app.has_one_writer(),
        }
    });
    let pull = operation.is_some_and(|operation| operation.pull);
    let step = Step::Create { containers: containers.collect(), pull };
    // What is made now need not be restarted for those who asked before.
    let then = view.restart_asked().then(|| Assignment { restarts_done: view.intent.restarts, ..assignment.clone() });
    SlotStep { actions: vec![Action { then, ..view.action(step) }], ..SlotStep::default() }
}
