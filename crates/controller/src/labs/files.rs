//! The files of one state of a lab, for those who read documents.

use super::tree::LabFile;
use super::{Library, Tree};
use bytes::Bytes;
use pierhead_lab::{FileError, Files, LabPath, Limits};
use pierhead_model::Digest;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The files of one state of a lab. They are read from where blobs lie, which takes a while: only to be used where blocking
/// does no harm, never by a task of the runtime.
pub struct LabFiles {
    library: Arc<Library>,
    runtime: Handle,
    /// The name of the list of them.
    pub tree_digest: Digest,
    /// The list of them.
    pub tree: Arc<Tree>,
    list: Vec<(LabPath, u64)>,
}

impl LabFiles {
    /// To be called within the runtime.
    pub(super) fn new(library: Arc<Library>, tree_digest: Digest, tree: Arc<Tree>) -> Self {
        let list = tree.list();
        Self { library, runtime: Handle::current(), tree_digest, tree, list }
    }

    /// A file of that path.
    #[must_use]
    pub fn file(&self, path: &LabPath) -> Option<&LabFile> {
        self.tree.files.get(path)
    }
}

impl Files for LabFiles {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        let file = self.tree.files.get(path).ok_or(FileError::Missing)?;
        if file.bytes > most {
            return Err(FileError::TooBig { most });
        }
        if let Some(held) = self.library.texts.peek(&file.digest) {
            return Ok(Cow::Owned(held.to_vec()));
        }
        let read = self.runtime.block_on(self.library.content(file));
        read.map(|bytes| Cow::Owned(bytes.to_vec())).map_err(|error| FileError::Read(error.to_string()))
    }
}

impl Library {
    /// The bytes of a file; those of texts are held for the next who asks.
    pub(crate) async fn content(&self, file: &LabFile) -> Result<Bytes, super::LibraryError> {
        let read = async || Ok(Bytes::from(self.whole(&file.digest, Some(file.bytes)).await?));
        if file.bytes > Limits::LAB.text_bytes {
            return read().await;
        }
        self.texts.get(&file.digest, |bytes: &Bytes| bytes.len() as u64, read).await
    }
}

impl std::fmt::Debug for LabFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabFiles").field("tree", &self.tree_digest).finish_non_exhaustive()
    }
}
