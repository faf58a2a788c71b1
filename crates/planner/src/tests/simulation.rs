//! A simulated pool: hosts, the records as a store keeps them, and a controller that plans, writes and acts, step by
//! step of a simulated clock.

use super::host::Host;
use crate::{Action, AppWrite, Plan, Policy, RecordWrite, Step, World, after_failure, plan};
use pierhead_model::{
    App, AppId, Assignment, ContainerId, EngineId, Failure, Generation, Health, HealthStatus, Operation, OperationId,
    Ownership, SlotKey, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CLUSTER: &str = "c1";
/// How far the clock moves at each round.
const ROUND_MS: u64 = 100;

/// What the store keeps.
#[derive(Clone, Default)]
pub(super) struct Records {
    pub apps: BTreeMap<AppId, App>,
    pub assignments: BTreeMap<SlotKey, Assignment>,
    /// Those that have ended, too.
    pub operations: BTreeMap<OperationId, Operation>,
}

/// A simulated pool with its controller.
#[derive(Clone)]
pub(super) struct Simulation {
    pub now: Timestamp,
    pub hosts: BTreeMap<EngineId, Host>,
    pub records: Records,
    pub world: World,
    /// Every step that was begun, in words.
    pub journal: Vec<String>,
    /// The containers that were not ours at the beginning; nobody may touch them.
    pub foreign: BTreeMap<(EngineId, ContainerId), pierhead_model::ObservedContainer>,
    under_way: Vec<UnderWay>,
    pub(super) ids: u32,
    /// When leases were granted last.
    granted_at: Timestamp,
}

/// A step that takes time.
#[derive(Clone)]
struct UnderWay {
    due: Timestamp,
    action: Action,
}

/// What a step is about, so that no two are about the same at a time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Busy {
    Slot(SlotKey, Generation),
    Container(EngineId, ContainerId),
}

pub(super) fn engine(id: &str) -> EngineId {
    EngineId::parse(id).unwrap()
}

impl Simulation {
    /// Hosts of 4 cores and 4096 MB, all known.
    pub fn new(hosts: &[&str]) -> Self {
        Self::with_hosts(hosts.iter().map(|id| Host::new(id, 4, 4096)), Policy::default())
    }

    pub fn with_hosts(hosts: impl IntoIterator<Item = Host>, policy: Policy) -> Self {
        let now = Timestamp(1_000_000);
        let mut simulation = Self {
            now,
            hosts: hosts.into_iter().map(|host| (host.record.id.clone(), host)).collect(),
            records: Records::default(),
            world: World::new(CLUSTER, policy, now),
            journal: Vec::new(),
            foreign: BTreeMap::new(),
            under_way: Vec::new(),
            ids: 0,
            granted_at: Timestamp(0),
        };
        simulation.take_over();
        simulation.observe();
        simulation
    }

    pub fn host(&mut self, id: &str) -> &mut Host {
        self.hosts.get_mut(id).unwrap()
    }

    /// Puts a container of somebody else on a host.
    pub fn add_foreign(&mut self, host: &str, container: pierhead_model::ObservedContainer) -> ContainerId {
        let id = self.host(host).add(container);
        let kept = self.host(host).containers[&id].clone();
        self.foreign.insert((engine(host), id.clone()), kept);
        self.observe();
        id
    }

    // The controller.

    /// A controller starts: it reads the records, and knows nothing of the hosts yet.
    pub fn take_over(&mut self) {
        let mut world = World::new(CLUSTER, self.world.policy.clone(), self.now);
        self.hosts.values().for_each(|host| world.set_engine(host.record.clone()));
        self.records.apps.values().for_each(|app| world.set_app(app.clone()));
        self.records.assignments.values().for_each(|assignment| world.set_assignment(assignment.clone()));
        self.records.operations.values().for_each(|operation| world.set_operation(operation.clone()));
        self.world = world;
    }

    /// The controller dies between its writes and what should follow, and another takes over. Steps under way come to
    /// their end on the hosts, but nobody hears of it.
    pub fn crash(&mut self) {
        for step in std::mem::take(&mut self.under_way) {
            if let Some(host) = self.hosts.get_mut(&step.action.engine) {
                drop(host.carry_out(&step.action.step, self.now));
            }
        }
        self.take_over();
    }

    /// The controller dies before the steps that it was about to take reach the hosts.
    pub fn forget_steps(&mut self) {
        self.under_way.clear();
        self.take_over();
    }

    /// The heartbeat and the list of containers of every host.
    pub fn observe(&mut self) {
        for (id, host) in &mut self.hosts {
            if host.answers && host.record.given_up {
                host.record.given_up = false;
                self.world.set_engine(host.record.clone());
            }
            let status = if host.answers { HealthStatus::Healthy } else { HealthStatus::Down };
            let known = &self.world.engines()[id].health;
            if known.status != status {
                let reason = if host.answers { String::new() } else { "no answer within 1000 ms".to_owned() };
                let health = Health { status, response_time_ms: 1, reason, since: self.now };
                self.world.set_health(id, health);
            }
            if host.is_agent_gone && host.is_on {
                self.world.note_enforcer_lost(id, self.now);
            }
            if host.answers && host.lists {
                self.world.set_facts(id, host.facts.clone());
                self.world.set_inventory(id, host.containers.values().cloned().collect());
                self.world.note_listing(id, self.now);
            }
        }
    }

