//! Recordings of class work that are kept: whose they are, for how long, and where in them what happened. Their bytes lie
//! as blobs.

use crate::{AttemptId, CourseId, Digest, LabId, TerminalId, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What was seen in one terminal of an attempt, kept because everybody who worked there had said yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRecording {
    /// The terminal, which is gone perhaps.
    pub id: TerminalId,
    /// The course that asked for it.
    pub course: CourseId,
    /// The lab.
    pub lab: LabId,
    /// Whose attempt it is.
    pub account: Username,
    /// The others of their group at that moment.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<Username>,
    /// The attempt.
    pub attempt: AttemptId,
    /// The number of the submission with which it was kept; none if its terminal ended before any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<u32>,
    /// What the terminal was called.
    pub name: String,
    /// When the terminal was opened: the beginning of the recording.
    pub began: Timestamp,
    /// Up to when it shows the terminal.
    pub until: Timestamp,
    /// Its size.
    pub bytes: u64,
    /// Its bytes.
    pub blob: Digest,
    /// When it is deleted.
    pub kept_until: Timestamp,
    /// What happened in its time, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<RecordingMark>,
}

/// That a recording was deleted: what everybody concerned is told of it, and that its terminal is not kept again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedRecording {
    /// The terminal.
    pub id: TerminalId,
    /// The course.
    pub course: CourseId,
    /// The lab.
    pub lab: LabId,
    /// Whose attempt it was.
    pub account: Username,
    /// The others whose work it showed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<Username>,
    /// When.
    pub at: Timestamp,
    /// Why, for a person.
    pub why: String,
}

/// Something that happened while a recording was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordingMark {
    /// When.
    pub at: Timestamp,
    /// In which step, from 0.
    pub step: u32,
    /// The check that passed; none if the step was seen for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<String>,
    /// What the step or the check is called.
    pub title: String,
}

impl KeptRecording {
    /// The most recordings of one attempt's account at one lab.
    pub const MOST_OF_ONE: usize = 50;
    /// The most bytes of them together.
    pub const MOST_BYTES_OF_ONE: u64 = 32 << 20;

    /// Everybody whose work it shows.
    pub fn people(&self) -> impl Iterator<Item = &Username> {
        std::iter::once(&self.account).chain(&self.also)
    }

    /// Whether it shows somebody's work.
    #[must_use]
    pub fn shows(&self, who: &Username) -> bool {
        self.people().any(|one| one == who)
    }
}

impl DeletedRecording {
    /// For how long people are told, in milliseconds.
    pub const TOLD_MS: u64 = 30 * 24 * 3600 * 1000;

    /// What is told of a recording that is deleted.
    #[must_use]
    pub fn of(record: &KeptRecording, at: Timestamp, why: &str) -> Self {
        let KeptRecording { id, course, lab, account, also, .. } = record.clone();
        Self { id, course, lab, account, also, at, why: why.to_owned() }
    }

    /// Whether it showed somebody's work.
    #[must_use]
    pub fn showed(&self, who: &Username) -> bool {
        self.account == *who || self.also.contains(who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> KeptRecording {
        let record = r#"{"id":"t-1","course":"cs","lab":"mysql","account":"li","also":["wu"],"attempt":"aaaaaaaaaa",
            "name":"sh","began":5,"until":9,"bytes":70,"kept_until":99,"blob":"DIGEST",
            "marks":[{"at":6,"step":0,"title":"One"},{"at":7,"step":0,"passed":"up","title":"Up"}]}"#;
        serde_json::from_str(&record.replace("DIGEST", &"0".repeat(64))).unwrap()
    }

    #[test]
    fn it_shows_the_work_of_all_who_worked_there() {
        let name = |text| Username::parse(text).unwrap();
        let recording = recording();
        assert!(recording.shows(&name("li")) && recording.shows(&name("wu")) && !recording.shows(&name("eve")));
        assert_eq!(recording.people().count(), 2);
    }

    #[test]
    fn a_record_comes_back_as_it_was_and_marks_are_in_the_order_of_time() {
        let recording = recording();
        let text = serde_json::to_string(&recording).unwrap();
        assert_eq!(serde_json::from_str::<KeptRecording>(&text).unwrap(), recording);
        assert_eq!((recording.submission, recording.marks[1].passed.as_deref()), (None, Some("up")));
        assert!(recording.marks.is_sorted());
    }

    #[test]
    fn what_is_told_of_a_deletion_says_whose_it_was_and_nothing_of_what_it_showed() {
        let gone = DeletedRecording::of(&recording(), Timestamp(50), "its time was over");
        let name = |text| Username::parse(text).unwrap();
        assert!(gone.showed(&name("li")) && gone.showed(&name("wu")) && !gone.showed(&name("eve")));
        let text = serde_json::to_string(&gone).unwrap();
        assert_eq!(serde_json::from_str::<DeletedRecording>(&text).unwrap(), gone);
        assert!(!text.contains("sh") && !text.contains("marks") && !text.contains("0000"), "{text}");
    }
}
