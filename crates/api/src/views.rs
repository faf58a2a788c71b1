//! The world as it is shown: every view in one place, with what only an owner may see left out for others.

mod agent;
mod attempt;
mod course;
mod coursework;
mod event;
mod explain;
mod file;
mod lab;
mod recording;
mod rows;
mod save;
mod stats;
mod terminal;
mod usage;
mod wall;
mod workspace;

pub(crate) use attempt::{attempt, lab_run};
pub(crate) use course::{ahead as course_ahead, course, roster, students};
pub(crate) use coursework::{gradebook_csv, gradebook_row, result, submission, work};
pub(crate) use event::event;
pub(crate) use explain::{explain_app, explain_request, explain_slot};
pub(crate) use file::{file, folder};
pub(crate) use lab::{
    image_table, lab_difference, lab_file, lab_images, lab_import, lab_outline, lab_page, lab_problem, no_lab_page,
};
pub(crate) use recording::{consent, deleted_recording, recording};
pub(crate) use rows::Rows;
pub(crate) use save::{save, save_changes};
pub(crate) use stats::{statistics, statistics_history};
pub(crate) use terminal::{terminal, viewer};
pub(crate) use usage::{usage, usage_csv};
pub(crate) use wall::{hand, message, wall_person};
pub(crate) use workspace::{environment, workspace};

use crate::identity::Caller;
use pierhead_controller::{ControllerState, PoolUsage};
use pierhead_model::{
    App, Duty, EngineId, HealthStatus, Move, ObservedContainer, Operation, Ownership, Permission, Resources, Slot,
    SlotKey, SlotWish, Timestamp,
};
use pierhead_planner::{EngineState, HostScore, Rebalance, SlotPhase, Survival, World, about_one_writer, slot_status};
use pierhead_wire::{
    AppView, ClusterInfo, ContainerView, ControllerView, EngineOfContainer, EngineView, HealthView, HomelessView,
    ImageDescription, MoveView, OperationView, PortDescription, RebalanceView, RestoredView, ScoreView, SilentEngine,
    SlotView, SurvivalView, UnknownContainer, format_timestamp,
};

/// An engine.
pub(crate) fn engine(world: &World, state: &EngineState, now: Timestamp) -> EngineView {
    let facts = state.facts.clone().unwrap_or_default();
    // It answers, and tells what it is a moment later: until then nobody could use it.
    let status = match state.health.status {
        _ if state.record.waits_for_approval() => "waiting",
        HealthStatus::Healthy if state.facts.is_none() => HealthStatus::Pending.as_str(),
        status => status.as_str(),
    };
    let allocatable = state.record.allocatable(&facts);
    let reserved = world.ledger().reserved(&state.record.id);
    EngineView {
        id: state.record.id.to_string(),
        addr: state.record.addr.clone(),
        cpus: allocatable.cpus(),
        memory: allocatable.memory_mb as f64,
        labels: state.labels().into_iter().collect(),
        health: HealthView {
            status: status.to_owned(),
            response_time: state.health.response_time_ms,
            reason: reason(state, now),
            since: format_timestamp(state.health.since.max(state.record.added_at)),
        },
        duty: duty(world, state).to_owned(),
        docker_version: facts.version,
        reserved_cpus: reserved.cpus(),
        reserved_memory: reserved.memory_mb as f64,
        container_count: state.containers.values().filter(|container| container.state.is_running()).count() as u64,
        image_count: facts.images,
        api_version: facts.api_version,
        operating_system: facts.operating_system,
        kernel: facts.kernel,
        storage_driver: facts.storage_driver,
        lacks: facts.lacks,
        agent: state.record.agent.as_ref().map(|keys| agent::agent(keys, state.host.as_ref())),
    }
}

/// Why it is not used as it is, in words.
fn reason(state: &EngineState, now: Timestamp) -> String {
    if state.record.waits_for_approval() {
        return format!("for approval, by: pierhead engine approve {}", state.record.id);
    }
    let keys = state.record.agent.as_ref().filter(|_| state.health.status != HealthStatus::Healthy);
    if let Some(keys) = keys
        && agent::has_expired(keys, now)
    {
        return "its agent's certificate has expired; it has to join again with a new token".to_owned();
    }
    state.why_unused().unwrap_or_else(|| state.health.reason.clone())
}

