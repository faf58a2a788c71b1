//! The controller's end of what listens in containers of workspaces: which ports, and connections to them.

use super::{LONGEST_ANSWER, Tunnel, broken, parse};
use crate::engine::BodyError;
use crate::error::Result;
use crate::gate::{DIAL, PORTS};
use crate::previews::ListeningPort;
use crate::whole::Whole;
use futures_util::stream;
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::Request;
use hyper::body::{Body, Bytes, Frame, Incoming};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};

/// How much may wait to be sent, in bytes.
const WAITING: usize = 64 * 1024;
/// How much is sent in one piece at most, in bytes.
const PIECE: usize = 16 * 1024;

/// A connection to a port of a container. The end of one direction leaves the other open.
pub struct Dialled {
    body: Whole<Incoming>,
    /// What came and was not read yet.
    came: Bytes,
    to_agent: DuplexStream,
    /// There may be a newer one meanwhile.
    _tunnel: Tunnel,
}

impl Tunnel {
    /// Connects to a port of a workspace's container, whatever controller leads.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses: nothing listens there, or the container is none of that workspace.
    pub async fn dial(&self, workspace: &str, container: &str, port: u16) -> Result<Dialled> {
        let (to_agent, waiting) = tokio::io::duplex(WAITING);
        let target = format!("{DIAL}?workspace={workspace}&container={container}&port={port}");
        let body = StreamBody::new(pieces(waiting)).boxed_unsync();
        let body = self.ask(Request::post(target).body(body).map_err(|error| broken(error.into()))?).await?;
        Ok(Dialled { body, came: Bytes::new(), to_agent, _tunnel: self.clone() })
    }

    /// The ports on which something listens in a workspace's container.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses.
    pub async fn listening(&self, workspace: &str, container: &str) -> Result<Vec<ListeningPort>> {
        let body = self.get(&format!("{PORTS}?workspace={workspace}&container={container}")).await?;
        let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(broken)?;
        parse(&body.to_bytes())
    }
}

/// What was written, piece by piece, until the writer's end.
fn pieces(waiting: DuplexStream) -> impl stream::Stream<Item = std::result::Result<Frame<Bytes>, BodyError>> + Send {
    stream::unfold(waiting, |mut waiting| async move {
        let mut piece = Vec::with_capacity(PIECE);
        match waiting.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Frame::data(piece.into())), waiting)),
            Err(error) => Some((Err(error.into()), waiting)),
        }
    })
}

impl AsyncRead for Dialled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.came.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => self.came = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.came.len().min(buf.remaining());
        buf.put_slice(&self.came.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.to_agent).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to_agent).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to_agent).poll_shutdown(cx)
    }
}
