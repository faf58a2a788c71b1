//! The Docker verbs that Pierhead needs: one trait, a real Docker engine behind it, and a fake with scripted faults.
//!
//! Nothing here decides anything: an [`Engine`] does what it is told, within a deadline, and says what went wrong in
//! terms that the planner understands ([`EngineError::failure`]). One contract suite runs on both forms.

mod archive;
mod deadlines;
mod dial;
mod docker;
mod error;
mod exec;
pub mod fake;
mod layers;
pub mod merge;
mod network;
mod output;
mod pulls;
mod request;
mod saved;
mod tls;
mod workspace;

pub use archive::{Archive, Pieces};
pub use deadlines::{Deadlines, Verb};
pub use dial::{Dial, Stream, Talk};
pub use docker::{COMPARE, COUNT, DiskQuota, Docker, DockerOptions, SQUASH};
pub use error::{EngineError, Result};
pub use exec::{ExecId, ExecRequest, ExecState, NO_DETACH_KEYS};
pub use fake::{Fake, FakeDepot, FakeImage, FakeOptions};
pub use layers::{ImageLayers, LeaveOut, NoArchive, bytes_of_lowest, chain_ids, shared, sieve};
pub use network::{NetworkRequest, WORKSPACE_BRIDGES};
pub use output::{EngineEvent, LocalImage, LogLine, LogOptions, Usage};
pub use request::{CreateRequest, RegistryAuth};
pub use saved::{Compare, Count, Counted, Squash, Squashed};
pub use tls::{InvalidTls, Tls, TlsPart};
pub use workspace::{Capability, MOST_PROCESSES, PROCESSES, WorkspacePart, processes};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use pierhead_model::{ContainerId, EngineFacts, ImageReference, ObservedContainer, ObservedNetwork};
use std::sync::Arc;

