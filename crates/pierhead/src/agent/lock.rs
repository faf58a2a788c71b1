//! Keeps the directory of a host's agent to one process: two with one key would take the tunnel from each other for ever.

use anyhow::{Context, Result, bail};
use std::fs::{File, TryLockError};
use std::path::Path;

/// The number of the process that has the directory, for people.
const PID: &str = "agent.pid";

/// Takes the directory, which is made if need be, for as long as the answer is held; the system lets go of it however
/// the process ends.
///
/// # Errors
/// Another agent has it, or it cannot be made.
pub(super) fn take(dir: &Path) -> Result<File> {
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    // The directory itself: a file in it could not be made on a full disk.
    let lock = File::open(dir).with_context(|| dir.display().to_string())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("another agent{} runs with --state-dir {}", holder(dir), dir.display()),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("{} cannot be locked", dir.display()));
        }
    }
    if let Err(error) = std::fs::write(dir.join(PID), format!("{}\n", std::process::id())) {
        tracing::warn!(%error, "the number of this process is not noted in the directory");
    }
    Ok(lock)
}

fn holder(dir: &Path) -> String {
    let noted = std::fs::read_to_string(dir.join(PID)).ok().and_then(|text| text.trim().parse::<u32>().ok());
    noted.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_agent() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let first = take(&state).unwrap();
        let refused = take(&state).unwrap_err().to_string();
        assert!(refused.contains(&format!("another agent (pid {}) runs", std::process::id())), "{refused}");
        std::fs::write(state.join(PID), "nonsense").unwrap();
        assert!(take(&state).unwrap_err().to_string().starts_with("another agent runs with --state-dir"));
        drop(first);
        take(&state).unwrap();
        assert!(take(Path::new("/dev/null/x")).is_err());
    }
}
