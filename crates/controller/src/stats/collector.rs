//! Reads the engines: each running container once in a quarter of a minute, and as a stream while somebody looks.
//!
//! An engine that hangs or is away is not asked again and again, and nobody waits for it: of that time nothing is known.

use super::book::Seen;
use super::series::Pace;
use super::{Shared, Stats};
use crate::clock::Clock;
use crate::engines::Engines;
use crate::known::Known;
use futures_util::StreamExt;
use pierhead_engine::{DynEngine, EngineError};
use pierhead_model::{ContainerId, EngineId};
use pierhead_planner::EngineState;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::task::TaskTracker;

/// How often everything is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How many containers of a host are asked at the same time: an engine of version 20.10 takes a second for each.
const AT_ONCE: usize = 16;
/// How many containers of a host are read as a stream at the same time: each is a connection of the engine, and a stream
/// of the tunnel of its agent, which has 128 for everybody. Further ones are asked one after another.
const MOST_STREAMS: usize = 48;
/// How long an engine may take to tell what one container uses.
const PATIENCE: Duration = Duration::from_secs(4);
/// After how long a silent stream is given up.
const SILENCE: Duration = Duration::from_secs(5);
/// The pause before a stream that ended is opened again.
const PAUSE: Duration = Duration::from_secs(2);

/// A task that ends when this is dropped.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What reads all engines.
pub(crate) struct Collector {
    stats: Arc<Stats>,
    world: Arc<Shared>,
    engines: Arc<Engines>,
    clock: Clock,
    tasks: TaskTracker,
    streams: BTreeMap<(EngineId, ContainerId), Task>,
    /// Hosts that are being asked now.
    asked: BTreeMap<EngineId, (Arc<AtomicBool>, Task)>,
}

impl Collector {
    pub(crate) fn new(stats: Arc<Stats>, world: Arc<Shared>, engines: Arc<Engines>, tasks: TaskTracker) -> Self {
        let clock = stats.clock;
        Self { stats, world, engines, clock, tasks, streams: BTreeMap::new(), asked: BTreeMap::new() }
    }

