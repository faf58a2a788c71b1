//! Requests about attempts: begin one, work through it, take it back, move it to a newer version, let it go.
//!
//! An attempt is its account's own, and its group's in a course; administrators see all of them. What follows from a request for the record is decided
//! in `pierhead_lab::progress`; here it is read, changed with a compare, and told in the event log.

mod beginning;
mod checking;
mod working;

pub use beginning::AttemptBeginning;
pub use checking::{LabRun, LabRunResult};
pub use working::QuizReply;

use super::commit::Made;
use super::courses::version_for;
use super::{Actor, RequestError, events};
use crate::attempts::{Document, Seat};
use crate::groups::{mates, members, works_at};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{AttemptId, EventTag, Lab, LabAttempt, Timestamp, Username, Workspace};
use pierhead_planner::{WorkspaceStatus, workspace_status};
use pierhead_store::{Revision, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most attempts of one account.
pub const MOST_ATTEMPTS_OF_ONE: usize = 1_000;

/// An attempt, and what it is about as things are now.
#[derive(Debug, Clone)]
pub struct AttemptNow {
    /// Its record.
    pub record: Arc<LabAttempt>,
    /// The lab, unless that was deleted.
    pub lab: Option<Arc<Lab>>,
    /// The version that they can have now: that of their course, or the newest.
    pub newest: Option<u32>,
    /// What the student works with, unless that is gone.
    pub document: Option<Document>,
    /// The others of its account's group, who work at it too.
    pub members: BTreeSet<Username>,
    /// Its workspace, unless there is none any more.
    pub workspace: Option<(Workspace, WorkspaceStatus)>,
    /// Whether the containers of that are new: what steps had prepared is prepared in them once more.
    pub begins_anew: bool,
}

impl Controller {
    /// The attempts that somebody may see, the newest first: their own, or all as far as they may, of one lab if it is named.
    pub async fn attempts_of(&self, actor: &Actor, lab: Option<&str>, all: bool) -> Vec<AttemptNow> {
        let found: Vec<Arc<LabAttempt>> = {
            let known = self.known();
            let is_wanted = |attempt: &&Arc<LabAttempt>| {
                lab.is_none_or(|lab| attempt.lab.as_str() == lab)
                    && if all { may_see(&known, actor, attempt) } else { works_at(&known, &actor.username, attempt) }
            };
            known.attempts.values().filter(is_wanted).cloned().collect()
        };
        let mut attempts = Vec::with_capacity(found.len());
        for record in found {
            attempts.push(self.attempt_now(record).await);
        }
        attempts.sort_by(|one, other| {
            (other.record.started_at, &other.record.id).cmp(&(one.record.started_at, &one.record.id))
        });
        attempts
    }

    /// One attempt, if they may see it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub async fn attempt(&self, actor: &Actor, id: &str) -> Result<AttemptNow, RequestError> {
        let record = find(&self.known(), actor, id).cloned()?;
        Ok(self.attempt_now(record).await)
    }

    async fn attempt_now(&self, record: Arc<LabAttempt>) -> AttemptNow {
        let document = self.attempt_document(&record).await.ok();
        let (known, now) = (self.known(), self.clock.now());
        let workspace = record
            .workspace
            .as_ref()
            .and_then(|id| Some((known.world.workspaces().get(id)?.clone(), workspace_status(&known.world, id, now)?)));
        let seat = record.workspace.as_ref().and_then(|workspace| Seat::of(&known, workspace));
        let begins_anew = seat.is_some_and(|seat| seat.is_new_to(&record));
        let lab = known.labs.get(record.lab.as_str()).cloned();
        let newest = lab.as_ref().and_then(|lab| version_for(&known, lab, record.course.as_deref()));
        let members = members(&known, &record);
        AttemptNow { lab, newest, record, members, document, workspace, begins_anew }
    }

    /// Forgets an attempt; its workspace is saved and ends.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub async fn delete_attempt(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let record = self.only_own(actor, id)?;
        if let Some(workspace) = &record.workspace {
            let ended = self.change_workspace(actor, workspace.as_str(), &super::WorkspaceChange::End, None).await;
            // It may be gone already.
            ended.or_else(|error| if matches!(error, RequestError::NotFound { .. }) { Ok(()) } else { Err(error) })?;
        }
        let committed =
            self.commit(None, |known, _| {
                let attempt = find(known, actor, id)?;
                let transaction = unchanged(known, attempt)
                    .delete(keys::attempt(&attempt.id))
                    .delete(keys::attempt_of(&attempt.account, &attempt.lab, attempt.course.as_deref()));
                Ok(Made::change(self.with_attempt_event(transaction, "attempt-deleted", "", Some(actor), attempt)?, ()))
            });
        committed.await.map(drop)
    }

    /// Makes a change of an attempt; nothing is written and told if it comes to nothing. `told` is the type of its event and
    /// what it says further.
    pub(crate) async fn change_attempt(
        &self,
        id: &AttemptId,
        (kind, more, actor): (&str, &str, Option<&Actor>),
        change: impl Fn(&mut LabAttempt, Timestamp) -> Result<(), RequestError>,
    ) -> Result<Arc<LabAttempt>, RequestError> {
        let committed = self.commit(None, |known, now| {
            let attempt = known.attempts.get(id).ok_or_else(|| missing(id.as_str()))?;
            let mut changed = LabAttempt::clone(attempt);
            change(&mut changed, now)?;
            let changed = Arc::new(changed);
            if changed == *attempt {
                return Ok(Made::Already(changed));
            }
            let transaction = unchanged(known, attempt).put_json(keys::attempt(id), &*changed)?;
            let done = if changed.done_at.is_some() && attempt.done_at.is_none() { ", done" } else { "" };
            let transaction = self.with_attempt_event(transaction, kind, &format!("{more}{done}"), actor, &changed)?;
            Ok(Made::change(transaction, changed))
        });
        match committed.await? {
            super::commit::Committed::Now(changed) => Ok(changed),
            super::commit::Committed::Before(_) => Err(missing(id.as_str())),
        }
    }

    fn with_attempt_event(
        &self,
        transaction: Transaction,
        kind: &str,
        more: &str,
        actor: Option<&Actor>,
        attempt: &LabAttempt,
    ) -> Result<Transaction, RequestError> {
        let LabAttempt { id, lab, account, .. } = attempt;
        let message = format!("attempt={id}, lab={lab}, account={account}{more}");
        let actor = actor.map(|actor| &actor.username);
        let event = self.event(kind, message, EventTag::Cluster, actor, events::Subject::default());
        events::append(transaction, &event)
    }
}

