//! The verbs on a fake engine.

use super::world::World;
use super::{Fake, FakeImage, logs, stats};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::layers::sieve;
use crate::merge::Changes;
use crate::output::{EngineEvent, LocalImage, LogLine, LogOptions, Usage};
use crate::request::{CreateRequest, RegistryAuth};
use crate::{
    Archive, Compare, Engine, ExecId, ExecRequest, ExecState, ImageLayers, LeaveOut, NetworkRequest, Pieces, Progress,
    Squash, Squashed, Stream as Talking,
};
use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use pierhead_model::{
    ContainerId, ContainerState, EngineFacts, ImageReference, ObservedContainer, ObservedNetwork, Timestamp,
};
use std::sync::atomic::Ordering;
use tokio::sync::broadcast::error::RecvError;

/// For how long a list tells when a container was started, as a real engine's does.
const YOUNG_MS: u64 = 10_000;

impl Fake {
    /// A whole call: counted, subject to faults, done, told.
    pub(super) async fn perform<T>(
        &self,
        verb: Verb,
        subject: &str,
        grace_seconds: u32,
        act: impl FnOnce(&mut World) -> Result<T> + Send,
    ) -> Result<T> {
        let _running = self.shared.script.begin(verb, subject);
        self.shared.script.pass(verb, grace_seconds).await?;
        let result = self.change(act);
        self.shared.script.reply(verb, result)
    }

    /// A call that changes nothing, so that readers disturb nobody.
    pub(super) async fn read<T>(
        &self,
        verb: Verb,
        subject: &str,
        look: impl FnOnce(&World) -> Result<T> + Send,
    ) -> Result<T> {
        let _running = self.shared.script.begin(verb, subject);
        self.shared.script.pass(verb, 0).await?;
        let result = look(&self.world());
        self.shared.script.reply(verb, result)
    }

    async fn transfer(&self, image: &ImageReference, auth: Option<&RegistryAuth>, report: Progress) -> Result<()> {
        self.shared.transfers.fetch_add(1, Ordering::SeqCst);
        self.shared.script.pass(Verb::Pull, 0).await?;
        report(50);
        let result = self.change(|world| {
            world.check_account(image, auth)?;
            if let Some((pulled, sizes)) = self.shared.options.depot.give(image)? {
                world.layer_sizes.extend(sizes);
                world.put_image(pulled, "pull");
                return Ok(());
            }
            let pulled = world.registry.get(image).or_else(|| world.images.get(image)).cloned();
            let pulled = pulled.ok_or_else(|| EngineError::NoImage(format!("pull access denied for {image}")))?;
            world.put_image(pulled, "pull");
            Ok(())
        });
        self.shared.script.reply(Verb::Pull, result)
    }

    /// Half of the archive comes before anything can go wrong; what is in it shows only at its end.
    async fn load_alone(&self, archive: &Archive, report: Progress) -> Result<()> {
        let unreadable = |error: std::io::Error| EngineError::Failed(format!("the archive cannot be read: {error}"));
        let (mut pieces, mut bytes, mut passed) = (std::pin::pin!(archive.stream()), Vec::new(), false);
        while let Some(piece) = pieces.try_next().await.map_err(unreadable)? {
            bytes.extend_from_slice(&piece);
            self.shared.loaded_bytes.fetch_add(piece.len() as u64, Ordering::SeqCst);
            if !passed && 2 * bytes.len() as u64 >= archive.size() {
                passed = true;
                report(50);
                self.shared.script.pass(Verb::Load, 0).await?;
            }
        }
        let result = self.change(|world| world.load(&bytes));
        if result.is_ok() {
            self.shared.loads_done.fetch_add(1, Ordering::SeqCst);
        }
        self.shared.script.reply(Verb::Load, result)
    }
}

#[async_trait]
impl Engine for Fake {
    async fn ping(&self) -> Result<()> {
        self.read(Verb::Ping, "", |_| Ok(())).await
    }

    async fn facts(&self) -> Result<EngineFacts> {
        let options = &self.shared.options;
        self.read(Verb::Facts, "", |world| {
            Ok(EngineFacts {
                identity: options.name.clone(),
                name: options.name.clone(),
                capacity: options.capacity,
                version: "20.10.24".to_owned(),
                api_version: "1.41".to_owned(),
                operating_system: "none".to_owned(),
                kernel: "none".to_owned(),
                storage_driver: "memory".to_owned(),
                labels: options.labels.clone(),
                images: world.local_images().len() as u64,
                lacks: vec![],
            })
        })
        .await
    }

