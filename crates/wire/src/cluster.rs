//! The pool's totals.

use serde::{Deserialize, Serialize};

/// Answer of `GET /api/cluster/info`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterInfo {
    /// Cores of all hosts that answer, with overrides and over-commit.
    pub cpus: f64,
    /// Memory of the same, in MB.
    pub memory: f64,
    /// Cores reserved.
    pub reserved_cpus: f64,
    /// Memory reserved, in MB.
    pub reserved_memory: f64,
    /// Cores in use by running containers, averaged since the last such question (or the container's start).
    pub used_cpus: f64,
    /// Memory in use by running containers, in MB.
    pub used_memory: f64,
    /// Running containers.
    pub container_count: u64,
    /// Images, summed host by host.
    pub image_count: u64,
    /// Hosts, those that do not answer included.
    pub engine_count: u64,
    /// Hosts that were left out of the sums because they do not answer.
    pub silent_engines: Vec<SilentEngine>,
    /// The cluster's id, which its containers bear as a label.
    pub id: String,
    /// The program's version.
    pub version: String,
}

/// A host that does not answer, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SilentEngine {
    /// Its id.
    pub id: String,
    /// Why, in words.
    pub reason: String,
}
