//! A real Docker engine, over its HTTP API.
//!
//! Says the verbs in Docker's terms and Docker's answers in ours. Keeps no truth about containers: the few things
//! remembered here (API version, limits of containers that are not ours, number of cores) are read again and again.

mod address;
mod chunks;
mod demultiplex;
mod encrypted;
mod endpoint;
mod events;
mod exec;
mod facts;
mod failure;
mod inspection;
mod load;
mod networks;
mod observe;
mod progress;
mod push;
mod quota;
mod raw;
mod save;
mod saves;
mod translate;
mod usage;
mod verbs;
mod wire;

use crate::deadlines::{Deadlines, Verb};
use crate::dial::Dial;
use crate::error::{EngineError, Result};
use crate::pulls::Pulls;
use crate::request::CreateRequest;
use crate::tls::Tls;
pub use quota::DiskQuota;
pub use saves::{COMPARE, COUNT, SQUASH};

use bollard::Docker as Client;
use bollard::errors::Error as ClientError;
use endpoint::Endpoint;
use inspection::Memory;
use pierhead_model::ImageReference;
use quota::Quotas;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wire::Wire;

/// How to talk to an engine.
#[derive(Debug, Clone, Default)]
pub struct DockerOptions {
    /// How long each call may take.
    pub deadlines: Deadlines,
    /// What an address with `https` needs, and no other may have.
    pub tls: Option<Tls>,
}

/// A Docker engine at an address. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Docker {
    endpoint: Endpoint,
    deadlines: Deadlines,
    wire: Arc<Wire>,
    pulls: Arc<Pulls<ImageReference>>,
    loads: Arc<Pulls<String>>,
    memory: Arc<Memory>,
    /// Where layers lie while they are merged here.
    scratch: Arc<Path>,
    /// Cores of the host, 0 as long as they are not known.
    cores: Arc<AtomicU64>,
    /// What is known of its quotas of disk.
    quotas: Arc<Mutex<Quotas>>,
}

impl Docker {
    /// An engine at `unix:///path`, `http://host:port`, `tcp://host:port` or `https://host:port`. Nothing is sent
    /// before the first call, so an engine that is away is no error here.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if the address has none of these forms, if it has `https` without certificates or
    /// these without `https`, or if one of them cannot be used: the message names it.
    pub fn connect(addr: &str, options: DockerOptions) -> Result<Self> {
        Self::at(Endpoint::new(addr, options.tls.as_ref())?, options.deadlines)
    }

    /// An engine behind whatever opens connections to it; `name` is what it is called in messages.
    ///
    /// # Errors
    /// As of [`Docker::connect`]; none that could happen.
    pub fn over(name: &str, dial: Arc<dyn Dial>, deadlines: Deadlines) -> Result<Self> {
        Self::at(Endpoint::Dialled { name: name.to_owned(), dial }, deadlines)
    }

    /// The same, with a directory where layers lie while they are merged here, in files without a name.
    #[must_use]
    pub fn merging_in(self, directory: PathBuf) -> Self {
        Self { scratch: directory.into(), ..self }
    }

    fn at(endpoint: Endpoint, deadlines: Deadlines) -> Result<Self> {
        Ok(Self {
            wire: Arc::new(Wire::new(&endpoint)?),
            endpoint,
            deadlines,
            pulls: Arc::default(),
            loads: Arc::default(),
            memory: Arc::default(),
            scratch: std::env::temp_dir().into(),
            cores: Arc::default(),
            quotas: Arc::default(),
        })
    }

    /// Sends a request at the version of the API that was agreed on, and once more if the engine was replaced by
    /// one that does not speak it: such a refusal means that nothing was done.
    async fn call<T, S, F>(&self, verb: Verb, deadline: Duration, send: S) -> Result<T>
    where
        T: Send,
        S: Fn(Client) -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, ClientError>> + Send,
    {
        let attempt = async {
            match send(self.wire.client().await?).await {
                Err(error) if failure::is_version_refusal(&error) => {
                    self.wire.negotiate().await?;
                    send(self.wire.client().await?).await
                }
                result => result,
            }
            .map_err(|error| failure::classify(verb, error))
        };
        self.within(verb, deadline, attempt).await
    }

    /// Ends a call at its deadline, and agrees on a version anew after the engine was out of reach.
    async fn within<T>(
        &self,
        verb: Verb,
        deadline: Duration,
        attempt: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let result = tokio::time::timeout(deadline, attempt).await.unwrap_or_else(|_| Err(timed_out(verb, deadline)));
        if matches!(result, Err(EngineError::Unreachable(_) | EngineError::TimedOut { .. })) {
            self.wire.mark_stale();
        }
        result
    }
}

impl std::fmt::Debug for Docker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Docker").field("address", &self.endpoint).finish_non_exhaustive()
    }
}

/// Refuses what no engine would be sent.
pub(crate) fn check(request: &CreateRequest) -> Result<()> {
    translate::create_body(request, None).map(drop)
}

fn timed_out(verb: Verb, deadline: Duration) -> EngineError {
    EngineError::TimedOut { call: verb.as_str(), milliseconds: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX) }
}
