//! Attempts at work: the scripts of a lab are run in the containers of a workspace, when a student asks for it or by
//! themselves. What an outcome means is decided in `pierhead_lab::progress`.

mod documents;
mod queue;
mod run;
mod script;
mod watch;

pub use documents::Document;
pub(crate) use documents::Outlines;
pub(crate) use run::{Purpose, Ran, Scripts, Seat};
pub(crate) use watch::watch_attempts;

use pierhead_model::AttemptId;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The attempts whose checks somebody has asked this controller for and waits for.
#[derive(Clone, Default)]
pub(crate) struct Asking(Arc<Mutex<BTreeSet<AttemptId>>>);

/// That somebody waits; while it is there nobody else asks for the same.
pub(crate) struct Asked {
    of: Asking,
    attempt: AttemptId,
}

impl Asking {
    /// The turn of an attempt; none if somebody has it.
    pub(crate) fn take(&self, attempt: &AttemptId) -> Option<Asked> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt.clone());
        is_new.then(|| Asked { of: self.clone(), attempt: attempt.clone() })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.of.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_asks_for_the_checks_of_an_attempt() {
        let (asking, one, other) = (Asking::default(), AttemptId::from_random(1), AttemptId::from_random(2));
        let held = asking.take(&one).unwrap();
        assert!(asking.take(&one).is_none() && asking.take(&other).is_some());
        drop(held);
        assert!(asking.take(&one).is_some());
    }
}
