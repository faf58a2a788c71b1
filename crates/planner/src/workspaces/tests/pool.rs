//! A simulated pool for workspaces: hosts that do what they are told, or not; records; and a controller that plans, writes
//! and acts. What is "in" a container is a number that people raise; a save keeps it.

use crate::workspaces::{
    SaveOrder, WorkspaceAction, WorkspaceStep, WorkspaceWrite, after_workspace_step, plan_workspaces,
};
use crate::{Policy, World, workspace_status};
use pierhead_model::{
    AgentKeys, Asks, Capacity, ContainerId, ContainerState, Duty, Engine, EngineFacts, EngineId, Environment,
    EnvironmentContainer, EnvironmentId, EnvironmentSpec, Failure, FailureKind, Health, HealthStatus, ImageReference,
    Limits, MemberName, ObservedContainer, ObservedNetwork, OverCommit, Resources, SaveId, Standstill, TerminalId,
    Timestamp, Username, Visibility, Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceOrigin, WorkspaceStage,
    WorkspaceWish,
};
use std::collections::{BTreeMap, BTreeSet};

pub const CLUSTER: &str = "c1";
const ROUND_MS: u64 = 100;
pub const MINUTE_MS: u64 = 60_000;

/// A host as it really is.
#[derive(Clone)]
pub struct Host {
    pub record: Engine,
    pub answers: bool,
    pub containers: BTreeMap<ContainerId, ObservedContainer>,
    /// How much work is in each container.
    pub work: BTreeMap<ContainerId, u64>,
    pub networks: BTreeMap<String, ObservedNetwork>,
    /// Steps that fail, by a word of their description, and how often.
    pub faults: Vec<(String, FailureKind, u32)>,
    pub latency_ms: u64,
}

#[derive(Clone)]
struct UnderWay {
    due: Timestamp,
    action: WorkspaceAction,
}

#[derive(Clone)]
pub struct Pool {
    pub now: Timestamp,
    pub hosts: BTreeMap<EngineId, Host>,
    pub world: World,
    pub records: BTreeMap<WorkspaceId, Workspace>,
    pub assignments: BTreeMap<WorkspaceId, WorkspaceAssignment>,
    pub environments: BTreeMap<EnvironmentId, Environment>,
    /// Complete saves, and the work in each of their containers.
    pub saves: BTreeMap<SaveId, BTreeMap<MemberName, u64>>,
    /// How these were ordered, in the order in which they were made.
    pub orders: Vec<SaveOrder>,
    /// The containers into which files were written, each time.
    pub filled: Vec<ContainerId>,
    pub journal: Vec<String>,
    pub told: Vec<(WorkspaceId, String)>,
    /// The shells that were opened ahead.
    pub shells: BTreeSet<TerminalId>,
    under_way: Vec<UnderWay>,
    ids: u64,
}

pub fn engine(id: &str) -> EngineId {
    EngineId::parse(id).unwrap()
}

pub fn user(name: &str) -> Username {
    Username::parse(name).unwrap()
}

fn host(id: &str, cpus: u64) -> Host {
    Host {
        record: Engine {
            id: engine(id),
            addr: format!("agent://{id}"),
            labels: BTreeSet::new(),
            capacity: Capacity { cpu_millis: Some(cpus * 1000), memory_mb: Some(4096) },
            over_commit: OverCommit::default(),
            duty: Duty::InService,
            given_up: false,
            sealed_tls: None,
            sealed_registry_auth: None,
            agent: Some(AgentKeys::default()),
            registered: None,
            added_at: Timestamp(0),
            added_by: user("admin"),
        },
        answers: true,
        containers: BTreeMap::new(),
        work: BTreeMap::new(),
        networks: BTreeMap::new(),
        faults: Vec::new(),
        latency_ms: 0,
    }
}

