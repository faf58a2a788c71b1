//! Connections to the database file, and the meaning of SQLite's errors. Knows no tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::directory;
use crate::{Error, Result};

pub(super) const DATABASE_FILE: &str = "store.db";
/// Only a checkpoint or the recovery of a crashed process can hold a lock that long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The write-ahead log is carried over to the database at this many pages of 4 KiB, and cut back to as much.
const CHECKPOINT_PAGES: i64 = 4000;

/// Where the database is.
#[derive(Debug, Clone)]
pub(super) struct Database {
    path: PathBuf,
}

impl Database {
    /// Creates the file if need be, so that its mode, which SQLite copies to the files beside it, is ours.
    pub(super) fn prepare(directory: &Path) -> Result<Self> {
        let path = directory.join(DATABASE_FILE);
        directory::private_file(&path)?;
        Ok(Self { path })
    }

    /// The connection that writes; a commit on it is durable when it returns.
    pub(super) fn writer(&self) -> Result<Connection> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE, |connection| {
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "journal_size_limit", CHECKPOINT_PAGES * 4096)?;
            connection.pragma_update(None, "cache_size", -16_384)
        })
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<Connection> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE, |connection| connection.pragma_update(None, "query_only", true))
    }

    fn connect(
        &self,
        flags: OpenFlags,
        configure: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let configured = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            configure(&connection)?;
            Ok(connection)
        });
        configured.map_err(|source| failed("open the database", source))
    }
}

/// Tells a full disk from other failures.
pub(super) fn failed(operation: &'static str, source: rusqlite::Error) -> Error {
    let full = source.sqlite_error().is_some_and(|error| {
        // The index of the write-ahead log can't grow: that is how a full disk shows there.
        error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
    });
    if full { Error::Full(Arc::new(source)) } else { Error::Io { operation, source: Arc::new(source) } }
}

/// A failure of the system's own.
pub(super) fn io(operation: &'static str, source: std::io::Error) -> Error {
    Error::Io { operation, source: Arc::new(source) }
}
