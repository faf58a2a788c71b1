//! The files of an image, as its layers make them one after the other.

use super::item::{Item, What};
use super::{MergeError, Result, words};
use std::collections::{BTreeMap, HashMap};

/// What has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) what: What,
    pub(super) size: u64,
    pub(super) rights: [u64; 3],
    pub(super) content: Option<[u8; 32]>,
}

impl Node {
    pub(super) fn is_folder(&self) -> bool {
        self.what == What::Folder
    }
}

/// All files by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    pub(super) nodes: BTreeMap<Box<[u8]>, Node>,
}

impl Tree {
    /// Puts a layer on top.
    ///
    /// # Errors
    /// [`MergeError::Link`] if a hard link leads out of it.
    pub fn put(&mut self, layer: &[Item]) -> Result<()> {
        for item in layer {
            match item.what {
                What::Hides => self.remove(&item.path),
                What::HidesAll => self.clear(&item.path),
                _ => {}
            }
        }
        let mut files: HashMap<&[u8], &Item> = HashMap::new();
        for item in layer {
            let of = match &item.what {
                What::Hides | What::HidesAll => continue,
                What::Link(target) => {
                    let astray = || MergeError::Link { name: words(&item.path), target: words(target) };
                    files.get(&**target).copied().ok_or_else(astray)?
                }
                What::Folder | What::File | What::Other(..) => item,
            };
            files.insert(&item.path, of);
            let node = Node { what: of.what.clone(), size: of.size, rights: of.rights, content: of.content };
            if !node.is_folder() {
                self.clear(&item.path);
            }
            self.nodes.insert(item.path.clone(), node);
        }
        Ok(())
    }

    fn remove(&mut self, path: &[u8]) {
        self.nodes.remove(path);
        self.clear(path);
    }

    /// Removes what lies in a folder.
    fn clear(&mut self, path: &[u8]) {
        if path.is_empty() {
            return self.nodes.clear();
        }
        let from: Box<[u8]> = [path, b"/"].concat().into();
        // The byte behind the separator.
        let to: Box<[u8]> = [path, b"0"].concat().into();
        let inside: Vec<Box<[u8]>> = self.nodes.range(from..to).map(|(name, _)| name.clone()).collect();
        for name in inside {
            self.nodes.remove(&name);
        }
    }
}