    async fn containers(&self) -> Result<Vec<ObservedContainer>> {
        self.read(Verb::Containers, "", |world| {
            // As a real engine lists them: with the second in which they were made, and without the moment in which a
            // life began that has gone on for long.
            let now = world.now;
            let listed = |observed: &ObservedContainer| {
                let created_at = Timestamp(observed.created_at.0 / 1000 * 1000);
                let is_told = |at: &Timestamp| observed.state != ContainerState::Running || now.since(*at) <= YOUNG_MS;
                ObservedContainer { created_at, started_at: observed.started_at.filter(is_told), ..observed.clone() }
            };
            Ok(world.containers.values().map(|held| listed(&held.observed)).collect())
        })
        .await
    }

    async fn container(&self, id: &ContainerId) -> Result<ObservedContainer> {
        self.read(Verb::Container, id.as_str(), |world| {
            world.containers.get(id).map(|held| held.observed.clone()).ok_or(EngineError::NotFound)
        })
        .await
    }

    async fn image(&self, image: &ImageReference) -> Result<Option<String>> {
        self.read(Verb::Image, image.as_str(), |world| Ok(world.images.get(image).map(|image| image.id.clone()))).await
    }

    async fn images(&self) -> Result<Vec<LocalImage>> {
        self.read(Verb::Images, "", |world| Ok(world.local_images())).await
    }

    async fn pull(&self, image: &ImageReference, auth: Option<&RegistryAuth>, progress: Progress) -> Result<()> {
        let _running = self.shared.script.begin(Verb::Pull, image.as_str());
        let (fake, wanted, auth) = (self.clone(), image.clone(), auth.cloned());
        let pull = |report| async move { fake.transfer(&wanted, auth.as_ref(), report).await };
        self.shared.pulls.join(image, progress, pull).await
    }

    async fn layers(&self, image: &ImageReference) -> Result<Option<ImageLayers>> {
        self.read(Verb::Layers, image.as_str(), |world| {
            let layers = |image: &FakeImage| ImageLayers {
                id: image.id.clone(),
                diff_ids: image.layers.clone(),
                size_bytes: image.layers.iter().map(|layer| world.layer_bytes(layer)).sum(),
            };
            Ok(world.images.get(image).map(layers))
        })
        .await
    }

    async fn history(&self, image: &ImageReference) -> Result<Vec<u64>> {
        self.read(Verb::History, image.as_str(), |world| {
            let image = world.images.get(image).ok_or(EngineError::NotFound)?;
            Ok(image.layers.iter().map(|layer| world.layer_bytes(layer)).collect())
        })
        .await
    }

    /// What comes is cut in two, and between them the engine may hang or fail.
    async fn save(&self, image: &ImageReference, leave_out: &LeaveOut) -> Result<Pieces> {
        let archive = self.read(Verb::Save, image.as_str(), |world| world.save(image)).await?;
        let (first, second) = (archive[..archive.len() / 2].to_vec(), archive[archive.len() / 2..].to_vec());
        let fake = self.clone();
        let second = stream::once(async move {
            fake.shared.script.pass(Verb::Save, 0).await.map_err(std::io::Error::other)?;
            let breaks =
                fake.shared.breaking.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if breaks.is_ok() { Err(std::io::ErrorKind::ConnectionReset.into()) } else { Ok(second.into()) }
        });
        Ok(sieve(stream::iter([Ok(first.into())]).chain(second), leave_out.clone()))
    }

    async fn load(&self, archive: &Archive, progress: Progress) -> Result<()> {
        let _running = self.shared.script.begin(Verb::Load, archive.key());
        let (fake, wanted, key) = (self.clone(), archive.clone(), archive.key().to_owned());
        let load = |report| async move { fake.load_alone(&wanted, report).await };
        self.shared.loads.join(&key, progress, load).await
    }

    async fn written(&self, id: &ContainerId) -> Result<u64> {
        self.bytes_written(id).await
    }

    async fn files(&self, id: &ContainerId, most: u64) -> Result<Option<u64>> {
        self.files_made(id, most).await
    }

    async fn commit(&self, container: &ContainerId, name: &ImageReference) -> Result<String> {
        self.committed(container, name).await
    }

    async fn remove_image(&self, image: &ImageReference) -> Result<()> {
        self.image_removed(image).await
    }

