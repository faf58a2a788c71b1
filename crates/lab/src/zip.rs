//! The files of a zip archive that somebody sent: never unpacked as a whole, and never trusted about its sizes.

use crate::files::{FileError, Files, listing};
use crate::path::{LabPath, PathError};
use std::borrow::Cow;
use std::collections::BTreeMap;
use thiserror::Error;

/// A zip archive in memory. Files are unpacked one by one, when they are read.
#[derive(Debug)]
pub struct ZipFiles<'a> {
    bytes: &'a [u8],
    list: Vec<(LabPath, u64)>,
    entries: BTreeMap<LabPath, Entry>,
}

/// Where a file is in the archive.
#[derive(Debug)]
struct Entry {
    header: usize,
    packed: usize,
    size: u64,
    method: u16,
    crc: u32,
}

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZipError {
    /// It is not a zip archive, or it was cut off.
    #[error("not a zip archive, or a part of it is missing ({0})")]
    Broken(&'static str),
    /// It is too big as it is.
    #[error("the archive has {0} bytes; it may have {max}", max = ZipFiles::LARGEST)]
    TooBig(u64),
    /// What is in it is too much.
    #[error(transparent)]
    TooMuch(#[from] crate::files::TooMuch),
    /// The name of a file leads elsewhere.
    #[error("the archive names a file that a lab may not have")]
    Path(#[source] PathError),
    /// The name of a file is not text.
    #[error("the archive has a file whose name is not UTF-8, after {0:?}")]
    Name(String),
    /// A file is there twice.
    #[error("the archive has {0} twice")]
    Twice(LabPath),
    /// A file is a link.
    #[error("{0} in the archive is a link or a device; only files and folders are taken")]
    Link(LabPath),
    /// A file is encrypted.
    #[error("{0} in the archive is encrypted")]
    Encrypted(LabPath),
    /// A file is packed in an unusual way.
    #[error("{path} in the archive is packed by method {method}; only 0 (stored) and 8 (deflate) are taken")]
    Method {
        /// The file.
        path: LabPath,
        /// The method's number.
        method: u16,
    },
}

const END: u32 = 0x0605_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;

impl<'a> ZipFiles<'a> {
    /// The most bytes that an archive may have.
    pub const LARGEST: u64 = 128 << 20;

    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// If it is no zip archive, holds too much, or names something that a lab may not have.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ZipError> {
        if bytes.len() as u64 > Self::LARGEST {
            return Err(ZipError::TooBig(bytes.len() as u64));
        }
        let (count, mut at) = directory(bytes)?;
        let mut entries = BTreeMap::new();
        let mut last = String::new();
        for _ in 0..count {
            let (named, entry, next) = central(bytes, at, &last)?;
            at = next;
            last = named.clone();
            let path = LabPath::parse(named.trim_end_matches('/')).map_err(ZipError::Path)?;
            if let Some(entry) = entry.of(&path, named.ends_with('/'))?
                && entries.insert(path.clone(), entry).is_some()
            {
                return Err(ZipError::Twice(path));
            }
        }
        let list = listing(entries.iter().map(|(path, entry)| (path.clone(), entry.size)).collect())?;
        Ok(Self { bytes, list, entries })
    }
}

impl Files for ZipFiles<'_> {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        let entry = self.entries.get(path).ok_or(FileError::Missing)?;
        if entry.size > most {
            return Err(FileError::TooBig { most });
        }
        let broken = || FileError::Read("its entry in the archive is broken".to_owned());
        let packed = packed(self.bytes, entry).ok_or_else(broken)?;
        let content = if entry.method == 0 {
            Cow::Borrowed(packed)
        } else {
            let size = usize::try_from(entry.size).map_err(|_| broken())?;
            Cow::Owned(miniz_oxide::inflate::decompress_to_vec_with_limit(packed, size).map_err(|_| broken())?)
        };
        if content.len() as u64 != entry.size || crc32(&content) != entry.crc {
            return Err(broken());
        }
        Ok(content)
    }
}

