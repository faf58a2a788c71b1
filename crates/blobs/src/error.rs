//! Why something could not be done with a blob.

use crate::Digest;
use std::io;
use std::sync::Arc;

/// Why something could not be done with a blob. The place is told as people gave it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// It was asked several times, and there was no answer, or none of use.
    #[error("{place} does not answer: {why}")]
    Silent {
        /// Where.
        place: String,
        /// What happened instead.
        why: String,
    },
    /// It said no, and would say so again.
    #[error("{place} refuses to {what}: {why}")]
    Refused {
        /// Where.
        place: String,
        /// What it should have done.
        what: &'static str,
        /// What it said, and what helps.
        why: String,
    },
    /// It is not there.
    #[error("{place} has no archive {digest}; upload the image again")]
    Missing {
        /// Where.
        place: String,
        /// What.
        digest: Digest,
    },
    /// Its bytes are others than those that were kept.
    #[error(
        "the archive {digest} in {place} was changed there, or on its way: its content is not what its name says; delete \
         the image and upload it again"
    )]
    Changed {
        /// Where.
        place: String,
        /// What.
        digest: Digest,
    },
    /// A file of this machine could not be read or written.
    #[error("{place}: the archive could not be read or written")]
    File {
        /// Where.
        place: String,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
}

impl BlobError {
    /// What a file that could not be read or written comes to.
    pub(crate) fn file(place: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { place: place.into(), source: Arc::new(source) }
    }
}

impl From<BlobError> for io::Error {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::File { source, .. } => Self::new(source.kind(), source),
            BlobError::Missing { .. } => Self::new(io::ErrorKind::NotFound, error),
            other => Self::other(other),
        }
    }
}