/// The attempt of an account at a lab, the one of a course if it is named: its own, else the first of its group.
pub(crate) fn attempt_of<'a>(
    known: &'a Known,
    account: &Username,
    lab: &str,
    course: Option<&str>,
) -> Option<&'a Arc<LabAttempt>> {
    let is_of_lab = |attempt: &&Arc<LabAttempt>| attempt.lab.as_str() == lab && attempt.course.as_deref() == course;
    let mut of_lab = known.attempts.values().filter(is_of_lab);
    if let Some(own) = of_lab.clone().find(|attempt| attempt.account == *account) {
        return Some(own);
    }
    let mates = course.map(|course| mates(known, course, account)).filter(|mates| !mates.is_empty())?;
    // Who takes the course no longer has no part in what the others do.
    let may = |attempt: &&Arc<LabAttempt>| mates.contains(&attempt.account) && works_at(known, account, attempt);
    of_lab.by_ref().filter(may).min_by_key(|attempt| (attempt.started_at, attempt.id.clone()))
}

/// Whether somebody may see an attempt: those who work at it, and administrators.
fn may_see(known: &Known, actor: &Actor, attempt: &LabAttempt) -> bool {
    actor.may_change_all || works_at(known, &actor.username, attempt)
}

fn find<'a>(known: &'a Known, actor: &Actor, id: &str) -> Result<&'a Arc<LabAttempt>, RequestError> {
    let id = AttemptId::parse(id).map_err(|_| missing(id))?;
    let found = known.attempts.get(&id).filter(|attempt| may_see(known, actor, attempt));
    found.ok_or_else(|| missing(id.as_str()))
}

/// A transaction that fails if an attempt was changed meanwhile.
fn unchanged(known: &Known, attempt: &LabAttempt) -> Transaction {
    let key = keys::attempt(&attempt.id);
    let revision = known.revision_of(&key).unwrap_or(Revision::ZERO);
    Transaction::new().unchanged(key, revision)
}

/// Where the scripts of an attempt are run.
///
/// # Errors
/// If there is no workspace in which people can work now.
fn seat_of(known: &Known, attempt: &LabAttempt) -> Result<Seat, RequestError> {
    let seat = attempt.workspace.as_ref().and_then(|workspace| Seat::of(known, workspace));
    seat.ok_or_else(|| state(attempt.id.as_str(), "has no environment that is ready; start it and try again"))
}

fn state(id: &str, why: &'static str) -> RequestError {
    RequestError::AttemptState { id: id.to_owned(), why }
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "attempt", id: id.chars().take(64).collect(), replaced_by: None }
}

fn no_step(step: u32) -> RequestError {
    RequestError::NotFound { what: "step", id: step.to_string(), replaced_by: None }
}
