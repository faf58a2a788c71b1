//! The files of labs, and what is made of them: lists of files and files lie as blobs under the digest of their bytes, so that
//! each state of a lab is one digest and is kept as long as something names it. Documents are read and rendered beside
//! the runtime, a few at a time, and what came of it is held by the digest that it came of.
//!
//! Who may do what is not decided here.

mod archive;
mod cache;
mod diff;
mod error;
mod files;
mod import;
mod incoming;
mod reading;
mod sweep;
mod tree;

pub(crate) use archive::{LARGEST_TAR, LabArchive, Unpacking, unpacked};
pub use diff::{LabDifference, LabFileChange};
pub use error::LibraryError;
pub use files::LabFiles;
pub use incoming::{LabUpload, Spooled};
pub use reading::{Checked, LabAt, LabPreview};
pub use tree::{LabFile, Tree, TreeError};

pub(crate) use import::{Importing, imported};
pub(crate) use tree::digest_of;

use crate::spool::PartFile;
use bytes::Bytes;
use cache::Cache;
use futures_util::TryStreamExt;
use pierhead_blobs::{Blobs, Pieces};
use pierhead_model::Digest;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many documents are read or rendered at the same time.
const READERS: usize = 2;
/// How many archives are taken apart at the same time.
const ARCHIVES_AT_ONCE: usize = 2;
/// How many files are taken at the same time.
const FILES_AT_ONCE: usize = 32;
/// The largest list of files that is read, in bytes: more than one of as many files as a lab may have, with long names.
const LONGEST_LIST: u64 = 48 << 20;
/// What is held of each kind, in bytes.
const TREES_BYTES: u64 = 64 << 20;
const TEXTS_BYTES: u64 = 64 << 20;
const LABS_BYTES: u64 = 192 << 20;
const PAGES_BYTES: u64 = 32 << 20;

/// The files of all labs.
pub(crate) struct Library {
    blobs: Blobs,
    trees: Cache<Digest, Arc<Tree>>,
    texts: Cache<Digest, Bytes>,
    labs: Cache<Digest, Arc<LabAt>>,
    checked: Cache<Digest, Arc<Checked>>,
    pages: Cache<reading::PageKey, Arc<pierhead_lab::Rendered>>,
    readers: Semaphore,
    archives: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Library {
    pub(crate) fn new(blobs: Blobs) -> Self {
        Self {
            blobs,
            trees: Cache::new(TREES_BYTES),
            texts: Cache::new(TEXTS_BYTES),
            labs: Cache::new(LABS_BYTES),
            checked: Cache::new(PAGES_BYTES),
            pages: Cache::new(PAGES_BYTES),
            readers: Semaphore::new(READERS),
            archives: Arc::new(Semaphore::new(ARCHIVES_AT_ONCE)),
            uploads: Arc::new(Semaphore::new(FILES_AT_ONCE)),
        }
    }

    /// The list of files of a name.
    pub(crate) async fn tree(&self, digest: &Digest) -> Result<Arc<Tree>, LibraryError> {
        let make = async || {
            let bytes = self.whole(digest, None).await?;
            let tree = serde_json::from_slice(&bytes);
            tree.map(Arc::new).map_err(|error| LibraryError::Lost(format!("the list {digest} can't be read: {error}")))
        };
        self.trees.get(digest, |tree: &Arc<Tree>| tree.files.len() as u64 * 256, make).await
    }

    /// Keeps a list of files; its name.
    pub(crate) async fn keep_tree(&self, tree: &Tree, spool_name: &str) -> Result<Digest, LibraryError> {
        let (bytes, digest) = tree.encode();
        self.keep_bytes(bytes, &digest, spool_name).await?;
        Ok(digest)
    }

    /// Keeps some bytes under the name that they have.
    pub(crate) async fn keep_bytes(
        &self,
        bytes: Vec<u8>,
        digest: &Digest,
        spool_name: &str,
    ) -> Result<(), LibraryError> {
        if self.blobs.has_young(&name(digest)).await? {
            return Ok(());
        }
        let (spool, spool_name) = (self.blobs.spool().to_owned(), spool_name.to_owned());
        let part = blocking(move || {
            let (mut file, part) = PartFile::make(&spool, &spool_name).map_err(LibraryError::spool)?;
            crate::spool::room(&file).map_err(LibraryError::spool)?;
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(LibraryError::spool)?;
            Ok(part)
        })
        .await?;
        Ok(self.blobs.keep(&part.0, &name(digest)).await?)
    }

    /// Keeps a file of the spool under the name that its bytes have. One that is there and young stays: no sweep takes it
    /// before a record can name it.
    pub(crate) async fn keep(&self, file: &Path, digest: &Digest) -> Result<(), LibraryError> {
        if self.blobs.has_young(&name(digest)).await? {
            return Ok(());
        }
        Ok(self.blobs.keep(file, &name(digest)).await?)
    }

    /// The bytes of a file as they come.
    pub(crate) fn pieces(&self, file: &LabFile) -> Pieces {
        self.blobs.read(&name(&file.digest), file.bytes)
    }

    /// All bytes of a file, or of a list if nobody knows how many there are.
    pub(crate) async fn whole(&self, digest: &Digest, bytes: Option<u64>) -> Result<Vec<u8>, LibraryError> {
        let name = name(digest);
        let length = match bytes {
            Some(bytes) => bytes,
            None => self.blobs.size(&name).await?.ok_or_else(|| lost(digest))?,
        };
        if length > LONGEST_LIST {
            return Err(LibraryError::Lost(format!("{digest} has {length} bytes")));
        }
        let mut whole = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        let mut pieces = self.blobs.read(&name, length);
        while let Some(piece) = pieces.try_next().await.map_err(|error| LibraryError::Lost(error.to_string()))? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Removes what nothing names any more.
    pub(crate) async fn remove(&self, digest: &Digest) -> Result<(), LibraryError> {
        Ok(self.blobs.remove(&name(digest)).await?)
    }

    /// A place among those who read documents.
    async fn reader(&self) -> Result<SemaphorePermit<'_>, LibraryError> {
        self.readers.acquire().await.map_err(|_| LibraryError::Crashed)
    }
}

/// A blob's name as its place has it.
fn name(digest: &Digest) -> pierhead_blobs::Digest {
    pierhead_blobs::Digest::parse(digest.as_str()).expect("both are 64 hexadecimal digits")
}

fn lost(digest: &Digest) -> LibraryError {
    LibraryError::Lost(format!("{digest} is not there"))
}

/// Does what takes long beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, LibraryError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| LibraryError::Crashed)?
}
