//! What watchers are fed from: the recent commits in memory, the history in the database for those who lag.
//!
//! The writer never waits for a watcher; a watcher that lags reads from the database at its own pace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use tokio::sync::watch;

use super::readers::Readers;
use super::{closed, select};
use crate::{Change, Changes, Error, Result, Revision, Watcher};

/// Bounds of what is held in memory.
const RECENT_CHANGES: usize = 4096;
const RECENT_BYTES: usize = 8 * 1024 * 1024;

/// Shared by the writer, which publishes, and the watchers.
#[derive(Debug, Default)]
pub(super) struct Feed {
    recent: RwLock<Recent>,
    kept_from: AtomicU64,
}

/// The last commits, one revision after the other.
#[derive(Debug, Default)]
struct Recent {
    /// The revision before the first of `commits`.
    base: u64,
    commits: VecDeque<Arc<Changes>>,
    changes: usize,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, commit: Arc<Changes>) {
        self.changes += commit.changes.len();
        self.bytes += bytes(&commit);
        self.commits.push_back(commit);
        while self.changes > RECENT_CHANGES || self.bytes > RECENT_BYTES {
            let Some(oldest) = self.commits.pop_front() else { break };
            self.changes -= oldest.changes.len();
            self.bytes -= bytes(&oldest);
            self.base = oldest.revision.value();
        }
    }

    /// The commits after a revision, if all of them are here.
    fn after(&self, revision: u64) -> Option<impl Iterator<Item = &Arc<Changes>>> {
        let skipped = usize::try_from(revision.checked_sub(self.base)?).unwrap_or(usize::MAX);
        Some(self.commits.range(skipped.min(self.commits.len())..))
    }
}

fn bytes(commit: &Changes) -> usize {
    let size = |change: &Change| change.key.len() + change.entry.as_ref().map_or(0, |entry| entry.value.len());
    commit.changes.iter().map(size).sum()
}

/// The writer's end.
pub(super) struct Publisher {
    feed: Arc<Feed>,
    revisions: watch::Sender<u64>,
}

/// An empty feed: the writer's end, and what wakes watchers.
pub(super) fn channel() -> (Publisher, watch::Receiver<u64>) {
    let (revisions, receiver) = watch::channel(0);
    (Publisher { feed: Arc::default(), revisions }, receiver)
}

impl Feed {
    /// Refuses a watch whose beginning is forgotten.
    pub(super) fn check_kept(&self, after: u64) -> Result<()> {
        check(self.kept_from.load(Ordering::Acquire), after)
    }
}

fn check(kept_from: u64, after: u64) -> Result<()> {
    if after.saturating_add(1) < kept_from {
        return Err(Error::Compacted { oldest: Revision::new(kept_from - 1) });
    }
    Ok(())
}

impl Publisher {
    pub(super) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }

    /// Begins at this revision; what is earlier is in the database only.
    pub(super) fn begin(&self, revision: u64) {
        let mut recent = self.feed.recent.write().unwrap_or_else(PoisonError::into_inner);
        *recent = Recent { base: revision, ..Recent::default() };
        drop(recent);
        self.revisions.send_replace(revision);
    }

    pub(super) fn forget_before(&self, kept_from: u64) {
        self.feed.kept_from.store(kept_from, Ordering::Release);
    }

    /// Tells the watchers of durable commits.
    pub(super) fn publish(&self, commits: Vec<Changes>) {
        let Some(last) = commits.last().map(|commit| commit.revision.value()) else { return };
        let mut recent = self.feed.recent.write().unwrap_or_else(PoisonError::into_inner);
        for commit in commits {
            recent.push(Arc::new(commit));
        }
        drop(recent);
        self.revisions.send_replace(last);
    }
}

/// One watch.
pub(super) struct FeedWatcher {
    feed: Arc<Feed>,
    readers: Arc<Readers>,
    revisions: watch::Receiver<u64>,
    prefix: String,
    /// All up to this revision was delivered, or is in `read`.
    seen: u64,
    /// Read from the database, not yet delivered.
    read: VecDeque<Changes>,
}

impl FeedWatcher {
    pub(super) fn new(
        feed: Arc<Feed>,
        readers: Arc<Readers>,
        revisions: watch::Receiver<u64>,
        prefix: &str,
        after: u64,
    ) -> Self {
        Self { feed, readers, revisions, prefix: prefix.to_owned(), seen: after, read: VecDeque::new() }
    }

