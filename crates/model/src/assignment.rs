//! Assignments: where a slot lives. Written by the leading controller only.

use crate::{
    AppId, AppName, ContainerId, EngineId, Failure, Generation, HostPort, MemberName, Resources, Slot, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Names a slot of an app for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlotKey {
    /// The app.
    pub app: AppId,
    /// The slot.
    pub slot: Slot,
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.slot)
    }
}

/// The decision that a slot lives on an engine. It is written before anything is created (the intent), so that a
/// controller that dies in between finds what it was about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The app.
    pub app: AppId,
    /// The app's name, for container names and for people.
    pub app_name: AppName,
    /// The slot.
    pub slot: Slot,
    /// Rises whenever the slot's containers are created anew.
    pub generation: Generation,
    /// The version of the app's description that the containers are made from.
    pub version: u32,
    /// The host.
    pub engine: EngineId,
    /// What it holds in the ledger.
    pub reserved: Resources,
    /// The host's ports of each member.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<MemberName, Vec<HostPort>>,
    /// The containers as their engine named them, once they were seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub containers: BTreeMap<MemberName, ContainerId>,
    /// Ids of containers of earlier generations, the newest last, at most [`Assignment::FORMER_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<ContainerId>,
    /// How the containers ended, if that was the end of the slot (a job done, or retries used up).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Restarts asked for by people that were carried out.
    #[serde(default)]
    pub restarts_done: u32,
    /// Failures and exits since the slot last ran well.
    #[serde(default)]
    pub retries: u32,
    /// What failed lately, the newest last, at most [`Assignment::ATTEMPTS_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Not before this moment is anything tried again.
    #[serde(default)]
    pub not_before: Timestamp,
    /// When this generation was decided.
    pub created_at: Timestamp,
}

/// Something that was tried for a slot and failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Where.
    pub engine: EngineId,
    /// The generation that failed.
    pub generation: Generation,
    /// The host's ports that it had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<HostPort>,
    /// Why.
    pub failure: Failure,
    /// When.
    pub at: Timestamp,
}

/// How a slot ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code of its main container.
    pub code: i64,
    /// When that was seen.
    pub at: Timestamp,
}

impl Assignment {
    /// How many ids of earlier containers are remembered.
    pub const FORMER_KEPT: usize = 16;
    /// How many failures are remembered.
    pub const ATTEMPTS_KEPT: usize = 16;

    /// The slot's key.
    #[must_use]
    pub fn key(&self) -> SlotKey {
        SlotKey { app: self.app.clone(), slot: self.slot }
    }

    /// The name of a member's container: app, slot and generation, so that creating it twice collides. Members
    /// other than the first have their own name appended.
    #[must_use]
    pub fn container_name(&self, member: &MemberName, is_first: bool) -> String {
        let base = format!("{}.{}.{}", self.app_name, self.slot, self.generation);
        if is_first { base } else { format!("{base}.{member}") }
    }
}
