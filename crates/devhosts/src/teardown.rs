//! Removes a pool with every trace, from any state it may be in. Touches only what the record or the pool's names prove
//! to be its own.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::cgroup;
use crate::command::run;
use crate::error::{Error, Result};
use crate::names::Names;
use crate::network;
use crate::process;
use crate::record::{Record, lock_pool};
use crate::service;

/// How long another process may work on the pool before we give up.
const LOCK_LIMIT: Duration = Duration::from_secs(10);
/// How long killed processes, and then their cgroups, may take to go.
const KILL_LIMIT: Duration = Duration::from_secs(20);

/// What to do with the pool's directory itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directory {
    Keep,
    /// Remove it if the pool made it and nobody has put anything into it.
    RemoveIfOurs,
}

/// Removes the pool of a directory: processes, containers, namespaces, links, rules, mounts, cgroups, files. Works on
/// half-made and crashed pools too, needs no record, and does nothing where there is no pool. Files that the pool did
/// not make stay, and so does a directory that existed before.
///
/// # Errors
/// Something could not be removed; calling again goes on from there.
pub fn down(dir: &Path) -> Result<()> {
    let names = Names::of(dir)?;
    let _lock = if names.dir().is_dir() { Some(lock_pool(names.dir(), LOCK_LIMIT)?) } else { None };
    remove(&names, Directory::RemoveIfOurs)
}

/// Whether anything shows that a pool is, or was and is not wholly removed, in a directory.
///
/// # Errors
/// The directory has no absolute path.
pub fn has_traces(dir: &Path) -> Result<bool> {
    let names = Names::of(dir)?;
    let files = [Record::file(&names), Record::draft(&names)].into_iter();
    let folders = [names.hosts_dir(), names.services_dir()].map(|folder| Names::made_by_us(&folder));
    if files.chain(folders).any(|file| file.exists()) {
        return Ok(true);
    }
    let namespaces = network::namespaces(&names);
    Ok(!namespaces.is_empty() || !process::of_pool(&names, &namespaces).is_empty())
}

/// As [`down`], for a caller that holds the lock.
pub(crate) fn remove(names: &Names, directory: Directory) -> Result<()> {
    let record = match Record::read(names) {
        Err(Error::ReadRecord { .. }) => None,
        other => other?,
    };
    let services = record.iter().flat_map(|record| record.services.iter().rev());
    let stopped = services.map(|service| service::stop(service, service::STOP_LIMIT)).fold(Ok(()), Result::and);
    kill_all(names)?;
    // Nothing holds these any more; a failure in one is no reason to leave the others.
    let outcome =
        stopped.and(network::remove(names)).and(cgroup::remove(names, KILL_LIMIT)).and(unmount_all(&names.hosts_dir()));
    outcome?;
    remove_files(names, record.as_ref(), directory)
}

fn kill_all(names: &Names) -> Result<()> {
    let deadline = Instant::now() + KILL_LIMIT;
    loop {
        cgroup::thaw(names);
        let found = process::of_pool(names, &network::namespaces(names));
        if found.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Error::KillProcesses { pids: found.iter().map(|process| process.pid).collect() });
        }
        for process in found {
            process.signal(Signal::KILL)?;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Engines mount in namespaces of their own, which end with them; this is for what somebody mounted from outside.
fn unmount_all(folder: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for mount in mounts_below(&mounts, folder).iter().rev() {
        run("umount", &["-l", &mount.to_string_lossy()])?;
    }
    Ok(())
}

fn mounts_below(mountinfo: &str, folder: &Path) -> Vec<PathBuf> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    points.filter(|point| point.starts_with(folder)).collect()
}

/// A path of mountinfo, in which blanks and the like are written as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..3).filter(|_| first == b'\\').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(&bytes))
}

/// Removes the pool's files, the record last: until then every further attempt knows what there is to do.
fn remove_files(names: &Names, record: Option<&Record>, directory: Directory) -> Result<()> {
    let mut ours = record.is_some();
    for folder in [names.services_dir(), names.hosts_dir()] {
        let proven = Names::made_by_us(&folder).exists();
        if proven || record.is_some() {
            gone(fs::remove_dir_all(&folder)).map_err(Error::file("remove", &folder))?;
        }
        ours |= proven;
    }
    let draft = Record::draft(names);
    gone(fs::remove_file(&draft)).map_err(Error::file("remove", &draft))?;
    if ours {
        let file = Record::file(names);
        gone(fs::remove_file(&file)).map_err(Error::file("remove", &file))?;
    }
    if directory == Directory::RemoveIfOurs && record.is_some_and(|record| record.made_dir) {
        match fs::remove_dir(names.dir()) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            other => gone(other).map_err(Error::file("remove", names.dir()))?,
        }
    }
    Ok(())
}

fn gone(outcome: std::io::Result<()>) -> std::io::Result<()> {
    match outcome {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_a_folder_are_found_whatever_their_names() {
        let info = "1 2 0:1 / / rw - ext4 /dev/a rw\n3 1 0:2 / /srv/my\\040pool/hosts/x rw - tmpfs t rw\n\
                    4 1 0:3 / /srv/my\\040poolhouse rw - tmpfs t rw\n5 3 0:4 / /srv/my\\040pool/hosts/x/a\\134b rw - tmpfs t rw";
        let found = mounts_below(info, Path::new("/srv/my pool/hosts"));
        assert_eq!(found, [PathBuf::from("/srv/my pool/hosts/x"), PathBuf::from("/srv/my pool/hosts/x/a\\b")]);
        assert_eq!(unescape("/end\\04"), PathBuf::from("/end\\04"));
    }

    #[test]
    fn folders_without_proof_stay() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["hosts/inventory", "services/web", "pool.json"] {
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "somebody else's").unwrap();
        }
        down(dir.path()).unwrap();
        for file in ["hosts/inventory", "services/web", "pool.json"] {
            assert!(dir.path().join(file).exists(), "{file}");
        }
    }

    #[test]
    fn what_proves_to_be_ours_goes_without_a_readable_record() {
        let dir = tempfile::tempdir().unwrap();
        let names = Names::of(dir.path()).unwrap();
        fs::create_dir_all(names.host_dir("host-1").join("data")).unwrap();
        fs::write(Names::made_by_us(&names.hosts_dir()), names.prefix()).unwrap();
        fs::write(Record::file(&names), "{ torn").unwrap();
        fs::write(Record::draft(&names), "").unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        down(dir.path()).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["notes.txt"]);
        down(dir.path()).unwrap();
    }

    #[test]
    fn a_directory_that_does_not_exist_is_down() {
        down(Path::new("/nonexistent/pool")).unwrap();
    }
}
