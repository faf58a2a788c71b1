//! What happens to a request that comes out of the tunnel: the list, the leader's term, then the engine.
//!
//! Decides nothing itself about what is allowed, and keeps nothing from one request to the next but the term.

mod count;
mod files;
mod images;
mod leases;
mod pieces;
mod previews;
mod receive;
mod saves;
mod talk;
mod terminals;
mod turns;

pub(crate) use files::FILES;
pub(crate) use previews::{DIAL, PORTS};
pub(crate) use talk::TALK;
pub(crate) use terminals::TERMINALS;

use crate::allow::{self, Access, Allowed, Body as Expected, REGISTRY_AUTH, rebuild};
use crate::beats::Pulse;
use crate::controllers::Controllers;
use crate::engine::{Answer, BodyError, EngineSocket};
use crate::facts::{self, HostFacts};
use crate::files::Files;
use crate::firewall::Firewall;
use crate::forbid::{self, Forbid};
use crate::knock::Knocker;
use crate::lease::Leases;
use crate::refusal::Refusal;
use crate::term::Terms;
use crate::terminals::Terminals;
use crate::workspaces::{self, Consent, PRIVILEGED_LABEL};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The body of a request or an answer inside of the tunnel.
pub type TunnelBody = UnsyncBoxBody<Bytes, BodyError>;

/// Where the agent tells its beats.
pub(crate) const BEATS: &str = "/pierhead/beats";
/// Where the agent tells what the host is.
pub(crate) const FACTS: &str = "/pierhead/facts";

/// Where the agent takes the addresses of all controllers.
pub(crate) const CONTROLLERS: &str = "/pierhead/controllers";
/// Where the agent tells a stamp of its clock, and takes a lease that counts from one.
pub(crate) const LEASE: &str = "/pierhead/lease";
/// Where the agent tells whether another host's kernel answers.
pub(crate) const KNOCK: &str = "/pierhead/knock";

/// The headers of an engine's answer that are handed on.
const HANDED_ON: [HeaderName; 3] =
    [CONTENT_TYPE, HeaderName::from_static("api-version"), HeaderName::from_static("x-docker-container-path-stat")];

/// The door between the tunnel and the engine.
#[derive(Debug)]
pub struct Gate {
    engine: EngineSocket,
    terms: Arc<Terms>,
    pulse: Pulse,
    knocker: Knocker,
    labels: Option<Vec<String>>,
    address: Option<String>,
    forbidden: BTreeSet<Forbid>,
    leases: Option<Arc<Leases>>,
    controllers: Option<Controllers>,
    terminals: Option<Arc<Terminals>>,
    firewall: Option<Firewall>,
    turns: turns::Turns,
    files: Files,
}

impl Gate {
    /// A door to the engine behind this socket.
    #[must_use]
    pub fn new(socket: &Path, terms: Arc<Terms>, pulse: Pulse) -> Self {
        Self {
            engine: EngineSocket::new(socket),
            terms,
            pulse,
            knocker: Knocker::default(),
            labels: None,
            address: None,
            forbidden: BTreeSet::new(),
            leases: None,
            controllers: None,
            terminals: None,
            firewall: None,
            turns: turns::Turns::default(),
            files: Files::default(),
        }
    }

    /// The same for a host that shall have these labels, and this address for its published ports.
    #[must_use]
    pub fn telling(self, labels: Option<Vec<String>>, address: Option<String>) -> Self {
        Self { labels, address, ..self }
    }

    /// The same for a host whose owner forbids these.
    #[must_use]
    pub fn forbidding(self, forbidden: BTreeSet<Forbid>) -> Self {
        Self { forbidden, ..self }
    }

    /// The same for a host that takes leases, under which it runs what must not run twice in the pool.
    #[must_use]
    pub fn leased(self, leases: Arc<Leases>) -> Self {
        Self { leases: Some(leases), ..self }
    }

    /// The same for a host that calls the controllers that it is told of.
    #[must_use]
    pub fn introduced(self, controllers: Controllers) -> Self {
        Self { controllers: Some(controllers), ..self }
    }

    /// The same for a host that keeps terminals.
    #[must_use]
    pub fn with_terminals(self, terminals: Arc<Terminals>) -> Self {
        Self { terminals: Some(terminals), ..self }
    }

    /// The same for a host that keeps workspaces apart, unless its owner forbids them.
    #[must_use]
    pub fn guarded(self, firewall: Firewall) -> Self {
        Self { firewall: Some(firewall), ..self }
    }

