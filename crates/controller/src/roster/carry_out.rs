//! Changes as transactions: as many at once as a transaction takes, each compared with what was read, with an event that
//! names whom it is about.

use super::present::Read;
use crate::{Controller, keys};
use pierhead_identity::{Changes, PersonChange};
use pierhead_model::{Event, EventTag, Username};
use pierhead_store::{Error, Result, Revision, Transaction};

/// The most compares and writes of one transaction, with room for the event.
const MOST_OPERATIONS: usize = 90;
/// The most bytes of one, unless a single record has more.
const MOST_BYTES: usize = 256 * 1024;

/// A transaction in the making, and whom it is about.
struct Batch<'a> {
    controller: &'a Controller,
    actor: Option<&'a Username>,
    transaction: Transaction,
    names: Vec<String>,
    /// Whether all of it was written so far, and nothing was changed by others.
    is_clean: bool,
    last: Option<Revision>,
}

impl Controller {
    /// Writes changes. Tells whether all of it was as it was read.
    pub(super) async fn carry_out_roster(
        &self,
        actor: Option<&Username>,
        read: &Read,
        changes: &Changes,
    ) -> Result<bool> {
        let (transaction, names) = (Transaction::new(), Vec::new());
        let mut batch = Batch { controller: self, actor, transaction, names, is_clean: true, last: None };
        // Courses first, then people: who logs in at once finds theirs.
        for change in &changes.courses {
            let key = keys::course(&change.id);
            let one = match read.course(&change.id) {
                Some((course, revision)) => {
                    Transaction::new().unchanged(key.clone(), revision).put_json(key, &change.carried_out(course))?
                }
                None => Transaction::new().absent(key.clone()).put_json(key, &change.made(self.clock.now()))?,
            };
            batch.add(one, format!("course {}", change.id)).await?;
        }
        for change in &changes.people {
            if let Some(one) = self.person_transaction(read, change)? {
                batch.add(one, change.username.to_string()).await?;
            }
        }
        for change in &changes.enrolments {
            let Some(id) = &change.course else { continue };
            let (key, now) = (keys::enrolments(id), self.clock.now());
            let one = match read.enrolments(id) {
                Some((enrolments, revision)) => Transaction::new()
                    .unchanged(key.clone(), revision)
                    .put_json(key, &change.carried_out(enrolments, now))?,
                None => Transaction::new()
                    .absent(key.clone())
                    .put_json(key, &change.carried_out(&pierhead_model::Enrolments::default(), now))?,
            };
            batch.add(one, format!("students of {id}")).await?;
        }
        batch.write().await?;
        if let Some(revision) = batch.last {
            self.reached(revision).await;
        }
        Ok(batch.is_clean)
    }

    fn person_transaction(&self, read: &Read, change: &PersonChange) -> Result<Option<Transaction>> {
        let key = keys::account(&change.username);
        let found = read.account(&change.username);
        let fresh = (self.ids.unique(), self.ids.unique());
        let Some(next) = change.carried_out(found.map(|(account, _)| account), fresh, self.clock.now()) else {
            return Ok(None);
        };
        let one = match found {
            Some((_, revision)) => Transaction::new().unchanged(key.clone(), revision),
            None => {
                let id = keys::account_id(&next.id);
                Transaction::new().absent(key.clone()).absent(id.clone()).put_json(id, &next.username)?
            }
        };
        one.put_json(key, &next).map(Some)
    }
}

impl Batch<'_> {
    /// Adds what belongs together; writes what there was before if both do not fit.
    async fn add(&mut self, one: Transaction, name: String) -> Result<()> {
        let operations = |of: &Transaction| of.compares.len() + of.writes.len();
        let is_too_much = operations(&self.transaction) + operations(&one) > MOST_OPERATIONS
            || self.transaction.bytes() + one.bytes() > MOST_BYTES;
        if is_too_much {
            self.write().await?;
        }
        self.transaction.compares.extend(one.compares);
        self.transaction.writes.extend(one.writes);
        self.names.push(name);
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        let (transaction, names) = (std::mem::take(&mut self.transaction), std::mem::take(&mut self.names));
        if names.is_empty() {
            return Ok(());
        }
        let event = Event {
            tags: vec![EventTag::Cluster, EventTag::Security],
            actor: self.actor.cloned(),
            ..self.controller.event_of_pool("sync-roster", format!("changed={}", names.join(",")))
        };
        let transaction = transaction.put_json(keys::event(&event.id), &event)?;
        match self.controller.store.commit(transaction).await {
            Ok(revision) => self.last = Some(revision),
            Err(Error::Conflict { .. }) => self.is_clean = false,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