/// Containers that reserve half a core each, by their names.
pub fn spec(names: &[&str]) -> EnvironmentSpec {
    let container = |name: &&str| EnvironmentContainer {
        name: MemberName::parse(*name).unwrap(),
        image: ImageReference::parse("alpine").unwrap(),
        limits: Limits { reserved: Resources::new(500, 64), cpu_limit_millis: 1000 },
        command: Vec::new(),
        environment: BTreeMap::new(),
        working_dir: None,
        user: None,
        ports: Vec::new(),
        files: Vec::new(),
        startup: Some("true".to_owned()),
    };
    EnvironmentSpec {
        containers: names.iter().map(container).collect(),
        lifetime_minutes: 60,
        idle_minutes: 0,
        warm: 0,
        asks: Asks::default(),
    }
}

/// A pool with a workspace that was saved with 1 in it, and has 2 in it now.
pub fn saved_once(hosts: &[&str]) -> (Pool, WorkspaceId, String) {
    let mut pool = Pool::new(hosts);
    let id = pool.open(spec(&["main"]));
    pool.until_phase(&id, "ready");
    pool.work(&id);
    pool.change(&id, |workspace| workspace.saves_asked += 1);
    pool.run_until("a save", |pool| pool.saves.len() == 1 && pool.phase(&id) == "ready");
    pool.work(&id);
    let host = pool.engine_of(&id).unwrap();
    (pool, id, host)
}

impl Pool {
    /// Hosts of 4 cores with agents, all known.
    pub fn new(hosts: &[&str]) -> Self {
        let now = Timestamp(1_000_000);
        let mut pool = Self {
            now,
            hosts: hosts.iter().map(|id| (engine(id), host(id, 4))).collect(),
            world: World::new(CLUSTER, Policy::default(), now),
            records: BTreeMap::new(),
            assignments: BTreeMap::new(),
            environments: BTreeMap::new(),
            saves: BTreeMap::new(),
            orders: Vec::new(),
            filled: Vec::new(),
            journal: Vec::new(),
            told: Vec::new(),
            shells: BTreeSet::new(),
            under_way: Vec::new(),
            ids: 0,
        };
        pool.take_over();
        pool.observe();
        pool
    }

    pub fn host(&mut self, id: &str) -> &mut Host {
        self.hosts.get_mut(&engine(id)).unwrap()
    }

    // People.

    pub fn describe(&mut self, name: &str, spec: EnvironmentSpec) {
        let id = EnvironmentId::parse(name).unwrap();
        let version = self.environments.get(&id).map_or(1, |known| known.version + 1);
        let environment = Environment {
            id: id.clone(),
            owner: user("ann"),
            visibility: Visibility::Shared,
            version,
            spec,
            versions: Vec::new(),
            created_at: self.now,
            lab: None,
        };
        self.environments.insert(id, environment.clone());
        self.world.set_environment(environment);
    }

    pub fn open(&mut self, spec: EnvironmentSpec) -> WorkspaceId {
        self.open_as(spec, WorkspaceWish::Running, "lab", 1)
    }

    pub fn open_as(&mut self, spec: EnvironmentSpec, wish: WorkspaceWish, name: &str, version: u32) -> WorkspaceId {
        self.ids += 1;
        let id = WorkspaceId::from_random(self.ids);
        self.set(Workspace {
            id: id.clone(),
            name: name.to_owned(),
            owner: user("ann"),
            guests: BTreeMap::new(),
            environment: EnvironmentId::parse(name).unwrap(),
            version,
            spec,
            wish,
            run: 1,
            origin: WorkspaceOrigin::Environment,
            asked_at: self.now,
            extended_minutes: 0,
            by_group: Default::default(),
            standstill: None,
            saves_asked: 0,
            save_name: None,
            opened_with: None,
            created_at: self.now,
        });
        id
    }

    pub fn set(&mut self, workspace: Workspace) {
        self.records.insert(workspace.id.clone(), workspace.clone());
        self.world.set_workspace(workspace);
    }

    pub fn change(&mut self, id: &WorkspaceId, change: impl FnOnce(&mut Workspace)) {
        let mut workspace = self.records[id].clone();
        change(&mut workspace);
        self.set(workspace);
    }

