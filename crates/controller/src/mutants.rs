//! Breakage that tests ask for, to see whether they would notice it. It exists only with the feature `mutants`, and does
//! nothing unless the variable `PIERHEAD_MUTANT` names it.

use crate::Controller;
use crate::execute::Executor;
use pierhead_model::ObservedContainer;
use pierhead_planner::{Action, Plan, RecordWrite, Step, World, plan};

fn is_chosen(mutant: &str) -> bool {
    std::env::var_os("PIERHEAD_MUTANT").is_some_and(|chosen| chosen == mutant)
}

/// `no-adoption`: containers that were made before this controller started are not recognised. A listing tells the
/// second only.
pub(crate) fn forget_earlier_containers(world: &World, listed: &mut Vec<ObservedContainer>) {
    if is_chosen("no-adoption") {
        listed.retain(|container| {
            !container.belongs_to(&world.cluster) || container.created_at.plus(1_000) > world.since
        });
    }
}

/// `hasty-detection`: a host dies of one missed beat, and this controller never asks how late it is itself.
pub(crate) fn is_hasty() -> bool {
    is_chosen("hasty-detection")
}

/// `no-fencing`: what a leader began goes on when its leadership has ended.
pub(crate) fn ignores_fences() -> bool {
    is_chosen("no-fencing")
}

/// `no-lease`: what may still run on a host that is lost is not waited for.
pub(crate) fn ignores_leases() -> bool {
    is_chosen("no-lease")
}

/// `no-intent`: containers are made before the record that assigns them is written.
pub(crate) async fn make_before_writing(controller: &Controller, executor: &Executor, planned: &Plan) {
    if !is_chosen("no-intent") {
        return;
    }
    let mut world = controller.known().world.clone();
    let mut slots = Vec::new();
    for write in &planned.writes {
        if let RecordWrite::Assign(assignment) = write
            && world.assignments().get(&assignment.key()).is_none_or(|known| known.generation != assignment.generation)
        {
            slots.push((assignment.key(), assignment.generation));
            world.set_assignment(assignment.clone());
        }
    }
    let is_new = |action: &&Action| {
        matches!(action.step, Step::Create { .. }) && action.slot.as_ref().is_some_and(|slot| slots.contains(slot))
    };
    let next = plan(&world, controller.clock.now());
    futures_util::future::join_all(next.actions.iter().filter(is_new).map(|action| executor.carry_out(action))).await;
}
