//! What is done for one engine all the time: probe it and list its containers. Listening is next door.

use super::agent_hosts::Detection;
use super::{Heartbeat, Link};
use crate::clock::{Clock, millis};
use crate::collect::{Desk, Term};
use crate::health::after_probe;
use crate::known::Shared;
use pierhead_engine::EngineEvent;
use pierhead_model::{ContainerId, ContainerState, HealthStatus, Ownership};
use pierhead_planner::EngineState;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a burst of events is collected before the containers are listed once.
const BURST: Duration = Duration::from_millis(100);

/// How much of a probe's time this controller may have slept through.
const ASLEEP: u64 = 100;

#[derive(Clone, Copy)]
pub(super) enum Watched {
    Probe,
    List,
    Listen,
}

#[derive(Clone)]
pub(super) struct Watcher {
    pub link: Arc<Link>,
    pub shared: Arc<Shared>,
    pub heartbeat: Heartbeat,
    pub clock: Clock,
    pub desk: Desk,
    pub leading: watch::Receiver<Option<Term>>,
    pub detection: Arc<Detection>,
}

impl Watcher {
    pub async fn run(self, task: Watched) {
        match task {
            Watched::Probe if self.link.judge.is_some() => self.probe_agent_for_ever().await,
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
            // Whoever doubts it, or knows that it is back, need not wait for the next turn.
            let _asked = tokio::time::timeout_at(began + self.heartbeat.interval, self.link.probe.notified()).await;
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
        if outcome.is_ok() {
            self.desk.measured.probes.observe(took);
        }
        self.note(outcome)
    }

    /// The probes of a host with an agent are one of several witnesses.
    async fn probe_agent_for_ever(&self) {
        loop {
            let began = Instant::now();
            self.probe_agent().await;
            let _asked = tokio::time::timeout_at(began + self.heartbeat.interval, self.link.probe.notified()).await;
        }
    }

    async fn probe_agent(&self) {
        let Some(judge) = &self.link.judge else { return };
        let (deadline, began, began_at) = (self.heartbeat.deadline(), Instant::now(), self.detection.now());
        let answer = tokio::time::timeout(deadline, self.link.engine.ping()).await;
        let (took, now) = (began.elapsed(), self.detection.now());
        let outcome = match answer {
            Ok(Ok(())) => {
                self.desk.measured.probes.observe(took);
                self.detection.answered(&self.link, took);
                Ok(())
            }
            // We were not running ourselves: that says nothing about the engine.
            _ if millis(took).saturating_sub(now.saturating_sub(began_at)) > ASLEEP => return,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", millis(deadline))),
        };
        judge.lock().unwrap_or_else(PoisonError::into_inner).probe(began_at, outcome, now);
        self.detection.look(&self.link);
    }

    pub(super) fn status(&self) -> HealthStatus {
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
            let due = Instant::now() + pause;
            while tokio::time::timeout_at(due, self.link.relist.notified()).await.is_ok() {
                if !listed {
                    // It has just come: there is no burst to wait for, and somebody may wait for it.
                    break;
                }
                tokio::time::sleep(BURST).await;
                if !self.are_known() {
                    break;
                }
            }
        }
    }

    /// Whether all that the hints tell is known already, as it is when we were the ones who did it: then listing
    /// everything would only keep the engine from its work.
    fn are_known(&self) -> bool {
        let hints = std::mem::take(&mut *self.link.hints());
        let known = self.shared.read();
        let Some(state) = known.world.engines().get(&self.link.id) else { return false };
        !hints.is_asked
            && state.is_listed
            && hints.events.iter().all(|event| is_known(&known.world.cluster, state, event))
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
        let (began, at) = (self.link.touched().count, self.clock.now());
        let mut listed = match self.link.engine.containers().await {
            Ok(containers) => containers,
            Err(error) => {
                tracing::debug!(engine = %self.link.id, %error, "the engine's containers could not be listed");
                return false;
            }
        };
        self.link.doubts().listed(at, &listed, self.clock.now());
        self.shared.change(|known| {
            let mut touched = self.link.touched();
            touched.when.retain(|_, when| *when > began);
            if let Some(state) = known.world.engines().get(&self.link.id) {
                listed.retain(|container| !touched.when.contains_key(&container.id));
                listed.extend(touched.when.keys().filter_map(|id| state.containers.get(id).cloned()));
            }
            #[cfg(feature = "mutants")]
            crate::mutants::forget_earlier_containers(&known.world, &mut listed);
            known.world.set_inventory(&self.link.id, listed);
            known.world.note_listing(&self.link.id, at);
        });
        true
    }
}

/// Whether what an event tells of a container is how the world has it.
fn is_known(cluster: &str, state: &EngineState, event: &EngineEvent) -> bool {
    let container = ContainerId::parse(event.id.as_str()).ok().and_then(|id| state.containers.get(&id));
    match event.status.as_str() {
        // Only we make containers with our label, and look at them ourselves once they were started.
        "create" if event.attributes.get(Ownership::CLUSTER).is_some_and(|id| id == cluster) => true,
        "create" | "start" | "restart" | "unpause" => {
            container.is_some_and(|found| found.state == ContainerState::Running)
        }
        "die" | "stop" | "kill" => container.is_none_or(|found| !found.state.is_running()),
        "destroy" => container.is_none(),
        "attach" | "detach" | "resize" | "top" | "copy" | "export" | "commit" => true,
        _ => false,
    }
}
