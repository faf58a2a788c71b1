//! An engine behind a controller's power.

use super::Power;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use pierhead_engine::merge::Changes;
use pierhead_engine::{
    Archive, Compare, CreateRequest, DynEngine, Engine, EngineEvent, ExecId, ExecRequest, ExecState, ImageLayers,
    LeaveOut, LocalImage, LogLine, LogOptions, NetworkRequest, Pieces, Progress, RegistryAuth, Result, Squash,
    Squashed, Stream, Usage,
};
use pierhead_model::{ContainerId, EngineFacts, ImageReference, ObservedContainer, ObservedNetwork};

/// An engine whose changes are steps.
pub(crate) struct PoweredEngine {
    /// Its host's name.
    pub(crate) host: String,
    pub(crate) engine: DynEngine,
    pub(crate) power: Power,
}

impl PoweredEngine {
    async fn step<T: Send>(&self, verb: &str, subject: &str, act: impl Future<Output = T> + Send) -> T {
        self.power.step(|| format!("{verb} {subject} at {}", self.host), act).await
    }
}

#[async_trait]
impl Engine for PoweredEngine {
    async fn ping(&self) -> Result<()> {
        self.engine.ping().await
    }

    async fn facts(&self) -> Result<EngineFacts> {
        self.engine.facts().await
    }

    async fn containers(&self) -> Result<Vec<ObservedContainer>> {
        self.engine.containers().await
    }

    async fn container(&self, id: &ContainerId) -> Result<ObservedContainer> {
        self.engine.container(id).await
    }

    async fn image(&self, image: &ImageReference) -> Result<Option<String>> {
        self.engine.image(image).await
    }

    async fn pull(&self, image: &ImageReference, auth: Option<&RegistryAuth>, progress: Progress) -> Result<()> {
        self.step("pull", image.as_str(), self.engine.pull(image, auth, progress)).await
    }

    async fn images(&self) -> Result<Vec<LocalImage>> {
        self.engine.images().await
    }

    async fn layers(&self, image: &ImageReference) -> Result<Option<ImageLayers>> {
        self.engine.layers(image).await
    }

    async fn history(&self, image: &ImageReference) -> Result<Vec<u64>> {
        self.engine.history(image).await
    }

    async fn save(&self, image: &ImageReference, leave_out: &LeaveOut) -> Result<Pieces> {
        self.engine.save(image, leave_out).await
    }

    async fn load(&self, archive: &Archive, progress: Progress) -> Result<()> {
        self.step("load", archive.key(), self.engine.load(archive, progress)).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<ContainerId> {
        self.step("create", &request.name, self.engine.create(request)).await
    }

    async fn written(&self, id: &ContainerId) -> Result<u64> {
        self.engine.written(id).await
    }

    async fn files(&self, id: &ContainerId, most: u64) -> Result<Option<u64>> {
        self.engine.files(id, most).await
    }

    async fn commit(&self, container: &ContainerId, name: &ImageReference) -> Result<String> {
        self.step("commit", container.as_str(), self.engine.commit(container, name)).await
    }

    async fn remove_image(&self, image: &ImageReference) -> Result<()> {
        self.step("remove_image", image.as_str(), self.engine.remove_image(image)).await
    }

    async fn tag(&self, image: &ImageReference, name: &ImageReference) -> Result<()> {
        self.step("tag", name.as_str(), self.engine.tag(image, name)).await
    }

    async fn push(&self, image: &ImageReference, auth: Option<&RegistryAuth>) -> Result<String> {
        self.step("push", image.as_str(), self.engine.push(image, auth)).await
    }

    async fn without_volumes(&self, image: &ImageReference, name: &ImageReference) -> Result<String> {
        self.step("without_volumes", image.as_str(), self.engine.without_volumes(image, name)).await
    }

    async fn squash(&self, wanted: &Squash) -> Result<Squashed> {
        self.step("squash", wanted.image.as_str(), self.engine.squash(wanted)).await
    }

    async fn changes(&self, wanted: &Compare) -> Result<Changes> {
        self.engine.changes(wanted).await
    }

    async fn create_network(&self, request: &NetworkRequest) -> Result<()> {
        self.step("create_network", &request.name, self.engine.create_network(request)).await
    }

    async fn networks(&self) -> Result<Vec<ObservedNetwork>> {
        self.engine.networks().await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        self.step("remove_network", name, self.engine.remove_network(name)).await
    }

    async fn start(&self, id: &ContainerId) -> Result<()> {
        self.step("start", id.as_str(), self.engine.start(id)).await
    }

    async fn stop(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        self.step("stop", id.as_str(), self.engine.stop(id, grace_seconds)).await
    }

    async fn restart(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        self.step("restart", id.as_str(), self.engine.restart(id, grace_seconds)).await
    }

    async fn pause(&self, id: &ContainerId) -> Result<()> {
        self.step("pause", id.as_str(), self.engine.pause(id)).await
    }

    async fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.step("unpause", id.as_str(), self.engine.unpause(id)).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<()> {
        self.step("remove", id.as_str(), self.engine.remove(id)).await
    }

    async fn logs(&self, id: &ContainerId, options: LogOptions) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.engine.logs(id, options).await
    }

    async fn usage(&self, id: &ContainerId) -> Result<Usage> {
        self.engine.usage(id).await
    }

    async fn stats(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Usage>>> {
        self.engine.stats(id).await
    }

    async fn create_exec(&self, container: &ContainerId, request: &ExecRequest) -> Result<ExecId> {
        self.engine.create_exec(container, request).await
    }

    async fn start_exec(&self, exec: &ExecId, tty: bool) -> Result<Box<dyn Stream>> {
        self.step("start_exec", exec.as_str(), self.engine.start_exec(exec, tty)).await
    }

    async fn resize_exec(&self, exec: &ExecId, columns: u16, rows: u16) -> Result<()> {
        self.engine.resize_exec(exec, columns, rows).await
    }

    async fn exec(&self, exec: &ExecId) -> Result<ExecState> {
        self.engine.exec(exec).await
    }

    async fn events(&self, since: Option<u64>) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        self.engine.events(since).await
    }
}
