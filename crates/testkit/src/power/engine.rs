//! An engine behind a controller's power.

use super::Power;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use pierhead_engine::{
    Archive, CreateRequest, DynEngine, Engine, EngineEvent, ExecId, ExecRequest, ExecState, ImageLayers, LeaveOut,
    LocalImage, LogLine, LogOptions, Pieces, Progress, RegistryAuth, Result, Stream, Usage,
};
use pierhead_model::{ContainerId, EngineFacts, ImageReference, ObservedContainer};

/// An engine whose changes are steps.
pub(crate) struct PoweredEngine {
    pub(crate) engine: DynEngine,
    pub(crate) power: Power,
}

impl PoweredEngine {
    async fn step<T: Send>(&self, verb: &str, subject: &str, act: impl Future<Output = T> + Send) -> T {
        self.power.step(|| format!("{verb} {subject}"), act).await
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

    async fn start(&self, id: &ContainerId) -> Result<()> {
        self.step("start", id.as_str(), self.engine.start(id)).await
    }

    async fn stop(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        self.step("stop", id.as_str(), self.engine.stop(id, grace_seconds)).await
    }

    async fn restart(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        self.step("restart", id.as_str(), self.engine.restart(id, grace_seconds)).await
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
