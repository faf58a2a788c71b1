//! Versions of labs: what was published, and how states differ.

use super::{find_own, may_write, missing, no_version, not_an_author};
use crate::labs::LabDifference;
use crate::requests::{Actor, Idempotency, RequestError};
use crate::{Controller, keys};
use pierhead_model::{Lab, LabVersion, LabVersionRef, Timestamp};
use pierhead_store::{Error, Revision, StoreJson, Transaction};
use std::sync::Arc;

/// The longest note, in characters.
const LONGEST_NOTE: usize = 2000;
/// How often it is tried again while others change something that does not matter for it.
const MOST_TRIES: usize = 50;

impl Controller {
    /// Publishes the draft of a lab as it is now, if it has no errors. One that is published already is not published again.
    /// `seen` is the draft's revision that is meant; the newest without.
    ///
    /// # Errors
    /// [`RequestError::LabInvalid`] with what is wrong, and [`RequestError::ChangedMeanwhile`] if somebody was faster.
    pub async fn publish_lab(
        &self,
        actor: &Actor,
        id: &str,
        note: &str,
        seen: Option<u64>,
        asked: Option<&Idempotency>,
    ) -> Result<Arc<Lab>, RequestError> {
        if note.chars().count() > LONGEST_NOTE || note.contains('\0') {
            let expected = format!("a text of at most {LONGEST_NOTE} characters");
            return Err(RequestError::Invalid { field: "note", expected });
        }
        let once = self.once_if(&actor.username, asked);
        if let Some(once) = &once
            && once.was_done().await?
        {
            self.catch_up().await?;
            return self.lab_to_write(actor, id);
        }
        let meant = self.lab_to_write(actor, id)?.draft.clone();
        if seen.is_some_and(|seen| seen != meant.revision) {
            let (by, at) = (Some(meant.by), Some(meant.at));
            return Err(RequestError::ChangedMeanwhile { path: "the draft".to_owned(), by, at });
        }
        let checked = self.library.check(&meant.tree).await?;
        let wrong: Vec<_> = checked.errors().cloned().collect();
        if !wrong.is_empty() {
            return Err(RequestError::LabInvalid(wrong));
        }
        let at = self.library.lab(&meant.tree).await?;
        let mut tries = 0;
        loop {
            let (lab, revision) = self.lab_of_store(actor, id).await?;
            if lab.draft.tree != meant.tree {
                let (by, at) = (Some(lab.draft.by), Some(lab.draft.at));
                return Err(RequestError::ChangedMeanwhile { path: "the draft".to_owned(), by, at });
            }
            if lab.newest().is_some_and(|newest| newest.tree == meant.tree) {
                return Ok(Arc::new(lab));
            }
            let environment = self.environment_change(actor, &lab, &at, (&lab.id.environment(), true)).await?;
            let steps = u32::try_from(checked.steps.len()).unwrap_or(u32::MAX);
            let now = self.clock.now();
            let published = published(lab, actor, (note, steps), now)?;
            let key = keys::lab(&published.id);
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &published)?;
            let transaction = environment.added_to(transaction)?;
            let transaction = match &once {
                Some(once) => once.remember_with(transaction, None, now)?,
                None => transaction,
            };
            let more = format!(", version={}", published.published);
            let transaction = self.with_lab_event(transaction, "publish-lab", &more, actor, &published)?;
            match self.store.commit(transaction).await {
                Ok(revision) => {
                    self.reached(revision).await;
                    return Ok(Arc::new(published));
                }
                Err(Error::Conflict { .. }) if tries < MOST_TRIES => {
                    self.catch_up().await?;
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets a published version of a lab that nobody works through.
    ///
    /// # Errors
    /// If there is none, it is not theirs, it is the newest, or somebody works through it.
    pub async fn delete_lab_version(&self, actor: &Actor, id: &str, number: u32) -> Result<(), RequestError> {
        let committed = self.commit_reading(
            None,
            || self.last_begun(id),
            |known, _, begun| {
                let lab = find_own(known, actor, id)?;
                lab.version(number).ok_or_else(|| no_version(lab, LabVersionRef::Number(number)))?;
                if lab.newest().is_some_and(|newest| newest.number == number) {
                    return Err(RequestError::LabState { id: lab.id.to_string(), why: "keeps the newest version" });
                }
                let mut changed = Lab::clone(lab);
                changed.versions.retain(|version| version.number != number);
                let transaction = super::in_use::deleted(known, lab, Some(number), *begun)?;
                let transaction = transaction.put_json(keys::lab(&lab.id), &changed)?;
                let more = format!(", version={number}");
                let transaction = self.with_lab_event(transaction, "delete-lab-version", &more, actor, lab)?;
                Ok(crate::requests::commit::Made::change(transaction, ()))
            },
        );
        committed.await.map(drop)
    }

    /// How one state of a lab differs from another, for those who write it.
    ///
    /// # Errors
    /// If there is no such lab or version as far as they may know, or it is for others to write.
    pub async fn lab_difference(
        &self,
        actor: &Actor,
        id: &str,
        from: LabVersionRef,
        to: LabVersionRef,
    ) -> Result<LabDifference, RequestError> {
        let (from, to) = (self.lab_target(actor, id, from).await?, self.lab_target(actor, id, to).await?);
        Ok(self.library.difference(&from.tree, &to.tree).await?)
    }

    async fn lab_of_store(&self, actor: &Actor, id: &str) -> Result<(Lab, Revision), RequestError> {
        let known = self.lab_to_write(actor, id)?;
        let found = self.store.get_json::<Lab>(&keys::lab(&known.id)).await?;
        let (lab, revision) = found.ok_or_else(|| missing(id))?;
        if may_write(actor, &lab) { Ok((lab, revision)) } else { Err(not_an_author()) }
    }
}

/// The record with its draft published.
fn published(mut lab: Lab, actor: &Actor, (note, steps): (&str, u32), at: Timestamp) -> Result<Lab, RequestError> {
    if lab.versions.len() >= Lab::MOST_VERSIONS {
        let why = "has 200 versions; delete one that nobody works through";
        return Err(RequestError::LabState { id: lab.id.to_string(), why });
    }
    lab.published += 1;
    lab.versions.push(LabVersion {
        number: lab.published,
        tree: lab.draft.tree.clone(),
        title: lab.title.clone(),
        summary: lab.summary.clone(),
        steps,
        note: note.to_owned(),
        at,
        by: actor.username.clone(),
    });
    Ok(lab)
}
