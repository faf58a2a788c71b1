//! Labs of other platforms: finds them in a folder and reads them into [`Lab`]. Nothing of them is ever run.

use crate::files::Folder;
use crate::model::{Format, ImageTable, Lab, Problems};
use crate::path::LabPath;

/// A lab that was found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file or folder that it is: for Katacoda the folder with `index.json`, for a post its file.
    pub path: LabPath,
    /// Its format.
    pub format: Format,
}

/// The labs of other platforms in a folder, in the order that its course files give them, else in that of their paths.
#[must_use]
pub fn find(_folder: &Folder<'_>) -> Vec<Place> {
    Vec::new()
}

/// Reads one lab. What can't be resolved is a problem, and the rest is read; none only if nothing could be.
pub fn read(
    _folder: &Folder<'_>,
    _place: &Place,
    _images: &ImageTable,
    _problems: &mut Problems,
) -> Option<Lab> {
    None
}
