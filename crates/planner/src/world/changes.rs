//! What changes the world. Each change keeps the ledger and the indexes true.

use super::{EngineState, World};
use crate::HoldKey;
use crate::age::keep_exact_moment;
use pierhead_model::{
    App, AppId, AppName, Assignment, ContainerId, Engine, EngineFacts, EngineId, Health, HealthStatus, HostFacts,
    ObservedContainer, Operation, OperationId, Ownership, SlotKey, Timestamp,
};
use std::collections::BTreeMap;

impl World {
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
            self.set_networks(id, Vec::new());
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
        self.note_of_workspace(engine, &container);
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
        self.forget_of_workspace(engine, &container);
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
