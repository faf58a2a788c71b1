//! The engines of the pool: one task each that probes, lists and listens. What they find goes into the world;
//! a hanging engine delays nobody else.

mod agent_hosts;
mod doubts;
mod left;
mod listener;
mod watcher;

use crate::clock::Clock;
use crate::collect::{Desk, Term};
use crate::detect::Machine;
use crate::health::after_probe;
use crate::images::HostImages;
use crate::known::Shared;
pub use agent_hosts::SecondPath;

use agent_hosts::Detection;
use doubts::Doubts;
use pierhead_engine::{DynEngine, EngineEvent, RegistryAuth};
use pierhead_model::{ContainerId, Engine, EngineId, HealthStatus, ImageReference, Timestamp, WorkspaceId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watcher::{Watched, Watcher};

/// The way to an engine and the account that it pulls with.
pub struct Connection {
    /// The engine.
    pub engine: DynEngine,
    /// The account for pulls on this host.
    pub registry_auth: Option<RegistryAuth>,
}

/// Makes the way to an engine from its record. Must not fail for an engine that is away: that shows in its answers.
pub type Connect = Arc<dyn Fn(&Engine) -> Result<Connection, String> + Send + Sync>;

/// How engines are probed and listed.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// The time between two probes.
    pub interval: Duration,
    /// The longest time between two listings of an engine's containers.
    pub resync: Duration,
    /// How many containers are created and started at the same time on one engine.
    pub starts: usize,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), resync: Duration::from_secs(10), starts: 4 }
    }
}

impl Heartbeat {
    /// How long a probe may take: two of them and the wait before fit into three intervals.
    fn deadline(self) -> Duration {
        self.interval.mul_f64(0.8)
    }
}

/// How often a container that was started is looked at again at most.
const MOST_LOOKS_AFTER_START: usize = 20;
/// How much later than it may count as started or proven.
const LOOK_LATER: Duration = Duration::from_millis(10);
/// How many events are looked at one by one; more ask for a listing anyway.
const MOST_HINTS: usize = 1_000;

/// The engines of the pool.
pub(crate) struct Engines {
    shared: Arc<Shared>,
    connect: Connect,
    heartbeat: Heartbeat,
    clock: Clock,
    stop: CancellationToken,
    tasks: TaskTracker,
    desk: Desk,
    leading: watch::Receiver<Option<Term>>,
    links: Mutex<BTreeMap<EngineId, Arc<Link>>>,
    /// Somebody waits for changes of the engines' records.
    changed: Notify,
    detection: Arc<Detection>,
}

/// The way to one engine.
pub(crate) struct Link {
    id: EngineId,
    record: Engine,
    pub(crate) engine: DynEngine,
    /// Bounds creates and starts.
    pub(crate) starts: Semaphore,
    /// Bounds everything else.
    pub(crate) others: Semaphore,
    relist: Notify,
    probe: Notify,
    /// Judges a host with an agent; one that is reached at its address is judged by its probes alone.
    judge: Option<Mutex<Machine>>,
    hints: Mutex<Hints>,
    doubts: Mutex<Doubts>,
    touched: Mutex<Touched>,
    /// The account for pulls on this host.
    pub(crate) registry_auth: Option<RegistryAuth>,
    pub(crate) images: HostImages,
    ended: CancellationToken,
}

/// The containers that we read or removed by ourselves lately: a listing that began before says nothing about them.
#[derive(Default)]
struct Touched {
    count: u64,
    when: BTreeMap<ContainerId, u64>,
}

/// Why the containers may have to be listed anew.
#[derive(Default)]
struct Hints {
    /// Somebody needs a listing.
    is_asked: bool,
    /// Events since the last listing.
    events: Vec<EngineEvent>,
}

impl Engines {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connect: Connect,
        heartbeat: Heartbeat,
        desk: Desk,
        leading: watch::Receiver<Option<Term>>,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let clock = desk.clock;
        let detection = Arc::new(Detection::new(Arc::clone(&shared), clock));
        let (links, changed) = (Mutex::default(), Notify::new());
        Self { shared, connect, heartbeat, clock, stop, tasks, desk, leading, links, changed, detection }
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<EngineId, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to an engine.
    pub(crate) fn link(&self, id: &EngineId) -> Option<Arc<Link>> {
        self.links().get(id).cloned()
    }

