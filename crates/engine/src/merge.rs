//! Several layers of an image as one, and what layers change: on files of the kind that engines save.
//!
//! A layer is a tar file with the marks that the image specification of the OCI defines: `.wh.NAME` hides what lies
//! below under that name, `.wh..wh..opq` hides all that lies below in its folder. Entries that stay are copied byte by
//! byte, so that owners, extended attributes, moments and names that are no text come out as they went in; only a hard
//! link whose first name is gone gets heads of our own. Nothing here asks an engine.

mod archive;
mod changes;
mod compose;
mod head;
mod item;
mod plan;
mod tree;
mod walk;

pub use archive::{LayerFile, Limits, Opened, Reader};
pub use changes::{Change, ChangeKind, Changes};
pub use compose::{Composed, compose, configuration};
pub use item::{Item, Room, Scan, What};
pub use plan::{Piece, Plan, Present, plan};
pub use tree::Tree;

use std::io;

/// Why layers cannot be read or merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// What should be the head of an entry is none.
    #[error("it is no tar file: {0}")]
    Head(String),
    /// It ended in the middle of an entry or without its end mark.
    #[error("it ended before it was complete")]
    Cut,
    /// An entry is of a kind that engines do not write.
    #[error("{name} is of a kind that no engine saves ({kind})")]
    Kind {
        /// Its name.
        name: String,
        /// The letter of its kind.
        kind: char,
    },
    /// A name leads out of the layer.
    #[error("the name {0} leads out of the layer")]
    Outside(String),
    /// A hard link leads to what is not in its layer.
    #[error("{name} is a hard link to {target}, which is not in its layer")]
    Link {
        /// Its name.
        name: String,
        /// Where it leads.
        target: String,
    },
    /// The archive does not say what its layers are, or lacks one.
    #[error("the archive of the image cannot be read: {0}")]
    Archive(String),
    /// It is larger than it may be.
    #[error("what changed has more than {most_bytes} bytes")]
    TooLarge {
        /// The most, in bytes.
        most_bytes: u64,
    },
    /// It has more names than can be kept in memory.
    #[error(
        "it has more than {} files and folders, or names of more than {} bytes: more are neither merged nor compared",
        Room::OF_IMAGE.entries, Room::OF_IMAGE.name_bytes
    )]
    TooMany,
    /// A layer could not be kept for the moment.
    #[error("a layer could not be kept while it is merged: {0}")]
    Keep(#[from] io::Error),
}

/// The result of reading or merging.
pub type Result<T> = std::result::Result<T, MergeError>;

/// A name as people read it.
fn words(name: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(name))
}

#[cfg(test)]
mod tests;
