//! Recordings of class work: whether one lets them be kept, and those that are.

use serde::{Deserialize, Serialize};

/// Body of `PUT /api/courses/{id}/consent`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    /// Whether recordings of one's terminals may be kept for the course. With `false` those that are kept are deleted.
    pub recordings: bool,
}

/// Whether one lets recordings of one's terminals be kept for a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentView {
    /// For how many days the course asks to keep them; it asks for none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Whether one lets them be kept.
    pub recordings: bool,
    /// Since when (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A recording that is kept, as somebody may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordingView {
    /// Its id.
    pub id: String,
    /// The course.
    pub course: String,
    /// The lab.
    pub lab: String,
    /// Whose attempt it is.
    pub username: String,
    /// The others of their group whose work it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The number of the submission that it was kept with; absent if its terminal ended before any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<u32>,
    /// What the terminal was called.
    pub name: String,
    /// When it begins (RFC 3339).
    pub began_at: String,
    /// Up to when it shows the terminal (RFC 3339).
    pub ended_at: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it is deleted by itself (RFC 3339).
    pub kept_until: String,
    /// What happened in its time, the earliest first.
    pub marks: Vec<RecordingMarkView>,
    /// Whether the asker may delete it.
    pub may_delete: bool,
}

/// A recording that was deleted, as those are told of it whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletedRecordingView {
    /// Its id.
    pub id: String,
    /// The course.
    pub course: String,
    /// The lab.
    pub lab: String,
    /// Whose attempt it was.
    pub username: String,
    /// The others whose work it showed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// When it was deleted (RFC 3339).
    pub deleted_at: String,
    /// Why.
    pub why: String,
}

/// Something that happened while a recording was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordingMarkView {
    /// How many seconds after its beginning.
    pub seconds: f64,
    /// In which step, from 0.
    pub step: u32,
    /// `seen` if the step was seen for the first time, `passed` if one of its checks passed.
    pub what: String,
    /// What the step or the check is called.
    pub title: String,
}
