//! Files that are still being written: they go when nobody holds them, unless they were moved to where they stay.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// How much room stays free on the disk, in bytes: a store that can't write is a pool that can't be changed. Much more
/// than all that come at once write between two looks.
const RESERVE: u64 = 512 << 20;

/// A file that is not complete; removed when dropped.
pub(crate) struct PartFile(pub(crate) PathBuf);

impl PartFile {
    /// Makes one.
    ///
    /// # Errors
    /// If there is one of that name, or none can be made.
    pub(crate) fn make(folder: &Path, name: &str) -> io::Result<(File, Self)> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{name}{}", pierhead_blobs::Directory::UNFINISHED));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok((file, Self(path)))
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %self.0.display(), "what was sent in could not be removed");
        }
    }
}

/// The room on the disk of a file, in bytes.
///
/// # Errors
/// [`io::ErrorKind::StorageFull`] if there is none but what must stay free.
pub(crate) fn room(file: &File) -> io::Result<u64> {
    let disk = rustix::fs::fstatvfs(file)?;
    (disk.f_bavail * disk.f_frsize).checked_sub(RESERVE).ok_or_else(|| io::ErrorKind::StorageFull.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_moved_away_goes() {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("deep/spool");
        let (file, part) = PartFile::make(&spool, "one").unwrap();
        assert!(room(&file).unwrap() > 0);
        assert!(PartFile::make(&spool, "one").is_err(), "a name is used once");
        let path = part.0.clone();
        assert!(path.ends_with("one.part") && path.exists());
        drop(part);
        assert!(!path.exists());
        let (_file, part) = PartFile::make(&spool, "two").unwrap();
        fs::rename(&part.0, folder.path().join("kept")).unwrap();
        drop(part);
        assert!(folder.path().join("kept").exists());
    }
}
