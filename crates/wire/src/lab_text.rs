//! What the text of a lab says: what is wrong with it, its outline and pages, what an import made of another platform's.

use crate::LabView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wrong with a lab, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabProblemView {
    /// The file, by its path in the folder; `.` for the folder as a whole.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong and what would be right.
    pub message: String,
    /// `error`, or `warning` for what works nevertheless.
    pub severity: String,
}

/// What a state of a lab holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabOutlineView {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub summary: String,
    /// Its languages, that of its steps first; empty if nobody said.
    pub languages: Vec<String>,
    /// Its terminals.
    pub terminals: Vec<LabTerminalView>,
    /// Its steps.
    pub steps: Vec<LabStepView>,
    /// What is wrong with it; empty for those who don't write it.
    pub problems: Vec<LabProblemView>,
}

/// A terminal of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabTerminalView {
    /// Its name.
    pub name: String,
    /// In which container it is; the first one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// A step in a table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabStepView {
    /// What it is called.
    pub title: String,
    /// Its file; absent for those who don't write the lab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How many checks it has.
    pub checks: u64,
    /// How many questions.
    pub quizzes: u64,
}

/// A page of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabPageView {
    /// What it is called: plain text.
    pub title: String,
    /// Its text: HTML in which nothing runs and that loads nothing. An empty `span` or `div` with `data-block="N"` is the
    /// place of block N.
    pub html: String,
    /// What stands in these places.
    pub blocks: Vec<LabBlockView>,
    /// The checks of its step.
    pub checks: Vec<LabCheckView>,
    /// What is wrong with it; only of a page that is not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<LabProblemView>,
    /// The step that it is, from 0; absent for a file that is no page of a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
}

/// Something in a page that is more than text; what else it has depends on its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabBlockView {
    /// `run`, `copy`, `edit`, `preview`, `image`, `hint`, `quiz`, `step` or `file`.
    pub kind: String,
    /// What it has.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// A check of a step, as students see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabCheckView {
    /// Its name among those of its step.
    pub name: String,
    /// What is checked.
    pub title: String,
    /// Whether it is run again and again until it passes.
    pub continuous: bool,
}

/// Body of `POST /api/labs/{id}/preview`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabPreviewRequest {
    /// The file.
    pub path: String,
    /// What it would hold.
    pub text: String,
}

/// Body of `POST /api/labs/{id}/environment`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabEnvironmentRequest {
    /// The save.
    pub save: String,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabImportView {
    /// The lab; absent if there are several and it was not said which one is meant, or none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<LabView>,
    /// What was found.
    pub report: LabReportView,
}

/// What is in an archive, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabReportView {
    /// The format; absent if it is none that is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What the lab is called.
    pub title: String,
    /// The labs in the archive, if it was not said which one is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<LabPlaceView>,
    /// The steps of the lab.
    pub steps: Vec<LabStepLineView>,
    /// What is wrong, by file and line.
    pub problems: Vec<LabProblemView>,
}

/// One of several labs in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabPlaceView {
    /// Where it is: what `path` takes.
    pub path: String,
    /// Its format.
    pub format: String,
    /// What it is called.
    pub title: String,
    /// How many steps it has.
    pub steps: u64,
}

/// What a step holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabStepLineView {
    /// What it is called.
    pub title: String,
    /// How many blocks and inline commands it has that are run, copied or put into an editor.
    pub blocks: u64,
    /// How many checks.
    pub checks: u64,
    /// Links to previews.
    pub previews: u64,
    /// Images.
    pub images: u64,
    /// Hints.
    pub hints: u64,
    /// Questions.
    pub quizzes: u64,
}

/// What the images of other platforms become in labs that are imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabImagesView {
    /// By the name that the other platform gives an image.
    pub images: BTreeMap<String, LabImageView>,
    /// What an image becomes that is not in the table.
    pub otherwise: LabImageView,
}

/// What an image of another platform becomes: either an environment of the pool, or an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabImageView {
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Whether its containers are privileged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_images_says_one_thing_of_each() {
        let both = serde_json::json!({ "images": {}, "otherwise": { "image": "a", "other": 1 } });
        assert!(serde_json::from_value::<LabImagesView>(both).is_err());
    }
}
