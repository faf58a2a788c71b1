//! A simulated Docker host with scripted faults.

use crate::{NewContainer, Step};
use pierhead_model::{
    Capacity, ContainerId, ContainerState, Duty, Engine, EngineFacts, EngineId, Failure, FailureKind, HostPort,
    ObservedContainer, OverCommit, Ownership, Resources, Timestamp, Username,
};
use std::collections::{BTreeMap, BTreeSet};

/// How long after the end of its lease an agent has stopped what needs one, at the latest.
const LATEST_STOP_MS: u64 = 4_000;
/// How containers exit that are stopped.
const STOPPED: i64 = 143;

/// A simulated Docker host.
#[derive(Clone)]
pub(super) struct Host {
    pub record: Engine,
    pub facts: EngineFacts,
    pub containers: BTreeMap<ContainerId, ObservedContainer>,
    /// Whether it answers at all.
    pub answers: bool,
    /// Whether it can say which containers it has, when it answers.
    pub lists: bool,
    /// How long a step takes.
    pub latency_ms: u64,
    /// What is to go wrong, in this order.
    pub faults: Vec<Fault>,
    /// Ports that something outside of Docker has bound.
    pub busy_ports: BTreeSet<u16>,
    /// What containers of an image do once started; those that are not listed run.
    pub exits: BTreeMap<String, i64>,
    /// Until when its agent has a lease; absent for a host without an agent.
    pub lease: Option<Timestamp>,
    /// Whether its agent was killed, so that nobody ends the lease; to the controller the host does not answer then.
    pub is_agent_gone: bool,
    /// Whether its kernel answers other hosts.
    pub is_on: bool,
    /// Containers that can't be removed.
    pub stuck: BTreeSet<ContainerId>,
    restarted_by_engine: BTreeSet<ContainerId>,
    made: u32,
    /// How often any of its containers was started.
    starts: u64,
}

/// Something that goes wrong when a container of an image is created.
#[derive(Clone)]
pub(super) struct Fault {
    pub image: String,
    pub kind: FailureKind,
    pub times: u32,
    /// Whether the container was made and runs although the answer is a failure: the reply was lost.
    pub is_made: bool,
}

impl Host {
    pub fn new(id: &str, cpus: u64, memory_mb: u64) -> Self {
        let record = Engine {
            id: EngineId::parse(id).unwrap(),
            addr: format!("http://{id}:2375"),
            labels: BTreeSet::new(),
            capacity: Capacity::default(),
            over_commit: OverCommit::default(),
            duty: Duty::default(),
            given_up: false,
            registered: None,
            agent: None,
            sealed_tls: None,
            sealed_registry_auth: None,
            added_at: Timestamp(0),
            added_by: Username::parse("admin").unwrap(),
        };
        Self {
            record,
            facts: EngineFacts { capacity: Resources::new(cpus * 1000, memory_mb), ..EngineFacts::default() },
            containers: BTreeMap::new(),
            answers: true,
            lists: true,
            latency_ms: 0,
            faults: Vec::new(),
            busy_ports: BTreeSet::new(),
            exits: BTreeMap::new(),
            lease: None,
            is_agent_gone: false,
            is_on: true,
            stuck: BTreeSet::new(),
            restarted_by_engine: BTreeSet::new(),
            made: 0,
            starts: 0,
        }
    }

    /// Does what a step says.
    pub fn carry_out(&mut self, step: &Step, now: Timestamp) -> Result<(), Failure> {
        if !self.answers {
            return Err(Failure::new(FailureKind::Unreachable, "the engine cannot be reached"));
        }
        if self.lease.is_some_and(|until| until < now) && self.is_of_writer(step) {
            return Err(Failure::new(FailureKind::Other, "the agent refuses: this host has no lease"));
        }
        match step {
            Step::Create { containers, .. } => self.create_all(containers, now),
            Step::Pull(images) => images.iter().try_for_each(|image| self.pull(image.as_str())),
            Step::Start(id) => self.known(id).map(|()| self.start(id)),
            Step::Restart(id) => self.known(id).map(|()| self.start(id)),
            Step::ReadLog(id) => self.known(id),
            Step::Stop(id) => self.known(id).map(|()| self.exit(id, STOPPED)),
            Step::Remove(id) if self.stuck.contains(id) => {
                Err(Failure::new(FailureKind::Other, "removal of the container is already in progress"))
            }
            Step::Remove(id) => {
                self.containers.remove(id);
                Ok(())
            }
        }
    }

