//! The controller's end of the files of workspaces' containers.

use super::{LONGEST_ANSWER, Tunnel, broken, parse};
use crate::engine::BodyError;
use crate::error::{AgentError, Result};
use crate::files::FileAsking;
use crate::gate::{FILES, TALK, TunnelBody};
use crate::whole::Whole;
use futures_util::stream::{self, Stream, StreamExt};
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response};
use pierhead_model::{FileAct, FileTold};
use std::io;

/// The longest list of a folder, in bytes.
const LONGEST_LIST: usize = 16 << 20;

/// What an agent tells of files.
#[derive(Debug)]
pub struct ToldOfFiles {
    /// What was done.
    pub told: FileTold,
    /// What came behind it already.
    first: Bytes,
    body: Whole<Incoming>,
    /// There may be a newer one meanwhile.
    _tunnel: Tunnel,
}

impl Tunnel {
    /// Does something with the files of a workspace's container, whatever controller leads; what is written are the
    /// pieces of `bytes`.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses: the container is none of that workspace or does not run, or it is as with
    /// any file.
    pub async fn files<S>(&self, workspace: &str, container: &str, act: FileAct, bytes: S) -> Result<ToldOfFiles>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let asking = FileAsking { workspace: workspace.to_owned(), container: container.to_owned(), act };
        let json = serde_json::to_vec(&asking).map_err(|error| broken(error.into()))?;
        let length = json.len();
        let first = stream::iter([Ok(Bytes::from(json))]);
        let bytes = bytes.filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty)));
        let frames = first.chain(bytes).map(|piece| piece.map(Frame::data).map_err(BodyError::from));
        let body: TunnelBody = StreamBody::new(frames).boxed_unsync();
        let request = Request::post(FILES).header(TALK, length).body(body).map_err(|error| broken(error.into()))?;
        let (head, mut body) = self.send(request).await?.into_parts();
        if !head.status.is_success() {
            let message = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(broken)?.to_bytes();
            let message = String::from_utf8_lossy(&message).into_owned();
            return Err(AgentError::Refused { status: head.status.as_u16(), message });
        }
        let (json, first) = told(&Response::from_parts(head, ()), &mut body).await?;
        Ok(ToldOfFiles { told: parse(&json)?, first, body, _tunnel: self.clone() })
    }
}

/// The JSON at the beginning of an answer, and what came behind it.
async fn told(head: &Response<()>, body: &mut Whole<Incoming>) -> Result<(Bytes, Bytes)> {
    let odd = || broken("the agent's answer is none".into());
    let length = head.headers().get(TALK).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let length = length.filter(|length| *length <= LONGEST_LIST).ok_or_else(odd)?;
    let mut all = Vec::new();
    while all.len() < length {
        let frame = body.frame().await.ok_or_else(odd)?.map_err(broken)?;
        all.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    let rest = all.split_off(length);
    Ok((all.into(), rest.into()))
}

impl ToldOfFiles {
    /// The bytes that were asked for. They end with an error if they are not all.
    pub fn into_bytes(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let first = stream::iter((!self.first.is_empty()).then_some(Ok(self.first)));
        let rest = stream::unfold((self.body, self._tunnel), |(mut body, tunnel)| async move {
            let piece = body.frame().await?;
            let piece = piece.map(|frame| frame.into_data().unwrap_or_default()).map_err(io::Error::other);
            Some((piece, (body, tunnel)))
        });
        first.chain(rest)
    }
}
