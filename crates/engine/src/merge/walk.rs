//! Goes through a tar file as it comes, piece by piece, and tells a visitor of its entries. Keeps nothing but heads.

use super::head::{self, Record};
use super::{MergeError, Result, words};
use crate::layers::entry::{BLOCK, has_its_sum, number, padded};

/// The most that is said of an entry before its head, in bytes.
const LONGEST_AHEAD: u64 = 1 << 20;

/// An entry's head, with all that was said before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name, as it stands there.
    pub(super) name: Vec<u8>,
    /// Where it leads, if it is a link.
    pub(super) link: Vec<u8>,
    /// The letter of its kind.
    pub(super) kind: u8,
    /// How many bytes follow, without what fills their last block.
    pub(super) size: u64,
    /// Where its heads begin, in bytes from the beginning of the file.
    pub(super) at: u64,
    /// How long they are.
    pub(super) heads: u64,
    pub(super) mode: u64,
    pub(super) uid: u64,
    pub(super) gid: u64,
}

/// Whoever is told.
pub(super) trait Visit {
    fn entry(&mut self, entry: Entry) -> Result<()>;
    /// Some of the bytes of the entry that was told last.
    fn content(&mut self, bytes: &[u8]) -> Result<()>;
    /// All of them have come.
    fn over(&mut self) -> Result<()>;
}

#[derive(Debug)]
enum Next {
    Head(Vec<u8>),
    Content {
        left: u64,
        fill: u64,
        /// The letter and the bytes of what is said of the next entry; `None` for an entry that is told.
        ahead: Option<(u8, Vec<u8>)>,
    },
    End,
}

/// What was said of the next entry before its head.
#[derive(Debug, Default)]
struct Ahead {
    length: u64,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Vec<Record>,
}

impl Ahead {
    fn last(&self, key: &[u8]) -> Option<&[u8]> {
        self.records.iter().rev().find(|record| record.key == key).map(|record| record.value.as_slice())
    }

    fn number(&self, key: &[u8]) -> Option<u64> {
        std::str::from_utf8(self.last(key)?).ok()?.parse().ok()
    }
}

#[derive(Debug)]
pub(super) struct Walk {
    next: Next,
    ahead: Ahead,
    /// How many bytes have come.
    at: u64,
}

impl Default for Walk {
    fn default() -> Self {
        Self { next: Next::Head(vec![]), ahead: Ahead::default(), at: 0 }
    }
}

impl Walk {
    pub(super) fn feed(&mut self, mut bytes: &[u8], visit: &mut impl Visit) -> Result<()> {
        while !bytes.is_empty() {
            match &mut self.next {
                Next::End => return Ok(()),
                Next::Head(begun) => {
                    let (more, rest) = bytes.split_at((BLOCK - begun.len()).min(bytes.len()));
                    begun.extend_from_slice(more);
                    bytes = rest;
                    self.at += more.len() as u64;
                    if begun.len() == BLOCK {
                        let block = std::mem::take(begun);
                        self.head(&block, visit)?;
                    }
                }
                Next::Content { left, fill, ahead } => {
                    let (content, rest) = bytes.split_at(least(*left, bytes.len()));
                    let (filling, rest) = rest.split_at(least(*fill, rest.len()));
                    bytes = rest;
                    self.at += (content.len() + filling.len()) as u64;
                    *left -= content.len() as u64;
                    *fill -= filling.len() as u64;
                    match ahead {
                        Some((_, read)) => read.extend_from_slice(content),
                        None if content.is_empty() => {}
                        None => visit.content(content)?,
                    }
                    if *left + *fill == 0 {
                        self.over(visit)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the file may end here.
    pub(super) fn finish(&self) -> Result<()> {
        if matches!(self.next, Next::End) { Ok(()) } else { Err(MergeError::Cut) }
    }

    fn over(&mut self, visit: &mut impl Visit) -> Result<()> {
        let Next::Content { ahead, .. } = std::mem::replace(&mut self.next, Next::Head(vec![])) else { return Ok(()) };
        match ahead {
            None => return visit.over(),
            Some((b'x', read)) => {
                let read = head::records(&read).ok_or_else(|| MergeError::Head(words(&read)))?;
                self.ahead.records.extend(read);
            }
            Some((b'L', read)) => self.ahead.name = Some(head::text(&read).to_vec()),
            Some((_, read)) => self.ahead.link = Some(head::text(&read).to_vec()),
        }
        Ok(())
    }

    fn head(&mut self, block: &[u8], visit: &mut impl Visit) -> Result<()> {
        if block.iter().all(|byte| *byte == 0) && self.ahead.length == 0 {
            self.next = Next::End;
            return Ok(());
        }
        let wrong = || MergeError::Head(words(&block[..200.min(block.len())]));
        if !has_its_sum(block) {
            return Err(wrong());
        }
        let size = number(&block[124..136]).ok_or_else(wrong)?;
        let kind = block[156];
        if matches!(kind, b'x' | b'L' | b'K') {
            self.ahead.length = self.ahead.length.saturating_add(size).saturating_add(BLOCK as u64);
            let filled = padded(size).filter(|_| self.ahead.length <= LONGEST_AHEAD).ok_or_else(wrong)?;
            self.ahead.length = self.ahead.length - size + filled;
            return self.content(size, Some((kind, vec![])), visit);
        }
        let ahead = std::mem::take(&mut self.ahead);
        let of = |key: &[u8], field: &[u8]| ahead.number(key).or_else(|| number(field)).unwrap_or(0);
        let entry = Entry {
            name: ahead.last(b"path").map(<[u8]>::to_vec).or(ahead.name.clone()).unwrap_or_else(|| head::name(block)),
            link: ahead
                .last(b"linkpath")
                .map(<[u8]>::to_vec)
                .or(ahead.link.clone())
                .unwrap_or_else(|| head::text(&block[157..257]).to_vec()),
            kind,
            size: if matches!(kind, b'1'..=b'6') { 0 } else { ahead.number(b"size").unwrap_or(size) },
            at: self.at - ahead.length - BLOCK as u64,
            heads: ahead.length + BLOCK as u64,
            mode: of(b"", &block[100..108]),
            uid: of(b"uid", &block[108..116]),
            gid: of(b"gid", &block[116..124]),
        };
        let is_sparse = ahead.records.iter().any(|record| record.key.starts_with(b"GNU.sparse"));
        if is_sparse || !matches!(kind, 0 | b'0'..=b'7') {
            let kind = if is_sparse { 'S' } else { char::from(kind) };
            return Err(MergeError::Kind { name: words(&entry.name), kind });
        }
        let size = entry.size;
        visit.entry(entry)?;
        self.content(size, None, visit)
    }

    fn content(&mut self, size: u64, ahead: Option<(u8, Vec<u8>)>, visit: &mut impl Visit) -> Result<()> {
        let fill = padded(size).ok_or(MergeError::Cut)? - size;
        self.next = Next::Content { left: size, fill, ahead };
        if size == 0 { self.over(visit) } else { Ok(()) }
    }
}

fn least(wanted: u64, there: usize) -> usize {
    usize::try_from(wanted).unwrap_or(usize::MAX).min(there)
}
