//! How a request becomes a commit: made from what is known, compared with it, and made anew if somebody was faster.

use super::idempotency::Once;
use super::{Idempotency, RequestError};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{OperationId, Timestamp, Username};
use pierhead_store::{Error, Transaction};

/// How often a request is made anew while others keep changing the same records.
const MOST_TRIES: usize = 50;

/// What a request comes to, as things are known now.
pub(super) enum Made<T> {
    /// It is so already: nothing is written.
    Already(T),
    /// Something is written; the comparisons say what must not have changed.
    Change {
        transaction: Transaction,
        /// The operation that it begins, if it needs one.
        operation: Option<OperationId>,
        outcome: T,
    },
}

/// What came of a request.
pub(super) enum Committed<T> {
    /// It was carried out.
    Now(T),
    /// The same request was carried out before, with the operation that it began.
    Before(Option<OperationId>),
}

impl<T> Made<T> {
    /// A change that needs no operation.
    pub(super) fn change(transaction: Transaction, outcome: T) -> Self {
        Self::Change { transaction, operation: None, outcome }
    }
}

impl Controller {
    /// Carries out what a request comes to: once, if it has a key.
    pub(super) async fn commit<T>(
        &self,
        once: Option<&Once>,
        make: impl Fn(&Known, Timestamp) -> Result<Made<T>, RequestError>,
    ) -> Result<Committed<T>, RequestError> {
        let nothing = || std::future::ready(Ok(()));
        self.commit_reading(once, nothing, |known, now, ()| make(known, now)).await
    }

    /// The same for what needs something that the world does not hold, which is read for each try.
    pub(super) async fn commit_reading<T, R, F: Future<Output = Result<R, RequestError>>>(
        &self,
        once: Option<&Once>,
        read: impl Fn() -> F,
        make: impl Fn(&Known, Timestamp, &R) -> Result<Made<T>, RequestError>,
    ) -> Result<Committed<T>, RequestError> {
        let mut tries = 0;
        loop {
            if let Some(before) = self.before(once).await? {
                return Ok(before);
            }
            let read = read().await?;
            let now = self.clock.now();
            let made = make(&self.known(), now, &read)?;
            let (transaction, operation, outcome) = match made {
                Made::Already(outcome) => return Ok(Committed::Now(outcome)),
                Made::Change { transaction, operation, outcome } => (transaction, operation, outcome),
            };
            let transaction = match once {
                Some(once) => once.remember_with(transaction, operation.as_ref(), now)?,
                None => transaction,
            };
            match self.store.commit(transaction).await {
                Ok(revision) => {
                    self.reached(revision).await;
                    return Ok(Committed::Now(outcome));
                }
                Err(Error::Conflict { .. }) if tries < MOST_TRIES => {
                    self.catch_up().await?;
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What the same request came to before. The world knows it when this returns.
    async fn before<T>(&self, once: Option<&Once>) -> Result<Option<Committed<T>>, RequestError> {
        let Some(once) = once else { return Ok(None) };
        let Some(found) = once.remembered().await? else { return Ok(None) };
        self.catch_up().await?;
        Ok(Some(Committed::Before(found.operation)))
    }

    /// One person's request with a key of theirs, if it has one.
    pub(super) fn once_if(&self, actor: &Username, asked: Option<&Idempotency>) -> Option<Once> {
        asked.map(|asked| self.once(actor, asked))
    }

    /// Waits until the world holds what the store holds now.
    pub(crate) async fn catch_up(&self) -> Result<(), RequestError> {
        let newest = self.store.list(keys::APP_NAMES, None, 1).await?.revision;
        self.reached(newest).await;
        Ok(())
    }
}
