//! The formats in which labs come.

use serde::{Deserialize, Serialize};
use std::fmt;

/// In which format a lab is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Our own: a folder with `lab.yaml` and Markdown steps.
    Pierhead,
    /// Scenarios of Katacoda and Killercoda: a folder with `index.json`.
    Katacoda,
    /// Posts of Play with Docker's classroom: Markdown files with front matter.
    PlayWithDocker,
    /// Workshops of Educates: `workshop/content` and `resources/workshop.yaml`.
    Educates,
    /// Challenges and tutorials of iximiuz Labs: `index.md` with front matter.
    Iximiuz,
}

impl Format {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pierhead => "pierhead",
            Self::Katacoda => "katacoda",
            Self::PlayWithDocker => "play-with-docker",
            Self::Educates => "educates",
            Self::Iximiuz => "iximiuz",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
