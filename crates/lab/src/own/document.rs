//! What may stand in `lab.yaml` and in the heads of steps, as it is written; docs/lab.schema.json is made from it.

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// `lab.yaml`: what a lab is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct LabFile {
    /// What the lab is called.
    pub(crate) title: String,
    /// What it is about, in a few sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) summary: String,
    /// The name of the environment that it runs in; either this or `containers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    /// The containers that it runs in, the first one being that of terminals and checks that name none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) containers: Vec<ContainerFile>,
    /// Terminals beside those that have the names of containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) terminals: Vec<TerminalFile>,
    /// How many minutes a student needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(minimum = 1, maximum = 10080))]
    pub(crate) minutes: Option<u32>,
    /// Values that steps, blocks and scripts refer to as `{{name}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schema(value_type = BTreeMap<String, VariableFile>))]
    pub(crate) variables: BTreeMap<String, Spanned<VariableFile>>,
    /// The languages of the lab, such as `en`; the first is that of the steps, a step in another one is `NAME.LANGUAGE.md`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) languages: Vec<String>,
    /// Title and summary in the further languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) translations: BTreeMap<String, WordingFile>,
    /// The files of the steps in their order; all `*.md` in `steps/` by their names, if they are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schema(value_type = Vec<String>))]
    pub(crate) steps: Vec<Spanned<String>>,
    /// Files that are put into containers before the first step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schema(value_type = Vec<AssetFile>))]
    pub(crate) files: Vec<Spanned<AssetFile>>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ContainerFile {
    /// Its name, by which the others find it.
    pub(crate) name: String,
    /// The image that it begins as.
    pub(crate) image: String,
    /// The ports on which it serves something to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<u16>,
    /// Whether it must be privileged, as for a Docker engine of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) privileged: bool,
    /// What runs in it in place of the image's own command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, String>,
    /// As whom its processes run, `user` or `user:group`; the image's own user without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// Its memory in MB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(minimum = 4, maximum = 65536))]
    pub(crate) memory: Option<u32>,
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TerminalFile {
    /// Its name, as blocks write it in `terminal=`.
    pub(crate) name: String,
    /// In which container it is; the first one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<String>,
}

/// The value of a variable; exactly one of `value`, `one_of`, `from` with `to`, and `letters`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct VariableFile {
    /// The same for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// One of these for each student.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) one_of: Vec<String>,
    /// A whole number for each student, from this one on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<i64>,
    /// And up to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<i64>,
    /// So many random lower-case letters for each student.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(minimum = 1, maximum = 64))]
    pub(crate) letters: Option<u8>,
}

/// Title and summary in a further language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct WordingFile {
    /// The title.
    pub(crate) title: String,
    /// The summary.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) summary: String,
}

/// Files that are put into a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetFile {
    /// Which files of the lab, with `*`, `?` and `**` as in a shell.
    pub(crate) from: String,
    /// Where they go: a folder if it ends in a slash or `from` is a pattern, else the name of the file.
    pub(crate) to: String,
    /// In which container; the first one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<String>,
    /// Their permissions in octal digits, such as `"0755"`; `"0644"` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<String>,
}

/// The head of a step, between two lines of `---`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FrontFile {
    /// What the step is called; its first heading without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// What is run when a student comes to the step for the first time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schema(value_type = Vec<SetupFile>))]
    pub(crate) setup: Vec<Spanned<SetupFile>>,
    /// What must hold for the step to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schema(value_type = Vec<CheckFile>))]
    pub(crate) checks: Vec<Spanned<CheckFile>>,
    /// The file of a script that does what the step asks, for tests of the lab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<String>))]
    pub(crate) solution: Option<Spanned<String>>,
}

/// A script that is run when a student comes to a step: either `script` or `run`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SetupFile {
    /// The file of the script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,
    /// The script itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
    /// In which container; the first one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<String>,
    /// The terminal in which the student sees it run; unseen without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) terminal: Option<String>,
}

/// A check: either `script` or `run`, of which exit status 0 is a pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckFile {
    /// Its name among the checks of the step: lower-case letters, digits and hyphens; `check-1` and so on without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What is checked, in words for the student.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The file of the script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,
    /// The script itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
    /// In which container; the first one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<String>,
    /// After how many seconds it is ended and has not passed; 10 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(minimum = 1, maximum = 300))]
    pub(crate) timeout_seconds: Option<u32>,
    /// Points for a pass; 1 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(maximum = 1000))]
    pub(crate) score: Option<u32>,
    /// Whether it is run again and again while the step is open, until it passes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) continuous: bool,
    /// The seconds between two runs of a continuous one; 5 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(minimum = 1, maximum = 3600))]
    pub(crate) every_seconds: Option<u32>,
    /// What the student is told when it does not pass; the first that fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hints: Vec<HintFile>,
}

/// What the student is told when a check does not pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct HintFile {
    /// Only after this exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(minimum = 1))]
    pub(crate) exit: Option<u8>,
    /// Only when its time was over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) timeout: bool,
    /// The hint.
    pub(crate) text: String,
}
