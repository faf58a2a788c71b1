//! What is on a fake engine: containers, images, bound ports. The rules of Docker, without time or faults.

use super::exec::Process;
use super::networks::Networks;
use super::stats::Meter;
use super::{FakeImage, FakeOptions, archive};
use crate::error::{EngineError, Result};
use crate::exec::ExecId;
use crate::layers::shared;
use crate::output::{EngineEvent, LocalImage, LogLine};
use crate::request::{CreateRequest, RegistryAuth, uncovered};
use pierhead_model::{
    ContainerId, ContainerState, HostPort, ImageReference, ObservedContainer, Ownership, Protocol, Resources, Timestamp,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

/// The exit code of a process that was asked to stop.
const STOPPED: i64 = 143;
/// The exit code of a process that was killed.
const KILLED: i64 = 137;
/// The least memory that Docker holds a container to.
const LEAST_MEMORY_MB: u64 = 6;
/// Where ports that the engine chooses begin.
const FIRST_FREE_PORT: u16 = 49_153;

/// A container with what its engine knows of it.
pub(super) struct Held {
    pub(super) observed: ObservedContainer,
    pub(super) request: Option<Arc<CreateRequest>>,
    pub(super) meter: Meter,
    pub(super) log: Vec<(Timestamp, LogLine)>,
    /// What it has written over its image, in bytes.
    pub(super) written: u64,
    /// Whether nobody can say how much that is.
    pub(super) is_uncounted: bool,
    /// How many files it has made over its image.
    pub(super) files: u64,
    ports: Vec<HostPort>,
    engine_restarts: bool,
}

/// Who holds a port at which address; no container is something else of the host.
type Holder = (Option<IpAddr>, Option<ContainerId>);

impl Held {
    /// The network that it joins, if it is a workspace's.
    fn network(&self) -> Option<&str> {
        self.request.as_ref()?.workspace.as_ref().map(|part| part.network.as_str())
    }

    /// Keeps a piece of output, as text, because Docker's log files are JSON.
    pub(super) fn print(&mut self, now: Timestamp, line: LogLine) {
        let bytes = String::from_utf8_lossy(&line.bytes).into_owned().into_bytes();
        self.log.push((now, LogLine { bytes, ..line }));
    }
}

pub(super) struct World {
    pub(super) containers: BTreeMap<ContainerId, Held>,
    pub(super) processes: BTreeMap<ExecId, Process>,
    pub(super) networks: Networks,
    pub(super) images: BTreeMap<ImageReference, FakeImage>,
    pub(super) registry: BTreeMap<ImageReference, FakeImage>,
    /// What layers hold that were made here, in bytes.
    pub(super) layer_sizes: HashMap<String, u64>,
    /// The accounts that registries ask for.
    pub(super) accounts: HashMap<String, RegistryAuth>,
    /// What happened and was not told yet.
    pub(super) events: Vec<EngineEvent>,
    pub(super) now: Timestamp,
    /// The last events that were told, for listeners who come later.
    pub(super) told: VecDeque<EngineEvent>,
    last_nanos: u64,
    names: HashMap<String, ContainerId>,
    bound: HashMap<(Protocol, u16), Vec<Holder>>,
    next_id: u64,
    next_port: u16,
}

impl World {
    pub(super) fn new(options: &FakeOptions) -> Self {
        let by_name = |images: &[FakeImage]| images.iter().map(|i| (i.reference.clone(), i.clone())).collect();
        Self {
            containers: BTreeMap::new(),
            processes: BTreeMap::new(),
            networks: Networks::default(),
            images: by_name(&options.images),
            registry: by_name(&options.registry),
            layer_sizes: HashMap::new(),
            accounts: HashMap::new(),
            events: Vec::new(),
            now: Timestamp(0),
            told: VecDeque::new(),
            last_nanos: 0,
            names: HashMap::new(),
            bound: HashMap::new(),
            next_id: options.name.bytes().fold(0, |seed: u64, byte| mix(seed ^ u64::from(byte))),
            next_port: FIRST_FREE_PORT,
        }
    }

    pub(super) fn held(&mut self, id: &ContainerId) -> Result<&mut Held> {
        self.containers.get_mut(id).ok_or(EngineError::NotFound)
    }

    pub(super) fn create(&mut self, request: &CreateRequest) -> Result<ContainerId> {
        self.check(request)?;
        let image = &request.spec.image;
        if !self.images.contains_key(image) {
            return Err(EngineError::NoImage(format!("No such image: {image}")));
        }
        if self.names.contains_key(&request.name) {
            return Err(EngineError::NameTaken);
        }
        let mut labels = self.images[image].labels.clone();
        labels.extend(request.told_labels());
        let labels = uncovered(labels);
        let observed = ObservedContainer {
            id: self.new_id(),
            name: request.name.clone(),
            image: image.to_string(),
            state: ContainerState::Created,
            exit_code: None,
            created_at: self.now,
            ports: vec![],
            limits: Resources::new(request.spec.limits.cpu_limit_millis, request.spec.limits.reserved.memory_mb),
            labels,
            restart_count: 0,
            started_at: None,
        };
        let mut ports = request.ports.clone();
        if request.spec.publish_all {
            let exposes = self.images[image].exposes.clone();
            ports.extend(exposes.into_iter().map(|(protocol, container_port)| {
                self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_FREE_PORT);
                HostPort { protocol, host_ip: None, host_port: self.next_port, container_port }
            }));
        }
        Ok(self.insert(observed, ports, Some(request)))
    }

    /// Docker's own checks of a request.
    fn check(&self, request: &CreateRequest) -> Result<()> {
        crate::docker::check(request)?;
        let name = request.name.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
        if name.len() < 2 || !name[0].is_ascii_alphanumeric() || !name.iter().all(plain) {
            return Err(EngineError::Refused(format!("Invalid container name ({})", request.name)));
        }
        if request.spec.limits.reserved.memory_mb < LEAST_MEMORY_MB {
            return Err(EngineError::Refused(format!("Minimum memory limit allowed is {LEAST_MEMORY_MB}MB")));
        }
        match request.spec.links.keys().find(|name| !self.names.contains_key(*name)) {
            Some(name) => Err(EngineError::Failed(format!("could not get container for {name}"))),
            None => Ok(()),
        }
    }

    /// Puts a container there, whoever made it.
    pub(super) fn insert(
        &mut self,
        mut observed: ObservedContainer,
        ports: Vec<HostPort>,
        request: Option<&CreateRequest>,
    ) -> ContainerId {
        if observed.labels.contains_key(Ownership::CLUSTER) {
            observed.limits = Resources::default();
        }
        let id = observed.id.clone();
        self.names.insert(observed.name.clone(), id.clone());
        let held = Held {
            observed,
            request: request.map(|request| Arc::new(request.clone())),
            meter: Meter::default(),
            log: Vec::new(),
            written: 0,
            is_uncounted: false,
            files: 0,
            ports,
            engine_restarts: request.is_some_and(|request| request.engine_restarts),
        };
        self.containers.insert(id.clone(), held);
        self.tell(&id, "create", &[]);
        id
    }

    pub(super) fn start(&mut self, id: &ContainerId) -> Result<()> {
        let held = self.held(id)?;
        if held.observed.state.is_running() {
            return Ok(());
        }
        let (ports, engine_restarts) = (held.ports.clone(), held.engine_restarts);
        let network = held.network().map(str::to_owned);
        if let Some(network) = network.filter(|network| !self.networks.has(network)) {
            return Err(EngineError::Failed(format!("network {network} not found")));
        }
        let held = self.held(id)?;
        let image = ImageReference::parse(&held.observed.image).ok();
        let image = image.and_then(|image| self.images.get(&image)).cloned();
        if let Some(error) = image.as_ref().and_then(|image| image.start_error.clone()) {
            return Err(EngineError::NotStarted(error));
        }
        if let Some(port) = ports.iter().find(|port| self.is_bound(port)) {
            return Err(EngineError::PortTaken(format!(
                "Bind for port {} failed: port is already allocated",
                port.host_port
            )));
        }
        for port in &ports {
            self.bind(port.protocol, port.host_port, port.host_ip, Some(id.clone()));
        }
        let now = self.now;
        let held = self.held(id)?;
        held.observed.ports = ports;
        held.observed.state = ContainerState::Running;
        held.observed.exit_code = None;
        held.observed.restart_count = 0;
        // No two lives begin at the same moment.
        let earliest = held.observed.started_at.map_or(Timestamp(0), |last| last.plus(1));
        held.observed.started_at = Some(now.max(earliest));
        for line in image.iter().flat_map(|image| &image.prints) {
            held.print(now, line.clone());
        }
        self.tell(id, "start", &[]);
        if let Some(code) = image.and_then(|image| image.exits) {
            self.end(id, code)?;
            if engine_restarts {
                let held = self.held(id)?;
                held.observed.state = ContainerState::Restarting;
                held.observed.restart_count += 1;
            }
        }
        Ok(())
    }

    pub(super) fn stop(&mut self, id: &ContainerId) -> Result<()> {
        if self.held(id)?.observed.state.is_running() {
            self.tell(id, "kill", &[("signal", "15")]);
            self.end(id, STOPPED)?;
            self.tell(id, "stop", &[]);
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, id: &ContainerId) -> Result<()> {
        match self.held(id)?.observed.state {
            ContainerState::Paused => Ok(()),
            ContainerState::Running => {
                self.held(id)?.observed.state = ContainerState::Paused;
                self.tell(id, "pause", &[]);
                Ok(())
            }
            _ => Err(EngineError::Failed("the container does not run".to_owned())),
        }
    }

    pub(super) fn unpause(&mut self, id: &ContainerId) -> Result<()> {
        match self.held(id)?.observed.state {
            ContainerState::Running => Ok(()),
            ContainerState::Paused => {
                self.held(id)?.observed.state = ContainerState::Running;
                self.tell(id, "unpause", &[]);
                Ok(())
            }
            _ => Err(EngineError::Failed("the container does not run".to_owned())),
        }
    }

    /// The process ends by itself; an engine that restarts it does so at once.
    pub(super) fn exit(&mut self, id: &ContainerId, code: i64) -> Result<()> {
        let held = self.held(id)?;
        if !held.observed.state.is_running() {
            return Err(EngineError::Failed("the container does not run".to_owned()));
        }
        let (restarts, count) = (held.engine_restarts, held.observed.restart_count);
        self.end(id, code)?;
        if restarts {
            self.start(id)?;
            self.held(id)?.observed.restart_count = count + 1;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &ContainerId) {
        let Some(held) = self.containers.get(id) else { return };
        if held.observed.state.is_running() {
            self.tell(id, "kill", &[("signal", "9")]);
            let _there = self.end(id, KILLED);
        }
        self.tell(id, "destroy", &[]);
        self.forget_processes(id);
        if let Some(held) = self.containers.remove(id) {
            self.names.remove(&held.observed.name);
        }
    }

    /// A network goes as soon as nothing runs in it.
    pub(super) fn remove_network(&mut self, name: &str) -> Result<()> {
        let is_in_use = |held: &&Held| held.observed.state.is_running() && held.network() == Some(name);
        if self.containers.values().any(|held| is_in_use(&held)) {
            return Err(EngineError::Failed(format!("network {name} has active endpoints")));
        }
        self.networks.remove(name);
        Ok(())
    }

    pub(super) fn bind(&mut self, protocol: Protocol, port: u16, ip: Option<IpAddr>, holder: Option<ContainerId>) {
        self.bound.entry((protocol, port)).or_default().push((ip, holder));
    }

    pub(super) fn unbind(&mut self, protocol: Protocol, port: u16, holder: Option<&ContainerId>) {
        if let Some(holders) = self.bound.get_mut(&(protocol, port)) {
            holders.retain(|(_, by)| by.as_ref() != holder);
        }
    }

    pub(super) fn put_image(&mut self, image: FakeImage, status: &str) {
        let name = image.reference.to_string();
        self.images.insert(image.reference.clone(), image);
        let attributes = BTreeMap::from([("name".to_owned(), name.clone())]);
        let (status, subject, time) = (status.to_owned(), "image".to_owned(), self.now);
        let nanos = self.next_nanos();
        self.events.push(EngineEvent { status, subject, id: name, attributes, time, nanos });
    }

    /// Puts an archive's images there: by their names, and by their ids.
    pub(super) fn load(&mut self, archive: &[u8]) -> Result<()> {
        let missing = || EngineError::Failed("the archive holds no manifest.json".to_owned());
        for archived in archive::images(archive).ok_or_else(missing)? {
            self.check_layers(&archived)?;
            self.layer_sizes.extend(archived.sizes.clone());
            let named =
                |tag: &String| ImageReference::parse(tag).map_err(|error| EngineError::Failed(error.to_string()));
            let tags = archived.tags.iter().map(named).collect::<Result<Vec<_>>>()?;
            // The id of a fake's own image is no reference.
            for reference in tags.into_iter().chain(ImageReference::parse(&archived.id).ok()) {
                let (id, layers, labels) = (archived.id.clone(), archived.layers.clone(), archived.labels.clone());
                let image = FakeImage { reference, id, layers, labels, ..FakeImage::new("loaded") };
                self.put_image(image, "load");
            }
        }
        Ok(())
    }

    /// As on a real engine: a layer comes with the archive, or is there with all that lie below it.
    fn check_layers(&self, archived: &archive::Archived) -> Result<()> {
        let there = shared(&archived.layers, self.images.values().map(|image| image.layers.as_slice()));
        match archived.brought.iter().skip(there).position(|brought| !brought) {
            None => Ok(()),
            Some(at) => Err(EngineError::Failed(format!("open layer {}: no such file or directory", there + at))),
        }
    }

    /// An image as an archive.
    pub(super) fn save(&self, reference: &ImageReference) -> Result<Vec<u8>> {
        let image = self.images.get(reference).ok_or_else(|| EngineError::NoImage(format!("{reference}")))?;
        let tag = (reference.as_str() != image.id).then(|| reference.as_str());
        let sizes = image.layers.iter().filter_map(|layer| Some((layer.as_str(), *self.layer_sizes.get(layer)?)));
        Ok(archive::pack(&image.id, tag, &image.layers, &image.labels, &sizes.collect()))
    }

    /// What `docker images` lists.
    pub(super) fn local_images(&self) -> Vec<LocalImage> {
        let mut images: BTreeMap<&str, LocalImage> = BTreeMap::new();
        for (reference, image) in &self.images {
            let empty =
                LocalImage { id: image.id.clone(), tags: vec![], labels: image.labels.clone(), size_bytes: 1000 };
            let local = images.entry(&image.id).or_insert(empty);
            if reference.as_str() != image.id {
                local.tags.push(reference.to_string());
            }
        }
        images.into_values().collect()
    }

    /// What a registry that knows its accounts says.
    pub(super) fn check_account(&self, image: &ImageReference, auth: Option<&RegistryAuth>) -> Result<()> {
        let registry = image.registry().unwrap_or("docker.io");
        match (self.accounts.get(registry), auth) {
            (None, _) => Ok(()),
            (Some(known), Some(auth)) if (&known.username, &known.password) == (&auth.username, &auth.password) => {
                Ok(())
            }
            (Some(_), Some(_)) => Err(EngineError::NoImage(format!("{image}: unauthorized: authentication required"))),
            (Some(_), None) => Err(EngineError::NoImage(format!("{image}: no basic auth credentials"))),
        }
    }

    pub(super) fn new_id(&mut self) -> ContainerId {
        self.next_id = self.next_id.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let text: String = (0..4).map(|part| format!("{:016x}", mix(self.next_id ^ part))).collect();
        ContainerId::parse(text).expect("64 hexadecimal digits are an id")
    }

    fn is_bound(&self, port: &HostPort) -> bool {
        self.bound
            .get(&(port.protocol, port.host_port))
            .is_some_and(|holders| holders.iter().any(|(ip, _)| port.collides(port.protocol, *ip, port.host_port)))
    }

    fn end(&mut self, id: &ContainerId, code: i64) -> Result<()> {
        let held = self.held(id)?;
        held.observed.state = ContainerState::Exited;
        held.observed.exit_code = Some(code);
        for port in std::mem::take(&mut held.observed.ports) {
            self.unbind(port.protocol, port.host_port, Some(id));
        }
        self.kill_processes(id);
        self.tell(id, "die", &[("exitCode", &code.to_string())]);
        Ok(())
    }

    pub(super) fn tell(&mut self, id: &ContainerId, status: &str, more: &[(&str, &str)]) {
        let Some(held) = self.containers.get(id) else { return };
        let mut attributes = held.observed.labels.clone();
        attributes.insert("name".to_owned(), held.observed.name.clone());
        attributes.insert("image".to_owned(), held.observed.image.clone());
        attributes.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let nanos = self.next_nanos();
        self.events.push(EngineEvent {
            status: status.to_owned(),
            subject: "container".to_owned(),
            id: id.to_string(),
            attributes,
            time: self.now,
            nanos,
        });
    }

    /// No two events have the same moment.
    fn next_nanos(&mut self) -> u64 {
        self.last_nanos = (self.now.0 * 1_000_000).max(self.last_nanos + 1);
        self.last_nanos
    }

    /// What happened and was not told yet, kept for those who come later.
    pub(super) fn tell_now(&mut self, most: usize) -> Vec<EngineEvent> {
        let events = std::mem::take(&mut self.events);
        self.told.extend(events.iter().cloned());
        let surplus = self.told.len().saturating_sub(most);
        self.told.drain(..surplus);
        events
    }
}

/// Spreads the bits of a number (the finalizer of SplitMix64).
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