    /// What the host is, read now.
    pub async fn facts(&self) -> HostFacts {
        let (labels, address) = (self.labels.clone(), self.address.clone());
        let (facts, unguarded) = tokio::join!(facts::read(&self.engine), self.unguarded());
        HostFacts { labels, address, ..facts.with_guard(unguarded, self.firewall.is_some()) }
    }

    /// Why no workspace is made here; nothing if there may be some.
    async fn unguarded(&self) -> Option<String> {
        if self.forbidden.contains(&Forbid::Workspaces) {
            return Some("the owner of this host forbids workspaces (--forbid workspaces)".to_owned());
        }
        match &self.firewall {
            Some(firewall) => firewall.missing().await,
            None => Some("this agent keeps no firewall".to_owned()),
        }
    }

    /// Refuses what is made for workspaces and is not as it must be.
    async fn check_workspace(&self, path: &str, json: &[u8]) -> Result<(), Refusal> {
        if !workspaces::MADE.contains(&path) {
            return Ok(());
        }
        let unguarded = self.unguarded().await;
        let privileged = self.labels.iter().flatten().any(|label| label == PRIVILEGED_LABEL);
        workspaces::check_new(Consent { unguarded: unguarded.as_deref(), privileged }, path, json)
    }

    /// Refuses to let a container of a workspace run that nothing would keep apart: it may have been made while something did.
    async fn check_run(&self, allowed: &Allowed) -> Result<(), Refusal> {
        let Some(id) = forbid::container(allowed).filter(|_| workspaces::RUN.contains(&allowed.rule.path)) else {
            return Ok(());
        };
        let labels = forbid::labels(&self.engine, &id).await?;
        if !labels.is_some_and(|labels| workspaces::is_of_workspace(&labels)) {
            return Ok(());
        }
        self.unguarded().await.map_or(Ok(()), |why| Err(workspaces::not_guarded(&why)))
    }

    /// Answers a request; a refusal is an answer too.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<TunnelBody>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        match self.pass(request).await {
            Ok(response) => response,
            Err(refusal) => {
                tracing::warn!(%method, path = %path.escape_debug(), code = refusal.code, %refusal, "refused");
                refusal.answer().map(|body| body.map_err(|never| match never {}).boxed_unsync())
            }
        }
    }

    async fn pass<B>(&self, request: Request<B>) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError> + Send,
    {
        let (head, body) = request.into_parts();
        if head.method == Method::GET && head.uri.query().is_none() {
            match head.uri.path() {
                BEATS => return Ok(told(StreamBody::new(self.pulse.frames()).boxed_unsync())),
                FACTS => return Ok(self.tell_facts().await),
                LEASE => return Ok(told_json(&leases::stamp(self.leases.as_deref())?)),
                _ => {}
            }
        }
        if head.method == Method::POST && head.uri.path() == LEASE && head.uri.query().is_none() {
            self.terms.admit(Access::Change, &head.headers).await?;
            let taken = leases::take(self.leases.as_deref(), &receive::json(body).await?).await?;
            return Ok(told_json(&taken));
        }
        if head.method == Method::POST && head.uri.path() == KNOCK && head.uri.query().is_none() {
            let knocked = self.knocker.answer(&receive::json(body).await?).await?;
            return Ok(told_json(&knocked));
        }
        if head.method == Method::POST && head.uri.path() == CONTROLLERS && head.uri.query().is_none() {
            self.calls()?.introduce(&receive::json(body).await?)?;
            return Ok(told_json(&()));
        }
        if let Some(image) = images::asked(&head) {
            receive::nothing(body).await?;
            return self.archive_without(image, &head).await;
        }
        if let Some(asked) = saves::asked(&head) {
            return self.save(asked, &head, body).await;
        }
        if count::is_asked(&head) {
            return self.counted(&head, body).await;
        }
        if let Some(asked) = terminals::asked(&head) {
            return self.terminal(asked, &head, body).await;
        }
        if files::is_asked(&head) {
            return self.of_files(&head, body).await;
        }
        if let Some(asked) = previews::asked(&head) {
            return self.preview(asked?, &head, body).await;
        }
        let allowed = allow::decide(&head.method, &head.uri, &head.headers)?;
        let json_length = talk::json_length(&head.headers)?;
        self.terms.admit(allowed.rule.access, &head.headers).await?;
        workspaces::check_network(allowed.rule.path, &allowed.target)?;
        forbid::check(&self.forbidden, &allowed, &self.engine).await?;
        leases::check(self.leases.as_deref(), &allowed).await?;
        match (&allowed.rule.body, json_length) {
            (Expected::Talk, Some(0)) => self.talk(&allowed, None, body).await,
            (Expected::JsonTalk(shape), Some(length)) => self.talk(&allowed, Some((shape, length)), body).await,
            (_, Some(_)) => Err(Refusal::not_allowed(format!("{} is no talk", allowed.target))),
            (Expected::Talk, None) => Err(Refusal::malformed(format!("a talk needs the header {}", talk::TALK))),
            (Expected::Empty, None) => {
                receive::nothing(body).await?;
                self.check_run(&allowed).await?;
                self.forward(&allowed, None, Full::default()).await
            }
            (Expected::Json(shape), None) => {
                let json = rebuild(shape, &receive::json(body).await?)?;
                forbid::check_new(&self.forbidden, allowed.rule.path, &json)?;
                self.check_workspace(allowed.rule.path, &json).await?;
                leases::check_new(self.leases.as_deref(), &json);
                self.forward(&allowed, Some("application/json"), Full::from(json)).await
            }
            (Expected::JsonTalk(shape), None) => {
                let json = rebuild(shape, &receive::json(body).await?)?;
                talk::must_detach(&json)?;
                self.forward(&allowed, Some("application/json"), Full::from(json)).await
            }
            (Expected::Archive, None) => {
                self.forward(&allowed, Some("application/x-tar"), receive::archive(body)).await
            }
        }
    }

    /// Sends what is allowed and hands on the answer.
    async fn forward<B>(
        &self,
        allowed: &Allowed,
        content_type: Option<&'static str>,
        body: B,
    ) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let request = made(allowed, content_type, body)?;
        let answer = self.engine.send(request).await.map_err(|error| unreachable(&error))?;
        Ok(hand_on(answer))
    }

    fn calls(&self) -> Result<&Controllers, Refusal> {
        let calls = self.controllers.as_ref();
        calls.ok_or_else(|| Refusal::not_allowed("this host calls whom it was told to at its start"))
    }

    async fn tell_facts(&self) -> Response<TunnelBody> {
        told_json(&self.facts().await)
    }
}

