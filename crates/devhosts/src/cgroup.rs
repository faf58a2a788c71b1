//! The cgroups under a pool's parents, in both versions of the kernel's interface. Thaws and removes them; the engines
//! make them.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::names::Names;

/// The pool's parents, in every hierarchy that is mounted.
pub(crate) fn parents(names: &Names) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let children = mounts.lines().filter_map(hierarchy).flat_map(|mount| folders(Path::new(mount)));
    children
        .filter(|folder| folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| names.owns_netns(name)))
        .collect()
}

/// The mount point of a line of mountinfo, if it is one of a cgroup hierarchy.
fn hierarchy(line: &str) -> Option<&str> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let kind = filesystem.split(' ').next()?;
    matches!(kind, "cgroup" | "cgroup2").then(|| mount.split(' ').nth(4))?
}

/// Lets paused containers go on: a frozen process does not even die.
pub(crate) fn thaw(names: &Names) {
    for folder in parents(names).iter().flat_map(|parent| with_descendants(parent)) {
        // Each kernel interface has one of the two files; a cgroup that vanishes meanwhile needs no thawing.
        for (file, value) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
            let file = folder.join(file);
            if file.exists() {
                let _ = fs::write(file, value);
            }
        }
    }
}

/// Removes the pool's cgroups, whose processes must have ended. The kernel may need a moment to notice that.
pub(crate) fn remove(names: &Names, limit: Duration) -> Result<()> {
    let deadline = Instant::now() + limit;
    for folder in parents(names).iter().flat_map(|parent| with_descendants(parent).into_iter().rev()) {
        loop {
            match fs::remove_dir(&folder) {
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                outcome => break outcome.map_err(Error::file("remove the cgroup", &folder))?,
            }
        }
    }
    Ok(())
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ResourceBusy
}

/// A folder and all below it, outer ones first.
fn with_descendants(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let mut next = 0;
    while next < all.len() {
        let children = folders(&all[next]);
        all.extend(children);
        next += 1;
    }
    all
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_of_both_versions_are_recognised() {
        let v1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory";
        let v2 = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        assert_eq!(hierarchy(v1), Some("/sys/fs/cgroup/memory"));
        assert_eq!(hierarchy(v2), Some("/sys/fs/cgroup"));
        assert_eq!(hierarchy("31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw"), None);
        assert_eq!(hierarchy("rubbish"), None);
    }

    #[test]
    fn descendants_come_after_their_parents() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/b/c", "a/d", "e"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        let all = with_descendants(dir.path());
        assert_eq!(all.len(), 6);
        for (position, path) in all.iter().enumerate().skip(1) {
            assert!(all[..position].contains(&path.parent().unwrap().to_owned()), "{path:?}");
        }
    }
}
