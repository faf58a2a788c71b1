//! The files of a lab, wherever they lie, read within bounds.

use crate::model::Problems;
use crate::path::LabPath;
use std::borrow::Cow;
use std::collections::BTreeMap;
use thiserror::Error;

/// Where the files of a lab lie. It gives regular files only: nothing that a link leads to outside of the folder.
pub trait Files {
    /// Every file with its size in bytes, in the order of their paths.
    fn list(&self) -> &[(LabPath, u64)];

    /// What is in a file.
    ///
    /// # Errors
    /// If there is no such file, it has more than `most` bytes, or it can't be read.
    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError>;
}

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// It is too big.
    #[error("the file has more than {most} bytes")]
    TooBig {
        /// The most that it may have.
        most: u64,
    },
    /// It can't be read.
    #[error("the file can't be read: {0}")]
    Read(String),
}

/// The most that a lab may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Bytes of one file, such as an image.
    pub file_bytes: u64,
    /// Bytes of a file with text.
    pub text_bytes: u64,
    /// Bytes of all texts together.
    pub texts_bytes: u64,
    /// Steps.
    pub steps: usize,
}

impl Limits {
    /// What every lab may hold.
    pub const LAB: Self = Self {
        files: 50_000,
        bytes: 512 << 20,
        file_bytes: 32 << 20,
        text_bytes: 1 << 20,
        texts_bytes: 64 << 20,
        steps: 20_000,
    };
}

/// More than a lab may hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// Too many files.
    #[error("there are {0} files; a lab may have {max}", max = Limits::LAB.files)]
    Files(usize),
    /// Too many bytes.
    #[error("the files have {0} bytes together; a lab may have {max}", max = Limits::LAB.bytes)]
    Bytes(u64),
    /// One file is too big.
    #[error("{path} has {bytes} bytes; a file of a lab may have {max}", max = Limits::LAB.file_bytes)]
    File {
        /// The file.
        path: LabPath,
        /// Its size.
        bytes: u64,
    },
}

/// A listing in its order, if it is not more than a lab may hold.
///
/// # Errors
/// If there are too many files, too many bytes, or a file is too big.
pub fn listing(mut files: Vec<(LabPath, u64)>) -> Result<Vec<(LabPath, u64)>, TooMuch> {
    if files.len() > Limits::LAB.files {
        return Err(TooMuch::Files(files.len()));
    }
    if let Some((path, bytes)) = files.iter().find(|(_, bytes)| *bytes > Limits::LAB.file_bytes) {
        return Err(TooMuch::File { path: path.clone(), bytes: *bytes });
    }
    let bytes = files.iter().fold(0, |sum: u64, (_, bytes)| sum.saturating_add(*bytes));
    if bytes > Limits::LAB.bytes {
        return Err(TooMuch::Bytes(bytes));
    }
    files.sort();
    Ok(files)
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    list: Vec<(LabPath, u64)>,
    contents: BTreeMap<LabPath, Vec<u8>>,
}

impl MemoryFiles {
    /// These files.
    ///
    /// # Errors
    /// If they are more than a lab may hold.
    pub fn new(contents: BTreeMap<LabPath, Vec<u8>>) -> Result<Self, TooMuch> {
        let list = contents.iter().map(|(path, content)| (path.clone(), content.len() as u64)).collect();
        Ok(Self { list: listing(list)?, contents })
    }
}

impl Files for MemoryFiles {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        let content = self.contents.get(path).ok_or(FileError::Missing)?;
        if content.len() as u64 > most { Err(FileError::TooBig { most }) } else { Ok(Cow::Borrowed(content)) }
    }
}

/// A folder inside a folder, as if it were the whole: nothing outside of it can be named.
pub struct SubFiles<'a> {
    files: &'a dyn Files,
    base: LabPath,
    list: Vec<(LabPath, u64)>,
}

impl<'a> SubFiles<'a> {
    /// The files of `files` below `base`.
    #[must_use]
    pub fn new(files: &'a dyn Files, base: &LabPath) -> Self {
        let below = |path: &LabPath| path.below(base);
        let list = files.list().iter().filter_map(|(path, bytes)| Some((below(path)?, *bytes))).collect();
        Self { files, base: base.clone(), list }
    }
}

impl Files for SubFiles<'_> {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        self.files.read(&self.base.resolve(path.as_str()).map_err(|_| FileError::Missing)?, most)
    }
}

/// The folder of a lab, or of several: what readers of all formats read from.
pub struct Folder<'a> {
    files: &'a dyn Files,
    texts_left: std::cell::Cell<u64>,
}

impl<'a> Folder<'a> {
    /// The folder with these files.
    #[must_use]
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, texts_left: std::cell::Cell::new(Limits::LAB.texts_bytes) }
    }

    /// Every file with its size in bytes, in the order of their paths.
    #[must_use]
    pub fn list(&self) -> &'a [(LabPath, u64)] {
        self.files.list()
    }

    /// Reads from files that are a part of these, against the same bound on all texts together.
    pub(crate) fn with_part<T>(&self, part: &dyn Files, then: impl FnOnce(&Folder<'_>) -> T) -> T {
        let below = Folder { files: part, texts_left: self.texts_left.clone() };
        let made = then(&below);
        self.texts_left.set(below.texts_left.get());
        made
    }

    /// Where the files lie.
    #[must_use]
    pub fn files(&self) -> &'a dyn Files {
        self.files
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn has(&self, path: &LabPath) -> bool {
        self.files.list().binary_search_by(|(listed, _)| listed.cmp(path)).is_ok()
    }

    /// The text of a file, without the mark of its byte order and with `\n` at the end of each line; none, and a problem
    /// that names the place, if there is no such file, it is too big, or it is not UTF-8.
    ///
    /// `from` is the file and line that refers to it, for the problem of a file that is missing.
    pub fn text(&self, path: &LabPath, from: (&LabPath, u32), problems: &mut Problems) -> Option<String> {
        let most = Limits::LAB.text_bytes.min(self.texts_left.get());
        match self.files.read(path, most) {
            Ok(bytes) => {
                self.texts_left.set(self.texts_left.get().saturating_sub(bytes.len() as u64));
                match decode(&bytes) {
                    Ok(text) => return Some(text),
                    Err((line, message)) => problems.error(path, line, message),
                }
            }
            Err(FileError::Missing) => problems.error(from.0, from.1, format!("there is no file {path}")),
            Err(error @ FileError::TooBig { .. }) if most == Limits::LAB.text_bytes => {
                problems.error(path, 1, error.to_string());
            }
            Err(FileError::TooBig { .. }) => {
                let message = format!("the texts have more than {} bytes together", Limits::LAB.texts_bytes);
                problems.error(path, 1, message);
            }
            Err(error) => problems.error(path, 1, error.to_string()),
        }
        None
    }
}

/// Text out of bytes, or the line and what is wrong there.
fn decode(bytes: &[u8]) -> Result<String, (u32, String)> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err((1, "the file is UTF-16; it must be UTF-8".to_owned()));
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let line_at = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u32;
    let text = std::str::from_utf8(bytes)
        .map_err(|error| (line_at(error.valid_up_to()), "the file is not UTF-8 here".to_owned()))?;
    if let Some(at) = text.find('\0') {
        return Err((line_at(at), "a zero byte; the file must be text".to_owned()));
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests;
