//! Images without a registry: how they come to the hosts that need them, from other hosts and from archives that people
//! sent in. Of archives: their blobs, and the records that say what they hold. A blob lies in its place
//! before its record is written, and its record is gone before the blob is; what a crash leaves is a blob without a
//! record, which the next start removes.

mod at_host;
mod copies;
mod inspect;
mod sources;
mod spread;
mod supply;
mod upload;

pub(crate) use at_host::{Arrival, HostImages};
pub(crate) use copies::{Copied, copy, is_that};
pub(crate) use spread::Destination;
pub use spread::{Spread, SpreadState, SpreadStep};
pub(crate) use supply::Supplied;
pub(crate) use upload::Received;
pub use upload::Upload;

use crate::{Controller, keys};
use pierhead_blobs::{BlobError, Blobs, Digest};
use pierhead_engine::Archive;
use pierhead_model::{ImageArchive, ImageId, ImageReference, Username};
use pierhead_store::{Store, StoreJson};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};

/// How many archives are taken at the same time.
const UPLOADS_AT_ONCE: usize = 4;
/// Storage drivers of engines that give images ids of their own in place of the digest of the configuration.
const OWN_IDS: [&str; 3] = ["overlayfs", "native", "stargz"];

/// Why an archive is not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ArchiveError {
    /// It is not what it should be.
    #[error("this is no image archive as 'docker save' makes it: {0}")]
    Malformed(String),
    /// It is larger than the controller takes.
    #[error("an image archive may have at most {most_bytes} bytes unpacked (--largest-image); nothing was kept")]
    TooLarge {
        /// The most, in bytes.
        most_bytes: u64,
    },
    /// The controller's disk has no room for it.
    #[error("the controller's disk has no room for the archive, or would have less than 512 MB left; nothing was kept")]
    NoRoom,
    /// It ended before it was complete.
    #[error("the archive ended before it was complete; nothing was kept")]
    Interrupted,
    /// Others are being taken already.
    #[error("{UPLOADS_AT_ONCE} archives are being uploaded already; try again when one is done")]
    Busy,
    /// The file could not be written or read.
    #[error("the archive could not be kept")]
    Keep(#[source] Arc<io::Error>),
    /// The place of archives did not take or give it.
    #[error("the archive could not be kept: {0}")]
    Place(BlobError),
}

impl ArchiveError {
    /// What a file that could not be written or read comes to.
    fn keep(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            _ => Self::Keep(Arc::new(error)),
        }
    }
}

impl From<BlobError> for ArchiveError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::File { source, .. } => Self::keep(io::Error::new(source.kind(), source)),
            other => Self::Place(other),
        }
    }
}

/// Whose a name in the pool is, and which image has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagRecord {
    pub(crate) image: ImageId,
    pub(crate) owner: Username,
}

/// The archives of the pool.
pub(crate) struct Images {
    store: Arc<dyn Store>,
    blobs: Blobs,
    largest_bytes: u64,
    uploads: Arc<Semaphore>,
    /// Held while a record and its file come or go together.
    pub(crate) changes: Mutex<()>,
}

impl Images {
    pub(crate) fn new(store: Arc<dyn Store>, blobs: Blobs, largest_bytes: u64) -> Self {
        let uploads = Arc::new(Semaphore::new(UPLOADS_AT_ONCE));
        Self { store, blobs, largest_bytes, uploads, changes: Mutex::default() }
    }

    /// Removes blobs that no record tells of: what a crash left.
    pub(crate) async fn remove_leftovers(&self) -> pierhead_store::Result<()> {
        let records = self.records().await?;
        let kept: BTreeSet<Digest> = records.iter().filter_map(|record| Digest::parse(&record.file)).collect();
        match self.blobs.sweep(&kept).await {
            Ok(there) => {
                for record in records.iter().filter(|record| !there.iter().any(|found| found.as_str() == record.file)) {
                    tracing::warn!(image = %record.id, "the file of an image archive is missing; upload it again");
                }
            }
            Err(error) => tracing::warn!(%error, "what may be left of image archives could not be looked for"),
        }
        Ok(())
    }

    /// All records, by the ids of their images.
    pub(crate) async fn records(&self) -> pierhead_store::Result<Vec<ImageArchive>> {
        let listing = self.store.list_all(keys::IMAGES).await?;
        listing.entries.iter().map(pierhead_store::Entry::json).collect()
    }

    pub(crate) async fn record(&self, id: &ImageId) -> pierhead_store::Result<Option<ImageArchive>> {
        Ok(self.store.get_json(&keys::image(id)).await?.map(|(record, _)| record))
    }

    /// The archive that a name or id stands for, if one was sent in.
    pub(crate) async fn uploaded(&self, image: &ImageReference) -> pierhead_store::Result<Option<ImageArchive>> {
        let by_tag = self.store.get_json::<TagRecord>(&keys::image_tag(image)).await?;
        let id = by_tag.map(|(tag, _)| tag.image).or_else(|| ImageId::parse(image.as_str()).ok());
        let Some(id) = id else { return Ok(None) };
        self.record(&id).await
    }

    /// Whether the blob of a record is there.
    pub(crate) async fn is_there(&self, record: &ImageArchive) -> Result<bool, BlobError> {
        match Digest::parse(&record.file) {
            Some(digest) => self.blobs.has(&digest).await,
            None => Ok(false),
        }
    }

    /// Whether they lie where a request may take long.
    pub(crate) fn is_remote(&self) -> bool {
        self.blobs.is_remote()
    }

    /// Removes what came, unless its record names it.
    pub(crate) async fn drop_unknown(&self, received: &Received) {
        let record = self.record(&received.inspected.id).await;
        if record.is_ok_and(|record| record.is_none_or(|record| record.file != received.digest.as_str()))
            && let Err(error) = self.blobs.remove(&received.digest).await
        {
            tracing::warn!(%error, "what came of an image archive could not be removed yet");
        }
    }

    /// Removes the blob of a record that is gone. What can't be removed now is found by the next start.
    pub(crate) async fn remove_blob(&self, record: &ImageArchive) {
        let Some(digest) = Digest::parse(&record.file) else { return };
        if let Err(error) = self.blobs.remove(&digest).await {
            tracing::warn!(%error, image = %record.id, "the file of an image archive could not be removed yet");
        }
    }

    /// What an engine is to load: the file, and after its entries a manifest with the names that the image has now. Of
    /// two files of one name in an archive engines take the later.
    fn archive(&self, record: &ImageArchive, digest: &Digest) -> Archive {
        let tags: Vec<&str> = record.tags.iter().map(ImageReference::as_str).collect();
        let key = format!("{} {}", record.id, tags.join(" "));
        let pieces = self.blobs.read(digest, record.entries_bytes);
        Archive::new(&key).coming(pieces, record.entries_bytes).bytes(inspect::manifest(record, &tags))
    }
}

impl Controller {
    /// Looks for what a crash left; an object store that is silent holds up nothing.
    pub(crate) async fn sweep_blobs(&self) -> pierhead_store::Result<()> {
        if !self.images.is_remote() {
            return self.images.remove_leftovers().await;
        }
        let images = Arc::clone(&self.images);
        self.spawn(async move {
            if let Err(error) = images.remove_leftovers().await {
                tracing::warn!(%error, "what may be left of image archives could not be looked for");
            }
        });
        Ok(())
    }
}
