//! What keeps the world's ledger true: every change of a host, a slot or a container becomes what it holds.

use super::World;
use crate::age::keep_exact_moment;
use crate::{Hold, HoldKey, HostFacts};
use pierhead_model::{
    AppId, Assignment, ContainerId, EngineFacts, EngineId, HostPort, ImageReference, ObservedContainer, Ownership,
    Resources, SlotKey, Username,
};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    pub(super) fn set_containers(&mut self, id: &EngineId, containers: Vec<ObservedContainer>) {
        let Some(state) = self.engines.get(id) else { return };
        let kept: BTreeSet<&ContainerId> = containers.iter().map(|container| &container.id).collect();
        let gone: Vec<ContainerId> = state.containers.keys().filter(|id| !kept.contains(id)).cloned().collect();
        for container in gone {
            self.forget_container(id, &container);
        }
        for mut container in containers {
            let known = self.engines.get(id).and_then(|state| state.containers.get(&container.id));
            keep_exact_moment(&mut container, known);
            if known != Some(&container) {
                self.set_container(id, container);
            }
        }
    }

    pub(super) fn refresh_host(&mut self, id: &EngineId) {
        let Some(state) = self.engines.get(id) else { return };
        let facts = HostFacts {
            id: id.clone(),
            allocatable: state.record.allocatable(state.facts.as_ref().unwrap_or(&EngineFacts::default())),
            labels: state.labels(),
            unavailable: state.unavailable(),
            has_agent: state.record.agent.is_some(),
            unguarded: state.host.as_ref().and_then(|host| host.unguarded.clone()),
        };
        if self.ledger.host(id) != Some(&facts) {
            self.ledger.set_host(facts);
        }
    }

    pub(super) fn refresh_containers_of(&mut self, key: &SlotKey) {
        let containers: Vec<_> = self.of_slot.get(key).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        for (engine, id) in containers {
            self.refresh_container(&engine, &id);
        }
    }

    /// A running container that no assignment stands for holds what it uses: somebody else's, or a surplus one.
    pub(super) fn refresh_container(&mut self, engine: &EngineId, id: &ContainerId) {
        let key = HoldKey::Container(engine.clone(), id.clone());
        let Some(container) = self.engines.get(engine).and_then(|state| state.containers.get(id)) else {
            self.ledger.release(&key);
            return;
        };
        let is_slots = self.is_current(engine, container) || self.is_fallback(engine, container);
        let is_current = is_slots || self.is_of_workspace(engine, container);
        if is_current && let Some(owner) = Ownership::read(&container.labels) {
            self.refresh_slot(&owner.slot);
        }
        let container = self.engines.get(engine).and_then(|state| state.containers.get(id));
        let Some(container) = container.filter(|container| container.state.is_running() && !is_current) else {
            self.ledger.release(&key);
            return;
        };
        let hold = Hold {
            engine: engine.clone(),
            resources: container.limits,
            ports: container.ports.clone(),
            images: vec![normal_image(&container.image)],
            names: vec![container.name.clone()],
            // A surplus one is about to go.
            owner: None,
        };
        self.ledger.hold(key, hold);
    }

    /// Whose app a container belongs to, if to any.
    #[must_use]
    pub fn owner_of(&self, container: &ObservedContainer) -> Option<Username> {
        let owner = Some(container).filter(|container| container.belongs_to(&self.cluster));
        let container = owner?;
        if let Some(workspace) = self.workspace_of(container) {
            return Some(workspace.owner.clone());
        }
        let slot = Ownership::read(&container.labels)?.slot;
        self.apps.get(&slot.app).map(|app| app.owner.clone())
    }

    pub(super) fn refresh_slots_of(&mut self, app: &AppId) {
        let keys: Vec<SlotKey> = self.assignments_of(app).map(Assignment::key).collect();
        keys.iter().for_each(|key| self.refresh_slot(key));
    }

    /// A slot holds what was decided for it until it has ended.
    pub(super) fn refresh_slot(&mut self, key: &SlotKey) {
        let assignment = self.assignments.get(key);
        let hold = assignment.and_then(|assignment| self.slot_hold(assignment));
        let former = assignment.and_then(|assignment| self.fallback_hold(assignment));
        self.set_hold(HoldKey::Slot(key.clone()), hold);
        self.set_hold(HoldKey::Fallback(key.clone()), former);
    }

    fn set_hold(&mut self, key: HoldKey, hold: Option<Hold>) {
        match hold {
            Some(hold) if self.ledger.held(&key) == Some(&hold) => {}
            Some(hold) => self.ledger.hold(key, hold),
            None => drop(self.ledger.release(&key)),
        }
    }

    /// What serves in a slot's stead holds what it has; where it has to go first on the same host, the slot's own hold
    /// stands for both.
    pub(crate) fn fallback_hold(&self, assignment: &Assignment) -> Option<Hold> {
        let fallback = assignment.fallback.as_deref()?;
        let former = &fallback.assignment;
        if fallback.goes_first && former.engine == assignment.engine {
            return None;
        }
        let left = self.current(former);
        if left.is_empty() {
            return None;
        }
        Some(Hold {
            engine: former.engine.clone(),
            resources: former.reserved,
            ports: former.ports.values().flatten().cloned().collect(),
            images: left.values().map(|container| normal_image(&container.image)).collect(),
            names: left.values().map(|container| container.name.clone()).collect(),
            owner: self.apps.get(&assignment.app).map(|app| app.owner.clone()),
        })
    }

    /// The images and names are those of the description and, while a description is being replaced, those that still
    /// run.
    fn slot_hold(&self, assignment: &Assignment) -> Option<Hold> {
        let current = self.current(assignment);
        let running = || current.values().filter(|container| container.state.is_running());
        if assignment.exit.is_some() && running().next().is_none() {
            return None;
        }
        let app = self.apps.get(&assignment.app);
        let members = || app.into_iter().flat_map(|app| app.members.iter().enumerate());
        let images: BTreeSet<String> = members()
            .map(|(_, member)| member.spec.image.to_string())
            .chain(running().map(|container| normal_image(&container.image)))
            .collect();
        let names: BTreeSet<String> = members()
            .map(|(at, member)| assignment.container_name(&member.name, at == 0))
            .chain(running().map(|container| container.name.clone()))
            .collect();
        Some(Hold {
            engine: assignment.engine.clone(),
            resources: needed_resources(assignment),
            ports: needed_ports(assignment),
            images: images.into_iter().collect(),
            names: names.into_iter().collect(),
            owner: app.map(|app| app.owner.clone()),
        })
    }
}