    /// Whether a step makes something run that needs a lease.
    fn is_of_writer(&self, step: &Step) -> bool {
        let is_labelled = |labels: &BTreeMap<String, String>| labels.contains_key(Ownership::SINGLE_WRITER);
        match step {
            Step::Create { containers, .. } => containers.iter().any(|container| is_labelled(&container.labels)),
            Step::Start(id) | Step::Restart(id) => self.containers.get(id).is_some_and(|it| is_labelled(&it.labels)),
            _ => false,
        }
    }

    /// Lets a host have an agent.
    pub fn with_agent(mut self) -> Self {
        (self.record.agent, self.lease) = (Some(Default::default()), Some(Timestamp(0)));
        self
    }

    /// The agent is killed for good, or started again.
    pub fn set_agent(&mut self, is_gone: bool) {
        (self.is_agent_gone, self.answers) = (is_gone && self.lease.is_some(), !is_gone);
    }

    /// What needs a lease and runs.
    pub fn writers(&self) -> impl Iterator<Item = &ObservedContainer> {
        let labelled = |it: &&ObservedContainer| it.labels.contains_key(Ownership::SINGLE_WRITER);
        self.containers.values().filter(labelled).filter(|container| container.state.is_running())
    }

    /// The agent takes a lease, unless the last one ended and what it has to stop still runs.
    pub fn take_lease(&mut self, until: Timestamp, now: Timestamp) -> bool {
        let is_stopping = self.lease < Some(now) && self.writers().next().is_some();
        if self.lease.is_some() && !is_stopping {
            self.lease = self.lease.max(Some(until));
        }
        self.lease.is_some() && !is_stopping
    }

    /// The agent stops what may not run any more, as late as it may.
    pub fn end_lease(&mut self, now: Timestamp) {
        if !self.is_agent_gone && self.lease.is_some_and(|until| until.plus(LATEST_STOP_MS) <= now) {
            let late: Vec<ContainerId> = self.writers().map(|container| container.id.clone()).collect();
            late.iter().for_each(|id| self.exit(id, STOPPED));
        }
    }

    fn pull(&mut self, image: &str) -> Result<(), Failure> {
        let is_missing = |fault: &&Fault| fault.image == image && fault.kind == FailureKind::NoImage && fault.times > 0;
        match self.faults.iter().find(is_missing) {
            Some(fault) => Err(Failure::new(fault.kind, format!("{} cannot run {image}", self.record.id))),
            None => Ok(()),
        }
    }

    fn known(&self, id: &ContainerId) -> Result<(), Failure> {
        let found = self.containers.contains_key(id).then_some(());
        found.ok_or_else(|| Failure::new(FailureKind::Other, "the engine has no such container"))
    }

