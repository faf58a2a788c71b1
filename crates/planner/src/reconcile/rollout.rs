//! Changed descriptions: which slot is next, where its new containers go, and when what served before serves again.
//!
//! One slot at a time. Its new containers come first and the former ones go when the new ones have run for a while.
//! Where both cannot be at once (for a fixed port, written volumes, or the room) the former ones go first, but not before
//! the new images are on their host.

use super::{Draft, reassign, runs_well};
use crate::relocation::is_job;
use crate::request::slot_request;
use crate::{EngineState, Placed, Refusal, Request, World};
use pierhead_model::{
    App, Assignment, ContainerState, Fallback, Generation, HealthStatus, Member, ObservedContainer, RestartPolicy,
    Slot, SlotIntent, SlotWish, Timestamp,
};

impl Draft<'_> {
    /// A slot gets containers of the new description, next to the former ones if that can be.
    pub(super) fn renew(&mut self, app: &App, former: &Assignment) {
        let request = slot_request(app, former.slot, former.next_generation());
        let beside = if is_alone(app) { None } else { self.ledger.place(&request).ok() };
        let goes_first = beside.is_none();
        match beside.map_or_else(|| self.place_instead(app, former, &request), Ok) {
            Ok(placed) => {
                let fallback = Some(Box::new(Fallback { assignment: former.clone(), goes_first }));
                let next = Assignment { fallback, ..reassign(self.world, former, app, &[], placed, self.now) };
                self.assign(app, next);
            }
            Err(refusal) => self.block(app, former.slot, refusal.to_string(), Some(refusal)),
        }
    }

    /// A place that there is once the former containers are gone; where they are, if something of them stays there.
    fn place_instead(&mut self, app: &App, former: &Assignment, request: &Request) -> Result<Placed, Refusal> {
        let has_volumes = app.members.iter().any(|member| !member.spec.volumes.is_empty());
        self.without_own_hold(former, |ledger| {
            let there = has_volumes.then(|| ledger.place_on(&former.engine, request).ok()).flatten();
            there.map_or_else(|| ledger.place(request), Ok)
        })
    }

    /// The description was taken back while a slot was being made from it: its former containers count again. Tells
    /// whether that is so, or it has to be waited for.
    pub(super) fn goes_back(&mut self, app: &App, intent: &SlotIntent, assignment: &Assignment) -> bool {
        let Some(fallback) = assignment.fallback.as_deref() else { return false };
        let former = &fallback.assignment;
        // One of a single writer that is moved has a former place too, of the same description.
        if app.has_one_writer() && assignment.version == app.version {
            return false;
        }
        if former.version != app.version || intent.wish != SlotWish::Running {
            return false;
        }
        match self.world.engines().get(&former.engine) {
            Some(engine) if engine.is_usable() => {}
            Some(engine) if engine.health.status != HealthStatus::Down => {
                let reason = format!("waits for host {}, where its former containers are", former.engine);
                self.block(app, former.slot, reason, None);
                return true;
            }
            _ => return false,
        }
        if !serves(self.world, former) {
            return false;
        }
        let mut gone = former.former.clone();
        gone.extend(assignment.containers.values().cloned());
        let surplus = gone.len().saturating_sub(Assignment::FORMER_KEPT);
        gone.drain(..surplus);
        let again = Assignment {
            former: gone,
            restarts_done: assignment.restarts_done,
            newest_generation: assignment.generation.max(assignment.newest_generation),
            ..former.clone()
        };
        self.assign(app, again);
        true
    }
}

/// Whether some container of a slot's generation runs.
pub(crate) fn serves(world: &World, assignment: &Assignment) -> bool {
    let is_usable = world.engines().get(&assignment.engine).is_some_and(|engine| engine.is_usable());
    is_usable && world.current(assignment).values().any(|container| container.state == ContainerState::Running)
}

/// Whether two copies of a slot must not run at the same time: a job would be done twice, what is written to a volume has
/// one writer, and so has what is described so.
fn is_alone(app: &App) -> bool {
    let former = app.former.iter().flat_map(|former| &former.members);
    let writes = |member: &Member| member.spec.volumes.iter().any(|volume| !volume.read_only);
    let is_once = |member: &Member| member.spec.restart == RestartPolicy::No;
    let is_single = |member: &Member| member.spec.single_writer;
    is_job(app) || former.clone().any(is_once) || app.members.iter().chain(former).any(|it| writes(it) || is_single(it))
}

/// Whether former containers of a slot that runs are about to be removed. One that cannot be is not waited for for ever.
pub(crate) fn is_clearing(world: &World, assignment: &Assignment, now: Timestamp) -> bool {
    let patience = world.policy.proven_ms + world.policy.settle_ms;
    let is_new = assignment.up_since.is_some_and(|since| now.since(since) < patience);
    let is_left = |(engine, container): (&EngineState, &ObservedContainer)| {
        engine.is_usable() && !world.is_current(&engine.record.id, container)
    };
    is_new && assignment.generation != Generation::FIRST && world.containers_of(&assignment.key()).any(is_left)
}

/// The one slot that may be replaced now because the app's description changed: the next only when all that were
/// replaced before it run well.
pub(super) fn next_to_replace(world: &World, app: &App, now: Timestamp) -> Option<Slot> {
    let is_wanted = |assignment: &&Assignment| {
        let wish = app.slots.get(&assignment.slot).map(|intent| intent.wish);
        wish == Some(SlotWish::Running) && assignment.exit.is_none()
    };
    let wanted = || world.assignments_of(&app.id).filter(is_wanted);
    let next = wanted().find(|assignment| assignment.version != app.version)?;
    let is_settled = |assignment| runs_well(world, app, assignment) && !is_clearing(world, assignment, now);
    wanted().all(is_settled).then_some(next.slot)
}
