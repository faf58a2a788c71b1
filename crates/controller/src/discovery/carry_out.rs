//! Carries the steps out: changes of records with their events in one transaction of the leader, changes of the registry
//! with a compare on what was seen.

use super::follow::View;
use super::steps::{Step, steps};
use crate::collect::Term;
use crate::{Controller, keys};
use pierhead_model::{
    Capacity, Duty, Engine, EngineId, EngineThen, Event, Health, OverCommit, Registered, Registration, Username,
};
use pierhead_store::{Error, Result, Revision, Store, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// Who adds hosts that register themselves.
const ADDED_BY: &str = "discovery";
/// Beyond so many registrations that cannot be used, those told of are forgotten, and told of again.
const MOST_TOLD: usize = 10_000;

/// Does what the leading controller has to do about the registry.
pub(super) struct Settler {
    controller: Controller,
    registry: Arc<dyn Store>,
    /// What was told of registrations that cannot be used: no event says the same twice.
    told: BTreeSet<(String, Revision, String)>,
}

impl Settler {
    pub fn new(controller: Controller, registry: Arc<dyn Store>) -> Self {
        Self { controller, registry, told: BTreeSet::new() }
    }

    /// Does all that is to be done now, if this controller leads and has seen the registry; tells whether something waits
    /// for time to pass.
    pub async fn round(&mut self, view: &watch::Receiver<Option<View>>) -> Result<bool> {
        let Some(term) = self.controller.leading.borrow().clone() else { return Ok(false) };
        if view.borrow().is_none() {
            return Ok(false);
        }
        let removed = self.controller.store.list_all(keys::UNREGISTERED).await?.entries.into_iter();
        let removed: BTreeSet<EngineId> =
            removed.filter_map(|entry| EngineId::parse(entry.key.strip_prefix(keys::UNREGISTERED)?).ok()).collect();
        let (todo, waits) = {
            let (known, view) = (self.controller.known(), view.borrow());
            let has_left = known.world.engines().values().any(|state| state.record.has_left());
            (view.as_ref().map(|view| steps(view, &known.world, &removed)).unwrap_or_default(), has_left)
        };
        let mut outcome = Ok(waits);
        for step in todo {
            // One that fails holds up no other.
            if let Err(error) = self.carry_out(&term, step).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn carry_out(&mut self, term: &Term, step: Step) -> Result<()> {
        match step {
            Step::Add(registration) => self.add(term, &registration).await,
            Step::Leave(id) => {
                let why = "it is not registered in etcd any more, and counts as down";
                self.mark(term, &id, Registered::NoMore, "leave-engine", why).await
            }
            Step::Return(id) => {
                self.mark(term, &id, Registered::Now, "return-engine", "it is registered in etcd again").await
            }
            Step::Forget(id) => self.forget(term, &id).await,
            Step::Write { key, value } => {
                tracing::info!(key, value, "a host of the pool is written into the registry");
                self.write(Transaction::new().absent(key.as_str()).put(key.as_str(), value.into_bytes())).await
            }
            Step::Erase { key, revision } => {
                tracing::info!(key, "a host that was removed is erased from the registry");
                self.write(Transaction::new().unchanged(key.as_str(), revision).delete(key.as_str())).await
            }
            Step::Done(id) => self.commit(term, Transaction::new().delete(keys::unregistered(&id)), None).await,
            Step::Tell { key, revision, message } => self.tell(term, key, revision, message).await,
        }
    }

    async fn add(&self, term: &Term, registration: &Registration) -> Result<()> {
        let controller = &self.controller;
        let engine = Engine {
            id: registration.id.clone(),
            addr: registration.at.address(),
            labels: BTreeSet::new(),
            capacity: Capacity::default(),
            over_commit: OverCommit::default(),
            duty: Duty::default(),
            given_up: false,
            sealed_tls: None,
            sealed_registry_auth: None,
            agent: None,
            registered: Some(Registered::Now),
            added_at: controller.clock.now(),
            added_by: Username::parse(ADDED_BY).expect("it is a user name"),
        };
        let key = keys::engine(&engine.id);
        let transaction = Transaction::new().absent(key.clone()).put_json(key, &engine)?;
        let message = format!("addr={}, registered in etcd", engine.addr);
        let health = Health { since: engine.added_at, ..Health::default() };
        let then = EngineThen::new(&engine, None, &health);
        let event = Event { engine: Some(Box::new(then)), ..controller.event_of_pool("add-engine", message) };
        self.commit(term, transaction, Some(event)).await
    }

    async fn mark(&self, term: &Term, id: &EngineId, now: Registered, kind: &str, why: &str) -> Result<()> {
        let (transaction, event) = {
            let known = self.controller.known();
            let Some(state) = known.world.engines().get(id) else { return Ok(()) };
            let key = keys::engine(id);
            let seen = known.revision_of(&key).unwrap_or_default();
            let next = Engine { registered: Some(now), ..state.record.clone() };
            let message = format!("addr={}, {why}", next.addr);
            let event = self.controller.event_of_engine(&known, kind, message, id, None);
            (Transaction::new().unchanged(key.clone(), seen).put_json(key, &next)?, event)
        };
        self.commit(term, transaction, Some(event)).await
    }

    async fn forget(&self, term: &Term, id: &EngineId) -> Result<()> {
        let (transaction, event) = {
            let known = self.controller.known();
            let Some(state) = known.world.engines().get(id) else { return Ok(()) };
            // Nobody has said that nothing runs there any more, of which there must be one.
            if known.world.unguarded_writer(id).is_some() {
                return Ok(());
            }
            let key = keys::engine(id);
            let seen = known.revision_of(&key).unwrap_or_default();
            let message = format!("addr={}, it is not registered in etcd any more", state.record.addr);
            let event = self.controller.event_of_engine(&known, "delete-engine", message, id, None);
            (Transaction::new().unchanged(key.clone(), seen).delete(key), event)
        };
        self.commit(term, transaction, Some(event)).await
    }

    async fn tell(&mut self, term: &Term, key: String, revision: Revision, message: String) -> Result<()> {
        let mark = (key, revision, message.clone());
        if self.told.contains(&mark) {
            return Ok(());
        }
        let event = self.controller.event_of_pool("ignored-registration", message);
        self.commit(term, Transaction::new(), Some(event)).await?;
        if self.told.len() >= MOST_TOLD {
            self.told.clear();
        }
        self.told.insert(mark);
        Ok(())
    }

    /// Commits as long as this controller leads, and waits until it is known.
    async fn commit(&self, term: &Term, transaction: Transaction, event: Option<Event>) -> Result<()> {
        let mut fenced = Transaction::new().unchanged(Arc::clone(&term.0), term.1);
        fenced.compares.extend(transaction.compares);
        fenced.writes.extend(transaction.writes);
        if let Some(event) = event {
            fenced = fenced.put_json(keys::event(&event.id), &event)?;
        }
        let revision = self.controller.store.commit(fenced).await?;
        self.controller.reached(revision).await;
        Ok(())
    }

    /// Changes the registry. Who was faster is seen in the next view.
    async fn write(&self, transaction: Transaction) -> Result<()> {
        match self.registry.commit(transaction).await {
            Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
