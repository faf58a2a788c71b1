//! One HTTP exchange with an object store. Connections are kept; each exchange has a limit. Tries nothing twice.

use super::answer::Answer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_LENGTH, HeaderName, RANGE};
use hyper::{Method, Request};
use md5::{Digest as _, Md5};
use pierhead_outbound::{HttpsClient, client, root_cause};
use std::time::Duration;
use url::Url;

/// How long a connection that nobody uses is kept.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// A request whose address is signed.
pub(super) struct Ask {
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Ask {
    fn new(method: Method, url: Url, body: Bytes) -> Self {
        Self { method, url, headers: Vec::new(), body }
    }

    pub(super) fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Bytes::new())
    }

    pub(super) fn head(url: Url) -> Self {
        Self::new(Method::HEAD, url, Bytes::new())
    }

    pub(super) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url, Bytes::new())
    }

    pub(super) fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url, body.into())
    }

    pub(super) fn put(url: Url, body: Bytes) -> Self {
        let md5 = STANDARD.encode(Md5::digest(&body));
        Self::new(Method::PUT, url, body).header(CONTENT_MD5, md5)
    }

    /// All bytes from this one on.
    pub(super) fn from(self, at: u64) -> Self {
        if at == 0 { self } else { self.header(RANGE, format!("bytes={at}-")) }
    }

    fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn request(self) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.url.as_str());
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        // Some stores want to be told that nothing comes.
        if matches!(self.method, Method::PUT | Method::POST) {
            request = request.header(CONTENT_LENGTH, self.body.len());
        }
        // The address holds a signature: it is in no error.
        request.body(Full::new(self.body)).map_err(|_| "the request cannot be made".to_owned())
    }
}

/// Connections to an object store.
pub(super) struct Http(HttpsClient);

impl Http {
    /// With TLS the authorities count that the system trusts, or those of the file that `SSL_CERT_FILE` names.
    pub(super) fn new(is_secure: bool) -> Result<Self, String> {
        client(is_secure, Some(IDLE_LIMIT)).map(Self)
    }

    /// Asks; returns when the answer begins. Else why there is none.
    pub(super) async fn send(&self, ask: Ask, limit: Duration) -> Result<Answer, String> {
        let answered = tokio::time::timeout(limit, self.0.request(ask.request()?)).await;
        let response = answered.map_err(|_| silent(limit))?.map_err(|error| root_cause(&error))?;
        Ok(Answer::new(response))
    }
}

/// Nothing came for so long.
pub(super) fn silent(limit: Duration) -> String {
    format!("nothing came within {} s", limit.as_secs_f64())
}
