//! One edit: read, change a copy, commit with a compare; done anew if somebody was faster.

use super::commit::{Committed, Made};
use super::events::Subject;
use super::{Actor, Container, Idempotency, RequestError, events};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{App, Event, EventTag, Goal, Operation, OperationId, OperationState, Slot, Target, Timestamp};
use pierhead_store::Transaction;
use std::time::Duration;

/// An operation that was begun, or found because the same request had begun it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The operation.
    pub operation: OperationId,
}

/// What becomes of an app.
pub(super) enum AppEdit {
    /// It is made or changed.
    Put(App),
    /// It goes with everything that it runs.
    Delete(App),
}

/// An edit in the making.
pub(super) struct Edit {
    pub app: AppEdit,
    /// Whether the app is new.
    pub is_new: bool,
    pub title: String,
    /// The event's type, in the original's words where it has one.
    pub event: &'static str,
    pub event_message: String,
    /// The container that the event is about.
    pub container: Option<Container>,
    pub targets: Vec<Target>,
    /// The version of the app's description that it brings about.
    pub describes: Option<u32>,
    pub pull: bool,
}

impl Edit {
    /// The targets of slots that have the same goal.
    pub(super) fn targets(slots: impl IntoIterator<Item = Slot>, goal: Goal) -> Vec<Target> {
        slots.into_iter().map(|slot| Target { slot, goal }).collect()
    }
}

impl Controller {
    /// Makes an edit and the operation that stands for it.
    pub(super) async fn edit(
        &self,
        actor: &Actor,
        idempotency: Option<&Idempotency>,
        timeout: Option<Duration>,
        make: impl Fn(&Known, &OperationId, Timestamp) -> Result<Edit, RequestError>,
    ) -> Result<Started, RequestError> {
        let timeout = timeout.unwrap_or(self.options.operation_timeout);
        let once = self.once_if(&actor.username, idempotency);
        let committed = self.commit(once.as_ref(), |known, now| {
            let id = self.ids.operation();
            let edit = make(known, &id, now)?;
            let operation = operation(&edit, actor, &id, now, timeout);
            let event = self.event_of(known, &edit, actor);
            let transaction = events::append(transaction(known, &edit, &operation)?, &event)?;
            Ok(Made::Change { transaction, operation: Some(id.clone()), outcome: id })
        });
        match committed.await? {
            Committed::Now(operation) | Committed::Before(Some(operation)) => Ok(Started { operation }),
            Committed::Before(None) => Err(RequestError::KeyReused),
        }
    }

    fn event_of(&self, known: &Known, edit: &Edit, actor: &Actor) -> Event {
        let (AppEdit::Put(app) | AppEdit::Delete(app)) = &edit.app;
        let subject = edit.container.as_ref().map(|container| Subject::container(known, container));
        let message = edit.event_message.clone();
        let subject = subject.unwrap_or_default();
        let event = self.event(edit.event, message, EventTag::Cluster, Some(&actor.username), subject);
        Event { app: Some(app.name.to_string()), ..event }
    }
}

fn operation(edit: &Edit, actor: &Actor, id: &OperationId, now: Timestamp, timeout: Duration) -> Operation {
    let (AppEdit::Put(app) | AppEdit::Delete(app)) = &edit.app;
    Operation {
        id: id.clone(),
        title: edit.title.clone(),
        actor: actor.username.clone(),
        app: app.id.clone(),
        app_name: Some(app.name.clone()),
        relocation: None,
        targets: edit.targets.clone(),
        made_app: edit.is_new,
        describes: edit.describes,
        pull: edit.pull,
        state: OperationState::Running,
        ending: None,
        verdicts: Vec::new(),
        error: None,
        created_at: now,
        deadline: now.plus(crate::clock::millis(timeout)),
        ended_at: None,
    }
}

fn transaction(known: &Known, edit: &Edit, operation: &Operation) -> Result<Transaction, RequestError> {
    let (AppEdit::Put(app) | AppEdit::Delete(app)) = &edit.app;
    let key = keys::app(&app.id);
    let mut transaction = Transaction::new();
    transaction = if edit.is_new {
        transaction
            .absent(key.clone())
            .absent(keys::app_name(&app.name))
            .put_json(keys::app_name(&app.name), &app.id)?
    } else {
        transaction.unchanged(key.clone(), known.revision_of(&key).unwrap_or_default())
    };
    transaction = match &edit.app {
        AppEdit::Put(app) => transaction.put_json(key, app)?,
        AppEdit::Delete(app) => transaction.delete(key).delete(keys::app_name(&app.name)),
    };
    Ok(transaction.put_json(keys::operation(&operation.id), operation)?)
}