/// A Docker host's API, as far as Pierhead uses it. Every call ends within a deadline of its own.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Asks whether it is there.
    async fn ping(&self) -> Result<()>;

    /// What it is and what it lacks.
    async fn facts(&self) -> Result<EngineFacts>;

    /// All its containers, stopped ones included. Limits are filled in for containers without the label
    /// `pierhead.cluster`, and exit code and restart count for those that bear it and do not run (except created
    /// ones). Limits can be a minute old, and a container that does not answer lacks these parts.
    async fn containers(&self) -> Result<Vec<ObservedContainer>>;

    /// One container, or [`EngineError::NotFound`].
    async fn container(&self, id: &ContainerId) -> Result<ObservedContainer>;

    /// The id (digest of its configuration) of an image that is on the host, `None` if it is not.
    async fn image(&self, image: &ImageReference) -> Result<Option<String>>;

    /// Pulls an image; calls of the same image at the same time share one pull. `progress` gets the share that is
    /// done, 0 to 100, as often as it changes.
    async fn pull(&self, image: &ImageReference, auth: Option<&RegistryAuth>, progress: Progress) -> Result<()>;

    /// The images that are on the host.
    async fn images(&self) -> Result<Vec<LocalImage>>;

    /// The layers of an image that is on the host, `None` if it is not.
    async fn layers(&self, image: &ImageReference) -> Result<Option<ImageLayers>>;

    /// How many bytes each step of an image's making added, the first step first; steps that made no layer added none.
    async fn history(&self, image: &ImageReference) -> Result<Vec<u64>>;

    /// An image as an archive, as [`Engine::load`] takes it, without the layers that are left out. An archive that
    /// breaks off ends with an error.
    async fn save(&self, image: &ImageReference, leave_out: &LeaveOut) -> Result<Pieces>;

    /// Loads an image archive as `docker save` makes it; calls with the same archive at the same time share one load.
    /// `progress` as for [`Engine::pull`]. Nothing is left of a load that is given up before its end.
    async fn load(&self, archive: &Archive, progress: Progress) -> Result<()>;

    /// How many bytes a container has written over its image: sizes of files, however little of them the disk holds.
    /// The engine walks through them all.
    async fn written(&self, id: &ContainerId) -> Result<u64>;

    /// How many files and folders a container has made over its image, counted until there are more than `most`. Its host's
    /// agent looks; `None` without one, and where the engine keeps them in a way that it does not know.
    async fn files(&self, id: &ContainerId, most: u64) -> Result<Option<u64>>;

    /// Makes an image of a container as it is, and gives its id. The container is paused meanwhile if it runs. The
    /// image has one layer more than the container's, or as many if nothing was written.
    async fn commit(&self, container: &ContainerId, name: &ImageReference) -> Result<String>;

    /// Takes a name from an image, and the image with its last name. One that is gone already is a success;
    /// [`EngineError::Failed`] while a container is made of it.
    async fn remove_image(&self, image: &ImageReference) -> Result<()>;

    /// Gives an image of the host one more name. The image that has this name loses it.
    async fn tag(&self, image: &ImageReference, name: &ImageReference) -> Result<()>;

    /// Sends an image of the host to the registry that its name tells, and gives the digest by which the registry knows it.
    /// What the registry does not take is [`EngineError::NoImage`], as what it does not give is.
    async fn push(&self, image: &ImageReference, auth: Option<&RegistryAuth>) -> Result<String>;

    /// Gives the same image, without the volumes that it declares, another name; and its id.
    async fn without_volumes(&self, image: &ImageReference, name: &ImageReference) -> Result<String>;

    /// Makes all layers above an image's base into one, or none if there are none. Nothing is left of one that is given
    /// up before its end.
    async fn squash(&self, wanted: &Squash) -> Result<Squashed>;

    /// How the files of two images of the host differ.
    async fn changes(&self, wanted: &Compare) -> Result<merge::Changes>;

    /// Creates a container without starting it; [`EngineError::NameTaken`] if there is one of that name.
    async fn create(&self, request: &CreateRequest) -> Result<ContainerId>;

    /// Makes a network; [`EngineError::NameTaken`] if there is one of that name, [`EngineError::SubnetTaken`] if another
    /// has some of its addresses.
    async fn create_network(&self, request: &NetworkRequest) -> Result<()>;

    /// The networks that bear the label `pierhead.cluster`.
    async fn networks(&self) -> Result<Vec<ObservedNetwork>>;

    /// Removes a network without containers, by its name. One that is gone already is a success, one in which a container
    /// runs [`EngineError::Failed`].
    async fn remove_network(&self, name: &str) -> Result<()>;

    /// Starts a container; one that runs already stays as it is.
    async fn start(&self, id: &ContainerId) -> Result<()>;

    /// Asks a container to stop and kills it after `grace_seconds`; one that does not run stays as it is.
    async fn stop(&self, id: &ContainerId, grace_seconds: u32) -> Result<()>;

    /// Stops (as [`Engine::stop`]) and starts a container.
    async fn restart(&self, id: &ContainerId, grace_seconds: u32) -> Result<()>;

    /// Freezes all processes of a running container; one that is frozen already stays as it is.
    async fn pause(&self, id: &ContainerId) -> Result<()>;

    /// Lets the processes of a frozen container go on; one that runs stays as it is.
    async fn unpause(&self, id: &ContainerId) -> Result<()>;

    /// Removes a container, running or not; its volumes stay. One that is gone already is a success.
    async fn remove(&self, id: &ContainerId) -> Result<()>;

    /// What a container printed, oldest first; ends at the newest line unless asked to follow.
    async fn logs(&self, id: &ContainerId, options: LogOptions) -> Result<BoxStream<'static, Result<LogLine>>>;

    /// What a container uses now; all zero if it does not run.
    async fn usage(&self, id: &ContainerId) -> Result<Usage>;

    /// What a container uses, about once a second, as long as it is there; nothing while it does not run. The first
    /// reading may take some seconds to come.
    async fn stats(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Usage>>>;

    /// Makes a process in a running container, without starting it; [`EngineError::Refused`] if the container does not
    /// run. One that is never started goes with its container.
    async fn create_exec(&self, container: &ContainerId, request: &ExecRequest) -> Result<ExecId>;

    /// Starts such a process, once, and gives both directions: with a pseudo-terminal the bytes as they are, without in
    /// Docker's frames of 8 bytes of header and the piece. Shutting down the writing side ends its input, dropping it
    /// ends nothing: the process goes on. That a program can't be run is told in the stream, and by the exit code.
    async fn start_exec(&self, exec: &ExecId, tty: bool) -> Result<Box<dyn Stream>>;

    /// Sets the size of a process's pseudo-terminal, in cells, as soon as it runs; an error for one that has ended.
    async fn resize_exec(&self, exec: &ExecId, columns: u16, rows: u16) -> Result<()>;

    /// How it stands with a process; [`EngineError::NotFound`] if there is none, some minutes after its end too.
    async fn exec(&self, exec: &ExecId) -> Result<ExecState>;

    /// What happens on the engine from now on; with a moment (nanoseconds of the engine's own clock), what it still has
    /// of the time since comes first. Lossy: a hint that something changed, never the truth.
    async fn events(&self, since: Option<u64>) -> Result<BoxStream<'static, Result<EngineEvent>>>;
}

/// An engine behind a pointer, as the controller holds it.
pub type DynEngine = Arc<dyn Engine>;

/// Told the share of a pull or load that is done, 0 to 100.
pub type Progress = Arc<dyn Fn(u8) + Send + Sync>;
