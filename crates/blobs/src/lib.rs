//! Where archives of images lie: in a directory, or in a bucket of an object store that speaks S3. Each is one blob, named by
//! the SHA-256 of its bytes, written whole or not at all, and never changed.
//!
//! What is handed out is hashed on its way and ends with an error if it is not what its name says. Nothing here knows what
//! a blob holds, or which of them are needed.

mod bucket;
mod digest;
mod directory;
mod error;
mod settings;
mod verify;

pub use bucket::Bucket;
pub use digest::Digest;
pub use directory::Directory;
pub use error::BlobError;
pub use settings::{BucketAddress, BucketKeys, BucketSettings, ParseBucket};

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, iter};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The bytes of a blob as they come. One that breaks off, or is not what its name says, ends with an error.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// How many small requests go to a bucket at the same time.
const AT_ONCE: usize = 16;
/// How old what nobody knows of must be before it is removed from a place that others write to: one of them may just be
/// at it.
const LEFT_FOR: Duration = Duration::from_secs(3600);
/// How old a blob may be at most that nobody need write again to have it for a while.
const YOUNG_FOR: Duration = Duration::from_secs(1800);

/// A place of blobs. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Blobs {
    /// A directory of this machine, or a mount that others share.
    Directory(Directory),
    /// A bucket.
    Bucket(Bucket),
}

impl Blobs {
    /// A directory; it is made when it is needed. Whether others write to it too decides how soon what nobody knows of is
    /// taken for left over.
    pub fn directory(path: impl Into<PathBuf>, is_shared: bool) -> Self {
        Self::Directory(Directory::new(path.into(), is_shared))
    }

    /// Where what comes in is written first, under names that end with [`Directory::UNFINISHED`]: on the same disk as the
    /// blobs, if they are on one.
    #[must_use]
    pub fn spool(&self) -> &Path {
        match self {
            Self::Directory(directory) => directory.path(),
            Self::Bucket(bucket) => bucket.spool().path(),
        }
    }

    /// Whether it is asked over a network, and may be silent for long.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }

    /// Finds out whether it can be written, read and listed.
    ///
    /// # Errors
    /// [`BlobError::Refused`] if it says no, [`BlobError::Silent`] if it says nothing.
    pub async fn check(&self) -> Result<(), BlobError> {
        match self {
            // It is made when it is needed; what that comes to is told then.
            Self::Directory(_) => Ok(()),
            Self::Bucket(bucket) => bucket.check().await,
        }
    }

    /// Keeps a file of the spool as the blob of this name; the file may be gone afterwards. One that is there already is
    /// replaced by the same.
    ///
    /// # Errors
    /// [`BlobError`]; then it is there as before, or not at all.
    pub async fn keep(&self, file: &Path, digest: &Digest) -> Result<(), BlobError> {
        match self {
            Self::Directory(directory) => directory.keep(file, digest).await,
            Self::Bucket(bucket) => bucket.keep(file, digest).await,
        }
    }

    /// Keeps many files of the spool, each as the blob of its name, sooner than one after another.
    ///
    /// # Errors
    /// [`BlobError`]; then some of them are there, and the others as before.
    pub async fn keep_all(&self, files: Vec<(PathBuf, Digest)>) -> Result<(), BlobError> {
        match self {
            Self::Directory(directory) => directory.keep_all(files).await,
            Self::Bucket(bucket) => {
                let kept = iter(files).map(|(file, digest)| {
                    let bucket = bucket.clone();
                    async move { bucket.keep(&file, &digest).await }
                });
                kept.buffer_unordered(AT_ONCE).try_collect().await
            }
        }
    }

    /// Which of these blobs it does not hold so that no sweep takes them for half an hour at least.
    ///
    /// # Errors
    /// [`BlobError`] if that can't be told.
    pub async fn not_young(&self, digests: Vec<Digest>) -> Result<BTreeSet<Digest>, BlobError> {
        let asked = iter(digests).map(|digest| {
            let blobs = self.clone();
            async move { Ok((!blobs.has_young(&digest).await?).then_some(digest)) }
        });
        let found: Vec<Option<Digest>> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Whether it holds a blob.
    ///
    /// # Errors
    /// [`BlobError`] if that can't be told.
    pub async fn has(&self, digest: &Digest) -> Result<bool, BlobError> {
        match self {
            Self::Directory(directory) => Ok(directory.has(digest)),
            Self::Bucket(bucket) => Ok(bucket.size(digest).await?.is_some()),
        }
    }

    /// Whether it holds a blob that no sweep will take for left over for half an hour at least.
    ///
    /// # Errors
    /// [`BlobError`] if that can't be told.
    pub async fn has_young(&self, digest: &Digest) -> Result<bool, BlobError> {
        match self {
            Self::Directory(directory) => Ok(directory.has_young(digest)),
            Self::Bucket(bucket) => bucket.has_young(digest).await,
        }
    }

    /// How long a blob is, in bytes; `None` if it is not there.
    ///
    /// # Errors
    /// [`BlobError`] if that can't be told.
    pub async fn size(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        match self {
            Self::Directory(directory) => Ok(directory.size(digest)),
            Self::Bucket(bucket) => bucket.size(digest).await,
        }
    }

    /// The first `length` bytes of a blob. Nothing is asked for before they are read; all of it is, to check its name.
    #[must_use]
    pub fn read(&self, digest: &Digest, length: u64) -> Pieces {
        let (pieces, place) = match self {
            Self::Directory(directory) => (directory.read(digest), directory.place()),
            Self::Bucket(bucket) => (bucket.read(digest), bucket.place()),
        };
        verify::verified(pieces, digest.clone(), place, length)
    }

    /// Removes a blob, if it is there.
    ///
    /// # Errors
    /// [`BlobError`].
    pub async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        match self {
            Self::Directory(directory) => directory.remove(digest),
            Self::Bucket(bucket) => bucket.remove(digest).await,
        }
    }

    /// Removes what a crash left: blobs that are not among these, and what was never completed. Those that are there are
    /// the answer.
    ///
    /// # Errors
    /// [`BlobError`] if it can't be listed.
    pub async fn sweep(&self, kept: &BTreeSet<Digest>) -> Result<BTreeSet<Digest>, BlobError> {
        match self {
            Self::Directory(directory) => directory.clone().sweep_beside(kept.clone()).await,
            Self::Bucket(bucket) => bucket.sweep(kept).await,
        }
    }
}
