//! What an agent knows of its lease, on disk.

use crate::error::{AgentError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The file in the directory of the agent's state.
const NAME: &str = "lease.json";

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The start of the machine since which the clock counts.
    pub(super) boot: String,
    /// The end of the lease, in milliseconds of that clock.
    pub(super) ends_ms: u64,
    /// The containers that may run under it.
    pub(super) containers: BTreeSet<String>,
}

/// Where it is kept.
#[derive(Debug, Clone)]
pub(super) struct File(PathBuf);

impl File {
    pub(super) fn in_dir(dir: &Path) -> Self {
        Self(dir.join(NAME))
    }

    /// What is there, if anything.
    pub(super) fn read(&self) -> Result<Option<Kept>> {
        let failed = |source| AgentError::ReadLease { path: self.0.clone(), source };
        match fs::read(&self.0) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| failed(error.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes beside and renames, so that whoever is killed leaves the old text or the new one. It need not outlive a
    /// power failure, so the disk is not waited for.
    pub(super) async fn write(&self, kept: Kept) -> io::Result<()> {
        let path = self.0.clone();
        let write = move || {
            let beside = path.with_extension("new");
            fs::write(&beside, serde_json::to_vec(&kept)?)?;
            fs::rename(&beside, &path)
        };
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
    }
}

/// What tells this start of the machine from others. Without it each start of the agent counts as one.
pub(super) fn boot() -> String {
    let told = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match told.trim() {
        "" => format!("agent-{:016x}", rand::random::<u64>()),
        id => id.to_owned(),
    }
}
