//! Writing a file: beside it first, and in its place when all is there. Whatever goes wrong before, a full disk above all,
//! what was there stays as it was.

use super::change::make_parents;
use super::channel::Food;
use super::look::{entry, kind, tag};
use super::root::Root;
use super::trouble::{not_ordinary, trouble};
use crate::refusal::Refusal;
use hyper::StatusCode;
use pierhead_model::{FileBefore, FileEntry, FileKind, FileName, FilePath};
use rustix::fs::{
    Access, AtFlags, Gid, Mode, OFlags, RenameFlags, Stat, Uid, accessat, fchmod, fchown, fstat, openat, renameat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

/// The longest file that is taken, in bytes.
const LONGEST: u64 = 16 << 30;
/// Who may do what with a new file.
const NEW: u32 = 0o644;
/// How the names of files begin that are not complete.
const BESIDE: &str = ".pierhead-";

/// The last look and the last step of a write belong together: two who save at once must not both believe that they did.
static LAST_STEP: Mutex<()> = Mutex::new(());

/// What shall be written.
pub(super) struct Wanted<'a> {
    pub(super) path: &'a FilePath,
    pub(super) before: &'a FileBefore,
    pub(super) mode: Option<u32>,
    pub(super) parents: bool,
    pub(super) size: Option<u64>,
}

/// A file that is being written, which goes unless it is put in its place.
struct Beside<'a> {
    folder: &'a OwnedFd,
    name: String,
    file: File,
    is_placed: bool,
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        if !self.is_placed {
            // Its folder went with it, or somebody took it away.
            let _gone = unlinkat(self.folder, self.name.as_str(), AtFlags::empty());
        }
    }
}

/// Writes what comes.
pub(super) fn write(root: &Root, wanted: &Wanted<'_>, food: &mut Food) -> Result<FileEntry, Refusal> {
    let path = wanted.path;
    if wanted.size.is_some_and(|size| size > LONGEST) {
        return Err(too_large());
    }
    if wanted.parents {
        make_parents(root, path)?;
    }
    let (folder, name) = root.parent_behind_links(path)?;
    let there = look(&folder, &name, path)?;
    check(there.as_ref(), wanted)?;
    if there.is_some() {
        accessat(&folder, name.as_slice(), Access::WRITE_OK, AtFlags::empty()).map_err(|error| trouble(error, path))?;
    }
    let mut beside = Beside::begin(&folder).map_err(|error| trouble(error, path))?;
    take(&mut beside.file, wanted, food)?;
    dress(&beside.file, there.as_ref(), wanted.mode).map_err(|error| trouble(error, path))?;
    let _turn = LAST_STEP.lock().unwrap_or_else(PoisonError::into_inner);
    check(look(&folder, &name, path)?.as_ref(), wanted)?;
    let placed = match wanted.before {
        FileBefore::Absent => {
            renameat_with(&folder, beside.name.as_str(), &folder, name.as_slice(), RenameFlags::NOREPLACE)
        }
        FileBefore::Any | FileBefore::Tagged(_) => renameat(&folder, beside.name.as_str(), &folder, name.as_slice()),
    };
    placed.map_err(|error| trouble(error, path))?;
    beside.is_placed = true;
    let stat = fstat(&beside.file).map_err(|error| trouble(error, path))?;
    Ok(entry(&stat, FileName::of_bytes(&name).ok()))
}

/// What is there now, if it is a file.
fn look(folder: &OwnedFd, name: &[u8], path: &FilePath) -> Result<Option<Stat>, Refusal> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => match kind(&stat) {
            FileKind::File => Ok(Some(stat)),
            FileKind::Folder => Err(trouble(Errno::ISDIR, path)),
            FileKind::Link | FileKind::Other => Err(not_ordinary(path)),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(trouble(error, path)),
    }
}

/// Whether there is what must be there.
fn check(there: Option<&Stat>, wanted: &Wanted<'_>) -> Result<(), Refusal> {
    match (wanted.before, there) {
        (FileBefore::Any, _) | (FileBefore::Absent, None) => Ok(()),
        (FileBefore::Absent, Some(_)) => Err(trouble(Errno::EXIST, wanted.path)),
        (FileBefore::Tagged(expected), Some(there)) if tag(there) == *expected => Ok(()),
        (FileBefore::Tagged(_), _) => {
            let message = format!("{} was changed or removed meanwhile", wanted.path);
            Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "changed", message))
        }
    }
}

impl<'a> Beside<'a> {
    fn begin(folder: &'a OwnedFd) -> Result<Self, Errno> {
        let name = format!("{BESIDE}{:016x}", rand::random::<u64>());
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(folder, name.as_str(), flags, Mode::RUSR | Mode::WUSR)?.into();
        Ok(Self { folder, name, file, is_placed: false })
    }
}

/// Writes what comes to its end.
fn take(file: &mut File, wanted: &Wanted<'_>, food: &mut Food) -> Result<(), Refusal> {
    let broke_off = || {
        let message = format!("{} was not changed: what should be written did not come to its end", wanted.path);
        Refusal::new(StatusCode::BAD_REQUEST, "broke_off", message)
    };
    let mut written = 0u64;
    while let Some(piece) = food.next().map_err(|_| broke_off())? {
        written += piece.len() as u64;
        if written > LONGEST {
            return Err(too_large());
        }
        file.write_all(&piece).map_err(|error| trouble(of_io(&error), wanted.path))?;
    }
    if wanted.size.is_some_and(|size| size != written) { Err(broke_off()) } else { Ok(()) }
}

/// Gives the new file to whom the old one belonged, as far as whoever writes may do that.
fn dress(file: &File, there: Option<&Stat>, mode: Option<u32>) -> Result<(), Errno> {
    if let Some(there) = there {
        let (owner, group) = (Uid::from_raw(there.st_uid), Gid::from_raw(there.st_gid));
        if fchown(file, Some(owner), Some(group)).is_err() {
            // The group alone, if they are of it.
            let _not_of_it = fchown(file, None, Some(group));
        }
    }
    // Never with the bits that let a program run as somebody else.
    let mode = mode.or(there.map(|there| there.st_mode)).unwrap_or(NEW) & 0o777;
    fchmod(file, Mode::from_raw_mode(mode))
}

fn too_large() -> Refusal {
    let message = format!("a file may have {} GB at most", LONGEST >> 30);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

fn of_io(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
