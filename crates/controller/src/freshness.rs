//! Whether what this controller knows is what the store holds: the store is asked for anything once a second. Decides
//! nothing; whoever asks what is known may be told how old that may be.

use crate::{Controller, keys};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the store is asked.
const PERIOD: Duration = Duration::from_secs(1);
/// Within which time a store that is well has answered, also where another member of it must lead first.
const LATE: Duration = Duration::from_secs(4);

/// When the store answered last.
pub(crate) struct Freshness(Mutex<Instant>);

impl Default for Freshness {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Freshness {
    /// The store has answered what it was asked at a moment.
    fn answered(&self, asked: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    /// Since when it has not answered, if that is longer than it should be.
    fn stale_for(&self, now: Instant) -> Option<Duration> {
        let answered = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(now.saturating_duration_since(answered)).filter(|silent| *silent >= LATE)
    }
}

impl Controller {
    /// How old what is known may be, if the store does not answer; `None` while it does. What is known of hosts and
    /// containers is read from them and no older than ever.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        self.freshness.stale_for(Instant::now())
    }

    /// Asks the store again and again, for ever.
    pub(crate) async fn keep_asking(self) {
        loop {
            let asked = Instant::now();
            // A read that is answered is one of a majority of its members.
            if self.store.list(keys::LEADER, None, 1).await.is_ok() {
                self.freshness.answered(asked);
            }
            tokio::time::sleep_until((asked + PERIOD).into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_answered_for_long_is_stale() {
        let freshness = Freshness::default();
        let began = Instant::now();
        freshness.answered(began);
        assert_eq!(freshness.stale_for(began + LATE - Duration::from_millis(1)), None);
        assert_eq!(freshness.stale_for(began + LATE), Some(LATE));
        assert_eq!(freshness.stale_for(began + 9 * LATE), Some(9 * LATE));
        freshness.answered(began + 9 * LATE);
        assert_eq!(freshness.stale_for(began + 9 * LATE + PERIOD), None);
        // An answer that was asked for later may come first.
        assert_eq!(freshness.stale_for(began), None);
    }
}
