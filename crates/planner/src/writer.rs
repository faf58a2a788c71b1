//! Apps that must have one writer: what proves that no copy runs any more, and what keeps a new one from starting.
//!
//! The record of a slot names every place where a copy of it may run: its host, and while it moves the former one. So
//! it must not leave a place out before it is proven that nothing runs there. A host that answers proves it by its
//! list. One that does not proves it only by time: its agent stops such containers when its lease has ended, and the
//! lease is not renewed while the host is down. A host without an agent proves nothing until it answers or is removed.
//!
//! Nothing here stops anything: it says what has to be waited for, and until when.

use crate::freeze::freeze;
use crate::reconcile::serves;
use crate::retry::has_failed;
use crate::slot::in_seconds;
use crate::status::{SlotPhase, slot_status};
use crate::{Action, EngineState, Step, World};
use pierhead_model::{
    App, Assignment, ContainerState, EngineId, FailureKind, HealthStatus, ObservedContainer, Ownership, SlotKey,
    SlotWish, Timestamp, WriterGuard,
};

/// How long a start whose outcome nobody knows may still show on a host that answers.
const LATE_MS: u64 = 2_000;

/// What is known of the lease of a host's agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lease {
    /// When it was granted last, whether or not the agent has heard of it.
    granted_at: Option<Timestamp>,
    /// Until when the agent surely has it.
    holds_until: Timestamp,
    /// Since when the agent may be gone while the host lives, so that nobody is there who ends it.
    unenforced_since: Option<Timestamp>,
    /// Whether the agent ended in good order, and nothing ran any more that needs one.
    is_given_up: bool,
}

impl World {
    /// Takes note that a host is granted a lease. To be called before anything is sent: it may count although nobody
    /// hears of it.
    pub fn note_lease_granted(&mut self, id: &EngineId, sent: Timestamp) {
        let lease = self.leases.entry(id.clone()).or_default();
        lease.granted_at = lease.granted_at.max(Some(sent));
        lease.is_given_up = false;
    }

    /// Takes note that a host's agent has confirmed a lease; tells whether it surely had none before.
    pub fn note_lease_held(&mut self, id: &EngineId, until: Timestamp, now: Timestamp) -> bool {
        let (is_new, lasts) = (!self.holds_lease(id, now), self.policy.lease_ms);
        let lease = self.leases.entry(id.clone()).or_default();
        lease.holds_until = lease.holds_until.max(until);
        // Whoever has taken one since is there to end it.
        lease.unenforced_since = lease.unenforced_since.filter(|lost| until < lost.plus(lasts));
        is_new && self.holds_lease(id, now)
    }

    /// Takes note that a host's agent may have been gone since a moment while the host lives: what it had to stop at the
    /// end of its lease may run on, also when the host is lost later. That counts until an agent there confirms a lease
    /// that was asked for later, or the host is removed. An agent that goes after its lease has surely ended has done its
    /// part.
    pub fn note_enforcer_lost(&mut self, id: &EngineId, since: Timestamp) {
        let lease = self.leases.entry(id.clone()).or_default();
        lease.unenforced_since = Some(lease.unenforced_since.map_or(since, |before| before.min(since)));
    }

    /// Whether nobody may have ended the last lease of a host.
    #[must_use]
    pub fn is_enforcer_lost(&self, id: &EngineId) -> bool {
        let lost = self.leases.get(id).and_then(|lease| lease.unenforced_since);
        lost.is_some_and(|lost| lost < self.lease_over_at(id))
    }

    /// Whoever removes a host says that nothing runs there once its lease is over.
    pub(crate) fn forget_enforcer(&mut self, id: &EngineId) {
        if let Some(lease) = self.leases.get_mut(id) {
            lease.unenforced_since = None;
        }
    }

    /// Takes note that a host's agent ends in good order: it has stopped what needs a lease, and takes none any more.
    pub fn note_lease_given_up(&mut self, id: &EngineId) {
        let lease = self.leases.entry(id.clone()).or_default();
        *lease = Lease { is_given_up: true, ..Lease::default() };
    }

    /// Takes note that a step came to its end that may have made something of a slot run on a host, done or not.
    pub fn note_start(&mut self, key: &SlotKey, id: &EngineId, now: Timestamp) {
        if self.writers.contains(key) {
            self.starts.insert(key.clone(), (id.clone(), now));
        }
    }

    /// Whether a host's agent surely has a lease, for long enough to start something.
    #[must_use]
    pub fn holds_lease(&self, id: &EngineId, now: Timestamp) -> bool {
        let until = self.leases.get(id).map_or(Timestamp(0), |lease| lease.holds_until);
        until >= now.plus(self.policy.lease_spare_ms)
    }

