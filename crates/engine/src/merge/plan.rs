//! Which bytes of several layers, and in which order, make one layer that does the same. Pure but for heads that are
//! read anew.
//!
//! The highest layer is gone through first: what it has, hides or replaces decides over all below. A mark stays only
//! if the base has what it hides, so a file that was made in one save and removed in another leaves nothing.

use super::item::{HIDES_ALL, Item, What, folders, join};
use super::{MergeError, Result, head, words};
use crate::layers::entry::padded;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// The end mark of a tar file.
const END: usize = 1024;

/// What a base has, by names: digests of 64 bits, since a name too many only keeps a mark that hides nothing.
#[derive(Debug, Clone, Default)]
pub struct Present(HashSet<u64>);

impl Present {
    /// A layer of the base has these. What it hides stays: a mark too many does no harm.
    pub fn add(&mut self, items: &[Item]) {
        for item in items {
            let fresh = self.0.insert(digest(&item.path));
            if fresh {
                self.0.extend(folders(&item.path).map(digest));
            }
        }
    }

    fn has(&self, path: &[u8]) -> bool {
        path.is_empty() || self.0.contains(&digest(path))
    }
}

fn digest(path: &[u8]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(path)
}

/// A layer to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Its bytes, in order.
    pub pieces: Vec<Piece>,
    /// How many they are.
    pub length: u64,
}

/// Some of the bytes of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Those of one of the merged layers.
    Copy {
        /// Which, the lowest is 0.
        layer: usize,
        /// From where, in bytes.
        from: u64,
        /// How many.
        length: u64,
    },
    /// These.
    Bytes(Vec<u8>),
}

impl Plan {
    fn copy(&mut self, layer: usize, from: u64, length: u64) {
        self.length += length;
        if let Some(Piece::Copy { layer: last, from: at, length: so_far }) = self.pieces.last_mut()
            && (*last, *at + *so_far) == (layer, from)
        {
            *so_far += length;
        } else if length > 0 {
            self.pieces.push(Piece::Copy { layer, from, length });
        }
    }

    fn bytes(&mut self, bytes: Vec<u8>) {
        self.length += bytes.len() as u64;
        match self.pieces.last_mut() {
            Some(Piece::Bytes(last)) => last.extend(bytes),
            _ => self.pieces.push(Piece::Bytes(bytes)),
        }
    }
}

/// What layers further up made of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A folder; `true` if nothing below counts in it.
    Folder(bool),
    /// Something else, or nothing.
    Ends,
}

/// What comes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// Nothing.
    Nothing,
    /// It stays as it is.
    Itself,
    /// The folder of its name gets the mark that nothing below counts in it.
    Mark,
}

/// Merges layers, the lowest first, over what a base has. `heads` reads bytes of a layer: which, from where, how many.
///
/// # Errors
/// [`MergeError`] if a hard link leads out of its layer, or `heads` fails.
pub fn plan(
    layers: &[&[Item]],
    base: &Present,
    mut heads: impl FnMut(usize, u64, u64) -> std::io::Result<Vec<u8>>,
) -> Result<Plan> {
    let mut fates: HashMap<&[u8], Fate> = HashMap::new();
    let mut plan = Plan::default();
    for (layer, items) in layers.iter().enumerate().rev() {
        let (comes, decided) = decide(items, &fates, base);
        for (path, fate) in decided {
            let is_opaque = fate == Fate::Folder(true) || fates.get(path) == Some(&Fate::Folder(true));
            fates.insert(path, if is_opaque { Fate::Folder(true) } else { fate });
        }
        let mut links = Links::new(items);
        for (at, item) in items.iter().enumerate() {
            match comes[at] {
                Comes::Nothing => {}
                Comes::Mark => plan.bytes(head::empty(&join(&item.path, HIDES_ALL))),
                Comes::Itself => {
                    let whole = item.heads + padded(item.size).ok_or(MergeError::Cut)?;
                    match links.way_of(at, &comes)? {
                        Way::AsItIs => plan.copy(layer, item.at, whole),
                        Way::To(target) => {
                            plan.bytes(head::relinked(&heads(layer, item.at, item.heads)?, target));
                        }
                        Way::InPlaceOf(first) => {
                            plan.bytes(head::renamed(&heads(layer, first.at, first.heads)?, &item.path));
                            let filled = padded(first.size).ok_or(MergeError::Cut)?;
                            plan.copy(layer, first.at + first.heads, filled);
                        }
                    }
                }
            }
        }
    }
    plan.bytes(vec![0; END]);
    Ok(plan)
}

