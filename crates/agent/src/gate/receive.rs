//! The bodies of requests: nothing, a little JSON, or an archive on its way.

use crate::engine::BodyError;
use crate::refusal::Refusal;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame};
use std::time::Duration;

/// The longest JSON that is taken, in bytes.
pub(super) const LONGEST_JSON: usize = 512 * 1024;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// JSON as it came.
pub(super) async fn json<B>(mut body: B) -> Result<Vec<u8>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let (json, rest) = up_to(&mut body, LONGEST_JSON).await?;
    if rest.is_empty() { Ok(json) } else { Err(Refusal::too_large(LONGEST_JSON)) }
}

/// Refuses a body where there must be none.
pub(super) async fn nothing<B>(mut body: B) -> Result<(), Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    match up_to(&mut body, 0).await?.1.is_empty() {
        true => Ok(()),
        false => Err(Refusal::not_allowed("this request has no body")),
    }
}

/// The first bytes of a body, fewer only if it ends before, and what came behind them, if anything.
async fn up_to<B>(body: &mut B, wanted: usize) -> Result<(Vec<u8>, Bytes), Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    in_time(async {
        let mut first = Vec::new();
        while let Some(mut data) = piece(body).await? {
            let missing = (wanted - first.len()).min(data.len());
            first.extend_from_slice(&data.split_to(missing));
            if !data.is_empty() {
                return Ok((first, data));
            }
        }
        Ok((first, Bytes::new()))
    })
    .await
}

/// The first bytes of a body, as soon as they are there, and what came with the last of them.
pub(super) async fn exactly<B>(body: &mut B, wanted: usize) -> Result<(Vec<u8>, Bytes), Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    in_time(async {
        let mut first = Vec::new();
        while first.len() < wanted {
            let data = piece(body).await?;
            let mut data = data.ok_or_else(|| Refusal::malformed("the body ends within its JSON"))?;
            let missing = (wanted - first.len()).min(data.len());
            first.extend_from_slice(&data.split_to(missing));
            if !data.is_empty() {
                return Ok((first, data));
            }
        }
        Ok((first, Bytes::new()))
    })
    .await
}

async fn piece<B>(body: &mut B) -> Result<Option<Bytes>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    match body.frame().await {
        None => Ok(None),
        Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
        Some(Err(_)) => Err(Refusal::malformed("the body broke off")),
    }
}

async fn in_time<T>(read: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time");
    tokio::time::timeout(PATIENCE, read).await.map_err(late)?
}

/// An archive: its bytes as they come, and nothing else. An empty piece is left out, since it would end the body.
pub(super) fn archive<B>(body: B) -> UnsyncBoxBody<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError> + Send,
{
    let frames = stream::unfold(body, |mut body| async move {
        loop {
            match body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Some((Ok(Frame::data(data)), body)),
                    _ => {}
                },
                Err(error) => return Some((Err(error.into()), body)),
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