/// What a host is for: it is being drained as long as an operation is at it, and drained then.
fn duty(world: &World, state: &EngineState) -> &'static str {
    let drains = |operation: &Operation| {
        let relocation = operation.relocation.as_ref();
        relocation.is_some_and(|relocation| relocation.drained.as_ref() == Some(&state.record.id))
    };
    match state.record.duty {
        Duty::InService => "in_service",
        Duty::Cordoned => "cordoned",
        Duty::Drained if world.operations().values().any(drains) => "draining",
        // A drain that was called off or failed leaves it cordoned.
        Duty::Drained
            if world.assignments().values().any(|slot| slot.engine == state.record.id && slot.exit.is_none()) =>
        {
            "cordoned"
        }
        Duty::Drained => "drained",
    }
}

/// What would become of what runs on a host if it were lost.
pub(crate) fn controller(state: &ControllerState) -> ControllerView {
    ControllerView {
        id: state.id.clone(),
        url: state.addresses.url.clone(),
        leader: state.leads,
        since: format_timestamp(state.since),
        lag: state.lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
        stale: state.stale.map(|stale| stale.as_secs()),
    }
}

pub(crate) fn survival(engine: &str, survival: &Survival) -> SurvivalView {
    let homeless = survival.homeless.iter().map(|slot| HomelessView {
        app: slot.app.to_string(),
        slot: slot.key.slot.0,
        reason: slot.reason.clone(),
    });
    SurvivalView {
        engine: engine.to_owned(),
        survives: survival.homeless.is_empty(),
        slots: survival.slots as u64,
        moves: moves(&survival.moves),
        homeless: homeless.collect(),
    }
}

/// Moves that even out the load of the hosts.
pub(crate) fn rebalance(plan: &Rebalance) -> RebalanceView {
    let score = |host: &HostScore| ScoreView { id: host.engine.to_string(), before: host.before, after: host.after };
    RebalanceView {
        moves: moves(&plan.moves),
        engines: plan.scores.iter().map(score).collect(),
        least_gain: Rebalance::LEAST_GAIN,
        left_out_gain: plan.left,
    }
}

