//! The files of the data directory that are told to scripts, and who may read the directory.

use anyhow::{Context, Result};
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The file that tells by what the server's certificate is recognised.
pub(super) const FINGERPRINT: &str = "ca-fingerprint";
/// The files of the store.
const STORE: [&str; 3] = ["store.db", "store.db-wal", "store.db-shm"];

/// Leaves the store's files to their owner, and warns of a directory that others may enter.
pub(super) fn guard(directory: &Path) {
    for file in STORE.map(|name| directory.join(name)) {
        if mode(&file).is_some_and(|mode| mode & 0o077 != 0)
            && let Err(error) = std::fs::set_permissions(&file, Permissions::from_mode(0o600))
        {
            tracing::warn!(%error, file = %file.display(), "others than its owner may read this file");
        }
    }
    if let Some(mode) = mode(directory).filter(|mode| mode & 0o077 != 0) {
        tracing::warn!(
            directory = %directory.display(),
            mode = format!("{mode:04o}"),
            "others than its owner may enter the data directory; 'chmod 700' it"
        );
    }
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o7777)
}

/// Writes what scripts read. On a full disk what is there stays, with a warning: the server answers all the same.
pub(super) fn tell(file: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(file).is_ok_and(|found| found == text) {
        return Ok(());
    }
    match std::fs::write(file, text) {
        Err(error) if error.kind() == ErrorKind::StorageFull => {
            tracing::warn!(file = %file.display(), "the disk is full: this file is not written");
            Ok(())
        }
        written => written.with_context(|| format!("the file {}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let (store, other) = (dir.path().join("store.db"), dir.path().join("url"));
        for file in [&store, &other] {
            std::fs::write(file, "x").unwrap();
            std::fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        }
        guard(dir.path());
        assert_eq!((mode(&store), mode(&other)), (Some(0o600), Some(0o644)));
    }

    #[test]
    fn what_scripts_read_is_written_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        for text in ["http://a", "http://a", "http://b"] {
            tell(&file, text).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        assert!(tell(&dir.path().join("none/url"), "x").is_err());
    }
}
