//! Engines: Docker hosts, what people say of them, and what they say of themselves.

use crate::{EngineId, Resources, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The record of a Docker host, as an administrator added it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// Its id.
    pub id: EngineId,
    /// Where its API answers: `http://10.0.0.5:2375`, `https://…:2376` or `unix:///var/run/docker.sock`; for a host
    /// with an agent `agent://10.0.0.5`. The host part is also where its published ports answer.
    pub addr: String,
    /// Labels given by people; the engine's own come on top.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// Replaces what the engine reports of its capacity, in whole or in part.
    #[serde(default)]
    pub capacity: Capacity,
    /// How much more than its capacity may be reserved.
    #[serde(default)]
    pub over_commit: OverCommit,
    /// Whether new slots may come to it.
    #[serde(default, skip_serializing_if = "Duty::is_in_service")]
    pub duty: Duty,
    /// Whether an administrator gave it up while it did not answer: its slots may leave it whatever else is lost with
    /// it. Over when it answers again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
    /// A client certificate for its API and the authority that signed the engine's own, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_tls: Option<String>,
    /// A registry account for pulls on this host, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_registry_auth: Option<String>,
    /// The certificates of the agent that the host is reached through; absent for one that is reached at its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentKeys>,
    /// Whether the host registered itself in etcd; absent for one that was added by hand or joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
    /// When it was added.
    pub added_at: Timestamp,
    /// Who added it.
    pub added_by: Username,
}

/// How a host stands that registered itself in etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registered {
    /// Its registration is there.
    Now,
    /// Its registration has gone: it counts as down, whatever its engine answers.
    NoMore,
}

/// What a host's agent is recognised by. Without any certificate it is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentKeys {
    /// The certificates that count, the newest last: two while one replaces the other.
    pub certificates: Vec<AgentCertificate>,
    /// Whether the host waits until an administrator approves it: until then nothing is asked of its engine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// Those of the engine's labels that its agent gave it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
    /// Whether the agent was told its address; else it is where it calls from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_address_given: bool,
}

/// A certificate of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentCertificate {
    /// SHA-256, 64 hexadecimal digits.
    pub fingerprint: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What an administrator lets a host do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Slots are placed on it.
    #[default]
    InService,
    /// Nothing new is placed on it; what lives there stays.
    Cordoned,
    /// The same, and what is stopped there starts on another host. An operation moves what runs.
    Drained,
}

impl Duty {
    /// Whether slots are placed on the host.
    #[must_use]
    pub fn is_in_service(&self) -> bool {
        *self == Self::InService
    }
}

/// A capacity typed in by an administrator; an absent part is read from the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capacity {
    /// Thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<u64>,
    /// Megabytes of 2^20 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
}

/// Factors on a host's capacity, in per cent so that reservations stay whole numbers. 100 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverCommit {
    /// Per cent of the CPU that may be reserved.
    pub cpu_percent: u32,
    /// Per cent of the memory that may be reserved.
    pub memory_percent: u32,
}

impl Default for OverCommit {
    fn default() -> Self {
        Self { cpu_percent: 100, memory_percent: 100 }
    }
}

/// What an engine reports of itself and its host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EngineFacts {
    /// The engine's own id: two addresses that show the same one lead to the same engine. Empty if it has none.
    #[serde(default)]
    pub identity: String,
    /// The host's name.
    pub name: String,
    /// The host's CPU and memory.
    pub capacity: Resources,
    /// The engine's version.
    pub version: String,
    /// The API version that we speak with it.
    pub api_version: String,
    /// Its operating system, in its own words.
    pub operating_system: String,
    /// Its kernel.
    pub kernel: String,
    /// Its storage driver.
    pub storage_driver: String,
    /// Labels of the engine's own configuration.
    pub labels: BTreeSet<String>,
    /// Number of images on it.
    pub images: u64,
    /// What it lacks of what Pierhead wants from an engine, each a sentence for an administrator.
    pub lacks: Vec<String>,
}

