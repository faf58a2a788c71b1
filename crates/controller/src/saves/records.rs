//! Records of saves, and what they come to for each person and environment: both in one transaction, so that a limit
//! holds whatever races.

use super::Saves;
use crate::coursework::waits_for;
use crate::keys;
use pierhead_engine::EngineError;
use pierhead_model::{
    EnvironmentSpec, Event, Failure, FailureKind, Save, SaveId, SaveTotals, Submission, SubmissionKey, Username,
};
use pierhead_store::leadership::Standing;
use pierhead_store::{Entry, Error, Revision, StoreJson, Transaction};

/// Why something could not be done with a save.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SaveError {
    /// A limit would be broken.
    #[error("{whose}: {why}; delete saves that are not needed any more")]
    Limit {
        /// Whose limit.
        whose: String,
        /// What it is.
        why: String,
    },
    /// Something begins from it.
    #[error("save {id} is needed: {by} begins from it")]
    Needed {
        /// The save.
        id: SaveId,
        /// What.
        by: String,
    },
    /// An engine failed.
    #[error("{what}")]
    Engine {
        /// What it was about.
        what: String,
        /// Why.
        #[source]
        source: EngineError,
    },
    /// No other host could take it.
    #[error("no other host could take the save: {0}")]
    NoCopy(String),
    /// Its record is not any more what was read.
    #[error("the record of save {0} was changed meanwhile")]
    Changed(SaveId),
    /// Another controller leads, and goes on with it.
    #[error("this controller does not lead any more; the one that does goes on with it")]
    NotLeading,
    /// The store failed.
    #[error("the records of saves can't be read or written")]
    Store(#[from] pierhead_store::Error),
}

impl SaveError {
    pub(super) fn engine(what: impl Into<String>) -> impl FnOnce(EngineError) -> Self {
        let what = what.into();
        move |source| Self::Engine { what, source }
    }

    /// The same for the planner.
    #[must_use]
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Engine { what, source } => {
                let failure = source.failure();
                Failure { message: format!("{what}: {}", failure.message), ..failure }
            }
            Self::Store(error) => Failure::new(FailureKind::Other, format!("{self}: {error}")),
            other => Failure::new(FailureKind::Other, other.to_string()),
        }
    }
}

