//! Retried requests: the same key and the same request find what was begun or done the first time.
//!
//! Requests hold passwords and environments, which a plain hash would let guess: what is kept of a key and of a request
//! are fingerprints that only this pool's secret key can make.

use super::{Actor, RequestError, Started};
use crate::{Clock, Controller, keys};
use pierhead_model::{OperationId, Timestamp, Username};
use pierhead_store::{Result, Store, StoreJson, Transaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A client's key for one request, and what the request was: digests that stay in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Idempotency {
    key: [u8; 32],
    request: [u8; 32],
}

impl std::fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idempotency").finish_non_exhaustive()
    }
}

/// What is kept of a request that may be retried.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Remembered {
    fingerprint: String,
    /// Absent for a change that needed none.
    pub(super) operation: Option<OperationId>,
    pub(crate) at: Timestamp,
}

impl Idempotency {
    /// The key that the client sent, and everything by which its request differs from others.
    #[must_use]
    pub fn new(key: &str, request: &[&[u8]]) -> Self {
        Self { key: digest(&[key.as_bytes()]), request: digest(request) }
    }
}

impl Idempotency {
    /// The key of one part of a request that has several.
    pub(super) fn with(&self, part: &str) -> Self {
        Self { key: digest(&[&self.key, part.as_bytes()]), request: self.request }
    }

    /// What tells one person's key from all others.
    pub(super) fn of(&self, actor: &Username) -> [u8; 32] {
        digest(&[actor.as_str().as_bytes(), &self.key])
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A request that is carried out once: for those who write their own transactions.
#[derive(Clone)]
pub struct Once {
    store: Arc<dyn Store>,
    key: String,
    fingerprint: String,
    clock: Clock,
}

impl Once {
    /// Whether the same request was carried out before.
    ///
    /// # Errors
    /// If the key was used for another request.
    pub async fn was_done(&self) -> std::result::Result<bool, RequestError> {
        Ok(self.remembered().await?.is_some())
    }

    /// The same transaction, which now fails if the request was carried out before, and remembers that it is.
    ///
    /// # Errors
    /// None that could happen: the record has a JSON form.
    pub fn remember(&self, transaction: Transaction) -> Result<Transaction> {
        self.remember_with(transaction, None, self.clock.now())
    }

    pub(super) fn remember_with(
        &self,
        transaction: Transaction,
        operation: Option<&OperationId>,
        at: Timestamp,
    ) -> Result<Transaction> {
        let record = Remembered { fingerprint: self.fingerprint.clone(), operation: operation.cloned(), at };
        transaction.absent(self.key.clone()).put_json(self.key.clone(), &record)
    }

    pub(super) async fn remembered(&self) -> std::result::Result<Option<Remembered>, RequestError> {
        match self.store.get_json::<Remembered>(&self.key).await? {
            Some((found, _)) if found.fingerprint != self.fingerprint => Err(RequestError::KeyReused),
            found => Ok(found.map(|(found, _)| found)),
        }
    }
}

impl Controller {
    /// One person's request with a key of theirs.
    #[must_use]
    pub fn once(&self, actor: &Username, asked: &Idempotency) -> Once {
        Once {
            store: Arc::clone(&self.store),
            key: keys::idempotency(actor, &self.sealer.fingerprint("idempotency key", &asked.key)),
            fingerprint: self.sealer.fingerprint("idempotent request", &asked.request),
            clock: self.clock,
        }
    }

    /// The operation that the same request began before.
    ///
    /// # Errors
    /// If the key was used for another request.
    pub async fn begun_before(
        &self,
        actor: &Actor,
        asked: Option<&Idempotency>,
    ) -> std::result::Result<Option<Started>, RequestError> {
        let found = self.remembered(actor, asked).await?;
        Ok(found.and_then(|found| found.operation).map(|operation| Started { operation }))
    }

    /// Whether the same request, which needs no operation, was carried out before.
    pub(super) async fn was_done_before(
        &self,
        actor: &Actor,
        asked: Option<&Idempotency>,
    ) -> std::result::Result<bool, RequestError> {
        Ok(self.remembered(actor, asked).await?.is_some())
    }

    async fn remembered(
        &self,
        actor: &Actor,
        asked: Option<&Idempotency>,
    ) -> std::result::Result<Option<Remembered>, RequestError> {
        match asked {
            Some(asked) => self.once(&actor.username, asked).remembered().await,
            None => Ok(None),
        }
    }

    pub(super) fn remember(
        &self,
        transaction: Transaction,
        actor: &Actor,
        asked: Option<&Idempotency>,
        operation: Option<&OperationId>,
        now: Timestamp,
    ) -> std::result::Result<Transaction, RequestError> {
        match asked {
            Some(asked) => Ok(self.once(&actor.username, asked).remember_with(transaction, operation, now)?),
            None => Ok(transaction),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_request_do_not_run_together() {
        let one = Idempotency::new("k", &[b"ab", b"c"]);
        let other = Idempotency::new("k", &[b"a", b"bc"]);
        assert!(one != other);
        assert!(one == Idempotency::new("k", &[b"ab", b"c"]) && one != Idempotency::new("l", &[b"ab", b"c"]));
        assert_eq!(format!("{one:?}"), "Idempotency { .. }");
    }
}