    /// Opens links to engines that are new or whose address changed, and closes those that are gone.
    pub(crate) fn keep_up(&self) {
        let records: BTreeMap<EngineId, Engine> = {
            let known = self.shared.read();
            // Nothing is asked of a host that waits for approval, or has left.
            let is_used = |record: &Engine| !record.waits_for_approval() && !record.has_left();
            let used = known.world.engines().iter().filter(|(_, state)| is_used(&state.record));
            used.map(|(id, state)| (id.clone(), state.record.clone())).collect()
        };
        let mut links = self.links();
        links.retain(|id, link| {
            let kept = records.get(id).is_some_and(|record| same_way(record, &link.record));
            if !kept {
                link.ended.cancel();
            }
            kept
        });
        for (id, record) in records {
            if !links.contains_key(&id)
                && let Some(link) = self.open(&id, record)
            {
                links.insert(id, link);
            }
        }
        drop(links);
        self.note_those_who_left();
        self.changed.notify_one();
    }

    fn open(&self, id: &EngineId, record: Engine) -> Option<Arc<Link>> {
        let connection = match (self.connect)(&record) {
            Ok(connection) => connection,
            Err(reason) => {
                tracing::error!(engine = %id, reason, "the engine's address or certificates can't be used");
                let now = self.clock.now();
                self.shared.change(|known| {
                    if let Some(state) = known.world.engines().get(id) {
                        let health = after_probe(&state.health, Err(reason), now);
                        known.world.set_health(id, health);
                    }
                });
                return None;
            }
        };
        let detection = &self.detection;
        let judge = record.agent.is_some().then(|| Mutex::new(Machine::new(detection.rules, detection.now())));
        let link = Arc::new(Link {
            id: id.clone(),
            record,
            engine: connection.engine,
            registry_auth: connection.registry_auth,
            images: HostImages::default(),
            starts: Semaphore::new(self.heartbeat.starts),
            others: Semaphore::new(16),
            relist: Notify::new(),
            probe: Notify::new(),
            judge,
            hints: Mutex::default(),
            doubts: Mutex::default(),
            touched: Mutex::default(),
            ended: self.stop.child_token(),
        });
        let watcher = Watcher {
            link: Arc::clone(&link),
            shared: Arc::clone(&self.shared),
            heartbeat: self.heartbeat,
            clock: self.clock,
            desk: self.desk.clone(),
            leading: self.leading.clone(),
            detection: Arc::clone(detection),
        };
        for task in [Watched::Probe, Watched::List, Watched::Listen] {
            let watcher = watcher.clone();
            let ended = link.ended.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = ended.cancelled() => {}
                    () = watcher.run(task) => {}
                }
            });
        }
        Some(link)
    }

    /// Reads one container again, after something was done to it.
    pub(crate) async fn refresh(&self, link: &Link, id: &ContainerId) {
        let began = self.clock.now();
        let found = link.engine.container(id).await;
        link.touch(id);
        match found {
            Ok(container) => self.shared.change(|known| {
                known.world.set_container(&link.id, container);
                known.world.note_look(&link.id, id, began);
            }),
            Err(pierhead_engine::EngineError::NotFound) => self.forget(link, id),
            Err(error) => {
                tracing::debug!(engine = %link.id, container = %id, %error, "a container could not be read again");
                link.relist.notify_one();
            }
        }
    }

    /// Looks at a container that was just started when it may count as started, and as proven: it does only if it was
    /// seen to be in the same life then. One that keeps exiting is looked at for some lives more.
    pub(crate) fn watch_start(self: &Arc<Self>, engine: &EngineId, id: &ContainerId) {
        let (engines, engine, id) = (Arc::clone(self), engine.clone(), id.clone());
        self.tasks.spawn(async move {
            let (mut life, mut since) = (None, Instant::now());
            for _ in 0..MOST_LOOKS_AFTER_START {
                let Some((seen, goals)) = engines.life_of(&engine, &id) else { return };
                if life != Some(seen) {
                    (life, since) = (Some(seen), Instant::now());
                }
                let Some(goal) = goals.into_iter().find(|goal| since.elapsed() < *goal) else { return };
                tokio::select! {
                    () = engines.stop.cancelled() => return,
                    () = tokio::time::sleep_until(since + goal + LOOK_LATER) => {}
                }
                let Some(link) = engines.link(&engine) else { return };
                engines.refresh(&link, &id).await;
            }
        });
    }

    /// When a container was last started, if it is there, and after which times of one life it counts as more.
    fn life_of(&self, engine: &EngineId, id: &ContainerId) -> Option<(Option<Timestamp>, [Duration; 2])> {
        let known = self.shared.read();
        let container = known.world.engines().get(engine)?.containers.get(id)?;
        let policy = &known.world.policy;
        Some((container.started_at, [policy.started_ms, policy.proven_ms].map(Duration::from_millis)))
    }

    /// What an engine keeps its images with, as far as it told.
    pub(crate) fn storage_driver(&self, link: &Link) -> Option<String> {
        let known = self.shared.read();
        Some(known.world.engines().get(&link.id)?.facts.as_ref()?.storage_driver.clone())
    }

    /// The hosts that answer, those first that have containers of an image.
    pub(crate) fn answering(&self, image: &ImageReference) -> Vec<Arc<Link>> {
        let known = self.shared.read();
        let answers = known.world.engines().iter().filter(|(_, state)| state.health.status == HealthStatus::Healthy);
        let (with, without): (Vec<_>, Vec<_>) = answers
            .partition(|(_, state)| state.containers.values().any(|container| container.image == image.as_str()));
        with.into_iter().chain(without).filter_map(|(id, _)| self.link(id)).collect()
    }

    /// Whether a host counts as down, or is not in the pool any more.
    pub(crate) fn is_down(&self, link: &Link) -> bool {
        let known = self.shared.read();
        known.world.engines().get(&link.id).is_none_or(|state| state.health.status == HealthStatus::Down)
    }

    /// Whether a workspace has to stop because of what it has written to its host's disk.
    pub(crate) fn is_over_disk(&self, workspace: &WorkspaceId) -> bool {
        self.shared.read().world.over_disk(workspace).is_some()
    }

    /// The engines that answer.
    pub(crate) fn healthy(&self) -> Vec<Arc<Link>> {
        let known = self.shared.read();
        let answers = known.world.engines().iter().filter(|(_, state)| state.health.status == HealthStatus::Healthy);
        answers.filter_map(|(id, _)| self.link(id)).collect()
    }

    /// Takes note that a container is gone.
    pub(crate) fn forget(&self, link: &Link, id: &ContainerId) {
        link.touch(id);
        self.shared.change(|known| known.world.forget_container(&link.id, id));
    }
}

