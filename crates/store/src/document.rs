//! What a store holds and tells: revisions, documents, pages and changes. No behaviour beyond access.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A moment in the store's history; rises with every commit that changes something. Zero is before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);

    /// The revision with this number.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Its number.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The one that follows.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A lease: documents that bear it vanish when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseId(u64);

impl LeaseId {
    /// The lease with this number.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Its number.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A document as it was at some revision. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Arc<str>,
    /// Its content.
    pub value: Arc<[u8]>,
    /// The revision that created it; a document that is deleted and written again has a new one.
    pub created: Revision,
    /// The revision that wrote it last.
    pub modified: Revision,
    /// The lease that it bears.
    pub lease: Option<LeaseId>,
}

/// Some documents in key order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The documents.
    pub entries: Vec<Entry>,
    /// The revision at which they were read.
    pub revision: Revision,
    /// Whether more follow: ask again with `after` = the last key.
    pub more: bool,
}

/// All documents under a prefix at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The documents, in key order.
    pub entries: Vec<Entry>,
    /// The revision at which they were read.
    pub revision: Revision,
}

/// What happened to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Arc<str>,
    /// The document as it was written; none if it was deleted. It was created by this very change if
    /// `created == modified`.
    pub entry: Option<Entry>,
}

/// What one commit did to the watched keys; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The revision of the commit.
    pub revision: Revision,
    /// One per key, in no particular order.
    pub changes: Vec<Change>,
}