    pub fn wish(&mut self, id: &WorkspaceId, wish: WorkspaceWish) {
        self.change(id, |workspace| workspace.wish = wish);
    }

    /// Gives somebody what was started ahead, as the API does: one that runs first.
    pub fn claim(&mut self) -> Option<WorkspaceId> {
        let ready = |workspace: &&Workspace| {
            let assignment = self.assignments.get(&workspace.id);
            workspace.wish == WorkspaceWish::Warm
                && assignment.is_some_and(|found| found.stage == WorkspaceStage::Ready)
        };
        let is_paused = |workspace: &Workspace| self.assignments[&workspace.id].is_paused();
        let id =
            self.records.values().filter(ready).min_by_key(|found| is_paused(found)).map(|found| found.id.clone())?;
        let now = self.now;
        self.change(&id, |workspace| {
            workspace.wish = WorkspaceWish::Running;
            (workspace.asked_at, workspace.created_at) = (now, now);
        });
        Some(id)
    }

    /// Those that are nobody's and can be given, and how many of them rest.
    pub fn warm(&self) -> (usize, usize) {
        let of = |workspace: &&Workspace| workspace.wish == WorkspaceWish::Warm && self.phase(&workspace.id) == "ready";
        let ready: Vec<_> = self.records.values().filter(of).collect();
        (ready.len(), ready.iter().filter(|found| self.assignments[&found.id].is_paused()).count())
    }

    pub fn start(&mut self, id: &WorkspaceId, origin: WorkspaceOrigin) {
        let now = self.now;
        self.change(id, |workspace| {
            workspace.wish = WorkspaceWish::Running;
            workspace.run += 1;
            workspace.origin = origin;
            workspace.asked_at = now;
            workspace.extended_minutes = 0;
            workspace.standstill = None;
        });
    }

    pub fn stand_still(&mut self, id: &WorkspaceId) {
        self.change(id, |workspace| workspace.standstill = Some(Standstill::Lasts));
    }

    pub fn go_on(&mut self, id: &WorkspaceId) {
        let ended = Standstill::Until(self.now);
        self.change(id, |workspace| workspace.standstill = workspace.standstill.and(Some(ended)));
    }

    /// Somebody works in it, if it is there; tells how much is in it then.
    pub fn work(&mut self, id: &WorkspaceId) -> u64 {
        let Some(place) = self.assignments.get(id).and_then(|found| found.place.clone()) else { return 0 };
        let Some(host) = self.hosts.get_mut(&place.engine) else { return 0 };
        let Some(first) = place.containers.values().next().filter(|_| place.holds_work) else { return 0 };
        if host.containers.get(first).is_none_or(|found| found.state != ContainerState::Running) {
            return 0;
        }
        let work = host.work.entry(first.clone()).or_default();
        *work += 1;
        *work
    }

    /// How much work is in its present containers.
    pub fn worth(&self, id: &WorkspaceId) -> u64 {
        let Some(place) = self.assignments.get(id).and_then(|found| found.place.as_ref()) else { return 0 };
        let host = &self.hosts[&place.engine];
        place.containers.values().filter_map(|container| host.work.get(container)).sum()
    }

