//! A directory that one process keeps things in: its creation, its permissions and the lock that keeps it to that process.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::{Error, Result};

const LOCK_FILE: &str = "lock";

/// Holds the directory for this process; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Creates the directory (mode 0700) if need be, and takes it for this process. [`crate::Embedded`] does that by itself.
    ///
    /// # Errors
    /// [`Error::InUse`] or [`Error::Open`].
    pub fn take(directory: impl AsRef<Path>) -> Result<Self> {
        prepare(directory.as_ref())
    }
}

fn prepare(directory: &Path) -> Result<DirectoryLock> {
    if !directory.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| failed("create", directory, source))?;
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync(parent)?;
        }
    }
    let path = directory.join(LOCK_FILE);
    let file = private_file(&path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(DirectoryLock { _file: file }),
        Err(Errno::WOULDBLOCK) => Err(Error::InUse { directory: directory.to_owned() }),
        Err(errno) => Err(failed("lock", &path, errno.into())),
    }
}

/// Opens a file that only its owner may read, creating it if need be.
pub(crate) fn private_file(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| failed("open", path, source))
}

/// Makes the names of the files in it durable.
pub(crate) fn sync(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|source| failed("sync", directory, source))
}

fn failed(operation: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Open { operation, path: path.to_owned(), source: Arc::new(source) }
}
