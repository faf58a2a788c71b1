//! The world as the loop knows it: what people want, what was decided, what the engines report, and the ledger that
//! follows from these.
//!
//! Every change goes through a method that keeps the ledger and the indexes true, so that nothing has to be
//! rebuilt. It owns no decision.

mod changes;
mod engine_state;
mod holds;
mod workspaces;

pub use engine_state::EngineState;
pub(crate) use holds::{needed_ports, needed_resources};
pub use workspaces::AskedAhead;
pub(crate) use workspaces::place_hold;

use self::workspaces::Workspaces;
use crate::writer::Lease;
use crate::{Ledger, Policy};
use pierhead_model::{
    App, AppId, AppName, Assignment, ContainerId, EngineId, Generation, HealthStatus, MemberName, ObservedContainer,
    Operation, OperationId, Ownership, Slot, SlotKey, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The world as the loop knows it.
#[derive(Clone)]
pub struct World {
    /// The cluster's id, which its containers bear as a label.
    pub cluster: String,
    /// The numbers to go by.
    pub policy: Policy,
    /// Since when this controller looks at the world: nothing counts as an orphan before a grace time from then on.
    pub since: Timestamp,
    engines: BTreeMap<EngineId, EngineState>,
    apps: BTreeMap<AppId, App>,
    names: BTreeMap<AppName, AppId>,
    assignments: BTreeMap<SlotKey, Assignment>,
    operations: BTreeMap<OperationId, Operation>,
    ledger: Ledger,
    /// Every container that bears our labels, by the slot that they name.
    of_slot: BTreeMap<SlotKey, Made>,
    /// Since when this controller leads, as far as it knows.
    pub leads_since: Timestamp,
    /// Whether the records are those of a backup, older than what the hosts run, and nobody has said yet that all is well:
    /// until then nothing is made, and nothing is removed that the records do not know.
    pub is_restored: bool,
    /// The leases of hosts' agents, also of hosts that were removed.
    pub(crate) leases: BTreeMap<EngineId, Lease>,
    /// The slots that must not run twice.
    pub(crate) writers: BTreeSet<SlotKey>,
    /// Where and when something of them was started last.
    pub(crate) starts: BTreeMap<SlotKey, (EngineId, Timestamp)>,
    workspaces: Workspaces,
}

/// Containers that were made for a slot: where each is, and of which generation and member.
type Made = BTreeMap<(EngineId, ContainerId), (Generation, MemberName)>;

impl World {
    /// A world without anything in it.
    #[must_use]
    pub fn new(cluster: impl Into<String>, policy: Policy, since: Timestamp) -> Self {
        let ledger = Ledger::new(policy.placement.clone());
        Self {
            cluster: cluster.into(),
            policy,
            since,
            engines: BTreeMap::new(),
            apps: BTreeMap::new(),
            names: BTreeMap::new(),
            assignments: BTreeMap::new(),
            operations: BTreeMap::new(),
            ledger,
            of_slot: BTreeMap::new(),
            leads_since: since,
            is_restored: false,
            leases: BTreeMap::new(),
            writers: BTreeSet::new(),
            starts: BTreeMap::new(),
            workspaces: Workspaces::default(),
        }
    }

    /// The engines.
    #[must_use]
    pub fn engines(&self) -> &BTreeMap<EngineId, EngineState> {
        &self.engines
    }

    /// The apps.
    #[must_use]
    pub fn apps(&self) -> &BTreeMap<AppId, App> {
        &self.apps
    }

    /// The app of a name.
    #[must_use]
    pub fn app_named(&self, name: &str) -> Option<&App> {
        self.names.get(name).and_then(|id| self.apps.get(id))
    }

    /// The assignments.
    #[must_use]
    pub fn assignments(&self) -> &BTreeMap<SlotKey, Assignment> {
        &self.assignments
    }

    /// The assignments of one app.
    pub fn assignments_of(&self, app: &AppId) -> impl Iterator<Item = &Assignment> {
        let all = SlotKey { app: app.clone(), slot: Slot(0) }..=SlotKey { app: app.clone(), slot: Slot(u32::MAX) };
        self.assignments.range(all).map(|(_, assignment)| assignment)
    }

    /// The operations that have not ended.
    #[must_use]
    pub fn operations(&self) -> &BTreeMap<OperationId, Operation> {
        &self.operations
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Everything on any engine that was made for a slot.
    pub fn containers_of(&self, slot: &SlotKey) -> impl Iterator<Item = (&EngineState, &ObservedContainer)> {
        self.of_slot.get(slot).into_iter().flatten().filter_map(|((engine, id), _)| {
            let engine = self.engines.get(engine)?;
            Some((engine, engine.containers.get(id)?))
        })
    }

    /// Every container that bears our labels, with the slot that they name.
    pub fn labelled(&self) -> impl Iterator<Item = (&SlotKey, &EngineState, &ObservedContainer)> {
        self.of_slot.iter().flat_map(|(slot, containers)| self.made_for(slot, containers))
    }

    /// The same, of one app.
    pub fn labelled_of(
        &self,
        app: &AppId,
    ) -> impl Iterator<Item = (&SlotKey, &EngineState, &ObservedContainer)> + use<'_> {
        let all = SlotKey { app: app.clone(), slot: Slot(0) }..=SlotKey { app: app.clone(), slot: Slot(u32::MAX) };
        self.of_slot.range(all).flat_map(|(slot, containers)| self.made_for(slot, containers))
    }

    fn made_for<'a>(
        &'a self,
        slot: &'a SlotKey,
        containers: &'a Made,
    ) -> impl Iterator<Item = (&'a SlotKey, &'a EngineState, &'a ObservedContainer)> {
        containers.keys().filter_map(move |(engine, id)| {
            let engine = self.engines.get(engine)?;
            Some((slot, engine, engine.containers.get(id)?))
        })
    }

    /// The containers of an assignment's own generation on its own engine.
    #[must_use]
    pub fn current(&self, assignment: &Assignment) -> BTreeMap<&MemberName, &ObservedContainer> {
        let Some(engine) = self.engines.get(&assignment.engine) else { return BTreeMap::new() };
        let made = self.of_slot.get(&assignment.key()).into_iter().flatten();
        made.filter(|((on, _), (generation, _))| *on == assignment.engine && *generation == assignment.generation)
            .filter_map(|((_, id), (_, member))| Some((member, engine.containers.get(id)?)))
            .collect()
    }

    /// Whether a container is one of its slot's present generation, on the engine where that slot lives.
    #[must_use]
    pub fn is_current(&self, engine: &EngineId, container: &ObservedContainer) -> bool {
        container.belongs_to(&self.cluster)
            && Ownership::read(&container.labels).is_some_and(|owner| {
                self.assignments
                    .get(&owner.slot)
                    .is_some_and(|assignment| assignment.engine == *engine && assignment.generation == owner.generation)
            })
    }

    /// Whether a container serves in its slot's stead until the present generation does.
    #[must_use]
    pub fn is_fallback(&self, engine: &EngineId, container: &ObservedContainer) -> bool {
        container.belongs_to(&self.cluster)
            && Ownership::read(&container.labels).is_some_and(|owner| {
                let assignment = self.assignments.get(&owner.slot);
                assignment.is_some_and(|assignment| assignment.falls_back_to(engine, owner.generation))
            })
    }

    /// A host that nobody has heard of yet, although there was hardly time for it: it may take what others refuse.
    pub(crate) fn unknown_host(&self, now: Timestamp) -> Option<&EngineId> {
        let is_unknown = |state: &&EngineState| {
            let since = state.health.since.max(state.record.added_at).max(self.since);
            let is_waited_for = now.since(since) < self.policy.grace_ms;
            let may_be_used = state.health.status != HealthStatus::Down && !state.record.waits_for_approval();
            may_be_used && !state.is_usable() && is_waited_for
        };
        self.engines.values().find(is_unknown).map(|state| &state.record.id)
    }

    /// Whether it is known what runs on every host that answers.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.engines.values().all(EngineState::is_seen)
    }
}
