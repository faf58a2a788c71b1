//! Operations as they are answered.

use pierhead_model::{Operation, OperationError, Verdict};
use serde::{Deserialize, Serialize};

/// A request that takes time, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperationView {
    /// Its id.
    pub id: String,
    /// What was asked.
    pub title: String,
    /// `running`, `done`, `failed`, `timed_out` or `cancelled`.
    pub state: String,
    /// What became of each slot so far.
    pub verdicts: Vec<Verdict>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<OperationError>,
    /// Who asked.
    pub actor: String,
    /// The app that it is about; empty for one that moves slots of any app.
    pub app: String,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When it ends at the latest (RFC 3339).
    pub deadline: String,
    /// When it ended (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

impl From<&Operation> for OperationView {
    fn from(operation: &Operation) -> Self {
        let time = crate::format_timestamp;
        Self {
            id: operation.id.to_string(),
            title: operation.title.clone(),
            state: operation.state.as_str().to_owned(),
            verdicts: operation.verdicts.clone(),
            error: operation.error.clone(),
            actor: operation.actor.to_string(),
            app: operation.app_name.as_ref().map(ToString::to_string).unwrap_or_default(),
            created_at: time(operation.created_at),
            deadline: time(operation.deadline),
            ended_at: operation.ended_at.map(time),
        }
    }
}
