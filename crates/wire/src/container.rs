//! Containers as they are listed and inspected.

use crate::{ImageDescription, PortDescription};
use serde::{Deserialize, Serialize};

/// The header of a log that tells since when its container is gone, RFC 3339. Without it the container is there.
pub const GONE_SINCE: &str = "pierhead-gone-since";

/// A container of any host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerView {
    /// Docker's id. A container that is created anew has a new one.
    pub id: String,
    /// Its name, with the slash that Docker puts before it.
    pub name: String,
    /// What it was described as.
    pub image: ImageDescription,
    /// Where it is.
    pub engine: EngineOfContainer,
    /// `running` or `stopped`.
    pub state: String,
    /// The state in Docker's words, or `unreachable` while its host does not answer.
    pub status: String,
    /// Its ports that are bound on the host, `host_ip` being where they answer.
    pub ports: Vec<PortDescription>,
    /// The app that it belongs to; absent for one that is not Pierhead's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The slot of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// How often the slot's containers were created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// Whose app it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its exit code, if it has exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// When it was created (RFC 3339).
    pub created_at: String,
}

/// The host of a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineOfContainer {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
    /// Its cores.
    pub cpus: f64,
    /// Its memory in MB.
    pub memory: f64,
    /// Its labels.
    pub labels: Vec<String>,
}
