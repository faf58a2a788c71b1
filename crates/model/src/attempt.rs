//! Attempts: somebody's way through a lab, with everything that they have come to in it. One record each, written by
//! whichever controller hears of it; it outlives every container.

use crate::{AttemptId, LabId, Timestamp, Username, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One account's way through one version of one lab.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabAttempt {
    /// Its id.
    pub id: AttemptId,
    /// The lab.
    pub lab: LabId,
    /// The published version of it that the student works with, until they move to another.
    pub version: u32,
    /// Whose it is.
    pub account: Username,
    /// The course that it belongs to, if it was begun there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<String>,
    /// What the values of the lab's variables are made of; secret, so that nobody knows the values of others.
    pub seed: String,
    /// The language in which the student reads; that of the lab itself if it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// How many workspaces were opened for it: tells the request for the next one from those before.
    #[serde(default)]
    pub opened: u32,
    /// The workspace that it is worked at in, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    /// The generation of the workspace's containers that began from the environment's images and that the setups of the
    /// steps were run in; what was restored from a save holds what they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<u32>,
    /// The step that the student is at, from 0.
    #[serde(default)]
    pub step: u32,
    /// What they have come to in each step that they have seen, by its number from 0.
    #[serde(default)]
    pub steps: BTreeMap<u32, StepProgress>,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When all steps were done; none until they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// What a student has come to in one step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepProgress {
    /// When they first saw it.
    pub seen_at: Timestamp,
    /// How far what is run at the first visit is.
    #[serde(default)]
    pub setup: SetupState,
    /// What came of its checks, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, CheckResult>,
    /// What was answered, by the names of the quizzes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quizzes: BTreeMap<String, QuizResult>,
    /// The hints that were opened, by their numbers from 0.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hints: BTreeSet<u32>,
}

/// How far the scripts are that are run at the first visit of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetupState {
    /// They wait for the workspace, or are being run.
    #[default]
    Waiting,
    /// They were run.
    Done,
    /// One of them failed, with these words for whoever looks.
    Failed(String),
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// How it stands; once it has passed it stays so until the step is reset.
    pub state: CheckState,
    /// The points that it gave.
    #[serde(default)]
    pub score: u32,
    /// The exit status of its last run, if that ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i64>,
    /// What the student is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// When that was.
    pub at: Timestamp,
    /// How often the student asked for it.
    #[serde(default)]
    pub tries: u32,
}

/// How it stands with a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It passed.
    Passed,
    /// It ran and did not pass.
    Failed,
    /// It was ended because its time was over.
    TimedOut,
    /// It could not be run.
    NotRun,
}

/// What was answered to a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizResult {
    /// The answer.
    pub answer: QuizAnswer,
    /// Whether it was right; once it was, it stays so until the step is reset.
    pub right: bool,
    /// The points that it gave.
    #[serde(default)]
    pub score: u32,
    /// How many answers were given.
    pub tries: u32,
    /// When the last one was.
    pub at: Timestamp,
    /// What explains the right answer: cleaned HTML, empty if nothing does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub explanation: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuizAnswer {
    /// The numbers of the options that were chosen, from 0.
    Choice(Vec<u32>),
    /// A text.
    Text(String),
}

impl LabAttempt {
    /// The progress in a step; that of one that was never seen is none.
    #[must_use]
    pub fn progress(&self, step: u32) -> Option<&StepProgress> {
        self.steps.get(&step)
    }
}

impl CheckState {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::NotRun => "not-run",
        }
    }
}

impl fmt::Debug for LabAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabAttempt")
            .field("id", &self.id)
            .field("lab", &self.lab)
            .field("version", &self.version)
            .field("account", &self.account)
            .field("step", &self.step)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> LabAttempt {
        let check = CheckResult {
            state: CheckState::TimedOut,
            score: 0,
            exit: None,
            hint: Some("Is it up?".to_owned()),
            at: Timestamp(7),
            tries: 2,
        };
        let answer = |answer, right| QuizResult {
            answer,
            right,
            score: 1,
            tries: 1,
            at: Timestamp(8),
            explanation: String::new(),
        };
        let quizzes = BTreeMap::from([
            ("port".to_owned(), answer(QuizAnswer::Choice(vec![1]), true)),
            ("name".to_owned(), answer(QuizAnswer::Text("alpine".to_owned()), false)),
        ]);
        let progress = StepProgress {
            seen_at: Timestamp(6),
            setup: SetupState::Failed("it ended with exit code 1".to_owned()),
            checks: BTreeMap::from([("up".to_owned(), check)]),
            quizzes,
            hints: BTreeSet::from([0, 2]),
        };
        LabAttempt {
            id: AttemptId::from_random(7),
            lab: LabId::parse("http").unwrap(),
            version: 3,
            account: Username::parse("ann").unwrap(),
            course: None,
            seed: "s3cret".to_owned(),
            language: String::new(),
            opened: 1,
            workspace: Some(WorkspaceId::from_random(9)),
            prepared: Some(1),
            step: 11,
            steps: BTreeMap::from([(11, progress), (2, StepProgress::default())]),
            started_at: Timestamp(5),
            done_at: None,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let text = serde_json::to_string(&attempt()).unwrap();
        assert_eq!(serde_json::from_str::<LabAttempt>(&text).unwrap(), attempt());
        assert!(text.contains(r#""11":{"seen_at":6"#) && text.contains(r#""timed-out""#), "{text}");
        assert!(attempt().progress(11).is_some() && attempt().progress(3).is_none());
    }

    #[test]
    fn what_an_older_program_wrote_is_read() {
        let text = r#"{"id":"aaaaaaaaaa","lab":"http","version":1,"account":"ann","seed":"x","started_at":1}"#;
        let read: LabAttempt = serde_json::from_str(text).unwrap();
        assert_eq!((read.step, read.steps.len(), read.workspace, read.done_at), (0, 0, None, None));
        let step: StepProgress = serde_json::from_str(r#"{"seen_at":1}"#).unwrap();
        assert_eq!(step.setup, SetupState::Waiting);
    }

    #[test]
    fn the_seed_is_told_to_nobody() {
        assert!(!format!("{:?}", attempt()).contains("s3cret"));
    }

    #[test]
    fn states_are_called_as_they_are_stored() {
        for state in [CheckState::Passed, CheckState::Failed, CheckState::TimedOut, CheckState::NotRun] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state.as_str()));
        }
    }
}
