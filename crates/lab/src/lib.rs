//! Lab documents: what a lab is, how it is read from a folder, rendered for a page and written back.
//!
//! Pure: it reads no file, clock or network by itself. Whoever uses it hands over the files ([`Files`]), of a directory,
//! an archive or memory alike. It never runs anything of a document, and never trusts one: every size is bounded, and
//! what it renders holds nothing that a browser would run.

mod check;
mod files;
mod glob;
pub mod grading;
mod grammar;
pub mod import;
mod model;
mod natural;
mod own;
mod path;
pub mod progress;
mod render;
pub mod spell;
pub mod stuck;
mod variables;
mod yaml;
mod zip;

pub use check::{check, check_lab, find, with_lab};
pub use files::{FileError, Files, Folder, Limits, MemoryFiles, SubFiles, TooMuch, listing};
pub use import::Place;
pub use model::*;
pub use own::{LAB_FILE, Written, read_step, write};
pub use path::{LabPath, PathError};
pub use render::{LONGEST_PAGE, Rendered, RenderedBlock, RenderedPage, RenderedQuiz, Renderer};
pub use variables::{Values, fill, values};
pub use zip::{ZipError, ZipFiles};
