//! How many files and folders a container has made, in the layer that its engine keeps of them on this host. Who made them
//! may rename and remove them meanwhile: no link is followed, and nothing is read but names.

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, openat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::Path;

/// How deep folders lie within one another at most; who goes deeper has too many. Each is open while it is walked through.
const DEEPEST: usize = 200;

/// Counts files and folders below one, until there are more than so many.
///
/// # Errors
/// If the folder itself can't be read.
pub(crate) fn count(top: &Path, most: u64) -> Result<u64, Errno> {
    let mut open = vec![folder(CWD, top)?];
    let mut found = 0;
    while let Some(dir) = open.last_mut() {
        let Some(entry) = dir.read() else {
            open.pop();
            continue;
        };
        let Ok(entry) = entry else {
            open.pop();
            continue;
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        found += 1;
        if found > most {
            break;
        }
        if matches!(entry.file_type(), FileType::Directory | FileType::Unknown) {
            if open.len() >= DEEPEST {
                return Ok(most.saturating_add(1));
            }
            let at = open.last().map(Dir::fd).transpose()?;
            // What is no folder, or not there any more, has nothing in it.
            if let Some(Ok(inner)) = at.map(|at| folder(at, name)) {
                open.push(inner);
            }
        }
    }
    Ok(found)
}

fn folder(at: impl std::os::fd::AsFd, path: impl rustix::path::Arg) -> Result<Dir, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened: OwnedFd = openat(at, path, flags, Mode::empty())?;
    Dir::new(opened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_and_folders_are_counted_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        fs::create_dir_all(top.join("a/b")).unwrap();
        for name in ["one", "a/two", "a/b/three"] {
            fs::write(top.join(name), "").unwrap();
        }
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("theirs"), "").unwrap();
        symlink(&outside, top.join("a/link")).unwrap();
        assert_eq!(count(&top, 100), Ok(6), "two folders, three files, one link");
        assert_eq!(count(&top.join("a/link"), 100), Err(Errno::NOTDIR));
        assert_eq!(count(&top.join("none"), 100), Err(Errno::NOENT));
    }

    #[test]
    fn it_is_over_as_soon_as_there_are_more_than_may_be() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..50 {
            fs::write(dir.path().join(number.to_string()), "").unwrap();
        }
        assert_eq!([count(dir.path(), 50), count(dir.path(), 49), count(dir.path(), 7)], [Ok(50), Ok(50), Ok(8)]);
    }

    #[test]
    fn folders_without_end_are_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let path = |depth: usize| dir.path().join("d/".repeat(depth));
        fs::create_dir_all(path(DEEPEST - 1)).unwrap();
        assert_eq!(count(dir.path(), 1_000), Ok(DEEPEST as u64 - 1));
        fs::create_dir_all(path(DEEPEST)).unwrap();
        assert_eq!(count(dir.path(), 1_000), Ok(1_001));
    }
}
