//! The world as the loop knows it: what people want, what was decided, what the engines report, and the ledger that
//! follows from these.
//!
//! Every change goes through a method that keeps the ledger and the indexes true, so that nothing has to be
//! rebuilt. It owns no decision.

mod holds;

pub(crate) use holds::{needed_ports, needed_resources};

use crate::age::keep_exact_moment;
use crate::writer::Lease;
use crate::{HoldKey, Ledger, Policy};
use pierhead_model::{
    App, AppId, AppName, Assignment, ContainerId, Duty, Engine, EngineFacts, EngineId, Generation, Health,
    HealthStatus, HostFacts, MemberName, ObservedContainer, Operation, OperationId, Ownership, Slot, SlotKey,
    Timestamp,
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
}

/// Containers that were made for a slot: where each is, and of which generation and member.
type Made = BTreeMap<(EngineId, ContainerId), (Generation, MemberName)>;

/// One engine as the loop knows it.
#[derive(Debug, Clone)]
pub struct EngineState {
    /// Its record.
    pub record: Engine,
    /// What it reports of itself; absent until it was reached.
    pub facts: Option<EngineFacts>,
    /// What its agent told of the host, if it has one and that has called.
    pub host: Option<HostFacts>,
    /// How it answers.
    pub health: Health,
    /// Its containers.
    pub containers: BTreeMap<ContainerId, ObservedContainer>,
    /// Whether `containers` is all that is on it: false until it was listed, and again once it was down.
    pub is_listed: bool,
    /// When it was last listed, if that is noted.
    pub(crate) listed_at: Option<Timestamp>,
    /// When single containers were looked at since.
    pub(crate) looked_at: BTreeMap<ContainerId, Timestamp>,
    /// The engine that it is another address of.
    pub same_as: Option<EngineId>,
}

