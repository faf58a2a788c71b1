//! Streams in both directions: an attached terminal, an exec.
//!
//! HTTP/2 has no `Upgrade`, so a talk is a request whose two bodies are the two directions. The header [`TALK`] says
//! how many bytes at the beginning are JSON for the engine; all that follow go to the container as they are, and the
//! end of the body closes the container's input and nothing else.

use super::{Gate, TunnelBody, hand_on, made, receive, unreachable};
use crate::allow::{Allowed, Shape, rebuild};
use crate::engine::BodyError;
use crate::refusal::Refusal;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, UPGRADE};
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::oneshot;

/// The header of a talk: how many bytes of JSON come first.
pub const TALK: &str = "x-pierhead-talk";
/// How much is read from a container at once, in bytes.
const PIECE: usize = 16 * 1024;
/// How long a controller may go on sending to a container that has said everything.
const GRACE: Duration = Duration::from_secs(5);

/// How many bytes of JSON a talk begins with; `None` if the request is none.
pub(super) fn json_length(headers: &HeaderMap) -> Result<Option<usize>, Refusal> {
    let Some(value) = headers.get(TALK) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    match length.filter(|length| *length <= receive::LONGEST_JSON) {
        Some(length) => Ok(Some(length)),
        None => Err(Refusal::malformed(format!("the header {TALK} must be a number of bytes"))),
    }
}

/// Refuses to start an exec that wants to talk, where nobody does.
pub(super) fn must_detach(json: &[u8]) -> Result<(), Refusal> {
    match is_detached(json) {
        true => Ok(()),
        false => Err(Refusal::not_allowed(format!("'Detach' must be true without the header {TALK}"))),
    }
}

fn is_detached(json: &[u8]) -> bool {
    let value: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    value.get("Detach").and_then(serde_json::Value::as_bool).unwrap_or(false)
}

impl Gate {
    pub(super) async fn talk<B>(
        &self,
        allowed: &Allowed,
        json: Option<(&Shape, usize)>,
        mut body: B,
    ) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        let (json, first) = match json {
            Some((shape, length)) => split(shape, length, &mut body).await?,
            None => (None, Bytes::new()),
        };
        let content_type = json.as_ref().map(|_| "application/json");
        let mut request = made(allowed, content_type, Full::from(json.unwrap_or_default()))?;
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        request.headers_mut().insert(UPGRADE, HeaderValue::from_static("tcp"));
        let mut answer = self.engine.send(request).await.map_err(|error| unreachable(&error))?;
        if answer.response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(hand_on(answer));
        }
        let content_type = answer.response.headers_mut().remove(CONTENT_TYPE);
        let upgraded = hyper::upgrade::on(answer.response).await.map_err(|error| {
            Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", format!("the engine did not begin to talk: {error}"))
        })?;
        let mut response = Response::new(carry(TokioIo::new(upgraded), first, body));
        if let Some(content_type) = content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        Ok(response)
    }
}

/// What comes from a stream, to which these bytes go and those of a body.
pub(super) fn carry<S, B>(stream: S, first: Bytes, body: B) -> TunnelBody
where
    S: AsyncRead + AsyncWrite + Send + 'static,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError> + Send,
{
    let (read, write) = tokio::io::split(stream);
    let (said, listening) = oneshot::channel::<()>();
    tokio::spawn(hear(first, body, write, listening));
    StreamBody::new(say(read, said)).boxed_unsync()
}

/// The JSON at the beginning, made anew, and what came behind it.
async fn split<B>(shape: &Shape, length: usize, body: &mut B) -> Result<(Option<Vec<u8>>, Bytes), Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let (json, rest) = receive::exactly(body, length).await?;
    let json = rebuild(shape, &json)?;
    if is_detached(&json) {
        return Err(Refusal::not_allowed("'Detach' must be false in a talk"));
    }
    Ok((Some(json), rest))
}

/// From the container to the controller; dropping it tells the other direction that this one is over.
fn say<S: AsyncRead + Send>(
    read: ReadHalf<S>,
    said: oneshot::Sender<()>,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, BodyError>> + Send {
    stream::unfold((read, said), |(mut read, said)| async move {
        let mut piece = Vec::with_capacity(PIECE);
        match read.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Frame::data(Bytes::from(piece))), (read, said))),
            Err(error) => Some((Err(error.into()), (read, said))),
        }
    })
}

/// From the controller to the container, until one of them has had enough.
async fn hear<S, B>(first: Bytes, body: B, write: WriteHalf<S>, listening: oneshot::Receiver<()>)
where
    S: AsyncWrite,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let over = async {
        let _gone = listening.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = copy(first, body, write) => {}
        () = over => {}
    }
}

async fn copy<S, B>(first: Bytes, mut body: B, mut write: WriteHalf<S>)
where
    S: AsyncWrite,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let mut next = Some(first);
    while let Some(piece) = next {
        if write.write_all(&piece).await.is_err() || write.flush().await.is_err() {
            return;
        }
        next = match body.frame().await {
            Some(Ok(frame)) => Some(frame.into_data().unwrap_or_default()),
            // A controller that broke off closed nothing on purpose.
            Some(Err(_)) => return,
            None => None,
        };
    }
    let _closed_already = write.shutdown().await;
}
