//! Leases of hosts' agents, under which alone these run what must not run twice: who shall have one, and what is noted of
//! it. How agents are reached is not known here, and what follows from a lease is decided by the planner.

use crate::Controller;
use pierhead_model::{EngineId, Timestamp};
use pierhead_store::leadership::{Leadership, Standing};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A lease that may be granted at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// The leader's term.
    pub term: u64,
    /// How long it lasts.
    pub lasts: Duration,
}

/// How it stands with this controller's leadership, at any moment.
#[derive(Default)]
pub(crate) struct Leading(Mutex<Option<Standing>>);

impl Leading {
    /// The term, if it is certain at this moment that nobody else leads.
    pub(crate) fn term(&self) -> Option<u64> {
        let standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.as_ref().filter(|standing| standing.is_held()).map(|standing| standing.term().value())
    }
}

impl Controller {
    /// Leads from now on: leases of earlier leaders, and this one's of before, may just have begun.
    pub(crate) fn begin_to_lead(&self, leadership: &Leadership) {
        *self.standing.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(leadership.standing());
        let since = self.clock.now();
        #[cfg(feature = "mutants")]
        let since = if crate::mutants::ignores_leases() { Timestamp(0) } else { since };
        self.shared.change(|known| known.world.leads_since = since);
    }

    /// Whether a host shall have a lease, and this controller is to grant it.
    pub fn wants_lease(&self, id: &EngineId) -> bool {
        self.standing.term().is_some() && self.known().world.wants_lease(id)
    }

    /// Notes that a host is granted a lease from a moment that has passed; `None` if this controller may not, or the host
    /// shall have none any more. It counts as granted whatever becomes of it on its way.
    pub fn begin_lease(&self, id: &EngineId) -> Option<LeaseTerms> {
        let (term, now) = (self.standing.term()?, self.clock.now());
        let mut lasts = None;
        self.shared.change_quietly(|known| {
            if !known.world.wants_lease(id) {
                return;
            }
            lasts = Some(Duration::from_millis(known.world.policy.lease_ms));
            #[cfg(feature = "mutants")]
            if crate::mutants::ignores_leases() {
                return;
            }
            known.world.note_lease_granted(id, now);
        });
        Some(LeaseTerms { term, lasts: lasts? })
    }

    /// Notes that a host's agent has a lease until a moment at least.
    pub fn end_of_lease(&self, id: &EngineId, until: Timestamp) {
        let now = self.clock.now();
        let mut is_new = false;
        self.shared.change_quietly(|known| is_new = known.world.note_lease_held(id, until, now));
        if is_new {
            tracing::info!(engine = %id, "the host has a lease to run what must not run twice");
            // Something may wait for it.
            self.shared.change(|_| ());
        }
    }
}