/// A request to the engine, of nothing but what the list let through.
fn made<B>(allowed: &Allowed, content_type: Option<&'static str>, body: B) -> Result<Request<B>, Refusal> {
    let mut request = Request::builder().method(allowed.rule.method).uri(&allowed.target);
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    if let Some(account) = &allowed.registry_auth {
        let mut value = HeaderValue::try_from(account).map_err(|_| Refusal::malformed("the registry account"))?;
        value.set_sensitive(true);
        request = request.header(REGISTRY_AUTH, value);
    }
    request.body(body).map_err(|_| Refusal::malformed("the request cannot be written anew"))
}

/// The engine's answer with the headers that mean something inside of the tunnel.
fn hand_on(answer: Answer) -> Response<TunnelBody> {
    let Answer { response, connection } = answer;
    let (head, body) = response.into_parts();
    let mut handed = Response::new(with_connection(body, connection));
    *handed.status_mut() = head.status;
    for name in HANDED_ON {
        if let Some(value) = head.headers.get(&name) {
            handed.headers_mut().insert(name, value.clone());
        }
    }
    handed
}

/// A body that closes its connection to the engine when it is dropped.
fn with_connection(body: Incoming, connection: crate::engine::Connection) -> TunnelBody {
    let size = body.size_hint().exact();
    if size == Some(0) {
        return Full::default().map_err(|never| match never {}).boxed_unsync();
    }
    StreamBody::new(pieces::together(body, connection)).boxed_unsync()
}

fn unreachable(error: &crate::error::AgentError) -> Refusal {
    use std::error::Error;
    let cause = error.source().map(|source| format!(" ({source})")).unwrap_or_default();
    Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", format!("{error}{cause}"))
}

fn told_json(what: &impl serde::Serialize) -> Response<TunnelBody> {
    let json = serde_json::to_vec(what).unwrap_or_default();
    told(Full::from(json).map_err(|never| match never {}).boxed_unsync())
}

fn told(body: TunnelBody) -> Response<TunnelBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests;
