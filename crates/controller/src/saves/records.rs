//! Records of saves, and what they come to for each person and environment: both in one transaction, so that a limit
//! holds whatever races.

use super::Saves;
use crate::keys;
use pierhead_engine::EngineError;
use pierhead_model::{Event, Failure, FailureKind, Save, SaveId, SaveTotals};
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
        let listing = self.store.list_all(keys::SAVES).await?;
        Ok(listing.entries.iter().map(Entry::json).collect::<Result<_, _>>()?)
    }

    /// Writes a record in place of what is there, and counts it; limits hold for what grows.
    pub(super) async fn put(&self, save: &Save) -> Result<(), SaveError> {
        loop {
            let before = self.find(&save.id).await?;
            let key = keys::save(&save.id);
            let transaction = match &before {
                Some((_, revision)) => Transaction::new().unchanged(key.clone(), *revision),
                None => Transaction::new().absent(key.clone()),
            };
            let before = before.map(|(before, _)| before.bytes);
            let grows = before.is_none_or(|before| before < save.bytes);
            let transaction = self.count(transaction, save, before, Some(save.bytes), grows).await?;
            if self.is_committed(transaction.put_json(key, save)?).await? {
                return Ok(());
            }
        }
    }

    /// Removes a record, if it is there, and what it counted for.
    pub(super) async fn erase(&self, id: &SaveId) -> Result<(), SaveError> {
        self.erase_telling(id, None).await
    }

    /// The same, with an event in the same transaction.
    pub(super) async fn erase_telling(&self, id: &SaveId, event: Option<&Event>) -> Result<(), SaveError> {
        while let Some((save, revision)) = self.find(id).await? {
            let transaction = Transaction::new().unchanged(keys::save(id), revision);
            let mut transaction = self.count(transaction, &save, Some(save.bytes), None, false).await?;
            if let Some(event) = event {
                transaction = transaction.put_json(keys::event(&event.id), event)?;
            }
            if self.is_committed(transaction.delete(keys::save(id))).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether nothing had changed meanwhile.
    async fn is_committed(&self, transaction: Transaction) -> Result<bool, SaveError> {
        match self.store.commit(transaction).await {
            Ok(_) => Ok(true),
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn count(
        &self,
        mut transaction: Transaction,
        save: &Save,
        before: Option<u64>,
        now: Option<u64>,
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
            if let Some(why) = totals.beyond(most).filter(|_| is_limited) {
                return Err(SaveError::Limit { whose, why });
            }
            transaction = match revision {
                Some(revision) => transaction.unchanged(key.clone(), revision),
                None => transaction.absent(key.clone()),
            };
            transaction = match totals.count {
                0 => transaction.delete(key),
                _ => transaction.put_json(key, &totals)?,
            };
        }
        Ok(transaction)
    }

    async fn counted(&self, key: String, before: Option<u64>, now: Option<u64>) -> Result<Counted, SaveError> {
        let found = self.store.get_json::<SaveTotals>(&key).await?;
        let revision = found.as_ref().map(|(_, revision)| *revision);
        let totals = found.map(|(totals, _)| totals).unwrap_or_default();
        Ok(Counted { key, revision, totals: totals.with(before, now) })
    }
}