    /// Why nothing of a slot runs any more on the lost host where it had a lease, in words; `None` if it had none.
    #[must_use]
    pub fn how_stopped(&self, place: &Assignment) -> Option<&'static str> {
        place.writer.filter(|guard| *guard == WriterGuard::Lease)?;
        let is_given_up = self.leases.get(&place.engine).is_some_and(|lease| lease.is_given_up);
        Some(if is_given_up { "its agent ended and stopped the container first" } else { "the host's lease has ended" })
    }

    /// From when on nothing that needs a lease runs on a host, unless it is granted another one: also none of an earlier
    /// leader counts then.
    #[must_use]
    pub fn lease_over_at(&self, id: &EngineId) -> Timestamp {
        if self.leases.get(id).is_some_and(|lease| lease.is_given_up) {
            return Timestamp(0);
        }
        let granted = self.leases.get(id).and_then(|lease| lease.granted_at).unwrap_or_default();
        granted.max(self.leads_since).plus(self.policy.lease_ms + self.policy.lease_margin_ms)
    }

    /// Whether a host shall have a lease: something lives there, or did before a move, that must not run without one. A
    /// host that is down gets none, so that what it has ends.
    #[must_use]
    pub fn wants_lease(&self, id: &EngineId) -> bool {
        let is_down = self.engines().get(id).is_none_or(|engine| engine.health.status == HealthStatus::Down);
        let lives = |place: &Assignment| place.engine == *id && place.writer == Some(WriterGuard::Lease);
        !is_down
            && self.writers.iter().filter_map(|key| self.assignments().get(key)).any(|assignment| {
                let former = assignment.fallback.as_deref().map(|former| &former.assignment);
                lives(assignment) || former.is_some_and(lives)
            })
    }

    /// Something on a host that must not run twice, and that nobody stops there when the host cannot be asked.
    #[must_use]
    pub fn unguarded_writer(&self, id: &EngineId) -> Option<&Assignment> {
        let lives = |place: &Assignment| place.engine == *id && place.writer == Some(WriterGuard::Nothing);
        self.writers.iter().filter_map(|key| self.assignments().get(key)).find(|assignment| {
            lives(assignment) || assignment.fallback.as_deref().is_some_and(|former| lives(&former.assignment))
        })
    }

    /// Something on a host, whoever guards it there, that must not run twice.
    #[must_use]
    pub fn writer_on(&self, id: &EngineId) -> Option<&Assignment> {
        let lives = |place: &Assignment| place.engine == *id && place.writer.is_some();
        self.writers.iter().filter_map(|key| self.assignments().get(key)).find(|assignment| {
            lives(assignment) || assignment.fallback.as_deref().is_some_and(|former| lives(&former.assignment))
        })
    }

    /// As if every lease of a host had ended long ago.
    pub(crate) fn forget_leases(&mut self, id: &EngineId) {
        self.leases.remove(id);
        self.leads_since = Timestamp(0);
    }
}

/// What keeps a second copy from running on a host, for a slot that is about to live there.
pub(crate) fn guard(world: &World, app: &App, engine: &EngineId) -> Option<WriterGuard> {
    let has_agent = world.engines().get(engine).is_some_and(|engine| engine.record.agent.is_some());
    app.has_one_writer().then_some(if has_agent { WriterGuard::Lease } else { WriterGuard::Nothing })
}

/// Whether two copies of a slot must never run at the same time: as it is described now, or as it was when it got one of
/// the places that it has.
pub(crate) fn has_one_writer(app: &App, assignment: &Assignment) -> bool {
    let former = assignment.fallback.as_deref().and_then(|former| former.assignment.writer);
    app.has_one_writer() || assignment.writer.is_some() || former.is_some()
}

/// Why a slot must not leave its place out of its record yet: a copy may still run there.
pub(crate) fn may_still_run(world: &World, place: &Assignment, now: Timestamp) -> Option<String> {
    let id = &place.engine;
    match world.engines().get(id) {
        // Whoever removes a host that nobody guards says that nothing of the pool runs there.
        None if place.writer == Some(WriterGuard::Lease) => until_lease_ends(world, id, "was removed", now),
        None => None,
        Some(engine) if engine.is_usable() => runs_there(world, engine, place),
        Some(engine) if engine.health.status == HealthStatus::Down => match place.writer {
            Some(WriterGuard::Lease) => unenforced(world, id).or_else(|| until_lease_ends(world, id, "is down", now)),
            _ => Some(without_lease(engine)),
        },
        Some(_) => Some(format!("must not run twice, and may run on host {id}; waits until that answers or is down")),
    }
}

