//! Courses and who takes them.

use serde::{Deserialize, Serialize};

/// Body of `POST /api/courses`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CourseRequest {
    /// Its id.
    pub id: String,
    /// What people call it; its id if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The term that it is given in, in the school's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// The time zone of its deadlines, such as `Asia/Shanghai`; UTC if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Who may change it; whoever makes it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teachers: Option<Vec<String>>,
    /// Who may see everything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistants: Option<Vec<String>>,
    /// Its labs, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labs: Option<Vec<CourseLabEntry>>,
    /// Its timetable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<CourseSessionEntry>>,
    /// For how many days it asks to keep recordings of its students' terminals: nothing is kept of whoever has not said yes.
    /// It asks for none with 0, and if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_days: Option<u32>,
}

/// Body of `PUT /api/courses/{id}`: what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CourseUpdate {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// The time zone of its deadlines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Who may change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teachers: Option<Vec<String>>,
    /// Who may see everything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistants: Option<Vec<String>>,
    /// Its labs, all of them in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labs: Option<Vec<CourseLabEntry>>,
    /// Its timetable, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<CourseSessionEntry>>,
    /// For how many days it asks to keep recordings of its students' terminals: nothing is kept of whoever has not said yes.
    /// It asks for none with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_days: Option<u32>,
    /// Whether it is over: its students see what they did, and begin nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// A lab of a course. Moments are RFC 3339, or date and time in the course's zone (`2026-12-01T18:00`); they are told as
/// RFC 3339 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CourseLabEntry {
    /// Which.
    pub lab: String,
    /// The version that students begin with; the newest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// From when on students see it; always if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<String>,
    /// When it is due; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// From when on workspaces are started ahead for it, for the class that follows; a quarter of an hour before each class if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_from: Option<String>,
}

/// An entry of a timetable; moments are those of [`CourseLabEntry`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CourseSessionEntry {
    /// When it begins.
    pub starts: String,
    /// When it ends.
    pub ends: String,
    /// The lab that is worked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<String>,
}

/// A course as somebody may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CourseView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// The term; may be empty.
    pub term: String,
    /// The time zone of its deadlines.
    pub zone: String,
    /// What the asker may in it: `student`, `assistant` or `teacher`.
    pub right: String,
    /// Who may change it.
    pub teachers: Vec<String>,
    /// Who may see everything in it.
    pub assistants: Vec<String>,
    /// Its labs, in their order.
    pub labs: Vec<CourseLabEntry>,
    /// Its timetable, the earliest first.
    pub sessions: Vec<CourseSessionEntry>,
    /// For how many days it asks to keep recordings of its students' terminals; it asks for none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_days: Option<u32>,
    /// What is started ahead for its labs, or will be next; not told to students, and in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<CourseAheadView>,
    /// How many take it; not told to students.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub students: Option<u32>,
    /// The asker's group, if they are a student in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `here`, or `roster` if the school's own list says that there is such a course.
    pub source: String,
    /// Whether it is over.
    pub archived: bool,
    /// Another one whenever something of this was changed: what `If-Match` takes, in quotes.
    #[serde(default)]
    pub revision: u64,
    /// When it was made (RFC 3339).
    pub created_at: String,
}

/// Workspaces that are, or will be, started ahead for a lab of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CourseAheadView {
    /// The lab.
    pub lab: String,
    /// From when on (RFC 3339).
    pub from: String,
    /// Until when (RFC 3339).
    pub until: String,
    /// How many are wanted as things are now: one for each group and each student in none who has no workspace of it.
    pub wanted: u32,
    /// How many of these are ready.
    pub ready: u32,
}

/// Body of `POST /api/courses/{id}/students`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// Who takes the course from now on: all of them, or nobody if one can't.
    pub students: Vec<EnrolEntry>,
}

/// Somebody who is enrolled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolEntry {
    /// Whose account.
    pub username: String,
    /// Their group; an empty text for none, and that which they have if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Body of `PUT /api/courses/{id}/students/{username}`: what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StudentUpdate {
    /// Their group; an empty text for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether they take the course no longer. What they did stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
}

/// Somebody who takes a course, as those see it who give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StudentView {
    /// The name of their account.
    pub username: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Their group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether they take the course no longer.
    pub suspended: bool,
    /// `here`, or `roster` if the school's own list enrolled them.
    pub source: String,
    /// Since when (RFC 3339).
    pub since: String,
}

/// Body of the requests for a link to log in with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// For how many minutes it is good, up to 10080 (a week); 60 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
}

/// A link to log in with, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkView {
    /// Where to go with a browser. Whoever has it can log in with it: give it to that person only.
    pub url: String,
    /// Until when it is good (RFC 3339).
    pub expires_at: String,
}
