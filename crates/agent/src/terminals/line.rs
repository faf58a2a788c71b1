//! A viewer's line through the tunnel: frames in the two bodies of a request, one after the other as bytes.

use super::{Joined, Place};
use crate::engine::BodyError;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame as Piece};
use pierhead_sessions::Line;
use pierhead_terminal::{Frame, FrameDecoder};
use tokio::sync::{mpsc, oneshot};

/// How much is sent in one piece if there is more, in bytes.
const PIECE: usize = 64 * 1024;

/// Both directions of a line: what the session says, and what ends the other direction when it is dropped.
struct Said {
    frames: mpsc::Receiver<Frame>,
    _heard: oneshot::Sender<()>,
    _place: Place,
}

impl Joined {
    /// Hears what a viewer sends, first of all these bytes, for as long as what is said is taken.
    pub(crate) fn run<B>(
        self,
        first: Bytes,
        body: B,
    ) -> impl Stream<Item = Result<Piece<Bytes>, BodyError>> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        let Line { to_session, from_session } = self.line;
        let (heard, is_over) = oneshot::channel();
        tokio::spawn(async move {
            tokio::select! {
                () = hear(first, body, to_session) => {}
                // The answer is gone, and the viewer with it.
                _ = is_over => {}
            }
        });
        let said = Said { frames: from_session, _heard: heard, _place: self.place };
        stream::unfold(said, |mut said| async move {
            let first = said.frames.recv().await?;
            Some((together(first, &mut said.frames).map(Piece::data), said))
        })
    }
}

/// A frame as bytes, and what comes behind it and is there already.
fn together(first: Frame, more: &mut mpsc::Receiver<Frame>) -> Result<Bytes, BodyError> {
    let mut piece = bytes::BytesMut::new();
    first.encode(&mut piece)?;
    while piece.len() < PIECE {
        let Ok(frame) = more.try_recv() else { break };
        frame.encode(&mut piece)?;
    }
    Ok(piece.freeze())
}

/// From the viewer to the session, until one of them has had enough, or the viewer does not keep to the protocol.
async fn hear<B>(first: Bytes, mut body: B, to_session: mpsc::Sender<Frame>)
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let mut decoder = FrameDecoder::new();
    let mut next = Some(first);
    while let Some(piece) = next {
        decoder.buffer().extend_from_slice(&piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    if to_session.send(frame).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => return tracing::debug!(%error, "a viewer's line is of no use"),
            }
        }
        next = match body.frame().await {
            Some(Ok(piece)) => Some(piece.into_data().unwrap_or_default()),
            Some(Err(_)) | None => None,
        };
    }
}
