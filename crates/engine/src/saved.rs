//! What is asked of an engine to keep the files of a container, and what it tells of them.

use crate::EngineError;
use crate::merge::MergeError;
use pierhead_model::{ContainerId, ImageReference, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

/// How many files and folders a container has made over its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The container.
    pub container: ContainerId,
    /// Nobody counts on when there are more.
    pub most: u64,
}

/// So many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// None if they can't be counted there.
    pub files: Option<u64>,
}

/// An image with one layer over its base, of one that has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Squash {
    /// The image with several.
    pub image: ImageReference,
    /// How many of its layers are the base.
    pub base_layers: usize,
    /// The image whose configuration the new one gets, without declared volumes and labels of ours.
    pub like: ImageReference,
    /// The name of the new one.
    pub name: ImageReference,
    /// Its labels, beside those of the other.
    pub labels: BTreeMap<String, String>,
    /// When it was made.
    pub created: Timestamp,
    /// The most bytes that the layers above the base may have.
    pub most_bytes: u64,
}

/// An image that was made so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Squashed {
    /// Its id: the digest of its configuration.
    pub id: String,
    /// How many layers it has.
    pub layers: usize,
    /// What its layer over the base holds, in bytes; 0 if it has none.
    pub layer_bytes: u64,
}

/// Which images are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The later one.
    pub image: ImageReference,
    /// The earlier one; if there is none, the lowest layers of the later one.
    pub earlier: Option<ImageReference>,
    /// How many of the later one's layers are its base.
    pub base_layers: usize,
}

impl From<MergeError> for EngineError {
    fn from(error: MergeError) -> Self {
        match &error {
            MergeError::Keep(cause)
                if matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                Self::NoSpace(error.to_string())
            }
            MergeError::TooLarge { .. } | MergeError::TooMany => Self::Refused(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
