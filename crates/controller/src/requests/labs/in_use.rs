//! Who works at a lab: as long as somebody does, what they work with stays.
//!
//! Whoever begins at a lab, or moves to a version of it, writes when they did and compares the lab's record; whoever deletes
//! compares when somebody last did. So one of the two is too late, and sees it.

use super::{missing, unchanged};
use crate::groups::members;
use crate::known::Known;
use crate::requests::RequestError;
use crate::{Controller, keys};
use pierhead_model::{Lab, LabAttempt, LabId, LabVersionRef, Timestamp, WorkspaceWish};
use pierhead_store::{Revision, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Controller {
    /// When somebody last began at a lab. What they wrote is known when this returns.
    pub(super) async fn last_begun(&self, id: &str) -> Result<Option<Revision>, RequestError> {
        let id = LabId::parse(id).map_err(|_| missing(id))?;
        let found = self.store.get(&keys::lab_begun(&id)).await?;
        let revision = found.map(|entry| entry.modified);
        if let Some(revision) = revision {
            self.reached(revision).await;
        }
        Ok(revision)
    }
}

/// A transaction in which somebody begins at a version of a lab; it fails if the lab was changed meanwhile.
///
/// # Errors
/// If there is no such lab or version.
pub(crate) fn begun(known: &Known, id: &LabId, version: u32, now: Timestamp) -> Result<Transaction, RequestError> {
    let lab = known.labs.get(id.as_str()).ok_or_else(|| missing(id.as_str()))?;
    lab.version(version).ok_or_else(|| super::no_version(lab, LabVersionRef::Number(version)))?;
    Ok(unchanged(known, lab).put_json(keys::lab_begun(id), &now)?)
}

/// A transaction that fails if a lab was changed, or somebody began at it, since that was looked at.
///
/// # Errors
/// [`RequestError::LabInUse`] if somebody works at it, or at the version that is named.
pub(super) fn deleted(
    known: &Known,
    lab: &Lab,
    version: Option<u32>,
    begun: Option<Revision>,
) -> Result<Transaction, RequestError> {
    let people = workers(known, lab, version);
    if people > 0 {
        let of = version.map(|version| format!("version {version} of ")).unwrap_or_default();
        return Err(RequestError::LabInUse { what: format!("{of}lab {}", lab.id), people });
    }
    let key = keys::lab_begun(&lab.id);
    let transaction = unchanged(known, lab);
    Ok(match begun {
        Some(revision) => transaction.unchanged(key, revision),
        None => transaction.absent(key),
    })
}

/// How many people work at a lab, or have not come to the end of a version.
fn workers(known: &Known, lab: &Lab, version: Option<u32>) -> usize {
    let counts = |attempt: &&Arc<LabAttempt>| {
        let is_meant = match version {
            Some(version) => attempt.version == version,
            None => is_at_it(known, attempt),
        };
        attempt.lab == lab.id && attempt.done_at.is_none() && is_meant
    };
    let mut people = BTreeSet::new();
    for attempt in known.attempts.values().filter(counts) {
        people.insert(attempt.account.clone());
        people.extend(members(known, attempt));
    }
    people.len()
}

/// Whether an attempt has a workspace that has not ended, or is about to have its first.
fn is_at_it(known: &Known, attempt: &LabAttempt) -> bool {
    let Some(id) = &attempt.workspace else { return true };
    let workspace = known.world.workspaces().get(id);
    workspace.is_some_and(|found| !matches!(found.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded))
}
