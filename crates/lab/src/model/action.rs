//! What happens to code of a document on a click.

use serde::{Deserialize, Serialize};

/// What happens to code on a click.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    /// It is run in a terminal.
    Run {
        /// The terminal; the one that is open without.
        #[serde(default)]
        terminal: Option<String>,
        /// Whether what runs there is interrupted first.
        #[serde(default)]
        interrupt: bool,
    },
    /// It is copied.
    Copy,
    /// It is put into a file, with an editor.
    Edit {
        /// The file, from the container's root on.
        file: String,
        /// The container; the first one without.
        #[serde(default)]
        container: Option<String>,
    },
}

impl Action {
    /// To run it in the terminal that is open.
    pub const RUN: Self = Self::Run { terminal: None, interrupt: false };
}