fn until_lease_ends(world: &World, id: &EngineId, what: &str, now: Timestamp) -> Option<String> {
    let left = world.lease_over_at(id).since(now);
    let seconds = in_seconds(left);
    (left > 0).then(|| {
        format!("must not run twice: host {id} {what}, and its agent has surely stopped the former copy in {seconds}")
    })
}

/// Nobody is there who stops what runs on a host when its lease ends.
fn unenforced(world: &World, id: &EngineId) -> Option<String> {
    world.is_enforcer_lost(id).then(|| {
        format!(
            "must not run twice, and may run on on host {id}: its agent was gone while the host lived, so that nobody \
             stops it there; waits until the agent is started (systemctl start pierhead-agent) and calls, or until the \
             host is off and removed with 'pierhead engine rm {id}'"
        )
    })
}

/// What was started without a lease runs on a host that is down.
fn without_lease(engine: &EngineState) -> String {
    let id = &engine.record.id;
    let why = if engine.record.has_left() {
        "which is not registered any more, whether or not its engine answers"
    } else if engine.record.agent.is_some() {
        "which is down; it was started without a lease, so that its agent does not stop it"
    } else {
        "which is down and has no agent to stop it"
    };
    format!(
        "must not run twice, and may still run on host {id}, {why}; waits until the host answers or is removed with \
         'pierhead engine rm {id}'"
    )
}

/// A copy that nobody has in the record of its slot, on a host that cannot be asked: as one of before the app was to have
/// one writer.
fn unseen_copy(world: &World, assignment: &Assignment, now: Timestamp) -> Option<String> {
    let key = assignment.key();
    let is_place = |engine: &EngineState, container: &ObservedContainer| {
        let id = &engine.record.id;
        Ownership::read(&container.labels).is_some_and(|owner| {
            let is_own = assignment.engine == *id && assignment.generation == owner.generation;
            owner.slot == key && (is_own || assignment.falls_back_to(id, owner.generation))
        })
    };
    let unseen = copies(world, &key).filter(|(engine, it)| !engine.is_usable() && may_run(it) && !is_place(engine, it));
    let mut reasons = unseen.filter_map(|(engine, container)| {
        let is_guarded = engine.record.agent.is_some() && container.labels.contains_key(Ownership::SINGLE_WRITER);
        let id = &engine.record.id;
        if is_guarded {
            return unenforced(world, id).or_else(|| until_lease_ends(world, id, "does not answer", now));
        }
        Some(format!(
            "must not run twice, and an older copy may still run on host {id}, which does not answer; waits until it \
             answers or is removed with 'pierhead engine rm {id}'"
        ))
    });
    reasons.next()
}

/// A host that does not answer, where a copy of an app may run that is not to have one writer yet: it cannot be so then.
#[must_use]
pub fn may_have_copy<'a>(world: &'a World, app: &App) -> Option<&'a EngineId> {
    let has_place = |id: &EngineId| {
        world.assignments_of(&app.id).any(|assignment| {
            let former = assignment.fallback.as_deref().map(|former| &former.assignment.engine);
            assignment.engine == *id || former == Some(id)
        })
    };
    let has_copy = |id: &EngineId| world.labelled_of(&app.id).any(|(_, on, it)| on.record.id == *id && may_run(it));
    // One that was not listed since this controller began may have anything.
    let is_doubtful = |state: &EngineState| {
        let id = &state.record.id;
        !state.is_usable()
            && state.same_as.is_none()
            && !state.record.waits_for_approval()
            && (state.facts.is_none() || has_place(id) || has_copy(id))
    };
    world.engines().values().find(|state| is_doubtful(state)).map(|state| &state.record.id)
}

/// On a host that answers: whether something of the app is left there, or may just be made.
fn runs_there(world: &World, engine: &EngineState, place: &Assignment) -> Option<String> {
    let id = &engine.record.id;
    // The former copy is a place of its own.
    let is_former = |container: &ObservedContainer| {
        Ownership::read(&container.labels).is_some_and(|owner| place.falls_back_to(id, owner.generation))
    };
    let key = place.key();
    let mut here = copies(world, &key).filter(|(on, _)| on.record.id == *id);
    let left = here.any(|(_, container)| may_run(container) && !is_former(container));
    if left {
        return Some(format!("must not run twice; waits until its former copy on host {id} is gone"));
    }
    // What was started is seen by a list that began later; what an earlier leader had begun may take a moment to show.
    let failed = place.attempts.last().filter(|_| has_failed(place));
    let is_open = failed.is_some_and(|failed| failed.failure.kind == FailureKind::Unreachable);
    let started = world.starts.get(&place.key()).filter(|(on, _)| on == id).map(|(_, at)| *at);
    let started = started.max(failed.map(|failed| failed.at)).map(|at| at.plus(if is_open { LATE_MS } else { 0 }));
    let since = started.max(Some(world.leads_since.plus(LATE_MS)));
    (engine.listed_at < since)
        .then(|| format!("must not run twice; waits until it is known what became of its start on host {id}"))
}

