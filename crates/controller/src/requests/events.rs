//! The event log: written in the transaction of the change, read newest first or as it grows.

use super::{Container, RequestError};
use crate::collect::engine_then;
use crate::event_log::{EventFilter, EventPages, EventStream};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{ContainerThen, EngineId, EngineThen, Event, EventTag, Ownership, Username};
use pierhead_store::Transaction;
use std::sync::Arc;

/// What an event is about, as it is at that moment.
#[derive(Default)]
pub(super) struct Subject {
    pub container: Option<ContainerThen>,
    pub engine: Option<EngineThen>,
}

impl Subject {
    pub(super) fn engine(known: &Known, engine: &EngineId) -> Self {
        Self { container: None, engine: engine_then(known, engine) }
    }

    pub(super) fn container(known: &Known, container: &Container) -> Self {
        let owner = container.slot.as_ref().and_then(|_| Ownership::read(&container.observed.labels));
        let app = owner.as_ref().and_then(|owner| known.world.apps().get(&owner.slot.app));
        let of = app.zip(owner.as_ref().map(|owner| &owner.member));
        Self {
            container: Some(ContainerThen::new(&container.observed, of)),
            engine: engine_then(known, &container.engine),
        }
    }
}

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
        let event = self.event(kind, message, tag, actor, Subject::default());
        append(transaction, &event)
    }

    /// An event about an engine that nobody asked for.
    pub(crate) fn event_of_engine(
        &self,
        known: &Known,
        kind: &str,
        message: String,
        engine: &EngineId,
        app: Option<String>,
    ) -> Event {
        let subject = Subject::engine(known, engine);
        Event { app, ..self.event(kind, message, EventTag::Cluster, None, subject) }
    }

    /// An event about the pool as a whole that nobody asked for.
    pub(crate) fn event_of_pool(&self, kind: &str, message: String) -> Event {
        Event::of_pool(self.ids.unique(), self.clock.now(), kind, message)
    }

    pub(super) fn event(
        &self,
        kind: &str,
        message: String,
        tag: EventTag,
        actor: Option<&Username>,
        subject: Subject,
    ) -> Event {
        Event {
            tags: vec![tag],
            container: subject.container.map(Box::new),
            engine: subject.engine.map(Box::new),
            actor: actor.cloned(),
            ..self.event_of_pool(kind, message)
        }
    }

    /// The newest events that a filter takes, newest first, at most so many.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn newest_events(&self, filter: EventFilter, count: usize) -> Result<EventPages, RequestError> {
        EventPages::open(Arc::clone(&self.log), Arc::clone(&self.store), filter, count).await
    }

    /// Events that a filter takes, in the order of the log: from where it says, or from now on, for ever.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn watch_events(&self, filter: EventFilter) -> Result<EventStream, RequestError> {
        let (log, store) = (Arc::clone(&self.log), Arc::clone(&self.store));
        EventStream::open(log, store, filter, self.stop.clone(), self.clock.now()).await
    }
}
