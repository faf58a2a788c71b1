//! What the engine says of the containers that need a lease, and the request to stop one.

use super::SINGLE_WRITER;
use crate::engine::EngineSocket;
use crate::error::{AgentError, Result};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the engine may take to tell of containers. A lease may have ended meanwhile.
const TELLS_WITHIN: Duration = Duration::from_millis(500);
/// The same of one container that somebody wants to start.
const LOOKS_WITHIN: Duration = Duration::from_secs(5);
/// How long the engine may take longer than a container may.
const STOPS_LATER: Duration = Duration::from_millis(500);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// A container as it is listed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    state: String,
}

/// A container as it is looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Looked {
    id: String,
    config: Config,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

/// The containers of an engine.
#[derive(Debug)]
pub(super) struct Containers(EngineSocket);

impl Containers {
    pub(super) fn new(engine: EngineSocket) -> Self {
        Self(engine)
    }

    /// All that need a lease, by id, and whether they run. One that is paused does not: it does nothing until somebody
    /// lets it go on, which needs a lease too.
    pub(super) async fn all(&self) -> Result<BTreeMap<String, bool>> {
        let target = format!("/containers/json?all=1&filters=%7B%22label%22%3A%5B%22{SINGLE_WRITER}%22%5D%7D");
        let (_, text) = self.ask(Method::GET, &target, TELLS_WITHIN).await?;
        let listed: Vec<Listed> = parse(&text)?;
        let runs = |state: &str| matches!(state, "running" | "restarting");
        Ok(listed.into_iter().map(|it| (it.id, runs(&it.state))).collect())
    }

    /// The full id of a container that needs a lease; nothing if it needs none, or if there is no such container.
    pub(super) async fn needs_lease(&self, id: &str) -> Result<Option<String>> {
        let (status, text) = self.ask(Method::GET, &format!("/containers/{id}/json"), LOOKS_WITHIN).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let looked: Looked = parse(&text)?;
        let labels = looked.config.labels.unwrap_or_default();
        Ok(labels.contains_key(SINGLE_WRITER).then_some(looked.id))
    }

    /// Stops a container: asks it, and lets its engine kill it after so many seconds.
    pub(super) async fn stop(&self, id: &str, seconds: u64) -> Result<()> {
        let target = format!("/containers/{id}/stop?t={seconds}");
        self.ask(Method::POST, &target, Duration::from_secs(seconds) + STOPS_LATER).await.map(drop)
    }

    async fn ask(&self, method: Method, target: &str, limit: Duration) -> Result<(StatusCode, Bytes)> {
        let asked = async {
            let request = Request::builder().method(method).uri(target).body(Empty::<Bytes>::new()).unwrap_or_default();
            let answer = self.0.send(request).await?;
            let status = answer.response.status();
            let body =
                Limited::new(answer.response.into_body(), LONGEST).collect().await.map_err(AgentError::Broken)?;
            if status.is_server_error() {
                return Err(AgentError::Broken(format!("{target} answers with status {status}").into()));
            }
            Ok((status, body.to_bytes()))
        };
        let late = |_| AgentError::TimedOut {
            peer: "the engine".to_owned(),
            what: "tell of its containers",
            milliseconds: super::millis(limit),
        };
        tokio::time::timeout(limit, asked).await.map_err(late)?
    }
}

fn parse<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| AgentError::Broken(error.into()))
}
