//! The root of a container. Every path is resolved by the kernel within it: absolute links and `..` begin and end there, the
//! kernel's own links into processes are not followed, and no rename in between changes that.

use super::trouble::{not_ordinary, trouble};
use crate::refusal::Refusal;
use pierhead_model::FilePath;
use rustix::fs::{
    FileType, FsWord, Mode, OFlags, ResolveFlags, Stat, fstat, fstatfs, open, openat, openat2, readlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How often it is tried again while something on the way is renamed.
const TRIES: usize = 64;
/// How many links are followed one after the other.
const MOST_LINKS: usize = 40;
/// The longest path, in bytes.
const LONGEST: usize = 4095;
/// File systems whose files are the kernel's own: processes, devices, control groups and the like.
const OF_KERNEL: [FsWord; 14] = [
    0x0000_9fa0,
    0x6265_6572,
    0x0027_e0eb,
    0x6367_7270,
    0x0000_1cd1,
    0x1980_0202,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0x6265_6570,
    0x6573_5543,
    0x4249_4e4d,
    0x6e73_6673,
];

/// The root of a container.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    /// The root that this is open at.
    pub(super) fn new(root: OwnedFd) -> Self {
        Self(root)
    }

    /// What is at a path, without opening it.
    pub(super) fn at(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..TRIES {
            match openat2(&self.0, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), inside) {
                Err(Errno::AGAIN) => {}
                found => return found,
            }
        }
        Err(Errno::BUSY)
    }

    /// What is at a path.
    pub(super) fn find(&self, path: &FilePath) -> Result<(OwnedFd, Stat), Refusal> {
        let of = |error| trouble(error, path);
        let found = self.at(path.as_bytes()).map_err(of)?;
        let stat = fstat(&found).map_err(of)?;
        Ok((found, stat))
    }

    /// The folder at a path, without opening it.
    pub(super) fn folder(&self, path: &FilePath) -> Result<OwnedFd, Refusal> {
        self.folder_at(path.as_bytes(), path)
    }

    fn folder_at(&self, bytes: &[u8], path: &FilePath) -> Result<OwnedFd, Refusal> {
        let found = self.at(bytes).map_err(|error| trouble(error, path))?;
        let stat = fstat(&found).map_err(|error| trouble(error, path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return Err(trouble(Errno::NOTDIR, path));
        }
        if is_of_kernel(&found) { Err(not_ordinary(path)) } else { Ok(found) }
    }

    /// The folder in which something is, and its name there; links on the way are followed, itself is not.
    pub(super) fn parent(&self, path: &FilePath) -> Result<(OwnedFd, Vec<u8>), Refusal> {
        let (folder, name) = path.split().ok_or_else(|| trouble(Errno::BUSY, path))?;
        Ok((self.folder_at(folder.as_bytes(), path)?, name.as_bytes().to_vec()))
    }

    /// The same of where it is in the end, if it is a link.
    pub(super) fn parent_behind_links(&self, path: &FilePath) -> Result<(OwnedFd, Vec<u8>), Refusal> {
        let mut at = path.as_bytes().to_vec();
        for _ in 0..MOST_LINKS {
            if at.len() > LONGEST {
                return Err(trouble(Errno::NAMETOOLONG, path));
            }
            let end = at.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
            let (folder, name) = (at[..=end].to_vec(), at[end + 1..].to_vec());
            if matches!(name.as_slice(), b"" | b"." | b"..") {
                return Err(trouble(Errno::ISDIR, path));
            }
            let parent = self.folder_at(&folder, path)?;
            at = match readlinkat(&parent, name.as_slice(), Vec::new()) {
                Ok(target) if target.as_bytes().first() == Some(&b'/') => target.into_bytes(),
                Ok(target) => [folder.as_slice(), target.as_bytes()].concat(),
                Err(Errno::INVAL | Errno::NOENT) => return Ok((parent, name)),
                Err(error) => return Err(trouble(error, path)),
            };
        }
        Err(trouble(Errno::LOOP, path))
    }
}

/// Whether something belongs to the kernel: nobody's file, and reading it may do something.
pub(super) fn is_of_kernel(found: impl AsFd) -> bool {
    fstatfs(found).map_or(true, |system| OF_KERNEL.contains(&system.f_type))
}

/// Opens an ordinary file that was found, for reading. Nothing else is opened, not even for a moment: a device might do
/// something, and a pipe would wait.
pub(super) fn open_ordinary(found: &OwnedFd) -> Result<Option<(File, Stat)>, Errno> {
    let stat = fstat(found)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || is_of_kernel(found) {
        return Ok(None);
    }
    // The kernel's own link to what is open here already.
    let itself = format!("/proc/self/fd/{}", found.as_raw_fd());
    let file = open(itself, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(Some((file.into(), stat)))
}

/// A folder that was found, opened for reading.
pub(super) fn open_folder(found: impl AsFd) -> Result<OwnedFd, Errno> {
    openat(found, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}
