//! Folders that are made, names that change, and what goes.

use super::look::{entry, kind};
use super::root::{Root, is_of_kernel};
use super::trouble::{not_ordinary, too_deep, trouble};
use crate::refusal::Refusal;
use hyper::StatusCode;
use pierhead_model::{FileEntry, FileKind, FileName, FilePath};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags, mkdirat, openat, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};

/// How many folders within one another are removed with what is in them: each is open meanwhile.
pub(super) const DEEPEST: usize = 100;
/// How often a folder is looked through in which something was left, or came meanwhile.
const LOOKS: usize = 8;

/// Makes a folder.
pub(super) fn make_folder(root: &Root, path: &FilePath, parents: bool) -> Result<FileEntry, Refusal> {
    if parents {
        make_parents(root, path)?;
    }
    let (folder, name) = root.parent(path)?;
    match mkdirat(&folder, name.as_slice(), Mode::from_raw_mode(0o755)) {
        Err(Errno::EXIST) if parents => drop(root.folder(path)?),
        made => made.map_err(|error| trouble(error, path))?,
    }
    of(&folder, &name, path)
}

/// Makes the folders that are missing on the way to a path.
pub(super) fn make_parents(root: &Root, path: &FilePath) -> Result<(), Refusal> {
    let mut missing = Vec::new();
    let mut at = path.split();
    while let Some((folder, _)) = at {
        match root.at(folder.as_bytes()) {
            Err(Errno::NOENT) => {}
            // Whatever else is wrong with it is found by who uses it.
            Ok(_) | Err(_) => break,
        }
        at = folder.split();
        missing.push(folder);
    }
    for folder in missing.iter().rev() {
        let (parent, name) = root.parent(folder)?;
        match mkdirat(&parent, name.as_slice(), Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(trouble(error, folder)),
        }
    }
    Ok(())
}

/// Moves something, a link itself.
pub(super) fn rename(root: &Root, path: &FilePath, to: &FilePath, replaces: bool) -> Result<FileEntry, Refusal> {
    if to != path && to.is_within(path) {
        let message = format!("{path} cannot be moved into itself");
        return Err(Refusal::new(StatusCode::CONFLICT, "into_itself", message));
    }
    let (from_folder, name) = root.parent(path)?;
    // What is missing is told of the one and what is in the way of the other.
    let before = of(&from_folder, &name, path)?;
    let (to_folder, new_name) = root.parent(to)?;
    if to == path {
        return Ok(before);
    }
    let moved = match replaces {
        true => renameat(&from_folder, name.as_slice(), &to_folder, new_name.as_slice()),
        false => {
            let flags = RenameFlags::NOREPLACE;
            renameat_with(&from_folder, name.as_slice(), &to_folder, new_name.as_slice(), flags)
        }
    };
    moved.map_err(|error| match error {
        Errno::EXIST | Errno::NOTEMPTY | Errno::ISDIR | Errno::NOTDIR => trouble(Errno::EXIST, to),
        Errno::NOENT => trouble(error, path),
        error => trouble(error, path),
    })?;
    of(&to_folder, &new_name, to)
}

fn of(folder: &OwnedFd, name: &[u8], path: &FilePath) -> Result<FileEntry, Refusal> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| trouble(error, path))?;
    Ok(entry(&stat, FileName::of_bytes(name).ok()))
}

/// Removes something, a link itself.
pub(super) fn remove(root: &Root, path: &FilePath, recursive: bool) -> Result<(), Refusal> {
    let (folder, name) = root.parent(path)?;
    let stat = statat(&folder, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW).map_err(|error| trouble(error, path))?;
    if kind(&stat) != FileKind::Folder {
        return unlinkat(&folder, name.as_slice(), AtFlags::empty()).map_err(|error| trouble(error, path));
    }
    if recursive {
        return remove_folder(&folder, &name, path, 0);
    }
    unlinkat(&folder, name.as_slice(), AtFlags::REMOVEDIR).map_err(|error| trouble(error, path))
}

/// Removes a folder and what is in it. No link is followed: each folder is opened in the one before, as what it is.
fn remove_folder(parent: impl AsFd, name: &[u8], path: &FilePath, depth: usize) -> Result<(), Refusal> {
    let of = |error| trouble(error, path);
    if depth == DEEPEST {
        return Err(too_deep(path));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(&parent, name, flags, Mode::empty()).map_err(of)?;
    if is_of_kernel(&folder) {
        return Err(not_ordinary(path));
    }
    for _ in 0..LOOKS {
        for entry in Dir::read_from(&folder).map_err(of)? {
            let entry = entry.map_err(of)?;
            let Ok(inner) = FileName::of_bytes(entry.file_name().to_bytes()) else { continue };
            match unlinkat(&folder, inner.as_bytes(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR | Errno::PERM) => {
                    remove_folder(&folder, inner.as_bytes(), &path.join(&inner), depth + 1)?
                }
                Err(error) => return Err(trouble(error, &path.join(&inner))),
            }
        }
        match unlinkat(&parent, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY) => {}
            removed => return removed.map_err(of),
        }
    }
    Err(trouble(Errno::NOTEMPTY, path))
}
