//! Files on this side. What comes from a workspace may be anybody's: no link of it is followed, none is made that leads out
//! of its folder, and nothing is written beside that.

use crate::CliError;
use bytes::Bytes;
use pierhead_client::{ClientError, FileStream};
use pierhead_model::FileName;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use tokio::sync::mpsc;

/// How many pieces may wait to be unpacked.
const WAITING: usize = 4;
/// How what has not all come yet is called.
const PART: &str = ".pierhead-part";

/// What is in a folder here, and as what it is sent.
#[derive(Debug, Default)]
pub(super) struct Copies {
    pub(super) folders: Vec<(PathBuf, String)>,
    pub(super) files: Vec<(PathBuf, String)>,
    pub(super) left_out: Vec<PathBuf>,
}

/// All that is in a folder; links are not followed.
pub(super) fn copies_of(folder: &Path) -> io::Result<Copies> {
    let mut copies = Copies::default();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let mut entries = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = format!("{prefix}{}", encoded(&entry.file_name()));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                copies.folders.push((entry.path(), path.clone()));
                open.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() {
                copies.files.push((entry.path(), path));
            } else {
                copies.left_out.push(entry.path());
            }
        }
    }
    Ok(copies)
}

/// A name as the API writes it.
pub(super) fn encoded(name: &OsStr) -> String {
    FileName::of_bytes(name.as_encoded_bytes()).map(|name| name.to_string()).unwrap_or_default()
}

/// A name that the API wrote, as it can be had here.
pub(super) fn decoded(name: &str) -> OsString {
    let Ok(name) = FileName::parse(name) else { return OsString::from("file") };
    of_bytes(name.as_bytes())
}

#[cfg(unix)]
fn of_bytes(name: &[u8]) -> OsString {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name).to_os_string()
}

#[cfg(not(unix))]
fn of_bytes(name: &[u8]) -> OsString {
    String::from_utf8_lossy(name).into_owned().into()
}

/// Who may do what with a file.
#[cfg(unix)]
pub(super) fn mode(about: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777)
}

#[cfg(not(unix))]
pub(super) fn mode(_: &Metadata) -> Option<u32> {
    None
}

/// Writes what comes to a file, which takes its place when all is there.
pub(super) async fn receive(mut stream: FileStream, to: &Path) -> Result<(), CliError> {
    let failed = |source| CliError::WriteFile { path: to.to_owned(), source };
    let mut part = to.as_os_str().to_owned();
    part.push(PART);
    let part = PathBuf::from(part);
    let mut file = File::create(&part).map_err(failed)?;
    let written = async {
        while let Some(bytes) = stream.next().await? {
            file.write_all(&bytes).map_err(failed)?;
        }
        fs::rename(&part, to).map_err(failed)
    };
    let written: Result<(), CliError> = written.await;
    if written.is_err() {
        // The failure is told; what there is of it is of no use.
        let _gone = fs::remove_file(&part);
    }
    written
}

/// What became of an archive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub(super) files: usize,
    pub(super) left_out: Vec<String>,
}

/// Unpacks an archive as it comes, into a folder that must not be there.
pub(super) async fn unpack(mut stream: FileStream, to: PathBuf) -> Result<Unpacked, CliError> {
    let (tell, pieces) = mpsc::channel(WAITING);
    let path = to.clone();
    let unpacking = tokio::task::spawn_blocking(move || unpack_from(Coming { pieces, rest: Bytes::new() }, &to));
    let mut broken: Option<ClientError> = None;
    loop {
        match stream.next().await {
            Ok(Some(bytes)) => {
                // Whoever unpacks has found something wrong with it.
                if tell.send(Ok(bytes.into())).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                // Whoever unpacks must not take it for the end.
                let _over = tell.send(Err(io::Error::other("it broke off"))).await;
                broken = Some(error);
                break;
            }
        }
    }
    drop(tell);
    let unpacked = unpacking.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    match broken {
        Some(error) => Err(error.into()),
        None => unpacked.map_err(|source| CliError::WriteFile { path, source }),
    }
}

struct Coming {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl Read for Coming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(piece) => self.rest = piece?,
            }
        }
        let length = self.rest.len().min(into.len());
        into[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

fn unpack_from(archive: impl Read, to: &Path) -> io::Result<Unpacked> {
    let mut unpacked = Unpacked::default();
    let mut links = Vec::new();
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let (shown, place) = {
            let path = entry.path()?;
            (path.display().to_string(), inside(&path))
        };
        let Some(place) = place else {
            unpacked.left_out.push(shown);
            continue;
        };
        let path = if place.as_os_str().is_empty() { to.to_owned() } else { to.join(&place) };
        if kind.is_dir() {
            // The folder itself must be a new one; those in it are named after it.
            if place.as_os_str().is_empty() { fs::create_dir(&path)? } else { fs::create_dir_all(&path)? }
        } else if kind.is_file() {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            io::copy(&mut entry, &mut file)?;
            give_mode(&file, entry.header().mode().unwrap_or(0o644))?;
            unpacked.files += 1;
        } else {
            let target = entry.link_name()?.filter(|_| kind.is_symlink()).map(|target| target.into_owned());
            match target.filter(|target| stays_inside(&place, target)) {
                Some(target) => links.push((path, target)),
                None => unpacked.left_out.push(shown),
            }
        }
    }
    // Only now, so that nothing is written through one.
    for (path, target) in links {
        link(&target, &path)?;
    }
    Ok(unpacked)
}

/// Where a file of an archive is in its folder, whose name comes first.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut parts = path.components();
    parts.next().filter(|first| matches!(first, Component::Normal(_)))?;
    parts.map(|part| if let Component::Normal(part) = part { Some(part) } else { None }).collect()
}

/// Whether a link leads nowhere but into the folder, however it is read.
fn stays_inside(place: &Path, target: &Path) -> bool {
    let mut depth = place.components().count().saturating_sub(1);
    target.components().all(|part| match part {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => {
            let is_inside = depth > 0;
            depth = depth.saturating_sub(1);
            is_inside
        }
        Component::RootDir | Component::Prefix(_) => false,
    })
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn give_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode & 0o777))
}

#[cfg(not(unix))]
fn give_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
