//! Requests about engines and operations: add, remove, wait, call off.

use super::duty::leave_cordoned;
use super::events::{self, Subject};
use super::{Actor, Idempotency, RequestError};
use crate::known::Known;
use crate::reconciler::progress;
use crate::{Controller, keys};
use pierhead_model::{
    AppId, Engine, EngineId, EngineThen, EventTag, Health, HealthStatus, ObservedContainer, Operation, OperationId,
    OperationState, Ownership,
};
use pierhead_planner::{RecordWrite, cancel, verdicts, workspaces_on};
use pierhead_store::{Error, StoreJson, Transaction};
use tokio::time::Instant;

impl Controller {
    /// Adds an engine. It is reached in the background and used as soon as it answers.
    ///
    /// # Errors
    /// If there is one of that id or address already.
    pub async fn add_engine(
        &self,
        actor: &Actor,
        engine: &Engine,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        if self.was_done_before(actor, asked).await? {
            return Ok(());
        }
        let exists = |id: &EngineId| RequestError::Exists { what: "engine", id: id.to_string() };
        if let Some(same) = self.known().world.engines().values().find(|state| state.record.addr == engine.addr) {
            return Err(exists(&same.record.id));
        }
        let key = keys::engine(&engine.id);
        let transaction = Transaction::new().absent(key.clone()).put_json(key, engine)?;
        let message = format!("addr={}", engine.addr);
        let health = Health { since: engine.added_at, ..Health::default() };
        let subject = Subject { container: None, engine: Some(EngineThen::new(engine, None, &health)) };
        let event = self.event("add-engine", message, EventTag::Cluster, Some(&actor.username), subject);
        let transaction = events::append(transaction, &event)?;
        let transaction = self.remember(transaction, actor, asked, None, self.clock.now())?;
        match self.store.commit(transaction).await {
            Ok(revision) => {
                self.reached(revision).await;
                Ok(())
            }
            Err(Error::Conflict { .. }) if self.was_done_before(actor, asked).await? => Ok(()),
            Err(Error::Conflict { .. }) => Err(exists(&engine.id)),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets an engine. What runs on it is left as it is; slots that lived there are placed elsewhere.
    ///
    /// # Errors
    /// If there is no such engine.
    pub async fn remove_engine(
        &self,
        actor: &Actor,
        id: &str,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        if self.was_done_before(actor, asked).await? {
            return Ok(());
        }
        let not_found =
            || RequestError::NotFound { what: "engine", id: id.chars().take(64).collect(), replaced_by: None };
        let engine = EngineId::parse(id).map_err(|_| not_found())?;
        let Some((record, left)) = self.known().world.engines().get(&engine).map(|state| {
            let ours = state.containers.values().filter(|container| container.belongs_to(&self.known_cluster()));
            (state.record.clone(), ours.count())
        }) else {
            return Err(not_found());
        };
        check_writers(&self.known(), &engine)?;
        check_work(&self.known(), &engine)?;
        self.check_left(&record).await?;
        let key = keys::engine(&engine);
        let message = format!("addr={}, containers left running={left}", record.addr);
        let mut transaction = Transaction::new().exists(key.clone()).delete(key);
        if self.discovers() {
            transaction = transaction.put(keys::unregistered(&engine), *b"{}");
        }
        let subject = Subject::engine(&self.known(), &engine);
        let event = self.event("delete-engine", message, EventTag::Cluster, Some(&actor.username), subject);
        let transaction = events::append(transaction, &event)?;
        let transaction = self.remember(transaction, actor, asked, None, self.clock.now())?;
        match self.store.commit(transaction).await {
            Ok(revision) => {
                self.reached(revision).await;
                Ok(())
            }
            Err(Error::Conflict { .. }) if self.was_done_before(actor, asked).await? => Ok(()),
            Err(Error::Conflict { .. }) => Err(not_found()),
            Err(error) => Err(error.into()),
        }
    }

    /// A host that is not registered any more is down by that alone: its engine is asked what runs there.
    async fn check_left(&self, record: &Engine) -> Result<(), RequestError> {
        let Some(writer) = self.known().world.unguarded_writer(&record.id).cloned() else {
            return Ok(());
        };
        let found = if record.has_left() { self.engines.containers_of(record).await } else { None };
        let runs = |container: &ObservedContainer| {
            let owner = Ownership::read(&container.labels);
            container.state.is_running() && owner.is_some_and(|owner| owner.slot.app == writer.app)
        };
        match found.is_some_and(|found| found.iter().any(runs)) {
            false => Ok(()),
            true => Err(RequestError::Invalid {
                field: "id",
                expected: format!(
                    "another host: {} runs on {}, whose engine answers, and must not run twice; let the host register \
                     again, or stop the container there first",
                    writer.app_name, record.id
                ),
            }),
        }
    }

    fn known_cluster(&self) -> String {
        self.store.cluster_id().to_owned()
    }

    /// An operation as it is now, its verdicts as far as they are known.
    ///
    /// # Errors
    /// If there is no such operation.
    pub async fn operation(&self, id: &str) -> Result<Operation, RequestError> {
        let not_found =
            || RequestError::NotFound { what: "operation", id: id.chars().take(64).collect(), replaced_by: None };
        let id = OperationId::parse(id).map_err(|_| not_found())?;
        if let Some(live) = self.live_operation(&id) {
            return Ok(live);
        }
        let stored = self.store.get_json::<Operation>(&keys::operation(&id)).await?;
        stored.map(|(operation, _)| operation).ok_or_else(not_found)
    }

    fn live_operation(&self, id: &OperationId) -> Option<Operation> {
        let known = self.known();
        let operation = known.world.operations().get(id)?;
        let mut live = operation.clone();
        live.verdicts = verdicts(&known.world, operation, &known.blocked, self.clock.now());
        drop(known);
        self.add_arrivals(&mut live);
        Some(live)
    }

    /// Where a verdict waits for an image, it says how that comes and how far it is.
    fn add_arrivals(&self, operation: &mut Operation) {
        let app = &operation.app;
        for verdict in operation.verdicts.iter_mut().filter(|verdict| verdict.container.is_none()) {
            if let Some(told) = verdict.engine.as_ref().and_then(|engine| self.arrival(app, engine)) {
                verdict.message = told;
            }
        }
    }

    /// How an image of an app comes to a host now and how far it is, in words; `None` if none is on its way there.
    #[must_use]
    pub fn arrival(&self, app: &AppId, engine: &EngineId) -> Option<String> {
        let link = self.engines.link(engine)?;
        let images: Vec<_> = {
            let known = self.known();
            known.world.apps().get(app)?.members.iter().map(|member| member.spec.image.clone()).collect()
        };
        images.iter().find_map(|image| Some(link.images.arriving(image)?.say(image)))
    }

    /// Waits until an operation has ended, or until a moment; the answer is the operation as it then is.
    ///
    /// # Errors
    /// If there is no such operation.
    pub async fn wait_for(&self, id: &str, until: Option<Instant>) -> Result<Operation, RequestError> {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let operation = self.operation(id).await?;
            if operation.state.has_ended() {
                return Ok(operation);
            }
            let changed = async {
                // The sender lives as long as the controller.
                let _ = changes.changed().await;
            };
            match until {
                None => changed.await,
                Some(until) => {
                    if tokio::time::timeout_at(until, changed).await.is_err() {
                        return self.operation(id).await;
                    }
                }
            }
        }
    }

    /// Calls an operation off: what it had added is taken back.
    ///
    /// # Errors
    /// If there is no such operation, it has ended, or the actor may not.
    pub async fn cancel_operation(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        loop {
            let operation = self.operation(id).await?;
            if operation.actor != actor.username && !actor.may_change_all {
                let reason = format!(
                    "operation {id} was asked for by {}; only they or an administrator may call it off",
                    operation.actor
                );
                return Err(RequestError::Forbidden(reason));
            }
            match (operation.ending, operation.state) {
                (Some(OperationState::Cancelled), _) => return Ok(()),
                (Some(outcome), _) => return Err(RequestError::Ended { id: operation.id, outcome }),
                (None, outcome) if outcome.has_ended() => {
                    return Err(RequestError::Ended { id: operation.id, outcome });
                }
                (None, _) => {}
            }
            let transaction = {
                let known = self.known();
                match known
                    .world
                    .operations()
                    .get(&operation.id)
                    .and_then(|open| cancel(&known.world, open, self.clock.now()))
                {
                    Some(RecordWrite::Progress { operation, app }) => {
                        let transaction = leave_cordoned(Transaction::new(), &known, &operation)?;
                        Some(progress(transaction, &known, &operation, &app)?)
                    }
                    _ => None,
                }
            };
            let Some(transaction) = transaction else {
                // It ends this very moment: how, is read again.
                self.catch_up().await?;
                continue;
            };
            let message = format!("id={id}");
            let tag = EventTag::Cluster;
            let transaction = self.with_event(transaction, "cancel-operation", message, tag, Some(&actor.username))?;
            match self.store.commit(transaction).await {
                Ok(revision) => {
                    self.reached(revision).await;
                    return Ok(());
                }
                Err(Error::Conflict { .. }) => self.catch_up().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Operations, newest first, at most so many; those that are open with their verdicts as they are now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn operations(&self, most: usize) -> Result<Vec<Operation>, RequestError> {
        let listing = self.store.list_all(keys::OPERATIONS).await?;
        let mut operations = Vec::new();
        for entry in listing.entries.iter().rev().take(most) {
            let stored: Operation = entry.json()?;
            operations.push(self.live_operation(&stored.id).unwrap_or(stored));
        }
        Ok(operations)
    }
}

/// What must not run twice is not taken out of service, or left running on a host that nobody looks after any more, by
/// the way. That a host is down is believed: whoever removes it says that nothing runs there.
/// Work that is in no save would be lost with a host that answers. Whoever removes one that is down for good knows.
fn check_work(known: &Known, id: &EngineId) -> Result<(), RequestError> {
    let answers = known.world.engines().get(id).is_some_and(|engine| engine.health.status == HealthStatus::Healthy);
    match workspaces_on(&known.world, id) {
        count if answers && count > 0 => Err(RequestError::Invalid {
            field: "id",
            expected: format!(
                "a host without workspaces: {} on {id}; drain that host first ('pierhead engine drain {id}'), by which \
                 they are saved and go on elsewhere",
                if count == 1 { "1 lives".to_owned() } else { format!("{count} live") }
            ),
        }),
        _ => Ok(()),
    }
}

fn check_writers(known: &Known, id: &EngineId) -> Result<(), RequestError> {
    let is_down = known.world.engines().get(id).is_none_or(|engine| engine.health.status == HealthStatus::Down);
    match known.world.writer_on(id).filter(|_| !is_down) {
        None => Ok(()),
        Some(left) => Err(RequestError::Invalid {
            field: "id",
            expected: format!(
                "another host: {} runs on {id} and must not run twice; drain that host first ('pierhead engine drain \
                 {id}')",
                left.app_name
            ),
        }),
    }
}
