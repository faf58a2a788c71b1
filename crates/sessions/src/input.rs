//! What was typed and waits for the process. It never waits behind what the process prints.

use bytes::Bytes;
use pierhead_terminal::Session;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

/// When so much waits, no more is taken from the driver, in bytes.
const FULL: usize = 1024 * 1024;

enum Piece {
    Bytes(Bytes),
    End,
}

/// The way of input to the process.
pub(crate) struct Input {
    pieces: mpsc::UnboundedSender<Piece>,
    waiting: AtomicUsize,
    /// Told when there is room again.
    room: Notify,
}

/// The end of it where the process is.
pub(crate) struct InputEnd(mpsc::UnboundedReceiver<Piece>);

impl Input {
    pub(crate) fn new() -> (Self, InputEnd) {
        let (pieces, end) = mpsc::unbounded_channel();
        (Self { pieces, waiting: AtomicUsize::new(0), room: Notify::new() }, InputEnd(end))
    }

    /// Queues input; what comes after the end of the process is lost.
    pub(crate) fn put(&self, bytes: Bytes) {
        self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        let _ended = self.pieces.send(Piece::Bytes(bytes));
    }

    /// No input comes any more.
    pub(crate) fn end(&self) {
        let _ended = self.pieces.send(Piece::End);
    }

    /// Whether so much waits that its source should.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= FULL && !self.pieces.is_closed()
    }

    /// Waits until there may be room.
    pub(crate) async fn has_room(&self) {
        let room = self.room.notified();
        if self.is_full() {
            room.await;
        }
    }

    /// Writes to the process until it takes no more.
    pub(crate) async fn write_to<W: AsyncWrite + Unpin>(
        &self,
        mut end: InputEnd,
        mut process: W,
        session: &Mutex<Session>,
        resume: &Notify,
    ) {
        while let Some(piece) = end.0.recv().await {
            let written = match &piece {
                Piece::Bytes(bytes) => process.write_all(bytes).await,
                Piece::End => process.shutdown().await,
            };
            if let Piece::Bytes(bytes) = &piece {
                let was = self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                if was >= FULL && !self.is_full() {
                    crate::locked(session).input_full(false);
                    self.room.notify_waiters();
                    resume.notify_one();
                }
            }
            if let Err(error) = written {
                tracing::debug!(%error, "the process takes no input any more");
                break;
            }
        }
        end.0.close();
        crate::locked(session).input_full(false);
        self.room.notify_waiters();
    }
}
