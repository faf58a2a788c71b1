//! Ports of workspaces, and the addresses at which browsers see them.

use serde::{Deserialize, Serialize};

/// A port of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortView {
    /// The port.
    pub port: u16,
    /// The container, by its name in the environment.
    pub container: String,
    /// Whether the environment declares it.
    pub declared: bool,
    /// Whether something listens on it.
    pub listening: bool,
    /// Whether what listens is reached by the container itself only: then it can't be seen from outside.
    pub only_inside: bool,
    /// The container that the port's address shows in place of this one, where the same port is in use in several: an address
    /// names only the port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
}

/// Where a browser begins to see a port.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewView {
    /// The address, with a ticket that is good once: who opens it sees the port as the asker.
    pub url: String,
    /// Until when the ticket is good.
    pub expires: String,
}
