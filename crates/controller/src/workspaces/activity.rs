//! What is active in workspaces: keystrokes and output of their terminals, and CPU. It is noted for the planner, which
//! decides what follows.

use crate::Controller;
use pierhead_model::{ContainerId, TerminalId, Workspace, WorkspaceId, WorkspaceOwnership};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(10);
/// From which share of a core on a container is active.
const BUSY_CORES: f64 = 0.05;

/// Notes what is active, for ever.
pub(crate) async fn watch_activity(controller: Controller) {
    let mut printed: BTreeMap<TerminalId, u64> = BTreeMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let containers = containers(&controller);
        if containers.is_empty() {
            printed.clear();
            continue;
        }
        let mut active: BTreeSet<WorkspaceId> = typed(&controller, &containers, &mut printed);
        let busy = controller.statistics().containers;
        let busy = busy.iter().filter(|container| container.figures.cpu_cores >= BUSY_CORES);
        active.extend(busy.filter_map(|container| containers.get(&container.id).cloned()));
        let now = controller.clock.now();
        controller.shared.change_quietly(|known| active.iter().for_each(|id| known.world.note_activity(id, now)));
    }
}

/// The containers of workspaces that people have.
fn containers(controller: &Controller) -> BTreeMap<ContainerId, WorkspaceId> {
    let known = controller.known();
    let cluster = &known.world.cluster;
    let all = known.world.engines().values().flat_map(|engine| engine.containers.values());
    let of = |container: &pierhead_model::ObservedContainer| {
        let of = WorkspaceOwnership::read(&container.labels).filter(|_| container.belongs_to(cluster))?;
        known.world.workspaces().get(&of.workspace).filter(|workspace| Workspace::wants_to_run(workspace))?;
        Some((container.id.clone(), of.workspace))
    };
    all.filter_map(of).collect()
}

/// The workspaces in whose terminals something came or went since the last look: what people type is echoed, or
/// answered.
fn typed(
    controller: &Controller,
    containers: &BTreeMap<ContainerId, WorkspaceId>,
    printed: &mut BTreeMap<TerminalId, u64>,
) -> BTreeSet<WorkspaceId> {
    let terminals: Vec<_> = controller.known().terminals.values().cloned().collect();
    let mut active = BTreeSet::new();
    let mut seen = BTreeMap::new();
    for record in terminals.into_iter().filter(|record| record.end().is_none()) {
        let Some(workspace) = containers.get(&record.container) else { continue };
        let Some(view) = controller.terminal_now(record.clone()).view else { continue };
        if printed.get(&record.id) != Some(&view.printed) {
            active.insert(workspace.clone());
        }
        seen.insert(record.id.clone(), view.printed);
    }
    *printed = seen;
    active
}
