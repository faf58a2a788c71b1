//! Labs of other platforms: finds them in a folder and reads them into [`Lab`]. Nothing of them is ever run.
//!
//! What can't be resolved or has nothing here is a problem with its file and line; the rest is read nevertheless. All
//! paths in a lab that was read here are from the root of the folder, since labs refer to what they share with others.

mod course;
mod educates;
mod foreign;
mod images;
mod iximiuz;
mod katacoda;
mod markdown;
mod node;
mod page;
mod play_with_docker;
mod scripts;
mod spans;
#[cfg(test)]
mod tests;

use crate::files::Folder;
use crate::model::{Format, ImageTable, Lab, Problems};
use crate::path::LabPath;
use std::collections::BTreeSet;

/// A lab that was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file or folder that it is: for Katacoda the folder with `index.json`, for a post its file.
    pub path: LabPath,
    /// Its format.
    pub format: Format,
}

/// The labs of other platforms in a folder, in the order that its course files give them, else in that of their paths.
/// What course files name and is not there is a problem.
#[must_use]
pub fn find(folder: &Folder<'_>, problems: &mut Problems) -> Vec<Place> {
    let mut found = BTreeSet::new();
    for (path, _) in folder.list() {
        if !is_hidden(path) {
            found.extend(place(folder, path));
        }
    }
    let mut places: Vec<Place> = found.into_iter().map(|(path, format)| Place { path, format }).collect();
    course::sort(folder, &mut places, problems);
    places
}

/// Reads one lab. What can't be resolved is a problem, and the rest is read; none only if nothing could be.
pub fn read(folder: &Folder<'_>, place: &Place, images: &ImageTable, problems: &mut Problems) -> Option<Lab> {
    match place.format {
        Format::Pierhead => None,
        Format::Katacoda => katacoda::read(folder, &place.path, images, problems),
        Format::PlayWithDocker => play_with_docker::read(folder, &place.path, images, problems),
        Format::Educates => educates::read(folder, &place.path, images, problems),
        Format::Iximiuz => iximiuz::read(folder, &place.path, images, problems),
    }
}

/// The lab that a file is the mark of.
fn place(folder: &Folder<'_>, path: &LabPath) -> Option<(LabPath, Format)> {
    // Whether a file can be read is asked anew when its lab is read.
    let text = || folder.text(path, (path, 1), &mut Problems::default());
    if path.name() == katacoda::INDEX {
        return text().is_none_or(|text| katacoda::is_index(&text)).then(|| (path.parent(), Format::Katacoda));
    }
    if play_with_docker::is_post(path) {
        return Some((path.clone(), Format::PlayWithDocker));
    }
    if let Some(workshop) = educates::workshop_of(path) {
        return Some((workshop, Format::Educates));
    }
    if iximiuz::may_be_index(path) {
        return iximiuz::is_lab(&text()?).then(|| (path.parent(), Format::Iximiuz));
    }
    None
}

/// Whether a file lies in a folder that tools keep for themselves.
fn is_hidden(path: &LabPath) -> bool {
    path.as_str().split('/').any(|part| part.starts_with('.') || part == "node_modules")
}
