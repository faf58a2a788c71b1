//! An archive that comes in: unpacked if it is compressed, hashed and written as it comes, never held in memory.

use super::inspect::{Inspected, inspect};
use super::{ArchiveError, Images};
use crate::spool::{PartFile, room};
use flate2::bufread::MultiGzDecoder;
use pierhead_blobs::Digest as Name;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

/// How much is read and written at once, in bytes.
const PIECE: usize = 256 * 1024;
/// How many pieces may wait to be written.
const WAITING: usize = 8;
/// After how many bytes the room is looked at again.
const LOOK_EVERY: u64 = 16 << 20;

/// An archive that is coming in. Dropping it removes what came.
pub struct Upload {
    pieces: mpsc::Sender<Piece>,
    writer: JoinHandle<Result<Received, ArchiveError>>,
    _place: OwnedSemaphorePermit,
}

/// An archive that has come and is what it should be; goes with its file unless the file is moved away.
pub(crate) struct Received {
    pub(super) part: PartFile,
    pub(crate) digest: Name,
    pub(crate) size: u64,
    pub(crate) inspected: Inspected,
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

impl Images {
    /// Begins to take an archive; `announced` is how many bytes will come, if that is known.
    pub(crate) fn begin(&self, announced: Option<u64>, name: &str) -> Result<Upload, ArchiveError> {
        let announced = announced.unwrap_or(0);
        let most_bytes = self.largest_bytes;
        if announced > most_bytes {
            return Err(ArchiveError::TooLarge { most_bytes });
        }
        let place = self.uploads.clone().try_acquire_owned().map_err(|_| ArchiveError::Busy)?;
        let (file, part) = PartFile::make(self.blobs.spool(), name).map_err(ArchiveError::keep)?;
        if room(&file).map_err(ArchiveError::keep)? < announced {
            return Err(ArchiveError::NoRoom);
        }
        let (pieces, coming) = mpsc::channel(WAITING);
        let coming = Coming { pieces: coming, open: io::Cursor::new(Vec::new()), has_ended: false };
        let writer = tokio::task::spawn_blocking(move || receive(coming, file, part, most_bytes));
        Ok(Upload { pieces, writer, _place: place })
    }

    /// Puts an archive where it stays.
    pub(crate) async fn keep(&self, received: &Received) -> Result<(), ArchiveError> {
        Ok(self.blobs.keep(&received.part.0, &received.digest).await?)
    }
}

impl Upload {
    /// Takes the next bytes; waits while the disk is slow.
    ///
    /// # Errors
    /// [`ArchiveError`] if nothing more is taken: why is told by the end of the upload.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), ArchiveError> {
        self.pieces.send(Piece::Bytes(bytes)).await.map_err(|_| ArchiveError::Interrupted)
    }

    /// All has come, or no more is taken: looks at what it is.
    pub(crate) async fn finish(self) -> Result<Received, ArchiveError> {
        // A writer that has ended says why.
        let _ended = self.pieces.send(Piece::End).await;
        match self.writer.await {
            Ok(received) => received,
            Err(error) => Err(ArchiveError::keep(io::Error::other(error))),
        }
    }
}

/// What comes, as something that can be read.
struct Coming {
    pieces: mpsc::Receiver<Piece>,
    open: io::Cursor<Vec<u8>>,
    has_ended: bool,
}

impl Read for Coming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.open.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.has_ended {
                return Ok(read);
            }
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.open = io::Cursor::new(bytes),
                Some(Piece::End) => self.has_ended = true,
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
    }
}

fn receive(coming: Coming, mut file: File, part: PartFile, most_bytes: u64) -> Result<Received, ArchiveError> {
    let mut coming = BufReader::with_capacity(PIECE, coming);
    let begin = coming.fill_buf().map_err(broken)?;
    let (digest, size) = match begin {
        [] => return Err(ArchiveError::Malformed("the body is empty".to_owned())),
        [0x1f, 0x8b, ..] => write(MultiGzDecoder::new(coming), &mut file, most_bytes)?,
        _ if is_compressed(begin) => {
            return Err(ArchiveError::Malformed("it is compressed; only gzip is unpacked here".to_owned()));
        }
        _ => write(coming, &mut file, most_bytes)?,
    };
    let inspected = inspect(&mut file)?;
    file.sync_all().map_err(ArchiveError::keep)?;
    Ok(Received { part, digest, size, inspected })
}

/// Whether it begins as files of zstd, xz and bzip2 do.
fn is_compressed(begin: &[u8]) -> bool {
    [&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xfd, b'7', b'z', b'X', b'Z'], b"BZh"]
        .iter()
        .any(|magic| begin.starts_with(magic))
}

/// Writes all that comes; its digest, and how much it was.
fn write(mut from: impl Read, file: &mut File, most_bytes: u64) -> Result<(Name, u64), ArchiveError> {
    let (mut hash, mut size, mut looked) = (Sha256::new(), 0_u64, 0_u64);
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok((Name::of(hash.finalize().into()), size)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(error)),
        };
        size += read as u64;
        if size > most_bytes {
            return Err(ArchiveError::TooLarge { most_bytes });
        }
        if size >= looked {
            looked = size + LOOK_EVERY;
            room(file).map_err(ArchiveError::keep)?;
        }
        hash.update(&buffer[..read]);
        file.write_all(&buffer[..read]).map_err(ArchiveError::keep)?;
    }
}

/// What comes broke off, or can't be unpacked.
fn broken(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::ConnectionAborted => ArchiveError::Interrupted,
        _ => ArchiveError::Malformed(format!("it can't be unpacked ({error})")),
    }
}

#[cfg(test)]
mod tests;
