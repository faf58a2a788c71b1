//! Messages to many people: sent to the owners of the workspaces that somebody leads, and shown to each until it is read.
//! With a terminal of the sender's own they are let look at it.

use super::commit::{Committed, Made};
use super::{Actor, Idempotency, RequestError, WallScope};
use crate::{Controller, keys};
use pierhead_model::{ClassMessage, EventTag, Terminal, TerminalRole, Timestamp, Username};
use pierhead_store::Transaction;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most messages of one sender that are kept; the oldest go first.
const MOST_OF_ONE: usize = 50;
/// For how long a message is shown, in milliseconds.
pub(crate) const MESSAGE_MS: u64 = 7 * 24 * 3600 * 1000;
/// The most people that one message is for.
const MOST_PEOPLE: usize = 500;
/// The most people who can look at a terminal that is shown to them.
const MOST_LOOKERS: usize = 300;

impl Controller {
    /// The messages that somebody has not read, and those that they sent, the oldest first.
    #[must_use]
    pub fn messages_of(&self, actor: &Actor) -> Vec<Arc<ClassMessage>> {
        let now = self.clock.now();
        let known = self.known();
        let theirs = known.messages.values().filter(|message| {
            let is_theirs = message.by == actor.username || message.is_unread_by(&actor.username);
            is_theirs && now.since(message.at) < MESSAGE_MS
        });
        let mut theirs: Vec<_> = theirs.cloned().collect();
        theirs.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        theirs
    }

    /// Sends a message to the owners of the workspaces that somebody leads; once, if the request has a key.
    ///
    /// # Errors
    /// If there is nobody to tell, they are too many, or the terminal is none of the sender's own that runs.
    pub async fn send_message(
        &self,
        actor: &Actor,
        scope: &WallScope,
        (text, terminal): (&str, Option<&str>),
        asked: Option<&Idempotency>,
    ) -> Result<Option<Arc<ClassMessage>>, RequestError> {
        let to: BTreeSet<Username> = self.led(actor, scope)?.into_iter().map(|(_, owner)| owner).collect();
        let to: BTreeSet<Username> = to.into_iter().filter(|owner| *owner != actor.username).collect();
        if to.is_empty() {
            return Err(RequestError::Nobody);
        }
        let most = if terminal.is_some() { MOST_LOOKERS } else { MOST_PEOPLE };
        if to.len() > most {
            let expected = format!("so that it is about at most {most} people; these are {}", to.len());
            return Err(RequestError::Invalid { field: "workspaces", expected });
        }
        let once = self.once_if(&actor.username, asked);
        let id = self.ids.unique();
        let committed = self.commit(once.as_ref(), |known, now| {
            let mut transaction = Transaction::new();
            let shown = match terminal {
                Some(id) => {
                    let record = own_terminal(known.terminals.get(id), actor)?;
                    let key = keys::terminal(&record.id);
                    let revision = known.revision_of(&key).unwrap_or_default();
                    let shared = shared(record, &to);
                    transaction = transaction.unchanged(key.clone(), revision).put_json(key, &shared)?;
                    Some(record.id.clone())
                }
                None => None,
            };
            for key in old(known.messages.values(), &actor.username, now) {
                transaction = transaction.delete(key);
            }
            let message = ClassMessage {
                id: id.clone(),
                by: actor.username.clone(),
                text: text.to_owned(),
                terminal: shown,
                to: to.iter().map(|username| (username.clone(), None)).collect(),
                at: now,
            };
            let transaction = transaction.put_json(keys::message(&id), &message)?;
            // What it says is for those whom it was sent to.
            let words = format!("message={id}, people={}", to.len());
            let transaction =
                self.with_event(transaction, "send-message", words, EventTag::Cluster, Some(&actor.username))?;
            Ok(Made::change(transaction, Arc::new(message)))
        });
        Ok(match committed.await? {
            Committed::Now(message) => Some(message),
            Committed::Before(_) => None,
        })
    }

    /// Whether there is a message that somebody has still to read.
    #[must_use]
    pub fn is_unread(&self, actor: &Actor, id: &str) -> bool {
        self.known().messages.get(id).is_some_and(|message| message.is_unread_by(&actor.username))
    }

    /// Notes that somebody has read a message; once more changes nothing, nor does it of one that is not theirs.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read_message(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        // A whole class reads it at the same moment.
        let _turn = self.wall.turn().await;
        let committed = self.commit(None, |known, now| {
            let unread = known.messages.get(id).filter(|message| message.is_unread_by(&actor.username));
            let Some(message) = unread else { return Ok(Made::Already(())) };
            let mut read = ClassMessage::clone(message);
            read.to.insert(actor.username.clone(), Some(now));
            let key = keys::message(id);
            let revision = known.revision_of(&key).unwrap_or_default();
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &read)?;
            Ok(Made::change(transaction, ()))
        });
        committed.await.map(drop)
    }
}

/// A terminal that somebody may show to others: one that they opened themselves, and that runs.
fn own_terminal<'a>(record: Option<&'a Arc<Terminal>>, actor: &Actor) -> Result<&'a Terminal, RequestError> {
    let own = record.filter(|record| record.owner == actor.username && record.end().is_none());
    let expected = || RequestError::Invalid { field: "terminal", expected: "one of your own that runs".to_owned() };
    own.map(|record| &**record).ok_or_else(expected)
}

/// The terminal with all of them as viewers, if they are no more.
fn shared(record: &Terminal, to: &BTreeSet<Username>) -> Terminal {
    let mut shared = record.clone();
    for username in to {
        shared.guests.entry(username.clone()).or_insert(TerminalRole::Viewer);
    }
    shared
}

/// The keys of the messages of a sender that are not kept beside a new one.
fn old<'a>(messages: impl Iterator<Item = &'a Arc<ClassMessage>>, by: &Username, now: Timestamp) -> Vec<String> {
    let mut theirs: Vec<_> = messages.filter(|message| message.by == *by).collect();
    theirs.sort_by_key(|message| std::cmp::Reverse((message.at, message.id.clone())));
    let (kept, surplus) = theirs.split_at(theirs.len().min(MOST_OF_ONE - 1));
    let late = kept.iter().filter(|message| now.since(message.at) >= MESSAGE_MS);
    surplus.iter().chain(late).take(MOST_OF_ONE).map(|message| keys::message(&message.id)).collect()
}
