//! An image archive on its way to an engine: pieces of files and of memory, or what comes from elsewhere, read only as
//! fast as it is taken.

use crate::layers::{LeaveOut, sieve};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use hyper::body::Bytes;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, Take};

/// How much is read from a file at once, in bytes.
const PIECE: usize = 256 * 1024;

/// The bytes of an archive as they come. One that breaks off ends with an error.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// An image archive as `docker save` makes it. Cheap to clone; nothing is read before it is loaded.
#[derive(Debug, Clone)]
pub struct Archive {
    key: Arc<str>,
    parts: Arc<[Part]>,
    leave_out: LeaveOut,
    left_out_bytes: u64,
}

#[derive(Debug, Clone)]
enum Part {
    File { path: PathBuf, length: u64 },
    Memory(Bytes),
    Coming { pieces: Once, length: u64 },
}

/// Pieces that can be had once.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<Pieces>>>);

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl Archive {
    /// An archive without content yet. The key tells it from others: two of the same key are loaded once.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.into(), parts: Arc::default(), leave_out: LeaveOut::nothing(), left_out_bytes: 0 }
    }

    /// The first `length` bytes of a file follow.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>, length: u64) -> Self {
        self.and(Part::File { path: path.into(), length })
    }

    /// These bytes follow.
    #[must_use]
    pub fn bytes(self, bytes: Vec<u8>) -> Self {
        self.and(Part::Memory(bytes.into()))
    }

    /// What comes from elsewhere follows, about so many bytes. Such an archive can be loaded once.
    #[must_use]
    pub fn coming(self, pieces: Pieces, length: u64) -> Self {
        self.and(Part::Coming { pieces: Once(Arc::new(Mutex::new(Some(pieces)))), length })
    }

    /// The same without layers that have so many bytes; it is told from the whole one.
    #[must_use]
    pub fn without(self, leave_out: LeaveOut, bytes: u64) -> Self {
        let key = format!("{} without {}", self.key, leave_out.chain().unwrap_or("nothing"));
        Self { key: key.into(), leave_out, left_out_bytes: bytes, ..self }
    }

    /// What tells it from others.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How long it is, in bytes; about that if it comes from elsewhere.
    #[must_use]
    pub fn size(&self) -> u64 {
        let length = |part: &Part| match part {
            Part::File { length, .. } | Part::Coming { length, .. } => *length,
            Part::Memory(bytes) => bytes.len() as u64,
        };
        self.parts.iter().map(length).sum::<u64>().saturating_sub(self.left_out_bytes)
    }

    fn and(self, part: Part) -> Self {
        Self { parts: self.parts.iter().cloned().chain([part]).collect(), ..self }
    }

    /// Its bytes. A file that is shorter than it should be is an error, not a shorter archive.
    pub(crate) fn stream(&self) -> Pieces {
        let parts: Vec<Part> = self.parts.to_vec();
        let all = stream::iter(parts.into_iter().map(Ok)).and_then(open).try_flatten();
        if self.leave_out.is_empty() { all.boxed() } else { sieve(all, self.leave_out.clone()) }
    }
}

async fn open(part: Part) -> io::Result<Pieces> {
    Ok(match part {
        Part::Coming { pieces: Once(pieces), .. } => {
            let pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner).take();
            pieces.ok_or_else(|| io::Error::other("it was read already"))?
        }
        Part::Memory(bytes) => stream::iter([Ok(bytes)]).boxed(),
        Part::File { path, length } => pieces(tokio::fs::File::open(path).await?.take(length)).boxed(),
    })
}

fn pieces(file: Take<tokio::fs::File>) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let left = file.limit();
        if left == 0 {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(PIECE.min(usize::try_from(left).unwrap_or(PIECE)));
        while piece.len() < piece.capacity() {
            if file.read_buf(&mut piece).await? == 0 {
                break;
            }
        }
        if piece.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file of the archive is too short"));
        }
        Ok(Some((Bytes::from(piece), file)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    async fn read(archive: &Archive) -> io::Result<Vec<u8>> {
        archive.stream().try_fold(Vec::new(), |all, piece| async move { Ok([all, piece.to_vec()].concat()) }).await
    }

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[tokio::test]
    async fn parts_follow_one_another_and_can_be_read_again() {
        let content: Vec<u8> = (0..3 * PIECE + 17).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let file = file_of(&content);
        let length = content.len() as u64 - 5;
        let archive = Archive::new("a").bytes(b"before".to_vec()).file(file.path(), length).bytes(b"after".to_vec());
        assert_eq!(archive.size(), length + 11);
        let whole = [b"before", &content[..content.len() - 5], b"after"].concat();
        for _ in 0..2 {
            assert!(read(&archive).await.unwrap() == whole);
        }
        assert!(read(&Archive::new("b")).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_comes_from_elsewhere_can_be_had_once() {
        let pieces = stream::iter([Ok(Bytes::from_static(b"one")), Ok(Bytes::from_static(b"two"))]).boxed();
        let archive = Archive::new("a").bytes(b"zero".to_vec()).coming(pieces, 6);
        assert_eq!(archive.size(), 10);
        assert_eq!(read(&archive.clone()).await.unwrap(), b"zeroonetwo");
        assert!(read(&archive).await.unwrap_err().to_string().contains("read already"));
    }

    #[tokio::test]
    async fn an_archive_without_layers_is_another_one() {
        let mut builder = tar::Builder::new(Vec::new());
        for name in ["low.tar", "high.tar"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(600);
            builder.append_data(&mut header, name, [1; 600].as_slice()).unwrap();
        }
        let archive = Archive::new("a").bytes(builder.into_inner().unwrap());
        let leave_out = LeaveOut::lowest(&["sha256:1".to_owned(), "sha256:2".to_owned()], 1);
        let less = archive.clone().without(leave_out.named(&["low.tar".to_owned(), "high.tar".to_owned()]), 1536);
        assert_eq!(less.size(), archive.size() - 1536);
        assert_eq!(read(&less).await.unwrap().len() as u64, less.size());
        assert_eq!(less.key(), "a without sha256:1");
    }

    #[tokio::test]
    async fn a_file_that_is_too_short_or_gone_is_an_error() {
        let file = file_of(b"four");
        let short = Archive::new("a").file(file.path(), 5);
        assert_eq!(read(&short).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let gone = Archive::new("a").file("/nowhere/at/all", 5);
        assert_eq!(read(&gone).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