/// How many entries there are, and where the first begins.
fn directory(bytes: &[u8]) -> Result<(usize, usize), ZipError> {
    // The end of the directory is followed by a comment of at most 64 KiB.
    let first = bytes.len().saturating_sub(22 + 0xFFFF);
    let end = (first..bytes.len().saturating_sub(21))
        .rev()
        .find(|at| u32_at(bytes, *at) == Some(END))
        .ok_or(ZipError::Broken("its directory"))?;
    let count = u16_at(bytes, end + 10).ok_or(ZipError::Broken("the end of its directory"))?;
    let start = u32_at(bytes, end + 16).ok_or(ZipError::Broken("the end of its directory"))?;
    // Archives of more files or bytes than these fields hold are more than a lab may have.
    if count == u16::MAX || start == u32::MAX {
        return Err(crate::files::TooMuch::Files(usize::from(count)).into());
    }
    Ok((usize::from(count), start as usize))
}

/// An entry of the directory, before its name was looked at.
struct Listed {
    entry: Entry,
    flags: u16,
    mode: u32,
}

impl Listed {
    /// The file that it is; none if it is a folder.
    fn of(self, path: &LabPath, is_folder: bool) -> Result<Option<Entry>, ZipError> {
        const KIND: u32 = 0o170_000;
        const FILE: u32 = 0o100_000;
        const FOLDER: u32 = 0o040_000;
        if ![0, FILE, FOLDER].contains(&(self.mode & KIND)) {
            return Err(ZipError::Link(path.clone()));
        }
        if is_folder || self.mode & KIND == FOLDER || *path == LabPath::root() {
            return Ok(None);
        }
        if self.flags & 1 != 0 {
            return Err(ZipError::Encrypted(path.clone()));
        }
        if ![0, 8].contains(&self.entry.method) {
            return Err(ZipError::Method { path: path.clone(), method: self.entry.method });
        }
        Ok(Some(self.entry))
    }
}

/// The name and the entry that begin at `at`, and where the next one does.
fn central(bytes: &[u8], at: usize, last: &str) -> Result<(String, Listed, usize), ZipError> {
    const FIXED: usize = 46;
    let cut = || ZipError::Broken("an entry of its directory");
    if u32_at(bytes, at) != Some(CENTRAL) {
        return Err(cut());
    }
    let word = |offset| u16_at(bytes, at + offset).ok_or_else(cut);
    let double = |offset| u32_at(bytes, at + offset).ok_or_else(cut);
    let (name, extra, comment) = (usize::from(word(28)?), usize::from(word(30)?), usize::from(word(32)?));
    let text = bytes.get(at + FIXED..at + FIXED + name).ok_or_else(cut)?;
    let text = std::str::from_utf8(text).map_err(|_| ZipError::Name(last.to_owned()))?;
    let entry = Entry {
        header: double(42)? as usize,
        packed: double(20)? as usize,
        size: u64::from(double(24)?),
        method: word(10)?,
        crc: double(16)?,
    };
    // Only archives that were made on Unix tell the kind of a file there.
    let mode = if word(4)? >> 8 == 3 { double(38)? >> 16 } else { 0 };
    Ok((text.to_owned(), Listed { entry, flags: word(8)?, mode }, at + FIXED + name + extra + comment))
}

/// The packed bytes of an entry.
fn packed<'a>(bytes: &'a [u8], entry: &Entry) -> Option<&'a [u8]> {
    let at = entry.header;
    if u32_at(bytes, at)? != LOCAL {
        return None;
    }
    let start = at + 30 + usize::from(u16_at(bytes, at + 26)?) + usize::from(u16_at(bytes, at + 28)?);
    bytes.get(start..start.checked_add(entry.packed)?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// The checksum of zip archives (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut n = 0;
        while n < 256 {
            let mut value = n as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[n] = value;
            n += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ (crc >> 8))
}

#[cfg(test)]
mod tests;
