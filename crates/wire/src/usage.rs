//! What workspaces used.

use serde::{Deserialize, Serialize};

/// What somebody's workspaces used for a course, or for none, since it is counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageView {
    /// Whose workspaces.
    pub username: String,
    /// What they are called; may be empty.
    #[serde(default)]
    pub name: String,
    /// The course; none for what was no work of a course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<String>,
    /// CPU time that was really used, in hours of one core.
    pub cpu_hours: f64,
    /// Memory that was reserved, used or not, in GB (of 1,024 MB) times hours.
    pub memory_gb_hours: f64,
    /// What is kept of their saves now, in bytes.
    pub save_bytes: u64,
    /// Since when CPU and memory are counted (RFC 3339); none if there was nothing to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Up to when they are (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
