//! What running containers use now: asked of the engines only when somebody wants to know.

use crate::Controller;
use futures_util::StreamExt;
use pierhead_engine::Usage;
use pierhead_model::{ContainerId, EngineId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What all running containers of the pool use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PoolUsage {
    /// Cores, averaged since the last question, or since the container started.
    pub cpus: f64,
    /// Memory in MB.
    pub memory_mb: f64,
}

/// The CPU time of each container when it was asked last.
#[derive(Default)]
pub(crate) struct Readings {
    of_containers: Mutex<BTreeMap<ContainerId, (Timestamp, u64)>>,
    /// The last answer; whoever asks while it is being found waits for the same one.
    last: tokio::sync::Mutex<Option<LastAnswer>>,
}

struct LastAnswer {
    at: Timestamp,
    /// What was running.
    of: Running,
    usage: PoolUsage,
}

/// What runs on each engine, and when it was created.
type Running = BTreeMap<EngineId, Vec<(ContainerId, Timestamp)>>;

/// How long an answer is good, in milliseconds: an engine takes a second to read a container's figures, and CPU time to
/// do it.
const GOOD_FOR_MS: u64 = 3_000;
/// How many containers of one host are asked at the same time: they wait for the same second.
const AT_ONCE: usize = 256;
/// How long the answer waits for a host: one that hangs must not hold up what the others say.
const PATIENCE: Duration = Duration::from_secs(2);

impl Controller {
    /// What all running containers of the engines that answer use, as of at most some seconds ago. One that does not
    /// tell in time counts as nothing.
    pub async fn usage(&self) -> PoolUsage {
        let mut last = self.readings.last.lock().await;
        let running = self.running();
        if let Some(last) = last.as_ref()
            && last.of == running
            && self.clock.now().since(last.at) < GOOD_FOR_MS
        {
            return last.usage;
        }
        let usage = self.ask_for_usage(&running).await;
        *last = Some(LastAnswer { at: self.clock.now(), of: running, usage });
        usage
    }

    async fn ask_for_usage(&self, running: &Running) -> PoolUsage {
        self.readings.keep(running.values().flatten().map(|(id, _)| id));
        let hosts = running.iter().map(|(engine, containers)| self.usage_of_host(engine, containers));
        let parts = futures_util::future::join_all(hosts).await;
        parts.into_iter().flatten().fold(PoolUsage::default(), |sum, part| PoolUsage {
            cpus: sum.cpus + part.cpus,
            memory_mb: sum.memory_mb + part.memory_mb,
        })
    }

    /// What runs on the engines that answer, and when it was created.
    fn running(&self) -> Running {
        let known = self.known();
        let usable = known.world.engines().iter().filter(|(_, state)| state.is_usable());
        usable
            .map(|(engine, state)| {
                let running = state.containers.values().filter(|container| container.state.is_running());
                (engine.clone(), running.map(|container| (container.id.clone(), container.created_at)).collect())
            })
            .collect()
    }

    async fn usage_of_host(&self, engine: &EngineId, containers: &[(ContainerId, Timestamp)]) -> Vec<PoolUsage> {
        let Some(link) = self.engines.link(engine) else { return Vec::new() };
        let ask = |(id, created): &(ContainerId, Timestamp)| {
            let (link, id, created) = (Arc::clone(&link), id.clone(), *created);
            async move {
                let usage = link.engine.usage(&id).await.ok()?;
                Some(self.readings.take(&id, usage, created, self.clock.now()))
            }
        };
        futures_util::stream::iter(containers.iter().map(ask).collect::<Vec<_>>())
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .take_until(tokio::time::sleep(PATIENCE))
            .collect()
            .await
    }
}

impl Readings {
    /// Forgets all containers but these.
    fn keep<'a>(&self, ids: impl Iterator<Item = &'a ContainerId>) {
        let ids: BTreeSet<&ContainerId> = ids.collect();
        self.readings().retain(|id, _| ids.contains(id));
    }

    fn readings(&self) -> MutexGuard<'_, BTreeMap<ContainerId, (Timestamp, u64)>> {
        self.of_containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, id: &ContainerId, usage: Usage, created: Timestamp, now: Timestamp) -> PoolUsage {
        let mut readings = self.readings();
        let (then, cpu_then) =
            readings.get(id).copied().filter(|(_, cpu)| *cpu <= usage.cpu_nanos).unwrap_or((created, 0));
        let span = now.since(then);
        // Two questions in quick succession share the older reading: over a short span the average means little.
        if span >= 1_000 || !readings.contains_key(id) {
            readings.insert(id.clone(), (now, usage.cpu_nanos));
        }
        let cpus = if span == 0 { 0.0 } else { (usage.cpu_nanos - cpu_then) as f64 / (span as f64 * 1e6) };
        PoolUsage { cpus, memory_mb: usage.memory_bytes as f64 / f64::from(1 << 20) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_averaged_since_the_last_reading() {
        let readings = Readings::default();
        let id = ContainerId::parse("a1").unwrap();
        let usage =
            |seconds: u64| Usage { cpu_nanos: seconds * 1_000_000_000, memory_bytes: 3 << 20, ..Usage::default() };
        let first = readings.take(&id, usage(2), Timestamp(0), Timestamp(4_000));
        assert!((first.cpus - 0.5).abs() < 1e-9 && (first.memory_mb - 3.0).abs() < 1e-9);
        let second = readings.take(&id, usage(6), Timestamp(0), Timestamp(6_000));
        assert!((second.cpus - 2.0).abs() < 1e-9);
        let restarted = readings.take(&id, usage(1), Timestamp(6_000), Timestamp(8_000));
        assert!((restarted.cpus - 0.5).abs() < 1e-9, "a container that was restarted counts anew");
    }

    #[test]
    fn readings_of_containers_that_are_gone_are_forgotten() {
        let readings = Readings::default();
        let [gone, kept] = ["a1", "b2"].map(|id| ContainerId::parse(id).unwrap());
        for id in [&gone, &kept] {
            readings.take(id, Usage { cpu_nanos: 1, ..Usage::default() }, Timestamp(0), Timestamp(4_000));
        }
        readings.keep([&kept].into_iter());
        assert_eq!(readings.readings().keys().collect::<Vec<_>>(), [&kept]);
    }
}