    /// The leases of hosts that can be reached, once a second.
    fn grant_leases(&mut self) {
        if self.now.since(self.granted_at) < 1_000 {
            return;
        }
        self.granted_at = self.now;
        let until = self.now.plus(self.world.policy.lease_ms);
        for (id, host) in self.hosts.iter_mut().filter(|(_, host)| host.answers) {
            if !self.world.wants_lease(id) {
                continue;
            }
            self.world.note_lease_granted(id, self.now);
            if host.take_lease(until, self.now) {
                self.world.note_lease_held(id, until, self.now);
            }
        }
    }

    /// Of what must not run twice, no two copies run at this moment, on whatever host.
    fn check_writers(&self) {
        let mut running: BTreeMap<AppId, BTreeSet<(EngineId, SlotKey, Generation)>> = BTreeMap::new();
        for (id, host) in &self.hosts {
            for container in host.writers() {
                let owner = Ownership::read(&container.labels).unwrap();
                let app = owner.slot.app.clone();
                running.entry(app).or_default().insert((id.clone(), owner.slot, owner.generation));
            }
        }
        let twice = running.values().find(|copies| copies.len() > 1);
        assert!(twice.is_none(), "runs twice at {:?}: {twice:?}\n{}", self.now, self.journal.join("\n"));
    }

    /// What the controller would do now.
    pub fn plan(&self) -> Plan {
        plan(&self.world, self.now)
    }

    /// Plans, and writes what is planned, again and again until there is nothing left to write; then begins the steps
    /// of the last plan.
    pub fn round(&mut self) {
        self.finish_due_steps();
        self.observe();
        self.grant_leases();
        for turn in 0.. {
            assert!(turn < 100, "the controller writes records for ever:\n{:#?}", self.plan().writes);
            let plan = self.plan();
            let wrote = self.write(&plan.writes);
            plan.actions.into_iter().for_each(|action| self.begin(action));
            if !wrote {
                break;
            }
        }
        self.check_writers();
        self.finish_due_steps();
        self.check_writers();
        self.hosts.values_mut().for_each(Host::tick);
        let now = self.now;
        self.hosts.values_mut().for_each(|host| host.end_lease(now));
        self.now = self.now.plus(ROUND_MS);
    }

    pub fn run_for(&mut self, milliseconds: u64) {
        let end = self.now.plus(milliseconds);
        while self.now < end {
            self.round();
        }
    }

