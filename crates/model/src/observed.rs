//! Containers as their engines report them: never stored as truth, rebuilt at any time from labels.

use crate::{AppId, ContainerId, Generation, HostPort, MemberName, Resources, Slot, SlotKey, Subnet, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of a container in the engine's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerState {
    /// Created, never started.
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// Exited and about to be started again by its engine.
    Restarting,
    /// Being removed.
    Removing,
    /// Exited.
    Exited,
    /// Dead: a removal that failed half way.
    Dead,
}

impl ContainerState {
    /// Whether it uses CPU and memory, or is about to.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }

    /// The engine's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Parses the engine's word; an unknown one counts as dead.
    #[must_use]
    pub fn from_engine(word: &str) -> Self {
        match word {
            "created" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" => Self::Exited,
            _ => Self::Dead,
        }
    }
}

/// A container on an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedContainer {
    /// The engine's id of it.
    pub id: ContainerId,
    /// Its name, without the slash that Docker puts before it.
    pub name: String,
    /// The image as the engine names it.
    pub image: String,
    /// Its state.
    pub state: ContainerState,
    /// Its exit code, if it has exited.
    pub exit_code: Option<i64>,
    /// When it was created. A list tells only the second; a look at the container itself, the millisecond.
    pub created_at: Timestamp,
    /// Its ports that are bound on the host.
    pub ports: Vec<HostPort>,
    /// What the engine holds it to; zero where it has no limit. Known for containers that are not ours.
    pub limits: Resources,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// How often its engine has started it again by itself.
    pub restart_count: u32,
    /// When its present life began, or its last one, by its host's clock. Known of those that were started lately or
    /// have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
}

/// A network on an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedNetwork {
    /// Its name.
    pub name: String,
    /// Its first range of IPv4 addresses, where it has one that is told as such.
    pub subnet: Option<Subnet>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created, by its host's clock.
    pub created_at: Timestamp,
}

impl ObservedNetwork {
    /// Whether the network was made by the cluster with this id.
    #[must_use]
    pub fn belongs_to(&self, cluster: &str) -> bool {
        self.labels.get(Ownership::CLUSTER).is_some_and(|id| id == cluster)
    }
}

/// Which slot a container was made for, read from its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The app and slot.
    pub slot: SlotKey,
    /// The generation.
    pub generation: Generation,
    /// The member of the slot's group.
    pub member: MemberName,
}

impl Ownership {
    /// The label that carries the cluster's id: only containers that bear ours are ever touched by the loops.
    pub const CLUSTER: &'static str = "pierhead.cluster";
    /// The label that carries the app's id.
    pub const APP_ID: &'static str = "pierhead.app-id";
    /// The label that carries the app's name, for people who look at the engine.
    pub const APP: &'static str = "pierhead.app";
    /// The label that carries the slot.
    pub const SLOT: &'static str = "pierhead.slot";
    /// The label that carries the generation.
    pub const GENERATION: &'static str = "pierhead.generation";
    /// The label that carries the member's name.
    pub const MEMBER: &'static str = "pierhead.member";
    /// The label of containers of which no second copy may run: their host's agent stops them when its lease ends.
    pub const SINGLE_WRITER: &'static str = "pierhead.single-writer";

    /// Reads the labels of a container of this cluster.
    #[must_use]
    pub fn read(labels: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            slot: SlotKey {
                app: AppId(labels.get(Self::APP_ID).filter(|id| !id.is_empty())?.clone()),
                slot: Slot(labels.get(Self::SLOT)?.parse().ok()?),
            },
            generation: Generation(labels.get(Self::GENERATION)?.parse().ok()?),
            member: MemberName::parse(labels.get(Self::MEMBER)?.clone()).ok()?,
        })
    }

    /// Writes the labels that [`Ownership::read`] reads, with the cluster's id and the app's name.
    #[must_use]
    pub fn labels(&self, cluster: &str, app_name: &str) -> BTreeMap<String, String> {
        [
            (Self::CLUSTER, cluster.to_owned()),
            (Self::APP, app_name.to_owned()),
            (Self::APP_ID, self.slot.app.to_string()),
            (Self::SLOT, self.slot.slot.to_string()),
            (Self::GENERATION, self.generation.to_string()),
            (Self::MEMBER, self.member.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }
}

impl ObservedContainer {
    /// Whether the container was made by the cluster with this id.
    #[must_use]
    pub fn belongs_to(&self, cluster: &str) -> bool {
        self.labels.get(Ownership::CLUSTER).is_some_and(|id| id == cluster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_the_way_to_the_engine_and_back() {
        let ownership = Ownership {
            slot: SlotKey { app: AppId("a1b2".into()), slot: Slot(7) },
            generation: Generation(3),
            member: MemberName::main(),
        };
        let labels = ownership.labels("c1", "web");
        assert_eq!(Ownership::read(&labels), Some(ownership));
        assert_eq!(labels[Ownership::CLUSTER], "c1");
    }

    #[test]
    fn a_container_without_all_labels_is_nobodys() {
        let labels = BTreeMap::from([(Ownership::APP_ID.to_owned(), "a".to_owned())]);
        assert_eq!(Ownership::read(&labels), None);
    }
}
