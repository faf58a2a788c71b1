//! What goes between a thread that reads and writes files and the streams of a request. Little waits in them: whoever is
//! quicker waits for the other, and neither for ever.

use crate::engine::BodyError;
use hyper::body::Bytes;
use std::io::{self, Write};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How much is sent in one piece, in bytes.
const PIECE: usize = 64 * 1024;
/// How long whoever asked may take no byte of what is sent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a thread writes what was asked for.
pub(super) struct Outlet {
    pieces: mpsc::Sender<Result<Bytes, BodyError>>,
    runtime: Handle,
    held: Vec<u8>,
}

impl Outlet {
    /// To be called within a runtime.
    pub(super) fn new(pieces: mpsc::Sender<Result<Bytes, BodyError>>) -> Self {
        Self { pieces, runtime: Handle::current(), held: Vec::with_capacity(PIECE) }
    }

    /// Says that no more comes, and that it is not all.
    pub(super) fn fail(&mut self, error: io::Error) {
        drop(self.send(Err(error.into())));
    }

    fn send(&mut self, piece: Result<Bytes, BodyError>) -> io::Result<()> {
        let sent = self.runtime.block_on(self.pieces.send_timeout(piece, PATIENCE));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes it any more"))
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.held.len());
        self.held.extend_from_slice(&bytes[..taken]);
        if self.held.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE));
        self.send(Ok(piece.into()))
    }
}

/// Where what shall be written comes in.
pub(super) struct Feed(mpsc::Sender<Option<Bytes>>);

/// Where a thread takes it.
pub(super) struct Food(mpsc::Receiver<Option<Bytes>>);

/// Both ends; so many pieces wait between them.
pub(super) fn feed(waiting: usize) -> (Feed, Food) {
    let (feed, food) = mpsc::channel(waiting);
    (Feed(feed), Food(food))
}

impl Feed {
    /// Hands on a piece; `false` if nobody takes it any more.
    pub(super) async fn give(&mut self, piece: Bytes) -> bool {
        self.0.send(Some(piece)).await.is_ok()
    }

    /// Says that this was all. Without it what came is a part only.
    pub(super) async fn end(self) {
        // Nobody asks any more.
        drop(self.0.send(None).await);
    }
}

impl Food {
    /// The next piece; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        self.0.blocking_recv().ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "it broke off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_go_in_pieces_and_a_failure_behind_them() {
        let (sender, mut pieces) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        let writing = std::thread::spawn(move || {
            outlet.write_all(&vec![7; PIECE + 5]).unwrap();
            outlet.flush().unwrap();
            outlet.flush().unwrap();
            outlet.fail(io::Error::other("the disk is gone"));
        });
        let mut sizes = Vec::new();
        let failure = loop {
            match pieces.recv().await.unwrap() {
                Ok(piece) => sizes.push(piece.len()),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!((sizes, failure.as_str()), (vec![PIECE, 5], "the disk is gone"));
        writing.join().unwrap();
    }

    #[tokio::test]
    async fn who_went_away_ends_it() {
        let (sender, pieces) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        drop(pieces);
        let writing = std::thread::spawn(move || outlet.write_all(&vec![7; PIECE]).unwrap_err().kind());
        assert_eq!(writing.join().unwrap(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn an_end_is_told_from_a_breaking_off() {
        for is_whole in [true, false] {
            let (mut feed, mut food) = feed(2);
            assert!(feed.give(Bytes::from_static(b"a")).await);
            if is_whole {
                feed.end().await
            } else {
                drop(feed)
            }
            let read = std::thread::spawn(move || (food.next().unwrap(), food.next().map_err(|error| error.kind())));
            let (first, then) = read.join().unwrap();
            assert_eq!(first.as_deref(), Some(b"a".as_slice()));
            assert_eq!(then, if is_whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof) });
        }
    }
}
