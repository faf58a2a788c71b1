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
    /// Since when all its containers run, in one life each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Timestamp>,
    /// When the last of its containers began that life, by its host's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// What serves until this generation does: the slot before its description changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Box<Fallback>>,
    /// Whether the images are on the host, where that is seen to before what serves is stopped.
    #[serde(default)]
    pub has_images: bool,
    /// The highest generation that there ever was, if the slot returned to an earlier one.
    #[serde(default)]
    pub newest_generation: Generation,
    /// What keeps a second copy from running, where there must be one; absent for apps that may run twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<WriterGuard>,
    /// When this generation was decided.
    pub created_at: Timestamp,
}

/// What keeps a second copy of a slot from running, when its host cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriterGuard {
    /// The host's agent: its containers are started only under a lease, and stopped when that ends.
    Lease,
    /// Nothing: they run until somebody stops them there.
    Nothing,
}

/// A slot's former generation, which serves until the present one does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fallback {
    /// The slot as it was.
    pub assignment: Assignment,
    /// Whether it has to go before the containers of the present generation are made, because both cannot be at once.
    pub goes_first: bool,
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

    /// The generation that comes next.
    #[must_use]
    pub fn next_generation(&self) -> Generation {
        self.generation.max(self.newest_generation).next()
    }

    /// Whether containers of a generation on an engine serve until those of the present one do.
    #[must_use]
    pub fn falls_back_to(&self, engine: &EngineId, generation: Generation) -> bool {
        self.fallback.as_ref().is_some_and(|fallback| {
            fallback.assignment.engine == *engine && fallback.assignment.generation == generation
        })
    }

    /// The name of a member's container: app, slot and generation, so that creating it twice collides. Members
    /// other than the first have their own name appended.
    #[must_use]
    pub fn container_name(&self, member: &MemberName, is_first: bool) -> String {
        let base = format!("{}.{}.{}", self.app_name, self.slot, self.generation);
        if is_first { base } else { format!("{base}.{member}") }
    }
}
