//! The event log: written in the transaction of the change, read newest first.

use super::RequestError;
use crate::{Controller, keys};
use pierhead_model::{Event, EventTag, Username};
use pierhead_store::Transaction;

/// Adds an event to the transaction of the change that it tells of.
pub(super) fn append(transaction: Transaction, event: &Event) -> Result<Transaction, RequestError> {
    Ok(transaction.put_json(keys::event(&event.id), event)?)
}

impl Controller {
    /// Adds an event to a transaction of a caller that makes its own changes.
    ///
    /// # Errors
    /// If the event can't be encoded.
    pub fn with_event(
        &self,
        transaction: Transaction,
        kind: &str,
        message: String,
        tag: EventTag,
        actor: Option<&Username>,
    ) -> Result<Transaction, RequestError> {
        let event = Event {
            id: self.ids.unique(),
            kind: kind.to_owned(),
            time: self.clock.now(),
            message,
            tags: vec![tag],
            container: None,
            engine: None,
            app: None,
            actor: actor.cloned(),
        };
        append(transaction, &event)
    }

    /// The newest events, newest first; all that there are if there are fewer.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn newest_events(&self, count: usize) -> Result<Vec<Event>, RequestError> {
        let mut events = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.store.list(keys::EVENTS, after.as_deref(), pierhead_store::MAX_PAGE_ENTRIES).await?;
            for entry in &page.entries {
                events.push(entry.json::<Event>()?);
            }
            // Only the newest are kept in memory.
            let surplus = events.len().saturating_sub(count);
            events.drain(..surplus);
            after = page.entries.last().map(|entry| entry.key.to_string());
            if !page.more || after.is_none() {
                break;
            }
        }
        events.reverse();
        Ok(events)
    }
}
