//! What was made for workspaces and shall not be there: older copies, and what has no record.

use super::{Draft, WorkspaceAction, WorkspaceStep};
use pierhead_model::{ContainerId, EngineId, Generation, Timestamp, Workspace, WorkspaceId, WorkspaceOwnership};
use std::collections::BTreeMap;

/// What of one workspace's generation is on one host.
type Found = BTreeMap<(EngineId, WorkspaceId, Generation), (Vec<ContainerId>, Timestamp)>;

/// Adds the steps that remove what shall not be there. An older copy goes at once: what was worth keeping of it is a place
/// of its workspace. What has no record goes after a grace time, as a controller may not know everything yet.
pub(super) fn remove_surplus(draft: &mut Draft<'_>) {
    for ((engine, workspace, generation), (containers, newest)) in found(draft) {
        let assignment = draft.world.workspace_assignments().get(&workspace);
        if assignment.is_some_and(|assignment| assignment.place_of(&engine, generation).is_some()) {
            continue;
        }
        let is_older = assignment.is_some_and(|assignment| generation <= assignment.newest_generation);
        // A host whose clock is ahead must not keep its orphans for ever.
        let since = if newest <= draft.now { newest } else { draft.world.since };
        let age = draft.now.since(since.max(draft.world.since));
        if !is_older && age < draft.world.policy.orphan_grace_ms {
            continue;
        }
        let network = Workspace::network_name(&workspace);
        // The network of the present place bears the same name.
        let is_shared = assignment.is_some_and(|assignment| {
            assignment.place.iter().chain(&assignment.left).any(|place| place.engine == engine)
        });
        let network = if is_shared { String::new() } else { network };
        let step = WorkspaceStep::Remove { containers, network };
        draft.plan.actions.push(WorkspaceAction { engine, workspace, generation, step });
    }
}

fn found(draft: &Draft<'_>) -> Found {
    let mut found = Found::new();
    for (workspace, generation, engine, container) in draft.world.made_for_workspaces() {
        if !engine.is_usable() {
            continue;
        }
        let key = (engine.record.id.clone(), workspace.clone(), generation);
        let entry = found.entry(key).or_insert_with(|| (Vec::new(), Timestamp(0)));
        entry.0.push(container.id.clone());
        entry.1 = entry.1.max(container.created_at);
    }
    for (id, engine) in draft.world.engines().iter().filter(|(_, engine)| engine.is_usable()) {
        for network in draft.world.networks(id).filter(|network| network.belongs_to(&draft.world.cluster)) {
            let Some(of) = WorkspaceOwnership::read(&network.labels) else { continue };
            let key = (engine.record.id.clone(), of.workspace, of.generation);
            let entry = found.entry(key).or_insert_with(|| (Vec::new(), Timestamp(0)));
            entry.1 = entry.1.max(network.created_at);
        }
    }
    found
}
