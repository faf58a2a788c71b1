//! Copies an image from a host that has it to one that lacks it: only the layers that are missing there, and all of it
//! if that is refused. Nothing is kept here: what is read on one side is written on the other.

use super::OWN_IDS;
use super::at_host::{Arrival, Copying, Noted};
use super::sources::{self, Sources};
use crate::engines::{Engines, Link};
use futures_util::StreamExt;
use pierhead_engine::{Archive, EngineError, ImageLayers, LeaveOut, Pieces, Result, bytes_of_lowest, shared};
use pierhead_model::ImageReference;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How often it is looked at whether both hosts are still there.
const LOOK: Duration = Duration::from_millis(500);

/// How a copy ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// The host has the image; so many bytes came for it, none if it was there already.
    Done(u64),
    /// No other host has it.
    NobodyHasIt,
    /// None of those that have it could give it; why, in words.
    NotGiven(String),
}

/// Which side a copy failed on.
enum Broken {
    Source(String),
    Destination(EngineError),
}

/// Brings an image to a host from another one: the one of an id, or whatever most hosts mean by the name. An error is one
/// of the host that it goes to.
pub(crate) async fn copy(engines: &Engines, to: &Link, image: &ImageReference, id: Option<&str>) -> Result<Copied> {
    // An engine knows an image by its registry's digest only if it was pulled from there.
    if image.as_str().contains('@') {
        return Ok(Copied::NobodyHasIt);
    }
    let turn = to.images.turn(image);
    let _held = turn.lock().await;
    // Asked again: somebody else may just have brought it.
    if to.engine.image(image).await?.is_some_and(|found| id.is_none_or(|id| is_that(engines, to, &found, id))) {
        return Ok(Copied::Done(0));
    }
    let found = sources::find(engines, to, image, id).await;
    let Some(Sources { id, hosts }) = found else { return Ok(Copied::NobodyHasIt) };
    let _place = to.images.incoming.acquire().await;
    let mut failures = Vec::new();
    for from in hosts {
        let trip = Trip { engines, from: &from, to, image, id: &id };
        match trip.go().await {
            Ok(bytes) => return Ok(Copied::Done(bytes)),
            Err(Broken::Destination(error)) => return Err(error),
            Err(Broken::Source(why)) => {
                tracing::warn!(from = %from.id(), to = %to.id(), %image, why, "an image could not be copied");
                failures.push(format!("{image} could not be copied from {}: {why}", from.id()));
            }
        }
    }
    Ok(Copied::NotGiven(failures.join("; ")))
}

/// One image from one host to another.
struct Trip<'a> {
    engines: &'a Engines,
    from: &'a Arc<Link>,
    to: &'a Link,
    image: &'a ImageReference,
    id: &'a str,
}

