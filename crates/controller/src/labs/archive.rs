//! Labs as archives: a folder that somebody sends in is taken apart file by file and never trusted about names and sizes;
//! what is handed out is put together as it is sent.

use super::tree::of_hash;
use super::{LabFile, Library, LibraryError, Spooled, Tree};
use crate::spool::{PartFile, room};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures_util::stream::{StreamExt, TryStreamExt, iter, once};
use pierhead_blobs::Pieces;
use pierhead_lab::{FileError, Files, LabPath, Limits, TooMuch, listing};
use pierhead_model::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most bytes of a folder's archive, unpacked: its files, and what a tar archive adds to each.
pub(crate) const LARGEST_TAR: u64 = Limits::LAB.bytes + 2048 * Limits::LAB.files as u64;
/// The longest record that names a file or says something of it, in bytes.
const LONGEST_NAMING: u64 = 64 << 10;
/// How much is read and written at once, in bytes.
const PIECE: usize = 256 * 1024;
/// The size of a block of a tar archive, in bytes.
const BLOCK: u64 = 512;
/// After how many bytes the room is looked at again.
const LOOK_EVERY: u64 = 16 << 20;

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArchiveKind {
    Zip,
    Tar,
}

/// A file that was taken out of an archive.
pub(crate) struct Unpacked {
    pub(crate) file: LabFile,
    /// Where it lies for now; nothing if it is kept already.
    part: Option<PartFile>,
}

/// Files that were taken out of an archive.
#[derive(Default)]
pub(crate) struct UnpackedFiles {
    files: BTreeMap<LabPath, Unpacked>,
    list: Vec<(LabPath, u64)>,
}

/// Where files are put that are taken out of archives.
pub(crate) struct Unpacking {
    spool: PathBuf,
    /// What the names of the files begin with.
    name: String,
    /// What is kept already.
    kept: BTreeSet<Digest>,
    count: u64,
    bytes: u64,
    looked: u64,
}

impl Unpacking {
    pub(crate) fn new(library: &Library, name: String, kept: BTreeSet<Digest>) -> Self {
        Self { spool: library.blobs.spool().to_owned(), name, kept, count: 0, bytes: 0, looked: 0 }
    }

    /// For files that are made of these: they count by themselves, and none is kept already.
    pub(crate) fn again(&self) -> Self {
        let (spool, name) = (self.spool.clone(), format!("{}-made", self.name));
        Self { spool, name, kept: BTreeSet::new(), count: 0, bytes: 0, looked: 0 }
    }

    /// Takes one file: as many bytes as it is said to have, at most those that a file may have.
    pub(crate) fn take(&mut self, mut from: impl Read, size: u64, executable: bool) -> Result<Unpacked, LibraryError> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > Limits::LAB.bytes {
            return Err(LibraryError::Tree(TooMuch::Bytes(self.bytes).into()));
        }
        self.count += 1;
        if self.count > Limits::LAB.files as u64 {
            return Err(LibraryError::Tree(TooMuch::Files(Limits::LAB.files + 1).into()));
        }
        // What fits into memory is written only if it is not kept already.
        if size <= PIECE as u64 {
            let mut content = Vec::with_capacity(size as usize);
            from.take(size).read_to_end(&mut content).map_err(broken)?;
            if content.len() as u64 != size {
                return Err(LibraryError::Interrupted);
            }
            let digest = super::digest_of(&content);
            let is_kept = self.kept.contains(&digest);
            let part = if is_kept { None } else { Some(self.write(&mut content.as_slice())?.0) };
            self.kept.insert(digest.clone());
            return Ok(Unpacked { file: LabFile { digest, bytes: size, executable }, part });
        }
        let (part, digest, bytes) = self.write(&mut from.by_ref().take(size))?;
        if bytes != size {
            return Err(LibraryError::Interrupted);
        }
        let part = self.kept.insert(digest.clone()).then_some(part);
        Ok(Unpacked { file: LabFile { digest, bytes, executable }, part })
    }

    fn write(&mut self, from: &mut dyn Read) -> Result<(PartFile, Digest, u64), LibraryError> {
        let name = format!("{}-{}", self.name, self.count);
        let (mut file, part) = PartFile::make(&self.spool, &name).map_err(LibraryError::spool)?;
        if self.bytes >= self.looked {
            self.looked = self.bytes + LOOK_EVERY;
            room(&file).map_err(LibraryError::spool)?;
        }
        let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
        loop {
            let read = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(error)),
            };
            bytes += read as u64;
            hash.update(&piece[..read]);
            file.write_all(&piece[..read]).map_err(LibraryError::spool)?;
        }
        file.sync_data().map_err(LibraryError::spool)?;
        Ok((part, of_hash(hash.finalize().into()), bytes))
    }
}