/// Whether a container runs, or somebody may be about to start it.
fn may_run(container: &ObservedContainer) -> bool {
    container.state.is_running() || container.state == ContainerState::Created
}

/// Every container of a slot's app.
fn copies<'a>(
    world: &'a World,
    key: &'a SlotKey,
) -> impl Iterator<Item = (&'a EngineState, &'a ObservedContainer)> + 'a {
    world.labelled_of(&key.app).map(|(_, engine, container)| (engine, container))
}

/// Why a slot of an app of one writer must not be placed yet: another slot of it may still run.
pub(crate) fn other_slot(world: &World, app: &App, key: &SlotKey) -> Option<String> {
    let other = world.assignments_of(&app.id).find(|other| other.slot != key.slot)?;
    let (slot, engine) = (other.slot, &other.engine);
    Some(format!(
        "must not run twice; waits until slot {slot} of {}, which may run on host {engine}, is gone",
        app.name
    ))
}

/// Why a step must not be taken yet that would make a copy run.
pub(crate) fn not_yet(
    world: &World,
    app: &App,
    assignment: &Assignment,
    action: &Action,
    now: Timestamp,
) -> Option<String> {
    if !matches!(action.step, Step::Create { .. } | Step::Start(_) | Step::Restart(_)) {
        return None;
    }
    let key = assignment.key();
    if app.has_one_writer()
        && let Some(reason) = other_slot(world, app, &key)
    {
        return Some(reason);
    }
    let is_other = |container: &ObservedContainer| {
        Ownership::read(&container.labels)
            .is_none_or(|owner| owner.slot != key || owner.generation != assignment.generation)
    };
    let other =
        copies(world, &key).find(|(engine, container)| engine.is_usable() && may_run(container) && is_other(container));
    if let Some((engine, _)) = other {
        let id = &engine.record.id;
        return Some(format!("must not run twice; waits until its former copy on host {id} is gone"));
    }
    unseen_copy(world, assignment, now).or_else(|| lease_missing(world, assignment, now))
}

/// What there is to say of a slot because it must not run twice: what it waits for and until when, or that nobody guards
/// it; nothing if all is well, or if it waits for something else.
#[must_use]
pub fn about_one_writer(world: &World, key: &SlotKey, now: Timestamp) -> Option<String> {
    let app = world.apps().get(&key.app).filter(|app| app.has_one_writer())?;
    if app.slots.get(&key.slot)?.wish == SlotWish::Stopped {
        return None;
    }
    let Some(assignment) = world.assignments().get(key) else { return other_slot(world, app, key) };
    let phase = slot_status(world, key).phase;
    let is_frozen = || freeze(world).is_some_and(|freeze| freeze.hosts.contains(&assignment.engine));
    match phase {
        SlotPhase::Lost if is_frozen() => None,
        SlotPhase::Lost => may_still_run(world, assignment, now),
        SlotPhase::Starting | SlotPhase::Waiting => {
            let former = assignment.fallback.as_deref().map(|former| &former.assignment);
            let lost = former.filter(|former| !serves(world, former));
            let waits =
                lost.and_then(|former| may_still_run(world, former, now)).or_else(|| other_slot(world, app, key));
            let waits = waits.or_else(|| unseen_copy(world, assignment, now));
            waits.or_else(|| lease_missing(world, assignment, now))
        }
        SlotPhase::Running if let Some(other) = unseen_copy(world, assignment, now) => Some(other),
        SlotPhase::Running if assignment.writer == Some(WriterGuard::Nothing) => Some(unguarded(&assignment.engine)),
        _ => None,
    }
}

/// What it means that a host has no agent.
#[must_use]
pub fn unguarded(host: &EngineId) -> String {
    format!(
        "must not run twice, and host {host} has no agent to stop it there: if that host is lost it is not started \
         elsewhere before the host answers or is removed"
    )
}

fn lease_missing(world: &World, assignment: &Assignment, now: Timestamp) -> Option<String> {
    let is_missing = assignment.writer == Some(WriterGuard::Lease) && !world.holds_lease(&assignment.engine, now);
    is_missing.then(|| format!("waits until the agent of host {} has the lease to run it", assignment.engine))
}
