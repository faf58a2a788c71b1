//! The verbs on a real engine.

use super::demultiplex::Demultiplexer;
use super::progress::Layers;
use super::{
    DiskQuota, Docker, chunks, events, facts, failure, observe, push, quota, raw, timed_out, translate, usage,
};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::merge::Changes;
use crate::output::{EngineEvent, LocalImage, LogLine, LogOptions, Usage};
use crate::request::{CreateRequest, RegistryAuth};
use crate::{
    Archive, Compare, Engine, ExecId, ExecRequest, ExecState, ImageLayers, LeaveOut, NetworkRequest,
    Pieces as ArchivePieces, Progress, Squash, Squashed, Stream,
};
use async_trait::async_trait;
use bollard::Docker as Client;
use bollard::models::ImageSummary;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, ListImagesOptions, RemoveContainerOptionsBuilder,
    RestartContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper::body::Bytes;
use pierhead_model::{ContainerId, EngineFacts, ImageReference, ObservedContainer, ObservedNetwork, Timestamp};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a removal that somebody else began is looked at.
const REMOVAL_POLL: Duration = Duration::from_millis(100);

#[async_trait]
impl Engine for Docker {
    async fn ping(&self) -> Result<()> {
        let attempt = async {
            self.wire.unversioned().ping().await.map(drop).map_err(|error| failure::classify(Verb::Ping, error))
        };
        self.within(Verb::Ping, self.deadlines.ping, attempt).await
    }

    async fn facts(&self) -> Result<EngineFacts> {
        let attempt = async {
            let version = self.wire.negotiate().await?;
            let client = self.wire.client().await?;
            let info = client.info().await.map_err(|error| failure::classify(Verb::Facts, error))?;
            self.cores.store(cores(info.ncpu), Ordering::Relaxed);
            self.learn_quota(DiskQuota::told(&info));
            Ok(facts::facts(info, version, self.wire.version()))
        };
        self.within(Verb::Facts, self.deadlines.facts, attempt).await
    }

    async fn containers(&self) -> Result<Vec<ObservedContainer>> {
        self.list().await
    }

    async fn container(&self, id: &ContainerId) -> Result<ObservedContainer> {
        let container = self
            .call(Verb::Container, self.deadlines.inspect, |client| async move {
                client.inspect_container(id.as_str(), None).await
            })
            .await?;
        observe::from_inspect(container)
            .ok_or_else(|| EngineError::Failed("it describes a container without an id".to_owned()))
    }

