//! Operations as they are answered.

use pierhead_model::{Operation, OperationError, Verdict};
use serde::{Deserialize, Serialize};

/// A request that takes time, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationView {
    /// Its id.
    pub id: String,
    /// What was asked.
    pub title: String,
    /// `running`, `done`, `failed`, `timed_out` or `cancelled`.
    pub state: String,
    /// What became of each slot so far.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<schema::Verdict>))]
    pub verdicts: Vec<Verdict>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<schema::OperationError>))]
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

/// How parts of the model look that are answered as they are.
#[cfg(feature = "openapi")]
mod schema {
    use utoipa::ToSchema;

    /// What became of one slot.
    #[derive(ToSchema)]
    #[expect(dead_code, reason = "it is there for its schema")]
    pub struct Verdict {
        /// The slot's number.
        slot: u32,
        /// Its app, where the operation is about more than one.
        #[schema(nullable = false)]
        app: Option<String>,
        /// How far it is.
        state: VerdictState,
        /// The slot's main container.
        #[schema(nullable = false)]
        container: Option<String>,
        /// Where it is.
        #[schema(nullable = false)]
        engine: Option<String>,
        /// What is going on, or why it failed.
        #[schema(nullable = false)]
        message: Option<String>,
    }

    /// How far a slot is.
    #[derive(ToSchema)]
    #[schema(rename_all = "snake_case")]
    #[expect(dead_code, reason = "it is there for its schema")]
    pub enum VerdictState {
        /// Not there yet.
        Pending,
        /// It is as asked.
        Done,
        /// It cannot be done.
        Failed,
    }

    /// Why an operation failed as a whole.
    #[derive(ToSchema)]
    #[expect(dead_code, reason = "it is there for its schema")]
    pub struct OperationError {
        /// A machine-readable code (`no_room`).
        code: String,
        /// For a person.
        message: String,
    }
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
