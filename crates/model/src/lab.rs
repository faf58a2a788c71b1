//! Labs: documents that people work through, with a draft and published versions. What is in them lies elsewhere, as blobs
//! that are named by their content.

use crate::{EnvironmentId, Invalid, LabId, Timestamp, Username, Visibility};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The SHA-256 of some bytes, as 64 hexadecimal digits in lower case: the name of what lies in the library of labs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Parses one.
    ///
    /// # Errors
    /// [`Invalid`] if it is not 64 such digits.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let is_one = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_one { Ok(Self(text)) } else { Err(Invalid::new("digest", "64 hexadecimal digits in lower case")) }
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lab {
    /// Its name, unique in the pool.
    pub id: LabId,
    /// Whose it is.
    pub owner: Username,
    /// Who may write it beside its owner.
    #[serde(default)]
    pub authors: BTreeSet<Username>,
    /// Who may see what of it is published: its authors alone, or everybody who may work through labs.
    pub visibility: Visibility,
    /// What the draft says that it is called.
    pub title: String,
    /// What the draft says that it is about.
    #[serde(default)]
    pub summary: String,
    /// What its authors write at.
    pub draft: LabDraft,
    /// What was published and is kept, the newest last.
    #[serde(default)]
    pub versions: Vec<LabVersion>,
    /// How many versions were published so far: numbers are never used twice.
    #[serde(default)]
    pub published: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the authors of a lab write at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabDraft {
    /// Rises with each change.
    pub revision: u64,
    /// Its files: the name of their list.
    pub tree: Digest,
    /// When it was changed last.
    pub at: Timestamp,
    /// By whom.
    pub by: Username,
}

/// A version of a lab that students work through; never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabVersion {
    /// Its number, from 1.
    pub number: u32,
    /// Its files: the name of their list.
    pub tree: Digest,
    /// What it is called.
    pub title: String,
    /// What it is about.
    #[serde(default)]
    pub summary: String,
    /// How many steps it has.
    pub steps: u32,
    /// What its author said about it; may be empty.
    #[serde(default)]
    pub note: String,
    /// When it was published.
    pub at: Timestamp,
    /// By whom.
    pub by: Username,
}

/// Which state of a lab is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabVersionRef {
    /// What its authors write at.
    Draft,
    /// The newest that was published.
    Newest,
    /// The one with this number.
    Number(u32),
}

/// What is remembered of the drafts of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LabHistory {
    /// The last drafts, the newest last, at most [`LabHistory::KEPT`].
    pub drafts: Vec<LabDraftThen>,
}

/// A draft as it was after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabDraftThen {
    /// Its revision.
    pub revision: u64,
    /// Its files.
    pub tree: Digest,
    /// When the change was begun: changes that follow it soon are a part of it.
    pub since: Timestamp,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub by: Username,
    /// What was changed.
    pub what: LabChange,
}

/// What was changed of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum LabChange {
    /// It was made.
    Made,
    /// A file was written.
    Written {
        /// The file.
        path: String,
    },
    /// A file was removed.
    Removed {
        /// The file.
        path: String,
    },
    /// A file or folder was moved.
    Moved {
        /// What it was called.
        path: String,
        /// What it is called.
        to: String,
    },
    /// All files were sent in.
    Pushed,
    /// All files were imported.
    Imported,
    /// It became again what it was.
    Restored {
        /// The revision that it became.
        revision: u64,
    },
    /// Something that a newer program knows.
    #[serde(other)]
    Other,
}

impl Lab {
    /// The most versions of a lab that are kept.
    pub const MOST_VERSIONS: usize = 200;
    /// The most accounts that may write a lab beside its owner.
    pub const MOST_AUTHORS: usize = 50;

    /// The version of a number, if it is kept.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&LabVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The newest version that was published.
    #[must_use]
    pub fn newest(&self) -> Option<&LabVersion> {
        self.versions.last()
    }

    /// The files of a state of it.
    #[must_use]
    pub fn tree(&self, version: LabVersionRef) -> Option<&Digest> {
        match version {
            LabVersionRef::Draft => Some(&self.draft.tree),
            LabVersionRef::Newest => self.newest().map(|version| &version.tree),
            LabVersionRef::Number(number) => self.version(number).map(|version| &version.tree),
        }
    }

    /// Whether somebody is its owner or writes it beside them.
    #[must_use]
    pub fn is_author(&self, username: &Username) -> bool {
        self.owner == *username || self.authors.contains(username)
    }
}

impl LabHistory {
    /// How many drafts are remembered.
    pub const KEPT: usize = 100;
    /// For how long changes of one file by one person are one, in milliseconds.
    const ONE_MS: u64 = 120_000;

    /// Adds a draft. One that goes on with the last change takes its place.
    pub fn add(&mut self, draft: &LabDraft, what: LabChange) {
        let goes_on = self.drafts.last().filter(|last| {
            let is_same = matches!(what, LabChange::Written { .. }) && last.what == what && last.by == draft.by;
            is_same && draft.at.since(last.since) < Self::ONE_MS
        });
        let since = goes_on.map(|last| last.since);
        if since.is_some() {
            self.drafts.pop();
        }
        let since = since.unwrap_or(draft.at);
        let LabDraft { revision, tree, at, by } = draft.clone();
        self.drafts.push(LabDraftThen { revision, tree, since, at, by, what });
        let surplus = self.drafts.len().saturating_sub(Self::KEPT);
        self.drafts.drain(..surplus);
    }

    /// The last change of a file, as far as it is remembered.
    #[must_use]
    pub fn last_of(&self, path: &str) -> Option<&LabDraftThen> {
        self.drafts.iter().rev().find(|draft| draft.what.may_touch(path))
    }
}

impl LabChange {
    /// Whether a file may be another one after it.
    fn may_touch(&self, file: &str) -> bool {
        let is_in =
            |folder: &str| file == folder || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        match self {
            Self::Written { path } | Self::Removed { path } => path == file,
            Self::Moved { path, to } => is_in(path) || is_in(to),
            Self::Made | Self::Pushed | Self::Imported | Self::Restored { .. } | Self::Other => true,
        }
    }
}

impl LabId {
    /// What the names of the environments of labs begin with; nothing else may be called so.
    pub const ENVIRONMENTS: &'static str = "lab-";

    /// The environment in which students work through the lab.
    #[must_use]
    pub fn environment(&self) -> EnvironmentId {
        self.named_environment("")
    }

    /// The environment in which its authors try the draft.
    #[must_use]
    pub fn draft_environment(&self) -> EnvironmentId {
        self.named_environment("-draft")
    }

    /// The environment that its authors have prepared and saved.
    #[must_use]
    pub fn prepared_environment(&self) -> EnvironmentId {
        self.named_environment("-prepared")
    }

    /// Names that would be too long are cut and told apart by a hash (32-bit FNV-1a).
    fn named_environment(&self, end: &str) -> EnvironmentId {
        const LONGEST: usize = 40;
        let whole = format!("{}{self}{end}", Self::ENVIRONMENTS);
        let name = if whole.len() <= LONGEST {
            whole
        } else {
            let hash = self
                .as_str()
                .bytes()
                .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            let kept = LONGEST - Self::ENVIRONMENTS.len() - "-01234567".len() - end.len();
            format!("{}{}-{hash:08x}{end}", Self::ENVIRONMENTS, &self.as_str()[..kept])
        };
        EnvironmentId::parse(name).expect("a label with hyphens and digits behind it is one")
    }
}

#[cfg(test)]
mod tests;
