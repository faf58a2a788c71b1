//! Notices that the machine slept: connections of before are dead, and nobody has told so.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How much the two clocks may drift apart between two looks before it counts as sleep.
const NOTICED: Duration = Duration::from_secs(1);

/// What tells sleep from time: one clock goes on in sleep, the other does not.
#[derive(Debug, Default)]
pub(super) struct Sleep {
    slept: Option<Duration>,
}

impl Sleep {
    /// Whether the machine slept since the last look; `slept` is the sleep since it was switched on.
    fn look(&mut self, slept: Duration) -> bool {
        let before = self.slept.replace(slept);
        before.is_some_and(|before| slept.saturating_sub(before) >= NOTICED)
    }

    /// The same, by the machine's clocks.
    pub(super) fn look_now(&mut self) -> bool {
        self.look(now(ClockId::Boottime).saturating_sub(now(ClockId::Monotonic)))
    }
}

fn now(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_noticed_once() {
        let mut sleep = Sleep::default();
        let looks = [5_000, 5_000, 5_400, 9_000, 9_010, 9_009, 10_010].map(|ms| sleep.look(Duration::from_millis(ms)));
        assert_eq!(looks, [false, false, false, true, false, false, true]);
    }

    #[test]
    fn a_machine_that_is_awake_does_not_sleep() {
        let mut sleep = Sleep::default();
        assert!(!sleep.look_now() && !sleep.look_now());
    }
}
