//! Workspaces that are started ahead: which are missing, when the next is started, and which are too many.

use super::Draft;
use super::placing::request_of;
use crate::{Ledger, World};
use pierhead_model::{Environment, EnvironmentId, Timestamp, Workspace, WorkspaceId, WorkspaceStage, WorkspaceWish};
use std::collections::{BTreeMap, BTreeSet};

/// For how many times the quiet that is waited for people may keep the next from being started.
const MOST_QUIETS: u64 = 5;

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

/// What is to be made up for.
#[derive(Default)]
pub(super) struct Refill {
    /// The environment of which one more is to be started now.
    pub now: Option<EnvironmentId>,
    /// Whether more are to be when some time has passed.
    pub later: bool,
}

/// The environment of which one more is to be started ahead. People and what they work in come first: nothing is started
/// while somebody waits or has just come, while one of the environment fails, or where there is no room; and never more
/// at a time, or more often, than the hosts bear beside their work.
pub(super) fn refill(draft: &Draft<'_>, ledger: &Ledger, is_somebody_waiting: bool) -> Refill {
    let (world, now) = (draft.world, draft.now);
    let warm = waiting_for_people(world);
    let lacking = lacking(draft, &warm);
    if lacking.is_empty() {
        return Refill::default();
    }
    let usable = world.engines().values().filter(|engine| engine.is_usable() && engine.record.agent.is_some()).count();
    let is_on_its_way = |workspace: &&&Workspace| !is_ready(world, workspace) && !is_over(world, workspace);
    let on_their_way = warm.values().flatten().filter(is_on_its_way).count();
    let newest = warm.values().flatten().map(|workspace| workspace.created_at).max().unwrap_or_default();
    let every_ms = world.policy.warm_every_ms / (usable.max(1) as u64);
    let is_too_soon = now.since(newest) < every_ms || !is_calm(world, now);
    if is_somebody_waiting || is_too_soon || on_their_way >= usable {
        return Refill { now: None, later: usable > 0 };
    }
    let fits = |environment: &&&Environment| ledger.place(&request_of(&environment.spec, 0)).is_ok();
    let next = lacking.iter().find(fits).map(|environment| environment.id.clone());
    Refill { later: next.is_some(), now: next }
}

/// The environments of which there are fewer than wanted, those that lack the most first. One that fails is left alone
/// until it does not.
fn lacking<'a>(draft: &Draft<'a>, warm: &BTreeMap<&EnvironmentId, Vec<&Workspace>>) -> Vec<&'a Environment> {
    let world = draft.world;
    let mut lacking: Vec<(u64, &Environment)> = Vec::new();
    for environment in world.environments().values() {
        let list = warm.get(&environment.id).map(Vec::as_slice).unwrap_or_default();
        let wanted = u64::from(environment.spec.warm);
        let current = || list.iter().filter(|workspace| !draft.surplus.contains(&workspace.id));
        let have = current().count() as u64;
        let fails = |workspace: &&Workspace| {
            let assignment = world.workspace_assignments().get(&workspace.id);
            let has_failed = assignment.is_some_and(|found| found.failures > 0) && !is_ready(world, workspace);
            has_failed || is_over(world, workspace)
        };
        if have < wanted && !current().any(fails) {
            lacking.push((have * 1000 / wanted, environment));
        }
    }
    lacking.sort_by_key(|(share, environment)| (*share, &environment.id));
    lacking.into_iter().map(|(_, environment)| environment).collect()
}

fn is_ready(world: &World, workspace: &Workspace) -> bool {
    let assignment = world.workspace_assignments().get(&workspace.id);
    assignment.is_some_and(|assignment| assignment.stage == WorkspaceStage::Ready)
}

fn is_over(world: &World, workspace: &Workspace) -> bool {
    let assignment = world.workspace_assignments().get(&workspace.id);
    assignment.is_some_and(|assignment| matches!(assignment.stage, WorkspaceStage::Over { .. }))
}

/// Whether nobody has asked for a workspace lately, or people have been coming one after another for so long that there is
/// no end of it to wait for.
fn is_calm(world: &World, now: Timestamp) -> bool {
    let quiet_ms = world.policy.warm_quiet_ms;
    // Whether they have left since or not.
    let somebodys = world.workspaces().values().filter(|workspace| workspace.wish != WorkspaceWish::Warm);
    let mut asked: Vec<Timestamp> = somebodys.map(|workspace| workspace.asked_at).collect();
    asked.sort_unstable();
    // When the first of those came after whom there was no quiet.
    let (mut first, mut next) = (None, now);
    while let Some(before) = asked.pop().filter(|before| next.since(*before) < quiet_ms) {
        (first, next) = (Some(before), before);
    }
    first.is_none_or(|first| now.since(first) >= quiet_ms.saturating_mul(MOST_QUIETS))
}
