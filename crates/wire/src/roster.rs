//! The school's own list of people, and what it changes.

use serde::{Deserialize, Serialize};

/// Body of `POST /api/roster/preview` and `POST /api/roster/sync`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RosterRequest {
    /// A list to take in place of the one that the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<RosterCsv>,
    /// Whether it is carried out although so much would go that the list seems wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// The `digest` of a preview: nothing is carried out if it has become other changes meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

/// A list as CSV: the columns' names, then a line for each.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RosterCsv {
    /// Columns `username`, and as you like `name`, `role`, `password_hash`, `active`.
    pub people: String,
    /// Columns `course`, and as you like `title`, `term`, `zone`.
    #[serde(default)]
    pub courses: String,
    /// Columns `course`, `username`, and as you like `role`, `group`.
    #[serde(default)]
    pub enrolments: String,
}

/// What a list would change, or has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosterView {
    /// Where the list lies.
    pub source: String,
    /// Tells these changes from all others.
    pub digest: String,
    /// Whether they were carried out.
    pub done: bool,
    /// Why they are not carried out unless somebody insists (`force`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// How many people, courses and enrolments the list has.
    pub listed: RosterTotals,
    /// How many accounts are made.
    pub added: u64,
    /// How many accounts are changed.
    pub changed: u64,
    /// How many accounts are suspended: nobody can log in with them, and what they own stays.
    pub suspended: u64,
    /// How many suspended accounts are let in again.
    pub resumed: u64,
    /// How many courses are made.
    pub courses_added: u64,
    /// How many courses are changed.
    pub courses_changed: u64,
    /// How many courses end.
    pub courses_ended: u64,
    /// How many students take a course, now or again.
    pub enrolled: u64,
    /// How many students take one no longer.
    pub left: u64,
    /// How many students come into another group.
    pub regrouped: u64,
    /// Accounts and courses of the same name that were made here: they stay as they are.
    pub kept: Vec<String>,
    /// The first 1,000 changes.
    pub changes: Vec<RosterChangeView>,
    /// How many more there are.
    pub more_changes: u64,
    /// The first 100 rows that could not be used.
    pub problems: Vec<RosterProblemView>,
    /// How many more there are.
    pub more_problems: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The size of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosterTotals {
    /// People.
    pub people: u64,
    /// Courses.
    pub courses: u64,
    /// Enrolments.
    pub enrolments: u64,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosterChangeView {
    /// What is done: `add-person`, `change-person`, `suspend-person`, `add-course`, `change-course`, `end-course`, `enrol`,
    /// `enrol-again`, `leave` or `regroup`.
    pub what: String,
    /// To whom or what, in words.
    pub to: String,
}

/// A row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosterProblemView {
    /// `people`, `courses` or `enrolments`.
    pub table: String,
    /// The row, from 1; 0 for what is not of one row.
    pub row: u64,
    /// What is wrong.
    pub what: String,
}

/// Answer of `GET /api/roster`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosterStatusView {
    /// Where the list lies; absent if the server knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The time between two looks at it, in seconds; absent if nobody looks by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u64>,
    /// When it was last looked at (RFC 3339); absent if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<String>,
    /// What came of that: `done`, `refused` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When all was last as it says (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
}
