//! A store behind a controller's power.

use super::Power;
use async_trait::async_trait;
use pierhead_store::{Entry, LeaseId, Listing, Page, Result, Revision, Store, Transaction, Watch};
use std::sync::Arc;
use std::time::Duration;

/// A store whose commits are steps.
pub(crate) struct PoweredStore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) power: Power,
}

fn in_words(transaction: &Transaction) -> String {
    let keys: Vec<&str> = transaction.writes.iter().map(|write| &**write.key()).collect();
    format!("commit {}", keys.join(" "))
}

#[async_trait]
impl Store for PoweredStore {
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
        let words = in_words(&transaction);
        self.power.step(|| words, self.store.commit(transaction)).await
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
