//! Carries out one action on one engine. Decides nothing: every choice is in the action.

mod leading;
mod log_tail;

use crate::Options;
use crate::engines::{Engines, Link};
use crate::gone_logs::GoneLogs;
use crate::images::{Arrival, Copied, Images, Supplied, copy};
use crate::labs::Library;
use crate::registries::Registries;
use crate::saves::Saves;
use pierhead_engine::{CreateRequest, EngineError};
use pierhead_model::{ContainerId, Failure, FailureKind, ImageReference, ObservedContainer};
use pierhead_planner::{Action, NewContainer, Step};
use pierhead_store::leadership::Standing;
use std::sync::Arc;

/// Carries out actions.
#[derive(Clone)]
pub(crate) struct Executor {
    pub(crate) engines: Arc<Engines>,
    pub(crate) options: Arc<Options>,
    pub(crate) images: Arc<Images>,
    pub(crate) registries: Arc<Registries>,
    pub(crate) gone_logs: Arc<GoneLogs>,
    pub(crate) saves: Arc<Saves>,
    pub(crate) library: Arc<Library>,
    /// Engines are changed only while this is held.
    pub(crate) standing: Standing,
}

/// What a step tells beyond its success.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The last lines of a log.
    pub(crate) log: Vec<String>,
}

impl Executor {
    /// Carries out one action; the world knows the result when this returns.
    pub(crate) async fn carry_out(&self, action: &Action) -> Result<Told, Failure> {
        let Some(link) = self.engines.link(&action.engine) else {
            return Err(Failure::new(FailureKind::Unreachable, format!("host {} is not in the pool", action.engine)));
        };
        if let Step::Remove(id) = &action.step {
            self.gone_logs.keep(&action.engine, &link.engine, id).await;
        }
        let result = match &action.step {
            Step::Create { containers, pull } => self.create_all(&link, containers, *pull).await,
            Step::Pull(images) => self.pull_missing(&link, images).await,
            Step::Start(id) => self.start(&link, id).await,
            Step::ReadLog(id) => return Ok(Told { log: log_tail::read(&link.engine, id).await }),
            step => self.change(&link, step).await,
        };
        if let Err(error) = &result {
            tracing::info!(engine = %action.engine, %error, "a step failed");
            link.relist();
        }
        result.map(|()| Told::default()).map_err(|error| error.failure())
    }

    pub(crate) async fn leading<T>(
        &self,
        call: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        leading::while_leading(&self.standing, call).await
    }

    async fn change(&self, link: &Link, step: &Step) -> Result<(), EngineError> {
        let permit = link.others.acquire().await;
        let grace = self.options.stop_grace_seconds;
        let result = match step {
            Step::Stop(id) => self.leading(link.engine.stop(id, grace)).await,
            Step::Restart(id) => self.leading(link.engine.restart(id, grace)).await,
            Step::Remove(id) => {
                self.leading(link.engine.remove(id)).await?;
                self.engines.forget(link, id);
                return Ok(());
            }
            Step::Create { .. } | Step::Pull(_) | Step::Start(_) | Step::ReadLog(_) => Ok(()),
        };
        drop(permit);
        if let Step::Stop(id) | Step::Restart(id) = step {
            self.engines.refresh(link, id).await;
        }
        result
    }

    pub(crate) async fn start(&self, link: &Link, id: &ContainerId) -> Result<(), EngineError> {
        let permit = link.starts.acquire().await;
        let result = self.leading(link.engine.start(id)).await;
        drop(permit);
        self.engines.refresh(link, id).await;
        self.engines.watch_start(link.id(), id);
        result
    }

