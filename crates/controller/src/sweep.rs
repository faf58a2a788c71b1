//! Removes records that nobody needs any more: ended operations and terminals, keys of retried requests, tokens that have expired,
//! the oldest events, image archives without a name.

use crate::event_log::Retention;
use crate::requests::{MESSAGE_MS, Remembered};
use crate::{Controller, keys};
use pierhead_model::{ClassMessage, DeletedRecording, EngineId, Hand, Operation, Terminal, Timestamp, TokenRecord};
use pierhead_store::{Entry, Result, Transaction};
use serde::Deserialize;

/// How long an ended operation, an ended terminal and the key of a request are kept, in milliseconds.
const KEPT_MS: u64 = 24 * 3600 * 1000;
/// Each how many sweeps files of labs are looked through.
const LABS_EVERY: u32 = 6;
/// How many records go in one transaction.
const AT_ONCE: usize = 90;

/// What matters here of what is good for a time.
#[derive(Deserialize)]
struct Dated {
    expires_at: Timestamp,
}

/// Sweeps for ever.
pub(crate) async fn sweep(controller: Controller) {
    let mut retention = Retention::default();
    let mut round = 0_u32;
    loop {
        if let Err(error) = controller.sweep_images().await {
            tracing::warn!(%error, "image archives that nobody needs could not be removed; it is tried again");
        }
        // All lists of files are read for it.
        if round.is_multiple_of(LABS_EVERY) {
            controller.sweep_labs().await;
        }
        round = round.wrapping_add(1);
        tokio::time::sleep(controller.options.sweep_interval).await;
        if let Err(error) = sweep_once(&controller, &mut retention).await {
            tracing::warn!(%error, "old records could not be removed; it is tried again");
        }
    }
}

async fn sweep_once(controller: &Controller, retention: &mut Retention) -> Result<()> {
    let now = controller.clock().now();
    let old_operation = |entry: &Entry| {
        let ended = entry.json::<Operation>().ok().and_then(|operation| operation.ended_at);
        ended.is_some_and(|ended| now.since(ended) > KEPT_MS)
    };
    let old_key = |entry: &Entry| entry.json::<Remembered>().is_ok_and(|found| now.since(found.at) > KEPT_MS);
    let expired = |entry: &Entry| entry.json::<TokenRecord>().is_ok_and(|token| is_over(token.expires_at, now));
    let old_terminal = |entry: &Entry| {
        let ended = entry.json::<Terminal>().ok().and_then(|terminal| terminal.end().map(|end| end.at));
        ended.is_some_and(|ended| now.since(ended) > KEPT_MS)
    };
    let old_message = |entry: &Entry| entry.json::<ClassMessage>().is_ok_and(|it| now.since(it.at) > MESSAGE_MS);
    let of_nobody = |entry: &Entry| {
        let known = controller.known();
        entry.json::<Hand>().is_ok_and(|hand| !known.world.workspaces().contains_key(&hand.workspace))
    };
    delete(controller, keys::MESSAGES, old_message).await?;
    delete(controller, keys::HANDS, of_nobody).await?;
    delete(controller, keys::TERMINALS, old_terminal).await?;
    let told_long_ago = |entry: &Entry| {
        let gone = entry.json::<DeletedRecording>();
        gone.is_ok_and(|gone| {
            let is_old = now.since(gone.at) > DeletedRecording::TOLD_MS;
            is_old && !controller.known().terminals.contains_key(&gone.id)
        })
    };
    delete(controller, keys::UNRECORDED, told_long_ago).await?;
    delete(controller, keys::OPERATIONS, old_operation).await?;
    delete(controller, keys::IDEMPOTENCY, old_key).await?;
    delete(controller, keys::TOKENS, expired).await?;
    let dated = |entry: &Entry| entry.json::<Dated>().is_ok_and(|found| is_over(found.expires_at, now));
    delete(controller, keys::LINKS, dated).await?;
    delete(controller, keys::REDIRECTS, dated).await?;
    let is_gone = |entry: &Entry| {
        let known = controller.known();
        let id = entry.key.strip_prefix(keys::EVENT_CURSORS).and_then(|id| EngineId::parse(id).ok());
        id.is_none_or(|id| !known.world.engines().contains_key(&id))
    };
    delete(controller, keys::EVENT_CURSORS, is_gone).await?;
    sweep_events(controller, retention, now).await
}

/// Removes all events but the newest so many, and those that are too old, a few at a time: others write in between.
async fn sweep_events(controller: &Controller, retention: &mut Retention, now: Timestamp) -> Result<()> {
    let oldest = Timestamp(now.0.saturating_sub(crate::clock::millis(controller.options.events_age)));
    loop {
        let surplus = retention.surplus(&**controller.store(), controller.options.events_kept, oldest).await?;
        if surplus.is_empty() {
            return Ok(());
        }
        delete_all(controller, &surplus).await?;
    }
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
