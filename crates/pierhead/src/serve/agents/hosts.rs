//! What hosts tell of themselves, and hosts that wait for approval: of those nothing but that and their beats is asked.

use super::listen::{Listener, code, in_words};
use futures_util::{Stream, StreamExt};
use pierhead_agent::{Beat, EngineState, HostFacts, Tunnel};
use pierhead_controller::HostTold;
use pierhead_model::EngineId;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often a host is asked what it is, beside each time when it has called.
const ASKED: Duration = Duration::from_secs(60);
/// The least time between two looks at which controllers there are.
const BETWEEN_INTRODUCTIONS: Duration = Duration::from_secs(1);
/// How long it may take to tell.
const PATIENCE: Duration = Duration::from_secs(15);

impl Listener {
    /// Waits until a host is approved; `false` if it is gone or not believed any more.
    pub(super) async fn until_approved<S>(&self, id: &EngineId, shown: &str, tunnel: &Tunnel, beats: &mut S) -> bool
    where
        S: Stream<Item = pierhead_agent::Result<Beat>> + Unpin,
    {
        tracing::info!(engine = %id, from = %tunnel.from(), "a host waits for approval");
        let mut changes = self.controller.changes();
        let mut next = Instant::now();
        loop {
            if !self.controller.is_agent_of(id, shown) {
                return false;
            }
            if !self.controller.waits_for_approval(id) {
                return true;
            }
            tokio::select! {
                beat = beats.next() => if !matches!(beat, Some(Ok(_))) { return false },
                changed = changes.changed() => if changed.is_err() { return false },
                () = tokio::time::sleep_until(next) => {
                    self.ask(id, tunnel, tunnel.from().ip()).await;
                    next = Instant::now() + ASKED;
                }
            }
        }
    }

    /// Keeps what a host tells, as long as its tunnel is the newest.
    pub(super) async fn keep_told(self: Arc<Self>, id: EngineId, number: u64, from: IpAddr) {
        loop {
            // Not held in between: a tunnel ends when nobody has it any more.
            let Some(tunnel) = self.agents.tunnel_of(&id, number) else { return };
            self.ask(&id, &tunnel, from).await;
            drop(tunnel);
            tokio::time::sleep(ASKED).await;
        }
    }

    /// Tells a host of all controllers, whenever there are others, as long as its tunnel is the newest.
    pub(super) async fn keep_introduced(self: Arc<Self>, id: EngineId, number: u64) {
        let mut changes = self.controller.changes();
        let mut told = BTreeSet::new();
        loop {
            changes.mark_unchanged();
            let there = self.controller.agent_listeners();
            if there != told && !there.is_empty() {
                // Not held in between: a tunnel ends when nobody has it any more.
                let Some(tunnel) = self.agents.tunnel_of(&id, number) else { return };
                let telling = tunnel.introduce(there.iter().cloned().collect());
                match tokio::time::timeout(PATIENCE, telling).await {
                    Ok(Ok(())) => {}
                    // An agent of old calls whom it was told to at its start.
                    Ok(Err(error)) => tracing::debug!(engine = %id, %error, "the host does not want to know"),
                    Err(_) => {
                        tracing::debug!(engine = %id, "the host did not hear in time which controllers there are")
                    }
                }
                told = there;
            }
            if changes.changed().await.is_err() {
                return;
            }
            tokio::time::sleep(BETWEEN_INTRODUCTIONS).await;
        }
    }

    async fn ask(&self, id: &EngineId, tunnel: &Tunnel, from: IpAddr) {
        let facts = match tokio::time::timeout(PATIENCE, tunnel.facts()).await {
            Ok(Ok(facts)) => facts,
            Ok(Err(error)) => return tracing::debug!(engine = %id, %error, "the agent did not tell what its host is"),
            Err(_) => return tracing::debug!(engine = %id, "the agent did not tell in time what its host is"),
        };
        let from = from.to_string();
        let told = HostTold { labels: facts.labels.clone(), address: facts.address.clone(), from };
        if let Err(error) = self.controller.host_told(id, in_our_words(facts), &told).await {
            self.refused(Some(id.clone()), code(&error), format!("what its agent tells: {}", in_words(&error)));
        }
    }
}

fn in_our_words(facts: HostFacts) -> pierhead_model::HostFacts {
    let told = pierhead_model::HostFacts {
        agent_version: facts.agent_version,
        cpus: facts.cpus,
        memory_mb: facts.memory >> 20,
        addresses: facts.addresses,
        kernel: facts.kernel,
        lacks: facts.lacks,
        unguarded: facts.unguarded,
        ..Default::default()
    };
    match facts.engine {
        EngineState::Answers { id: _, version, api_version, runtime, storage_driver, cgroup_version } => {
            pierhead_model::HostFacts {
                engine_version: version,
                api_version,
                runtime,
                storage_driver,
                cgroup_version,
                ..told
            }
        }
        EngineState::Away { .. } => told,
    }
}
