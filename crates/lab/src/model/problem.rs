//! What is wrong with a document, and where.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file, by its path in the folder; `.` for the folder as a whole.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong and what would be right, as a sentence without a stop.
    pub message: String,
    /// Whether the lab can be used nevertheless.
    pub severity: Severity,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something of the document is lost or cannot work.
    Error,
    /// Something is different from what the document says, and it works nevertheless.
    Warning,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// The problems found so far; bounded, so that a hostile document cannot fill the memory with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    found: Vec<Problem>,
    more: u64,
    errors: u64,
}

impl Problems {
    /// The most that are kept; of the rest only the number is.
    pub const MOST: usize = 1000;

    /// Something is lost or cannot work.
    pub fn error(&mut self, file: &impl fmt::Display, line: u32, message: impl Into<String>) {
        self.errors += 1;
        self.add(file, line, message.into(), Severity::Error);
    }

    /// Something is different from what the document says, and works.
    pub fn warn(&mut self, file: &impl fmt::Display, line: u32, message: impl Into<String>) {
        self.add(file, line, message.into(), Severity::Warning);
    }

    fn add(&mut self, file: &impl fmt::Display, line: u32, message: String, severity: Severity) {
        if self.found.len() < Self::MOST {
            self.found.push(Problem { file: file.to_string(), line: line.max(1), message, severity });
        } else {
            self.more += 1;
        }
    }

    /// Takes over what was found in a folder inside this one.
    pub fn take_from(&mut self, folder: &crate::LabPath, found: Self) {
        for mut problem in found.found {
            if *folder != crate::LabPath::root() {
                problem.file =
                    if problem.file == "." { folder.to_string() } else { format!("{folder}/{}", problem.file) };
            }
            if self.found.len() < Self::MOST { self.found.push(problem) } else { self.more += 1 }
        }
        self.more += found.more;
        self.errors += found.errors;
    }

    /// Whether something is lost or cannot work.
    #[must_use]
    pub fn any_errors(&self) -> bool {
        self.errors > 0
    }

    /// All that were kept, by file and line; a last one says how many there are beyond them.
    #[must_use]
    pub fn into_list(self) -> Vec<Problem> {
        let mut list = self.found;
        list.sort_by(|a, b| (&a.file, a.line, a.severity, &a.message).cmp(&(&b.file, b.line, b.severity, &b.message)));
        list.dedup();
        if self.more > 0 {
            let (message, severity) = (format!("and {} more problems", self.more), Severity::Error);
            list.push(Problem { file: ".".to_owned(), line: 1, message, severity });
        }
        list
    }
}

#[cfg(test)]
mod tests;
