//! Lets an archive through as it comes, without the layers that are left out. Nothing but heads and small descriptions
//! is kept, so an archive may be as large as it likes.

use super::LeaveOut;
use super::entry::{self, BLOCK, Head, Kind};
use super::leave_out::plain;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use hyper::body::Bytes;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::io;

/// The most that is said of an entry before its head, in bytes.
const LONGEST_AHEAD: u64 = 1 << 20;
/// The longest description of a layer that is read, in bytes; a layer with a longer one stays.
const LONGEST_DESCRIPTION: u64 = 64 << 10;
/// The most layers that are known by their descriptions.
const MOST_FOLDERS: usize = 1024;

/// Why an archive cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoArchive {
    /// What should be the head of an entry is none. An engine that fails in the middle writes so in words.
    #[error("it is no tar file: {0}")]
    Head(String),
    /// It ended in the middle of an entry or without its end mark.
    #[error("it ended before it was complete")]
    Cut,
}

/// What comes next.
#[derive(Debug)]
enum Next {
    /// A head, of which so much has come.
    Head(Vec<u8>),
    /// The bytes of an entry.
    Content { left: u64, goes: Goes },
    /// The end mark, and whatever follows.
    End,
}

/// Where the bytes of an entry go.
#[derive(Debug)]
enum Goes {
    On,
    Nowhere,
    /// They belong to the next entry.
    Along {
        kind: Kind,
        size: u64,
        read: Vec<u8>,
    },
    /// On, and they tell of the layer in their folder.
    OnAndRead {
        folder: String,
        size: u64,
        read: Vec<u8>,
    },
}

/// What was said of the next entry before its head.
#[derive(Debug, Default)]
struct Ahead {
    bytes: Vec<Bytes>,
    length: u64,
    name: Option<String>,
    size: Option<u64>,
}

#[derive(Debug)]
struct Sieve {
    leave_out: LeaveOut,
    next: Next,
    ahead: Ahead,
    /// Folders whose layer is left out.
    folders: BTreeSet<String>,
}

impl Sieve {
    fn new(leave_out: LeaveOut) -> Self {
        Self { leave_out, next: Next::Head(vec![]), ahead: Ahead::default(), folders: BTreeSet::new() }
    }

    /// Takes the next bytes and gives what goes on of them.
    fn feed(&mut self, mut piece: Bytes, out: &mut VecDeque<Bytes>) -> Result<(), NoArchive> {
        while !piece.is_empty() {
            match &mut self.next {
                Next::End => out.push_back(std::mem::take(&mut piece)),
                Next::Head(begun) => {
                    let more = piece.split_to((BLOCK - begun.len()).min(piece.len()));
                    begun.extend_from_slice(&more);
                    if begun.len() == BLOCK {
                        let block = std::mem::take(begun);
                        self.head(block, out)?;
                    }
                }
                Next::Content { left, goes } => {
                    let now = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                    let bytes = piece.split_to(now);
                    *left -= now as u64;
                    let is_over = *left == 0;
                    match goes {
                        Goes::On => out.push_back(bytes),
                        Goes::Nowhere => {}
                        Goes::Along { read, .. } => {
                            read.extend_from_slice(&bytes);
                            self.ahead.bytes.push(bytes);
                        }
                        Goes::OnAndRead { read, .. } => {
                            read.extend_from_slice(&bytes);
                            out.push_back(bytes);
                        }
                    }
                    if is_over {
                        self.over();
                    }
                }
            }
        }
        Ok(())
    }

    /// The content of an entry has come to its end.
    fn over(&mut self) {
        let Next::Content { goes, .. } = std::mem::replace(&mut self.next, Next::Head(vec![])) else { return };
        match goes {
            Goes::On | Goes::Nowhere => {}
            Goes::Along { kind, size, read } => {
                let read = content(&read, size);
                match kind {
                    Kind::LongName => self.ahead.name = Some(entry::text(read)),
                    Kind::Properties => {
                        let size = entry::property(read, "size").and_then(|size| size.parse().ok());
                        self.ahead.size = size.or(self.ahead.size);
                        self.ahead.name = entry::property(read, "path").or(self.ahead.name.take());
                    }
                    _ => {}
                }
            }
            Goes::OnAndRead { folder, size, read } => {
                if self.folders.len() < MOST_FOLDERS && self.leave_out.has_folder(&folder, content(&read, size)) {
                    self.folders.insert(folder);
                }
            }
        }
    }

