//! What must hold when a pool has come to rest, and what tests ask of it.

use super::people::key;
use super::simulation::{CLUSTER, Simulation};
use crate::{Hold, HoldKey, SlotStatus, World, slot_status};
use pierhead_model::{
    Assignment, EngineId, ObservedContainer, Operation, OperationId, OperationState, Ownership, SlotKey, SlotWish,
    Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

impl Simulation {
    /// Runs until there is nothing to do any more, and checks that everything is as it must be then.
    pub fn settle(&mut self) {
        self.rest();
        let wrong = self.violations();
        assert!(wrong.is_empty(), "{}\n\n{}", wrong.join("\n"), self.journal.join("\n"));
    }

    /// What is not as it must be, in words.
    pub fn violations(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for app in self.records.apps.values() {
            for (&slot, intent) in &app.slots {
                let key = SlotKey { app: app.id.clone(), slot };
                wrong.extend(self.what_is_wrong_with(&key, intent.wish, app.members.len()));
            }
        }
        wrong.extend(self.surplus());
        wrong.extend(self.touched());
        for operation in self.records.operations.values().filter(|operation| !operation.state.has_ended()) {
            wrong.push(format!("{} never ended", operation.id));
        }
        for (what, rebuilt) in [("records first", self.rebuilt(true)), ("hosts first", self.rebuilt(false))] {
            let (kept, anew) = (self.holds(&self.world), self.holds(&rebuilt));
            if kept != anew {
                wrong.push(format!("the ledger differs from one made anew, {what}:\n{kept:#?}\n{anew:#?}"));
            }
        }
        if self.plan() != self.plan() {
            wrong.push("two plans of one world differ".to_owned());
        }
        wrong
    }

    fn what_is_wrong_with(&self, key: &SlotKey, wish: SlotWish, members: usize) -> Option<String> {
        let assignment = self.records.assignments.get(key);
        if assignment.is_some_and(|assignment| assignment.exit.is_some()) {
            return None;
        }
        let running = assignment.map_or(0, |assignment| self.running_of(assignment));
        let wanted = if wish == SlotWish::Running { members } else { 0 };
        // Helpers of a group may have ended.
        if (1..wanted).contains(&running) && slot_status(&self.world, key).phase == crate::SlotPhase::Running {
            return None;
        }
        (running != wanted).then(|| format!("{key} has {running} running containers instead of {wanted}"))
    }

    fn running_of(&self, assignment: &Assignment) -> usize {
        let Some(host) = self.hosts.get(&assignment.engine).filter(|host| host.answers) else { return 0 };
        let of_it = |container: &&ObservedContainer| {
            let owner = Ownership::read(&container.labels);
            owner.is_some_and(|owner| owner.slot == assignment.key() && owner.generation == assignment.generation)
        };
        host.containers.values().filter(|container| container.state.is_running()).filter(of_it).count()
    }

    /// Ours, but nobody's or an older copy.
    fn surplus(&self) -> Vec<String> {
        let mut surplus = Vec::new();
        for (engine, host) in self.hosts.iter().filter(|(_, host)| host.answers) {
            let mut names = BTreeSet::new();
            for container in host.containers.values().filter(|container| container.belongs_to(CLUSTER)) {
                if !self.is_accounted_for(engine, container) || !names.insert(&container.name) {
                    surplus.push(format!("{} on {engine} is surplus", container.name));
                }
            }
        }
        surplus
    }

    fn is_accounted_for(&self, engine: &EngineId, container: &ObservedContainer) -> bool {
        let Some(owner) = Ownership::read(&container.labels) else { return false };
        let is_wanted =
            self.records.apps.get(&owner.slot.app).is_some_and(|app| app.slots.contains_key(&owner.slot.slot));
        let assignment = self.records.assignments.get(&owner.slot);
        let is_of = |assignment: &Assignment| assignment.engine == *engine && assignment.generation == owner.generation;
        is_wanted && assignment.is_some_and(is_of)
    }

    fn touched(&self) -> Vec<String> {
        let is_as_it_was = |(engine, id): &(&EngineId, &pierhead_model::ContainerId), kept: &ObservedContainer| {
            self.hosts.get(*engine).is_none_or(|host| host.containers.get(*id) == Some(kept))
        };
        let foreign = self.foreign.iter();
        foreign
            .filter(|((engine, id), kept)| !is_as_it_was(&(engine, id), kept))
            .map(|((engine, id), _)| format!("somebody else's container {id} on {engine} was touched"))
            .collect()
    }

    /// A world of the same records and hosts, made anew.
    fn rebuilt(&self, records_first: bool) -> World {
        let mut world = World::new(CLUSTER, self.world.policy.clone(), Timestamp(0));
        let records = |world: &mut World| {
            self.records.assignments.values().for_each(|assignment| world.set_assignment(assignment.clone()));
            self.records.apps.values().for_each(|app| world.set_app(app.clone()));
        };
        if records_first {
            records(&mut world);
        }
        for (id, state) in self.world.engines() {
            world.set_engine(state.record.clone());
            world.set_health(id, state.health.clone());
            world.set_inventory(id, state.containers.values().cloned().collect());
        }
        if !records_first {
            records(&mut world);
        }
        world
    }

    fn holds(&self, world: &World) -> BTreeMap<HoldKey, Hold> {
        let holds = self.hosts.keys().flat_map(|engine| world.ledger().holds(engine));
        holds.map(|(key, hold)| (key.clone(), hold.clone())).collect()
    }

    // What tests ask.

    pub fn operation(&self, id: &OperationId) -> &Operation {
        &self.records.operations[id]
    }

    pub fn state(&self, id: &OperationId) -> OperationState {
        self.operation(id).state
    }

    /// The code and message of an operation that failed.
    pub fn error(&self, id: &OperationId) -> String {
        let error = self.operation(id).error.as_ref().unwrap();
        format!("{}: {}", error.code, error.message)
    }

    pub fn assignment(&self, name: &str, slot: u32) -> &Assignment {
        &self.records.assignments[&key(name, slot)]
    }

    pub fn status(&self, name: &str, slot: u32) -> SlotStatus {
        slot_status(&self.world, &key(name, slot))
    }

    /// The names of the running containers of each host.
    pub fn running(&self) -> BTreeMap<&str, Vec<String>> {
        self.hosts.iter().map(|(id, host)| (id.as_str(), host.running())).collect()
    }

    /// How many containers of an app run on all hosts.
    pub fn count(&self, name: &str) -> usize {
        let prefix = format!("{name}.");
        self.hosts.values().flat_map(|host| host.running()).filter(|running| running.starts_with(&prefix)).count()
    }

    /// The reasons of everything that is blocked.
    pub fn reasons(&self) -> Vec<String> {
        self.plan().blocked.into_iter().map(|blocked| format!("{}: {}", blocked.key.slot, blocked.reason)).collect()
    }

    pub fn creations(&self) -> usize {
        self.journal.iter().filter(|line| line.contains("create")).count()
    }
}
