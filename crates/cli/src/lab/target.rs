//! Where imported labs are written: all of them, or nothing.

use crate::CliError;
use pierhead_lab::{Files, Folder, ImageTable, Limits, Problems, Written, find, with_lab, write as written_files};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Refuses a target that is there already, unless it is an empty folder.
pub(super) fn must_be_free(target: &Path) -> Result<(), CliError> {
    let is_free = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(());
    }
    let message = format!("{} is there already", target.display());
    Err(CliError::usage(message, "name a folder that is not there yet, or an empty one"))
}

/// Writes every lab that can be read and gives the folders; if anything fails nothing is left behind.
pub(super) fn write(files: &dyn Files, images: &ImageTable, target: &Path) -> Result<Vec<PathBuf>, CliError> {
    let name = target.file_name().map_or_else(|| "lab".to_owned(), |name| name.to_string_lossy().into_owned());
    let unfinished = target.with_file_name(format!(".{name}.unfinished"));
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::WriteFile { path, source }
    };
    fs::create_dir(&unfinished).map_err(refused(&unfinished))?;
    let done = write_into(files, images, &unfinished).and_then(|below| {
        if below.is_empty() {
            return fs::remove_dir_all(&unfinished).map(|()| below).map_err(refused(&unfinished));
        }
        if target.exists() {
            fs::remove_dir(target).map_err(refused(target))?;
        }
        fs::rename(&unfinished, target).map_err(refused(target))?;
        Ok(below)
    });
    match done {
        Ok(below) => Ok(below.iter().map(|folder| target.join(folder)).collect()),
        Err(error) => {
            // The error that is told is the first one.
            let _left = fs::remove_dir_all(&unfinished);
            Err(error)
        }
    }
}

/// Writes the labs into a folder and gives the folder of each in it.
fn write_into(files: &dyn Files, images: &ImageTable, root: &Path) -> Result<Vec<PathBuf>, CliError> {
    let folder = Folder::new(files);
    // They were told by the check.
    let mut known = Problems::default();
    let places = find(&folder, &mut known);
    let mut taken = BTreeSet::new();
    let mut below = Vec::new();
    for place in &places {
        let name = if places.len() == 1 { PathBuf::new() } else { free_name(place.path.name(), &mut taken) };
        let to = root.join(&name);
        let written = with_lab(&folder, place, images, &mut known, |lab, folder, problems| {
            write_lab(&written_files(lab, folder, problems), folder, &to)
        });
        if let Some(written) = written {
            written?;
            below.push(name);
        }
    }
    Ok(below)
}

fn free_name(name: &str, taken: &mut BTreeSet<String>) -> PathBuf {
    let stem = name.trim_end_matches(".markdown").trim_end_matches(".md");
    let stem = if stem.is_empty() { "lab" } else { stem };
    let mut name = stem.to_owned();
    let mut number = 1;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{stem}-{number}");
    }
    PathBuf::from(name)
}

fn write_lab(
    files: &std::collections::BTreeMap<pierhead_lab::LabPath, Written>,
    folder: &Folder<'_>,
    to: &Path,
) -> Result<(), CliError> {
    fs::create_dir_all(to).map_err(|source| CliError::WriteFile { path: to.to_owned(), source })?;
    for (path, content) in files {
        let file = to.join(path.as_str());
        let refused = |source| CliError::WriteFile { path: file.clone(), source };
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(refused)?;
        }
        match content {
            Written::Text(text) => fs::write(&file, text).map_err(refused)?,
            Written::Copy(from) => {
                let read = folder.files().read(from, Limits::LAB.file_bytes);
                let bytes = read.map_err(|error| refused(io::Error::other(format!("{from}: {error}"))))?;
                fs::write(&file, bytes).map_err(refused)?;
            }
        }
    }
    Ok(())
}
