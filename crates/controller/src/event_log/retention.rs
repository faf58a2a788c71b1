//! How much of the log is kept: the newest so many events, and none that is too old.
//!
//! It is remembered where every so many events begin, so that a sweep reads only what came since the last one and what
//! it removes, never the whole log again.

use crate::keys;
use pierhead_model::Timestamp;
use pierhead_store::{Entry, MAX_PAGE_ENTRIES, Result, Store};
use std::collections::VecDeque;

/// Where the log is cut to length.
#[derive(Default)]
pub(crate) struct Retention {
    /// The log as it was counted, newest first.
    blocks: VecDeque<Block>,
}

/// Events that follow one another.
struct Block {
    /// The key of the newest of them.
    newest: String,
    count: usize,
}

impl Retention {
    /// What must go so that `kept` events stay, and none that was logged before `oldest`; a part of it, so that not
    /// all is held in memory at once. Nothing is left to remove when it is empty.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn surplus(&mut self, store: &dyn Store, kept: usize, oldest: Timestamp) -> Result<Vec<Entry>> {
        self.count_new(store).await?;
        while let Some(last) = self.blocks.pop_back() {
            let newer: usize = self.blocks.iter().map(|block| block.count).sum();
            let mut found = listed_from(store, &last.newest).await?;
            let is_old = |entry: &Entry| keys::event_time(&keys::event_id(&entry.key)) < oldest.0;
            // Newest first, so that what comes after the first that goes, goes too.
            let stay = found.iter().position(is_old).unwrap_or(found.len()).min(kept.saturating_sub(newer));
            let surplus = found.split_off(stay);
            if stay > 0 {
                self.blocks.push_back(Block { count: stay, ..last });
            }
            if stay > 0 || !surplus.is_empty() {
                return Ok(surplus);
            }
        }
        Ok(Vec::new())
    }

    /// Counts what was logged since the last time.
    async fn count_new(&mut self, store: &dyn Store) -> Result<()> {
        let known = self.blocks.front().map(|block| block.newest.clone());
        let (mut new, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = store.list(keys::EVENTS, after.as_deref(), MAX_PAGE_ENTRIES).await?;
            let count =
                page.entries.iter().take_while(|entry| known.as_deref().is_none_or(|k| &*entry.key < k)).count();
            if let Some(first) = page.entries.first().filter(|_| count > 0) {
                new.push(Block { newest: first.key.to_string(), count });
            }
            match page.entries.last() {
                Some(last) if page.more && count == page.entries.len() => after = Some(last.key.to_string()),
                _ => break,
            }
        }
        new.into_iter().rev().for_each(|block| self.blocks.push_front(block));
        Ok(())
    }
}

/// Everything from a key on.
async fn listed_from(store: &dyn Store, key: &str) -> Result<Vec<Entry>> {
    // A listing begins after a key: its own beginning comes right before it.
    let mut after = key[..key.len() - 1].to_owned();
    let mut found = Vec::new();
    loop {
        let page = store.list(keys::EVENTS, Some(&after), MAX_PAGE_ENTRIES).await?;
        match page.entries.last() {
            Some(last) if page.more => after = last.key.to_string(),
            _ => {
                found.extend(page.entries);
                return Ok(found);
            }
        }
        found.extend(page.entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_store::{Embedded, Transaction};

    /// An event that was logged so many milliseconds after 1970, and as many as wanted in the same one.
    fn id(millis: u64, number: u64) -> String {
        format!("{:014x}{:08x}", (millis << 12) | number, 7)
    }

    async fn log(store: &dyn Store, ids: impl IntoIterator<Item = String>) {
        let ids: Vec<String> = ids.into_iter().collect();
        for chunk in ids.chunks(90) {
            let add = |all: Transaction, id: &String| all.put(keys::event(id), b"{}".to_vec());
            store.commit(chunk.iter().fold(Transaction::new(), add)).await.unwrap();
        }
    }

    /// Sweeps to the end; how many sweeps removed something, and the ids that are left, newest first.
    async fn sweep(retention: &mut Retention, store: &dyn Store, kept: usize, oldest: u64) -> (usize, Vec<String>) {
        let mut parts = 0;
        loop {
            let surplus = retention.surplus(store, kept, Timestamp(oldest)).await.unwrap();
            if surplus.is_empty() {
                break;
            }
            parts += 1;
            for chunk in surplus.chunks(90) {
                let remove = |all: Transaction, entry: &Entry| all.delete(entry.key.clone());
                store.commit(chunk.iter().fold(Transaction::new(), remove)).await.unwrap();
            }
        }
        let left = store.list_all(keys::EVENTS).await.unwrap().entries;
        (parts, left.iter().map(|entry| keys::event_id(&entry.key)).collect())
    }

    #[tokio::test]
    async fn exactly_the_newest_stay_however_many_there_were() {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(directory.path()).unwrap();
        let mut retention = Retention::default();
        assert_eq!(sweep(&mut retention, &store, 100, 0).await, (0, Vec::new()));
        let all: Vec<String> = (0..4_321).map(|at| id(1_000 + at, 0)).collect();
        log(&store, all.clone()).await;
        let newest = |count: usize| all.iter().rev().take(count).cloned().collect::<Vec<_>>();
        assert_eq!(sweep(&mut retention, &store, 5_000, 0).await, (0, newest(4_321)));
        let (parts, left) = sweep(&mut retention, &store, 1_234, 0).await;
        assert_eq!(left, newest(1_234));
        assert!(parts >= 3, "in parts: {parts}");
        assert_eq!(sweep(&mut retention, &store, 1_234, 0).await.0, 0, "once");
        assert_eq!(sweep(&mut retention, &store, 0, 0).await.1, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_is_logged_meanwhile_is_counted_and_what_is_old_goes() {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(directory.path()).unwrap();
        let mut retention = Retention::default();
        for round in 0..20_u64 {
            log(&store, (0..150).map(|number| id(round, number))).await;
            let (_, left) = sweep(&mut retention, &store, 500, 0).await;
            assert_eq!(left.len(), 500.min((round as usize + 1) * 150), "round {round}");
            assert_eq!(left[0], id(round, 149));
        }
        // Committed late: it stands among the old ones and goes in its turn.
        log(&store, [id(17, 4_000)]).await;
        assert_eq!(sweep(&mut retention, &store, 10_000, 18).await.1.len(), 300);
        assert_eq!(sweep(&mut retention, &store, 10_000, 100).await.1.len(), 0);
    }

    #[tokio::test]
    async fn what_somebody_else_removed_costs_nothing_more() {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(directory.path()).unwrap();
        let (mut one, mut other) = (Retention::default(), Retention::default());
        log(&store, (0..3_000).map(|at| id(at, 0))).await;
        assert_eq!(sweep(&mut one, &store, 3_000, 0).await.0, 0);
        assert_eq!(sweep(&mut other, &store, 2_500, 0).await.1.len(), 2_500);
        log(&store, (3_000..3_010).map(|at| id(at, 0))).await;
        assert_eq!(sweep(&mut one, &store, 2_505, 0).await.1.len(), 2_505);
        assert_eq!(sweep(&mut other, &store, 2_000, 0).await.1.len(), 2_000);
    }
}
