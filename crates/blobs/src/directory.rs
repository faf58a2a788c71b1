//! Blobs in a directory.

use crate::{BlobError, Digest, LEFT_FOR, Pieces, YOUNG_FOR};
use bytes::Bytes;
use futures_util::stream::{StreamExt, once, try_unfold};
use futures_util::{FutureExt, TryStreamExt};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;

/// How much is read at once, in bytes.
const PIECE: usize = 256 * 1024;

/// Blobs in a directory.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    is_shared: bool,
}

impl Directory {
    /// How the name of a file ends that is not complete yet.
    pub const UNFINISHED: &'static str = ".part";

    pub(crate) fn new(path: PathBuf, is_shared: bool) -> Self {
        Self { path, is_shared }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn place(&self) -> String {
        format!("the directory {}", self.path.display())
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.path.join(digest.file_name())
    }

    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.file(digest).is_file()
    }

    pub(crate) fn has_young(&self, digest: &Digest) -> bool {
        let written = fs::metadata(self.file(digest)).and_then(|found| found.modified()).ok();
        written.and_then(|written| written.elapsed().ok()).is_some_and(|ago| ago < YOUNG_FOR)
    }

    pub(crate) fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.file(digest)).ok().filter(fs::Metadata::is_file).map(|found| found.len())
    }

    /// The folder is written once for all of them.
    pub(crate) async fn keep_all(&self, files: Vec<(PathBuf, Digest)>) -> Result<(), BlobError> {
        let (files, folder): (Vec<_>, _) =
            (files.into_iter().map(|(from, digest)| (from, self.file(&digest))).collect(), self.path.clone());
        let moved = tokio::task::spawn_blocking(move || {
            for (from, to) in files {
                fs::rename(from, to)?;
            }
            File::open(folder)?.sync_all()
        });
        moved.await.map_err(io::Error::other).flatten().map_err(BlobError::file(self.place()))
    }

    pub(crate) async fn keep(&self, file: &Path, digest: &Digest) -> Result<(), BlobError> {
        let (from, to, folder) = (file.to_owned(), self.file(digest), self.path.clone());
        let moved = tokio::task::spawn_blocking(move || {
            fs::rename(from, to)?;
            // A file that was renamed is there after a loss of power only if its folder was written too.
            File::open(folder)?.sync_all()
        });
        moved.await.map_err(io::Error::other).flatten().map_err(BlobError::file(self.place()))
    }

    pub(crate) fn read(&self, digest: &Digest) -> Pieces {
        let (path, place, digest) = (self.file(digest), self.place(), digest.clone());
        let opened = tokio::fs::File::open(path).map(move |file| match file {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BlobError::Missing { place, digest }.into()),
            other => other,
        });
        once(opened).map_ok(pieces).try_flatten().boxed()
    }

    pub(crate) fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        gone(fs::remove_file(self.file(digest))).map_err(BlobError::file(self.place()))
    }

    /// The same beside the runtime: there may be very many.
    pub(crate) async fn sweep_beside(self, kept: BTreeSet<Digest>) -> Result<BTreeSet<Digest>, BlobError> {
        let place = self.place();
        let swept = tokio::task::spawn_blocking(move || self.sweep(&kept)).await;
        swept.map_err(|error| BlobError::file(place)(io::Error::other(error)))?
    }

    pub(crate) fn sweep(&self, kept: &BTreeSet<Digest>) -> Result<BTreeSet<Digest>, BlobError> {
        let mut there = BTreeSet::new();
        // There is no directory before the first upload.
        let Ok(entries) = fs::read_dir(&self.path) else { return Ok(there) };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let blob = Digest::of_file(name);
            let is_needed = blob.as_ref().is_some_and(|digest| kept.contains(digest));
            let is_ours = blob.is_some() || name.ends_with(Self::UNFINISHED);
            // Another controller may just be writing it.
            if is_ours && !is_needed && (!self.is_shared || is_old(&path)) {
                if let Err(error) = gone(fs::remove_file(&path)) {
                    tracing::warn!(%error, file = %path.display(), "what is left of an image archive could not be removed");
                }
                continue;
            }
            there.extend(blob);
        }
        Ok(there)
    }
}

fn pieces(file: tokio::fs::File) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    try_unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        while piece.len() < piece.capacity() {
            if file.read_buf(&mut piece).await? == 0 {
                break;
            }
        }
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Whether nobody has written a file for long.
fn is_old(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|found| found.modified()).ok();
    written.and_then(|written| written.elapsed().ok()).is_some_and(|ago| ago > LEFT_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_a_crash_left_goes_when_nobody_can_be_at_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (known, unknown) = (Digest::of([1; 32]), Digest::of([2; 32]));
        for name in
            [known.file_name(), unknown.file_name(), "half.part".into(), "old.part".into(), "not-ours.txt".into()]
        {
            fs::write(path(&name), "x").unwrap();
        }
        let old = File::options().write(true).open(path("old.part")).unwrap();
        old.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
        let kept = BTreeSet::from([known.clone()]);
        let shared = Directory::new(folder.path().to_owned(), true);
        assert_eq!(shared.sweep(&kept).unwrap(), BTreeSet::from([known.clone(), unknown.clone()]));
        assert!(!path("old.part").exists() && path("half.part").exists() && shared.has(&unknown));
        let own = Directory::new(folder.path().to_owned(), false);
        assert_eq!(own.sweep(&kept).unwrap(), kept);
        assert!(!path("half.part").exists() && !own.has(&unknown) && path("not-ours.txt").exists());
        let nowhere = Directory::new(path("nowhere"), false);
        assert_eq!(nowhere.sweep(&kept).unwrap(), BTreeSet::new(), "it is made when it is needed");
    }
}
