//! A store whose commits are measured.

use super::Measured;
use async_trait::async_trait;
use pierhead_store::{Entry, Error, LeaseId, Listing, Page, Result, Revision, Store, Transaction, Watch};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Passes everything on, and notes how commits went.
pub(crate) struct MeasuredStore {
    store: Arc<dyn Store>,
    measured: Arc<Measured>,
}

impl MeasuredStore {
    pub(crate) fn new(store: Arc<dyn Store>, measured: Arc<Measured>) -> Self {
        Self { store, measured }
    }
}

#[async_trait]
impl Store for MeasuredStore {
    fn cluster_id(&self) -> &str {
        self.store.cluster_id()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.store.get(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        self.store.list(prefix, after, limit).await
    }

    async fn list_all(&self, prefix: &str) -> Result<Listing> {
        self.store.list_all(prefix).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Revision> {
        let began = Instant::now();
        let committed = self.store.commit(transaction).await;
        match &committed {
            Ok(_) => self.measured.commits.observe(began.elapsed()),
            Err(Error::Conflict { .. }) => drop(self.measured.conflicts.fetch_add(1, Ordering::Relaxed)),
            Err(_) => drop(self.measured.failed_commits.fetch_add(1, Ordering::Relaxed)),
        }
        committed
    }

    async fn watch(&self, prefix: &str, after: Revision) -> Result<Watch> {
        self.store.watch(prefix, after).await
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
