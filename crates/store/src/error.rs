//! What can go wrong, by the operation that failed.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{LeaseId, Revision};

/// The result of store operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause from below; shared, because one failure may be the answer to a whole group of commits.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why the store couldn't do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A compare failed; nothing was written.
    #[error("{key} has changed meanwhile")]
    Conflict {
        /// The first key whose compare failed.
        key: String,
    },
    /// Beyond a bound; nothing was written.
    #[error("{what} is too large: {actual}, at most {limit}")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// The bound.
        limit: usize,
        /// What was asked.
        actual: usize,
    },
    /// A key that can't be one.
    #[error("{key:?} can't be a key: {reason}")]
    InvalidKey {
        /// The key.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// One transaction writes the same key twice.
    #[error("the transaction writes {key} twice")]
    DuplicateWrite {
        /// The key.
        key: String,
    },
    /// The history that a watch needs is gone.
    #[error("the history before revision {oldest} is gone")]
    Compacted {
        /// The earliest revision after which changes are still known.
        oldest: Revision,
    },
    /// The lease has ended.
    #[error("lease {lease} has ended")]
    LeaseGone {
        /// The lease.
        lease: LeaseId,
    },
    /// No room on the disk; nothing was written.
    #[error("no room left on the store's disk")]
    Full(#[source] Cause),
    /// The disk failed; whether a commit happened is known only by reading again.
    #[error("the store couldn't {operation}")]
    Io {
        /// What was tried, as a verb phrase.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Cause,
    },
    /// The store can't be reached, or was closed; whether a commit happened is known only by reading again.
    #[error("the store is not available: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The store refuses who asks: a wrong password, a permission that is missing, a session that it has not.
    #[error("the store refuses access: {reason}")]
    Denied {
        /// Why, in the store's words.
        reason: String,
    },
    /// The store's address, or the certificates for it, can't be used.
    #[error("{reason}")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// A store is there already, where one was to be made.
    #[error("{place} holds a store already, or a part of one")]
    Occupied {
        /// Where.
        place: String,
    },
    /// A copy isn't what was copied.
    #[error("the copy differs from what was copied ({what}): was something changed meanwhile?")]
    CopyDiffers {
        /// In what.
        what: &'static str,
    },
    /// A file isn't a backup that can be used.
    #[error("it is no backup that can be used: {reason}")]
    Backup {
        /// Why.
        reason: String,
    },
    /// Another process has the directory open.
    #[error("{} is in use by another process; only one may open it", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory or a file in it couldn't be prepared.
    #[error("couldn't {operation} {}", path.display())]
    Open {
        /// What was tried, as a verb.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: Cause,
    },
    /// Written by a later version of this program.
    #[error(
        "{} was written by a newer version (schema {found}; this version knows up to {known}): run that version",
        directory.display()
    )]
    SchemaTooNew {
        /// The directory.
        directory: PathBuf,
        /// Its schema version.
        found: u64,
        /// The latest that we know.
        known: u64,
    },
    /// A value couldn't be written as JSON.
    #[error("couldn't encode {key} as JSON")]
    Encode {
        /// Where it was to go.
        key: String,
        /// Why.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A document isn't the JSON that was expected.
    #[error("couldn't decode {key} from JSON")]
    Decode {
        /// The document.
        key: String,
        /// Why.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A secret was sealed with another key.
    #[error("{context} was sealed with another key: restore the key file that belongs to this store")]
    WrongKey {
        /// What was sealed.
        context: String,
    },
    /// A sealed secret isn't what was written.
    #[error("the sealed text of {context} is damaged or belongs elsewhere")]
    Damaged {
        /// What was sealed.
        context: String,
    },
    /// The key file isn't one.
    #[error("{} is not a key file: {reason}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}
