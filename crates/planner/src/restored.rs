//! Records that were restored from a backup: older than what the hosts run. Until somebody says that all is well, what
//! runs counts more than the records: it is written into them where they have a place for it and kept where they have
//! none. Nothing is made, as a copy may run where it is not seen yet, and what is unknown is never removed.

use crate::plan::{Action, Plan, RecordWrite, Step};
use crate::slot::is_up;
use crate::writer::has_one_writer;
use crate::{AppWrite, EngineState, Placed, World};
use pierhead_model::{
    App, Assignment, ContainerId, EngineId, Generation, HostPort, MemberName, ObservedContainer, OperationState,
    Ownership, SlotKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a slot waits for of which nothing is seen to run.
pub(crate) const WAITS: &str = "the records were restored from a backup and nothing of it is seen to run; it is made when \
     all hosts have joined that shall, and an administrator says so with 'pierhead cluster settle'";

/// Where a slot runs that the records have elsewhere or nowhere.
pub(crate) struct NewerPlace {
    pub placed: Placed,
    pub generation: Generation,
    pub containers: BTreeMap<MemberName, ContainerId>,
}

/// The newest generation of a slot that runs well, if the records know an earlier one or none.
pub(crate) fn newer_place(
    world: &World,
    app: &App,
    key: &SlotKey,
    assignment: Option<&Assignment>,
) -> Option<NewerPlace> {
    let known = assignment.map(|known| known.generation.max(known.newest_generation));
    let made = world.containers_of(key).filter(|(engine, _)| engine.is_usable());
    let places: BTreeSet<(Generation, &EngineId)> = made
        .filter_map(|(engine, container)| Some((Ownership::read(&container.labels)?.generation, &engine.record.id)))
        .filter(|(generation, _)| known.is_none_or(|known| *generation > known))
        .collect();
    places.into_iter().rev().find_map(|(generation, engine)| {
        let group: BTreeMap<MemberName, &ObservedContainer> = world
            .containers_of(key)
            .filter(|(on, _)| on.record.id == *engine)
            .filter_map(|(_, container)| Some((Ownership::read(&container.labels)?, container)))
            .filter(|(owner, _)| owner.generation == generation)
            .map(|(owner, container)| (owner.member, container))
            .collect();
        if !is_up(app, &group.iter().map(|(member, container)| (member, *container)).collect()) {
            return None;
        }
        let ports = group.iter().map(|(member, container)| (member.clone(), ports_of(app, member, container)));
        let ports = ports.filter(|(_, ports)| !ports.is_empty()).collect();
        let placed = Placed { engine: engine.clone(), score: 0.0, ports };
        let containers = group.into_iter().map(|(member, container)| (member, container.id.clone())).collect();
        Some(NewerPlace { placed, generation, containers })
    })
}

/// The ports of a container in the order in which its description asks for them.
fn ports_of(app: &App, member: &MemberName, container: &ObservedContainer) -> Vec<HostPort> {
    let asked = app.members.iter().filter(|described| described.name == *member).flat_map(|found| &found.spec.ports);
    let place = |port: &HostPort| asked.clone().position(|asked| asked.container_port == port.container_port);
    let mut ports = container.ports.clone();
    ports.sort_by_key(|port| place(port).unwrap_or(usize::MAX));
    ports
}

/// Whether a step has to wait: what it makes or removes, and what it starts of an app of which no second copy may run.
pub(crate) fn waits(app: &App, assignment: &Assignment, actions: &[Action]) -> bool {
    actions.iter().any(|action| match action.step {
        Step::Create { .. } | Step::Pull(_) | Step::Remove(_) | Step::Restart(_) => true,
        Step::Start(_) => has_one_writer(app, assignment),
        Step::Stop(_) | Step::ReadLog(_) => false,
    })
}

/// Leaves out of a plan what ends an operation otherwise than well: its time was over when nobody worked on it, and what
/// it would take back may run.
pub(crate) fn keep_open(plan: &mut Plan) {
    plan.writes.retain(|write| match write {
        RecordWrite::Progress { operation, app } => {
            let ends_well = matches!(operation.ending, None | Some(OperationState::Done))
                && matches!(operation.state, OperationState::Running | OperationState::Done);
            ends_well && (operation.state == OperationState::Done || matches!(app, AppWrite::Keep))
        }
        RecordWrite::Assign(_) | RecordWrite::Release(_) => true,
    });
}

/// The containers that bear the pool's labels and are nothing that its records want.
pub fn unknown_to_records(world: &World) -> impl Iterator<Item = (&EngineState, &ObservedContainer)> {
    world.labelled().filter_map(|(key, engine, container)| {
        let is_wanted = world.apps().get(&key.app).is_some_and(|app| app.slots.contains_key(&key.slot));
        let id = &engine.record.id;
        let is_known = is_wanted && (world.is_current(id, container) || world.is_fallback(id, container));
        (!is_known).then_some((engine, container))
    })
}
