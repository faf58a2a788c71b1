//! Our own format: a folder with `lab.yaml` and Markdown steps. docs/labs.md describes it for authors.

mod document;
mod front;
mod lab;
mod names;
mod scripts;
mod steps;
mod write;

pub use lab::read;
pub(crate) use names::{is_name, is_variable, mode_of, slug};
pub use write::{Written, write};

use crate::files::Folder;
use crate::model::{Problems, Step};
use crate::path::LabPath;

/// The file that makes a folder a lab.
pub const LAB_FILE: &str = "lab.yaml";

/// The text of a Markdown file after its head, with the line where it begins.
pub(crate) fn split_head(text: &str) -> (u32, &str) {
    let parts = front::split(text);
    (parts.line, parts.body)
}

/// The step that a file of a lab is, or the page of one in another language; none if it can't be read.
pub fn read_step(folder: &Folder<'_>, path: &LabPath, problems: &mut Problems) -> Option<Step> {
    steps::read(folder, path, (path, 1), &[], problems)
}

/// Whether a file makes its folder a lab of our own format.
pub(crate) fn is_lab_file(path: &LabPath) -> bool {
    path.name() == LAB_FILE
}

#[cfg(test)]
mod tests;
