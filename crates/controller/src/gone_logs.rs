//! The last lines of containers that are gone: kept before a container is removed, readable for a while.
//!
//! They lie in a directory of the data directory, a file for each container, sealed with the pool's key, since programs
//! print secrets. Not in the store: they are the largest thing that is written, nothing is decided from them, and none
//! is worth a transaction or a place in the history that watches read. If a file is lost, or another controller has it,
//! there is no log, and that is all. Everything is bounded: the bytes of each, how many, and for how long.
//!
//! A removal waits for its log a short time only. What a host took with it when it failed is not here.

mod files;
mod tail;

use crate::clock::Clock;
use crate::known::Shared;
use crate::measured::Measured;
use files::Files;
use futures_util::StreamExt;
use pierhead_engine::{DynEngine, LogLine, LogOptions};
use pierhead_model::{AppId, ContainerId, ContainerState, EngineId, Ownership, Timestamp, Username};
use pierhead_store::seal::Sealer;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tail::{Line, Tail};
use tokio::sync::Semaphore;

/// How long a removal waits for the log of its container.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many logs are fetched at the same time; a removal that finds no turn in time goes on without.
const AT_ONCE: usize = 16;
/// How many lines are asked for: bytes can't be, and shorter lines than this many are nobody's need.
const MOST_LINES: u64 = 2_000;

/// What is kept of containers that are gone.
#[derive(Debug, Clone)]
pub struct GoneLogOptions {
    /// Where; without it nothing is kept.
    pub directory: Option<PathBuf>,
    /// Bytes of each, the last ones; 0 keeps nothing.
    pub bytes: usize,
    /// Of how many containers, the newest.
    pub count: usize,
    /// For how long.
    pub age: Duration,
}

impl Default for GoneLogOptions {
    fn default() -> Self {
        Self { directory: None, bytes: 64 * 1024, count: 500, age: Duration::from_secs(24 * 3600) }
    }
}

/// What is kept of one container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GoneLog {
    pub container: ContainerId,
    pub name: String,
    pub engine: EngineId,
    /// The app that it was of; absent for one that was not ours.
    pub app: Option<AppId>,
    /// Whose app that was.
    pub owner: Option<Username>,
    pub gone_at: Timestamp,
    lines: Vec<Line>,
}

/// Logs of containers that are gone.
pub(crate) struct GoneLogs {
    files: Option<Arc<Files>>,
    bytes: usize,
    turns: Semaphore,
    shared: Arc<Shared>,
    measured: Arc<Measured>,
    clock: Clock,
}

impl GoneLogs {
    pub(crate) fn new(
        options: &GoneLogOptions,
        sealer: Arc<Sealer>,
        shared: Arc<Shared>,
        measured: Arc<Measured>,
        clock: Clock,
    ) -> Self {
        let directory = options.directory.clone().filter(|_| options.bytes > 0 && options.count > 0);
        let files = directory.and_then(|directory| match Files::open(directory, sealer, options.count, options.age) {
            Ok(files) => Some(Arc::new(files)),
            Err(error) => {
                tracing::warn!(%error, "logs of containers that go are not kept: their directory can't be used");
                None
            }
        });
        Self { files, bytes: options.bytes, turns: Semaphore::new(AT_ONCE), shared, measured, clock }
    }

    /// Keeps what a container printed last, if that can be had soon. To be called before it is removed.
    pub(crate) async fn keep(&self, engine: &EngineId, host: &DynEngine, id: &ContainerId) {
        let Some(files) = self.files.clone() else { return };
        let Some(mut log) = self.describe(engine, id) else { return };
        let tail = Mutex::new(Tail::new(self.bytes));
        let fetched = tokio::time::timeout(PATIENCE, async {
            let _turn = self.turns.acquire().await;
            fetch(host, id, &tail).await
        });
        match fetched.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%engine, container = %id, %error, "the log of a container was not kept"),
            Err(_) => {
                tracing::info!(%engine, container = %id, "the log of a container that goes came too slowly; what had come is kept")
            }
        }
        log.lines = tail.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_lines();
        if log.lines.is_empty() {
            return;
        }
        let now = self.clock.now();
        let written = tokio::task::spawn_blocking(move || files.write(&log, now)).await;
        match written {
            Ok(Ok(())) => drop(self.measured.logs_kept.fetch_add(1, Ordering::Relaxed)),
            Ok(Err(error)) => {
                tracing::warn!(%engine, container = %id, %error, "the log of a container that goes could not be written")
            }
            // The program ends.
            Err(_) => {}
        }
    }

    /// What is known of a container that may have printed something.
    fn describe(&self, engine: &EngineId, id: &ContainerId) -> Option<GoneLog> {
        let known = self.shared.read();
        let found = known.world.engines().get(engine)?.containers.get(id)?;
        if found.state == ContainerState::Created {
            return None;
        }
        let ours = found.belongs_to(&known.world.cluster).then(|| Ownership::read(&found.labels)).flatten();
        let app = ours.map(|owner| owner.slot.app);
        Some(GoneLog {
            container: id.clone(),
            name: found.name.clone(),
            engine: engine.clone(),
            owner: app.as_ref().and_then(|app| known.owner_of(app)),
            app,
            gone_at: self.clock.now(),
            lines: Vec::new(),
        })
    }

    /// The log of the container whose id begins so, if there is exactly one that is gone.
    pub(crate) async fn read(&self, id: &str) -> Option<GoneLog> {
        let (files, id, now) = (self.files.clone()?, id.to_owned(), self.clock.now());
        // The program ends if there is no answer.
        let read = tokio::task::spawn_blocking(move || files.read(&id, now)).await.ok()?;
        read.unwrap_or_else(|error| {
            tracing::warn!(%error, "a kept log can't be read");
            None
        })
    }
}

async fn fetch(host: &DynEngine, id: &ContainerId, tail: &Mutex<Tail>) -> pierhead_engine::Result<()> {
    let options = LogOptions { tail: Some(MOST_LINES), timestamps: true, ..LogOptions::default() };
    let mut lines = host.logs(id, options).await?;
    while let Some(line) = lines.next().await {
        let line = line?;
        tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(&line);
    }
    Ok(())
}

impl GoneLog {
    /// The lines that were asked for. `follow` asks for nothing: nothing more will come.
    pub(crate) fn lines(self, options: &LogOptions) -> Vec<LogLine> {
        let all = self.lines.len();
        let kept = options.tail.map_or(all, |tail| usize::try_from(tail).unwrap_or(usize::MAX).min(all));
        let newest = self.lines.into_iter().skip(all - kept);
        newest.filter(|line| line.is_wanted(options)).map(|line| line.shown(options.timestamps)).collect()
    }
}

#[cfg(test)]
mod tests;
