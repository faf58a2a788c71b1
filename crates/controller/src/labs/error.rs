//! Why something could not be done with the files of labs.

use super::tree::TreeError;
use pierhead_blobs::BlobError;
use pierhead_lab::{PathError, ZipError};
use std::io;
use std::sync::Arc;

/// Why something could not be done with the files of labs.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LibraryError {
    /// What came is not what it should be.
    #[error("{0}; nothing was changed")]
    Malformed(String),
    /// It is larger than it may be.
    #[error("{what} may have at most {most_bytes} bytes; nothing was changed")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The most, in bytes.
        most_bytes: u64,
    },
    /// It would be more than a lab may hold, or can't be.
    #[error("{0}; nothing was changed")]
    Tree(#[from] TreeError),
    /// The controller's disk has no room for it.
    #[error("the controller's disk has no room for it, or would have less than 512 MB left; nothing was changed")]
    NoRoom,
    /// It ended before it was complete.
    #[error("what was sent ended before it was complete; nothing was changed")]
    Interrupted,
    /// Others are at it.
    #[error("as many labs are being sent in or read as can be; try again in some seconds")]
    Busy,
    /// A file of the spool could not be written or read.
    #[error("the files of the lab could not be kept")]
    Spool(#[source] Arc<io::Error>),
    /// The place of blobs did not take or give it.
    #[error("the files of the lab could not be kept or found")]
    Blobs(#[source] BlobError),
    /// What a record names is not there, or is something else.
    #[error("a file of the lab is lost: {0}")]
    Lost(String),
    /// Something that makes pages ended in a way that it never should.
    #[error("the lab could not be read")]
    Crashed,
}

impl LibraryError {
    /// What a file of the spool that could not be written or read comes to.
    pub(crate) fn spool(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            _ => Self::Spool(Arc::new(error)),
        }
    }
}

impl From<BlobError> for LibraryError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => Self::NoRoom,
            BlobError::Missing { digest, .. } => Self::Lost(format!("{digest} is not there")),
            BlobError::Changed { digest, .. } => Self::Lost(format!("{digest} was changed where it lies")),
            other => Self::Blobs(other),
        }
    }
}

impl From<ZipError> for LibraryError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::TooMuch(more) => Self::Tree(more.into()),
            ZipError::Path(path) => path.into(),
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl From<PathError> for LibraryError {
    fn from(error: PathError) -> Self {
        Self::Malformed(error.to_string())
    }
}
