//! Workspaces that are started ahead: how many are missing, and which are too many.

use crate::World;
use pierhead_model::{EnvironmentId, Workspace, WorkspaceId, WorkspaceStage, WorkspaceWish};
use std::collections::{BTreeMap, BTreeSet};

/// Those that nobody was given yet, by environment, the oldest first.
fn waiting_for_people(world: &World) -> BTreeMap<&EnvironmentId, Vec<&Workspace>> {
    let mut warm: BTreeMap<&EnvironmentId, Vec<&Workspace>> = BTreeMap::new();
    for workspace in world.workspaces().values().filter(|workspace| workspace.wish == WorkspaceWish::Warm) {
        warm.entry(&workspace.environment).or_default().push(workspace);
    }
    warm.values_mut().for_each(|list| list.sort_by_key(|workspace| (workspace.created_at, &workspace.id)));
    warm
}

/// Those that are not wanted any more: their environment has gone, was described anew, or asks for fewer.
pub(super) fn surplus(world: &World) -> BTreeSet<WorkspaceId> {
    let mut surplus = BTreeSet::new();
    for (id, list) in waiting_for_people(world) {
        let environment = world.environments().get(id);
        let mut wanted = environment.map_or(0, |environment| environment.spec.warm as usize);
        for workspace in list {
            let is_current = environment.is_some_and(|environment| environment.version == workspace.version);
            if is_current && wanted > 0 {
                wanted -= 1;
            } else {
                surplus.insert(workspace.id.clone());
            }
        }
    }
    surplus
}

/// The environments of which one more is to be started now. Only as many are on their way at a time as there are hosts, and
/// none while one of the environment fails or was stopped, so that people and their hosts are not held up.
pub(super) fn missing(world: &World) -> Vec<EnvironmentId> {
    let warm = waiting_for_people(world);
    let surplus = surplus(world);
    let stage = |workspace: &Workspace| world.workspace_assignments().get(&workspace.id).map(|found| &found.stage);
    let is_unready =
        |workspace: &&&Workspace| !surplus.contains(&workspace.id) && stage(workspace) != Some(&WorkspaceStage::Ready);
    let is_on_its_way = |workspace: &&&Workspace| {
        is_unready(workspace) && !matches!(stage(workspace), Some(WorkspaceStage::Over { .. }))
    };
    let usable = world.engines().values().filter(|engine| engine.is_usable() && engine.record.agent.is_some()).count();
    let on_their_way = warm.values().flatten().filter(is_on_its_way).count();
    let mut free = usable.saturating_sub(on_their_way);
    let mut missing = Vec::new();
    for environment in world.environments().values() {
        let list = warm.get(&environment.id).map(Vec::as_slice).unwrap_or_default();
        let have = list.iter().filter(|workspace| !surplus.contains(&workspace.id)).count();
        let is_busy = list.iter().any(|workspace| is_unready(&workspace));
        if free > 0 && have < environment.spec.warm as usize && !is_busy {
            missing.push(environment.id.clone());
            free -= 1;
        }
    }
    missing
}
