//! Work in courses: when it is due and for whom later, what was handed in and how far that is, and what it was worth. A
//! submission is written down before anything is done for it, so that none is lost with the controller that took it.

use crate::{AttemptId, CheckState, CourseId, LabId, SaveId, Timestamp, Username, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Points, in hundredths of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(pub u32);

impl Points {
    /// The most that a criterion can be worth, in whole points.
    pub const MOST: u32 = 100_000;

    /// So many whole points.
    #[must_use]
    pub fn whole(points: u32) -> Self {
        Self(points.saturating_mul(100))
    }

    /// Points as people write them, with at most two decimals; `None` for what is negative, too many or finer.
    #[must_use]
    pub fn parse(points: f64) -> Option<Self> {
        let hundredths = points * 100.0;
        let is_good = (0.0..=f64::from(Self::MOST) * 100.0).contains(&hundredths);
        let rounded = hundredths.round();
        // What was written with two decimals is not always one of the numbers that there are.
        (is_good && (hundredths - rounded).abs() < 1e-6).then_some(Self(rounded as u32))
    }

    /// As a number of points.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// This and more.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest % 10 == 0 => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// How the work at a lab of a course is handed in and graded. There is none for labs of which nobody said anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseWork {
    /// The course.
    pub course: CourseId,
    /// The lab.
    pub lab: LabId,
    /// What becomes of what is handed in late.
    #[serde(default)]
    pub late: LatePolicy,
    /// Whether what was begun and not handed in is handed in by itself when it is due.
    #[serde(default = "yes")]
    pub collects: bool,
    /// What it is graded by; by its checks and its questions if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rubric: Vec<Criterion>,
    /// For whom it is due later, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<Username, Timestamp>,
    /// Everything that was due until then was handed in by itself, if it was to be.
    #[serde(default)]
    pub collected_until: Timestamp,
    /// Since when students see what they got; none while they don't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
}

fn yes() -> bool {
    true
}

impl CourseWork {
    /// The most criteria.
    pub const MOST_CRITERIA: usize = 30;

    /// What holds of which nobody said anything.
    #[must_use]
    pub fn new(course: CourseId, lab: LabId) -> Self {
        Self {
            course,
            lab,
            late: LatePolicy::default(),
            collects: true,
            rubric: Vec::new(),
            extensions: BTreeMap::new(),
            collected_until: Timestamp(0),
            published_at: None,
        }
    }
}

/// What becomes of what is handed in late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatePolicy {
    /// It is taken, and marked as late.
    #[default]
    Mark,
    /// It is refused.
    Refuse,
}

impl LatePolicy {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::Refuse => "refuse",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Mark, Self::Refuse].into_iter().find(|policy| policy.as_str() == name)
    }
}

/// One line of a rubric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// Its name among those of its lab: lower-case letters, digits and hyphens.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// What its points come from.
    pub from: PointsFrom,
    /// The most points.
    pub most: Points,
}

/// What the points of a criterion come from, until somebody gives others by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointsFrom {
    /// The checks of the lab.
    Checks,
    /// Its questions.
    Quizzes,
    /// Nothing.
    Hand,
}

impl PointsFrom {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checks => "checks",
            Self::Quizzes => "quizzes",
            Self::Hand => "hand",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Checks, Self::Quizzes, Self::Hand].into_iter().find(|from| from.as_str() == name)
    }
}

/// Which submission: the `number`th of somebody's for a lab of a course, from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubmissionKey {
    /// The course.
    pub course: CourseId,
    /// The lab.
    pub lab: LabId,
    /// Whose it is.
    pub account: Username,
    /// Which of theirs.
    pub number: u32,
}

/// Work that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Which it is.
    #[serde(flatten)]
    pub key: SubmissionKey,
    /// When it was handed in. Whatever takes longer with us, this is what counts.
    pub asked_at: Timestamp,
    /// When it was due for them, at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Whether that was late.
    #[serde(default)]
    pub late: bool,
    /// Who handed it in: whose it is, or nobody if it was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Username>,
    /// For whom it counts too: the others of the group, as it then was.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<Username>,
    /// The attempt.
    pub attempt: AttemptId,
    /// The version of the lab.
    pub version: u32,
    /// The workspace, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    /// How far it is.
    pub stage: SubmissionStage,
    /// What the workspace held; none while it is being saved, or if there was nothing to save.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<SaveId>,
    /// Of when that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
    /// What had come out by the moment at which it was handed in, and what came out on a copy of what was saved.
    pub results: FrozenResults,
    /// What people should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How often its present stage failed.
    #[serde(default)]
    pub tries: u32,
    /// Not before this moment is anything tried again.
    #[serde(default)]
    pub not_before: Timestamp,
    /// When its present stage began.
    pub since: Timestamp,
}

