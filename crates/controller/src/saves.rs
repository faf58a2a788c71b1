//! Saves of workspaces: their images on hosts, their records, what they may come to, and how they go again.
//!
//! An image of a save lies on a host only as long as a record knows of it; what a crash leaves is found by its name and
//! label, and removed. A save is complete when the school's registry, or another host, has it too. Nothing here decides
//! when one is made.

mod fetch;
mod left;
mod make;
mod records;
mod registry;
mod remove;
mod sweep;

pub(crate) use records::SaveError;
pub(crate) use sweep::keep_sweeping;

use crate::{Clock, Ids};
use pierhead_model::{SaveId, SaveLimits, SaveRegistry};
use pierhead_store::Store;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, RwLock};

/// The saves of the pool.
pub(crate) struct Saves {
    store: Arc<dyn Store>,
    clock: Clock,
    ids: Arc<Ids>,
    limits: SaveLimits,
    /// Where saves are sent, if there is such a place.
    registry: Option<SaveRegistry>,
    /// Whether it was told last that it takes none.
    trouble: Mutex<bool>,
    /// The save that it did not take at the last look.
    not_taken: Mutex<Option<SaveId>>,
    /// What was told last of why it deletes nothing, if it does not.
    keeps: Mutex<Option<left::Kept>>,
    /// Held alone by who makes a save or a copy of it, so that two who make the same one make it once; held together by
    /// those who remove what is left of it.
    turns: Mutex<BTreeMap<SaveId, Arc<RwLock<()>>>>,
    /// Somebody removed one: hosts are to be looked through soon.
    wake: Notify,
}

impl Saves {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        ids: Arc<Ids>,
        limits: SaveLimits,
        registry: Option<SaveRegistry>,
    ) -> Self {
        let (trouble, not_taken, keeps, turns) = Default::default();
        Self { store, clock, ids, limits, registry, trouble, not_taken, keeps, turns, wake: Notify::new() }
    }

    fn turn(&self, id: &SaveId) -> Arc<RwLock<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(id.clone()).or_default())
    }

    /// Whether one is being made or removed here.
    fn is_at(&self, id: &SaveId) -> bool {
        self.turn(id).try_write().is_err()
    }
}

#[cfg(test)]
mod tests;