    async fn image(&self, image: &ImageReference) -> Result<Option<String>> {
        let inspected = self
            .call(Verb::Image, self.deadlines.image, |client| async move { client.inspect_image(image.as_str()).await })
            .await;
        match inspected {
            Ok(inspected) => Ok(inspected.id),
            Err(EngineError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn pull(&self, image: &ImageReference, auth: Option<&RegistryAuth>, progress: Progress) -> Result<()> {
        let (engine, wanted, auth) = (self.clone(), image.clone(), auth.cloned());
        self.pulls.join(image, progress, |report| async move { engine.pull_alone(&wanted, auth, report).await }).await
    }

    async fn images(&self) -> Result<Vec<LocalImage>> {
        let listed = self.call(Verb::Images, self.deadlines.image, |client| async move {
            client.list_images(None::<ListImagesOptions>).await
        });
        let local = |image: ImageSummary| LocalImage {
            id: image.id,
            // Older engines name what has no name like this.
            tags: image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect(),
            labels: image.labels.into_iter().collect(),
            size_bytes: u64::try_from(image.size).unwrap_or(0),
        };
        Ok(listed.await?.into_iter().map(local).collect())
    }

    async fn layers(&self, image: &ImageReference) -> Result<Option<ImageLayers>> {
        self.layers_of(image).await
    }

    async fn history(&self, image: &ImageReference) -> Result<Vec<u64>> {
        self.steps_of(image).await
    }

    async fn save(&self, image: &ImageReference, leave_out: &LeaveOut) -> Result<ArchivePieces> {
        self.save_without(image, leave_out).await
    }

    async fn load(&self, archive: &Archive, progress: Progress) -> Result<()> {
        let (engine, wanted, key) = (self.clone(), archive.clone(), archive.key().to_owned());
        self.loads.join(&key, progress, |report| async move { engine.load_alone(&wanted, &report).await }).await
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
        let request = self.with_quota(request).await?;
        let result = match self.create_capped(&request).await {
            // What looked as if it had quotas has none, as an xfs without pquota.
            Err(error) if quota::is_refused(&error) => {
                self.learn_refusal();
                self.create_capped(&quota::without(request)).await
            }
            result => result,
        };
        let id = result?;
        ContainerId::parse(id).map_err(|error| EngineError::Failed(error.to_string()))
    }

    async fn create_network(&self, request: &NetworkRequest) -> Result<()> {
        self.network_made(request).await
    }

    async fn networks(&self) -> Result<Vec<ObservedNetwork>> {
        self.networks_seen().await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        self.network_removed(name).await
    }

    async fn start(&self, id: &ContainerId) -> Result<()> {
        self.call(
            Verb::Start,
            self.deadlines.start,
            |client| async move { client.start_container(id.as_str(), None).await },
        )
        .await
    }

    async fn stop(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        let options = StopContainerOptionsBuilder::new().t(seconds(grace_seconds)).build();
        self.call(Verb::Stop, self.deadlines.of(Verb::Stop, grace_seconds), |client| {
            let options = options.clone();
            async move { client.stop_container(id.as_str(), Some(options)).await }
        })
        .await
    }

    async fn restart(&self, id: &ContainerId, grace_seconds: u32) -> Result<()> {
        let options = RestartContainerOptionsBuilder::new().t(seconds(grace_seconds)).build();
        self.call(Verb::Restart, self.deadlines.of(Verb::Restart, grace_seconds), |client| {
            let options = options.clone();
            async move { client.restart_container(id.as_str(), Some(options)).await }
        })
        .await
    }

    async fn pause(&self, id: &ContainerId) -> Result<()> {
        let paused = self
            .call(Verb::Pause, self.deadlines.pause, |client| async move { client.pause_container(id.as_str()).await })
            .await;
        failure::unless_it_is_so(paused, "is already paused")
    }

    async fn unpause(&self, id: &ContainerId) -> Result<()> {
        let unpaused =
            self.call(Verb::Unpause, self.deadlines.pause, |client| async move {
                client.unpause_container(id.as_str()).await
            })
            .await;
        failure::unless_it_is_so(unpaused, "is not paused")
    }

    async fn remove(&self, id: &ContainerId) -> Result<()> {
        let deadline = self.deadlines.remove;
        self.within(Verb::Remove, deadline, async {
            let removed = self.call(Verb::Remove, deadline, |client| remove_or_join(client, id)).await;
            match removed {
                Ok(true) | Err(EngineError::NotFound) => Ok(()),
                Ok(false) => self.until_gone(id).await,
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn logs(&self, id: &ContainerId, options: LogOptions) -> Result<BoxStream<'static, Result<LogLine>>> {
        let deadline = self.deadlines.stream;
        let (terminal, bytes) = self
            .call(Verb::Logs, deadline, |client| {
                let path = format!("/v{}/containers/{id}/logs?{}", self.wire.version(), log_query(&options));
                async move {
                    let container = client.inspect_container(id.as_str(), None).await?;
                    let terminal = container.config.and_then(|config| config.tty).unwrap_or(false);
                    Ok((terminal, raw::get(&self.endpoint, &path).await?.into_bytes()))
                }
            })
            .await?;
        let idle = (!options.follow).then_some(deadline);
        Ok(demultiplexed(bytes, Demultiplexer::new(terminal), idle).boxed())
    }

    async fn usage(&self, id: &ContainerId) -> Result<Usage> {
        let body = self.call(Verb::Usage, self.deadlines.usage, |_| async {
            let path = format!("/v{}/containers/{id}/stats?stream=false&one-shot=true", self.wire.version());
            raw::get(&self.endpoint, &path).await?.into_whole(usage::LONGEST).await
        });
        usage::read(&body.await?).ok_or_else(|| EngineError::Failed("its statistics cannot be read".to_owned()))
    }

    async fn stats(&self, id: &ContainerId) -> Result<BoxStream<'static, Result<Usage>>> {
        let bytes = self
            .call(Verb::Stats, self.deadlines.stream, |_| async {
                let path = format!("/v{}/containers/{id}/stats?stream=true", self.wire.version());
                Ok(raw::get(&self.endpoint, &path).await?.into_bytes())
            })
            .await?;
        Ok(in_lines(Verb::Stats, bytes, usage::read_running))
    }

    async fn create_exec(&self, container: &ContainerId, request: &ExecRequest) -> Result<ExecId> {
        self.exec_made(container, request).await
    }

    async fn start_exec(&self, exec: &ExecId, tty: bool) -> Result<Box<dyn Stream>> {
        self.exec_started(exec, tty).await
    }

    async fn resize_exec(&self, exec: &ExecId, columns: u16, rows: u16) -> Result<()> {
        self.exec_resized(exec, columns, rows).await
    }

    async fn exec(&self, exec: &ExecId) -> Result<ExecState> {
        self.exec_seen(exec).await
    }

    async fn events(&self, since: Option<u64>) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        let bytes = self
            .call(Verb::Events, self.deadlines.stream, |_| async {
                let path = format!("/v{}/events?{}", self.wire.version(), events::query(since));
                Ok(raw::get(&self.endpoint, &path).await?.into_bytes())
            })
            .await?;
        Ok(in_lines(Verb::Events, bytes, events::parse))
    }
}

impl Docker {
    async fn create_capped(&self, request: &CreateRequest) -> Result<String> {
        let known = Some(self.cores.load(Ordering::Relaxed)).filter(|cores| *cores > 0);
        match self.create_on(request, known).await {
            // Docker refuses a limit beyond the host's cores: learn how many there are, and cap it there.
            Err(EngineError::Refused(message)) if message.starts_with("Range of CPUs") => {
                let info = self.call(Verb::Create, self.deadlines.facts, |client| async move { client.info().await });
                let cores = cores(info.await?.ncpu);
                self.cores.store(cores, Ordering::Relaxed);
                self.create_on(request, Some(cores)).await
            }
            result => result,
        }
    }

    async fn create_on(&self, request: &CreateRequest, cores: Option<u64>) -> Result<String> {
        let body = translate::create_body(request, cores)?;
        let options = CreateContainerOptionsBuilder::new().name(&request.name).build();
        let created = self.call(Verb::Create, self.deadlines.create, |client| {
            let (options, body) = (options.clone(), body.clone());
            async move { client.create_container(Some(options), body).await }
        });
        Ok(created.await?.id)
    }

    /// Pulls, as long as there is some progress within each deadline.
    async fn pull_alone(&self, image: &ImageReference, auth: Option<RegistryAuth>, report: Progress) -> Result<()> {
        let idle = self.deadlines.pull_idle;
        let client = self.within(Verb::Pull, idle, self.wire.client()).await?;
        let options = CreateImageOptionsBuilder::new().from_image(image.as_str()).build();
        let credentials = auth.as_ref().map(push::credentials);
        let mut told = std::pin::pin!(client.create_image(Some(options), None, credentials));
        let mut layers = Layers::default();
        loop {
            let next = async { Ok(told.next().await) };
            match self.within(Verb::Pull, idle, next).await? {
                Some(Ok(message)) => {
                    if let Some(percent) = layers.tell(&message) {
                        report(percent);
                    }
                }
                Some(Err(error)) => return Err(failure::classify(Verb::Pull, error)),
                None => return Ok(()),
            }
        }
    }

    /// Waits for the end of a removal that somebody else began.
    async fn until_gone(&self, id: &ContainerId) -> Result<()> {
        loop {
            match self.container(id).await {
                Err(EngineError::NotFound) => return Ok(()),
                Err(error) => return Err(error),
                Ok(_) => tokio::time::sleep(REMOVAL_POLL).await,
            }
        }
    }
}

/// Removes a container; `false` if somebody else is doing that already.
async fn remove_or_join(client: Client, id: &ContainerId) -> std::result::Result<bool, bollard::errors::Error> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(false).build();
    match client.remove_container(id.as_str(), Some(options)).await {
        Ok(()) => Ok(true),
        Err(error) if failure::is_removal_in_progress(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn cores(reported: Option<i64>) -> u64 {
    reported.and_then(|cores| u64::try_from(cores).ok()).unwrap_or(0)
}

fn seconds(grace: u32) -> i32 {
    i32::try_from(grace).unwrap_or(i32::MAX)
}

fn log_query(options: &LogOptions) -> String {
    let LogOptions { follow, tail, since, until, stdout, stderr, timestamps } = options;
    let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
    let seconds = |at: Timestamp| format!("{}.{:03}", at.0 / 1000, at.0 % 1000);
    let since = since.map_or_else(String::new, |since| format!("&since={}", seconds(since)));
    let until = until.map_or_else(String::new, |until| format!("&until={}", seconds(until)));
    format!("follow={follow}&stdout={stdout}&stderr={stderr}&timestamps={timestamps}&tail={tail}{since}{until}")
}

type Pieces = BoxStream<'static, std::result::Result<Bytes, bollard::errors::Error>>;

/// What stands in the lines of a stream of bytes; what is nothing of the kind is left out.
fn in_lines<T: Send + 'static>(
    verb: Verb,
    bytes: Pieces,
    read: fn(&[u8]) -> Option<T>,
) -> BoxStream<'static, Result<T>> {
    let mut lines = chunks::Lines::default();
    let found = bytes.flat_map(move |piece| {
        stream::iter(match piece {
            Ok(piece) => lines.feed(&piece).iter().filter_map(|line| read(line)).map(Ok).collect(),
            Err(error) => vec![Err(failure::classify(verb, error))],
        })
    });
    found.boxed()
}

/// The lines in a stream of bytes; ends after an error, and with one if no byte comes for as long as `idle`.
fn demultiplexed(
    pieces: Pieces,
    demultiplexer: Demultiplexer,
    idle: Option<Duration>,
) -> impl futures_util::Stream<Item = Result<LogLine>> + Send {
    let lines = stream::unfold(Some((pieces, demultiplexer)), move |state| async move {
        let (mut pieces, mut demultiplexer) = state?;
        let piece = match idle {
            Some(idle) => tokio::time::timeout(idle, pieces.next()).await.map_err(|_| timed_out(Verb::Logs, idle)),
            None => Ok(pieces.next().await),
        };
        match piece {
            Ok(Some(Ok(bytes))) => match demultiplexer.feed(&bytes) {
                Ok(lines) => Some((Ok(lines), Some((pieces, demultiplexer)))),
                Err(error) => Some((Err(error), None)),
            },
            Ok(Some(Err(error))) => Some((Err(failure::classify(Verb::Logs, error)), None)),
            Ok(None) => Some((demultiplexer.finish().map(|()| Vec::new()), None)),
            Err(error) => Some((Err(error), None)),
        }
    });
    lines.flat_map(|lines| {
        stream::iter(match lines {
            Ok(lines) => lines.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_log() {
        let options = LogOptions { tail: Some(5), since: Some(Timestamp(1_007)), ..LogOptions::default() };
        assert_eq!(log_query(&options), "follow=false&stdout=true&stderr=true&timestamps=false&tail=5&since=1.007");
        let options = LogOptions { until: Some(Timestamp(2_100)), ..LogOptions::default() };
        assert!(log_query(&options).ends_with("tail=all&until=2.100"));
        assert!(log_query(&LogOptions::default()).ends_with("tail=all"));
    }

    #[tokio::test]
    async fn a_log_that_stops_coming_ends_in_time_and_once() {
        let idle = Duration::from_millis(20);
        let pieces = stream::iter([Ok(Bytes::from_static(b"\x01\0\0\0\0\0\0\x02hi"))]).chain(stream::pending()).boxed();
        let lines: Vec<_> = demultiplexed(pieces, Demultiplexer::new(false), Some(idle)).collect().await;
        assert_eq!(lines[0].as_ref().unwrap().bytes, b"hi");
        assert!(matches!(lines[1], Err(EngineError::TimedOut { call: "logs", milliseconds: 20 })));
        assert_eq!(lines.len(), 2);
    }
}
