//! Events as they are listed.

use crate::HealthView;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// Its id.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// When: RFC 3339, UTC, three decimals.
    pub time: String,
    /// For a person.
    pub message: String,
    /// `cluster`, `security`, `Docker`.
    pub tags: Vec<String>,
    /// The container that it is about, as it then was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::ContainerView>))]
    pub container: Option<Value>,
    /// The engine that it is about, as it then was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<EngineThenView>))]
    pub engine: Option<Value>,
    /// The app that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// An engine as it was when something happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineThenView {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
    /// Cores that may be reserved.
    pub cpus: f64,
    /// Memory that may be reserved, in MB.
    pub memory: f64,
    /// Labels, people's and the engine's own.
    pub labels: Vec<String>,
    /// How it answered.
    pub health: HealthView,
    /// The engine's version; empty until it was reached.
    pub docker_version: String,
    /// The API version that was spoken with it.
    pub api_version: String,
    /// The host's operating system.
    pub operating_system: String,
    /// The host's kernel.
    pub kernel: String,
    /// The engine's storage driver.
    pub storage_driver: String,
}