/// The former generation, if it has to make room on the very host of the present one.
fn makes_room(assignment: &Assignment) -> Option<&Assignment> {
    let fallback = assignment.fallback.as_deref().filter(|fallback| fallback.goes_first)?;
    Some(&fallback.assignment).filter(|former| former.engine == assignment.engine)
}

/// What a slot reserves; while its former containers have to make room for it, enough for either.
pub(crate) fn needed_resources(assignment: &Assignment) -> Resources {
    let present = assignment.reserved;
    makes_room(assignment).map_or(present, |former| {
        let former = former.reserved;
        Resources::new(present.cpu_millis.max(former.cpu_millis), present.memory_mb.max(former.memory_mb))
    })
}

/// The ports that go with it.
pub(crate) fn needed_ports(assignment: &Assignment) -> Vec<HostPort> {
    let present = assignment.ports.values().flatten();
    let former = makes_room(assignment).into_iter().flat_map(|former| former.ports.values().flatten());
    let mut ports: Vec<HostPort> = present.cloned().collect();
    former.filter(|port| !assignment.ports.values().flatten().any(|present| present == *port)).for_each(|port| {
        ports.push(port.clone());
    });
    ports
}

/// An image's name with its tag, so that ours and others' compare equal.
fn normal_image(image: &str) -> String {
    ImageReference::parse(image).map_or_else(|_| image.to_owned(), |image| image.to_string())
}
