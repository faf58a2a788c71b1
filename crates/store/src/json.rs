//! Documents as JSON: reading and writing one of them, typed.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Entry, Error, Result, Revision, Store, Transaction};

impl Entry {
    /// The content, read as JSON.
    ///
    /// # Errors
    /// [`Error::Decode`] if it isn't such a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.value)
            .map_err(|source| Error::Decode { key: self.key.to_string(), source: Arc::new(source) })
    }
}

/// JSON documents on any store.
#[async_trait]
pub trait StoreJson {
    /// The document at `key`, and the revision that wrote it last.
    async fn get_json<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<(T, Revision)>>;

    /// Writes one document, whatever was there.
    async fn put_json<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<Revision>;
}

#[async_trait]
impl<S: Store + ?Sized> StoreJson for S {
    async fn get_json<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<(T, Revision)>> {
        self.get(key).await?.map(|entry| Ok((entry.json()?, entry.modified))).transpose()
    }

    async fn put_json<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<Revision> {
        self.commit(Transaction::new().put_json(key, value)?).await
    }
}
