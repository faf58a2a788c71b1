//! What there is: files as they are found, folders, and the bytes of a file.

use super::root::{Root, open_folder, open_ordinary};
use super::trouble::{not_ordinary, trouble};
use crate::refusal::Refusal;
use pierhead_model::{FileEntry, FileKind, FileListing, FileName, FilePath, Timestamp};
use rustix::fs::{AtFlags, Dir, FileType, Stat, readlinkat, statat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

/// The most entries of a folder that are told.
const MOST: usize = 5_000;
/// The most names that are read of one to find its first.
const MOST_READ: usize = 100_000;
/// How much of a file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What is in a folder: its first files, by their names.
pub(super) fn list(root: &Root, path: &FilePath) -> Result<FileListing, Refusal> {
    let of = |error| trouble(error, path);
    let folder = root.folder(path)?;
    let mut names = Vec::new();
    let mut has_more = false;
    for entry in Dir::new(open_folder(&folder).map_err(of)?).map_err(of)? {
        let entry = entry.map_err(of)?;
        // These two are no names.
        let Ok(name) = FileName::of_bytes(entry.file_name().to_bytes()) else { continue };
        if names.len() == MOST_READ {
            has_more = true;
            break;
        }
        names.push(name);
    }
    names.sort_unstable();
    has_more |= names.len() > MOST;
    names.truncate(MOST);
    let entries = names.into_iter().filter_map(|name| of_folder(root, &folder, path, name)).collect();
    Ok(FileListing { entries, has_more })
}

/// One file of a folder; nothing if it went meanwhile.
fn of_folder(root: &Root, folder: &OwnedFd, path: &FilePath, name: FileName) -> Option<FileEntry> {
    let stat = match statat(folder, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return None,
        // Somebody who may read the names may not look further.
        Err(_) => return Some(unseen(name)),
    };
    let mut entry = entry(&stat, Some(name.clone()));
    if entry.kind == FileKind::Link {
        let target = readlinkat(folder, name.as_bytes(), Vec::new()).ok();
        entry.target = target.map(|target| String::from_utf8_lossy(target.as_bytes()).into_owned());
        entry.leads_to = root.find(&path.join(&name)).ok().map(|(_, stat)| kind(&stat));
    }
    Some(entry)
}

fn unseen(name: FileName) -> FileEntry {
    let (kind, modified, tag) = (FileKind::Other, Timestamp(0), String::new());
    FileEntry { name: Some(name), kind, size: 0, mode: 0, modified, tag, target: None, leads_to: None }
}

/// What the kernel says of a file.
pub(super) fn entry(stat: &Stat, name: Option<FileName>) -> FileEntry {
    let (seconds, nanos) = (u64::try_from(stat.st_mtime).unwrap_or_default(), stat.st_mtime_nsec);
    FileEntry {
        name,
        kind: kind(stat),
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        mode: stat.st_mode & 0o7777,
        modified: Timestamp(seconds.saturating_mul(1000) + nanos / 1_000_000),
        tag: tag(stat),
        target: None,
        leads_to: None,
    }
}

/// What tells a file from the same one with other bytes: which it is, when it was written last, how long it is.
pub(super) fn tag(stat: &Stat) -> String {
    format!("{:x}-{:x}.{:x}-{:x}", stat.st_ino, stat.st_mtime, stat.st_mtime_nsec, stat.st_size)
}

pub(super) fn kind(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    }
}

/// The file at a path, for reading.
pub(super) fn open(root: &Root, path: &FilePath) -> Result<(File, FileEntry), Refusal> {
    let (found, stat) = root.find(path)?;
    if kind(&stat) == FileKind::Folder {
        return Err(trouble(Errno::ISDIR, path));
    }
    let opened = open_ordinary(&found).map_err(|error| trouble(error, path))?;
    let (file, stat) = opened.ok_or_else(|| not_ordinary(path))?;
    Ok((file, entry(&stat, path.split().map(|(_, name)| name))))
}

/// So many bytes of a file, also if it grows meanwhile. One that became shorter is a failure.
pub(super) fn copy(mut file: File, size: u64, into: &mut impl Write) -> io::Result<()> {
    let (mut left, mut piece) = (size, vec![0; PIECE]);
    while left > 0 {
        let most = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        match file.read(&mut piece[..most])? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter meanwhile")),
            read => {
                into.write_all(&piece[..read])?;
                left -= read as u64;
            }
        }
    }
    Ok(())
}