    fn create_all(&mut self, containers: &[NewContainer], now: Timestamp) -> Result<(), Failure> {
        let mut made = Vec::new();
        for container in containers {
            match self.create(container, now) {
                Ok(id) => made.push(id),
                Err(failure) => {
                    made.iter().for_each(|id| drop(self.containers.remove(id)));
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    fn create(&mut self, new: &NewContainer, now: Timestamp) -> Result<ContainerId, Failure> {
        let fault = self.next_fault(new.spec.image.as_str());
        if let Some(fault) = fault.as_ref().filter(|fault| !fault.is_made) {
            return Err(Failure::new(fault.kind, format!("{} cannot run {}", self.record.id, new.spec.image)));
        }
        if self.containers.values().any(|other| other.name == new.name) {
            return Err(Failure::new(FailureKind::NameTaken, "the engine has a container of that name already"));
        }
        if let Some(port) = new.ports.iter().find(|port| self.is_bound(port)) {
            let message = format!("a port of the host is taken: {}", port.host_port);
            return Err(Failure::new(FailureKind::PortTaken, message));
        }
        let id = self.add(ObservedContainer {
            name: new.name.clone(),
            image: new.spec.image.to_string(),
            ports: new.ports.clone(),
            labels: new.labels.clone(),
            created_at: now,
            ..observed()
        });
        if new.engine_restarts {
            self.restarted_by_engine.insert(id.clone());
        }
        self.start(&id);
        match fault {
            Some(fault) => Err(Failure::new(fault.kind, "the reply was lost")),
            None => Ok(id),
        }
    }

    /// Puts a container on the host, as somebody else would.
    pub fn add(&mut self, container: ObservedContainer) -> ContainerId {
        self.made += 1;
        let id = ContainerId::parse(format!("{}x{}", self.record.id, self.made)).unwrap();
        self.containers.insert(id.clone(), ObservedContainer { id: id.clone(), ..container });
        id
    }

    fn next_fault(&mut self, image: &str) -> Option<Fault> {
        let fault = self.faults.iter_mut().find(|fault| fault.image == image && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.clone())
    }

    fn is_bound(&self, port: &HostPort) -> bool {
        let running = self.containers.values().filter(|container| container.state.is_running());
        let collides = |other: &HostPort| other.collides(port.protocol, port.host_ip, port.host_port);
        self.busy_ports.contains(&port.host_port) || running.flat_map(|container| &container.ports).any(collides)
    }

    fn start(&mut self, id: &ContainerId) {
        self.starts += 1;
        let started_at = Some(Timestamp(self.starts));
        let Some(container) = self.containers.get_mut(id) else { return };
        container.state = ContainerState::Running;
        container.exit_code = None;
        container.restart_count = 0;
        container.started_at = started_at;
        let image = container.image.clone();
        if let Some(&code) = self.exits.get(&image) {
            self.exit(id, code);
            self.tick();
        }
    }

    fn exit(&mut self, id: &ContainerId, code: i64) {
        if let Some(container) = self.containers.get_mut(id) {
            container.state = ContainerState::Exited;
            container.exit_code = Some(code);
        }
    }

    /// The program of a container ends by itself.
    pub fn end(&mut self, id: &ContainerId, code: i64) {
        self.exit(id, code);
        self.tick();
    }

    /// The engine restarts by itself what it was told to, which exits again if its program does.
    pub fn tick(&mut self) {
        for (id, container) in &mut self.containers {
            let has_crashed = matches!(container.state, ContainerState::Exited | ContainerState::Restarting)
                && container.exit_code != Some(STOPPED);
            if !has_crashed || !self.restarted_by_engine.contains(id) {
                continue;
            }
            container.restart_count += 1;
            self.starts += 1;
            container.started_at = Some(Timestamp(self.starts));
            container.state = match self.exits.contains_key(&container.image) {
                true => ContainerState::Restarting,
                false => ContainerState::Running,
            };
        }
    }

    /// The program of a container ends, and its engine starts it again before anybody looks.
    pub fn begin_anew(&mut self, id: &ContainerId) {
        self.starts += 1;
        let container = self.containers.get_mut(id).unwrap();
        container.restart_count += 1;
        container.started_at = Some(Timestamp(self.starts));
    }

    /// The containers that run, by name.
    pub fn running(&self) -> Vec<String> {
        self.containers.values().filter(|c| c.state.is_running()).map(|c| c.name.clone()).collect()
    }
}

/// A running container without anything special about it.
pub(super) fn observed() -> ObservedContainer {
    ObservedContainer {
        id: ContainerId::parse("0").unwrap(),
        name: "somebody-elses".to_owned(),
        image: "httpd".to_owned(),
        state: ContainerState::Running,
        exit_code: None,
        created_at: Timestamp(0),
        ports: Vec::new(),
        limits: Resources::default(),
        labels: BTreeMap::new(),
        restart_count: 0,
        started_at: None,
    }
}
