//! The moment, on a clock that never jumps: the wall clock at the start plus the time that has passed since.

use pierhead_model::Timestamp;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A clock that follows the wall clock of its start and never jumps.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    wall_at_start: Timestamp,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall_at_start: Timestamp(millis(since_epoch)) }
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall_at_start.plus(millis(self.started.elapsed()))
    }
}

pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn after_its_start_only_the_time_that_passes_counts() {
        // It started a minute ago, at a moment that the wall clock has left long since.
        let started = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        let clock = Clock { started, wall_at_start: Timestamp(5) };
        let passed = clock.now().since(Timestamp(5));
        assert!((60_000..600_000).contains(&passed), "{passed}");
    }
}
