//! A store whose documents under some prefixes are sealed where they lie, each bound to its key. Who reads and writes
//! through this notices nothing; who reads the files finds nothing.
//!
//! Keys are not sealed: they must hold no secret.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Sealer, VERSION};
use crate::{Changes, Entry, LeaseId, Listing, Page, Result, Revision, Store, Transaction, Watch, Watcher, Write};

/// See the module. Documents that were written before they were sealed are read as they are, and sealed when they are
/// written next.
pub struct SealedDocuments {
    store: Arc<dyn Store>,
    seals: Seals,
}

#[derive(Clone)]
struct Seals {
    sealer: Arc<Sealer>,
    prefixes: &'static [&'static str],
}

impl SealedDocuments {
    /// Seals what lies under these prefixes of `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, sealer: Arc<Sealer>, prefixes: &'static [&'static str]) -> Self {
        Self { store, seals: Seals { sealer, prefixes } }
    }
}

impl Seals {
    fn concern(&self, key: &str) -> bool {
        self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    fn close(&self, transaction: &mut Transaction) -> Result<()> {
        for write in &mut transaction.writes {
            if let Write::Put { key, value, .. } = write
                && self.concern(key)
            {
                *value = self.sealer.seal(key, value)?.into_bytes().into();
            }
        }
        Ok(())
    }

    fn open(&self, entry: &mut Entry) -> Result<()> {
        if self.concern(&entry.key) && entry.value.starts_with(VERSION.as_bytes()) {
            let sealed = String::from_utf8_lossy(&entry.value);
            entry.value = self.sealer.open(&entry.key, &sealed)?.into();
        }
        Ok(())
    }

    fn open_all(&self, entries: &mut [Entry]) -> Result<()> {
        entries.iter_mut().try_for_each(|entry| self.open(entry))
    }
}

struct Opened {
    watch: Watch,
    seals: Seals,
}

#[async_trait]
impl Watcher for Opened {
    async fn next(&mut self) -> Result<Changes> {
        let mut changes = self.watch.next().await?;
        changes
            .changes
            .iter_mut()
            .filter_map(|change| change.entry.as_mut())
            .try_for_each(|entry| self.seals.open(entry))?;
        Ok(changes)
    }
}

#[async_trait]
impl Store for SealedDocuments {
    fn cluster_id(&self) -> &str {
        self.store.cluster_id()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let mut found = self.store.get(key).await?;
        found.as_mut().map_or(Ok(()), |entry| self.seals.open(entry))?;
        Ok(found)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let mut page = self.store.list(prefix, after, limit).await?;
        self.seals.open_all(&mut page.entries)?;
        Ok(page)
    }

    async fn list_all(&self, prefix: &str) -> Result<Listing> {
        let mut listing = self.store.list_all(prefix).await?;
        self.seals.open_all(&mut listing.entries)?;
        Ok(listing)
    }

    async fn commit(&self, mut transaction: Transaction) -> Result<Revision> {
        self.seals.close(&mut transaction)?;
        self.store.commit(transaction).await
    }

    async fn watch(&self, prefix: &str, after: Revision) -> Result<Watch> {
        let watch = self.store.watch(prefix, after).await?;
        Ok(Watch::new(Opened { watch, seals: self.seals.clone() }))
    }

    async fn grant(&self, ttl: Duration) -> Result<LeaseId> {
        self.store.grant(ttl).await
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<()> {
        self.store.keep_alive(lease).await
    }

    async fn revoke(&self, lease: LeaseId) -> Result<()> {
        self.store.revoke(lease).await
    }

    async fn compact(&self, before: Revision) -> Result<()> {
        self.store.compact(before).await
    }
}