    fn head(&mut self, block: Vec<u8>, out: &mut VecDeque<Bytes>) -> Result<(), NoArchive> {
        if block.iter().all(|byte| *byte == 0) {
            self.next = Next::End;
            out.extend(self.ahead.bytes.drain(..));
            out.push_back(block.into());
            return Ok(());
        }
        let Head { name, size, kind } = entry::parse(&block).ok_or_else(|| NoArchive::Head(excerpt(&block)))?;
        if matches!(kind, Kind::Properties | Kind::LongName | Kind::LongLink) {
            self.ahead.length = self.ahead.length.saturating_add(size).saturating_add(BLOCK as u64);
            let left = entry::padded(size).filter(|_| self.ahead.length <= LONGEST_AHEAD);
            let left = left.ok_or_else(|| NoArchive::Head(excerpt(&block)))?;
            self.ahead.bytes.push(block.into());
            return self.content(left, Goes::Along { kind, size, read: vec![] });
        }
        let ahead = std::mem::take(&mut self.ahead);
        let name = ahead.name.unwrap_or(name);
        let size = match kind {
            Kind::Other(false) => 0,
            _ => ahead.size.unwrap_or(size),
        };
        let left = entry::padded(size).ok_or_else(|| NoArchive::Head(excerpt(&block)))?;
        let goes = if kind == Kind::File { self.way_of(plain(&name), size) } else { Goes::On };
        if !matches!(goes, Goes::Nowhere) {
            out.extend(ahead.bytes);
            out.push_back(block.into());
        }
        self.content(left, goes)
    }

    fn content(&mut self, left: u64, goes: Goes) -> Result<(), NoArchive> {
        self.next = Next::Content { left, goes };
        if left == 0 {
            self.over();
        }
        Ok(())
    }

    fn way_of(&self, name: &str, size: u64) -> Goes {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        if self.leave_out.has_name(name) || (file == "layer.tar" && self.folders.contains(folder)) {
            return Goes::Nowhere;
        }
        if file == "json" && folder.len() == 64 && size <= LONGEST_DESCRIPTION && !self.leave_out.is_empty() {
            return Goes::OnAndRead { folder: folder.to_owned(), size, read: vec![] };
        }
        Goes::On
    }

    /// Whether the archive may end here.
    fn finish(&self) -> Result<(), NoArchive> {
        match self.next {
            Next::End => Ok(()),
            _ => Err(NoArchive::Cut),
        }
    }
}

/// What was read, without what fills the last block.
fn content(read: &[u8], size: u64) -> &[u8] {
    &read[..usize::try_from(size).unwrap_or(usize::MAX).min(read.len())]
}

/// The first words of what is no head.
fn excerpt(block: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(block).chars().take(200).collect::<String>().trim_end_matches('\0'))
}

/// An archive without what is left out. One that is no archive, or ends too early, ends in an error.
pub fn sieve<S>(pieces: S, leave_out: LeaveOut) -> BoxStream<'static, io::Result<Bytes>>
where
    S: Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    let state = Some((pieces.boxed(), Sieve::new(leave_out), VecDeque::new()));
    stream::unfold(state, |state| async move {
        let (mut pieces, mut sieve, mut out) = state?;
        loop {
            if let Some(piece) = out.pop_front() {
                return Some((Ok(piece), Some((pieces, sieve, out))));
            }
            let fed = match pieces.next().await {
                Some(Ok(piece)) => sieve.feed(piece, &mut out).map_err(io::Error::other),
                Some(Err(error)) => Err(error),
                None => match sieve.finish() {
                    Ok(()) => return None,
                    Err(cut) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut)),
                },
            };
            if let Err(error) = fed {
                return Some((Err(error), None));
            }
        }
    })
    .boxed()
}