impl Submission {
    /// Whether it counts for somebody.
    #[must_use]
    pub fn counts_for(&self, who: &Username) -> bool {
        self.key.account == *who || self.also.contains(who)
    }
}

/// How far a submission is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmissionStage {
    /// It was handed in, and nothing was done yet.
    Asked,
    /// Its workspace is being saved.
    Saving {
        /// The number of the wish for a save that is its.
        wish: u32,
        /// The number of the newest save that had been begun before that.
        after: u32,
    },
    /// Its checks are run on a copy of what was saved.
    Checking {
        /// The copy; none until there is room for one more.
        copy: Option<WorkspaceId>,
    },
    /// It is complete.
    Complete,
    /// It is not, and why.
    Failed {
        /// In words for whoever handed it in.
        why: String,
    },
}

impl SubmissionStage {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Saving { .. } => "saving",
            Self::Checking { .. } => "checking",
            Self::Complete => "complete",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether nothing more becomes of it by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Complete | Self::Failed { .. })
    }
}

/// What came out of a lab, as it was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FrozenResults {
    /// Its checks, step by step.
    #[serde(default)]
    pub checks: Vec<FrozenCheck>,
    /// Its questions, step by step.
    #[serde(default)]
    pub quizzes: Vec<FrozenQuiz>,
    /// Whether the checks were run on a copy of what was saved.
    #[serde(default)]
    pub ran_on_copy: bool,
}

/// A check, as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenCheck {
    /// Its step, from 0.
    pub step: u32,
    /// Its name.
    pub name: String,
    /// What is checked.
    pub title: String,
    /// The points for a pass.
    pub most: u32,
    /// What it had come to; none if it was never run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<CheckState>,
    /// What it came to on the copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_copy: Option<CheckState>,
}

impl FrozenCheck {
    /// Whether it counts as passed. What a student saw pass stays so, and what holds in what they handed in counts too.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        [self.state, self.on_copy].contains(&Some(CheckState::Passed))
    }
}

/// A question, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenQuiz {
    /// Its step, from 0.
    pub step: u32,
    /// Its name.
    pub name: String,
    /// The points for a right answer.
    pub most: u32,
    /// The points that it gave; none if it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
}

/// What somebody said of somebody's work at a lab of a course.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grade {
    /// What was given by hand, by criterion.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<String, GradeLine>,
    /// A comment on the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Username>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// What was said by hand of one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GradeLine {
    /// The points; those that come of themselves without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
    /// A comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// When nobody could hand in anything, because no controller answered: what was due then is due later. Written by the
/// leading controller.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Service {
    /// The last moment at which one was there; zero while nothing is due anywhere.
    pub alive_at: Timestamp,
    /// The last times at which none was, the newest last.
    #[serde(default)]
    pub outages: Vec<Outage>,
}

/// A time at which no controller answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Its beginning, or a little before.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Service {
    /// How often the leading controller says that it is there, in milliseconds.
    pub const BEAT_MS: u64 = 5_000;
    /// From how long a silence on it counts as an outage, in milliseconds.
    pub const SILENCE_MS: u64 = 3 * Self::BEAT_MS;
    /// The most outages that are remembered.
    pub const KEPT: usize = 100;

    /// Notes that a controller is there now.
    pub fn beat(&mut self, now: Timestamp) {
        if self.alive_at.0 > 0 && now.since(self.alive_at) >= Self::SILENCE_MS {
            self.outages.push(Outage { from: self.alive_at, to: now });
            let surplus = self.outages.len().saturating_sub(Self::KEPT);
            self.outages.drain(..surplus);
        }
        self.alive_at = self.alive_at.max(now);
    }

    /// Notes that nothing is due anywhere, so that no silence counts until the next beat.
    pub fn rest(&mut self) {
        self.alive_at = Timestamp::default();
    }
}

#[cfg(test)]
mod tests;
