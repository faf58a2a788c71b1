//! What this controller holds of terminals: its own home, the way to others, what was last seen there, and how many are
//! looked at.

use super::{Here, TerminalHome, TerminalHomes};
use crate::clock::Clock;
use crate::engines::Engines;
use crate::measured::{Gauge, Open, Share, Shares};
use pierhead_model::{EngineId, Username};
use pierhead_terminal::SessionView;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

/// The most viewers that come through one controller, and the most of them of one account.
pub(crate) const MOST_VIEWERS: u64 = 10_000;
pub(crate) const MOST_VIEWERS_OF_ONE: u64 = 4_000;

/// See the module.
pub(crate) struct Terminals {
    pub(crate) here: Arc<Here>,
    homes: OnceLock<Arc<dyn TerminalHomes>>,
    /// What lives in the agents that can be seen.
    seen: Mutex<BTreeMap<EngineId, Vec<SessionView>>>,
    pub(crate) seen_changed: Notify,
    /// Limits are looked at and used up in one go.
    pub(crate) opening: tokio::sync::Mutex<()>,
    viewers: Gauge,
    viewers_of: Shares,
}

/// Somebody who looks at a terminal through this controller, until it is dropped.
#[derive(Debug)]
pub struct Looking {
    _share: Share,
    _open: Open,
}

impl Terminals {
    pub(crate) fn new(engines: Arc<Engines>, clock: Clock) -> Self {
        Self {
            here: Arc::new(Here::new(engines, clock)),
            homes: OnceLock::new(),
            seen: Mutex::default(),
            seen_changed: Notify::new(),
            opening: tokio::sync::Mutex::default(),
            viewers: Gauge::default(),
            viewers_of: Shares::default(),
        }
    }

    /// How the homes in agents are reached; only the first who says so counts.
    pub(crate) fn set_homes(&self, homes: Arc<dyn TerminalHomes>) {
        let _again = self.homes.set(homes);
    }

    pub(crate) fn of_agent(&self, engine: &EngineId) -> Option<Arc<dyn TerminalHome>> {
        self.homes.get()?.of_agent(engine)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, BTreeMap<EngineId, Vec<SessionView>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One viewer more, unless there are too many.
    pub(crate) fn look(&self, who: &Username) -> Option<Looking> {
        let share = self.viewers_of.open_below(who, MOST_VIEWERS_OF_ONE)?;
        Some(Looking { _share: share, _open: self.viewers.open_below(MOST_VIEWERS)? })
    }

    /// How many viewers come through this controller.
    pub(crate) fn viewers(&self) -> u64 {
        self.viewers.count()
    }
}
