//! One engine as the loop knows it, and whether it may be used.

use pierhead_model::{
    ContainerId, Duty, Engine, EngineFacts, EngineId, Health, HealthStatus, HostFacts, ObservedContainer, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// One engine as the loop knows it.
#[derive(Debug, Clone)]
pub struct EngineState {
    /// Its record.
    pub record: Engine,
    /// What it reports of itself; absent until it was reached.
    pub facts: Option<EngineFacts>,
    /// What its agent told of the host, if it has one and that has called.
    pub host: Option<HostFacts>,
    /// How it answers.
    pub health: Health,
    /// Its containers.
    pub containers: BTreeMap<ContainerId, ObservedContainer>,
    /// Whether `containers` is all that is on it: false until it was listed, and again once it was down.
    pub is_listed: bool,
    /// When it was last listed, if that is noted.
    pub(crate) listed_at: Option<Timestamp>,
    /// When single containers were looked at since.
    pub(crate) looked_at: BTreeMap<ContainerId, Timestamp>,
    /// The engine that it is another address of.
    pub same_as: Option<EngineId>,
}

impl EngineState {
    /// Whether it answers and its containers are known, so that it can be acted on.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let is_let_in = self.same_as.is_none() && !self.record.waits_for_approval();
        self.health.status == HealthStatus::Healthy && self.is_listed && self.facts.is_some() && is_let_in
    }

    /// Whether it is known what runs on it, or nobody waits for that.
    pub(crate) fn is_seen(&self) -> bool {
        let is_out = self.record.waits_for_approval() || self.health.status == HealthStatus::Down;
        self.is_listed || self.same_as.is_some() || is_out
    }

    /// Why it is not used although it answers: it is another address of an engine that was there before.
    #[must_use]
    pub fn why_unused(&self) -> Option<String> {
        let same = self.same_as.as_ref()?;
        Some(format!(
            "it has the same Docker id as {same} and is not used: remove one if both are one host; on a copied machine \
             remove /etc/docker/key.json and restart Docker"
        ))
    }

    /// Its labels: people's and its own.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<String> {
        let own = self.facts.iter().flat_map(|facts| facts.labels.iter().cloned());
        self.record.labels.iter().cloned().chain(own).collect()
    }

    /// Why nothing may be placed on it, in words.
    pub(super) fn unavailable(&self) -> Option<String> {
        if self.record.waits_for_approval() {
            return Some("it waits for approval".to_owned());
        }
        match self.health.status {
            HealthStatus::Healthy if self.is_usable() => match self.record.duty {
                Duty::InService => None,
                Duty::Cordoned | Duty::Drained => Some("cordoned".to_owned()),
            },
            HealthStatus::Healthy => {
                Some(self.why_unused().unwrap_or_else(|| "its containers are not known yet".to_owned()))
            }
            HealthStatus::Pending => Some("it was not reached yet".to_owned()),
            status => Some(format!("{}: {}", status.as_str(), self.health.reason)),
        }
    }
}
