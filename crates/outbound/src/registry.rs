//! The HTTP API of a registry of images, as far as images are deleted there: by which digest it knows a name, and that a
//! digest is to go. Who asks is told by the registry itself: a password, or a ticket that another server gives for it.

mod challenge;

use crate::{HttpsClient, client, root_cause};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use challenge::Challenge;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderMap, USER_AGENT, WWW_AUTHENTICATE};
use hyper::{Method, Request, StatusCode};
use std::fmt;
use std::time::Duration;

/// The longest that an exchange may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;
/// What an image may be described by; a registry answers with another digest to who asks for less.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.index.v1+json";

/// Why a registry did not do what it was asked for. The text says it, and holds no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryError {
    /// It can't be reached, or is not well: later it may.
    Away(String),
    /// The account may not do that there, or there is none.
    Denied(String),
    /// It deletes nothing at all.
    Keeps(String),
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) | Self::Denied(why) | Self::Keeps(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for RegistryError {}

/// A registry, and the account that asks there.
pub struct Registry {
    http: HttpsClient,
    is_secure: bool,
    host: String,
    /// User name and password.
    account: Option<(String, String)>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Registry {
    /// A registry at `HOST[:PORT]`, with TLS or without, and the user name and password of an account there.
    ///
    /// # Errors
    /// Why there is none: only if TLS is needed and nobody is trusted.
    pub fn new(host: &str, is_secure: bool, account: Option<(String, String)>) -> Result<Self, String> {
        Ok(Self { http: client(is_secure, None)?, is_secure, host: host.to_owned(), account })
    }

    /// By which digest it knows an image of a repository; `None` if it has none of that tag.
    ///
    /// # Errors
    /// [`RegistryError`] if it does not say so.
    pub async fn digest(&self, repository: &str, tag: &str) -> Result<Option<String>, RegistryError> {
        let answer = self.ask(Method::HEAD, &format!("{repository}/manifests/{tag}")).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => {
                let digest = answer.headers.get("docker-content-digest").and_then(|value| value.to_str().ok());
                let digest = digest.filter(|digest| is_digest(digest));
                digest.map(|digest| Some(digest.to_owned())).ok_or_else(|| {
                    RegistryError::Keeps(format!("the registry {} tells no digest of its images", self.host))
                })
            }
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Deletes what it has under a digest in a repository. What is not there is gone.
    ///
    /// # Errors
    /// [`RegistryError`] if it still has it.
    pub async fn delete(&self, repository: &str, digest: &str) -> Result<(), RegistryError> {
        if !is_digest(digest) {
            return Err(RegistryError::Keeps(format!("{:?} is no digest of an image", digest.escape_debug())));
        }
        let answer = self.ask(Method::DELETE, &format!("{repository}/manifests/{digest}")).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Asks as nobody first: the registry says how it wants to know who asks.
    async fn ask(&self, method: Method, path: &str) -> Result<Answer, RegistryError> {
        let scheme = if self.is_secure { "https" } else { "http" };
        let address = format!("{scheme}://{}/v2/{path}", self.host);
        let first = self.exchange(method.clone(), &address, None).await?;
        if first.status != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        let asked = first.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let authorization = match (Challenge::first(asked), self.basic()) {
            (Some(Challenge::Basic), Some(basic)) => basic,
            (Some(challenge @ Challenge::Bearer { .. }), basic) => self.ticket(&challenge, basic).await?,
            _ => return Ok(first),
        };
        self.exchange(method, &address, Some(authorization)).await
    }

    fn basic(&self) -> Option<String> {
        let (name, password) = self.account.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
    }

    /// Gets what the registry wants to see from the server that it names.
    async fn ticket(&self, challenge: &Challenge, basic: Option<String>) -> Result<String, RegistryError> {
        let host = &self.host;
        let address = challenge.address(self.is_secure).map_err(|why| {
            RegistryError::Denied(format!("the registry {host} names a server for log-ins that is not asked: {why}"))
        })?;
        let answer = self.exchange(Method::GET, &address, basic).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer));
        }
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = ["token", "access_token"].iter().find_map(|field| told[*field].as_str());
        let token = token.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        let token = token.ok_or_else(|| RegistryError::Away(format!("the log-in of the registry {host} gave nothing")));
        token.map(|token| format!("Bearer {token}"))
    }

    async fn exchange(
        &self,
        method: Method,
        address: &str,
        authorization: Option<String>,
    ) -> Result<Answer, RegistryError> {
        let away = |why: String| RegistryError::Away(format!("the registry {} does not answer: {why}", self.host));
        let mut request = Request::builder().method(method).uri(address);
        request = request.header(ACCEPT, MANIFESTS).header(USER_AGENT, "pierhead");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::default()).map_err(|_| away("it can't be asked".to_owned()))?;
        let exchange = async {
            let response = self.http.request(request).await.map_err(|error| root_cause(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LARGEST).collect().await;
            let body = body.map_err(|error| root_cause(error.as_ref()))?.to_bytes();
            Ok::<_, String>(Answer { status: head.status, headers: head.headers, body })
        };
        let answered = tokio::time::timeout(LIMIT, exchange).await;
        answered.unwrap_or_else(|_| Err(format!("nothing came within {} s", LIMIT.as_secs()))).map_err(away)
    }

    /// What an answer means that is no yes.
    fn refusal(&self, answer: &Answer) -> RegistryError {
        let (host, status) = (&self.host, answer.status);
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = told["errors"][0]["code"].as_str().unwrap_or_default();
        match status {
            StatusCode::METHOD_NOT_ALLOWED => RegistryError::Keeps(format!("the registry {host} deletes nothing")),
            _ if code == "UNSUPPORTED" => RegistryError::Keeps(format!("the registry {host} deletes nothing")),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RegistryError::Denied(match &self.account {
                Some((name, _)) => format!("the registry {host} denies it to {}", name.escape_debug()),
                None => format!("the registry {host} denies it without an account"),
            }),
            _ => RegistryError::Away(format!("the registry {host} answers with status {}", status.as_u16())),
        }
    }
}

/// Whether a text is `ALGORITHM:HEX`: nothing else becomes part of a path.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty()
            && algorithm.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && (32..=128).contains(&hex.len())
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests;
