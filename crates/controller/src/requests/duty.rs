//! Requests about what hosts are for: cordon them, drain them, even out their load, and ask what would survive.

use super::commit::{Committed, Made};
use super::{Actor, Idempotency, RequestError, Started};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{
    AgentKeys, AppId, Duty, Engine, EngineId, EventTag, Move, Operation, OperationId, OperationState, Relocation,
    Timestamp,
};
use pierhead_planner::{Rebalance, Survival, freeze, moves_off, rebalance, survive, unknown_to_records};
use pierhead_store::Transaction;
use std::time::Duration;

/// A change of hosts in the making.
enum Change {
    /// It is so already, or an operation is at it.
    Already(Option<OperationId>),
    Write {
        transaction: Transaction,
        event: &'static str,
        message: String,
        operation: Option<OperationId>,
    },
}

impl Controller {
    /// Nothing new is placed on an engine from now on; what runs there stays.
    ///
    /// # Errors
    /// If there is no such engine.
    pub async fn cordon(&self, actor: &Actor, id: &str, asked: Option<&Idempotency>) -> Result<(), RequestError> {
        let made = self.change_hosts(actor, asked, |known, _| {
            let engine = found(known, id)?;
            if !engine.duty.is_in_service() {
                return Ok(Change::Already(None));
            }
            on_duty(known, engine, Duty::Cordoned, "cordon-engine")
        });
        made.await.map(drop)
    }

    /// Slots are placed on an engine again. A drain of it that goes on is over.
    ///
    /// # Errors
    /// If there is no such engine.
    pub async fn uncordon(&self, actor: &Actor, id: &str, asked: Option<&Idempotency>) -> Result<(), RequestError> {
        let made = self.change_hosts(actor, asked, |known, _| {
            let engine = found(known, id)?;
            if engine.duty.is_in_service() {
                return Ok(Change::Already(None));
            }
            on_duty(known, engine, Duty::InService, "uncordon-engine")
        });
        made.await.map(drop)
    }

    /// Takes a host that waits for approval into the pool; one that does not wait stays as it is.
    ///
    /// # Errors
    /// If there is no such engine.
    pub async fn approve_engine(
        &self,
        actor: &Actor,
        id: &str,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let made = self.change_hosts(actor, asked, |known, _| {
            let engine = found(known, id)?;
            if !engine.waits_for_approval() {
                return Ok(Change::Already(None));
            }
            let agent = engine.agent.clone().map(|agent| AgentKeys { waits: false, ..agent });
            let transaction = with_record(Transaction::new(), known, &Engine { agent, ..engine.clone() })?;
            Ok(Change::Write { transaction, event: "approve-engine", message: named(engine), operation: None })
        });
        made.await.map(drop)
    }

    /// Cordons an engine and moves everything that runs there to others. One that is being drained goes on.
    ///
    /// # Errors
    /// If there is no such engine.
    pub async fn drain(
        &self,
        actor: &Actor,
        id: &str,
        timeout: Option<Duration>,
        asked: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        let made = self.change_hosts(actor, asked, |known, now| {
            let engine = found(known, id)?;
            if let Some(open) = open_drain(known, &engine.id) {
                return Ok(Change::Already(Some(open)));
            }
            let moves = moves_off(&known.world, &engine.id);
            let title = format!("drain {} of {}", engine.id, counted(moves.len()));
            let relocation = Relocation { drained: Some(engine.id.clone()), moves };
            let operation = self.moving(actor, title, relocation, now, timeout);
            let transaction = with_duty(Transaction::new(), known, engine, Duty::Drained)?;
            let transaction = transaction.put_json(keys::operation(&operation.id), &operation)?;
            let operation = Some(operation.id);
            Ok(Change::Write { transaction, event: "drain-engine", message: named(engine), operation })
        });
        started(made.await?)
    }

    /// Gives up the hosts that vanished at once and are frozen now, so that their slots are placed elsewhere.
    ///
    /// # Errors
    /// If nothing is frozen.
    pub async fn thaw(&self, actor: &Actor, asked: Option<&Idempotency>) -> Result<(), RequestError> {
        let made = self.change_hosts(actor, asked, |known, _| {
            let frozen = freeze(&known.world).ok_or(RequestError::NotFrozen)?;
            let mut transaction = Transaction::new();
            for id in &frozen.hosts {
                transaction =
                    with_record(transaction, known, &Engine { given_up: true, ..found(known, id.as_str())?.clone() })?;
            }
            let hosts: Vec<&str> = frozen.hosts.iter().map(EngineId::as_str).collect();
            let message = format!("given up={}", hosts.join(" "));
            Ok(Change::Write { transaction, event: "thaw-cluster", message, operation: None })
        });
        made.await.map(drop)
    }

    /// Says that all hosts are there after the records were restored from a backup: what has no place in them goes, and
    /// what they want and does not run is made.
    ///
    /// # Errors
    /// If the records were not restored, or that was said before.
    pub async fn settle(&self, actor: &Actor, asked: Option<&Idempotency>) -> Result<(), RequestError> {
        let made = self.change_hosts(actor, asked, |known, _| {
            let revision = known.revision_of(keys::RESTORED).ok_or(RequestError::NotRestored)?;
            let unknown = unknown_to_records(&known.world).count();
            let transaction = Transaction::new().unchanged(keys::RESTORED, revision).delete(keys::RESTORED);
            let message = format!("unknown containers={unknown}");
            Ok(Change::Write { transaction, event: "settle-cluster", message, operation: None })
        });
        made.await.map(drop)
    }