impl UnpackedFiles {
    /// These files.
    pub(crate) fn new(files: BTreeMap<LabPath, Unpacked>) -> Result<Self, LibraryError> {
        let list = files.iter().map(|(path, unpacked)| (path.clone(), unpacked.file.bytes)).collect();
        let list = listing(list).map_err(|error| LibraryError::Tree(error.into()))?;
        Ok(Self { files, list })
    }

    /// The list of them.
    pub(crate) fn tree(&self) -> Result<Tree, LibraryError> {
        Ok(Tree::new(self.files.iter().map(|(path, unpacked)| (path.clone(), unpacked.file.clone())).collect())?)
    }

    /// Keeps all of them.
    pub(crate) async fn keep(&self, library: &Library) -> Result<(), LibraryError> {
        let parts = self.files.values().filter_map(|unpacked| Some((unpacked.part.as_ref()?, &unpacked.file.digest)));
        let parts: BTreeMap<_, _> = parts.map(|(part, digest)| (super::name(digest), part.0.clone())).collect();
        let needed = library.blobs.not_young(parts.keys().cloned().collect()).await?;
        let needed = parts.into_iter().filter(|(digest, _)| needed.contains(digest));
        Ok(library.blobs.keep_all(needed.map(|(digest, path)| (path, digest)).collect()).await?)
    }

    pub(crate) fn is_executable(&self, path: &LabPath) -> bool {
        self.files.get(path).is_some_and(|unpacked| unpacked.file.executable)
    }
}

impl Files for UnpackedFiles {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        let unpacked = self.files.get(path).ok_or(FileError::Missing)?;
        if unpacked.file.bytes > most {
            return Err(FileError::TooBig { most });
        }
        let same =
            || self.files.values().find(|other| other.file.digest == unpacked.file.digest && other.part.is_some());
        let part = unpacked.part.as_ref().or_else(|| same()?.part.as_ref()).ok_or(FileError::Missing)?;
        std::fs::read(&part.0).map(Cow::Owned).map_err(|error| FileError::Read(error.to_string()))
    }
}

/// What an archive is, by how it begins.
pub(crate) fn kind(path: &Path) -> Result<ArchiveKind, LibraryError> {
    let mut begin = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read(&mut begin)).map_err(LibraryError::spool)?;
    Ok(if begin[..read].starts_with(b"PK") { ArchiveKind::Zip } else { ArchiveKind::Tar })
}

/// Takes a tar archive apart, compressed by gzip or not. To be called where blocking does no harm.
pub(crate) fn unpacked(archive: &Spooled, unpacking: &mut Unpacking) -> Result<UnpackedFiles, LibraryError> {
    if archive.bytes == 0 {
        return Err(LibraryError::Malformed("the archive is empty".to_owned()));
    }
    let file = File::open(archive.path()).map_err(LibraryError::spool)?;
    let mut begin = [0; 2];
    let mut beginning = file.try_clone().map_err(LibraryError::spool)?;
    let is_packed = beginning.read(&mut begin).map_err(LibraryError::spool)? == 2 && begin == [0x1f, 0x8b];
    drop(beginning);
    let file = File::open(archive.path()).map_err(LibraryError::spool)?;
    let file = BufReader::with_capacity(PIECE, file);
    if is_packed {
        untar(Bounded { from: MultiGzDecoder::new(file), left: LARGEST_TAR }, unpacking)
    } else {
        untar(Bounded { from: file, left: LARGEST_TAR }, unpacking)
    }
}

/// Reads so much and no more; what follows is an error, not an end.
struct Bounded<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

