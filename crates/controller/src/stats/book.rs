//! What was read, by host and container, and what follows from it for the hosts. Pure: time is passed in.

use super::packed::Figures;
use super::series::{COARSE_MS, FINE_MS, History, Now, Pace, Series, Sums};
use pierhead_engine::Usage;
use pierhead_model::{ContainerId, EngineId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long a word of a host's agent counts, in milliseconds.
const LOAD_MS: u64 = 3_000;
/// How long what was found of a host counts, in milliseconds: it is found each second.
const FOUND_MS: u64 = 3_500;

/// What a host as a whole has to do, as its agent tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostLoad {
    /// How busy its cores were lately, together, in thousandths.
    pub cpu_permille: u32,
    /// Memory that can be used without swapping, in bytes.
    pub memory_available: u64,
}

/// What a host's figures are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// CPU and memory of the whole host, as its agent tells.
    Host,
    /// Its containers, summed up.
    Containers,
}

/// A host as the world has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) id: EngineId,
    /// Its cores and bytes of memory, as far as they are known.
    pub(super) capacity: Option<(f64, u64)>,
    /// Whether it answers and what runs on it is known.
    pub(super) is_usable: bool,
    /// All its containers, and whether each runs.
    pub(super) containers: Vec<(ContainerId, bool)>,
}

/// What a host uses now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OfHost {
    pub(super) figures: Figures,
    pub(super) measured: Measured,
    pub(super) capacity: (f64, u64),
}

/// Everything that is kept of hosts and containers.
#[derive(Debug, Default)]
pub(super) struct Book {
    hosts: BTreeMap<EngineId, Host>,
}

#[derive(Debug, Default)]
struct Host {
    load: Option<(u64, HostLoad)>,
    sums: Sums,
    found: Option<(u64, OfHost)>,
    containers: HashMap<ContainerId, Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    series: Series,
    /// When it is to be asked again, in milliseconds.
    due_ms: u64,
}

impl Book {
    /// Keeps what there is of these hosts and their containers, and nothing else.
    pub(super) fn keep(&mut self, seen: &[Seen], now_ms: u64) {
        let hosts: BTreeMap<&EngineId, &Seen> = seen.iter().map(|host| (&host.id, host)).collect();
        self.hosts.retain(|id, _| hosts.contains_key(id));
        for host in seen {
            let kept = self.hosts.entry(host.id.clone()).or_default();
            if kept.containers.len() > host.containers.len() || now_ms % COARSE_MS < FINE_MS {
                let there: BTreeSet<&ContainerId> = host.containers.iter().map(|(id, _)| id).collect();
                kept.containers.retain(|id, _| there.contains(id));
                kept.containers.values_mut().for_each(|kept| kept.series.history.forget_old(now_ms));
                kept.sums.history.forget_old(now_ms);
            }
        }
    }

