//! An engine in memory that behaves as the contract says, with faults on demand.
//!
//! For tests and measurements of what stands on engines. Whatever it does that a real engine would not is a defect:
//! both pass the same contract suite.

mod archive;
mod control;
mod depot;
mod exec;
mod logs;
mod networks;
mod program;
mod saves;
mod script;
mod stats;
mod verbs;
mod world;

pub use depot::FakeDepot;
pub use program::{PIPE, RAW, SIZES};
pub use script::Call;

use crate::deadlines::Deadlines;
use crate::output::{EngineEvent, LogLine};
use crate::pulls::Pulls;
use crate::{DynEngine, EngineError};
use pierhead_model::{ImageReference, Protocol, Resources, Timestamp};
use script::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{broadcast, watch};
use world::World;

/// How many events a slow listener may be behind before it loses some, as on a real engine.
const EVENTS_KEPT: usize = 256;

/// What a fake engine is like.
#[derive(Debug, Clone)]
pub struct FakeOptions {
    /// The host's name; container ids are derived from it too, so give different fakes different names.
    pub name: String,
    /// The host's CPU and memory.
    pub capacity: Resources,
    /// Labels of the engine's own configuration.
    pub labels: BTreeSet<String>,
    /// Images on the host.
    pub images: Vec<FakeImage>,
    /// Images that can be pulled.
    pub registry: Vec<FakeImage>,
    /// What was pushed to registries, by whichever engine has the same one.
    pub depot: FakeDepot,
    /// How long a call may take; short, so that tests of engines that hang end soon.
    pub deadlines: Deadlines,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            name: "fake".to_owned(),
            capacity: Resources::new(4000, 8192),
            labels: BTreeSet::new(),
            images: vec![],
            registry: vec![],
            depot: FakeDepot::default(),
            deadlines: Deadlines::uniform(Duration::from_millis(500)),
        }
    }
}

/// An image, and what its containers do.
#[derive(Debug, Clone)]
pub struct FakeImage {
    /// Its name.
    pub reference: ImageReference,
    /// Its id.
    pub id: String,
    /// The ports that it exposes.
    pub exposes: Vec<(Protocol, u16)>,
    /// The code with which its containers exit as soon as they are started; `None` if they run on.
    pub exits: Option<i64>,
    /// Why its containers do not start at all.
    pub start_error: Option<String>,
    /// What its containers print at each start, a line each.
    pub prints: Vec<LogLine>,
    /// The digests of its layers, the lowest first.
    pub layers: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl FakeImage {
    /// An image whose containers run until they are stopped.
    ///
    /// # Panics
    /// If `reference` is not a valid reference.
    #[must_use]
    pub fn new(reference: &str) -> Self {
        Self {
            reference: ImageReference::parse(reference).expect("a test names its images validly"),
            id: format!("sha256:{reference}"),
            exposes: vec![(Protocol::Tcp, 80)],
            exits: None,
            start_error: None,
            prints: vec![],
            layers: vec![archive::layer(reference)],
            labels: BTreeMap::new(),
        }
    }

    /// The same image, made of layers of these names, the lowest first; what has the same name is the same layer.
    #[must_use]
    pub fn layered(mut self, layers: &[&str]) -> Self {
        self.layers = layers.iter().map(|name| archive::layer(name)).collect();
        self
    }

    /// The same image, whose containers exit at once.
    #[must_use]
    pub fn exiting(mut self, code: i64) -> Self {
        self.exits = Some(code);
        self
    }

    /// The same image, whose containers do not start.
    #[must_use]
    pub fn failing(mut self, reason: &str) -> Self {
        self.start_error = Some(reason.to_owned());
        self
    }
}

/// A fake engine. Clones are handles of the same one: give one away as [`Fake::engine`], keep one to play fate.
#[derive(Clone)]
pub struct Fake {
    shared: Arc<Shared>,
}

struct Shared {
    options: FakeOptions,
    world: Mutex<World>,
    script: Script,
    /// `None` breaks every stream of events.
    events: broadcast::Sender<Option<EngineEvent>>,
    silent: AtomicBool,
    transfers: AtomicU64,
    loads_done: AtomicU64,
    loaded_bytes: AtomicU64,
    /// Held once more by each stream of statistics.
    stats_open: Arc<()>,
    /// How many of the next archives break off half-way.
    breaking: AtomicU64,
    pulls: Arc<Pulls<ImageReference>>,
    loads: Arc<Pulls<String>>,
    /// Rises whenever anything changes.
    changes: watch::Sender<u64>,
}

impl Fake {
    /// An engine with nothing on it but images.
    #[must_use]
    pub fn new(options: FakeOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                world: Mutex::new(World::new(&options)),
                script: Script::new(options.deadlines),
                events: broadcast::Sender::new(EVENTS_KEPT),
                silent: AtomicBool::new(false),
                transfers: AtomicU64::new(0),
                loads_done: AtomicU64::new(0),
                loaded_bytes: AtomicU64::new(0),
                stats_open: Arc::default(),
                breaking: AtomicU64::new(0),
                pulls: Arc::default(),
                loads: Arc::default(),
                changes: watch::Sender::new(0),
                options,
            }),
        }
    }

    /// This engine as the rest of the program sees it.
    #[must_use]
    pub fn engine(&self) -> DynEngine {
        Arc::new(self.clone())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and tells everybody what happened.
    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        world.now = now();
        let result = act(&mut world);
        let events = world.tell_now(EVENTS_KEPT);
        // Told before anybody else may look: a listener who comes now gets each event exactly once.
        if !self.shared.silent.load(Ordering::SeqCst) {
            for event in events {
                // Nobody listens: nobody is told.
                let _receivers = self.shared.events.send(Some(event));
            }
        }
        drop(world);
        self.shared.changes.send_modify(|changes| *changes += 1);
        result
    }
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").field("name", &self.shared.options.name).finish_non_exhaustive()
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn cut_off() -> EngineError {
    EngineError::Unreachable("connection refused".to_owned())
}

#[cfg(test)]
mod tests;