    /// For ever.
    pub(crate) async fn run(mut self) {
        let mut timer = tokio::time::interval(TICK);
        timer.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            timer.tick().await;
            self.tick();
        }
    }

    fn tick(&mut self) {
        let (seen, now) = (see(&self.world.read()), self.clock.now().0);
        self.stats.book().keep(&seen, now);
        let watched = self.watched(&seen, now);
        self.stream(&watched);
        for host in seen.iter().filter(|host| host.is_usable) {
            self.ask(host, &watched, now);
        }
        self.stats.book().sum_up(&seen, now);
        self.stats.streams.store(self.streams.len(), Ordering::Relaxed);
        self.stats.tell(&self.world);
    }

    /// The running containers that somebody looks at.
    fn watched(&self, seen: &[Seen], now: u64) -> BTreeSet<(EngineId, ContainerId)> {
        let mut interest = self.stats.interest();
        interest.forget_old(now);
        let running = seen.iter().filter(|host| host.is_usable).flat_map(|host| {
            let running = host.containers.iter().filter(|(_, runs)| *runs);
            running.map(|(id, _)| (&host.id, id))
        });
        running.filter(|(host, id)| interest.is_in(host, id)).map(|(host, id)| (host.clone(), id.clone())).collect()
    }

    /// Opens streams of what is watched, as far as there may be so many, and ends all others.
    fn stream(&mut self, watched: &BTreeSet<(EngineId, ContainerId)>) {
        self.streams.retain(|which, task| watched.contains(which) && !task.0.is_finished());
        let mut open: BTreeMap<EngineId, usize> = BTreeMap::new();
        self.streams.keys().for_each(|(host, _)| *open.entry(host.clone()).or_default() += 1);
        for (host, id) in watched {
            let count = open.entry(host.clone()).or_default();
            let which = (host.clone(), id.clone());
            if *count >= MOST_STREAMS || self.streams.contains_key(&which) {
                continue;
            }
            let Some(link) = self.engines.link(host) else { continue };
            *count += 1;
            let read = read_stream(Arc::clone(&self.stats), Arc::clone(&link.engine), which.clone());
            self.streams.insert(which, Task(self.tasks.spawn(read).abort_handle()));
        }
    }

    /// Asks a host for those of its containers whose turn it is, unless it is still being asked.
    fn ask(&mut self, host: &Seen, watched: &BTreeSet<(EngineId, ContainerId)>, now: u64) {
        if self
            .asked
            .get(&host.id)
            .is_some_and(|(is_busy, task)| is_busy.load(Ordering::Relaxed) && !task.0.is_finished())
        {
            return;
        }
        self.asked.remove(&host.id);
        let Some(link) = self.engines.link(&host.id) else { return };
        let mut due = Vec::new();
        let mut book = self.stats.book();
        for (id, _) in host.containers.iter().filter(|(_, runs)| *runs) {
            let which = (host.id.clone(), id.clone());
            if self.streams.contains_key(&which) {
                continue;
            }
            let is_watched = watched.contains(&which);
            if book.is_due(&host.id, id, is_watched, now) {
                due.push((id.clone(), if is_watched { Pace::Fine } else { Pace::Coarse }));
            }
        }
        drop(book);
        if due.is_empty() {
            return;
        }
        let is_busy = Arc::new(AtomicBool::new(true));
        let (stats, engine, done) = (Arc::clone(&self.stats), Arc::clone(&link.engine), Arc::clone(&is_busy));
        let id = host.id.clone();
        let asking = self.tasks.spawn(async move {
            ask_each(&stats, &engine, &id, due).await;
            done.store(false, Ordering::Relaxed);
        });
        self.asked.insert(host.id.clone(), (is_busy, Task(asking.abort_handle())));
    }
}

/// What the world says of all hosts.
fn see(known: &Known) -> Vec<Seen> {
    let of = |(id, state): (&EngineId, &EngineState)| Seen {
        id: id.clone(),
        capacity: state.facts.as_ref().map(|facts| {
            (facts.capacity.cpu_millis as f64 / 1_000.0, facts.capacity.memory_mb.saturating_mul(1 << 20))
        }),
        is_usable: state.is_usable(),
        containers: state.containers.values().map(|found| (found.id.clone(), found.state.is_running())).collect(),
    };
    known.world.engines().iter().map(of).collect()
}

/// Reads the stream of a container for ever; one that ends or is silent is opened again.
async fn read_stream(stats: Arc<Stats>, engine: DynEngine, (host, id): (EngineId, ContainerId)) {
    loop {
        if let Ok(mut readings) = engine.stats(&id).await {
            while let Ok(Some(Ok(usage))) = tokio::time::timeout(SILENCE, readings.next()).await {
                let now = stats.clock.now().0;
                stats.book().take(&host, &id, usage, Pace::Fine, now);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks for one container after another, some at the same time. If the engine does not answer, the rest have to wait for
/// their next turn.
async fn ask_each(stats: &Stats, engine: &DynEngine, host: &EngineId, due: Vec<(ContainerId, Pace)>) {
    let asked = due.into_iter().map(|(id, pace)| async move {
        match tokio::time::timeout(PATIENCE, engine.usage(&id)).await {
            Ok(Ok(usage)) => {
                let now = stats.clock.now().0;
                stats.book().take(host, &id, usage, pace, now);
                true
            }
            // Of the others it may still tell.
            Ok(Err(error)) => !matches!(error, EngineError::Unreachable(_) | EngineError::TimedOut { .. }),
            Err(_) => false,
        }
    });
    let answers = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    answers.take_while(|answers| std::future::ready(*answers)).for_each(|_| std::future::ready(())).await;
}