    /// A host's agent told what it has to do.
    pub(super) fn load(&mut self, host: &EngineId, load: HostLoad, now_ms: u64) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.load = Some((now_ms, load));
        }
    }

    /// A container was read.
    pub(super) fn take(&mut self, host: &EngineId, id: &ContainerId, usage: Usage, pace: Pace, now_ms: u64) {
        let Some(host) = self.hosts.get_mut(host) else { return };
        // It does not run: that is no reading.
        if usage != Usage::default() {
            host.containers.entry(id.clone()).or_default().series.take(now_ms, usage, pace);
        }
    }

    /// Whether a container is to be asked now, which is then taken for done; `is_watched` if somebody looks.
    pub(super) fn is_due(&mut self, host: &EngineId, id: &ContainerId, is_watched: bool, now_ms: u64) -> bool {
        let Some(host) = self.hosts.get_mut(host) else { return false };
        let kept = host.containers.entry(id.clone()).or_default();
        if !is_watched && now_ms < kept.due_ms {
            return false;
        }
        // What was never asked is asked again soon, since it takes two readings to tell anything. Then each has its
        // own moments, so that an engine is not asked for all at once.
        kept.due_ms = if kept.due_ms == 0 { now_ms + FINE_MS } else { next_turn(id, now_ms) };
        true
    }

    /// A second has passed: what each host uses is summed up.
    pub(super) fn sum_up(&mut self, seen: &[Seen], now_ms: u64) {
        for host in seen {
            let Some(kept) = self.hosts.get_mut(&host.id) else { continue };
            if let Some((of_host, is_fine)) = kept.find(host, now_ms) {
                kept.sums.take(now_ms, &of_host.figures, is_fine);
                kept.found = Some((now_ms + FOUND_MS, of_host));
            } else {
                kept.found = None;
            }
        }
    }

    /// What a host uses now, as far as that is known.
    pub(super) fn host(&self, id: &EngineId, now_ms: u64) -> Option<OfHost> {
        self.hosts.get(id)?.found.filter(|(until, _)| now_ms <= *until).map(|(_, found)| found)
    }

    /// What a container uses now, as far as that is known.
    pub(super) fn container(&self, host: &EngineId, id: &ContainerId, now_ms: u64) -> Option<Now> {
        self.hosts.get(host)?.containers.get(id)?.series.now(now_ms).copied()
    }

    /// When a container was read last, in milliseconds, and how much CPU time it had used since it was started, in
    /// nanoseconds.
    pub(super) fn counter(&self, host: &EngineId, id: &ContainerId) -> Option<(u64, u64)> {
        self.hosts.get(host)?.containers.get(id)?.series.counter()
    }

    /// The history of a host, or of a container on it, from a moment on; empty if there is none.
    pub(super) fn history(
        &self,
        host: &EngineId,
        container: Option<&ContainerId>,
        now_ms: u64,
        since_ms: u64,
    ) -> [(u64, Vec<(u64, Figures)>); 2] {
        let kept = self.hosts.get(host);
        let history = match container {
            Some(id) => kept.and_then(|kept| kept.containers.get(id)).map(|kept| &kept.series.history),
            None => kept.map(|kept| &kept.sums.history),
        };
        history.unwrap_or(&History::default()).points(now_ms, since_ms)
    }
}

impl Host {
    /// What it uses, and whether that is of the last second.
    fn find(&self, seen: &Seen, now_ms: u64) -> Option<(OfHost, bool)> {
        let capacity = seen.capacity?;
        let load = self.load.filter(|(at, _)| seen.is_usable && now_ms.saturating_sub(*at) <= LOAD_MS);
        let running = seen.containers.iter().filter(|(_, runs)| *runs && seen.is_usable);
        let read: Vec<Option<Now>> =
            running.map(|(id, _)| self.containers.get(id)?.series.now(now_ms).copied()).collect();
        let sum = read.iter().flatten().fold(Figures::default(), |sum, now| sum.plus(&now.figures));
        if let Some((_, load)) = load {
            let used = capacity.1.saturating_sub(load.memory_available) as f64;
            let cpu_cores = f64::from(load.cpu_permille) / 1_000.0 * capacity.0;
            let figures = Figures { cpu_cores, memory_bytes: used, ..sum };
            return Some((OfHost { figures, measured: Measured::Host, capacity }, true));
        }
        // Of some that run nothing is known: a sum without them is no sum, but for those that have just begun.
        let is_known = seen.is_usable && (read.is_empty() || read.iter().any(Option::is_some));
        let is_fine = read.iter().all(|now| now.is_some_and(|now| now.pace == Pace::Fine));
        is_known.then_some((OfHost { figures: sum, measured: Measured::Containers, capacity }, is_fine))
    }
}

/// When a container is asked next that was asked just now: at its own place in each quarter of a minute.
fn next_turn(id: &ContainerId, now_ms: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let place = hasher.finish() % COARSE_MS;
    now_ms + COARSE_MS - (now_ms + COARSE_MS - place) % COARSE_MS
}

#[cfg(test)]
mod tests;
