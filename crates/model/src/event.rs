//! Events: what was changed, by whom, and what the engines told.

use crate::{Timestamp, Username};
use serde::{Deserialize, Serialize};

/// One entry of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique; later ones sort after earlier ones.
    pub id: String,
    /// What happened: `run-container`, `add-engine`, or a Docker status such as `die`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub time: Timestamp,
    /// For a person, in the form `name=clare`, `addr=…`, `id=…`.
    pub message: String,
    /// What it belongs to.
    pub tags: Vec<EventTag>,
    /// The id of the container that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The id of the engine that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The app that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who did it; absent for what Pierhead or an engine did by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Username>,
}

/// What an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventTag {
    /// A change of the pool or of what runs on it.
    #[serde(rename = "cluster")]
    Cluster,
    /// Accounts, roles, log-ins.
    #[serde(rename = "security")]
    Security,
    /// Told by an engine.
    #[serde(rename = "Docker")]
    Docker,
}
