//! Leases of hosts' agents, under which alone these run what must not run twice: who shall have one, and what is noted of
//! it. How agents are reached is not known here, and what follows from a lease is decided by the planner.

use crate::Controller;
use pierhead_model::{EngineId, Timestamp};
use pierhead_store::leadership::{Leadership, Standing};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A lease that may be granted at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// The leader's term.
    pub term: u64,
    /// How long it lasts.
    pub lasts: Duration,
}

/// How long after its end something may still go on that was begun under a leadership: longer than any call to an engine
/// takes that changes it.
const AFTERMATH: Duration = Duration::from_secs(300);

/// How it stands with this controller's leadership, at any moment.
#[derive(Default)]
pub(crate) struct Leading(Mutex<Led>);

#[derive(Default)]
struct Led {
    standing: Option<Standing>,
    /// When it was noticed that it had ended.
    ended: Option<Instant>,
}

impl Leading {
    fn led(&self) -> MutexGuard<'_, Led> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, standing: Standing) {
        *self.led() = Led { standing: Some(standing), ended: None };
    }

    pub(crate) fn end(&self) {
        self.led().ended = Some(Instant::now());
    }

    /// Whether nothing can go on any more that was begun while this controller led.
    pub(crate) fn is_long_over(&self) -> bool {
        let led = self.led();
        led.standing.is_none() || led.ended.is_some_and(|ended| ended.elapsed() > AFTERMATH)
    }

    /// The term, if it is certain at this moment that nobody else leads.
    pub(crate) fn term(&self) -> Option<u64> {
        let led = self.led();
        led.standing.as_ref().filter(|standing| standing.is_held()).map(|standing| standing.term().value())
    }
}

impl Controller {
    /// Leads from now on: leases of earlier leaders, and this one's of before, may just have begun.
    pub(crate) fn begin_to_lead(&self, leadership: &Leadership) {
        self.standing.begin(leadership.standing());
        let since = self.clock.now();
        #[cfg(feature = "mutants")]
        let since = if crate::mutants::ignores_leases() { Timestamp(0) } else { since };
        self.shared.change(|known| known.world.leads_since = since);
    }

    /// Whether a host shall have a lease, and this controller is to grant it.
    pub fn wants_lease(&self, id: &EngineId) -> bool {
        self.standing.term().is_some() && !self.engines.has_given_up(id) && self.known().world.wants_lease(id)
    }

    /// Notes that a host is granted a lease from a moment that has passed; `None` if this controller may not, or the host
    /// shall have none any more. It counts as granted whatever becomes of it on its way.
    pub fn begin_lease(&self, id: &EngineId) -> Option<LeaseTerms> {
        let (term, now) = (self.standing.term()?, self.clock.now());
        if self.engines.has_given_up(id) {
            // An agent that ends takes none, and one that was only granted would have to be waited for.
            return None;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_store::leadership::Candidate;
    use pierhead_store::{Embedded, Store};
    use std::sync::Arc;

    #[tokio::test]
    async fn who_led_lately_bears_no_term_of_others() {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
        let leading = Leading::default();
        assert!(leading.term().is_none() && leading.is_long_over(), "it never led");
        let leadership = Candidate::new(store, "controller", "here", Duration::from_secs(3)).campaign().await.unwrap();
        leading.begin(leadership.standing());
        assert_eq!(leading.term(), Some(leadership.term().value()));
        leadership.resign().await;
        assert!(leading.term().is_none() && !leading.is_long_over(), "its end was not even noticed");
        leading.end();
        assert!(!leading.is_long_over(), "what it began may still be on its way");
        leading.led().ended = Instant::now().checked_sub(AFTERMATH + Duration::from_secs(1));
        assert!(leading.is_long_over());
    }
}