    pub fn phase(&self, id: &WorkspaceId) -> &'static str {
        workspace_status(&self.world, id, self.now).map_or("forgotten", |status| status.phase.as_str())
    }

    pub fn message(&self, id: &WorkspaceId) -> String {
        workspace_status(&self.world, id, self.now).map(|status| status.message).unwrap_or_default()
    }

    pub fn place_in_queue(&self, id: &WorkspaceId) -> Option<usize> {
        workspace_status(&self.world, id, self.now).and_then(|status| status.queue)
    }

    pub fn engine_of(&self, id: &WorkspaceId) -> Option<String> {
        self.assignments.get(id)?.place.as_ref().map(|place| place.engine.to_string())
    }

    /// The number of containers and networks on all hosts.
    pub fn left(&self) -> (usize, usize) {
        let hosts = self.hosts.values();
        hosts.fold((0, 0), |(containers, networks), host| {
            (containers + host.containers.len(), networks + host.networks.len())
        })
    }

    // The controller.

    pub fn take_over(&mut self) {
        let mut world = World::new(CLUSTER, self.world.policy.clone(), self.now);
        self.hosts.values().for_each(|host| world.set_engine(host.record.clone()));
        self.environments.values().for_each(|environment| world.set_environment(environment.clone()));
        self.records.values().for_each(|workspace| world.set_workspace(workspace.clone()));
        self.assignments.values().for_each(|assignment| world.set_workspace_assignment(assignment.clone()));
        self.world = world;
    }

    /// The controller dies. Steps under way come to their end on the hosts or not; nobody hears of it.
    pub fn crash(&mut self, steps_reach_hosts: bool) {
        for step in std::mem::take(&mut self.under_way) {
            if steps_reach_hosts {
                drop(self.carry_out(&step.action));
            }
        }
        self.take_over();
    }

    pub fn observe(&mut self) {
        for (id, host) in &self.hosts {
            if self.world.engines()[id].record != host.record {
                self.world.set_engine(host.record.clone());
            }
            let status = if host.answers { HealthStatus::Healthy } else { HealthStatus::Down };
            if self.world.engines()[id].health.status != status {
                let reason = if host.answers { String::new() } else { "no answer".to_owned() };
                let health = Health { status, response_time_ms: 1, reason, since: self.now };
                self.world.set_health(id, health);
            }
            if host.answers {
                self.world.set_facts(id, EngineFacts { identity: id.to_string(), ..EngineFacts::default() });
                self.world.set_inventory(id, host.containers.values().cloned().collect());
                self.world.set_networks(id, host.networks.values().cloned().collect());
            }
        }
    }

    pub fn round(&mut self) {
        self.finish_due_steps();
        self.observe();
        for turn in 0.. {
            let plan = plan_workspaces(&self.world, self.now);
            assert!(turn < 100, "the controller writes records for ever:\n{:#?}", plan.writes);
            let wrote = self.write(&plan.writes);
            plan.actions.into_iter().for_each(|action| self.begin(action));
            for environment in plan.warm {
                self.open_as(environment.spec, WorkspaceWish::Warm, environment.id.as_str(), environment.version);
            }
            if !wrote {
                break;
            }
        }
        self.finish_due_steps();
        self.check();
        self.now = self.now.plus(ROUND_MS);
    }

    pub fn run_for(&mut self, milliseconds: u64) {
        let end = self.now.plus(milliseconds);
        while self.now < end {
            self.round();
        }
    }

    pub fn run_until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let end = self.now.plus(1_200_000);
        while !reached(self) {
            let plan = || plan_workspaces(&self.world, self.now);
            assert!(self.now < end, "never {what}\n{}\n{:#?}", self.journal.join("\n"), plan());
            self.round();
        }
    }

    pub fn until_phase(&mut self, id: &WorkspaceId, phase: &str) {
        self.run_until(&format!("{id} {phase}"), |pool| pool.phase(id) == phase);
    }

    fn busy(&self, id: &WorkspaceId) -> BTreeSet<(EngineId, u32)> {
        let theirs = self.under_way.iter().filter(|step| step.action.workspace == *id);
        theirs.map(|step| (step.action.engine.clone(), step.action.generation.0)).collect()
    }

    /// As the loop does it.
    fn write(&mut self, writes: &[WorkspaceWrite]) -> bool {
        let mut written = BTreeSet::new();
        for write in writes {
            let (id, leaves, left) = match write {
                WorkspaceWrite::Assign { assignment, .. } => {
                    (&assignment.workspace, assignment.place.is_none(), assignment.left.as_slice())
                }
                WorkspaceWrite::Forget(id) => (id, false, [].as_slice()),
            };
            let busy = self.busy(id);
            let is_busy = self.assignments.get(id).is_some_and(|present| {
                let changed = present.left.iter().filter(|place| !left.contains(place));
                let places = present.place.iter().filter(|_| !leaves).chain(changed);
                places.clone().any(|place| busy.contains(&(place.engine.clone(), place.generation.0)))
            });
            if is_busy || !written.insert(id.clone()) {
                continue;
            }
            match write {
                WorkspaceWrite::Assign { assignment, told } => {
                    self.told.extend(told.iter().map(|told| (id.clone(), format!("{}: {}", told.kind, told.message))));
                    self.assign((**assignment).clone());
                }
                WorkspaceWrite::Forget(id) => {
                    self.records.remove(id);
                    self.assignments.remove(id);
                    self.world.remove_workspace(id);
                    self.world.remove_workspace_assignment(id);
                }
            }
        }
        !written.is_empty()
    }

    fn assign(&mut self, assignment: WorkspaceAssignment) {
        self.assignments.insert(assignment.workspace.clone(), assignment.clone());
        self.world.set_workspace_assignment(assignment);
    }

    fn begin(&mut self, action: WorkspaceAction) {
        if self.busy(&action.workspace).contains(&(action.engine.clone(), action.generation.0)) {
            return;
        }
        let present = self.assignments.get(&action.workspace);
        let is_there = present.is_some_and(|found| found.place_of(&action.engine, action.generation).is_some());
        let is_removal = matches!(action.step, WorkspaceStep::Remove { .. });
        if !is_there && !is_removal {
            return;
        }
        self.journal.push(format!("{} {}", self.now.0, words(&action)));
        let latency = self.hosts.get(&action.engine).map_or(0, |host| host.latency_ms);
        self.under_way.push(UnderWay { due: self.now.plus(latency), action });
    }

    fn finish_due_steps(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.under_way).into_iter().partition(|step| step.due <= now);
        self.under_way = later;
        for UnderWay { action, .. } in due {
            let result = self.carry_out(&action);
            self.observe();
            let Some(present) = self.assignments.get(&action.workspace) else { continue };
            let policy = &self.world.policy;
            if let Some((next, told)) = after_workspace_step(policy, present, &action, result, now) {
                let id = action.workspace.clone();
                self.told.extend(told.map(|told| (id, format!("{}: {}", told.kind, told.message))));
                self.assign(next);
            }
        }
    }

    fn carry_out(&mut self, action: &WorkspaceAction) -> Result<(), Failure> {
        let described = words(action);
        let host = self.hosts.get_mut(&action.engine).unwrap();
        if !host.answers {
            return Err(Failure::new(FailureKind::Unreachable, "no answer"));
        }
        let fault = host.faults.iter_mut().find(|(word, _, left)| *left > 0 && described.contains(word.as_str()));
        if let Some((_, kind, left)) = fault {
            *left -= 1;
            return Err(Failure::new(*kind, format!("{kind:?}")));
        }
        match &action.step {
            WorkspaceStep::Create { network, containers, from } => {
                let made = ObservedNetwork {
                    name: network.name.clone(),
                    subnet: Some(network.subnet),
                    labels: network.labels.clone(),
                    created_at: self.now,
                };
                let overlaps = |other: &ObservedNetwork| {
                    other.name != network.name && other.subnet.is_some_and(|subnet| subnet.overlaps(network.subnet))
                };
                assert!(!host.networks.values().any(overlaps), "addresses are given twice");
                host.networks.insert(network.name.clone(), made);
                for container in containers {
                    self.ids += 1;
                    let id = ContainerId::parse(format!("{:08x}", self.ids)).unwrap();
                    let saved = from.as_ref().and_then(|save| self.saves.get(save));
                    let work = saved.and_then(|save| save.get(&container.description.name)).copied().unwrap_or(0);
                    assert!(from.is_none() || saved.is_some(), "a save that is not there");
                    host.work.insert(id.clone(), work);
                    let name = container.name.clone();
                    assert!(host.containers.values().all(|other| other.name != name), "{name} is there already");
                    host.containers.insert(id.clone(), observed(id, name, container.labels.clone(), self.now));
                }
            }
            WorkspaceStep::Start(id) => {
                if let Some(container) = host.containers.get_mut(id) {
                    container.state = ContainerState::Running;
                }
            }
            WorkspaceStep::Prime { container, files, .. } => {
                if !files.is_empty() {
                    self.filled.push(container.clone());
                }
            }
            WorkspaceStep::OpenShell { container, terminal } => {
                let state = host.containers.get(container).map(|container| container.state);
                assert_eq!(state, Some(ContainerState::Running), "a shell in what does not run");
                self.shells.insert(terminal.clone());
            }
            WorkspaceStep::Pause(ids) => set_states(host, ids, ContainerState::Running, ContainerState::Paused),
            WorkspaceStep::Unpause(ids) => set_states(host, ids, ContainerState::Paused, ContainerState::Running),
            // One that is there already is not made again.
            WorkspaceStep::Save(order) if self.saves.contains_key(&order.id) => {
                halt(host, order);
            }
            WorkspaceStep::Save(order) => {
                self.orders.push((**order).clone());
                let saved = order.containers.iter().map(|container| {
                    (container.name.clone(), host.work.get(&container.id).copied().unwrap_or_default())
                });
                let saved = saved.collect();
                self.saves.insert(order.id.clone(), saved);
                halt(host, order);
            }
            WorkspaceStep::Remove { containers, network } => {
                for id in containers {
                    host.containers.remove(id);
                    host.work.remove(id);
                }
                host.networks.remove(network);
            }
        }
        Ok(())
    }

    /// What must hold at every moment: room is never given twice, and each network has addresses of its own.
    fn check(&self) {
        for (id, host) in &self.hosts {
            let reserved = self.world.ledger().reserved(id);
            assert!(reserved.cpu_millis <= 4000, "{id} is over-booked: {reserved:?}");
            let subnets: BTreeSet<_> = host.networks.values().filter_map(|network| network.subnet).collect();
            assert_eq!(subnets.len(), host.networks.len(), "two networks of {id} have the same addresses");
        }
    }
}

