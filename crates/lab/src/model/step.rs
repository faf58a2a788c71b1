//! A step of a lab.

use super::{Check, Script};
use crate::LabPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One step: a page to read and what is checked before the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its page in the lab's own language.
    pub page: Page,
    /// Its page in further languages.
    #[serde(default)]
    pub translations: BTreeMap<String, Page>,
    /// What is run when a student comes to it for the first time, in this order.
    #[serde(default)]
    pub setup: Vec<Setup>,
    /// What must hold for the step to be done; a step without checks is done when it was read.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// A script that does what the step asks, for tests of the lab; students never see it.
    #[serde(default)]
    pub solution: Option<Script>,
}

/// The text of a step in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What the step is called; one line of plain text.
    pub title: String,
    /// The file that it was read from, for problems and for what it refers to: its references begin in this file's folder,
    /// or at the lab's root if they begin with a slash. Importers write all of them with a slash, for in our own format
    /// the page becomes another file.
    pub file: LabPath,
    /// The line of that file where `text` begins, from 1, for problems.
    pub line: u32,
    /// Markdown with the blocks of our own format (docs/labs.md), whatever the format of the file: importers translate,
    /// with [`spell`](crate::spell) for the spelling.
    pub text: String,
}

/// A script that is run when a student comes to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The script.
    pub script: Script,
    /// In which container; the first one without.
    #[serde(default)]
    pub container: Option<String>,
    /// The terminal in which the student sees it run; unseen without.
    #[serde(default)]
    pub terminal: Option<String>,
}
