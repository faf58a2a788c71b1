//! What the agent of a host tells of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What the agent of a host tells of it: nothing of it is checked, and nothing but what is shown hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostFacts {
    /// The version of the agent.
    pub agent_version: String,
    /// How many cores the kernel runs.
    pub cpus: u32,
    /// How much memory there is, in megabytes of 2^20 bytes.
    pub memory_mb: u64,
    /// Addresses under which others can reach the host; no loopback and no link-local ones.
    pub addresses: BTreeSet<IpAddr>,
    /// The kernel's release.
    pub kernel: String,
    /// The engine's version; empty if it does not answer the agent.
    pub engine_version: String,
    /// The newest version of the engine's API.
    pub api_version: String,
    /// What starts containers, with its version.
    pub runtime: String,
    /// What keeps images.
    pub storage_driver: String,
    /// The version of control groups, `1` or `2`.
    pub cgroup_version: String,
    /// What is wrong or missing, each a sentence that says what follows from it.
    pub lacks: Vec<String>,
    /// Why workspaces cannot be kept apart on it, in words; nothing if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unguarded: Option<String>,
}
