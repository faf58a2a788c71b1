//! From the engine's client to the tunnel: a connection inside of this program, whose requests go on as streams of the
//! tunnel with the leader's term. An answer that breaks off in the tunnel breaks off here too.

use super::Agents;
use super::refusals::Refused;
use super::talking::Talking;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::HeaderValue;
use hyper::http::response::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pierhead_agent::{AgentError, REFUSAL, TERM, Tunnel, Whole, in_words};
use pierhead_engine::{Dial, Stream, Talk};
use pierhead_model::EngineId;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How much may be on its way inside of this program, in bytes.
const BUFFER: usize = 64 * 1024;
/// What goes on to the agent of a request's headers.
const HANDED_ON: &str = "x-registry-auth";
/// The longest refusal that is read, in bytes.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// The way to one engine.
pub(super) struct Way {
    pub agents: Arc<Agents>,
    pub engine: EngineId,
}

#[async_trait::async_trait]
impl Dial for Way {
    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let tunnel = self.tunnel()?;
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

    async fn talk(&self, path: &str, json: &[u8]) -> io::Result<Talk> {
        let tunnel = self.tunnel()?;
        let no_leader = || io::Error::new(io::ErrorKind::NotConnected, "no controller leads that this one knows of");
        let term = self.agents.term().ok_or_else(no_leader)?;
        let failed = |error: AgentError| io::Error::other(in_words(&error));
        let talk = tunnel.talk(path, term, json).await.map_err(failed)?;
        let (head, body) = talk.answer.into_parts();
        if head.status.is_success() {
            return Ok(Talk::Open(Box::new(Talking::new(talk.input, body, tunnel))));
        }
        self.agents.note_refusal(&self.engine, &head, format!("POST {path}"));
        let body = Limited::new(body, LONGEST_REFUSAL).collect().await.map_err(io::Error::other)?;
        Ok(Talk::Refused(head.status.as_u16(), body.to_bytes().to_vec()))
    }

    fn is_agent(&self) -> bool {
        true
    }
}

impl Way {
    fn tunnel(&self) -> io::Result<Tunnel> {
        let away = || io::Error::new(io::ErrorKind::NotConnected, "the host's agent has no tunnel open");
        self.agents.tunnel(&self.engine).ok_or_else(away)
    }
}

impl Agents {
    /// Has it told if this is an agent's refusal.
    fn note_refusal(&self, engine: &EngineId, answer: &Parts, what: String) {
        if let Some(Ok(code)) = answer.headers.get(REFUSAL).map(HeaderValue::to_str) {
            let refused = Refused { engine: Some(engine.clone()), code: code.to_owned(), what };
            // Where so many wait, one more tells nothing new.
            let _full = self.refused.try_send(refused);
        }
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
    let (head, body) = tunnel.send(asked).await?.into_parts();
    agents.note_refusal(engine, &head, what);
    Ok(Response::from_parts(head, Kept { body, _tunnel: tunnel }))
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