fn set_states(host: &mut Host, ids: &[ContainerId], from: ContainerState, to: ContainerState) {
    for id in ids {
        if let Some(container) = host.containers.get_mut(id).filter(|container| container.state == from) {
            container.state = to;
        }
    }
}

fn observed(id: ContainerId, name: String, labels: BTreeMap<String, String>, at: Timestamp) -> ObservedContainer {
    ObservedContainer {
        id,
        name,
        image: "alpine:latest".to_owned(),
        state: ContainerState::Running,
        exit_code: None,
        created_at: at,
        ports: Vec::new(),
        limits: Resources::default(),
        labels,
        restart_count: 0,
        started_at: None,
    }
}

fn words(action: &WorkspaceAction) -> String {
    let WorkspaceAction { engine, workspace, generation, step } = action;
    let what = match step {
        WorkspaceStep::Create { containers, from, .. } => format!("create {} from {from:?}", containers.len()),
        WorkspaceStep::Start(id) => format!("start {id}"),
        WorkspaceStep::Prime { name, .. } => format!("prime {name}"),
        WorkspaceStep::OpenShell { terminal, .. } => format!("shell {terminal}"),
        WorkspaceStep::Pause(ids) => format!("freeze {}", ids.len()),
        WorkspaceStep::Unpause(ids) => format!("thaw {}", ids.len()),
        WorkspaceStep::Save(order) => format!("save {}", order.id),
        WorkspaceStep::Remove { containers, .. } => format!("remove {}", containers.len()),
    };
    format!("{workspace}.{generation} on {engine}: {what}")
}

/// What stops is stopped before it is saved.
fn halt(host: &mut Host, order: &SaveOrder) {
    for container in order.containers.iter().filter(|_| order.stops) {
        if let Some(container) = host.containers.get_mut(&container.id) {
            container.state = ContainerState::Exited;
        }
    }
}
