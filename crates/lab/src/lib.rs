//! Lab documents: what a lab is, how it is read from a folder, rendered for a page and written back.
//!
//! Pure: it reads no file, clock or network by itself. Whoever uses it hands over the files ([`Files`]), of a directory,
//! an archive or memory alike. It never runs anything of a document, and never trusts one: every size is bounded, and
//! what it renders holds nothing that a browser would run.

mod files;
pub mod import;
mod model;
mod path;
pub mod spell;

pub use files::{FileError, Files, Folder, Limits, MemoryFiles};
pub use model::*;
pub use path::{LabPath, PathError};
