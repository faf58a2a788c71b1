//! From the engine's client to the tunnel: a connection inside of this program, whose requests go on as streams of the
//! tunnel with the leader's term. An answer that breaks off in the tunnel breaks off here too.

use super::Agents;
use super::refusals::Refused;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pierhead_agent::{AgentError, REFUSAL, TERM, Tunnel, Whole};
use pierhead_engine::{Dial, Stream};
use pierhead_model::EngineId;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How much may be on its way inside of this program, in bytes.
const BUFFER: usize = 64 * 1024;
/// What goes on to the agent of a request's headers.
const HANDED_ON: &str = "x-registry-auth";

/// The way to one engine.
pub(super) struct Way {
    pub agents: Arc<Agents>,
    pub engine: EngineId,
}

#[async_trait::async_trait]
impl Dial for Way {
    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let away = || io::Error::new(io::ErrorKind::NotConnected, "the host's agent has no tunnel open");
        let tunnel = self.agents.tunnel(&self.engine).ok_or_else(away)?;
        let (near, far) = tokio::io::duplex(BUFFER);
        let (agents, engine) = (Arc::clone(&self.agents), self.engine.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (agents, engine, tunnel) = (Arc::clone(&agents), engine.clone(), tunnel.clone());
                async move { through(&agents, &engine, tunnel, request).await }
            });
            // How it ended is seen at the other end.
            let _ended = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(far), service).await;
        });
        Ok(Box::new(near))
    }

    fn is_agent(&self) -> bool {
        true
    }
}

async fn through(
    agents: &Agents,
    engine: &EngineId,
    tunnel: Tunnel,
    request: Request<Incoming>,
) -> Result<Response<Kept>, AgentError> {
    let (head, body) = request.into_parts();
    let what = format!("{} {}", head.method, head.uri.path());
    let mut asked = Request::new(body.map_err(Into::into).boxed_unsync());
    *asked.method_mut() = head.method;
    *asked.uri_mut() = head.uri;
    if let Some(account) = head.headers.get(HANDED_ON) {
        asked.headers_mut().insert(HANDED_ON, account.clone());
    }
    if let Some(term) = agents.term() {
        asked.headers_mut().insert(TERM, term.into());
    }
    let answer = tunnel.send(asked).await?;
    let code = answer.headers().get(REFUSAL).map(HeaderValue::to_str);
    if let Some(Ok(code)) = code {
        let refused = Refused { engine: Some(engine.clone()), code: code.to_owned(), what };
        // Where so many wait, one more tells nothing new.
        let _full = agents.refused.try_send(refused);
    }
    Ok(answer.map(|body| Kept { body, _tunnel: tunnel }))
}

/// The body of an answer, which keeps the tunnel open that it comes through: there may be a newer one.
struct Kept {
    body: Whole<Incoming>,
    _tunnel: Tunnel,
}

impl Body for Kept {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
