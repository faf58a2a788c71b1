//! The files of a folder on this machine. A link counts as the file that it leads to, if that lies in the folder.

use crate::CliError;
use pierhead_lab::{FileError, Files, LabPath, Limits, Problems, TooMuch, listing};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The deepest folders that are looked into.
const DEEPEST: usize = 32;

/// A folder.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    prefix: LabPath,
    list: Vec<(LabPath, u64)>,
}

impl Directory {
    /// Lists a folder. What is no file, has a name that is no text or leads out of the folder is a problem, and is left
    /// out. `prefix` is put before the path of each file.
    pub(super) fn open(
        root: &Path,
        prefix: &LabPath,
        problems: &mut Problems,
    ) -> Result<Result<Self, TooMuch>, CliError> {
        let root = root.canonicalize().map_err(|source| refused(root, source))?;
        let mut walk = Walk { root: &root, prefix, list: Vec::new(), problems };
        walk.folder(&root, &LabPath::root(), 0)?;
        let list = listing(walk.list);
        Ok(list.map(|list| Self { root, prefix: prefix.clone(), list }))
    }
}

struct Walk<'a> {
    root: &'a Path,
    prefix: &'a LabPath,
    list: Vec<(LabPath, u64)>,
    problems: &'a mut Problems,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, below: &LabPath, depth: usize) -> Result<(), CliError> {
        if depth > DEEPEST {
            self.problems.error(below, 1, format!("folders lie more than {DEEPEST} deep in one another"));
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(|source| refused(folder, source))? {
            entries.push(entry.map_err(|source| refused(folder, source))?);
            if self.list.len() + entries.len() > Limits::LAB.files {
                break;
            }
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // What a version control keeps is no part of a lab.
            if entry.file_name() != ".git" && self.list.len() <= Limits::LAB.files {
                self.entry(&entry.path(), entry.file_name().to_str(), below, depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, at: &Path, name: Option<&str>, below: &LabPath, depth: usize) -> Result<(), CliError> {
        let Some(name) = name else {
            self.problems.error(below, 1, format!("{} has a name that is not UTF-8", at.to_string_lossy()));
            return Ok(());
        };
        let path = match below.resolve(name) {
            Ok(path) => path,
            Err(error) => {
                self.problems.error(below, 1, error.to_string());
                return Ok(());
            }
        };
        let kind = fs::symlink_metadata(at).map_err(|source| refused(at, source))?;
        if kind.is_dir() {
            return self.folder(at, &path, depth + 1);
        }
        let file = if kind.is_symlink() { self.behind(at, &path) } else { Some(kind) };
        match file {
            Some(file) if file.is_file() => match self.prefix.resolve(path.as_str()) {
                Ok(path) => self.list.push((path, file.len())),
                Err(error) => self.problems.error(&path, 1, error.to_string()),
            },
            Some(_) => self.problems.error(&path, 1, "neither a file nor a folder"),
            None => {}
        }
        Ok(())
    }

    /// The file that a link leads to, if it lies in the folder.
    fn behind(&mut self, link: &Path, path: &LabPath) -> Option<fs::Metadata> {
        let file = link.canonicalize().ok().filter(|target| target.starts_with(self.root));
        let Some(file) = file.and_then(|target| fs::metadata(target).ok()) else {
            self.problems.error(path, 1, "a link that leads out of the lab's folder, or nowhere");
            return None;
        };
        if file.is_dir() {
            self.problems.error(path, 1, "a link to a folder; only links to files are followed");
            return None;
        }
        Some(file)
    }
}

impl Directory {
    /// Whether it has a file of that path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.list.iter().any(|(listed, _)| listed.as_str() == path)
    }

    /// Where a file lies.
    pub(super) fn place(&self, path: &LabPath) -> PathBuf {
        let below = path.below(&self.prefix).unwrap_or_else(|| path.clone());
        self.root.join(below.as_str())
    }
}

impl Files for Directory {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        let there = self.list.binary_search_by(|(listed, _)| listed.cmp(path)).is_ok();
        let below = path.below(&self.prefix).filter(|_| there).ok_or(FileError::Missing)?;
        let wrong = |error: io::Error| FileError::Read(error.to_string());
        // Asked anew: the folder may have changed since it was listed.
        let file = self.root.join(below.as_str()).canonicalize().map_err(wrong)?;
        if !file.starts_with(&self.root) {
            return Err(FileError::Missing);
        }
        let mut bytes = Vec::new();
        File::open(file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(wrong)?;
        if bytes.len() as u64 > most { Err(FileError::TooBig { most }) } else { Ok(Cow::Owned(bytes)) }
    }
}

fn refused(path: &Path, source: io::Error) -> CliError {
    CliError::ReadFile { path: path.to_owned(), source }
}
