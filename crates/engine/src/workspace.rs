//! How a container of a workspace is held: the one place where what an environment asks becomes what an engine is told.
//!
//! Nothing comes from a description but through the closed sets here: whatever somebody writes, no other capability, no
//! device, no security option and no namespace of the host can become part of a request.

use pierhead_model::Asks;
use std::net::Ipv4Addr;

/// The most processes in a container whose environment asks for no other number.
pub const PROCESSES: u32 = 256;
/// The most that can be asked for.
pub const MOST_PROCESSES: u32 = 4096;
/// The most files that a process may have open.
const OPEN_FILES: u32 = 4096;
/// A name server that is nowhere (RFC 5737): without a way out only the names of the workspace are to be found. An engine
/// would ask its host's own resolver otherwise, which carries questions out for who may not send anything.
const NO_RESOLVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// What root may do in a workspace whose environment asks for root: what installing packages takes, and nothing that
/// reaches beyond its container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Give files to others.
    Chown,
    /// Read and write whatever permissions say.
    DacOverride,
    /// Change the permissions of others' files.
    Fowner,
    /// Keep set-group-id bits, which packages bring.
    Fsetid,
    /// Become another group.
    Setgid,
    /// Become another user.
    Setuid,
    /// End others' processes.
    Kill,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Chown, Self::DacOverride, Self::Fowner, Self::Fsetid, Self::Setgid, Self::Setuid, Self::Kill];

    /// The engine's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chown => "CHOWN",
            Self::DacOverride => "DAC_OVERRIDE",
            Self::Fowner => "FOWNER",
            Self::Fsetid => "FSETID",
            Self::Setgid => "SETGID",
            Self::Setuid => "SETUID",
            Self::Kill => "KILL",
        }
    }
}

/// What makes a container part of a workspace: its place in the network, who runs it, and how it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspacePart {
    /// The name of the workspace's network.
    pub network: String,
    /// The name by which the others find it there.
    pub alias: String,
    /// As whom its processes run; the image's own user without.
    pub user: Option<String>,
    /// Where its processes begin; the image's own directory without.
    pub working_dir: Option<String>,
    /// What root may; all others are dropped.
    pub capabilities: Vec<Capability>,
    /// Whether it may do nearly everything; then nothing is dropped.
    pub is_privileged: bool,
    /// The most files that a process has open.
    pub open_files: u32,
    /// The most that it may write, in megabytes, for engines that hold containers to a quota of disk; others do not hear of it.
    pub disk_mb: Option<u64>,
    /// Who answers for names that are not the workspace's; the host's own resolver without.
    pub resolver: Option<Ipv4Addr>,
}

impl WorkspacePart {
    /// A container in a workspace's network, held as its environment asks.
    #[must_use]
    pub fn new(network: impl Into<String>, alias: impl Into<String>, asks: &Asks) -> Self {
        Self {
            network: network.into(),
            alias: alias.into(),
            user: None,
            working_dir: None,
            capabilities: if asks.root { Capability::ALL.to_vec() } else { Vec::new() },
            is_privileged: asks.privileged,
            open_files: OPEN_FILES,
            disk_mb: None,
            resolver: (!asks.egress).then_some(NO_RESOLVER),
        }
    }
}

/// The most processes in each container of a workspace.
#[must_use]
pub fn processes(asks: &Asks) -> u32 {
    asks.pids.unwrap_or(PROCESSES).clamp(1, MOST_PROCESSES)
}
