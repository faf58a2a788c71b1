//! What is in a layer: its entries by their names, without their content.

use super::walk::{Entry, Visit, Walk};
use super::{MergeError, Result, words};
use sha2::{Digest, Sha256};

/// How the names of marks begin that hide what lies below.
const HIDES: &[u8] = b".wh.";
/// The mark in a folder of which nothing below counts.
pub(super) const HIDES_ALL: &[u8] = b".wh..wh..opq";

/// An entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name from the root on, parts separated by `/`; of a mark the name of what it is about. Any bytes.
    pub path: Box<[u8]>,
    /// What it is.
    pub what: What,
    /// Where its heads begin in the layer, in bytes.
    pub at: u64,
    /// How long they are.
    pub heads: u64,
    /// How many bytes of content follow, without what fills their last block.
    pub size: u64,
    /// Owner, group and mode.
    pub rights: [u64; 3],
    /// The digest of its content, if it was asked for.
    pub content: Option<[u8; 32]>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// Another name of what has this path in the same layer.
    Link(Box<[u8]>),
    /// A symbolic link to somewhere, a device, a pipe: the letter of the kind and where it leads.
    Other(u8, Box<[u8]>),
    /// A mark that hides what lies below under this name.
    Hides,
    /// A mark that hides all that lies below in this folder.
    HidesAll,
}

/// How much may still be kept of what the layers of an image have. Without it an image of nothing but names would fill
/// the memory of whoever reads it: names cost nothing on a disk that counts bytes of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How many entries.
    pub entries: u64,
    /// How many bytes of names, and of where links lead.
    pub name_bytes: u64,
}

impl Room {
    /// That of one image, base included: a few hundred megabytes of memory.
    pub const OF_IMAGE: Self = Self { entries: 1_000_000, name_bytes: 128 << 20 };

    fn take(&mut self, item: &Item) -> Result<()> {
        let link = match &item.what {
            What::Link(link) | What::Other(_, link) => link.len(),
            _ => 0,
        };
        let names = (item.path.len() + link) as u64;
        match (self.entries.checked_sub(1), self.name_bytes.checked_sub(names)) {
            (Some(entries), Some(name_bytes)) => *self = Self { entries, name_bytes },
            _ => return Err(MergeError::TooMany),
        }
        Ok(())
    }
}

/// Reads a layer as it comes.
pub struct Scan {
    walk: Walk,
    items: Items,
}

struct Items {
    found: Vec<Item>,
    room: Room,
    hash: Option<Sha256>,
    hashes: bool,
    is_told: bool,
}

impl Scan {
    /// A layer from its beginning, of which so much is kept; its files' content is digested if that is wanted.
    #[must_use]
    pub fn new(hashes: bool, room: Room) -> Self {
        let items = Items { found: vec![], room, hash: None, hashes, is_told: false };
        Self { walk: Walk::default(), items }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`MergeError`] if they are not those of a layer.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        self.walk.feed(bytes, &mut self.items)
    }

    /// What was in it, and the room that is left.
    ///
    /// # Errors
    /// [`MergeError::Cut`] if its end has not come.
    pub fn finish(self) -> Result<(Vec<Item>, Room)> {
        self.walk.finish()?;
        let Items { mut found, room, .. } = self.items;
        found.shrink_to_fit();
        Ok((found, room))
    }
}

impl Visit for Items {
    fn entry(&mut self, entry: Entry) -> Result<()> {
        let item = read(&entry)?;
        self.hash = item.as_ref().filter(|item| self.hashes && item.what == What::File).map(|_| Sha256::new());
        self.is_told = item.is_some();
        item.iter().try_for_each(|item| self.room.take(item))?;
        self.found.extend(item);
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        Ok(())
    }

    fn over(&mut self) -> Result<()> {
        if let (Some(hash), Some(item)) = (self.hash.take(), self.found.last_mut().filter(|_| self.is_told)) {
            item.content = Some(hash.finalize().into());
        }
        Ok(())
    }
}

/// An entry as an item; nothing for what engines themselves pass over.
fn read(entry: &Entry) -> Result<Option<Item>> {
    let named = plain(&entry.name)?;
    let (folder, last) = match named.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&named[..at], &named[at + 1..]),
        None => (&named[..0], &named[..]),
    };
    let (path, what) = if last == HIDES_ALL {
        (folder.to_vec(), What::HidesAll)
    } else if last.starts_with(b".wh..wh.") {
        return Ok(None);
    } else if let Some(hidden) = last.strip_prefix(HIDES) {
        // As a path it would be the folder that the mark lies in, or the one above.
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(MergeError::Outside(words(&entry.name)));
        }
        (join(folder, hidden), What::Hides)
    } else {
        let what = match entry.kind {
            b'1' => What::Link(plain(&entry.link)?.into()),
            b'5' => What::Folder,
            0 | b'0' if entry.name.ends_with(b"/") => What::Folder,
            0 | b'0' | b'7' => What::File,
            kind => What::Other(kind, entry.link.as_slice().into()),
        };
        (named, what)
    };
    Ok(Some(Item {
        path: path.into(),
        what,
        at: entry.at,
        heads: entry.heads,
        size: entry.size,
        rights: [entry.uid, entry.gid, entry.mode & 0o7777],
        content: None,
    }))
}

/// A name under a folder.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// A name without what means nothing in it.
fn plain(name: &[u8]) -> Result<Vec<u8>> {
    let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    match parts.contains(&b"..".as_slice()) {
        true => Err(MergeError::Outside(words(name))),
        false => Ok(parts.join(&b'/')),
    }
}

/// The folders that a name lies in, the root first: `` and `a` and `a/b` of `a/b/c`.
pub(super) fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let root = (!path.is_empty()).then_some(&path[..0]);
    root.into_iter().chain(path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at]))
}
