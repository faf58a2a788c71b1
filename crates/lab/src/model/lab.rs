//! A lab as a whole.

use super::{Asset, Format, LabEnvironment, LabTerminal, Step, Variable};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A lab document: what all readers make, whatever the format.
///
/// Texts and scripts are in it; images and files that are put into containers are not, they are named by their paths in
/// the folder that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lab {
    /// The format that it was read from.
    pub format: Format,
    /// What it is called; one line of plain text.
    pub title: String,
    /// What it is about; a few sentences of plain text, empty if nobody wrote any.
    #[serde(default)]
    pub summary: String,
    /// What it runs in.
    pub environment: LabEnvironment,
    /// The terminals that steps may name, beside those of the containers' own names.
    #[serde(default)]
    pub terminals: Vec<LabTerminal>,
    /// How long a student needs, in minutes, as the author guesses.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Values that differ from student to student, or are written once.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// The language that its texts are in, such as `en`; empty if nobody said.
    #[serde(default)]
    pub language: String,
    /// Title and summary in further languages.
    #[serde(default)]
    pub translations: BTreeMap<String, Wording>,
    /// The steps in their order; an introduction and an end are steps without checks.
    pub steps: Vec<Step>,
    /// Files that are put into containers before the first step.
    #[serde(default)]
    pub assets: Vec<Asset>,
}

/// Title and summary of a lab in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// The title.
    pub title: String,
    /// The summary.
    #[serde(default)]
    pub summary: String,
}