    /// Makes the moves of a plan that evens out the load of the hosts.
    ///
    /// # Errors
    /// If the plan is not the one that would be made now.
    pub async fn rebalance(
        &self,
        actor: &Actor,
        is_agreed: impl Fn(&[Move]) -> bool,
        timeout: Option<Duration>,
        asked: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        let made = self.change_hosts(actor, asked, |known, now| {
            let moves = rebalance(&known.world).moves;
            if !is_agreed(&moves) {
                let expected = "those that the pool needs now; it has changed since they were planned".to_owned();
                return Err(RequestError::Invalid { field: "moves", expected });
            }
            let title = format!("rebalance {}", counted(moves.len()));
            let message = format!("containers={}", moves.len());
            let operation = self.moving(actor, title, Relocation { drained: None, moves }, now, timeout);
            let transaction = Transaction::new().put_json(keys::operation(&operation.id), &operation)?;
            let operation = Some(operation.id);
            Ok(Change::Write { transaction, event: "rebalance-cluster", message, operation })
        });
        started(made.await?)
    }

    /// The moves that would even out the load of the hosts.
    #[must_use]
    pub fn planned_rebalance(&self) -> Rebalance {
        rebalance(&self.world_now())
    }

    /// What would become of what runs on an engine if it were lost now.
    ///
    /// # Errors
    /// If there is no such engine.
    pub fn survival(&self, id: &str) -> Result<Survival, RequestError> {
        let host = EngineId::parse(id).map_err(|_| not_found(id))?;
        survive(&self.world_now(), &host, self.clock.now()).ok_or_else(|| not_found(id))
    }

    /// A copy, so that nobody waits while it is thought about.
    fn world_now(&self) -> pierhead_planner::World {
        self.known().world.clone()
    }

    fn moving(
        &self,
        actor: &Actor,
        title: String,
        relocation: Relocation,
        now: Timestamp,
        timeout: Option<Duration>,
    ) -> Operation {
        Operation {
            id: self.ids.operation(),
            title,
            actor: actor.username.clone(),
            app: AppId(String::new()),
            app_name: None,
            relocation: Some(relocation),
            targets: Vec::new(),
            made_app: false,
            describes: None,
            pull: false,
            ending: None,
            state: OperationState::Running,
            verdicts: Vec::new(),
            error: None,
            created_at: now,
            deadline: now.plus(crate::clock::millis(timeout.unwrap_or(self.options.operation_timeout))),
            ended_at: None,
        }
    }

    /// Makes a change with its event.
    async fn change_hosts(
        &self,
        actor: &Actor,
        asked: Option<&Idempotency>,
        make: impl Fn(&Known, Timestamp) -> Result<Change, RequestError>,
    ) -> Result<Option<OperationId>, RequestError> {
        let once = self.once_if(&actor.username, asked);
        let committed = self.commit(once.as_ref(), |known, now| match make(known, now)? {
            Change::Already(operation) => Ok(Made::Already(operation)),
            Change::Write { transaction, event, message, operation } => {
                let tag = EventTag::Cluster;
                let transaction = self.with_event(transaction, event, message, tag, Some(&actor.username))?;
                Ok(Made::Change { transaction, operation: operation.clone(), outcome: operation })
            }
        });
        match committed.await? {
            Committed::Now(operation) | Committed::Before(operation) => Ok(operation),
        }
    }
}

/// The record of a host that a cancelled drain leaves cordoned, added to the transaction that cancels it.
pub(super) fn leave_cordoned(
    transaction: Transaction,
    known: &Known,
    operation: &Operation,
) -> Result<Transaction, RequestError> {
    let drained = operation.relocation.as_ref().and_then(|relocation| relocation.drained.as_ref());
    match drained.and_then(|host| known.world.engines().get(host)) {
        Some(engine) if engine.record.duty == Duty::Drained => {
            with_duty(transaction, known, &engine.record, Duty::Cordoned)
        }
        _ => Ok(transaction),
    }
}

fn on_duty(known: &Known, engine: &Engine, duty: Duty, event: &'static str) -> Result<Change, RequestError> {
    let transaction = with_duty(Transaction::new(), known, engine, duty)?;
    Ok(Change::Write { transaction, event, message: named(engine), operation: None })
}

fn named(engine: &Engine) -> String {
    format!("id={}, addr={}", engine.id, engine.addr)
}

fn with_duty(
    transaction: Transaction,
    known: &Known,
    engine: &Engine,
    duty: Duty,
) -> Result<Transaction, RequestError> {
    with_record(transaction, known, &Engine { duty, ..engine.clone() })
}

fn with_record(transaction: Transaction, known: &Known, record: &Engine) -> Result<Transaction, RequestError> {
    let key = keys::engine(&record.id);
    let revision = known.revision_of(&key).unwrap_or_default();
    Ok(transaction.unchanged(key.clone(), revision).put_json(key, record)?)
}

fn open_drain(known: &Known, host: &EngineId) -> Option<OperationId> {
    let drains = |operation: &&Operation| {
        let relocation = operation.relocation.as_ref();
        operation.ending.is_none() && relocation.is_some_and(|relocation| relocation.drained.as_ref() == Some(host))
    };
    known.world.operations().values().find(drains).map(|operation| operation.id.clone())
}

fn found<'a>(known: &'a Known, id: &str) -> Result<&'a Engine, RequestError> {
    known.world.engines().get(id).map(|engine| &engine.record).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> RequestError {
    RequestError::NotFound { what: "engine", id: id.chars().take(64).collect(), replaced_by: None }
}

fn counted(slots: usize) -> String {
    format!("{slots} {}", if slots == 1 { "slot" } else { "slots" })
}

/// A change that takes time always has its operation.
fn started(operation: Option<OperationId>) -> Result<Started, RequestError> {
    operation.map(|operation| Started { operation }).ok_or(RequestError::KeyReused)
}
