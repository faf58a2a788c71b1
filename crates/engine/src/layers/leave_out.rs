//! Which entries of an archive hold layers that are left out.

use super::{chain_ids, digest};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// The form of archives since Docker 25: a blob is named by its digest, and a layer is not packed.
const BLOBS: &str = "blobs/sha256/";

/// The layers that an archive of an image goes without, and how to know them in each form of archives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaveOut {
    /// The chain that ends with each layer of the image.
    chains: Vec<String>,
    /// How many of the lowest layers are there already.
    lowest: usize,
    /// Those whose files go: a layer that is needed again further up stays.
    gone: BTreeSet<usize>,
    /// What their digests begin the names of blobs with.
    blobs: BTreeSet<String>,
    /// Entries that are known to be such layers.
    names: BTreeSet<String>,
}

impl LeaveOut {
    /// Nothing is left out.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The lowest layers of an image of these layers.
    #[must_use]
    pub fn lowest(diff_ids: &[String], lowest: usize) -> Self {
        let lowest = lowest.min(diff_ids.len());
        let (below, above) = diff_ids.split_at(lowest);
        let gone: BTreeSet<usize> = (0..lowest).filter(|at| !above.contains(&below[*at])).collect();
        let digits = |at: &usize| diff_ids[*at].trim_start_matches("sha256:").to_owned();
        let blobs = gone.iter().map(digits).collect();
        Self { chains: chain_ids(diff_ids), lowest, gone, blobs, names: BTreeSet::new() }
    }

    /// The lowest layers up to the end of a chain; `None` if the image has no such chain.
    #[must_use]
    pub fn up_to(diff_ids: &[String], chain: &str) -> Option<Self> {
        let at = chain_ids(diff_ids).iter().position(|id| id == chain)?;
        Some(Self::lowest(diff_ids, at + 1))
    }

    /// The same, for an archive in which these entries are the layers, the lowest first.
    #[must_use]
    pub fn named(mut self, layers: &[String]) -> Self {
        self.names = self.gone.iter().filter_map(|at| layers.get(*at)).map(|name| plain(name).to_owned()).collect();
        self
    }

    /// The chain that is left out; `None` if nothing is.
    #[must_use]
    pub fn chain(&self) -> Option<&str> {
        self.lowest.checked_sub(1).and_then(|last| self.chains.get(last)).map(String::as_str)
    }

    /// Whether the layer at a place, the lowest is 0, goes.
    #[must_use]
    pub fn leaves_out(&self, place: usize) -> bool {
        self.gone.contains(&place)
    }

    /// Whether nothing goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }

    /// Whether an entry holds such a layer by its name alone.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name) || name.strip_prefix(BLOBS).is_some_and(|digits| self.blobs.contains(digits))
    }

    /// Whether the folder of this name holds such a layer. In the form of archives before Docker 25 the name is the
    /// digest of the folder's `json`, without its own name and, but for the highest, the system, and with the chain
    /// that ends there: so it is found by trying, and cannot be mistaken.
    pub(crate) fn has_folder(&self, folder: &str, json: &[u8]) -> bool {
        let Ok(mut told) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(json) else { return false };
        told.remove("id");
        if let Some(parent) = told.get("parent").and_then(|parent| serde_json::from_str::<String>(parent.get()).ok()) {
            told.insert("parent".to_owned(), text(&format!("sha256:{parent}")));
        }
        let expected = format!("sha256:{folder}");
        let is_one = |told: &mut BTreeMap<String, Box<RawValue>>| {
            self.gone.iter().any(|at| {
                told.insert("layer_id".to_owned(), text(&self.chains[*at]));
                serde_json::to_vec(told).is_ok_and(|json| digest(&json) == expected)
            })
        };
        let is_highest = is_one(&mut told);
        told.remove("os");
        is_highest || is_one(&mut told)
    }
}

/// A text as JSON.
fn text(text: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(text).expect("a text has a JSON form")
}

/// The name of an entry without what means nothing in it.
pub(crate) fn plain(name: &str) -> &str {
    name.trim_start_matches("./").trim_end_matches('/')
}
