//! What hosts and containers use: read from the engines, kept in memory for some hours, told to who looks.
//!
//! Each controller reads for itself and keeps its own history; nothing of it is stored. What is not known is not made up.

mod book;
mod collector;
mod interest;
mod packed;
mod ring;
mod series;

pub use book::{HostLoad, Measured};
pub(crate) use collector::Collector;
pub use interest::StatsOf;
pub use packed::Figures;

use crate::clock::Clock;
use crate::known::Shared;
use crate::{Controller, RequestError};
use book::{Book, OfHost};
use interest::Interest;
use pierhead_model::{ContainerId, EngineId, Timestamp};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What all hosts and containers use at a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// When.
    pub at: Timestamp,
    /// The hosts of which it is known, by their ids.
    pub engines: Vec<EngineStatistics>,
    /// The running containers of which it is known.
    pub containers: Vec<ContainerStatistics>,
}

/// What a host uses.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineStatistics {
    /// The host.
    pub id: EngineId,
    /// What CPU and memory are of; everything else is always of its containers.
    pub measured: Measured,
    /// What it uses.
    pub figures: Figures,
    /// Cores that it has.
    pub cpu_total: f64,
    /// Bytes of memory that it has.
    pub memory_total: u64,
}

/// What a container uses.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerStatistics {
    /// The container.
    pub id: ContainerId,
    /// Its name on its host.
    pub name: String,
    /// Its host.
    pub engine: EngineId,
    /// What it uses.
    pub figures: Figures,
    /// The most memory that it gets, in bytes: its own limit, or what the host has.
    pub memory_limit: u64,
}

/// One history.
#[derive(Debug, Clone, PartialEq)]
pub struct StatisticsSeries {
    /// The time between two points, in seconds.
    pub interval_s: u64,
    /// The points, the oldest first: when each span begins, and what was used in it. Where nothing was read there is none.
    pub points: Vec<(Timestamp, Figures)>,
}

/// Statistics as they are told to all who look, with what was made of them once.
#[derive(Debug, Default)]
pub struct Told {
    /// The statistics.
    pub statistics: Statistics,
    encoded: OnceLock<Arc<[u8]>>,
}

impl Told {
    /// What `encode` makes of it, which is done once for all who look.
    pub fn encoded(&self, encode: impl FnOnce(&Statistics) -> Vec<u8>) -> Arc<[u8]> {
        Arc::clone(self.encoded.get_or_init(|| encode(&self.statistics).into()))
    }
}

/// What is read, kept and told.
pub(crate) struct Stats {
    book: Mutex<Book>,
    interest: Mutex<Interest>,
    clock: Clock,
    told: watch::Sender<Arc<Told>>,
    /// How many streams of engines are read.
    streams: AtomicUsize,
}

impl Stats {
    pub(crate) fn new(clock: Clock) -> Self {
        let told = watch::Sender::new(Arc::default());
        Self { book: Mutex::default(), interest: Mutex::default(), clock, told, streams: AtomicUsize::new(0) }
    }

    /// A host's agent told what it has to do.
    pub(crate) fn load(&self, host: &EngineId, load: HostLoad) {
        self.book().load(host, load, self.clock.now().0);
    }

    /// The CPU time that a container had used, since it was started, when it was read last: when that was, and how much in
    /// nanoseconds.
    pub(crate) fn counter(&self, host: &EngineId, id: &ContainerId) -> Option<(Timestamp, u64)> {
        self.book().counter(host, id).map(|(at_ms, cpu_nanos)| (Timestamp(at_ms), cpu_nanos))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interest(&self) -> MutexGuard<'_, Interest> {
        self.interest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who looks, if anybody does.
    fn tell(&self, world: &Shared) {
        if self.told.receiver_count() > 0 {
            let statistics = self.now(world);
            self.told.send_replace(Arc::new(Told { statistics, encoded: OnceLock::new() }));
        }
    }

    fn now(&self, world: &Shared) -> Statistics {
        let at = self.clock.now();
        let known = world.read();
        let book = self.book();
        let mut all = Statistics { at, ..Statistics::default() };
        for (id, state) in known.world.engines() {
            if let Some(OfHost { figures, measured, capacity: (cpu_total, memory_total) }) = book.host(id, at.0) {
                all.engines.push(EngineStatistics { id: id.clone(), measured, figures, cpu_total, memory_total });
            }
            let running = state.containers.values().filter(|found| state.is_usable() && found.state.is_running());
            all.containers.extend(running.filter_map(|found| {
                let now = book.container(id, &found.id, at.0)?;
                Some(ContainerStatistics {
                    id: found.id.clone(),
                    name: found.name.clone(),
                    engine: id.clone(),
                    figures: now.figures,
                    memory_limit: now.memory_limit,
                })
            }));
        }
        all
    }
}

/// Statistics as they change, for one who looks: what comes while nobody takes it is skipped but for the newest.
pub struct StatisticsStream {
    stats: Arc<Stats>,
    of: StatsOf,
    told: watch::Receiver<Arc<Told>>,
    first: Option<Arc<Told>>,
    stop: CancellationToken,
}

impl StatisticsStream {
    /// What was asked for.
    #[must_use]
    pub fn of(&self) -> &StatsOf {
        &self.of
    }

