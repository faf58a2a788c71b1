//! What a lab runs in, and how images of other platforms are mapped to ours.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a lab runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabEnvironment {
    /// An environment of the pool, by its name.
    Named(String),
    /// Containers that the lab describes itself, in the order in which they start; at least one.
    Containers(Vec<LabContainer>),
}

/// A container that a lab describes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabContainer {
    /// Its name, by which the others find it.
    pub name: String,
    /// The image that it begins as.
    pub image: String,
    /// The ports on which it serves something to look at.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Whether it must be privileged, as for a Docker engine of its own.
    #[serde(default)]
    pub privileged: bool,
    /// What runs in it in place of the image's own command.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// As whom its processes run; the image's own user without.
    #[serde(default)]
    pub user: Option<String>,
    /// Its memory in MB; what every container gets without.
    #[serde(default)]
    pub memory_mb: Option<u32>,
}

impl LabContainer {
    /// The least and the most memory that a container may ask for, in MB.
    pub const MEMORY_MB: std::ops::RangeInclusive<u32> = 4..=65_536;
}

/// A terminal beside the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabTerminal {
    /// Its name, as blocks write it in `terminal=`.
    pub name: String,
    /// In which container it is; the first one without.
    #[serde(default)]
    pub container: Option<String>,
}

/// What an image of another platform becomes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappedTo {
    /// An environment of the pool, by its name.
    Environment(String),
    /// An image for each of the lab's hosts.
    Image {
        /// The image.
        image: String,
        /// Whether its containers must be privileged.
        #[serde(default)]
        privileged: bool,
    },
}

/// How images of other platforms are mapped; administrators edit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageTable {
    /// By the name that the other platform gives an image, such as `ubuntu`.
    pub images: BTreeMap<String, MappedTo>,
    /// What an image becomes that is not in the table.
    pub otherwise: MappedTo,
}
