//! Standard output while somebody sits at a terminal: written by a thread of its own, so that a slow one holds up no key.

use bytes::Bytes;
use std::io::{self, Write};
use tokio::sync::{mpsc, oneshot, watch};

/// How many pieces may wait to be written.
const WAITING: usize = 8;

type Out = Box<dyn Write + Send>;

/// What is shown.
pub(super) struct Screen {
    pieces: mpsc::Sender<(Bytes, u64)>,
    /// What found no room.
    left: Option<(Bytes, u64)>,
    shown: watch::Receiver<u64>,
    given_back: oneshot::Receiver<Out>,
    is_gone: bool,
}

impl Screen {
    pub(super) fn begin(mut out: Out) -> Self {
        let (pieces, mut waiting) = mpsc::channel::<(Bytes, u64)>(WAITING);
        let (show, shown) = watch::channel(0);
        let (give_back, given_back) = oneshot::channel();
        std::thread::spawn(move || {
            while let Some((bytes, offset)) = waiting.blocking_recv() {
                if out.write_all(&bytes).and_then(|()| out.flush()).is_err() {
                    break;
                }
                show.send_replace(offset);
            }
            drop(show);
            // Nobody waits for it any more.
            let _gone = give_back.send(out);
        });
        Self { pieces, left: None, shown, given_back, is_gone: false }
    }

    /// Shows bytes; up to which offset that is, is told when it is done.
    pub(super) fn show(&mut self, bytes: Bytes, offset: Option<u64>) {
        if let Err(mpsc::error::TrySendError::Full(piece)) = self.pieces.try_send((bytes, offset.unwrap_or(0))) {
            self.left = Some(piece);
        }
    }

    /// Whether one more piece can be shown.
    pub(super) fn has_room(&self) -> bool {
        self.left.is_none()
    }

    /// Goes on with what waits; tells up to which offset all is shown when that has changed. Whoever reads it may be gone,
    /// too.
    pub(super) async fn progress(&mut self) -> Option<u64> {
        if self.is_gone {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            permit = self.pieces.reserve(), if self.left.is_some() => {
                match (permit, self.left.take()) {
                    (Ok(permit), Some(piece)) => permit.send(piece),
                    _ => self.is_gone = true,
                }
                None
            }
            changed = self.shown.changed() => {
                self.is_gone = changed.is_err();
                Some(*self.shown.borrow_and_update())
            }
        }
    }

    /// Whether nobody reads it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Shows what waits, and gives standard output back.
    pub(super) async fn end(mut self) -> Out {
        while !self.has_room() && !self.is_gone {
            self.progress().await;
        }
        let Self { pieces, given_back, .. } = self;
        drop(pieces);
        given_back.await.unwrap_or_else(|_| Box::new(io::sink()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Keeps what is written, and takes its time.
    #[derive(Clone, Default)]
    struct Slow(Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            std::thread::yield_now();
            let few = bytes.len().min(3);
            self.0.lock().unwrap().extend_from_slice(&bytes[..few]);
            Ok(few)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn all_of_it_is_written_in_order() {
        let out = Slow::default();
        let mut screen = Screen::begin(Box::new(out.clone()));
        let mut offset = 0;
        for number in 0..100 {
            while !screen.has_room() {
                screen.progress().await;
            }
            let text = format!("piece {number};");
            offset += text.len() as u64;
            screen.show(text.into(), Some(offset));
        }
        let mut shown = 0;
        while shown < offset {
            shown = screen.progress().await.unwrap_or(shown);
        }
        drop(screen.end().await);
        let expected: String = (0..100).map(|number| format!("piece {number};")).collect();
        assert_eq!(String::from_utf8(out.0.lock().unwrap().clone()).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_reader_who_goes_is_noticed() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut screen = Screen::begin(Box::new(Gone));
        screen.show(Bytes::from_static(b"x"), Some(1));
        while !screen.is_gone() {
            screen.progress().await;
        }
        drop(screen.end().await);
    }
}