    /// The next; the first at once, and `None` when the controller stops. May be dropped without losing any.
    pub async fn next(&mut self) -> Option<Arc<Told>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        tokio::select! {
            changed = self.told.changed() => changed.ok()?,
            () = self.stop.cancelled() => return None,
        }
        Some(Arc::clone(&self.told.borrow_and_update()))
    }
}

impl Drop for StatisticsStream {
    fn drop(&mut self) {
        self.stats.interest().end(&self.of, self.stats.clock.now().0);
    }
}

impl Controller {
    /// What all hosts and containers use now, as far as it is known. It is of the last second where somebody looks, and
    /// else of the last quarter of a minute.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.stats.now(&self.shared)
    }

    /// The same again and again, once a second. Dropping it ends it.
    #[must_use]
    pub fn watch_statistics(&self, of: StatsOf) -> StatisticsStream {
        self.stats.interest().begin(of.clone());
        let mut told = self.stats.told.subscribe();
        told.mark_unchanged();
        let first = Some(Arc::new(Told { statistics: self.statistics(), encoded: OnceLock::new() }));
        StatisticsStream { stats: Arc::clone(&self.stats), of, told, first, stop: self.stop.clone() }
    }

    /// What a host or a container used from a moment on: the last five minutes by the second, as far as somebody looked
    /// then, and the last six hours by the quarter of a minute.
    ///
    /// # Errors
    /// If there is no such host or container.
    pub fn statistics_history(
        &self,
        of: &StatsOf,
        since: Option<Timestamp>,
    ) -> Result<Vec<StatisticsSeries>, RequestError> {
        let (engine, container) = match of {
            StatsOf::All => return Ok(Vec::new()),
            StatsOf::Engine(id) => (id.clone(), None),
            StatsOf::Container(id) => (self.find_container(id.as_str())?.engine, Some(id)),
        };
        let (now, since) = (self.clock.now().0, since.map_or(0, |since| since.0));
        let found = self.stats.book().history(&engine, container, now, since);
        let series = found.into_iter().map(|(step_ms, points)| StatisticsSeries {
            interval_s: step_ms / 1_000,
            points: points.into_iter().map(|(at, figures)| (Timestamp(at), figures)).collect(),
        });
        Ok(series.collect())
    }

    /// What is meant by the id of a host or container, in the forms in which people give them.
    ///
    /// # Errors
    /// If there is no such host or container, or several.
    pub fn statistics_of(&self, engine: Option<&str>, container: Option<&str>) -> Result<StatsOf, RequestError> {
        if let Some(id) = container {
            return Ok(StatsOf::Container(self.find_container(id)?.observed.id));
        }
        let Some(text) = engine else { return Ok(StatsOf::All) };
        let found = EngineId::parse(text).ok().filter(|id| self.known().world.engines().contains_key(id));
        let missing =
            || RequestError::NotFound { what: "engine", id: text.chars().take(64).collect(), replaced_by: None };
        found.map(StatsOf::Engine).ok_or_else(missing)
    }

    /// How many look at statistics, and how many containers are read as streams for them.
    #[must_use]
    pub fn statistics_load(&self) -> (usize, usize) {
        (self.stats.interest().viewers(), self.stats.streams.load(Ordering::Relaxed))
    }
}
