//! Removes records that nobody needs any more: ended operations, keys of retried requests, tokens that have expired,
//! the oldest events.

use crate::requests::Remembered;
use crate::{Controller, keys};
use pierhead_model::{Operation, Timestamp, TokenRecord};
use pierhead_store::{Entry, Result, Transaction};
use std::time::Duration;

/// The time between two sweeps.
const INTERVAL: Duration = Duration::from_secs(600);
/// How long an ended operation and the key of a request are kept, in milliseconds.
const KEPT_MS: u64 = 24 * 3600 * 1000;
/// How many events are kept.
const EVENTS_KEPT: usize = 100_000;
/// How many records go in one transaction.
const AT_ONCE: usize = 90;

/// Sweeps for ever.
pub(crate) async fn sweep(controller: Controller) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = sweep_once(&controller).await {
            tracing::warn!(%error, "old records could not be removed; it is tried again");
        }
    }
}

async fn sweep_once(controller: &Controller) -> Result<()> {
    let now = controller.clock().now();
    let old_operation = |entry: &Entry| {
        let ended = entry.json::<Operation>().ok().and_then(|operation| operation.ended_at);
        ended.is_some_and(|ended| now.since(ended) > KEPT_MS)
    };
    let old_key = |entry: &Entry| entry.json::<Remembered>().is_ok_and(|found| now.since(found.at) > KEPT_MS);
    let expired = |entry: &Entry| entry.json::<TokenRecord>().is_ok_and(|token| is_over(token.expires_at, now));
    delete(controller, keys::OPERATIONS, old_operation).await?;
    delete(controller, keys::IDEMPOTENCY, old_key).await?;
    delete(controller, keys::TOKENS, expired).await?;
    let events = controller.store().list_all(keys::EVENTS).await?.entries;
    let surplus = events.len().saturating_sub(EVENTS_KEPT);
    delete_all(controller, &events[..surplus]).await
}

fn is_over(end: Timestamp, now: Timestamp) -> bool {
    end <= now
}

async fn delete(controller: &Controller, prefix: &str, is_old: impl Fn(&Entry) -> bool) -> Result<()> {
    let old: Vec<Entry> = controller.store().list_all(prefix).await?.entries.into_iter().filter(is_old).collect();
    delete_all(controller, &old).await
}

async fn delete_all(controller: &Controller, entries: &[Entry]) -> Result<()> {
    for chunk in entries.chunks(AT_ONCE) {
        let transaction =
            chunk.iter().fold(Transaction::new(), |transaction, entry| transaction.delete(entry.key.clone()));
        controller.store().commit(transaction).await?;
    }
    Ok(())
}
