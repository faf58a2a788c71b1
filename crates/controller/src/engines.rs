//! The engines of the pool: one task each that probes, lists and listens. What they find goes into the world;
//! a hanging engine delays nobody else.

use crate::clock::{Clock, millis};
use crate::health::after_probe;
use crate::known::Shared;
use futures_util::StreamExt;
use pierhead_engine::{DynEngine, Progress, RegistryAuth};
use pierhead_model::{ContainerId, Engine, EngineId, HealthStatus, ImageReference};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

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

/// How long an event stream may be silent before it is opened anew.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a burst of events is collected before the containers are listed once.
const BURST: Duration = Duration::from_millis(100);

/// The engines of the pool.
pub(crate) struct Engines {
    shared: Arc<Shared>,
    connect: Connect,
    heartbeat: Heartbeat,
    clock: Clock,
    stop: CancellationToken,
    tasks: TaskTracker,
    links: Mutex<BTreeMap<EngineId, Arc<Link>>>,
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
    touched: Mutex<Touched>,
    /// The account for pulls on this host.
    pub(crate) registry_auth: Option<RegistryAuth>,
    pulls: Arc<Mutex<BTreeMap<ImageReference, u8>>>,
    ended: CancellationToken,
}

/// The containers that we read or removed by ourselves lately: a listing that began before says nothing about them.
#[derive(Default)]
struct Touched {
    count: u64,
    when: BTreeMap<ContainerId, u64>,
}

impl Engines {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connect: Connect,
        heartbeat: Heartbeat,
        clock: Clock,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        Self { shared, connect, heartbeat, clock, stop, tasks, links: Mutex::new(BTreeMap::new()) }
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
        let records: BTreeMap<EngineId, Engine> =
            self.shared.read().world.engines().iter().map(|(id, state)| (id.clone(), state.record.clone())).collect();
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
        let link = Arc::new(Link {
            id: id.clone(),
            record,
            engine: connection.engine,
            registry_auth: connection.registry_auth,
            pulls: Arc::default(),
            starts: Semaphore::new(self.heartbeat.starts),
            others: Semaphore::new(16),
            relist: Notify::new(),
            touched: Mutex::default(),
            ended: self.stop.child_token(),
        });
        let watcher = Watcher {
            link: Arc::clone(&link),
            shared: Arc::clone(&self.shared),
            heartbeat: self.heartbeat,
            clock: self.clock,
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
        let found = link.engine.container(id).await;
        link.touch(id);
        match found {
            Ok(container) => self.shared.change(|known| known.world.set_container(&link.id, container)),
            Err(pierhead_engine::EngineError::NotFound) => self.forget(link, id),
            Err(error) => {
                tracing::debug!(engine = %link.id, container = %id, %error, "a container could not be read again");
                link.relist.notify_one();
            }
        }
    }

    /// Takes note that a container is gone.
    pub(crate) fn forget(&self, link: &Link, id: &ContainerId) {
        link.touch(id);
        self.shared.change(|known| known.world.forget_container(&link.id, id));
    }
}

fn same_way(one: &Engine, other: &Engine) -> bool {
    one.addr == other.addr
        && one.sealed_tls == other.sealed_tls
        && one.sealed_registry_auth == other.sealed_registry_auth
}

impl Link {
    /// Asks for a listing of the engine's containers.
    pub(crate) fn relist(&self) {
        self.relist.notify_one();
    }

    /// Keeps note of how far a pull is.
    pub(crate) fn pull_progress(&self, image: &ImageReference) -> Progress {
        let (pulls, image) = (Arc::clone(&self.pulls), image.clone());
        Arc::new(move |percent| {
            pulls.lock().unwrap_or_else(PoisonError::into_inner).insert(image.clone(), percent);
        })
    }

    /// The pull has ended, well or not.
    pub(crate) fn pulled(&self, image: &ImageReference) {
        self.pulls.lock().unwrap_or_else(PoisonError::into_inner).remove(image);
    }

