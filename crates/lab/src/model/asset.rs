//! Files that are put into containers.

use crate::LabPath;
use serde::{Deserialize, Serialize};

/// Files of the folder that are put into a container before the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Which files: a path from the lab's root, with `*`, `?` and `**` as in a shell.
    pub from: String,
    /// In which container; the first one without.
    #[serde(default)]
    pub container: Option<String>,
    /// Where they go, from the root of the container on: a folder if it ends in a slash or `from` is a pattern, else
    /// the name of the file.
    pub to: String,
    /// Their permissions, such as `0o644`; those of a file that everybody may read without.
    #[serde(default)]
    pub mode: Option<u32>,
    /// The file and line that asks for it, for problems.
    pub file: LabPath,
    /// The line, from 1.
    pub line: u32,
}
