//! What `lab` commands are given: a folder, a zip archive, or one file.

use super::directory::Directory;
use crate::CliError;
use pierhead_lab::{Files, LabPath, MemoryFiles, Problems, Report, ZipFiles};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Where a lab lies.
pub(super) struct Source {
    name: String,
    lies: Lies,
    problems: Problems,
}

enum Lies {
    Folder(Directory),
    Archive(Vec<u8>),
    File(MemoryFiles),
}

/// What came of opening it.
pub(super) enum Opened {
    /// It can be read.
    Source(Source),
    /// It is no lab, and this says why.
    Refused(Report),
}

impl Source {
    /// Opens what lies at a path.
    pub(super) fn open(path: &Path) -> Result<Opened, CliError> {
        let refused = |source| CliError::ReadFile { path: path.to_owned(), source };
        let whole = path.canonicalize().map_err(refused)?;
        let named = whole.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut problems = Problems::default();
        if whole.is_dir() {
            let name = if named.is_empty() { "/".to_owned() } else { named };
            return Ok(match Directory::open(&whole, &posts(&whole), &mut problems)? {
                Ok(folder) => Opened::Source(Self { name, lies: Lies::Folder(folder), problems }),
                Err(error) => Opened::Refused(Report::refused(&name, error.to_string())),
            });
        }
        // Looked at before anything is read: an archive may be larger than the memory.
        let bytes = fs::metadata(&whole).map_err(refused)?.len();
        if bytes > ZipFiles::LARGEST {
            let message = format!("it has {bytes} bytes; it may have {}", ZipFiles::LARGEST);
            return Ok(Opened::Refused(Report::refused(&named, message)));
        }
        let mut content = Vec::new();
        File::open(&whole).and_then(|file| file.take(ZipFiles::LARGEST).read_to_end(&mut content)).map_err(refused)?;
        if content.starts_with(b"PK") || whole.extension().is_some_and(|extension| extension == "zip") {
            return Ok(match ZipFiles::open(&content) {
                Ok(_) => Opened::Source(Self { name: named, lies: Lies::Archive(content), problems }),
                Err(error) => Opened::Refused(Report::refused(&named, said(&error))),
            });
        }
        let folder = whole.parent().map_or_else(LabPath::root, posts);
        let files = folder.resolve(&named).map(|path| MemoryFiles::new(BTreeMap::from([(path, content)])));
        Ok(match files {
            Ok(Ok(files)) => Opened::Source(Self { name: named, lies: Lies::File(files), problems }),
            Ok(Err(error)) => Opened::Refused(Report::refused(&named, error.to_string())),
            Err(error) => Opened::Refused(Report::refused(&named, error.to_string())),
        })
    }

    /// Hands its files over, with its name and what was wrong so far.
    pub(super) fn with_files<T>(self, then: impl FnOnce(&dyn Files, &str, Problems) -> T) -> T {
        let Self { name, lies, problems } = self;
        match lies {
            Lies::Folder(files) => then(&files, &name, problems),
            Lies::File(files) => then(&files, &name, problems),
            Lies::Archive(bytes) => match ZipFiles::open(&bytes) {
                Ok(files) => then(&files, &name, problems),
                // It was opened before; nothing changed since.
                Err(_) => then(&MemoryFiles::default(), &name, problems),
            },
        }
    }
}

/// What is put before the paths of files: posts are known by the name of their folder.
fn posts(folder: &Path) -> LabPath {
    let name = folder.file_name().and_then(|name| name.to_str()).filter(|name| *name == "_posts");
    name.and_then(|name| LabPath::parse(name).ok()).unwrap_or_default()
}

/// An error with what led to it.
fn said(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        said = format!("{said}: {source}");
        cause = source.source();
    }
    said
}
