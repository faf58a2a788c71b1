//! Checks of steps.

use crate::LabPath;
use serde::{Deserialize, Serialize};

/// A script, with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The file that it was read from, or in which it stands.
    pub file: LabPath,
    /// Where it begins in that file, from 1.
    pub line: u32,
    /// Its text; the first line may name an interpreter (`#!`), otherwise it is for `/bin/sh`.
    pub text: String,
}

/// Something that must hold for a step to be done. Its script is run beside the student's shell; exit status 0 is a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name among the checks of its step: lower-case letters, digits and hyphens.
    pub name: String,
    /// What is checked, in words for the student; one line of plain text.
    pub title: String,
    /// The script.
    pub script: Script,
    /// In which container; the first one without.
    #[serde(default)]
    pub container: Option<String>,
    /// After how many seconds it is ended and has not passed.
    pub timeout_seconds: u32,
    /// Points for a pass.
    pub score: u32,
    /// When it is run.
    pub when: When,
    /// What the student is told, by outcome; the first that fits.
    #[serde(default)]
    pub hints: Vec<OutcomeHint>,
}

impl Check {
    /// The time that a check gets unless it says otherwise, in seconds.
    pub const TIMEOUT_SECONDS: u32 = 10;
    /// The longest time that a check may ask for, in seconds.
    pub const LONGEST_SECONDS: u32 = 300;
    /// The time between two runs of a continuous check unless it says otherwise, in seconds.
    pub const EVERY_SECONDS: u32 = 5;
}

/// When a check is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// When the student asks for it.
    Click,
    /// Again and again while the step is open, until it passes.
    Continuous {
        /// The time between two runs, in seconds.
        every_seconds: u32,
    },
}

/// What a student is told after a check that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeHint {
    /// The exit status that it is for; any but 0 without, and the end of its time too.
    #[serde(default)]
    pub exit: Option<u8>,
    /// Whether it is for a check that was ended because its time was over.
    #[serde(default)]
    pub timeout: bool,
    /// The hint: plain text.
    pub text: String,
}
