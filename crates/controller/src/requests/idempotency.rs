//! Retried requests: the same key and the same request find the operation that was begun the first time.

use super::{Actor, RequestError, Started};
use crate::{Controller, keys};
use pierhead_model::{OperationId, Timestamp};
use pierhead_store::{StoreJson, Transaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A client's key for one request, and what the request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    hashed_key: String,
    fingerprint: String,
}

/// What is kept of a request that may be retried.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Remembered {
    fingerprint: String,
    /// Absent for a change that needed none.
    operation: Option<OperationId>,
    pub(crate) at: Timestamp,
}

impl Idempotency {
    /// The key that the client sent, and everything by which its request differs from others.
    #[must_use]
    pub fn new(key: &str, request: &[&[u8]]) -> Self {
        Self { hashed_key: hex(Sha256::digest(key.as_bytes()).as_slice()), fingerprint: fingerprint(request) }
    }
}

fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(hash.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

impl Controller {
    /// The operation that the same request began before.
    ///
    /// # Errors
    /// If the key was used for another request.
    pub async fn begun_before(
        &self,
        actor: &Actor,
        asked: Option<&Idempotency>,
    ) -> Result<Option<Started>, RequestError> {
        let found = self.remembered(actor, asked).await?;
        Ok(found.and_then(|found| found.operation).map(|operation| Started { operation }))
    }

    /// Whether the same request, which needs no operation, was carried out before.
    pub(super) async fn was_done_before(
        &self,
        actor: &Actor,
        asked: Option<&Idempotency>,
    ) -> Result<bool, RequestError> {
        Ok(self.remembered(actor, asked).await?.is_some())
    }

    async fn remembered(&self, actor: &Actor, asked: Option<&Idempotency>) -> Result<Option<Remembered>, RequestError> {
        let Some(asked) = asked else { return Ok(None) };
        let key = keys::idempotency(&actor.username, &asked.hashed_key);
        match self.store.get_json::<Remembered>(&key).await? {
            Some((found, _)) if found.fingerprint != asked.fingerprint => Err(RequestError::KeyReused),
            found => Ok(found.map(|(found, _)| found)),
        }
    }

    pub(super) fn remember(
        &self,
        transaction: Transaction,
        actor: &Actor,
        asked: Option<&Idempotency>,
        operation: Option<&OperationId>,
        now: Timestamp,
    ) -> Result<Transaction, RequestError> {
        let Some(asked) = asked else { return Ok(transaction) };
        let key = keys::idempotency(&actor.username, &asked.hashed_key);
        let record = Remembered { fingerprint: asked.fingerprint.clone(), operation: operation.cloned(), at: now };
        Ok(transaction.absent(key.clone()).put_json(key, &record)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_request_do_not_run_together() {
        let one = Idempotency::new("k", &[b"ab", b"c"]);
        let other = Idempotency::new("k", &[b"a", b"bc"]);
        assert_ne!(one, other);
        assert_eq!(one, Idempotency::new("k", &[b"ab", b"c"]));
    }
}
