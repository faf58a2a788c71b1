//! The list of an engine's containers, with what only a look at each of them shows.
//!
//! Looks are few: at containers that are not ours once a minute, for their limits, which anybody may change; at ours
//! when they have exited or were started just now. One that does not answer does not hide the others.

use super::observe::{self, Looked};
use super::{Docker, failure};
use crate::Engine;
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use bollard::query_parameters::ListContainersOptionsBuilder;
use futures_util::stream::{self, StreamExt};
use pierhead_model::{ContainerId, ObservedContainer, Resources};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the limits of a container that is not ours count as known.
const LIMITS_KNOWN_FOR: Duration = Duration::from_secs(60);
/// How long a container that did not answer is left alone.
const STUCK_LEFT_FOR: Duration = Duration::from_secs(60);
/// How many containers are looked at at the same time.
const LOOKS_AT_ONCE: usize = 8;

/// What earlier looks brought.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Limits of containers that are not ours, and when they were read.
    limits: Mutex<HashMap<ContainerId, (Instant, Resources)>>,
    /// Containers that did not answer, and when.
    stuck: Mutex<HashMap<ContainerId, Instant>>,
}

impl Memory {
    /// The limits, and whether they are fresh.
    fn limits(&self, id: &ContainerId, now: Instant) -> Option<(Resources, bool)> {
        let limits = lock(&self.limits);
        limits.get(id).map(|(read, limits)| (*limits, now.saturating_duration_since(*read) < LIMITS_KNOWN_FOR))
    }

    fn learn(&self, id: &ContainerId, limits: Resources, now: Instant) {
        lock(&self.limits).insert(id.clone(), (now, limits));
    }

    /// Whether a container did not answer lately.
    fn is_stuck(&self, id: &ContainerId, now: Instant) -> bool {
        lock(&self.stuck).get(id).is_some_and(|since| now.saturating_duration_since(*since) < STUCK_LEFT_FOR)
    }

    fn avoid(&self, id: &ContainerId, now: Instant) {
        lock(&self.stuck).insert(id.clone(), now);
    }

    /// Forgets containers that are gone.
    fn retain(&self, present: &[ObservedContainer]) {
        let (mut limits, mut stuck) = (lock(&self.limits), lock(&self.stuck));
        if limits.is_empty() && stuck.is_empty() {
            return;
        }
        let ids: HashSet<&ContainerId> = present.iter().map(|container| &container.id).collect();
        limits.retain(|id, _| ids.contains(id));
        stuck.retain(|id, _| ids.contains(id));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a look at a container brought.
enum Look {
    Seen(Looked),
    Gone,
    /// No answer in time: that container is stuck.
    Stuck,
}

impl Docker {
    /// The list, within its deadline as a whole.
    pub(super) async fn list(&self) -> Result<Vec<ObservedContainer>> {
        let deadline = self.deadlines.of(Verb::Containers, 0);
        self.within(Verb::Containers, deadline, async {
            let options = ListContainersOptionsBuilder::new().all(true).build();
            let summaries = self
                .call(Verb::Containers, deadline, |client| {
                    let options = options.clone();
                    async move { client.list_containers(Some(options)).await }
                })
                .await?;
            let young = summaries.iter().filter(|summary| observe::is_young(summary));
            let young = young.filter_map(|summary| ContainerId::parse(summary.id.as_deref()?).ok()).collect();
            let containers = summaries.into_iter().filter_map(observe::from_summary).collect();
            self.complete(containers, &young).await
        })
        .await
    }

    /// Fills in what a list does not show, and drops containers that vanished meanwhile.
    async fn complete(
        &self,
        mut containers: Vec<ObservedContainer>,
        young: &HashSet<ContainerId>,
    ) -> Result<Vec<ObservedContainer>> {
        let now = Instant::now();
        let unseen = self.unseen(&mut containers, young, now);
        let looks: Vec<(usize, Result<Look>)> = stream::iter(unseen)
            .map(|(index, id)| async move { (index, self.look(&id).await) })
            .buffer_unordered(LOOKS_AT_ONCE)
            .collect()
            .await;
        let (mut gone, mut stuck) = (HashSet::new(), Vec::new());
        for (index, look) in looks {
            let container = &mut containers[index];
            match look? {
                Look::Seen(looked) => {
                    if observe::is_foreign(container) {
                        self.memory.learn(&container.id, looked.limits, now);
                    }
                    looked.fill(container);
                }
                Look::Gone => drop(gone.insert(container.id.clone())),
                Look::Stuck => stuck.push(container.id.clone()),
            }
        }
        if !stuck.is_empty() {
            // Is it them, or the engine as a whole?
            self.ping().await?;
            for id in stuck {
                tracing::warn!(container = %id, "a container does not answer; it is left alone for a minute");
                self.memory.avoid(&id, now);
            }
        }
        containers.retain(|container| !gone.contains(&container.id));
        Ok(containers)
    }

    /// Fills in what is known from earlier looks, and says which containers are to be looked at.
    fn unseen(
        &self,
        containers: &mut [ObservedContainer],
        young: &HashSet<ContainerId>,
        now: Instant,
    ) -> Vec<(usize, ContainerId)> {
        self.memory.retain(containers);
        let mut unseen = Vec::new();
        for (index, container) in containers.iter_mut().enumerate() {
            let wanted = if observe::is_foreign(container) {
                let known = self.memory.limits(&container.id, now);
                container.limits = known.map(|(limits, _)| limits).unwrap_or_default();
                !known.is_some_and(|(_, fresh)| fresh)
            } else {
                observe::has_exited(container.state) || young.contains(&container.id)
            };
            if wanted && !self.memory.is_stuck(&container.id, now) {
                unseen.push((index, container.id.clone()));
            }
        }
        unseen
    }

    async fn look(&self, id: &ContainerId) -> Result<Look> {
        let deadline = self.deadlines.of(Verb::Container, 0);
        let attempt = async {
            let client = self.wire.client().await?;
            client.inspect_container(id.as_str(), None).await.map_err(|error| failure::classify(Verb::Container, error))
        };
        match tokio::time::timeout(deadline, attempt).await {
            Ok(Ok(container)) => Ok(Look::Seen(Looked::at(&container))),
            Ok(Err(EngineError::NotFound)) => Ok(Look::Gone),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(Look::Stuck),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ContainerId {
        ContainerId::parse(text).unwrap()
    }

    #[test]
    fn limits_grow_stale_and_are_forgotten_with_their_container() {
        let memory = Memory::default();
        let start = Instant::now();
        memory.learn(&id("a"), Resources::new(1, 2), start);
        assert_eq!(memory.limits(&id("a"), start), Some((Resources::new(1, 2), true)));
        assert_eq!(memory.limits(&id("a"), start + LIMITS_KNOWN_FOR), Some((Resources::new(1, 2), false)));
        assert_eq!(memory.limits(&id("b"), start), None);
        memory.retain(&[]);
        assert_eq!(memory.limits(&id("a"), start), None);
    }

    #[test]
    fn a_stuck_container_is_tried_again_after_a_while() {
        let memory = Memory::default();
        let start = Instant::now();
        assert!(!memory.is_stuck(&id("a"), start));
        memory.avoid(&id("a"), start);
        assert!(memory.is_stuck(&id("a"), start));
        assert!(!memory.is_stuck(&id("a"), start + STUCK_LEFT_FOR));
        memory.retain(&[]);
        assert!(!memory.is_stuck(&id("a"), start));
    }
}