impl EngineState {
    /// Whether it answers and its containers are known, so that it can be acted on.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let is_let_in = self.same_as.is_none() && !self.record.waits_for_approval();
        self.health.status == HealthStatus::Healthy && self.is_listed && self.facts.is_some() && is_let_in
    }

    /// Why it is not used although it answers: it is another address of an engine that was there before.
    #[must_use]
    pub fn why_unused(&self) -> Option<String> {
        let same = self.same_as.as_ref()?;
        Some(format!(
            "it has the same Docker id as {same} and is not used: remove one if both are one host; on a copied machine \
             remove /etc/docker/key.json and restart Docker"
        ))
    }

    /// Its labels: people's and its own.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<String> {
        let own = self.facts.iter().flat_map(|facts| facts.labels.iter().cloned());
        self.record.labels.iter().cloned().chain(own).collect()
    }

    /// Why nothing may be placed on it, in words.
    fn unavailable(&self) -> Option<String> {
        if self.record.waits_for_approval() {
            return Some("it waits for approval".to_owned());
        }
        match self.health.status {
            HealthStatus::Healthy if self.is_usable() => match self.record.duty {
                Duty::InService => None,
                Duty::Cordoned | Duty::Drained => Some("cordoned".to_owned()),
            },
            HealthStatus::Healthy => {
                Some(self.why_unused().unwrap_or_else(|| "its containers are not known yet".to_owned()))
            }
            HealthStatus::Pending => Some("it was not reached yet".to_owned()),
            status => Some(format!("{}: {}", status.as_str(), self.health.reason)),
        }
    }
}

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
        }
    }

    // What is there.

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
    pub(crate) fn labelled_of(
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
        let is_seen = |state: &EngineState| {
            let is_out = state.record.waits_for_approval() || state.health.status == HealthStatus::Down;
            state.is_listed || state.same_as.is_some() || is_out
        };
        self.engines.values().all(is_seen)
    }

    // What changes.

    /// Adds an engine or changes its record.
    pub fn set_engine(&mut self, record: Engine) {
        let id = record.id.clone();
        match self.engines.get_mut(&id) {
            Some(state) => state.record = record,
            None => {
                let state = EngineState {
                    record,
                    facts: None,
                    host: None,
                    health: Health::default(),
                    containers: BTreeMap::new(),
                    is_listed: false,
                    listed_at: None,
                    looked_at: BTreeMap::new(),
                    same_as: None,
                };
                self.engines.insert(id.clone(), state);
            }
        }
        self.refresh_host(&id);
    }

    /// Forgets an engine and everything on it.
    pub fn remove_engine(&mut self, id: &EngineId) {
        if self.engines.contains_key(id) {
            self.set_containers(id, Vec::new());
            self.engines.remove(id);
            self.forget_enforcer(id);
            self.ledger.remove_host(id);
            self.find_twins();
        }
    }

    /// Takes note of how an engine answers. Once it is down, nobody knows what is on it.
    pub fn set_health(&mut self, id: &EngineId, health: Health) {
        if let Some(state) = self.engines.get_mut(id) {
            // One that has left is down whatever a late answer says.
            if health.status != HealthStatus::Down && state.record.has_left() {
                return;
            }
            if health.status == HealthStatus::Down {
                state.is_listed = false;
            }
            state.health = health;
            self.refresh_host(id);
        }
    }

    /// Takes note of what an engine reports of itself.
    pub fn set_facts(&mut self, id: &EngineId, facts: EngineFacts) {
        if let Some(state) = self.engines.get_mut(id) {
            let is_another = state.facts.as_ref().is_none_or(|known| known.identity != facts.identity);
            state.facts = Some(facts);
            if is_another {
                self.find_twins();
            }
            self.refresh_host(id);
        }
    }

    /// Takes note of what the agent of a host tells of it.
    pub fn set_host(&mut self, id: &EngineId, host: HostFacts) {
        if let Some(state) = self.engines.get_mut(id) {
            state.host = Some(host);
        }
    }

    /// Finds the engines that are the same one as another, added earlier, under a second address. What is on such an
    /// engine belongs to the first: acting on it twice would undo what was done.
    fn find_twins(&mut self) {
        let age = |state: &EngineState| (state.record.added_at, state.record.id.clone());
        let mut first: BTreeMap<String, (Timestamp, EngineId)> = BTreeMap::new();
        for state in self.engines.values() {
            let identity = state.facts.as_ref().map(|facts| facts.identity.clone()).filter(|id| !id.is_empty());
            let Some(identity) = identity else { continue };
            let oldest = first.entry(identity).or_insert_with(|| age(state));
            *oldest = oldest.clone().min(age(state));
        }
        let same_as = |state: &EngineState| {
            let (_, oldest) = first.get(&state.facts.as_ref()?.identity)?;
            (*oldest != state.record.id).then(|| oldest.clone())
        };
        let changed: Vec<(EngineId, Option<EngineId>)> = self
            .engines
            .iter()
            .map(|(id, state)| (id.clone(), same_as(state)))
            .filter(|(id, same)| self.engines.get(id).is_some_and(|state| state.same_as != *same))
            .collect();
        for (id, same) in changed {
            let is_twin = same.is_some();
            if let Some(state) = self.engines.get_mut(&id) {
                state.same_as = same;
                state.is_listed = false;
            }
            if is_twin {
                self.set_containers(&id, Vec::new());
            }
            self.refresh_host(&id);
        }
    }

    /// Takes note of everything that is on an engine.
    pub fn set_inventory(&mut self, id: &EngineId, containers: Vec<ObservedContainer>) {
        if self.engines.get(id).is_some_and(|state| state.same_as.is_none()) {
            self.set_containers(id, containers);
            if let Some(state) = self.engines.get_mut(id) {
                state.is_listed = true;
            }
            self.refresh_host(id);
        }
    }

    /// Takes note of one container.
    pub fn set_container(&mut self, engine: &EngineId, mut container: ObservedContainer) {
        let Some(state) = self.engines.get(engine).filter(|state| state.same_as.is_none()) else { return };
        let known = state.containers.get(&container.id);
        keep_exact_moment(&mut container, known);
        self.forget_container(engine, &container.id);
        let id = container.id.clone();
        if container.belongs_to(&self.cluster)
            && let Some(owner) = Ownership::read(&container.labels)
        {
            self.of_slot
                .entry(owner.slot)
                .or_default()
                .insert((engine.clone(), id.clone()), (owner.generation, owner.member));
        }
        if let Some(state) = self.engines.get_mut(engine) {
            state.containers.insert(id.clone(), container);
        }
        self.refresh_container(engine, &id);
    }

    /// Takes note of when an engine was asked for all its containers.
    pub fn note_listing(&mut self, engine: &EngineId, at: Timestamp) {
        if let Some(state) = self.engines.get_mut(engine) {
            state.listed_at = Some(at);
            state.looked_at.retain(|_, looked_at| *looked_at > at);
        }
    }

    /// Takes note of when a container was looked at.
    pub fn note_look(&mut self, engine: &EngineId, container: &ContainerId, at: Timestamp) {
        if let Some(state) = self.engines.get_mut(engine)
            && state.containers.contains_key(container)
        {
            state.looked_at.insert(container.clone(), at);
        }
    }

    /// Until when it is known how the containers of an assignment are: what was not looked at since may have ended.
    /// Where nobody notes looks, what the world says is so now.
    pub(crate) fn seen_until(&self, assignment: &Assignment, now: Timestamp) -> Timestamp {
        let Some(state) = self.engines.get(&assignment.engine) else { return now };
        let seen = |container: &ObservedContainer| state.looked_at.get(&container.id).copied().max(state.listed_at);
        self.current(assignment).values().filter_map(|container| seen(container)).min().unwrap_or(now)
    }

    /// Takes note that a container is gone.
    pub fn forget_container(&mut self, engine: &EngineId, id: &ContainerId) {
        let Some(container) = self.engines.get_mut(engine).and_then(|state| state.containers.remove(id)) else {
            return;
        };
        self.ledger.release(&HoldKey::Container(engine.clone(), id.clone()));
        let Some(owner) = Ownership::read(&container.labels) else { return };
        if let Some(containers) = self.of_slot.get_mut(&owner.slot) {
            containers.remove(&(engine.clone(), id.clone()));
            if containers.is_empty() {
                self.of_slot.remove(&owner.slot);
            }
        }
        self.refresh_slot(&owner.slot);
    }

    /// Adds an app or changes it.
    pub fn set_app(&mut self, app: App) {
        let id = app.id.clone();
        let name = app.name.clone();
        let members = app.members.clone();
        let before = self.apps.insert(id.clone(), app);
        if let Some(before) = before.as_ref().filter(|before| before.name != name) {
            self.forget_name(&before.name, &id);
        }
        self.names.insert(name, id.clone());
        if before.is_none_or(|before| before.members != members) {
            self.refresh_slots_of(&id);
        }
    }

    /// Forgets an app; its assignments stay until what they stand for is gone.
    pub fn remove_app(&mut self, id: &AppId) {
        if let Some(app) = self.apps.remove(id) {
            self.forget_name(&app.name, id);
            self.refresh_slots_of(id);
        }
    }

    /// Adds an assignment or changes it.
    pub fn set_assignment(&mut self, assignment: Assignment) {
        let key = assignment.key();
        let former = assignment.fallback.as_deref().and_then(|former| former.assignment.writer);
        match assignment.writer.or(former) {
            Some(_) => drop(self.writers.insert(key.clone())),
            None => drop(self.writers.remove(&key)),
        }
        self.assignments.insert(key.clone(), assignment);
        self.refresh_slot(&key);
        self.refresh_containers_of(&key);
    }

    /// Forgets an assignment.
    pub fn remove_assignment(&mut self, key: &SlotKey) {
        self.assignments.remove(key);
        self.writers.remove(key);
        self.starts.remove(key);
        self.refresh_slot(key);
        self.refresh_containers_of(key);
    }

    /// Takes note of an operation; one that has ended is forgotten.
    pub fn set_operation(&mut self, operation: Operation) {
        if operation.state.has_ended() {
            self.operations.remove(&operation.id);
        } else {
            self.operations.insert(operation.id.clone(), operation);
        }
    }

    /// Forgets an operation.
    pub fn remove_operation(&mut self, id: &OperationId) {
        self.operations.remove(id);
    }

    fn forget_name(&mut self, name: &AppName, id: &AppId) {
        if self.names.get(name) == Some(id) {
            self.names.remove(name);
        }
    }
}
