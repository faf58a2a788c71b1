//! Images without a registry: how they come to the hosts that need them, from other hosts and from archives that people
//! sent in. Of archives: their files, and the records that say what they hold. A file lies in place
//! before its record is written, and its record is gone before the file is; what a crash leaves is a file without a
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
pub(crate) use upload::Received;
pub use upload::Upload;

use crate::keys;
use pierhead_engine::Archive;
use pierhead_model::{ImageArchive, ImageId, ImageReference, Username};
use pierhead_store::{Store, StoreJson};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// How many archives are taken at the same time.
const UPLOADS_AT_ONCE: usize = 4;
/// Storage drivers of engines that give images ids of their own in place of the digest of the configuration.
const OWN_IDS: [&str; 3] = ["overlayfs", "native", "stargz"];
/// How the name of a file ends that is not complete yet.
const UNFINISHED: &str = ".part";
/// How the name of a complete one ends.
const FINISHED: &str = ".tar";

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

/// Whose a name in the pool is, and which image has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagRecord {
    pub(crate) image: ImageId,
    pub(crate) owner: Username,
}

/// The archives of the pool.
pub(crate) struct Images {
    store: Arc<dyn Store>,
    directory: PathBuf,
    largest_bytes: u64,
    uploads: Arc<Semaphore>,
    /// Held while a record and its file come or go together.
    pub(crate) changes: Mutex<()>,
}

impl Images {
    pub(crate) fn new(store: Arc<dyn Store>, directory: PathBuf, largest_bytes: u64) -> Self {
        let uploads = Arc::new(Semaphore::new(UPLOADS_AT_ONCE));
        Self { store, directory, largest_bytes, uploads, changes: Mutex::default() }
    }

    /// Removes files that no record tells of: what a crash left.
    pub(crate) async fn remove_leftovers(&self, is_shared: bool) -> pierhead_store::Result<()> {
        let records = self.records().await?;
        let kept: BTreeSet<String> = records.iter().map(|record| format!("{}{FINISHED}", record.file)).collect();
        for record in records.iter().filter(|record| !self.file(&record.file).is_file()) {
            tracing::warn!(image = %record.id, "the file of an image archive is missing; upload it again");
        }
        // There is no directory before the first upload.
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Ok(()) };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_ours = name.ends_with(UNFINISHED) || name.ends_with(FINISHED);
            // Another controller may just be writing it.
            let is_left = !is_shared || is_old(&path);
            if is_ours && is_left && !kept.contains(name) {
                remove(&path);
            }
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

    /// The archive that a name or id stands for, if one was sent in and its file is there.
    pub(crate) async fn uploaded(&self, image: &ImageReference) -> pierhead_store::Result<Option<ImageArchive>> {
        let by_tag = self.store.get_json::<TagRecord>(&keys::image_tag(image)).await?;
        let id = by_tag.map(|(tag, _)| tag.image).or_else(|| ImageId::parse(image.as_str()).ok());
        let Some(id) = id else { return Ok(None) };
        Ok(self.record(&id).await?.filter(|record| self.is_there(record)))
    }

    /// Whether the file of a record is there.
    pub(crate) fn is_there(&self, record: &ImageArchive) -> bool {
        self.file(&record.file).is_file()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}{FINISHED}"))
    }

    pub(crate) fn remove_file(&self, record: &ImageArchive) {
        remove(&self.file(&record.file));
    }

    /// What an engine is to load: the file, and after its entries a manifest with the names that the image has now. Of
    /// two files of one name in an archive engines take the later.
    fn archive(&self, record: &ImageArchive) -> Archive {
        let tags: Vec<&str> = record.tags.iter().map(ImageReference::as_str).collect();
        let key = format!("{} {}", record.id, tags.join(" "));
        Archive::new(&key).file(self.file(&record.file), record.entries_bytes).bytes(inspect::manifest(record, &tags))
    }
}

/// Whether nobody has written a file for an hour.
fn is_old(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|found| found.modified()).ok();
    written.and_then(|written| written.elapsed().ok()).is_some_and(|ago| ago > Duration::from_secs(3600))
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %path.display(), "the file of an image archive could not be removed");
    }
}
