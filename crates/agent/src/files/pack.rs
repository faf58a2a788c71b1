//! A folder as one file, written while it is read: nothing of it is kept. Links are packed as links and never followed; what
//! can't be read is named in a file at the end, since an archive that lacks something must say so.

use super::change::DEEPEST;
use super::look::kind;
use super::root::{Root, is_of_kernel, open_folder, open_ordinary};
use super::trouble::{not_ordinary, trouble};
use super::zip::Zip;
use crate::refusal::Refusal;
use pierhead_model::{ArchiveForm, FileKind, FileName, FilePath};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, openat, readlinkat, statat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What names what is missing in an archive, in its first folder.
const LEFT_OUT: &[u8] = b"LEFT-OUT.txt";
/// How many names it holds at most.
const MOST_NAMED: usize = 10_000;

/// What shall be packed.
pub(super) struct Top {
    name: Vec<u8>,
    found: Found,
    stat: Stat,
}

enum Found {
    File(File),
    Folder(OwnedFd),
}

/// Finds what shall be packed.
pub(super) fn begin(root: &Root, path: &FilePath) -> Result<Top, Refusal> {
    let name = path.split().map_or_else(|| b"files".to_vec(), |(_, name)| name.as_bytes().to_vec());
    let (found, stat) = root.find(path)?;
    let of = |error| trouble(error, path);
    if kind(&stat) == FileKind::Folder {
        if is_of_kernel(&found) {
            return Err(not_ordinary(path));
        }
        return Ok(Top { name, found: Found::Folder(open_folder(&found).map_err(of)?), stat });
    }
    let (file, stat) = open_ordinary(&found).map_err(of)?.ok_or_else(|| not_ordinary(path))?;
    Ok(Top { name, found: Found::File(file), stat })
}

/// Packs it.
pub(super) fn pack(top: Top, form: ArchiveForm, into: &mut impl Write) -> io::Result<()> {
    let archive = match form {
        ArchiveForm::Tar => Archive::Tar(tar::Builder::new(into)),
        ArchiveForm::Zip => Archive::Zip(Zip::new(into)),
    };
    let mut packing = Packing { archive, top: top.name.clone(), left_out: Vec::new() };
    match top.found {
        Found::File(file) => packing.archive.file(&top.name, &top.stat, file)?,
        Found::Folder(folder) => packing.folder(&folder, &top.name, &top.stat, 0)?,
    }
    packing.finish()
}

enum Archive<W: Write> {
    Tar(tar::Builder<W>),
    Zip(Zip<W>),
}

struct Packing<W: Write> {
    archive: Archive<W>,
    top: Vec<u8>,
    left_out: Vec<Vec<u8>>,
}

