//! Brings an archive to several hosts at once and tells how far each is. Given up by dropping it.

use super::{Images, Supplied};
use crate::engines::Engines;
use futures_util::StreamExt;
use futures_util::stream;
use pierhead_engine::Progress;
use pierhead_model::{EngineId, ImageArchive, ImageReference};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// To how many hosts an archive goes at the same time.
const HOSTS_AT_ONCE: usize = 8;

/// How far one host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadStep {
    /// The host.
    pub engine: EngineId,
    /// What it is at.
    pub state: SpreadState,
    /// The share that is done, 0 to 100.
    pub percent: u8,
    /// Why it failed.
    pub message: String,
}

/// What a host is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpreadState {
    /// Its turn has not come.
    Waiting,
    /// It loads the archive, if it does not have the image.
    Loading,
    /// It has the image.
    Done,
    /// It could not be brought there.
    Failed,
}

impl SpreadState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Loading => "loading",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A host that an archive is to be brought to.
pub(crate) struct Destination {
    pub(crate) engine: EngineId,
    /// Why it can't be reached now.
    pub(crate) refusal: Option<String>,
}

/// An archive on its way to hosts. When this is dropped, loads that nobody else waits for are given up.
pub struct Spread {
    steps: mpsc::UnboundedReceiver<SpreadStep>,
    work: AbortHandle,
}

impl Drop for Spread {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Spread {
    /// What is new of a host; `None` when all have ended. Of each host the last step is `Done` or `Failed`.
    pub async fn next(&mut self) -> Option<SpreadStep> {
        self.steps.recv().await
    }

    /// Begins.
    pub(crate) fn begin(
        images: Arc<Images>,
        engines: Arc<Engines>,
        archive: ImageArchive,
        hosts: Vec<Destination>,
    ) -> Self {
        let (tell, steps) = mpsc::unbounded_channel();
        for host in &hosts {
            say(&tell, &host.engine, SpreadState::Waiting, 0, String::new());
        }
        let work = tokio::spawn(async move {
            let each = stream::iter(hosts).for_each_concurrent(HOSTS_AT_ONCE, |Destination { engine, refusal }| {
                let (images, engines, archive, tell) = (&images, &engines, &archive, tell.clone());
                async move {
                    let result = match refusal {
                        None => bring(images, engines, archive, &engine, &tell).await,
                        Some(why) => Err(why),
                    };
                    match result {
                        Ok(()) => say(&tell, &engine, SpreadState::Done, 100, String::new()),
                        Err(why) => say(&tell, &engine, SpreadState::Failed, 0, why),
                    }
                }
            });
            each.await;
        });
        Self { steps, work: work.abort_handle() }
    }
}

async fn bring(
    images: &Images,
    engines: &Engines,
    archive: &ImageArchive,
    engine: &EngineId,
    tell: &mpsc::UnboundedSender<SpreadStep>,
) -> Result<(), String> {
    let link = engines.link(engine).ok_or_else(|| "it is not in the pool any more".to_owned())?;
    say(tell, engine, SpreadState::Loading, 0, String::new());
    let (teller, host, told) = (tell.clone(), engine.clone(), AtomicU8::new(0));
    let progress: Progress = Arc::new(move |percent| {
        if told.fetch_max(percent, Ordering::Relaxed) < percent {
            say(&teller, &host, SpreadState::Loading, percent, String::new());
        }
    });
    let name: ImageReference = archive.tags.first().cloned().unwrap_or_else(|| archive.id.reference());
    match images.supply(engines, &link, &name, archive, progress).await {
        Ok(Supplied::There) => Ok(()),
        Ok(Supplied::FileGone) => Err("the file of the archive is gone; upload it again".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn say(tell: &mpsc::UnboundedSender<SpreadStep>, engine: &EngineId, state: SpreadState, percent: u8, message: String) {
    // Nobody listens any more: nobody is told.
    let _ = tell.send(SpreadStep { engine: engine.clone(), state, percent, message });
}
