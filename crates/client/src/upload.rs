//! A body that is read while it is sent, from something that blocks.

use crate::connection::{Lost, OutBody};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// How much is read at once, in bytes.
const PIECE: usize = 256 * 1024;
/// How many pieces may wait to be sent.
const WAITING: usize = 4;

struct Coming {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// How many bytes are still to come, if that is known.
    left: Option<u64>,
}

/// The body that `source` holds, all of it or its first `size` bytes. To be called within a runtime.
pub(crate) fn coming(
    source: impl Read + Send + 'static,
    size: Option<u64>,
    progress: impl Fn(u64) + Send + 'static,
) -> OutBody {
    let (tell, pieces) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || read(source, size, &progress, &tell));
    Coming { pieces, left: size }.boxed_unsync()
}

fn read(mut source: impl Read, size: Option<u64>, progress: &dyn Fn(u64), tell: &mpsc::Sender<io::Result<Bytes>>) {
    let mut sent = 0;
    while size.is_none_or(|size| sent < size) {
        let most = size.map_or(PIECE, |size| PIECE.min(usize::try_from(size - sent).unwrap_or(PIECE)));
        let mut piece = vec![0; most];
        let outcome = match source.read(&mut piece) {
            Ok(0) if size.is_some() => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                sent += read as u64;
                Ok(Bytes::from(piece))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = outcome.is_err();
        // Nobody takes it any more once the answer is there.
        if tell.blocking_send(outcome).is_err() || is_over {
            return;
        }
        progress(sent);
    }
}

impl Body for Coming {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        self.pieces.poll_recv(context).map(|piece| {
            piece.map(|piece| {
                let bytes = piece?;
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                Ok(Frame::data(bytes))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    async fn sent(source: impl Read + Send + 'static, size: Option<u64>) -> (Result<Vec<u8>, String>, Vec<u64>) {
        let told: Arc<Mutex<Vec<u64>>> = Arc::default();
        let keep = Arc::clone(&told);
        let body = coming(source, size, move |sent| keep.lock().unwrap().push(sent));
        assert_eq!(body.size_hint().exact(), size);
        let read = body.collect().await.map(|all| all.to_bytes().to_vec()).map_err(|error| error.to_string());
        let told = told.lock().unwrap().clone();
        (read, told)
    }

    #[tokio::test]
    async fn all_of_it_comes_with_its_size_and_without() {
        let content: Vec<u8> = (0..3 * PIECE + 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let length = content.len() as u64;
        for size in [None, Some(length)] {
            let (read, told) = sent(io::Cursor::new(content.clone()), size).await;
            assert!(read.unwrap() == content);
            assert!(told.is_sorted() && told.len() >= 3, "{told:?}");
        }
        assert_eq!(sent(io::Cursor::new(content.clone()), Some(7)).await.0.unwrap(), content[..7]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_ends_the_request() {
        let short = sent(io::Cursor::new(vec![1; 10]), Some(11)).await.0;
        assert_eq!(short.unwrap_err(), "the file became shorter");
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        assert_eq!(sent(Broken, None).await.0.unwrap_err(), "the disk is gone");
    }
}