    async fn tag(&self, image: &ImageReference, name: &ImageReference) -> Result<()> {
        self.tagged(image, name).await
    }

    async fn push(&self, image: &ImageReference, auth: Option<&RegistryAuth>) -> Result<String> {
        self.pushed(image, auth).await
    }

    async fn without_volumes(&self, image: &ImageReference, name: &ImageReference) -> Result<String> {
        self.volumes_dropped(image, name).await
    }

    async fn squash(&self, wanted: &Squash) -> Result<Squashed> {
        self.squashed(wanted).await
    }

    async fn changes(&self, wanted: &Compare) -> Result<Changes> {
        self.compared(wanted).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<ContainerId> {
        self.perform(Verb::Create, &request.name, 0, |world| world.create(request)).await
    }

    async fn create_network(&self, request: &NetworkRequest) -> Result<()> {
        self.perform(Verb::CreateNetwork, &request.name, 0, |world| {
            let now = world.now;
            world.networks.create(request, now)
        })
        .await
    }

    async fn networks(&self) -> Result<Vec<ObservedNetwork>> {
        self.read(Verb::Networks, "", |world| Ok(world.networks.ours())).await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        self.perform(Verb::RemoveNetwork, name, 0, |world| world.remove_network(name)).await
    }

    async fn start(&self, id: &ContainerId) -> Result<()> {
        self.perform(Verb::Start, id.as_str(), 0, |world| world.start(id)).await
    }

    async fn stop(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        self.perform(Verb::Stop, id.as_str(), grace_seconds, |world| world.stop(id)).await
    }

    async fn restart(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        self.perform(Verb::Restart, id.as_str(), grace_seconds, |world| {
            world.stop(id)?;
            world.start(id)
        })
        .await
    }

    async fn pause(&self, id: &ContainerId) -> Result<()> {
        self.perform(Verb::Pause, id.as_str(), 0, |world| world.pause(id)).await
    }

    async fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.perform(Verb::Unpause, id.as_str(), 0, |world| world.unpause(id)).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<()> {
        self.perform(Verb::Remove, id.as_str(), 0, |world| {
            world.remove(id);
            Ok(())
        })
        .await
    }

    async fn logs(&self, id: &ContainerId, options: LogOptions) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.read(Verb::Logs, id.as_str(), |world| {
            if world.containers.contains_key(id) { Ok(()) } else { Err(EngineError::NotFound) }
        })
        .await?;
        Ok(logs::stream(self, id, options).boxed())
    }

    async fn usage(&self, id: &ContainerId) -> Result<Usage> {
        self.read(Verb::Usage, id.as_str(), |world| {
            let held = world.containers.get(id).ok_or(EngineError::NotFound)?;
            Ok(if held.observed.state.is_running() { held.meter.read() } else { Usage::default() })
        })
        .await
    }

    async fn stats(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Usage>>> {
        self.read(Verb::Stats, id.as_str(), |world| {
            if world.containers.contains_key(id) { Ok(()) } else { Err(EngineError::NotFound) }
        })
        .await?;
        Ok(stats::stream(self, id).boxed())
    }

    async fn create_exec(&self, container: &ContainerId, request: &ExecRequest) -> Result<ExecId> {
        self.exec_made(container, request).await
    }

    async fn start_exec(&self, exec: &ExecId, tty: bool) -> Result<Box<dyn Talking>> {
        self.exec_started(exec, tty).await
    }

    async fn resize_exec(&self, exec: &ExecId, columns: u16, rows: u16) -> Result<()> {
        self.exec_resized(exec, columns, rows).await
    }

    async fn exec(&self, exec: &ExecId) -> Result<ExecState> {
        self.exec_seen(exec).await
    }

    async fn events(&self, since: Option<u64>) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        let (receiver, told) = self
            .read(Verb::Events, "", |world| {
                let wanted = |event: &&EngineEvent| since.is_some_and(|since| event.nanos >= since);
                let told: Vec<EngineEvent> = world.told.iter().filter(wanted).cloned().collect();
                Ok((self.shared.events.subscribe(), told))
            })
            .await?;
        let events = stream::unfold(Some(receiver), |receiver| async move {
            let mut receiver = receiver?;
            loop {
                match receiver.recv().await {
                    Ok(Some(event)) => return Some((Ok(event), Some(receiver))),
                    Ok(None) => return Some((Err(super::cut_off()), None)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(stream::iter(told.into_iter().map(Ok)).chain(events).boxed())
    }
}
