//! One HTTP exchange with one controller: connections are kept and used again, plain or with TLS.

use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::upgrade::Upgraded;
use hyper::{HeaderMap, Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pierhead_wire::{GONE_SINCE, STALE};
use rustls::ClientConfig;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;
use url::Url;

/// The longest that a connection may take to be made, TLS included.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long a connection that nobody uses is kept; shorter than servers and what stands between keep them.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Why there was no answer.
pub(crate) type Lost = Box<dyn Error + Send + Sync>;

/// The body of a request, known or still coming.
pub(crate) type OutBody = UnsyncBoxBody<Bytes, Lost>;

/// Connections, kept.
#[derive(Clone)]
pub(crate) struct Connections {
    http: Client<Connector, OutBody>,
    /// How old, in seconds, what was told last may be; 0 if it is not.
    stale: Arc<AtomicU64>,
}

impl Connections {
    pub(crate) fn new(config: ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
        let connector = Connector(connector.wrap_connector(http));
        let http = Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE_LIMIT).build(connector);
        Self { http, stale: Arc::default() }
    }

    /// Asks; returns when the answer begins.
    pub(crate) async fn ask(&self, url: &Url, request: Request<OutBody>) -> Result<Response, Lost> {
        let (parts, body) = self.http.request(request).await?.into_parts();
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let stale = text(STALE).and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        self.stale.store(stale, Ordering::Relaxed);
        let (location, gone_since) = (text(header::LOCATION.as_str()), text(GONE_SINCE));
        Ok(Response { status: parts.status.as_u16(), url: url.clone(), location, gone_since, body })
    }

    /// How old what was told last may be, if it may.
    pub(crate) fn stale(&self) -> Option<Duration> {
        Some(self.stale.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }
}

impl Connections {
    /// Asks for another protocol; the bytes of both directions, or the answer in which that was refused.
    pub(crate) async fn upgrade(&self, url: &Url, request: Request<OutBody>) -> Result<Upgrade, Lost> {
        let answer = self.http.request(request).await?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Open(answer.headers().clone(), hyper::upgrade::on(answer).await?));
        }
        let (parts, body) = answer.into_parts();
        let status = parts.status.as_u16();
        Ok(Upgrade::Refused(Response { status, url: url.clone(), location: None, gone_since: None, body }))
    }
}

/// What came of the wish to speak another protocol.
pub(crate) enum Upgrade {
    Open(HeaderMap, Upgraded),
    Refused(Response),
}

/// An answer that may still be coming.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) url: Url,
    pub(crate) location: Option<String>,
    /// Of a log: since when its container is gone.
    pub(crate) gone_since: Option<String>,
    body: Incoming,
}

impl Response {
    /// The next bytes; `None` at the end. May be dropped without losing any.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, hyper::Error> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// All that is left.
    pub(crate) async fn bytes(self) -> Result<Vec<u8>, hyper::Error> {
        Ok(self.body.collect().await?.to_bytes().to_vec())
    }
}

/// Makes connections, each in bounded time.
#[derive(Clone)]
struct Connector(HttpsConnector<HttpConnector>);

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Lost;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Lost>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async { tokio::time::timeout(CONNECT_LIMIT, connecting).await.map_err(|_| TookTooLong)? })
    }
}

/// A limit of ours was reached.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time")]
pub(crate) struct TookTooLong;
