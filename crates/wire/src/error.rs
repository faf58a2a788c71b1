//! The one body of every error.

use pierhead_model::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// Machine-readable (`no_room`, `invalid`, `not_found`).
    pub code: String,
    /// For a person: what is wrong and what to do.
    pub message: String,
    /// The field of the request that is wrong, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The id of the container that took the place of the one asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// The operation that ended with this error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What the container printed last that failed, for those who may see its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What is wrong with a lab, by file and line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<crate::LabProblemView>,
}

/// A field of a request that does not have the accepted form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, as a path (`bind_ports[0].port`).
    pub field: String,
    /// The accepted form, in a sentence.
    pub message: String,
}

impl FieldError {
    /// An error that says what `field` must be.
    #[must_use]
    pub fn new(field: impl Into<String>, expected: impl fmt::Display) -> Self {
        let field = field.into();
        let message = format!("{field} must be {expected}");
        Self { field, message }
    }

    /// The same for a value that the model refuses.
    #[must_use]
    pub fn of(field: impl Into<String>, invalid: &Invalid) -> Self {
        Self::new(field, invalid.expected)
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FieldError {}
