//! The Docker verbs that Pierhead needs: one trait, a real Docker engine behind it, and a fake with scripted faults.
//!
//! Nothing here decides anything: an [`Engine`] does what it is told, within a deadline, and says what went wrong in
//! terms that the planner understands ([`EngineError::failure`]). One contract suite runs on both forms.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use pierhead_model::{
    ContainerId, ContainerSpec, EngineFacts, Failure, FailureKind, HostPort, ImageReference, ObservedContainer,
    Timestamp,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A Docker host's API, as far as Pierhead uses it. Every call ends within a deadline of its own.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Asks whether it is there.
    async fn ping(&self) -> Result<()>;

    /// What it is and what it lacks.
    async fn facts(&self) -> Result<EngineFacts>;

    /// All its containers, stopped ones included. Limits are filled in for containers without the label
    /// `pierhead.cluster`, and exit code and restart count for those that bear it and do not run.
    async fn containers(&self) -> Result<Vec<ObservedContainer>>;

    /// One container, or [`EngineError::NotFound`].
    async fn container(&self, id: &ContainerId) -> Result<ObservedContainer>;

    /// The id (digest of its configuration) of an image that is on the host, `None` if it is not.
    async fn image(&self, image: &ImageReference) -> Result<Option<String>>;

    /// Pulls an image; calls of the same image at the same time share one pull. `progress` gets the share that is
    /// done, 0 to 100, as often as it changes.
    async fn pull(&self, image: &ImageReference, auth: Option<&RegistryAuth>, progress: Progress) -> Result<()>;

    /// Loads an image archive as `docker save` makes it.
    async fn load(&self, archive: Vec<u8>) -> Result<()>;

    /// Creates a container without starting it; [`EngineError::NameTaken`] if there is one of that name.
    async fn create(&self, request: &CreateRequest) -> Result<ContainerId>;

    /// Starts a container; one that runs already stays as it is.
    async fn start(&self, id: &ContainerId) -> Result<()>;

    /// Asks a container to stop and kills it after `grace_seconds`; one that does not run stays as it is.
    async fn stop(&self, id: &ContainerId, grace_seconds: u32) -> Result<()>;

    /// Stops (as [`Engine::stop`]) and starts a container.
    async fn restart(&self, id: &ContainerId, grace_seconds: u32) -> Result<()>;

    /// Removes a container, running or not; its volumes stay. One that is gone already is a success.
    async fn remove(&self, id: &ContainerId) -> Result<()>;

    /// What a container printed, oldest first; ends at the newest line unless asked to follow.
    async fn logs(&self, id: &ContainerId, options: LogOptions) -> Result<BoxStream<'static, Result<LogLine>>>;

    /// What a running container uses now.
    async fn usage(&self, id: &ContainerId) -> Result<Usage>;

    /// What happens on the engine from now on. Lossy: a hint that something changed, never the truth.
    async fn events(&self) -> Result<BoxStream<'static, Result<EngineEvent>>>;
}

/// An engine behind a pointer, as the controller holds it.
pub type DynEngine = Arc<dyn Engine>;

/// Told the share of a pull that is done, 0 to 100.
pub type Progress = Arc<dyn Fn(u8) + Send + Sync>;

/// Everything an engine is told about a container: built from our own model, field by field, so that nothing
/// can be smuggled in.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// Its name, unique on the engine.
    pub name: String,
    /// What it is.
    pub spec: ContainerSpec,
    /// Ports of the host that were chosen for it.
    pub ports: Vec<HostPort>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The most processes in it.
    pub pids_limit: u32,
    /// Whether the engine itself restarts it at once when it exits and after a reboot.
    pub engine_restarts: bool,
}

/// A registry account.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RegistryAuth {
    /// The registry (`registry.lan:5000`); empty for the default one.
    pub server: String,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for RegistryAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryAuth")
            .field("server", &self.server)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Which part of a log is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on when the newest line was reached.
    pub follow: bool,
    /// Only so many of the newest lines.
    pub tail: Option<u64>,
    /// Only lines from this moment on.
    pub since: Option<Timestamp>,
    /// Whether standard output is wanted.
    pub stdout: bool,
    /// Whether standard error is wanted.
    pub stderr: bool,
    /// Put the moment before each line, in the engine's form.
    pub timestamps: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { follow: false, tail: None, since: None, stdout: true, stderr: true, timestamps: false }
    }
}

/// A piece of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Whether it came from standard error.
    pub is_stderr: bool,
    /// The bytes, line ends included; nothing says that they are UTF-8 or a whole line.
    pub bytes: Vec<u8>,
}

/// What a container uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// CPU time since its start, in nanoseconds.
    pub cpu_nanos: u64,
    /// Memory, in bytes, without the page cache that can be given back.
    pub memory_bytes: u64,
}

/// Something that happened on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEvent {
    /// Docker's status: `start`, `die`, `destroy`, `pull`, …
    pub status: String,
    /// `container`, `image`, `network`, `volume`, `daemon`.
    pub subject: String,
    /// The id of the subject.
    pub id: String,
    /// Its attributes; for a container its name, image and labels.
    pub attributes: BTreeMap<String, String>,
    /// When it happened.
    pub time: Timestamp,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The connection could not be made, or broke.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    /// No answer within the deadline: nobody knows whether it was done.
    #[error("the engine did not answer '{call}' within {milliseconds} ms")]
    TimedOut {
        /// The verb.
        call: &'static str,
        /// The deadline.
        milliseconds: u64,
    },
    /// There is no such container.
    #[error("the engine has no such container")]
    NotFound,
    /// There is a container of that name already.
    #[error("the engine has a container of that name already")]
    NameTaken,
    /// A port of the host is bound by something else.
    #[error("a port of the host is taken: {0}")]
    PortTaken(String),
    /// The image is not there and cannot be pulled.
    #[error("no such image: {0}")]
    NoImage(String),
    /// The host's disk is full.
    #[error("no space left on the host: {0}")]
    NoSpace(String),
    /// The engine refuses the request itself.
    #[error("the engine refuses: {0}")]
    Refused(String),
    /// The container did not start.
    #[error("the container did not start: {0}")]
    NotStarted(String),
    /// Anything else that the engine says.
    #[error("the engine failed: {0}")]
    Failed(String),
}

/// The result of a call.
pub type Result<T> = std::result::Result<T, EngineError>;

impl EngineError {
    /// The failure in the planner's terms.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let kind = match self {
            Self::Unreachable(_) | Self::TimedOut { .. } => FailureKind::Unreachable,
            Self::NameTaken => FailureKind::NameTaken,
            Self::PortTaken(_) => FailureKind::PortTaken,
            Self::NoImage(_) => FailureKind::NoImage,
            Self::NoSpace(_) => FailureKind::NoSpace,
            Self::Refused(_) => FailureKind::Refused,
            Self::NotStarted(_) => FailureKind::NotStarted,
            Self::NotFound | Self::Failed(_) => FailureKind::Other,
        };
        Failure::new(kind, self.to_string())
    }
}
