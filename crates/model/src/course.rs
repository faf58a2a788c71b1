//! Courses: who teaches and who takes one, its labs and its timetable. Who may what in a course is said by its records, not
//! by roles.

use crate::account::Origin;
use crate::{CourseId, Invalid, LabId, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Its id.
    pub id: CourseId,
    /// What people call it.
    pub title: String,
    /// The term that it is given in, in the school's own words; may be empty.
    #[serde(default)]
    pub term: String,
    /// The time zone of its deadlines and timetable.
    #[serde(default)]
    pub zone: Zone,
    /// Who may change it and everything in it.
    #[serde(default)]
    pub teachers: BTreeSet<Username>,
    /// Who may see everything in it.
    #[serde(default)]
    pub assistants: BTreeSet<Username>,
    /// Those of the teachers and assistants that the school's list named: they go when it names them no longer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub listed: BTreeSet<Username>,
    /// Its labs, in the order in which they are worked through.
    #[serde(default)]
    pub labs: Vec<CourseLab>,
    /// When it is held, the earliest first.
    #[serde(default)]
    pub sessions: Vec<CourseSession>,
    /// For how many days it asks to keep recordings of its students' terminals; it asks for none with 0. Nothing is kept of
    /// whoever has not said yes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recording_days: u32,
    /// Where it comes from.
    #[serde(default)]
    pub source: Origin,
    /// Whether it is over: its students see it and what they did, and begin nothing.
    #[serde(default)]
    pub archived: bool,
    /// Whether the school's list names it no longer, which ends it too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A lab of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseLab {
    /// Which.
    pub lab: LabId,
    /// The version that students begin with; the newest without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// From when on students see it; always without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// When it is due; never without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// From when on workspaces are started ahead for it; as its timetable says without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_from: Option<Timestamp>,
}

/// One entry of a timetable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseSession {
    /// When it begins.
    pub starts: Timestamp,
    /// When it ends, later than that.
    pub ends: Timestamp,
    /// The lab that is worked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<LabId>,
}

/// Who takes a course.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolments {
    /// The students, also those who left.
    #[serde(default)]
    pub students: BTreeMap<Username, Enrolment>,
    /// Those who work together, by the names of their groups. Nobody is in two.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, BTreeSet<Username>>,
    /// Those who let recordings of their terminals be kept, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recorded: BTreeMap<Username, Timestamp>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// That somebody takes a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Since when.
    pub since: Timestamp,
    /// Whether they take it no longer: their work stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// Who enrolled them: the school's list, or somebody here.
    #[serde(default)]
    pub source: Origin,
    /// Whether the school's list names them no longer, which counts as suspended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
}

impl Enrolment {
    /// Whether they take the course now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.suspended && !self.unlisted
    }
}

/// What somebody may in a course. Who may more may everything that comes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CourseRight {
    /// See it and work at its labs.
    Student,
    /// See everybody's work.
    Assistant,
    /// Change it.
    Teacher,
}

impl CourseRight {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Assistant => "assistant",
            Self::Teacher => "teacher",
        }
    }
}

impl Course {
    /// The most students of one course: its record must stay one that every store takes.
    pub const MOST_STUDENTS: usize = 5_000;
    /// The most teachers, and the most assistants.
    pub const MOST_STAFF: usize = 200;
    /// The most labs.
    pub const MOST_LABS: usize = 200;
    /// The most entries of its timetable.
    pub const MOST_SESSIONS: usize = 1_000;
    /// The most days for which recordings are kept.
    pub const MOST_RECORDING_DAYS: u32 = 366;

    /// What somebody may in it.
    #[must_use]
    pub fn right_of(&self, who: &Username, enrolments: Option<&Enrolments>) -> Option<CourseRight> {
        if self.teachers.contains(who) {
            return Some(CourseRight::Teacher);
        }
        if self.assistants.contains(who) {
            return Some(CourseRight::Assistant);
        }
        enrolments.is_some_and(|enrolments| enrolments.has(who)).then_some(CourseRight::Student)
    }

    /// Whether nobody works at it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.archived || self.unlisted
    }

    /// Whether its students may see a lab through it at a moment.
    #[must_use]
    pub fn shows(&self, lab: &LabId, now: Timestamp) -> bool {
        let is_open = |entry: &CourseLab| entry.opens_at.is_none_or(|opens| opens <= now);
        !self.is_over() && self.labs.iter().any(|entry| entry.lab == *lab && is_open(entry))
    }
}

impl Enrolments {
    /// Whether somebody takes the course now.
    #[must_use]
    pub fn has(&self, who: &Username) -> bool {
        self.students.get(who).is_some_and(Enrolment::is_active)
    }

    /// Those who take the course now.
    pub fn active(&self) -> impl Iterator<Item = &Username> {
        self.students.iter().filter(|(_, enrolment)| enrolment.is_active()).map(|(who, _)| who)
    }

    /// The name of somebody's group.
    #[must_use]
    pub fn group_of(&self, who: &Username) -> Option<&str> {
        self.groups.iter().find(|(_, members)| members.contains(who)).map(|(name, _)| name.as_str())
    }

