//! What becomes of a terminal: shared, ended, forgotten.

use super::{Elsewhere, missing, of_home, over};
use crate::known::Known;
use crate::requests::commit::Made;
use crate::requests::containers::find;
use crate::requests::events::{Subject, append};
use crate::requests::{Actor, RequestError};
use crate::terminals::role_of;
use crate::{Controller, keys};
use pierhead_model::{Event, EventTag, Terminal, TerminalEnd, TerminalId, TerminalRole, TerminalState, Username};
use pierhead_store::{Revision, Transaction};
use std::sync::Arc;
use std::time::Duration;

/// The most guests of one terminal.
const MOST_GUESTS: usize = 100;
/// How long terminals may take to end when the controller stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Why they end then.
const STOPPED: &str = "the controller that kept the terminal was stopped, and the shell ended with it";
impl Controller {
    /// Ends a terminal, with everything that it started; one that has ended is forgotten.
    ///
    /// # Errors
    /// If there is none as far as they may know, they are a guest, or its home can't be reached.
    pub async fn end_terminal(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let record = self.own_terminal(actor, id)?;
        let key = keys::terminal(&record.id);
        if record.end().is_some_and(|end| !end.has_leftovers) {
            let revision = self.store.commit(Transaction::new().delete(key)).await?;
            self.reached(revision).await;
            return Ok(());
        }
        let reason = format!("{} ended it", actor.username);
        let end = TerminalEnd { exit_code: None, reason, at: self.clock.now(), has_leftovers: false };
        match self.home_of(&record) {
            Ok(home) => home.end(&record.id, &end.reason).await.map_err(|error| of_home(&record, error))?,
            // That controller sees it in the record, and ends it.
            Err(Elsewhere::At(_)) => {}
            Err(Elsewhere::Nowhere(error)) => return Err(of_home(&record, error)),
        }
        self.change_terminal(&record.id, |known, terminal| {
            let Some(record) = terminal.filter(|record| record.end().is_none()) else { return Ok(None) };
            let revision = known.revision_of(&keys::terminal(&record.id)).unwrap_or_default();
            Ok(Some(end_of_record_by(self, known, record, &end, revision, Some(&actor.username))?))
        })
        .await
    }

    /// Lets an account come to a terminal, or (`None`) not any more. That the account exists is the caller's to check.
    ///
    /// # Errors
    /// If there is no such terminal as far as they may know, it has ended, they are a guest, or it has too many guests.
    pub async fn share_terminal(
        &self,
        actor: &Actor,
        id: &str,
        guest: &Username,
        role: Option<TerminalRole>,
    ) -> Result<(), RequestError> {
        let record = self.own_terminal(actor, id)?;
        self.change_terminal(&record.id, |known, terminal| {
            let record = terminal.ok_or_else(|| missing(id))?;
            self.shared(known, actor, record, guest, role)
        })
        .await?;
        if let Ok(home) = self.home_of(&record) {
            // Lines whose right is lost are closed by whoever carries them, whatever the home says.
            let _away = home.grant(&record.id, guest, role.map(role_of)).await;
        }
        Ok(())
    }

    fn shared(
        &self,
        known: &Known,
        actor: &Actor,
        record: &Terminal,
        guest: &Username,
        role: Option<TerminalRole>,
    ) -> Result<Option<Transaction>, RequestError> {
        if record.end().is_some() {
            return Err(over(record));
        }
        if *guest == record.owner {
            return Err(RequestError::Invalid {
                field: "username",
                expected: "another account than the owner's".to_owned(),
            });
        }
        let mut changed = record.clone();
        let before = match role {
            Some(role) => changed.guests.insert(guest.clone(), role),
            None => match changed.guests.remove(guest) {
                None => {
                    return Err(RequestError::NotFound { what: "guest", id: guest.to_string(), replaced_by: None });
                }
                removed => removed,
            },
        };
        if before == role {
            return Ok(None);
        }
        if changed.guests.len() > MOST_GUESTS {
            return Err(RequestError::Invalid {
                field: "username",
                expected: format!("one of at most {MOST_GUESTS} guests"),
            });
        }
        let (kind, word) = match role {
            Some(role) => ("terminal-shared", format!(", role={}", role.as_str())),
            None => ("terminal-unshared", String::new()),
        };
        let message = format!("id={}, with={guest}{word}", record.id);
        let event = self.event(
            kind,
            message,
            EventTag::Security,
            Some(&actor.username),
            Subject::engine(known, &record.engine),
        );
        let event = Event { app: record.app.clone(), ..event };
        let key = keys::terminal(&record.id);
        let revision = known.revision_of(&key).unwrap_or_default();
        append(Transaction::new().unchanged(key.clone(), revision).put_json(key, &changed)?, &event).map(Some)
    }

    /// Makes a change of a record, if there is one to make.
    async fn change_terminal(
        &self,
        id: &TerminalId,
        change: impl Fn(&Known, Option<&Terminal>) -> Result<Option<Transaction>, RequestError>,
    ) -> Result<(), RequestError> {
        let committed = self.commit(None, |known, _| {
            let transaction = change(known, known.terminals.get(id).map(|record| &**record))?;
            Ok(transaction.map_or(Made::Already(()), |transaction| Made::change(transaction, ())))
        });
        committed.await.map(drop)
    }

    /// A terminal that is theirs to end and share.
    fn own_terminal(&self, actor: &Actor, id: &str) -> Result<Arc<Terminal>, RequestError> {
        let record = self.terminal(actor, id)?.record;
        if record.owner == actor.username || actor.may_change_all {
            return Ok(record);
        }
        Err(RequestError::Forbidden("only who opened a terminal, or an administrator, may end or share it".to_owned()))
    }

    /// Ends the terminals that live here, in a bounded time.
    pub(crate) async fn end_terminals(&self) {
        let ended = async {
            self.terminals.here.sessions().end_all(STOPPED).await;
            // The keeper writes it down.
            let mut changes = self.terminal_changes();
            let me = self.controllers.me();
            while self.known().terminals.values().any(|record| record.lives_in(me) && record.end().is_none()) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // What is left is found and ended by who leads next.
        let _late = tokio::time::timeout(FAREWELL, ended).await;
    }
}

/// The end of a terminal that nobody asked for, with its event.
pub(crate) fn end_of_record(
    controller: &Controller,
    known: &Known,
    record: &Terminal,
    end: &TerminalEnd,
    revision: Revision,
) -> pierhead_store::Result<Transaction> {
    end_of_record_by(controller, known, record, end, revision, None)
}

fn end_of_record_by(
    controller: &Controller,
    known: &Known,
    record: &Terminal,
    end: &TerminalEnd,
    revision: Revision,
    actor: Option<&Username>,
) -> pierhead_store::Result<Transaction> {
    let ended = Terminal { state: TerminalState::Ended(end.clone()), ..record.clone() };
    let code = end.exit_code.map(|code| format!(", code={code}")).unwrap_or_default();
    let why = if end.reason.is_empty() { String::new() } else { format!(": {}", end.reason) };
    let message = format!("id={}{code}{why}", record.id);
    let container = find(known, record.container.as_str()).ok();
    let subject = container.map(|container| Subject::container(known, &container));
    let subject = subject.unwrap_or_else(|| Subject::engine(known, &record.engine));
    let event = controller.event("terminal-ended", message, EventTag::Cluster, actor, subject);
    let event = Event { app: record.app.clone(), ..event };
    let key = keys::terminal(&record.id);
    let put = Transaction::new().unchanged(key.clone(), revision).put_json(key, &ended)?;
    put.put_json(keys::event(&event.id), &event)
}
