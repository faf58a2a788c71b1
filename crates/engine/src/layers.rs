//! What images are made of, and archives of them without the layers that are at their destination already.
//!
//! A layer can be left out only together with all that lie below it: an engine looks for a chain of layers, never for
//! a single one. What is left out is a saving and never a risk: an engine that misses a layer refuses the archive.

pub(crate) mod entry;
pub(crate) mod leave_out;
mod sieve;

pub use leave_out::LeaveOut;
pub use sieve::{NoArchive, sieve};

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// An image on a host, and the layers that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLayers {
    /// Its id, as the engine tells it.
    pub id: String,
    /// The digests of its layers when unpacked (`sha256:` and 64 digits), the lowest first.
    pub diff_ids: Vec<String>,
    /// The size of all of them, in bytes.
    pub size_bytes: u64,
}

/// How many of an image's layers, from the lowest up, are there as the lowest layers of one of other images.
pub fn shared<'a>(wanted: &[String], there: impl IntoIterator<Item = &'a [String]>) -> usize {
    let in_common = |other: &[String]| wanted.iter().zip(other).take_while(|(one, other)| one == other).count();
    there.into_iter().map(in_common).max().unwrap_or(0)
}

/// How many bytes the lowest layers have at least, from what each step of an image's making added (the first step
/// first): steps that made no layer, and layers of no bytes, both added nothing and cannot be told apart.
#[must_use]
pub fn bytes_of_lowest(steps: &[u64], layers: usize, lowest: usize) -> u64 {
    let full: Vec<u64> = steps.iter().copied().filter(|bytes| *bytes > 0).collect();
    let empty = layers.saturating_sub(full.len());
    full.iter().take(lowest.saturating_sub(empty)).sum()
}

/// The names of the chains that end with each of the layers, as the image specification of the OCI defines them: the
/// digest of the lowest, then the digest of the name so far and the next one.
#[must_use]
pub fn chain_ids(diff_ids: &[String]) -> Vec<String> {
    let mut chains: Vec<String> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let chain = match chains.last() {
            None => diff_id.clone(),
            Some(below) => digest(format!("{below} {diff_id}").as_bytes()),
        };
        chains.push(chain);
    }
    chains
}

/// `sha256:` and 64 digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _always_room = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