impl<W: Write> Packing<W> {
    fn folder(&mut self, folder: &OwnedFd, path: &[u8], stat: &Stat, depth: usize) -> io::Result<()> {
        self.archive.folder(path, stat)?;
        // The kernel's own look like any folder from without.
        if is_of_kernel(folder) {
            return Ok(());
        }
        if depth == DEEPEST {
            return self.leave_out(path);
        }
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let Ok(name) = FileName::of_bytes(entry.file_name().to_bytes()) else { continue };
            let inner = [path, b"/", name.as_bytes()].concat();
            match self.one(folder, &name, &inner, depth) {
                Ok(Ok(())) => {}
                // It went meanwhile.
                Ok(Err(Errno::NOENT)) => {}
                Ok(Err(_)) => self.leave_out(&inner)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Packs one file of a folder: the outer failure is that of the archive, the inner one that of the file.
    fn one(&mut self, folder: &OwnedFd, name: &FileName, path: &[u8], depth: usize) -> io::Result<Result<(), Errno>> {
        let name = name.as_bytes();
        let stat = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(error) => return Ok(Err(error)),
        };
        match kind(&stat) {
            FileKind::Folder => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(folder, name, flags, Mode::empty()) {
                    Ok(inner) => self.folder(&inner, path, &stat, depth + 1)?,
                    Err(error) => return Ok(Err(error)),
                }
            }
            FileKind::File => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(folder, name, flags, Mode::empty()).and_then(|found| open_ordinary(&found)) {
                    Ok(Some((file, stat))) => self.archive.file(path, &stat, file)?,
                    Ok(None) => return Ok(Err(Errno::INVAL)),
                    Err(error) => return Ok(Err(error)),
                }
            }
            FileKind::Link => match readlinkat(folder, name, Vec::new()) {
                Ok(target) => self.archive.link(path, &stat, target.as_bytes())?,
                Err(error) => return Ok(Err(error)),
            },
            FileKind::Other => return Ok(Err(Errno::INVAL)),
        }
        Ok(Ok(()))
    }

    fn leave_out(&mut self, path: &[u8]) -> io::Result<()> {
        if self.left_out.len() < MOST_NAMED {
            self.left_out.push(path.to_vec());
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        if !self.left_out.is_empty() {
            let mut text = b"These could not be read and are not in this archive:\n".to_vec();
            for path in &self.left_out {
                text.extend_from_slice(String::from_utf8_lossy(path).escape_debug().to_string().as_bytes());
                text.push(b'\n');
            }
            let name = [self.top.as_slice(), b"/", LEFT_OUT].concat();
            self.archive.text(&name, &text)?;
        }
        match self.archive {
            Archive::Tar(mut tar) => tar.finish(),
            Archive::Zip(zip) => zip.finish(),
        }
    }
}

impl<W: Write> Archive<W> {
    fn folder(&mut self, path: &[u8], stat: &Stat) -> io::Result<()> {
        match self {
            Self::Tar(tar) => {
                let mut header = header(stat, tar::EntryType::Directory, 0);
                tar.append_data(&mut header, of_bytes(path), io::empty())
            }
            Self::Zip(zip) => zip.folder(path, stat.st_mode, seconds(stat)),
        }
    }

    fn file(&mut self, path: &[u8], stat: &Stat, file: File) -> io::Result<()> {
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        match self {
            Self::Tar(tar) => {
                let mut header = header(stat, tar::EntryType::Regular, size);
                // What is written of it must be as long as was said, whatever becomes of the file.
                let whole = file.take(size).chain(io::repeat(0)).take(size);
                tar.append_data(&mut header, of_bytes(path), whole)
            }
            Self::Zip(zip) => zip.file(path, stat.st_mode, seconds(stat), size, |mut into| {
                io::copy(&mut file.take(size), &mut into).map(drop)
            }),
        }
    }

    fn link(&mut self, path: &[u8], stat: &Stat, target: &[u8]) -> io::Result<()> {
        match self {
            Self::Tar(tar) => {
                let mut header = header(stat, tar::EntryType::Symlink, 0);
                tar.append_link(&mut header, of_bytes(path), of_bytes(target))
            }
            Self::Zip(zip) => {
                let target = target.to_vec();
                let size = target.len() as u64;
                zip.file(path, stat.st_mode, seconds(stat), size, move |into| into.write_all(&target))
            }
        }
    }

    fn text(&mut self, name: &[u8], text: &[u8]) -> io::Result<()> {
        let size = text.len() as u64;
        match self {
            Self::Tar(tar) => {
                let mut header = tar::Header::new_gnu();
                header.set_size(size);
                header.set_mode(0o644);
                tar.append_data(&mut header, of_bytes(name), text)
            }
            Self::Zip(zip) => {
                let text = text.to_vec();
                zip.file(name, 0o100_644, 0, size, move |into| into.write_all(&text))
            }
        }
    }
}

fn header(stat: &Stat, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(stat.st_mode & 0o777);
    header.set_mtime(u64::try_from(seconds(stat)).unwrap_or_default());
    header
}

fn seconds(stat: &Stat) -> i64 {
    stat.st_mtime
}

fn of_bytes(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