fn same_way(one: &Engine, other: &Engine) -> bool {
    // An agent is reached through its own tunnel wherever it is.
    let is_agents = one.agent.is_some() && other.agent.is_some();
    (one.addr == other.addr || is_agents)
        && one.sealed_tls == other.sealed_tls
        && one.sealed_registry_auth == other.sealed_registry_auth
}

impl Link {
    /// Asks for a listing of the engine's containers.
    pub(crate) fn relist(&self) {
        self.hints().is_asked = true;
        self.relist.notify_one();
    }

    /// Asks for a probe at once.
    pub(crate) fn probe(&self) {
        self.probe.notify_one();
    }

    /// Takes note of an event; whether it asks for a listing is seen when the burst is over.
    fn hint(&self, event: EngineEvent) {
        let mut hints = self.hints();
        if hints.events.len() < MOST_HINTS {
            hints.events.push(event);
        } else {
            hints.is_asked = true;
        }
        drop(hints);
        self.relist.notify_one();
    }

    fn doubts(&self) -> MutexGuard<'_, Doubts> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hints(&self) -> MutexGuard<'_, Hints> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn id(&self) -> &EngineId {
        &self.id
    }

    fn touched(&self) -> MutexGuard<'_, Touched> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self, id: &ContainerId) {
        let mut touched = self.touched();
        touched.count += 1;
        let count = touched.count;
        touched.when.insert(id.clone(), count);
    }
}
