//! Work in courses: deadlines, what is handed in, what it was worth.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The work at a lab of a course, as somebody sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkView {
    /// The course.
    pub course: String,
    /// The lab.
    pub lab: String,
    /// What it is called.
    pub title: String,
    /// The version that students begin with; the newest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The time zone of the course.
    pub zone: String,
    /// From when on students see it; always if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<WallMoment>,
    /// When it is due for everybody; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<WallMoment>,
    /// When it is due for the asker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_for_you: Option<WallMoment>,
    /// What becomes of what is late: `mark` or `refuse`.
    pub late: String,
    /// Whether what was begun and not handed in is handed in by itself when it is due.
    pub collects: bool,
    /// What it is graded by; by its checks and its questions if it is empty.
    pub rubric: Vec<CriterionEntry>,
    /// For whom it is due later; not told to students.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Vec<ExtensionView>>,
    /// Whether students see what they got.
    pub published: bool,
    /// Whether the asker has begun it.
    pub begun: bool,
    /// What the asker handed in that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<SubmissionView>,
}

/// A moment, and how clocks show it where the course is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallMoment {
    /// The moment (RFC 3339, UTC).
    pub at: String,
    /// The same in the course's zone, with the offset that it has there then.
    pub local: String,
}

/// Somebody for whom work is due later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtensionView {
    /// Who.
    pub username: String,
    /// Until when.
    pub due: WallMoment,
}

/// One line of a rubric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CriterionEntry {
    /// Its name among those of its lab: lower-case letters, digits and hyphens.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// What its points come from until others are given by hand: `checks`, `quizzes` or `hand`.
    pub from: String,
    /// The most points, with at most two decimals.
    pub most: f64,
}

/// Body of `PUT /api/courses/{id}/work/{lab}`: what is not given stays. Moments are date and time in the course's zone
/// (`2026-12-01T18:00`) or RFC 3339 with an offset; an empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkUpdate {
    /// From when on students see the lab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<String>,
    /// When it is due. Of a time that there is twice, as clocks are put back, the later one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// What becomes of what is late: `mark` takes and marks it, `refuse` does not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<String>,
    /// Whether what was begun and not handed in is handed in by itself when it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collects: Option<bool>,
    /// What it is graded by, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rubric: Option<Vec<CriterionEntry>>,
    /// Whether students see what they got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
}

/// Body of `PUT /api/courses/{id}/work/{lab}/extensions/{username}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExtensionRequest {
    /// Until when they have time: date and time in the course's zone, or RFC 3339 with an offset.
    pub due: String,
}

/// Work that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmissionView {
    /// The course.
    pub course: String,
    /// The lab.
    pub lab: String,
    /// Whose it is.
    pub username: String,
    /// For whom it counts too: the others of their group, as it then was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// Which of theirs for this lab, from 1.
    pub number: u32,
    /// How far it is: `asked`, `saving`, `checking`, `complete` or `failed`.
    pub state: String,
    /// When it was handed in (RFC 3339): this counts, however long the rest takes.
    pub submitted_at: String,
    /// When it was due for them then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Whether that was late.
    pub late: bool,
    /// Whether it was handed in by itself, because it was due.
    pub automatic: bool,
    /// The version of the lab.
    pub version: u32,
    /// The save of the workspace, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<String>,
    /// Of when that save is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<String>,
    /// Whether its checks were run on a copy of the save.
    pub ran_on_copy: bool,
    /// Its checks; students are told once results are published.
    pub checks: Vec<SubmittedCheck>,
    /// Its questions; students are told once results are published.
    pub quizzes: Vec<SubmittedQuiz>,
    /// What went wrong, or what people should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A check, as it stood when it was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmittedCheck {
    /// Its step, from 0.
    pub step: u32,
    /// Its name.
    pub name: String,
    /// What is checked.
    pub title: String,
    /// What it had come to: `passed`, `failed`, `timed-out` or `not-run`.
    pub state: String,
    /// What it came to on a copy of what was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_copy: Option<String>,
    /// The points that it gives.
    pub score: u32,
    /// The points for a pass.
    pub most: u32,
}

/// A question, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmittedQuiz {
    /// Its step, from 0.
    pub step: u32,
    /// Its name.
    pub name: String,
    /// The points that it gave; none if it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// The points for a right answer.
    pub most: u32,
}

/// Body of `PUT /api/courses/{id}/grades/{lab}/{username}`: what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GradeUpdate {
    /// Points by criterion; those that come of themselves with `null`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub points: BTreeMap<String, Option<f64>>,
    /// Comments by criterion.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub comments: BTreeMap<String, String>,
    /// A comment on the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What a student's work at a lab came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResultView {
    /// The lab.
    pub lab: String,
    /// What it is called.
    pub title: String,
    /// When it is due for them (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Whether students see what they got.
    pub published: bool,
    /// What was handed in that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<SubmissionView>,
    /// The points; for students once they are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// The most that there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
    /// Whether every criterion has points.
    pub whole: bool,
    /// Criterion by criterion.
    pub lines: Vec<ResultLine>,
    /// What was said of the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Who graded it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graded_by: Option<String>,
    /// When (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graded_at: Option<String>,
}

/// What one criterion came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResultLine {
    /// The criterion.
    pub criterion: String,
    /// What it is about.
    pub title: String,
    /// Its points; none while nobody gave any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// The most.
    pub most: f64,
    /// Whether somebody gave them by hand.
    pub by_hand: bool,
    /// What somebody said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// What a student came to in a course.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GradebookRowView {
    /// Who.
    pub username: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Their group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether they take the course no longer.
    pub suspended: bool,
    /// The points of all labs.
    pub points: f64,
    /// The most that there are.
    pub most: f64,
    /// Lab by lab, in the course's order.
    pub results: Vec<ResultView>,
}
