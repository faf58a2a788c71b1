//! An image archive on its way to an engine: pieces of files and of memory, read only as fast as they are taken.

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use hyper::body::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, Take};

/// How much is read from a file at once, in bytes.
const PIECE: usize = 256 * 1024;

/// An image archive as `docker save` makes it. Cheap to clone; nothing is read before it is loaded.
#[derive(Debug, Clone)]
pub struct Archive {
    key: Arc<str>,
    parts: Arc<[Part]>,
}

#[derive(Debug, Clone)]
enum Part {
    File { path: PathBuf, length: u64 },
    Memory(Bytes),
}

impl Archive {
    /// An archive without content yet. The key tells it from others: two of the same key are loaded once.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.into(), parts: Arc::default() }
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

    /// What tells it from others.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let length = |part: &Part| match part {
            Part::File { length, .. } => *length,
            Part::Memory(bytes) => bytes.len() as u64,
        };
        self.parts.iter().map(length).sum()
    }

    fn and(self, part: Part) -> Self {
        Self { parts: self.parts.iter().cloned().chain([part]).collect(), key: self.key }
    }

    /// Its bytes. A file that is shorter than it should be is an error, not a shorter archive.
    pub(crate) fn stream(&self) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let parts: Vec<Part> = self.parts.to_vec();
        stream::iter(parts.into_iter().map(Ok)).and_then(open).try_flatten()
    }
}

async fn open(part: Part) -> io::Result<stream::BoxStream<'static, io::Result<Bytes>>> {
    Ok(match part {
        Part::Memory(bytes) => stream::iter([Ok(bytes)]).boxed(),
        Part::File { path, length } => pieces(tokio::fs::File::open(path).await?.take(length)).boxed(),
    })
}

fn pieces(file: Take<tokio::fs::File>) -> impl Stream<Item = io::Result<Bytes>> + Send {
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
    async fn a_file_that_is_too_short_or_gone_is_an_error() {
        let file = file_of(b"four");
        let short = Archive::new("a").file(file.path(), 5);
        assert_eq!(read(&short).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let gone = Archive::new("a").file("/nowhere/at/all", 5);
        assert_eq!(read(&gone).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