impl Engine {
    /// Whether the host waits until an administrator approves it.
    #[must_use]
    pub fn waits_for_approval(&self) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.waits)
    }

    /// Whether the host registered itself in etcd, and is not registered any more.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.registered == Some(Registered::NoMore)
    }

    /// Whether nobody has set anything in the record beyond the address: it can be made anew from a registration.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.labels.is_empty()
            && self.capacity == Capacity::default()
            && self.over_commit == OverCommit::default()
            && self.duty.is_in_service()
            && self.sealed_tls.is_none()
            && self.sealed_registry_auth.is_none()
            && self.agent.is_none()
    }

    /// What may be reserved on the host: its capacity or what replaces it, times the over-commit.
    #[must_use]
    pub fn allocatable(&self, facts: &EngineFacts) -> Resources {
        let cpu = self.capacity.cpu_millis.unwrap_or(facts.capacity.cpu_millis);
        let memory = self.capacity.memory_mb.unwrap_or(facts.capacity.memory_mb);
        Resources::new(
            cpu.saturating_mul(u64::from(self.over_commit.cpu_percent)) / 100,
            memory.saturating_mul(u64::from(self.over_commit.memory_percent)) / 100,
        )
    }

    /// The host part of the address: where published ports answer. For a socket of this machine, its loopback.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let (scheme, rest) = self.addr.split_once("://")?;
        if scheme == "unix" {
            return Some("127.0.0.1");
        }
        let authority = rest.split('/').next()?;
        let port = authority.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let host = port.map_or(authority, |(host, _)| host);
        Some(host.trim_start_matches('[').trim_end_matches(']'))
    }
}

/// How an engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Just added; not probed yet.
    #[default]
    Pending,
    /// It answers.
    Healthy,
    /// It did not answer for a moment; it is being tried once more. Nothing new is placed on it meanwhile.
    Suspect,
    /// It is lost, or cannot be managed.
    Down,
}

/// An engine's health, with the reason in words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// The state.
    pub status: HealthStatus,
    /// How long its last answer took, in milliseconds.
    pub response_time_ms: u64,
    /// Why it is not healthy; empty if it is.
    pub reason: String,
    /// Since when it is in this state.
    pub since: Timestamp,
}

impl HealthStatus {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Healthy => "healthy",
            Self::Suspect => "suspect",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(addr: &str) -> Engine {
        Engine {
            id: EngineId::parse("e1").unwrap(),
            addr: addr.to_owned(),
            labels: BTreeSet::new(),
            capacity: Capacity::default(),
            over_commit: OverCommit::default(),
            duty: Duty::default(),
            given_up: false,
            registered: None,
            sealed_tls: None,
            sealed_registry_auth: None,
            agent: None,
            added_at: Timestamp(0),
            added_by: Username::parse("admin").unwrap(),
        }
    }

    #[test]
    fn the_host_part_is_where_ports_answer() {
        assert_eq!(engine("http://10.0.0.5:2375").host(), Some("10.0.0.5"));
        assert_eq!(engine("https://docker-3.lan:2376/").host(), Some("docker-3.lan"));
        assert_eq!(engine("http://[::1]:2375").host(), Some("::1"));
        assert_eq!(engine("unix:///var/run/docker.sock").host(), Some("127.0.0.1"));
        assert_eq!(engine("agent://10.0.0.5").host(), Some("10.0.0.5"));
        assert_eq!(engine("agent://[fd00::5]").host(), Some("fd00::5"));
    }

    #[test]
    fn capacity_is_overridden_then_over_committed() {
        let facts = EngineFacts { capacity: Resources::new(2000, 1000), ..EngineFacts::default() };
        let mut engine = engine("http://10.0.0.5:2375");
        assert_eq!(engine.allocatable(&facts), Resources::new(2000, 1000));
        engine.capacity.memory_mb = Some(500);
        engine.over_commit = OverCommit { cpu_percent: 250, memory_percent: 110 };
        assert_eq!(engine.allocatable(&facts), Resources::new(5000, 550));
    }

    #[test]
    fn a_record_without_a_duty_is_in_service() {
        let text = serde_json::to_string(&engine("http://10.0.0.5:2375")).unwrap();
        assert!(!text.contains("duty"), "{text}");
        let mut read: Engine = serde_json::from_str(&text).unwrap();
        assert!(read.duty.is_in_service());
        read.duty = Duty::Drained;
        assert_eq!(serde_json::from_str::<Engine>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
    }
}
