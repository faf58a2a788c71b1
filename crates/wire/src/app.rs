//! Apps as they are described and listed.

use crate::{ImageDescription, PortDescription};
use serde::{Deserialize, Serialize};

/// Body of `PUT /api/apps/{name}`: makes the app or changes its description; a change replaces its containers one
/// by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AppChange {
    /// What its containers are.
    pub image: ImageDescription,
    /// How many run; left as it is if absent, 1 for a new app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
}

/// An app with its slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppView {
    /// Unique for ever.
    pub id: String,
    /// Unique in the pool.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// What its containers are.
    pub image: ImageDescription,
    /// How many shall run.
    pub replicas: u32,
    /// How many run.
    pub running: u32,
    /// How many have run to their end with exit code 0, and are not run again.
    #[serde(default)]
    pub done: u32,
    /// How many have run to their end with another exit code.
    #[serde(default)]
    pub failed: u32,
    /// Tells one description from another; a later one has a higher number, and none is used twice.
    pub version: u32,
    /// Whether a changed description is on its way to the slots, or why the last change was taken back.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// Its slots, oldest first.
    pub slots: Vec<SlotView>,
}

/// One slot of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotView {
    /// Its number.
    pub slot: u32,
    /// `running` or `stopped`: what people want of it.
    pub wish: String,
    /// `running`, `stopped`, `waiting`, `starting`, `done`, `failed`, `lost` or `removing`: what it is.
    pub state: String,
    /// Its main container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The exit code, if it has run to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The version of the description that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// How often its containers were created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// Ports of its main container on the host.
    pub ports: Vec<PortDescription>,
    /// Why it is not as wanted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}
