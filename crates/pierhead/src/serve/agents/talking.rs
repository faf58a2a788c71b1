//! Both directions of a process in a container behind an agent, as one stream of bytes.

use hyper::body::{Body, Bytes};
use pierhead_agent::Tunnel;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

/// The most that is sent in one piece, in bytes.
const PIECE: usize = 64 * 1024;

/// A place for a piece of input, as soon as there is one.
type Room = Pin<Box<dyn Future<Output = Option<mpsc::OwnedPermit<Bytes>>> + Send>>;

/// What is read is what the process says, and breaks off where that does; what is written is its input, which ends with a
/// shutdown. The way stays open as long as there is one of these.
pub(super) struct Talking<B, W = Tunnel> {
    said: B,
    /// What came and was not read yet.
    left: Bytes,
    input: Option<mpsc::Sender<Bytes>>,
    room: Option<Room>,
    _way: W,
}

impl<B, W> Talking<B, W> {
    /// The directions of a talk.
    pub(super) fn new(input: mpsc::Sender<Bytes>, said: B, way: W) -> Self {
        Self { said, left: Bytes::new(), input: Some(input), room: None, _way: way }
    }
}

impl<B, W> AsyncRead for Talking<B, W>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    W: Unpin,
{
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.left.is_empty() {
            match ready!(Pin::new(&mut self.said).poll_frame(cx)) {
                Some(Ok(frame)) => self.left = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.left.len().min(read.remaining());
        read.put_slice(&self.left.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<B: Unpin, W: Unpin> AsyncWrite for Talking<B, W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        let Some(input) = self.input.clone() else { return Poll::Ready(Err(closed())) };
        let room = self.room.get_or_insert_with(|| Box::pin(async move { input.reserve_owned().await.ok() }));
        let permit = ready!(room.as_mut().poll(cx));
        self.room = None;
        let Some(permit) = permit else { return Poll::Ready(Err(closed())) };
        let length = bytes.len().min(PIECE);
        permit.send(Bytes::copy_from_slice(&bytes[..length]));
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        (self.input, self.room) = (None, None);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    type Said = Vec<Result<Frame<Bytes>, io::Error>>;

    fn talking(said: Said) -> (Talking<impl Body<Data = Bytes, Error = io::Error> + Unpin, ()>, mpsc::Receiver<Bytes>) {
        let (input, heard) = mpsc::channel(1);
        (Talking::new(input, StreamBody::new(stream::iter(said)), ()), heard)
    }

    fn piece(text: &'static str) -> Result<Frame<Bytes>, io::Error> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    #[tokio::test]
    async fn what_is_said_is_read_to_its_end_or_its_break() {
        let (mut whole, _heard) = talking(vec![piece("one "), piece(""), piece("two")]);
        let mut read = String::new();
        whole.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "one two");
        let (mut broken, _heard) = talking(vec![piece("one"), Err(io::Error::other("cut"))]);
        let mut read = Vec::new();
        let error = broken.read_to_end(&mut read).await.unwrap_err();
        assert!(read == b"one" && error.to_string().contains("cut"), "{error}: {read:?}");
    }

    #[tokio::test]
    async fn input_comes_in_order_waits_for_room_and_ends_with_a_shutdown() {
        let (mut talking, mut heard) = talking(vec![]);
        let sent: Vec<u8> = (0..300_000_u32).map(|at| (at >> 3) as u8).collect();
        let all = sent.clone();
        let sending = tokio::spawn(async move {
            talking.write_all(&all).await.unwrap();
            talking.shutdown().await.unwrap();
            assert_eq!(talking.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        });
        let mut came = Vec::new();
        while let Some(piece) = heard.recv().await {
            assert!(piece.len() <= PIECE);
            came.extend_from_slice(&piece);
        }
        sending.await.unwrap();
        assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
    }

    #[tokio::test]
    async fn nobody_hears_it_any_more() {
        let (mut talking, heard) = talking(vec![]);
        drop(heard);
        assert_eq!(talking.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