    /// Puts somebody into a group, and out of any other; into none with `None`. Groups without anybody go.
    pub fn set_group(&mut self, who: &Username, group: Option<&str>) {
        if self.group_of(who) == group {
            return;
        }
        for members in self.groups.values_mut() {
            members.remove(who);
        }
        if let Some(group) = group {
            self.groups.entry(group.to_owned()).or_default().insert(who.clone());
        }
        self.groups.retain(|_, members| !members.is_empty());
    }

    /// Checks the name of a group.
    ///
    /// # Errors
    /// [`Invalid`] if it is not 1 to 64 characters without control characters, or begins or ends with a space.
    pub fn check_group(name: &str) -> Result<(), Invalid> {
        let is_good = (1..=64).contains(&name.chars().count()) && name.trim() == name;
        if is_good && !name.chars().any(char::is_control) {
            return Ok(());
        }
        Err(Invalid::new("group", "1 to 64 characters without control characters, or spaces at an end"))
    }
}

/// A time zone by the name that IANA gave it, such as `Asia/Shanghai`. That there is one of that name is for those to
/// check who have a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(String);

impl Zone {
    /// Takes what has the form of a name.
    ///
    /// # Errors
    /// [`Invalid`] if it has not.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
        if (1..=64).contains(&text.len()) && text.as_bytes()[0].is_ascii_alphabetic() && text.bytes().all(is_good) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("zone", "the name of a time zone, such as Asia/Shanghai, Europe/Vienna or UTC"))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn course() -> Course {
        let record = r#"{"id":"cs-101","title":"Databases","created_at":1,"teachers":["wang"],"assistants":["zhao"],
            "labs":[{"lab":"mysql"},{"lab":"later","opens_at":50}]}"#;
        serde_json::from_str(record).unwrap()
    }

    fn enrolled(of: &[(&str, bool)]) -> Enrolments {
        let entry = |(who, suspended): &(&str, bool)| {
            (name(who), Enrolment { since: Timestamp(1), suspended: *suspended, source: Origin::Here, unlisted: false })
        };
        Enrolments { students: of.iter().map(entry).collect(), ..Enrolments::default() }
    }

    #[test]
    fn records_say_who_may_what() {
        let (course, enrolments) = (course(), enrolled(&[("li", false), ("gone", true), ("zhao", false)]));
        let right = |who| course.right_of(&name(who), Some(&enrolments));
        assert_eq!(right("wang"), Some(CourseRight::Teacher));
        assert_eq!(right("zhao"), Some(CourseRight::Assistant), "the most that somebody has counts");
        assert_eq!(right("li"), Some(CourseRight::Student));
        assert_eq!((right("gone"), right("eve")), (None, None));
        assert_eq!(course.right_of(&name("li"), None), None);
        assert!(CourseRight::Teacher > CourseRight::Assistant && CourseRight::Assistant > CourseRight::Student);
        assert_eq!(CourseRight::Assistant.as_str(), "assistant");
    }

    #[test]
    fn labs_are_seen_when_they_open_and_not_after_the_course() {
        let lab = |id| LabId::parse(id).unwrap();
        let mut course = course();
        assert!(course.shows(&lab("mysql"), Timestamp(0)));
        assert!(!course.shows(&lab("later"), Timestamp(49)) && course.shows(&lab("later"), Timestamp(50)));
        assert!(!course.shows(&lab("other"), Timestamp(99)));
        course.archived = true;
        assert!(!course.shows(&lab("mysql"), Timestamp(99)));
    }

    #[test]
    fn nobody_is_in_two_groups_and_none_is_empty() {
        let mut enrolments = enrolled(&[("li", false), ("wu", false)]);
        enrolments.set_group(&name("li"), Some("a"));
        enrolments.set_group(&name("wu"), Some("a"));
        assert_eq!(enrolments.group_of(&name("li")), Some("a"));
        enrolments.set_group(&name("li"), Some("b"));
        assert_eq!((enrolments.groups["a"].len(), enrolments.group_of(&name("li"))), (1, Some("b")));
        enrolments.set_group(&name("wu"), None);
        assert_eq!(enrolments.groups.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(enrolments.active().count(), 2);
    }

    #[test]
    fn names_of_groups_and_zones_have_a_form() {
        for good in ["a", "第一组", "Group 7"] {
            assert!(Enrolments::check_group(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a\n", &"x".repeat(65)] {
            assert!(Enrolments::check_group(bad).is_err(), "{bad:?}");
        }
        for good in ["UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires", "Etc/GMT+8"] {
            assert_eq!(Zone::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "/etc/passwd", "../x", "Asia Shanghai", "+08:00"] {
            assert!(Zone::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Zone::default().as_str(), "UTC");
    }

    #[test]
    fn records_of_the_first_form_can_be_read() {
        let course = course();
        assert!(course.sessions.is_empty() && !course.archived && course.source == Origin::Here);
        let written = serde_json::to_string(&course).unwrap();
        assert_eq!(serde_json::from_str::<Course>(&written).unwrap(), course);
        let enrolments: Enrolments = serde_json::from_str(r#"{"students":{"li":{"since":5}}}"#).unwrap();
        assert!(enrolments.has(&name("li")) && enrolments.groups.is_empty());
    }
}
