//! What a check of a document says, as data.

use super::{Format, Problem, Problems, Severity};
use serde::{Deserialize, Serialize};

/// What is in a folder, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The format; none if it is none that we read.
    pub format: Option<Format>,
    /// The title of the lab, or of the folder if there are several labs in it.
    pub title: String,
    /// The labs in the folder, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<LabLine>,
    /// The steps of all labs, in their order.
    pub steps: Vec<StepLine>,
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Of something that could not even be opened.
    #[must_use]
    pub fn refused(name: &str, message: impl Into<String>) -> Self {
        let mut problems = Problems::default();
        problems.error(&name, 1, message);
        let (labs, steps) = (Vec::new(), Vec::new());
        Self { format: None, title: name.to_owned(), labs, steps, problems: problems.into_list() }
    }

    /// How many problems make the check fail.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }
}

/// One of several labs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabLine {
    /// Where it is in the folder.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// Its title.
    pub title: String,
    /// How many steps it has.
    pub steps: usize,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepLine {
    /// Its title.
    pub title: String,
    /// How many blocks and inline commands it has that are run, copied or put into an editor.
    pub blocks: usize,
    /// How many checks it has.
    pub checks: usize,
    /// Of the blocks, how many are run.
    pub runs: usize,
    /// Links to previews.
    pub previews: usize,
    /// Images.
    pub images: usize,
    /// Hints.
    pub hints: usize,
    /// Quizzes.
    pub quizzes: usize,
}