    /// Looks into memory; false if what comes next is only in the database.
    fn look(&mut self) -> bool {
        let recent = self.feed.recent.read().unwrap_or_else(PoisonError::into_inner);
        let Some(commits) = recent.after(self.seen) else { return false };
        for commit in commits {
            self.seen = commit.revision.value();
            if let Some(changes) = under(&self.prefix, commit) {
                self.read.push_back(changes);
                break;
            }
        }
        true
    }

    async fn look_back(&mut self) -> Result<()> {
        let (prefix, after) = (self.prefix.clone(), self.seen);
        let piece = self.readers.read(move |connection| select::history(connection, &prefix, after)).await?;
        check(piece.kept_from, after)?;
        self.seen = piece.until;
        self.read.extend(piece.commits);
        Ok(())
    }
}

/// The part of a commit under a prefix.
fn under(prefix: &str, commit: &Changes) -> Option<Changes> {
    let changes: Vec<_> = commit.changes.iter().filter(|change| change.key.starts_with(prefix)).cloned().collect();
    (!changes.is_empty()).then_some(Changes { revision: commit.revision, changes })
}

#[async_trait]
impl Watcher for FeedWatcher {
    async fn next(&mut self) -> Result<Changes> {
        loop {
            if let Some(changes) = self.read.pop_front() {
                return Ok(changes);
            }
            // Marked before looking, so that a commit in between wakes us.
            self.revisions.mark_unchanged();
            let seen = self.seen;
            if !self.look() {
                self.look_back().await?;
            } else if self.read.is_empty() && self.seen == seen {
                self.revisions.changed().await.map_err(|_| closed())?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;

    fn commit(revision: u64, size: usize) -> Changes {
        let revision = Revision::new(revision);
        let key: Arc<str> = format!("k{}", revision.value() % 2).into();
        let entry = Entry {
            key: Arc::clone(&key),
            value: vec![0; size].into(),
            created: revision,
            modified: revision,
            lease: None,
        };
        Changes { revision, changes: vec![Change { key, entry: Some(entry) }] }
    }

    fn recent(base: u64, revisions: std::ops::RangeInclusive<u64>, size: usize) -> Recent {
        let mut recent = Recent { base, ..Recent::default() };
        revisions.for_each(|revision| recent.push(Arc::new(commit(revision, size))));
        recent
    }

    fn revisions(recent: &Recent, after: u64) -> Option<Vec<u64>> {
        recent.after(after).map(|commits| commits.map(|commit| commit.revision.value()).collect())
    }

    #[test]
    fn finds_what_follows_or_knows_that_it_is_not_there() {
        let recent = recent(7, 8..=10, 1);
        assert_eq!(revisions(&recent, 6), None);
        assert_eq!(revisions(&recent, 7), Some(vec![8, 9, 10]));
        assert_eq!(revisions(&recent, 9), Some(vec![10]));
        assert_eq!(revisions(&recent, 10), Some(vec![]));
        assert_eq!(revisions(&recent, u64::MAX), Some(vec![]));
    }

    #[test]
    fn memory_is_bounded_by_changes_and_bytes() {
        let many = recent(0, 1..=10_000, 1);
        assert_eq!(many.commits.len(), RECENT_CHANGES);
        assert_eq!(many.base, 10_000 - RECENT_CHANGES as u64);
        assert_eq!(revisions(&many, 9_999), Some(vec![10_000]));

        let large = recent(0, 1..=100, 1 << 20);
        assert!(large.bytes <= RECENT_BYTES && large.commits.len() >= 7, "{}", large.bytes);
        assert_eq!(revisions(&large, 99), Some(vec![100]));

        let huge = recent(0, 1..=3, RECENT_BYTES + 1);
        assert_eq!((huge.commits.len(), huge.bytes, huge.changes, huge.base), (0, 0, 0, 3));
    }

    #[test]
    fn a_watch_begins_where_history_does() {
        assert!(check(1, 0).is_ok());
        assert!(check(8, 7).is_ok());
        assert!(matches!(check(8, 6), Err(Error::Compacted { oldest }) if oldest == Revision::new(7)));
        assert!(check(8, u64::MAX).is_ok());
    }

    #[test]
    fn only_what_is_under_the_prefix_is_told() {
        assert_eq!(under("k1", &commit(3, 0)).map(|changes| changes.revision), Some(Revision::new(3)));
        assert_eq!(under("k1", &commit(4, 0)), None);
        assert_eq!(under("", &commit(4, 0)), Some(commit(4, 0)));
    }
}