/// What comes of each item of a layer, and what the layer decides for those below.
fn decide<'a>(items: &'a [Item], fates: &HashMap<&[u8], Fate>, base: &Present) -> (Vec<Comes>, Vec<(&'a [u8], Fate)>) {
    let mut decided: Vec<(&[u8], Fate)> = Vec::new();
    let comes = items.iter().map(|item| {
        let path: &'a [u8] = &item.path;
        let ends = |folder| matches!(fates.get(folder), Some(Fate::Ends | Fate::Folder(true)));
        if folders(path).any(ends) {
            return Comes::Nothing;
        }
        let when_there = |comes| if base.has(path) { comes } else { Comes::Nothing };
        let (comes, fate) = match (&item.what, fates.get(path)) {
            (_, Some(Fate::Ends | Fate::Folder(true))) | (What::Folder, Some(Fate::Folder(false))) => {
                return Comes::Nothing;
            }
            (What::HidesAll, None) => (when_there(Comes::Itself), Fate::Folder(true)),
            (What::Hides, None) => (when_there(Comes::Itself), Fate::Ends),
            (What::Folder, None) => (Comes::Itself, Fate::Folder(false)),
            (What::File | What::Link(_) | What::Other(..), None) => (Comes::Itself, Fate::Ends),
            // Further up it is a folder that was made anew: what the base has in it must not come back.
            (_, Some(Fate::Folder(false))) => (when_there(Comes::Mark), Fate::Folder(true)),
        };
        decided.push((path, fate));
        comes
    });
    (comes.collect(), decided)
}

/// How an item is written.
enum Way<'a> {
    AsItIs,
    /// As a link to another name.
    To(&'a [u8]),
    /// As what it was a link to, whose own name is gone.
    InPlaceOf(&'a Item),
}

/// The hard links of a layer.
struct Links<'a> {
    items: &'a [Item],
    by_path: HashMap<&'a [u8], usize>,
    /// The names that took the place of first ones.
    instead: HashMap<usize, &'a [u8]>,
}

impl<'a> Links<'a> {
    fn new(items: &'a [Item]) -> Self {
        let has_links = items.iter().any(|item| matches!(item.what, What::Link(_)));
        let is_file = |item: &Item| matches!(item.what, What::File | What::Link(_) | What::Other(..));
        let by_path = items.iter().enumerate().filter(|(_, item)| has_links && is_file(item));
        let by_path = by_path.map(|(at, item)| (&*item.path, at)).collect();
        Self { items, by_path, instead: HashMap::new() }
    }

    fn way_of(&mut self, at: usize, comes: &[Comes]) -> Result<Way<'a>> {
        let What::Link(target) = &self.items[at].what else { return Ok(Way::AsItIs) };
        let first = self.first_of(at)?;
        if comes[first] == Comes::Itself {
            let is_direct = *target == self.items[first].path;
            return Ok(if is_direct { Way::AsItIs } else { Way::To(&self.items[first].path) });
        }
        if let Some(name) = self.instead.get(&first) {
            return Ok(Way::To(name));
        }
        self.instead.insert(first, &self.items[at].path);
        Ok(Way::InPlaceOf(&self.items[first]))
    }

    /// What a link leads to in the end.
    fn first_of(&self, at: usize) -> Result<usize> {
        let mut now = at;
        for _ in 0..self.items.len() {
            let What::Link(target) = &self.items[now].what else { return Ok(now) };
            now = *self.by_path.get(&**target).ok_or_else(|| self.astray(at))?;
        }
        Err(self.astray(at))
    }

    fn astray(&self, at: usize) -> MergeError {
        let target = match &self.items[at].what {
            What::Link(target) => words(target),
            _ => String::new(),
        };
        MergeError::Link { name: words(&self.items[at].path), target }
    }
}