    /// How far the pull of an image is, in per cent, if it is under way.
    pub(crate) fn pulling(&self, image: &ImageReference) -> Option<u8> {
        self.pulls.lock().unwrap_or_else(PoisonError::into_inner).get(image).copied()
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

#[derive(Clone, Copy)]
enum Watched {
    Probe,
    List,
    Listen,
}

#[derive(Clone)]
struct Watcher {
    link: Arc<Link>,
    shared: Arc<Shared>,
    heartbeat: Heartbeat,
    clock: Clock,
}

impl Watcher {
    async fn run(self, task: Watched) {
        match task {
            Watched::Probe => self.probe_for_ever().await,
            Watched::List => self.list_for_ever().await,
            Watched::Listen => self.listen_for_ever().await,
        }
    }

    async fn probe_for_ever(&self) {
        loop {
            let began = Instant::now();
            let status = self.probe().await;
            if status == HealthStatus::Suspect {
                // Tried once more, at once.
                continue;
            }
            tokio::time::sleep_until(began + self.heartbeat.interval).await;
        }
    }

    async fn probe(&self) -> HealthStatus {
        let deadline = self.heartbeat.deadline();
        let began = Instant::now();
        let answer = tokio::time::timeout(deadline, self.link.engine.ping()).await;
        let took = began.elapsed();
        if answer.is_err() && took > deadline + deadline / 2 {
            // We were not running ourselves: that says nothing about the engine.
            tracing::warn!(engine = %self.link.id, late_ms = millis(took), "this controller is slow; the probe is not counted");
            return self.status();
        }
        let outcome = match answer {
            Ok(Ok(())) => Ok(millis(took)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", millis(deadline))),
        };
        self.note(outcome)
    }

    fn status(&self) -> HealthStatus {
        self.shared.read().world.engines().get(&self.link.id).map_or(HealthStatus::Pending, |state| state.health.status)
    }

    fn note(&self, outcome: Result<u64, String>) -> HealthStatus {
        let now = self.clock.now();
        let known = self.shared.read();
        let Some(state) = known.world.engines().get(&self.link.id) else { return HealthStatus::Pending };
        let before = state.health.clone();
        drop(known);
        let after = after_probe(&before, outcome, now);
        if after == before {
            return after.status;
        }
        let status = after.status;
        if before.status != status {
            tracing::info!(engine = %self.link.id, from = before.status.as_str(), to = status.as_str(), reason = after.reason, "engine health");
            if status == HealthStatus::Healthy {
                self.link.relist();
            }
        }
        if before.status == status {
            self.shared.change_quietly(|known| known.world.set_health(&self.link.id, after));
        } else {
            self.shared.change(|known| known.world.set_health(&self.link.id, after));
        }
        status
    }

    async fn list_for_ever(&self) {
        let mut facts_at: Option<Instant> = None;
        loop {
            let is_due = facts_at.is_none_or(|at| at.elapsed() > self.heartbeat.resync);
            if is_due && self.status() == HealthStatus::Healthy && self.read_facts().await {
                facts_at = Some(Instant::now());
            }
            let listed = self.status() == HealthStatus::Healthy && self.list().await;
            let pause = if listed { self.heartbeat.resync } else { self.heartbeat.interval };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.link.relist.notified() => tokio::time::sleep(BURST).await,
            }
        }
    }

    async fn read_facts(&self) -> bool {
        match self.link.engine.facts().await {
            Ok(facts) => {
                self.shared.change(|known| known.world.set_facts(&self.link.id, facts));
                true
            }
            Err(error) => {
                tracing::debug!(engine = %self.link.id, %error, "the engine did not describe itself");
                false
            }
        }
    }

    /// Lists the containers. Of those that we touched meanwhile, what we know by ourselves is newer.
    async fn list(&self) -> bool {
        let began = self.link.touched().count;
        let mut listed = match self.link.engine.containers().await {
            Ok(containers) => containers,
            Err(error) => {
                tracing::debug!(engine = %self.link.id, %error, "the engine's containers could not be listed");
                return false;
            }
        };
        self.shared.change(|known| {
            let mut touched = self.link.touched();
            touched.when.retain(|_, when| *when > began);
            if let Some(state) = known.world.engines().get(&self.link.id) {
                listed.retain(|container| !touched.when.contains_key(&container.id));
                listed.extend(touched.when.keys().filter_map(|id| state.containers.get(id).cloned()));
            }
            known.world.set_inventory(&self.link.id, listed);
        });
        true
    }

    /// Events are hints: each asks for a listing. A stream that ended or fell silent is opened anew.
    async fn listen_for_ever(&self) {
        loop {
            if self.status() == HealthStatus::Healthy
                && let Ok(mut events) = self.link.engine.events().await
            {
                self.link.relist();
                while let Ok(Some(Ok(event))) = tokio::time::timeout(SILENCE, events.next()).await {
                    if event.subject == "container" && !event.status.starts_with("exec_") {
                        self.link.relist();
                    }
                }
            }
            tokio::time::sleep(self.heartbeat.interval).await;
        }
    }
}