/// In whose name a record is removed.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    /// The leading controller's, as long as it leads.
    Leader(&'a Standing),
    /// Somebody's who asked for it; the event, which tells of it, is of the same transaction.
    Person(&'a Event),
}

/// What totals have to be after a change, and what must not have changed before.
struct Counted {
    key: String,
    revision: Option<Revision>,
    totals: SaveTotals,
}

impl Saves {
    /// A save and the revision of its record.
    pub(crate) async fn find(&self, id: &SaveId) -> Result<Option<(Save, Revision)>, SaveError> {
        Ok(self.store.get_json(&keys::save(id)).await?)
    }

    /// All saves.
    pub(crate) async fn all(&self) -> Result<Vec<Save>, SaveError> {
        Ok(self.listed().await?.into_iter().map(|(save, _)| save).collect())
    }

    /// All saves with the revisions of their records.
    pub(super) async fn listed(&self) -> Result<Vec<(Save, Revision)>, SaveError> {
        let listing = self.store.list_all(keys::SAVES).await?;
        let read = |entry: &Entry| -> Result<(Save, Revision), SaveError> { Ok((entry.json()?, entry.modified)) };
        listing.entries.iter().map(read).collect()
    }

    /// How the workspace of a save was described. Of saves that were made before that was kept nobody knows it.
    pub(crate) async fn spec(&self, id: &SaveId) -> Result<Option<EnvironmentSpec>, SaveError> {
        Ok(self.store.get_json(&keys::save_spec(id)).await?.map(|(spec, _)| spec))
    }

    /// Whether work that somebody handed in waits for a save.
    pub(super) async fn is_handed_in(&self, id: &SaveId, owner: &Username) -> Result<bool, SaveError> {
        let listing = self.store.list_all(keys::SUBMITTING).await?;
        for entry in &listing.entries {
            let key: SubmissionKey = entry.json()?;
            if key.account != *owner {
                continue;
            }
            let found = self.store.get_json::<Submission>(&keys::submission(&key)).await?;
            if found.is_some_and(|(submission, _)| waits_for(&submission, id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the record of a save that is begun, with the description of its workspace.
    pub(super) async fn begin(
        &self,
        leads: &Standing,
        save: &Save,
        spec: &EnvironmentSpec,
        read: Option<Revision>,
    ) -> Result<Revision, SaveError> {
        let with_spec = Transaction::new().put_json(keys::save_spec(&save.id), spec)?;
        self.put_with(with_spec, leads, save, read).await
    }

    /// Writes a record in place of the one that was read, or where none was, and counts it; limits hold for what grows.
    /// Tells the revision that it is from now on.
    pub(super) async fn put(
        &self,
        leads: &Standing,
        save: &Save,
        read: Option<Revision>,
    ) -> Result<Revision, SaveError> {
        self.put_with(Transaction::new(), leads, save, read).await
    }

    async fn put_with(
        &self,
        more: Transaction,
        leads: &Standing,
        save: &Save,
        read: Option<Revision>,
    ) -> Result<Revision, SaveError> {
        let key = keys::save(&save.id);
        loop {
            let before = self.find(&save.id).await?;
            if before.as_ref().map(|(_, revision)| *revision) != read {
                return Err(SaveError::Changed(save.id.clone()));
            }
            let transaction = match read {
                Some(revision) => more.clone().unchanged(key.clone(), revision),
                None => more.clone().absent(key.clone()),
            };
            let before = before.map(|(before, _)| before.share()).unwrap_or_default();
            let now = save.share();
            let grows = read.is_none() || before.count < now.count || before.bytes < now.bytes;
            let transaction = self.count(transaction, save, (before, now), grows).await?;
            if let Some(revision) = self.committed(transaction.put_json(key.clone(), save)?, Some(leads)).await? {
                return Ok(revision);
            }
        }
    }

    /// Removes a record that is as it was read, and what it counted for, and writes down what the registry has of it. One
    /// that has gone is gone.
    pub(super) async fn erase(&self, by: By<'_>, id: &SaveId, read: Revision) -> Result<(), SaveError> {
        while let Some((save, revision)) = self.find(id).await? {
            if revision != read {
                return Err(SaveError::Changed(id.clone()));
            }
            let transaction = Transaction::new().unchanged(keys::save(id), revision);
            let transaction = self.count(transaction, &save, (save.share(), SaveTotals::default()), false).await?;
            let (transaction, leads) = match by {
                By::Leader(leads) => (transaction, Some(leads)),
                By::Person(event) => (transaction.put_json(keys::event(&event.id), event)?, None),
            };
            let transaction = match self.left_of(&save).await? {
                Some(left) => transaction.put_json(keys::save_left(id), &left)?,
                None => transaction,
            };
            let transaction = transaction.delete(keys::save(id)).delete(keys::save_spec(id));
            if self.committed(transaction, leads).await?.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// The revision that it made, or `None` if something had changed meanwhile.
    pub(super) async fn committed(
        &self,
        transaction: Transaction,
        leads: Option<&Standing>,
    ) -> Result<Option<Revision>, SaveError> {
        let transaction = match leads {
            Some(leads) => leads.fence(transaction),
            None => transaction,
        };
        match self.store.commit(transaction).await {
            Ok(revision) => Ok(Some(revision)),
            Err(Error::Conflict { key }) if leads.is_some_and(|leads| leads.key() == key) => Err(SaveError::NotLeading),
            Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same transaction with one share of the totals replaced by another.
    async fn count(
        &self,
        mut transaction: Transaction,
        save: &Save,
        (before, now): (SaveTotals, SaveTotals),
        is_limited: bool,
    ) -> Result<Transaction, SaveError> {
        let of_person =
            (keys::save_totals_of_person(&save.owner), self.limits.person, format!("the saves of {}", save.owner));
        let of_environment = (
            keys::save_totals_of_environment(&save.environment),
            self.limits.environment,
            format!("the saves of the environment {}", save.environment),
        );
        for (key, most, whose) in [of_person, of_environment] {
            let Counted { key, revision, totals } = self.counted(key, before, now).await?;
            if let Some(why) = totals.beyond(save.limit(most)).filter(|_| is_limited) {
                return Err(SaveError::Limit { whose, why });
            }
            transaction = match revision {
                Some(revision) => transaction.unchanged(key.clone(), revision),
                None => transaction.absent(key.clone()),
            };
            transaction = match totals == SaveTotals::default() {
                true => transaction.delete(key),
                false => transaction.put_json(key, &totals)?,
            };
        }
        Ok(transaction)
    }

    async fn counted(&self, key: String, before: SaveTotals, now: SaveTotals) -> Result<Counted, SaveError> {
        let found = self.store.get_json::<SaveTotals>(&key).await?;
        let revision = found.as_ref().map(|(_, revision)| *revision);
        let totals = found.map(|(totals, _)| totals).unwrap_or_default();
        Ok(Counted { key, revision, totals: totals.with(before, now) })
    }
}
