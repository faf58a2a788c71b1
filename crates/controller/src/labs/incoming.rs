//! What is sent in for a lab: written to the spool as it comes and hashed on the way, never held in memory.

use super::tree::of_hash;
use super::{Library, LibraryError};
use crate::spool::{PartFile, room};
use pierhead_model::Digest;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;

/// After how many bytes the room is looked at again.
const LOOK_EVERY: u64 = 16 << 20;

/// Something that is coming in. Dropping it removes what came.
pub struct LabUpload {
    file: tokio::fs::File,
    part: PartFile,
    hash: Sha256,
    bytes: u64,
    looked: u64,
    what: &'static str,
    most_bytes: u64,
    place: OwnedSemaphorePermit,
}

/// Something that has come. Dropping it removes it, unless it was kept.
pub struct Spooled {
    part: PartFile,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    _place: OwnedSemaphorePermit,
}

impl Library {
    /// Begins to take a file.
    pub(crate) async fn begin_file(&self, announced: Option<u64>, name: &str) -> Result<LabUpload, LibraryError> {
        let place = self.uploads.clone().try_acquire_owned().map_err(|_| LibraryError::Busy)?;
        self.begin("a file of a lab", pierhead_lab::Limits::LAB.file_bytes, announced, name, place).await
    }

    /// Begins to take an archive.
    pub(crate) async fn begin_archive(
        &self,
        most_bytes: u64,
        announced: Option<u64>,
        name: &str,
    ) -> Result<LabUpload, LibraryError> {
        let place = self.archives.clone().try_acquire_owned().map_err(|_| LibraryError::Busy)?;
        self.begin("the archive of a lab", most_bytes, announced, name, place).await
    }

    async fn begin(
        &self,
        what: &'static str,
        most_bytes: u64,
        announced: Option<u64>,
        name: &str,
        place: OwnedSemaphorePermit,
    ) -> Result<LabUpload, LibraryError> {
        let announced = announced.unwrap_or(0);
        if announced > most_bytes {
            return Err(LibraryError::TooLarge { what, most_bytes });
        }
        let (spool, name) = (self.blobs.spool().to_owned(), name.to_owned());
        let (file, part) = super::blocking(move || {
            let (file, part) = PartFile::make(&spool, &name).map_err(LibraryError::spool)?;
            match room(&file).map_err(LibraryError::spool)? {
                room if room < announced => Err(LibraryError::NoRoom),
                _ => Ok((file, part)),
            }
        })
        .await?;
        let file = tokio::fs::File::from_std(file);
        Ok(LabUpload { file, part, hash: Sha256::new(), bytes: 0, looked: 0, what, most_bytes, place })
    }
}

impl LabUpload {
    /// Takes the next bytes; waits while the disk is slow.
    ///
    /// # Errors
    /// [`LibraryError`] if it is too large, or the disk takes no more.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), LibraryError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.most_bytes {
            return Err(LibraryError::TooLarge { what: self.what, most_bytes: self.most_bytes });
        }
        if self.bytes >= self.looked + LOOK_EVERY {
            self.looked = self.bytes;
            let file = self.file.try_clone().await.map_err(LibraryError::spool)?.into_std().await;
            super::blocking(move || room(&file).map_err(LibraryError::spool)).await?;
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).await.map_err(LibraryError::spool)
    }

    /// All has come.
    ///
    /// # Errors
    /// [`LibraryError`] if it could not be written.
    pub async fn finish(mut self) -> Result<Spooled, LibraryError> {
        self.file.flush().await.map_err(LibraryError::spool)?;
        self.file.sync_all().await.map_err(LibraryError::spool)?;
        let Self { part, hash, bytes, place, .. } = self;
        Ok(Spooled { part, digest: of_hash(hash.finalize().into()), bytes, _place: place })
    }
}

impl Spooled {
    /// Where it lies for now.
    pub(crate) fn path(&self) -> &Path {
        &self.part.0
    }
}
