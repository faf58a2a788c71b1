//! The event log as it is read: newest first from the store, and from memory as it grows.
//!
//! The store's order of commits is the log's order. The newest part of it is held once for all who watch; who falls
//! behind that reads on from the store, and nobody waits for anybody.

mod outline;
mod pages;
mod retention;
mod security;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use outline::outline;
pub use pages::{EventFilter, EventPages, Since};
pub(crate) use retention::Retention;
pub use stream::EventStream;

use crate::{Clock, keys};
use outline::Outline;
use pierhead_model::Event;
use pierhead_store::{Changes, Entry, Error, Result, Revision, Store};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Bounds of what is held in memory.
const MOST_HELD: usize = 4096;
const MOST_HELD_BYTES: usize = 16 * 1024 * 1024;
/// The least time between two rings of the bell, so that many events wake the watchers once: so much for each who
/// watches, which is more than it takes to tell them, between these bounds.
const FOR_EACH: Duration = Duration::from_micros(15);
const BETWEEN_RINGS: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(200);

/// Where an event stands in the log: by the commit that wrote it, and within that by its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    revision: Revision,
    id: String,
}

impl Position {
    fn of(entry: &Entry, id: &str) -> Self {
        Self { revision: entry.created, id: id.to_owned() }
    }

    /// After everything that a revision wrote.
    fn end_of(revision: Revision) -> Self {
        Self { revision, id: "~".to_owned() }
    }
}

/// An event of the log, shared by all who watch.
#[derive(Debug)]
pub struct Logged {
    /// The event.
    pub event: Event,
    position: Position,
    size: usize,
    encoded: OnceLock<Arc<[u8]>>,
}

impl Logged {
    /// The revision of the store that wrote it: the world holds all that it tells of once that is reached.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.position.revision
    }

    fn read(entry: &Entry) -> Result<Self> {
        let event: Event = entry.json()?;
        let position = Position::of(entry, &event.id);
        Ok(Self { event, position, size: entry.value.len(), encoded: OnceLock::new() })
    }

    /// The event as it is sent: made by the first who asks, whoever that is, and then shared.
    pub fn encoded(&self, encode: impl FnOnce(&Event) -> Vec<u8>) -> Arc<[u8]> {
        Arc::clone(self.encoded.get_or_init(|| encode(&self.event).into()))
    }
}

/// The newest part of the log.
pub(crate) struct Log {
    tail: RwLock<Tail>,
    bell: watch::Sender<u64>,
    outline: Outline,
    clock: Clock,
}

struct Tail {
    held: VecDeque<Arc<Logged>>,
    bytes: usize,
    /// Everything up to here is in the store only.
    dropped: Position,
    /// The commit up to which the log is known.
    revision: Revision,
}

impl Tail {
    fn at(revision: Revision) -> Self {
        Self { held: VecDeque::new(), bytes: 0, dropped: Position::end_of(revision), revision }
    }

    fn push(&mut self, logged: Logged) {
        self.bytes += logged.size;
        self.held.push_back(Arc::new(logged));
        while self.held.len() > MOST_HELD || self.bytes > MOST_HELD_BYTES {
            let Some(oldest) = self.held.pop_front() else { break };
            self.bytes -= oldest.size;
            self.dropped = oldest.position.clone();
        }
    }
}

impl Log {
    pub(crate) fn at(revision: Revision, clock: Clock) -> Self {
        let (tail, bell) = (RwLock::new(Tail::at(revision)), watch::Sender::new(0));
        Self { tail, bell, outline: Outline::default(), clock }
    }

    /// Up to `most` events after a position, in the order of the log; `None` if not all of them are in memory.
    fn after(&self, position: &Position, most: usize) -> Option<Vec<Arc<Logged>>> {
        let tail = self.tail.read().unwrap_or_else(PoisonError::into_inner);
        if *position < tail.dropped {
            return None;
        }
        let first = tail.held.partition_point(|logged| logged.position <= *position);
        Some(tail.held.iter().skip(first).take(most).cloned().collect())
    }

    fn add(&self, changes: &Changes) {
        let mut added: Vec<Logged> = Vec::new();
        let now = self.clock.now();
        for entry in changes.changes.iter().filter_map(|change| change.entry.as_ref()) {
            self.outline.came(entry, now);
            match Logged::read(entry) {
                Ok(logged) => added.push(logged),
                Err(error) => tracing::error!(%error, "an event can't be read and is left out"),
            }
        }
        added.sort_by(|one, other| one.position.cmp(&other.position));
        let mut tail = self.tail.write().unwrap_or_else(PoisonError::into_inner);
        added.into_iter().for_each(|logged| tail.push(logged));
        tail.revision = changes.revision;
    }

    fn revision(&self) -> Revision {
        self.tail.read().unwrap_or_else(PoisonError::into_inner).revision
    }

    fn ring(&self) {
        self.bell.send_modify(|rings| *rings += 1);
    }
}

/// Keeps the newest part of the log in step with the store.
pub(crate) async fn follow(log: Arc<Log>, store: Arc<dyn Store>) {
    loop {
        let Err(error) = follow_once(&log, &*store).await;
        tracing::warn!(%error, "the watch on the event log ended; it is opened anew");
        if matches!(error, Error::Compacted { .. })
            && let Ok(page) = store.list(keys::EVENTS, None, 1).await
        {
            *log.tail.write().unwrap_or_else(PoisonError::into_inner) = Tail::at(page.revision);
            log.outline.clear();
            log.ring();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn follow_once(log: &Log, store: &dyn Store) -> Result<std::convert::Infallible> {
    let mut watch = store.watch(keys::EVENTS, log.revision()).await?;
    let mut earliest = Instant::now();
    let mut is_due = false;
    loop {
        tokio::select! {
            changes = watch.next() => {
                log.add(&changes?);
                is_due = true;
            }
            () = tokio::time::sleep_until(earliest), if is_due => {
                log.ring();
                is_due = false;
                earliest = Instant::now() + between_rings(log.bell.receiver_count());
            }
        }
    }
}

fn between_rings(watchers: usize) -> Duration {
    let for_all = FOR_EACH.saturating_mul(u32::try_from(watchers).unwrap_or(u32::MAX));
    for_all.clamp(*BETWEEN_RINGS.start(), *BETWEEN_RINGS.end())
}