/// Moves, as people agree on them.
pub(crate) fn moves(moves: &[Move]) -> Vec<MoveView> {
    let view = |moved: &Move| MoveView {
        app: moved.app_name.to_string(),
        slot: moved.key.slot.0,
        from: moved.from.to_string(),
        to: moved.to.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    moves.iter().map(view).collect()
}

fn restored(world: &World) -> RestoredView {
    let unknown: Vec<UnknownContainer> = pierhead_planner::unknown_to_records(world)
        .map(|(engine, container)| UnknownContainer {
            id: container.id.to_string(),
            name: container.name.clone(),
            engine: engine.record.id.to_string(),
        })
        .collect();
    let reason = format!(
        "the records were restored from a backup; until 'pierhead cluster settle' nothing is made or removed, and then \
         {} go that these records do not know",
        match unknown.len() {
            0 => "no containers".to_owned(),
            1 => "1 container".to_owned(),
            many => format!("{many} containers"),
        }
    );
    RestoredView { reason, unknown }
}

/// The pool's totals over the hosts that answer.
pub(crate) fn cluster(world: &World, usage: PoolUsage, version: &str) -> ClusterInfo {
    let mut info = ClusterInfo {
        used_cpus: usage.cpus,
        used_memory: usage.memory_mb,
        engine_count: world.engines().len() as u64,
        id: world.cluster.clone(),
        version: version.to_owned(),
        frozen: pierhead_planner::freeze(world).map(|freeze| freeze.reason()),
        restored: world.is_restored.then(|| restored(world)),
        ..ClusterInfo::default()
    };
    let (mut all, mut reserved) = (Resources::default(), Resources::default());
    for (id, state) in world.engines() {
        if let Some(reason) = state.why_unused() {
            info.silent_engines.push(SilentEngine { id: id.to_string(), reason });
            continue;
        }
        if !matches!(state.health.status, HealthStatus::Healthy | HealthStatus::Suspect) {
            let reason = if state.health.reason.is_empty() { "not reached yet" } else { &state.health.reason };
            info.silent_engines.push(SilentEngine { id: id.to_string(), reason: reason.to_owned() });
            continue;
        }
        let facts = state.facts.clone().unwrap_or_default();
        all += state.record.allocatable(&facts);
        reserved += world.ledger().reserved(id);
        info.container_count +=
            state.containers.values().filter(|container| container.state.is_running()).count() as u64;
        info.image_count += facts.images;
    }
    (info.cpus, info.memory) = (all.cpus(), all.memory_mb as f64);
    (info.reserved_cpus, info.reserved_memory) = (reserved.cpus(), reserved.memory_mb as f64);
    info
}

/// One container; `None` if its host is not in the pool.
pub(crate) fn container(
    world: &World,
    caller: &Caller,
    engine: &EngineId,
    observed: &ObservedContainer,
) -> Option<ContainerView> {
    container_for(world, engine, observed, |app| sees_all(caller, app))
}

/// One container for somebody of whom it is known whether they see everything of an app.
fn container_for(
    world: &World,
    engine: &EngineId,
    observed: &ObservedContainer,
    sees_all: impl FnOnce(&App) -> bool,
) -> Option<ContainerView> {
    let state = world.engines().get(engine)?;
    let owner = observed.belongs_to(&world.cluster).then(|| Ownership::read(&observed.labels)).flatten();
    let app = owner.as_ref().and_then(|owner| world.apps().get(&owner.slot.app));
    let spec =
        app.zip(owner.as_ref()).and_then(|(app, owner)| app.members.iter().find(|member| member.name == owner.member));
    let image = match (app, spec) {
        (Some(app), Some(member)) => ImageDescription::of(&member.spec, !sees_all(app)),
        _ => foreign_image(observed),
    };
    let host = state.record.host();
    // What a host did before it fell silent says nothing about now.
    let is_running = observed.state.is_running() && !is_down(world, engine);
    let status = if is_down(world, engine) { "unreachable" } else { observed.state.as_str() };
    Some(ContainerView {
        id: observed.id.to_string(),
        name: format!("/{}", observed.name),
        image,
        engine: engine_of_container(state),
        state: if is_running { "running" } else { "stopped" }.to_owned(),
        status: status.to_owned(),
        ports: observed.ports.iter().map(|port| PortDescription::bound(port, host)).collect(),
        app: app.map(|app| app.name.to_string()),
        slot: owner.as_ref().map(|owner| owner.slot.slot.0),
        generation: owner.as_ref().map(|owner| owner.generation.0),
        owner: world.owner_of(observed).map(|owner| owner.to_string()),
        exit_code: observed.exit_code,
        created_at: format_timestamp(observed.created_at),
    })
}

fn is_down(world: &World, engine: &EngineId) -> bool {
    world.engines().get(engine).is_none_or(|state| state.health.status == HealthStatus::Down)
}

/// Whether the caller sees an app's environment values.
fn sees_all(caller: &Caller, app: &App) -> bool {
    app.owner == caller.identity.username || caller.may(Permission::WriteAllContainers)
}

/// An operation; what a container printed that failed is for those who may read its log.
pub(crate) fn operation(caller: &Caller, operation: &Operation) -> OperationView {
    let mut view = OperationView::from(operation);
    let sees_logs = operation.actor == caller.identity.username || caller.may(Permission::WriteAllContainers);
    if let Some(error) = view.error.as_mut().filter(|_| !sees_logs) {
        error.log.clear();
    }
    view
}

/// What is known of a container that was not described to us.
fn foreign_image(observed: &ObservedContainer) -> ImageDescription {
    ImageDescription {
        name: observed.image.clone(),
        cpus: Some(observed.limits.cpus()),
        memory: Some(observed.limits.memory_mb as f64),
        ..ImageDescription::default()
    }
}

fn engine_of_container(state: &EngineState) -> EngineOfContainer {
    let facts = state.facts.clone().unwrap_or_default();
    let allocatable = state.record.allocatable(&facts);
    EngineOfContainer {
        id: state.record.id.to_string(),
        addr: state.record.addr.clone(),
        cpus: allocatable.cpus(),
        memory: allocatable.memory_mb as f64,
        labels: state.labels().into_iter().collect(),
    }
}

/// An app with its slots.
pub(crate) fn app(world: &World, caller: &Caller, app: &App, now: Timestamp) -> AppView {
    let slots: Vec<SlotView> = app.slots.keys().map(|slot| slot_view(world, app, *slot, now)).collect();
    let image = app.members.first().map(|member| ImageDescription::of(&member.spec, !sees_all(caller, app)));
    AppView {
        id: app.id.to_string(),
        name: app.name.to_string(),
        owner: app.owner.to_string(),
        image: image.unwrap_or_default(),
        replicas: u32::try_from(app.replicas()).unwrap_or(u32::MAX),
        running: u32::try_from(serving(world, app)).unwrap_or(u32::MAX),
        done: count_in(&slots, SlotPhase::Done),
        failed: count_in(&slots, SlotPhase::Failed),
        version: app.version,
        message: what_of_the_change(app),
        created_at: format_timestamp(app.created_at),
        slots,
    }
}

fn count_in(slots: &[SlotView], phase: SlotPhase) -> u32 {
    u32::try_from(slots.iter().filter(|slot| slot.state == phase.as_str()).count()).unwrap_or(u32::MAX)
}

/// How many slots do their work, be it with containers of the description before.
fn serving(world: &World, app: &App) -> usize {
    app.slots.keys().filter(|slot| slot_status(world, &SlotKey { app: app.id.clone(), slot: **slot }).serves).count()
}

fn what_of_the_change(app: &App) -> String {
    match (&app.former, &app.taken_back) {
        (Some(_), _) => "a changed description is on its way to the containers, one by one".to_owned(),
        (None, Some(reason)) => format!("the last change of the description was taken back: {reason}"),
        (None, None) => String::new(),
    }
}

fn slot_view(world: &World, app: &App, slot: Slot, now: Timestamp) -> SlotView {
    let key = SlotKey { app: app.id.clone(), slot };
    let status = slot_status(world, &key);
    let assignment = world.assignments().get(&key);
    let wish = match app.slots.get(&slot).map(|intent| intent.wish) {
        Some(SlotWish::Stopped) => "stopped",
        _ => "running",
    };
    let host = assignment
        .and_then(|assignment| world.engines().get(&assignment.engine))
        .and_then(|engine| engine.record.host());
    let main = app.members.first().map(|member| &member.name);
    let current = assignment.map(|assignment| world.current(assignment));
    let bound = current
        .as_ref()
        .zip(main)
        .and_then(|(current, main)| current.get(main))
        .map(|container| container.ports.as_slice());
    SlotView {
        slot: slot.0,
        wish: wish.to_owned(),
        state: status.phase.as_str().to_owned(),
        container: status.container.map(|id| id.to_string()),
        engine: status.engine.map(|id| id.to_string()),
        exit_code: assignment.and_then(|assignment| assignment.exit.as_ref()).map(|exit| exit.code),
        version: assignment.map(|assignment| assignment.version),
        generation: assignment.map(|assignment| assignment.generation.0),
        ports: bound.unwrap_or_default().iter().map(|port| PortDescription::bound(port, host)).collect(),
        message: if let Some(waits) = about_one_writer(world, &key, now) {
            waits
        } else if status.phase == SlotPhase::Waiting && assignment.is_none() {
            why_it_waits(world, app, slot)
        } else {
            status.message
        },
    }
}

/// Why no host takes a slot that has none.
fn why_it_waits(world: &World, app: &App, slot: Slot) -> String {
    let request = pierhead_planner::request_for(app);
    match world.ledger().place(&request) {
        Ok(_) => format!("slot {slot} is about to be placed"),
        Err(refusal) => refusal.to_string(),
    }
}
