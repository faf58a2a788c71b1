//! Time that this controller was awake, and how late it was lately. Pure.

use std::time::Duration;

/// How often it is looked whether this controller is late.
pub(crate) const TICK: Duration = Duration::from_millis(50);
/// How much longer than a tick may count as time, in milliseconds.
const SLACK: u64 = 25;
/// For how long lateness is remembered, in milliseconds.
const REMEMBERED: u64 = 5_000;

/// The lateness of somebody, and when it was seen: the greatest of late.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lateness {
    late: u64,
    at: u64,
}

impl Lateness {
    pub(super) fn note(&mut self, late: u64, now: u64) {
        if late >= self.at(now) {
            *self = Self { late, at: now };
        }
    }

    /// How late in milliseconds.
    pub(super) fn at(self, now: u64) -> u64 {
        if now.saturating_sub(self.at) < REMEMBERED { self.late } else { 0 }
    }
}

/// A clock that goes on only while this controller runs: what it was silent for, it did not wait for either.
#[derive(Debug)]
pub(crate) struct Awake {
    now: u64,
    late: Lateness,
    /// The most that counts at once, in milliseconds.
    most: u64,
}

impl Awake {
    /// A clock at 0. One that trusts itself counts all time that passes.
    pub(crate) fn new(trusts_itself: bool) -> Self {
        let tick = crate::clock::millis(TICK);
        Self { now: 0, late: Lateness::default(), most: if trusts_itself { u64::MAX / 2 } else { tick + SLACK } }
    }

    /// So many milliseconds have passed since the last tick.
    pub(crate) fn tick(&mut self, passed: u64) {
        self.now += passed.min(self.most);
        let late = passed.saturating_sub(crate::clock::millis(TICK));
        if late > SLACK && self.most < u64::MAX / 2 {
            self.late.note(late, self.now);
        }
    }

    /// The moment, so many milliseconds after the last tick.
    pub(crate) fn now(&self, after_tick: u64) -> u64 {
        self.now + after_tick.min(self.most)
    }

    /// How late this controller was lately, in milliseconds.
    pub(crate) fn late(&self) -> u64 {
        self.late.at(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_it_stood_still_does_not_count_and_is_remembered() {
        let mut awake = Awake::new(false);
        (0..20).for_each(|_| awake.tick(50));
        assert_eq!((awake.now(0), awake.now(30), awake.now(900), awake.late()), (1_000, 1_030, 1_075, 0));
        awake.tick(3_000);
        assert_eq!((awake.now(0), awake.late()), (1_075, 2_950));
        awake.tick(100);
        assert_eq!((awake.now(0), awake.late()), (1_150, 2_950), "the greatest counts");
        (0..98).for_each(|_| awake.tick(50));
        assert_eq!(awake.late(), 2_950);
        awake.tick(50);
        assert_eq!(awake.late(), 0, "it is forgotten");
        awake.tick(200);
        assert_eq!(awake.late(), 150);
    }

    #[test]
    fn whoever_trusts_itself_counts_all_time() {
        let mut awake = Awake::new(true);
        awake.tick(3_000);
        assert_eq!((awake.now(0), awake.late()), (3_000, 0));
    }

    #[test]
    fn the_clock_never_goes_back() {
        let mut awake = Awake::new(false);
        let mut last = 0;
        for passed in [0, 10, 49, 50, 51, 75, 76, 500, 10_000, 1] {
            for part in [0, passed / 2, passed] {
                assert!(awake.now(part) >= last);
                last = awake.now(part);
            }
            awake.tick(passed);
            assert!(awake.now(0) >= last);
            last = awake.now(0);
        }
    }
}
