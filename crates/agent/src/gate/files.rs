//! What of a request has to do with the files of a workspace's containers. Any controller may ask, for changes too: what
//! people type into a terminal comes through any of them as well, and it makes no difference to files that there are once.

use super::{Gate, TALK, TunnelBody, receive, talk};
use crate::allow::Access;
use crate::engine::BodyError;
use crate::files::{Done, FileAsking};
use crate::forbid;
use crate::refusal::Refusal;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use pierhead_model::FileAct;

/// Where something is asked of files. What is asked is JSON at the beginning of the body, with its length in the header
/// [`TALK`]; the bytes of a file that is written follow. The answer has the same form.
pub(crate) const FILES: &str = "/pierhead/files";

/// Whether a request is about files.
pub(super) fn is_asked(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path() == FILES && head.uri.query().is_none()
}

impl Gate {
    pub(super) async fn of_files<B>(&self, head: &Parts, mut body: B) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        self.terms.admit(Access::Read, &head.headers).await?;
        let length = talk::json_length(&head.headers)?
            .ok_or_else(|| Refusal::malformed(format!("it needs the header {TALK}")))?;
        let (json, first) = receive::exactly(&mut body, length).await?;
        let asking: FileAsking =
            serde_json::from_slice(&json).map_err(|error| Refusal::malformed(error.to_string()))?;
        if !matches!(asking.act, FileAct::Write { .. }) && !first.is_empty() {
            return Err(Refusal::not_allowed("no bytes may follow what is asked here"));
        }
        forbid::check_container(&self.forbidden, &asking.container, &self.engine).await?;
        let Done { told, bytes } = self.files.act(&self.engine, asking, first, body).await?;
        let json = serde_json::to_vec(&told).unwrap_or_default();
        let length = json.len();
        let first = stream::iter([Ok(Frame::data(Bytes::from(json)))]);
        let mut response = Response::new(StreamBody::new(first.chain(bytes)).boxed_unsync());
        response.headers_mut().insert(TALK, length.into());
        Ok(response)
    }
}