    /// Runs until `reached` holds.
    pub fn run_until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let end = self.now.plus(600_000);
        while !reached(self) {
            assert!(self.now < end, "never {what}\n{}\n{:#?}", self.journal.join("\n"), self.plan());
            self.round();
        }
    }

    /// Runs until there is nothing to do, now or later.
    pub fn rest(&mut self) {
        self.run_until("comes to rest", Self::is_at_rest);
        self.observe();
    }

    pub fn is_at_rest(&self) -> bool {
        let nothing_at = |world: &World, moment| {
            let plan = plan(world, moment);
            plan.writes.is_empty() && plan.actions.is_empty()
        };
        if !self.under_way.is_empty() || !nothing_at(&self.world, self.now) {
            return false;
        }
        let mut seen = self.clone();
        seen.observe();
        let answering = seen.hosts.iter().filter(|(_, host)| host.answers && host.lease.is_some());
        for (id, _) in answering {
            seen.world.note_lease_held(id, Timestamp(u64::MAX), self.now);
        }
        let later = self.now.plus(3_600_000);
        let now_too = nothing_at(&seen.world, self.now);
        for (id, _) in seen.hosts.iter().filter(|(_, host)| host.answers && host.lists) {
            seen.world.note_listing(id, later);
        }
        now_too && nothing_at(&seen.world, later)
    }

    /// Writes the records of a plan as the controller does; tells whether it wrote any.
    pub fn write(&mut self, writes: &[RecordWrite]) -> bool {
        let busy = self.busy();
        let mut wrote = false;
        for write in writes {
            if self.is_busy_with(&busy, write) {
                continue;
            }
            wrote = true;
            match write {
                RecordWrite::Assign(assignment) => self.set_assignment(assignment.clone()),
                RecordWrite::Release(key) => {
                    self.records.assignments.remove(key);
                    self.world.remove_assignment(key);
                }
                RecordWrite::Progress { operation, app } => self.write_progress(operation, app),
            }
        }
        wrote
    }

    fn write_progress(&mut self, operation: &Operation, app: &AppWrite) {
        self.records.operations.insert(operation.id.clone(), operation.clone());
        self.world.set_operation(operation.clone());
        match app {
            AppWrite::Keep => {}
            AppWrite::Put(app) => self.set_app(app.clone()),
            AppWrite::Delete(id, _) => self.remove_app(id),
        }
    }

    pub fn set_app(&mut self, app: App) {
        self.records.apps.insert(app.id.clone(), app.clone());
        self.world.set_app(app);
    }

    pub fn remove_app(&mut self, id: &AppId) {
        self.records.apps.remove(id);
        self.world.remove_app(id);
    }

    pub fn set_assignment(&mut self, assignment: Assignment) {
        self.records.assignments.insert(assignment.key(), assignment.clone());
        self.world.set_assignment(assignment);
    }

    fn busy(&self) -> BTreeSet<Busy> {
        self.under_way.iter().map(|step| busy(&step.action)).collect()
    }

    /// Whether a step of the slot's present generation is under way, whose outcome decides first.
    fn is_busy_with(&self, busy: &BTreeSet<Busy>, write: &RecordWrite) -> bool {
        let (key, generation) = match write {
            RecordWrite::Assign(assignment) => (assignment.key(), Some(assignment.generation)),
            RecordWrite::Release(key) => (key.clone(), None),
            RecordWrite::Progress { .. } => return false,
        };
        let Some(present) = self.world.assignments().get(&key) else { return false };
        // What must not run twice waits for the outcome, whatever comes next.
        let is_same = generation.is_none_or(|generation| generation == present.generation);
        (is_same || present.writer.is_some()) && busy.contains(&Busy::Slot(key, present.generation))
    }

    fn begin(&mut self, action: Action) {
        let all = self.busy();
        let of_slot = action.slot.clone().map(|(key, generation)| Busy::Slot(key, generation));
        let is_outdated = action.slot.as_ref().is_some_and(|(key, generation)| {
            self.world.assignments().get(key).is_none_or(|assignment| assignment.generation != *generation)
        });
        if is_outdated || all.contains(&busy(&action)) || of_slot.is_some_and(|slot| all.contains(&slot)) {
            return;
        }
        self.journal.push(describe(&action));
        let latency = self.hosts.get(&action.engine).map_or(0, |host| host.latency_ms);
        self.under_way.push(UnderWay { due: self.now.plus(latency), action });
    }

    fn finish_due_steps(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.under_way).into_iter().partition(|step| step.due <= now);
        self.under_way = later;
        let due: Vec<UnderWay> = due;
        for UnderWay { action, .. } in due {
            let unreachable = || Err(Failure::new(pierhead_model::FailureKind::Unreachable, "no such host"));
            let host = self.hosts.get_mut(&action.engine);
            let result = host.map_or_else(unreachable, |host| host.carry_out(&action.step, now));
            self.remember(&action, result);
        }
    }

    fn remember(&mut self, action: &Action, result: Result<(), Failure>) {
        let Some((key, generation)) = &action.slot else { return };
        if matches!(action.step, Step::Create { .. } | Step::Start(_) | Step::Restart(_)) {
            self.world.note_start(key, &action.engine, self.now);
        }
        let present = self.world.assignments().get(key).filter(|present| present.generation == *generation);
        let Some(present) = present.cloned() else { return };
        let is_wanted = self.records.apps.get(&key.app).is_some_and(|app| app.slots.contains_key(&key.slot));
        match (result, &action.step) {
            (Ok(()), _) | (Err(_), Step::ReadLog(_)) => {
                action.then.clone().into_iter().for_each(|next| self.set_assignment(next))
            }
            (Err(failure), Step::Create { .. } | Step::Pull(_) | Step::Start(_)) if is_wanted => {
                let next = after_failure(&present, failure, self.now, &self.world.policy);
                self.set_assignment(next);
            }
            (Err(_), _) => {}
        }
    }
}

fn busy(action: &Action) -> Busy {
    match (&action.slot, action.container()) {
        (_, Some(container)) => Busy::Container(action.engine.clone(), container.clone()),
        (Some((key, generation)), None) => Busy::Slot(key.clone(), *generation),
        (None, None) => panic!("what is made is made for a slot"),
    }
}

fn describe(action: &Action) -> String {
    let engine = &action.engine;
    match &action.step {
        Step::Create { containers, .. } => {
            let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
            format!("{engine}: create {}", names.join(" and "))
        }
        Step::Pull(images) => {
            let images: Vec<&str> = images.iter().map(|image| image.as_str()).collect();
            format!("{engine}: pull {}", images.join(" and "))
        }
        Step::ReadLog(id) => format!("{engine}: read the log of {id}"),
        Step::Start(id) => format!("{engine}: start {id}"),
        Step::Stop(id) => format!("{engine}: stop {id}"),
        Step::Restart(id) => format!("{engine}: restart {id}"),
        Step::Remove(id) => format!("{engine}: remove {id}"),
    }
}