impl Trip<'_> {
    /// Tells how many bytes went.
    async fn go(&self) -> std::result::Result<u64, Broken> {
        let source = |error: EngineError| Broken::Source(error.to_string());
        let found = self.from.engine.layers(self.image).await.map_err(source)?;
        let layers = found.filter(|found| found.id == self.id);
        let layers = layers.ok_or_else(|| Broken::Source("it does not have it any more".to_owned()))?;
        let has_own_ids = [self.from.as_ref(), self.to].into_iter().any(|host| gives_own_ids(self.engines, host));
        let there = if has_own_ids { vec![] } else { sources::layers_on(self.to).await };
        let lowest = shared(&layers.diff_ids, there.iter().map(AsRef::as_ref));
        let steps = self.from.engine.history(self.image).await.unwrap_or_default();
        let _leaves = self.from.images.outgoing.acquire().await;
        let began = self.to.images.note(self.image);
        let sent = match self.send(&layers, &steps, lowest, false, &began).await {
            Err(Broken::Destination(EngineError::Failed(why) | EngineError::Refused(why))) if lowest > 0 => {
                tracing::warn!(to = %self.to.id(), image = %self.image, why, "the missing layers alone were refused");
                self.send(&layers, &steps, 0, true, &began).await?
            }
            other => other?,
        };
        self.check(has_own_ids).await?;
        Ok(sent)
    }

    /// Sends all but the lowest layers, and tells how many bytes that were.
    async fn send(
        &self,
        layers: &ImageLayers,
        steps: &[u64],
        lowest: usize,
        is_again: bool,
        noted: &Arc<Noted>,
    ) -> std::result::Result<u64, Broken> {
        let copying = Copying {
            from: self.from.id().clone(),
            layers: layers.diff_ids.len() - lowest,
            of_layers: layers.diff_ids.len(),
            sent: 0,
            of: layers.size_bytes.saturating_sub(bytes_of_lowest(steps, layers.diff_ids.len(), lowest)),
            is_again,
        };
        noted.tell(Arrival::Copied(copying.clone()));
        let (from, to, image, of) = (self.from.id(), self.to.id(), self.image, copying.of);
        tracing::info!(%from, %to, %image, layers = copying.layers, of_layers = copying.of_layers, bytes = of, "an image is copied");
        let leave_out = LeaveOut::lowest(&layers.diff_ids, lowest);
        let saved = self.from.engine.save(self.image, &leave_out);
        let pieces = self.while_both_are_there(saved).await?.map_err(|error| Broken::Source(error.to_string()))?;
        let (broken, sent) = (Arc::new(OnceLock::new()), Arc::new(AtomicU64::new(0)));
        let key = format!("copy {} of {}", self.to.images.next_copy(), self.id);
        let pieces = watched(pieces, copying, Arc::clone(noted), Arc::clone(&broken), Arc::clone(&sent));
        let archive = Archive::new(&key).coming(pieces, of);
        let loaded = self.while_both_are_there(self.to.engine.load(&archive, Arc::new(|_| {}))).await?;
        tracing::info!(%from, %to, %image, bytes = sent.load(Ordering::Relaxed), is_loaded = loaded.is_ok(), "the copy ended");
        // Of a source that breaks off the destination says something too.
        match (loaded, broken.get()) {
            (Ok(()), _) => Ok(sent.load(Ordering::Relaxed)),
            (Err(_), Some(why)) => Err(Broken::Source(String::clone(why))),
            (Err(error), None) => Err(Broken::Destination(error)),
        }
    }

    /// A host that is cut off closes no connection.
    async fn while_both_are_there<T>(&self, work: impl Future<Output = T> + Send) -> std::result::Result<T, Broken> {
        let mut work = std::pin::pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(LOOK, &mut work).await {
                return Ok(done);
            }
            if self.engines.is_down(self.from) {
                return Err(Broken::Source("the host does not answer any more".to_owned()));
            }
            if self.engines.is_down(self.to) {
                return Err(Broken::Destination(EngineError::Unreachable(
                    "the host does not answer any more".to_owned(),
                )));
            }
        }
    }

    /// The host must have what was meant now: names can move on their way.
    async fn check(&self, has_own_ids: bool) -> std::result::Result<(), Broken> {
        let (from, image) = (self.from.id(), self.image);
        let failed = |why: String| Broken::Destination(EngineError::Failed(why));
        match self.to.engine.image(image).await.map_err(Broken::Destination)? {
            Some(found) if found == self.id || has_own_ids => Ok(()),
            Some(found) => {
                Err(failed(format!("after {image} was copied from {from} as {}, the host has it as {found}", self.id)))
            }
            None => Err(failed(format!("{image} is not there after it was copied from {from}"))),
        }
    }
}

/// Whether an engine gives images ids of its own: its layers are not told as others tell them.
pub(super) fn gives_own_ids(engines: &Engines, host: &Link) -> bool {
    engines.storage_driver(host).is_some_and(|driver| OWN_IDS.contains(&driver.as_str()))
}

/// Whether an image that was found on a host by its name is the one of an id, as far as the host's ids tell.
pub(crate) fn is_that(engines: &Engines, host: &Link, found: &str, id: &str) -> bool {
    found == id || gives_own_ids(engines, host)
}

/// The same pieces, counted for people who wait; why they broke off is noted.
fn watched(
    pieces: Pieces,
    mut copying: Copying,
    noted: Arc<Noted>,
    broken: Arc<OnceLock<String>>,
    sent: Arc<AtomicU64>,
) -> Pieces {
    let pieces = pieces.inspect(move |piece| match piece {
        Ok(bytes) => {
            copying.sent += bytes.len() as u64;
            sent.store(copying.sent, Ordering::Relaxed);
            noted.tell(Arrival::Copied(copying.clone()));
        }
        Err(error) => {
            let _first_counts = broken.set(error.to_string());
        }
    });
    pieces.boxed()
}
