//! The log as it grows, for one who watches.

use super::pages::{LATEST_COMMIT_MS, Start};
use super::{EventFilter, Log, Logged, Position, Since};
use crate::{RequestError, keys};
use pierhead_model::Timestamp;
use pierhead_store::{MAX_PAGE_ENTRIES, Store};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How many events are handed out at once.
const AT_ONCE: usize = 64;

/// The events that a filter takes, in the order of the log, for ever.
pub struct EventStream {
    log: Arc<Log>,
    store: Arc<dyn Store>,
    bell: watch::Receiver<u64>,
    filter: EventFilter,
    stop: CancellationToken,
    start: Start,
    /// The keys of events that are in the store only, oldest first.
    backlog: VecDeque<Arc<str>>,
}

impl EventStream {
    /// Begins where the filter says, or now.
    pub(crate) async fn open(
        log: Arc<Log>,
        store: Arc<dyn Store>,
        filter: EventFilter,
        stop: CancellationToken,
        now: Timestamp,
    ) -> Result<Self, RequestError> {
        let bell = log.bell.subscribe();
        let start = match &filter.since {
            None => {
                let newest = store.list(keys::EVENTS, None, 1).await?.revision;
                Start::after(Position::end_of(newest), now.0.saturating_sub(LATEST_COMMIT_MS))
            }
            since @ Some(Since::Event(_) | Since::Moment(_)) => Start::find(&*store, since.as_ref()).await?,
        };
        let mut stream = Self { log, store, bell, filter, stop, start, backlog: VecDeque::new() };
        if stream.filter.since.is_some() {
            stream.read_back().await?;
        }
        Ok(stream)
    }

    /// Waits for the next events; none if the controller stops. May be dropped without losing any.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next(&mut self) -> Result<Vec<Arc<Logged>>, RequestError> {
        loop {
            let found = if self.backlog.is_empty() {
                self.bell.mark_unchanged();
                match self.log.after(self.start.position(), AT_ONCE) {
                    None => {
                        self.read_back().await?;
                        continue;
                    }
                    Some(found) if found.is_empty() => {
                        tokio::select! {
                            _ = self.bell.changed() => continue,
                            () = self.stop.cancelled() => return Ok(Vec::new()),
                        }
                    }
                    Some(found) => found,
                }
            } else {
                self.read_backlog().await?
            };
            if let Some(last) = found.last() {
                let floor = keys::event_time(&last.event.id).saturating_sub(LATEST_COMMIT_MS);
                self.start = Start::after(last.position.clone(), floor.max(self.start.floor()));
            }
            let wanted: Vec<_> = found.into_iter().filter(|logged| self.filter.takes(&logged.event)).collect();
            if !wanted.is_empty() {
                return Ok(wanted);
            }
        }
    }

    async fn read_backlog(&mut self) -> Result<Vec<Arc<Logged>>, RequestError> {
        let mut found = Vec::new();
        let count = self.backlog.len().min(AT_ONCE);
        for key in self.backlog.iter().take(count) {
            // What was removed meanwhile, for its age, is not told.
            if let Some(entry) = self.store.get(key).await? {
                found.push(Arc::new(Logged::read(&entry)?));
            }
        }
        self.backlog.drain(..count);
        Ok(found)
    }

    /// Finds what comes after the last event that was handed out, as far as it is committed now.
    async fn read_back(&mut self) -> Result<(), RequestError> {
        let mut found: Vec<(Position, Arc<str>)> = Vec::new();
        let mut newest = None;
        let mut after: Option<String> = None;
        'pages: loop {
            let page = self.store.list(keys::EVENTS, after.as_deref(), MAX_PAGE_ENTRIES).await?;
            let newest = *newest.get_or_insert(page.revision);
            for entry in &page.entries {
                if self.start.ends_at(entry) {
                    break 'pages;
                }
                // What is committed while we read comes in its turn.
                if entry.created <= newest && self.start.is_before(entry) {
                    found.push((Position::of(entry, &keys::event_id(&entry.key)), Arc::clone(&entry.key)));
                }
            }
            after = page.entries.last().map(|entry| entry.key.to_string());
            if !page.more {
                break;
            }
        }
        found.sort();
        self.backlog = found.into_iter().map(|(_, key)| key).collect();
        if let Some(newest) = newest.filter(|_| self.backlog.is_empty()) {
            self.start = Start::after(Position::end_of(newest), self.start.floor());
        }
        Ok(())
    }
}