    /// Creates and starts all containers of a slot. If one fails, those that were created go again.
    async fn create_all(&self, link: &Link, containers: &[NewContainer], pull: bool) -> Result<(), EngineError> {
        let mut created = Vec::new();
        for container in containers {
            let result = self.create_one(link, container, pull, &mut created).await;
            if let Err(error) = result {
                self.take_back(link, &created).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn create_one(
        &self,
        link: &Link,
        container: &NewContainer,
        pull: bool,
        created: &mut Vec<ContainerId>,
    ) -> Result<(), EngineError> {
        // A name that was sent in is the newest upload's on every host; no registry is asked for it.
        if !self.supply(link, &container.spec.image).await? && pull {
            self.pull_fresh(link, &container.spec.image).await?;
        }
        let request = CreateRequest {
            name: container.name.clone(),
            spec: container.spec.clone(),
            ports: container.ports.clone(),
            labels: container.labels.clone(),
            pids_limit: self.options.pids_limit,
            engine_restarts: container.engine_restarts,
            workspace: None,
        };
        let mut permit = link.starts.acquire().await;
        let mut result = self.leading(link.engine.create(&request)).await;
        if let Err(EngineError::NoImage(_)) = result {
            // A pull may take minutes and must not keep others from starting.
            drop(permit);
            self.pull_missing(link, std::slice::from_ref(&container.spec.image)).await?;
            permit = link.starts.acquire().await;
            result = self.leading(link.engine.create(&request)).await;
        }
        let id = match result {
            Ok(id) => id,
            Err(EngineError::NameTaken) => self.adopt(link, container).await?,
            Err(error) => return Err(error),
        };
        created.push(id.clone());
        let started = self.leading(link.engine.start(&id)).await;
        drop(permit);
        if started.is_ok() {
            self.engines.refresh(link, &id).await;
            self.engines.watch_start(link.id(), &id);
        }
        started
    }

    /// A container of that name is there: ours, if an earlier reply was lost; else the name is taken.
    async fn adopt(&self, link: &Link, container: &NewContainer) -> Result<ContainerId, EngineError> {
        let is_same = |found: &ObservedContainer| {
            found.name == container.name
                && container.labels.iter().all(|(key, value)| found.labels.get(key) == Some(value))
        };
        let found = link.engine.containers().await?.into_iter().find(is_same);
        found.map(|found| found.id).ok_or(EngineError::NameTaken)
    }

    pub(crate) async fn pull_missing(&self, link: &Link, images: &[ImageReference]) -> Result<(), EngineError> {
        for image in images {
            if !self.supply(link, image).await? {
                self.fetch(link, image).await?;
            }
        }
        Ok(())
    }

    /// The image as another host has it, so that it is the same on all; from its registry if none has it.
    async fn fetch(&self, link: &Link, image: &ImageReference) -> Result<(), EngineError> {
        if link.engine.image(image).await?.is_some() {
            return Ok(());
        }
        match copy(&self.engines, link, image, None).await? {
            Copied::Done(_) => Ok(()),
            Copied::NobodyHasIt => self.pull_once(link, image).await,
            Copied::NotGiven(why) => self.pull_once(link, image).await.map_err(|error| match error {
                EngineError::NoImage(reason) => {
                    EngineError::NoImage(format!("{why}; nor could it be pulled instead: {reason}"))
                }
                other => other,
            }),
        }
    }

    /// An image that was asked to be newest; if it can't be had but an older one is on a host, that one does.
    async fn pull_fresh(&self, link: &Link, image: &ImageReference) -> Result<(), EngineError> {
        let Err(error) = self.pull(link, image, true).await else { return Ok(()) };
        if link.engine.image(image).await?.is_none()
            && !matches!(copy(&self.engines, link, image, None).await?, Copied::Done(_))
        {
            return Err(error);
        }
        tracing::warn!(%image, %error, "the image could not be pulled; the one that hosts have is used");
        Ok(())
    }

    /// The image comes from its registry, unless somebody else brings it meanwhile.
    async fn pull_once(&self, link: &Link, image: &ImageReference) -> Result<(), EngineError> {
        let turn = link.images.turn(image);
        let _held = turn.lock().await;
        self.pull(link, image, false).await
    }

    /// The image comes from its registry, unless it is there and need not be the newest.
    async fn pull(&self, link: &Link, image: &ImageReference, is_fresh: bool) -> Result<(), EngineError> {
        let account = self.registries.account(image, link.registry_auth.as_ref()).await.map_err(unreadable)?;
        // Asked last: somebody else may just have pulled it.
        if !is_fresh && link.engine.image(image).await?.is_some() {
            return Ok(());
        }
        let progress = link.images.progress(image, Arrival::Pulled);
        let result = self.leading(link.engine.pull(image, account.auth(), progress)).await;
        result.map_err(|error| account.explain(image, error))
    }

    /// Brings an image to a host if it was sent in; whether it was, and could be.
    async fn supply(&self, link: &Link, image: &ImageReference) -> Result<bool, EngineError> {
        let Some(archive) = self.images.uploaded(image).await.map_err(unreadable)? else { return Ok(false) };
        let progress = link.images.progress(image, Arrival::Loaded);
        Ok(self.images.supply(&self.engines, link, image, &archive, progress).await? == Supplied::There)
    }

    /// Nothing half-made stays. What can't be removed now bears our labels and is found by them.
    pub(crate) async fn take_back(&self, link: &Link, created: &[ContainerId]) {
        for id in created.iter().rev() {
            match self.leading(link.engine.remove(id)).await {
                Ok(()) => self.engines.forget(link, id),
                Err(error) => {
                    tracing::warn!(container = %id, %error, "a half-made container could not be removed yet");
                    link.relist();
                }
            }
        }
    }
}

fn unreadable(error: pierhead_store::Error) -> EngineError {
    EngineError::Failed(format!("where the image comes from can't be read: {error}"))
}
