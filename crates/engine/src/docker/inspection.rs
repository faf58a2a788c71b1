//! The list of an engine's containers, with what only a look at each of them shows.
//!
//! Looks are few: at containers that are not ours once a minute, for their limits, which anybody may change; at ours
//! when they have exited. One that does not answer does not hide the others.

use super::observe::{self, Looked};
use super::{Docker, failure};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use bollard::query_parameters::ListContainersOptionsBuilder;
use futures_util::stream::{self, StreamExt};
use pierhead_model::{ContainerId, ObservedContainer, Resources};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the limits of a container that is not ours count as known.
const LIMITS_KNOWN_FOR: Duration = Duration::from_secs(60);
/// How many containers are looked at at the same time.
const LOOKS_AT_ONCE: usize = 8;

/// Limits of containers that are not ours, and when they were read.
#[derive(Debug, Default)]
pub(super) struct LimitsCache {
    known: Mutex<HashMap<ContainerId, (Instant, Resources)>>,
}

impl LimitsCache {
    /// The limits, and whether they are fresh.
    fn get(&self, id: &ContainerId, now: Instant) -> Option<(Resources, bool)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).map(|(read, limits)| (*limits, now.saturating_duration_since(*read) < LIMITS_KNOWN_FOR))
    }

    fn put(&self, id: &ContainerId, limits: Resources, now: Instant) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), (now, limits));
    }

    /// Forgets containers that are gone.
    fn retain(&self, present: &[ObservedContainer]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > present.iter().filter(|container| observe::is_foreign(container)).count() {
            let ids: HashSet<&ContainerId> = present.iter().map(|container| &container.id).collect();
            known.retain(|id, _| ids.contains(id));
        }
    }
}

/// What a look at a container brought.
enum Look {
    Seen(Looked),
    Gone,
    /// No answer in time: that container is stuck.
    Stuck(EngineError),
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
            let containers = summaries.into_iter().filter_map(observe::from_summary).collect();
            self.complete(containers).await
        })
        .await
    }

    /// Fills in what a list does not show, and drops containers that vanished meanwhile.
    async fn complete(&self, mut containers: Vec<ObservedContainer>) -> Result<Vec<ObservedContainer>> {
        self.limits.retain(&containers);
        let now = Instant::now();
        let mut unseen = Vec::new();
        for (index, container) in containers.iter_mut().enumerate() {
            if observe::is_foreign(container) {
                let known = self.limits.get(&container.id, now);
                container.limits = known.map(|(limits, _)| limits).unwrap_or_default();
                if known.is_some_and(|(_, fresh)| fresh) {
                    continue;
                }
            } else if !observe::has_exited(container.state) {
                continue;
            }
            unseen.push((index, container.id.clone()));
        }
        let looks: Vec<(usize, Result<Look>)> = stream::iter(unseen)
            .map(|(index, id)| async move { (index, self.look(&id).await) })
            .buffer_unordered(LOOKS_AT_ONCE)
            .collect()
            .await;
        let (mut gone, mut stuck, mut seen) = (HashSet::new(), None, false);
        for (index, look) in looks {
            match look? {
                Look::Seen(looked) => {
                    seen = true;
                    if observe::is_foreign(&containers[index]) {
                        self.limits.put(&containers[index].id, looked.limits, now);
                    }
                    looked.fill(&mut containers[index]);
                }
                Look::Gone => {
                    gone.insert(index);
                }
                Look::Stuck(error) => {
                    tracing::warn!(container = %containers[index].id, %error, "a container cannot be looked at");
                    stuck = Some(error);
                }
            }
        }
        match stuck {
            // Not one container but the engine.
            Some(error) if !seen => Err(error),
            _ => {
                let mut index = 0;
                containers.retain(|_| {
                    index += 1;
                    !gone.contains(&(index - 1))
                });
                Ok(containers)
            }
        }
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
            Err(_) => Ok(Look::Stuck(super::timed_out(Verb::Container, deadline))),
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
        let cache = LimitsCache::default();
        let start = Instant::now();
        cache.put(&id("a"), Resources::new(1, 2), start);
        assert_eq!(cache.get(&id("a"), start), Some((Resources::new(1, 2), true)));
        assert_eq!(cache.get(&id("a"), start + LIMITS_KNOWN_FOR), Some((Resources::new(1, 2), false)));
        assert_eq!(cache.get(&id("b"), start), None);
        cache.retain(&[]);
        assert_eq!(cache.get(&id("a"), start), None);
    }
}