fn untar(from: impl Read, unpacking: &mut Unpacking) -> Result<UnpackedFiles, LibraryError> {
    let mut archive = tar::Archive::new(from);
    let mut files = BTreeMap::new();
    // The name that the record before a file gives it.
    let mut named: Option<Vec<u8>> = None;
    // Raw: names are read here, within bounds.
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            let text = naming(&mut entry)?;
            named = if kind.is_gnu_longname() { Some(text) } else { path_of_pax(&text)?.or(named) };
            continue;
        }
        if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
            continue;
        }
        let name = named.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let path = path_of(&name)?;
        if kind.is_dir() || path == LabPath::root() || is_of_version_control(&path) {
            continue;
        }
        if !kind.is_file() && !kind.is_contiguous() {
            let message = format!("{path} in the archive is a link or a device; only files and folders are taken");
            return Err(LibraryError::Malformed(message));
        }
        let size = entry.header().entry_size().map_err(broken)?;
        if size > Limits::LAB.file_bytes {
            return Err(LibraryError::Tree(TooMuch::File { path, bytes: size }.into()));
        }
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
        let unpacked = unpacking.take(&mut entry, size, executable)?;
        if files.insert(path.clone(), unpacked).is_some() {
            return Err(LibraryError::Malformed(format!("the archive has {path} twice")));
        }
    }
    UnpackedFiles::new(files)
}

/// A record that says something of the next file.
fn naming(entry: &mut impl Read) -> Result<Vec<u8>, LibraryError> {
    let mut text = Vec::new();
    entry.by_ref().take(LONGEST_NAMING + 1).read_to_end(&mut text).map_err(broken)?;
    if text.len() as u64 > LONGEST_NAMING {
        return Err(LibraryError::Malformed("the archive has a name of more than 64 KiB".to_owned()));
    }
    while text.last() == Some(&0) {
        text.pop();
    }
    Ok(text)
}

/// The path in a record of the form `LENGTH path=VALUE`.
fn path_of_pax(text: &[u8]) -> Result<Option<Vec<u8>>, LibraryError> {
    let wrong = || LibraryError::Malformed("the archive has a record of names that can't be read".to_owned());
    let (mut rest, mut path) = (text, None);
    while !rest.is_empty() {
        let blank = rest.iter().position(|byte| *byte == b' ').ok_or_else(wrong)?;
        let length: usize =
            std::str::from_utf8(&rest[..blank]).ok().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let record = rest.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(wrong)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            path = Some(value.to_vec());
        }
        rest = &rest[length..];
    }
    Ok(path)
}

fn path_of(name: &[u8]) -> Result<LabPath, LibraryError> {
    let shown = || String::from_utf8_lossy(&name[..name.len().min(80)]).into_owned();
    let text = std::str::from_utf8(name)
        .map_err(|_| LibraryError::Malformed(format!("the name {:?} in the archive is not UTF-8", shown())))?;
    Ok(LabPath::parse(text.trim_end_matches('/'))?)
}

/// What a version control keeps is no part of a lab.
fn is_of_version_control(path: &LabPath) -> bool {
    path.as_str().split('/').any(|part| part == ".git")
}

/// What comes broke off, or can't be unpacked.
fn broken(error: io::Error) -> LibraryError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => LibraryError::Interrupted,
        io::ErrorKind::FileTooLarge => {
            LibraryError::TooLarge { what: "the archive of a lab, unpacked,", most_bytes: LARGEST_TAR }
        }
        _ => LibraryError::Malformed(format!("the archive can't be unpacked ({error})")),
    }
}

/// A lab as an archive that is being sent.
pub(crate) struct LabArchive;

impl LabArchive {
    /// The files of a lab as a tar archive.
    pub(crate) fn pieces(library: Arc<Library>, tree: Arc<Tree>, at: Timestamp) -> Pieces {
        let files: Vec<(LabPath, LabFile)> =
            tree.files.iter().map(|(path, file)| (path.clone(), file.clone())).collect();
        let one = move |(path, file): (LabPath, LabFile)| {
            let padding = (BLOCK - file.bytes % BLOCK) % BLOCK;
            let head = once(std::future::ready(head(&path, &file, at)));
            let padding = once(std::future::ready(Ok(Bytes::from(vec![0; padding as usize]))));
            head.chain(library.pieces(&file)).chain(padding).boxed()
        };
        let end = once(std::future::ready(Ok(Bytes::from_static(&[0; 2 * BLOCK as usize]))));
        iter(files).map(one).flatten().chain(end).try_filter(|piece| std::future::ready(!piece.is_empty())).boxed()
    }
}

fn head(path: &LabPath, file: &LabFile, at: Timestamp) -> io::Result<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_size(file.bytes);
    header.set_mode(if file.executable { 0o755 } else { 0o644 });
    header.set_mtime(at.0 / 1000);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, path.as_str(), io::empty())?;
    // Without the end mark: what follows is the file.
    Ok(Bytes::from(std::mem::take(builder.get_mut())))
}

#[cfg(test)]
mod tests;
