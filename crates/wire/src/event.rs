//! Events as they are listed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Its id.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// When: RFC 3339, UTC, three decimals.
    pub time: String,
    /// For a person.
    pub message: String,
    /// `cluster`, `security`, `Docker`.
    pub tags: Vec<String>,
    /// The container that it is about, as it then was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Value>,
    /// The engine that it is about, as it then was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Value>,
    /// The app that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}
