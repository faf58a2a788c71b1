//! The clients of an engine, and the version of the API that goes on the wire.
//!
//! The client library leaves the version out of its requests, so a newer engine would answer in its newest form. It
//! is agreed on here, put before every path, and agreed on again when the engine may have been replaced.

use super::endpoint::Endpoint;
use super::{failure, raw};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker as Client};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::Mutex;

/// The oldest API that we speak, 1.41.
const OLDEST_MINOR: u32 = 41;
/// The newest API that we know, 1.47.
const NEWEST_MINOR: u32 = 47;
/// The library's own time limit, in seconds, out of the way of our deadlines.
const LIBRARY_LIMIT: u64 = 24 * 3600;

/// Two clients of one engine: with and without a version in the path.
pub(super) struct Wire {
    unversioned: Client,
    versioned: Client,
    minor: Arc<AtomicU32>,
    /// Whether a version must be agreed on before the next call.
    stale: AtomicBool,
    one_at_a_time: Mutex<()>,
}

impl Wire {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self> {
        let minor = Arc::new(AtomicU32::new(OLDEST_MINOR));
        let prefix = minor.clone();
        Ok(Self {
            unversioned: open(endpoint)?,
            versioned: open(endpoint)?
                .with_request_modifier(move |request| adapt(request, prefix.load(Ordering::Acquire))),
            minor,
            stale: AtomicBool::new(true),
            one_at_a_time: Mutex::new(()),
        })
    }

    /// A client for the two paths that need no version: `/_ping` and `/version`.
    pub(super) fn unversioned(&self) -> Client {
        self.unversioned.clone()
    }

    /// A client that puts the agreed version before every path.
    pub(super) async fn client(&self) -> Result<Client> {
        if self.stale.load(Ordering::Acquire) {
            let _turn = self.one_at_a_time.lock().await;
            if self.stale.load(Ordering::Acquire) {
                self.negotiate().await?;
            }
        }
        Ok(self.versioned.clone())
    }

    /// The version agreed on last, `1.41` before any was.
    pub(super) fn version(&self) -> String {
        format!("1.{}", self.minor.load(Ordering::Acquire))
    }

    /// The engine may be another one when it answers again.
    pub(super) fn mark_stale(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// Asks the engine for its version and agrees on one of the API.
    pub(super) async fn negotiate(&self) -> Result<SystemVersion> {
        let version = self.unversioned.version().await.map_err(|error| failure::classify(Verb::Facts, error))?;
        let minor = agree(
            version.min_api_version.as_deref().unwrap_or_default(),
            version.api_version.as_deref().unwrap_or_default(),
        )?;
        self.minor.store(minor, Ordering::Release);
        self.stale.store(false, Ordering::Release);
        Ok(version)
    }
}

fn open(endpoint: &Endpoint) -> Result<Client> {
    let at = endpoint.clone();
    let transport = move |request: BollardRequest| {
        let at = at.clone();
        async move { raw::send(&at, request).await.map(raw::Answer::into_response).map_err(Into::into) }
    };
    Client::connect_with_custom_transport(transport, Some("http://engine"), LIBRARY_LIMIT, API_DEFAULT_VERSION)
        .map_err(|error| EngineError::Refused(error.to_string()))
}

/// Puts the version before the path, and registry accounts into the alphabet that engines decode.
fn adapt(mut request: BollardRequest, minor: u32) -> BollardRequest {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut parts = request.uri().clone().into_parts();
    if let Ok(path) = format!("/v1.{minor}{path}").parse() {
        parts.path_and_query = Some(path);
        if let Ok(uri) = parts.try_into() {
            *request.uri_mut() = uri;
        }
    }
    for name in ["x-registry-auth", "x-registry-config"] {
        if let Some(value) = request.headers_mut().get_mut(name) {
            let text = value.to_str().unwrap_or_default().replace('+', "-").replace('/', "_");
            if let Ok(mut safe) = hyper::header::HeaderValue::try_from(text) {
                safe.set_sensitive(true);
                *value = safe;
            }
        }
    }
    request
}

/// The newest minor version of API 1 that both speak.
fn agree(engine_oldest: &str, engine_newest: &str) -> Result<u32> {
    let newest = minor(engine_newest).ok_or_else(|| {
        EngineError::Refused(format!("the engine's API version is '{engine_newest}', which is not one of Docker's"))
    })?;
    if newest < OLDEST_MINOR {
        return Err(EngineError::Refused(format!(
            "the engine speaks API 1.{newest} at most, Pierhead needs 1.{OLDEST_MINOR} (Docker 20.10) or newer"
        )));
    }
    let oldest = minor(engine_oldest).unwrap_or(0);
    if oldest > NEWEST_MINOR {
        return Err(EngineError::Refused(format!(
            "the engine speaks API 1.{oldest} or newer, Pierhead knows 1.{NEWEST_MINOR} at most"
        )));
    }
    Ok(newest.min(NEWEST_MINOR))
}

fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_both_speak() {
        assert_eq!(agree("1.12", "1.41").unwrap(), 41);
        assert_eq!(agree("1.24", "1.44").unwrap(), 44);
        assert_eq!(agree("1.44", "1.53").unwrap(), NEWEST_MINOR);
        assert_eq!(agree("", "1.43").unwrap(), 43);
    }

    #[test]
    fn an_engine_too_old_or_too_new_is_refused_in_words() {
        for (oldest, newest, word) in
            [("1.12", "1.40", "needs 1.41"), ("1.48", "1.60", "knows 1.47"), ("1.12", "2.0", "'2.0'"), ("", "", "''")]
        {
            let error = agree(oldest, newest).unwrap_err();
            assert!(matches!(&error, EngineError::Refused(text) if text.contains(word)), "{error}");
        }
    }
}
