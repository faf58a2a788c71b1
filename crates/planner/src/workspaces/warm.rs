//! Workspaces that are started ahead: which are missing, when the next is started, and which are too many.

use super::Draft;
use super::placing::request_of;
use crate::{AskedAhead, Ledger, World};
use pierhead_model::{Environment, Timestamp, Workspace, WorkspaceId, WorkspaceStage, WorkspaceWish};
use std::collections::BTreeSet;

/// For how many times the quiet that is waited for people may keep the next from being started.
const MOST_QUIETS: u64 = 5;

/// So many are wanted ahead of one description of an environment.
struct Wanted<'a> {
    environment: &'a Environment,
    count: usize,
}

impl Wanted<'_> {
    /// Whether a workspace is one of these. Descriptions without a record of their own all bear the version 0.
    fn is_of(&self, workspace: &Workspace) -> bool {
        let Self { environment, .. } = self;
        let is_same = workspace.environment == environment.id && workspace.version == environment.version;
        is_same && (environment.version > 0 || workspace.spec == environment.spec)
    }
}

/// What is wanted ahead: what each environment keeps itself, and what is asked for beyond it.
fn wanted(world: &World) -> Vec<Wanted<'_>> {
    let own = |environment| Wanted { environment, count: environment.spec.warm as usize };
    let mut all: Vec<Wanted<'_>> = world.environments().values().map(own).collect();
    for asked in world.asked_ahead() {
        let count = asked.count as usize;
        match &asked.older {
            Some(environment) => all.push(Wanted { environment, count }),
            None => {
                let of_record = all.iter_mut().find(|wanted| wanted.environment.id == asked.environment);
                of_record.into_iter().for_each(|wanted| wanted.count += count);
            }
        }
    }
    all.retain(|wanted| wanted.count > 0);
    all
}

/// How many that are ready ahead can be given to those for whom something is asked, at most as many as are.
#[must_use]
pub fn ready_ahead(world: &World, asked: &AskedAhead) -> u32 {
    let of_record = || world.environments().get(&asked.environment);
    let Some(environment) = asked.older.as_deref().or_else(of_record) else { return 0 };
    let wanted = Wanted { environment, count: asked.count as usize };
    let ready = waiting_for_people(world).into_iter().filter(|found| wanted.is_of(found) && is_ready(world, found));
    u32::try_from(ready.count()).unwrap_or(u32::MAX).min(asked.count)
}

/// Those that nobody was given yet, the oldest first.
fn waiting_for_people(world: &World) -> Vec<&Workspace> {
    let is_nobodys = |workspace: &&Workspace| workspace.wish == WorkspaceWish::Warm;
    let mut warm: Vec<&Workspace> = world.workspaces().values().filter(is_nobodys).collect();
    warm.sort_by_key(|workspace| (workspace.created_at, &workspace.id));
    warm
}

/// Those that are not wanted any more: their environment has gone, was described anew, or fewer are asked for.
pub(super) fn surplus(world: &World) -> BTreeSet<WorkspaceId> {
    let mut all = wanted(world);
    let mut surplus = BTreeSet::new();
    for workspace in waiting_for_people(world) {
        match all.iter_mut().find(|wanted| wanted.count > 0 && wanted.is_of(workspace)) {
            Some(wanted) => wanted.count -= 1,
            None => drop(surplus.insert(workspace.id.clone())),
        }
    }
    surplus
}

/// What is to be made up for.
#[derive(Default)]
pub(super) struct Refill {
    /// The environment of which one more is to be started now.
    pub now: Option<Environment>,
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
    let on_their_way = warm.iter().filter(is_on_its_way).count();
    let newest = warm.iter().map(|workspace| workspace.created_at).max().unwrap_or_default();
    let every_ms = world.policy.warm_every_ms / (usable.max(1) as u64);
    let is_too_soon = now.since(newest) < every_ms || !is_calm(world, now);
    if is_somebody_waiting || is_too_soon || on_their_way >= usable {
        return Refill { now: None, later: usable > 0 };
    }
    let fits = |environment: &&&Environment| ledger.place(&request_of(&environment.spec, 0)).is_ok();
    let next = lacking.iter().find(fits).map(|environment| Environment::clone(environment));
    Refill { later: next.is_some(), now: next }
}

/// The environments of which there are fewer than wanted, those that lack the most first. One that fails is left alone
/// until it does not.
fn lacking<'a>(draft: &Draft<'a>, warm: &[&Workspace]) -> Vec<&'a Environment> {
    let world = draft.world;
    let mut lacking: Vec<(usize, &Environment)> = Vec::new();
    for wanted in wanted(world) {
        let current = || warm.iter().filter(|found| wanted.is_of(found) && !draft.surplus.contains(&found.id));
        let have = current().count();
        let fails = |workspace: &&Workspace| {
            let assignment = world.workspace_assignments().get(&workspace.id);
            let has_failed = assignment.is_some_and(|found| found.failures > 0) && !is_ready(world, workspace);
            has_failed || is_over(world, workspace)
        };
        if have < wanted.count && !current().any(fails) {
            lacking.push((have * 1000 / wanted.count, wanted.environment));
        }
    }
    lacking.sort_by_key(|(share, environment)| (*share, &environment.id, environment.version));
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
