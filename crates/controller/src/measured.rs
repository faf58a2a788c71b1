//! What the loops measure as they go: durations in histograms, counts of what is open. Numbers only, in memory; who
//! shows them, and how, is not known here.

mod histogram;
mod shares;
mod store;

pub use histogram::{Histogram, Reading};
pub use shares::{Share, Shares};
pub(crate) use store::MeasuredStore;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds of buckets, in seconds, for what takes milliseconds to seconds.
pub const SECONDS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// The same for what takes microseconds to milliseconds.
pub const FINE_SECONDS: &[f64] = &[0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0];

/// Everything that the loops measure.
#[derive(Debug)]
pub struct Measured {
    /// How long engines took to answer probes.
    pub probes: Histogram,
    /// How long it took to plan: to place what is new and to find what else is to be done.
    pub plans: Histogram,
    /// How long the store took to make commits.
    pub commits: Histogram,
    /// Commits that the store refused because what they compared had changed.
    pub conflicts: AtomicU64,
    /// Commits that failed otherwise.
    pub failed_commits: AtomicU64,
    /// Logs that somebody reads now.
    pub log_readers: Gauge,
    /// The same of each account.
    pub log_readers_of: Shares,
    /// Saves that each account compares now.
    pub comparisons_of: Shares,
    /// Logs of containers that are gone, kept since the start of the program.
    pub logs_kept: AtomicU64,
    /// How late continuous checks of labs began.
    pub lab_checks: Histogram,
    /// When this controller made the newest backup that it keeps, in milliseconds since 1970; 0 if there is none.
    pub last_backup: AtomicU64,
}

impl Default for Measured {
    fn default() -> Self {
        Self {
            probes: Histogram::new(SECONDS),
            plans: Histogram::new(FINE_SECONDS),
            commits: Histogram::new(FINE_SECONDS),
            conflicts: AtomicU64::new(0),
            failed_commits: AtomicU64::new(0),
            log_readers: Gauge::default(),
            log_readers_of: Shares::default(),
            comparisons_of: Shares::default(),
            logs_kept: AtomicU64::new(0),
            lab_checks: Histogram::new(SECONDS),
            last_backup: AtomicU64::new(0),
        }
    }
}

/// How many of something are open.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

/// One that is open, until it is dropped.
#[derive(Debug)]
pub struct Open(Gauge);

impl Gauge {
    /// One more.
    #[must_use]
    pub fn open(&self) -> Open {
        self.0.fetch_add(1, Ordering::Relaxed);
        Open(self.clone())
    }

    /// One more, unless there are `most` already.
    #[must_use]
    pub fn open_below(&self, most: u64) -> Option<Open> {
        let more = |open: u64| (open < most).then_some(open + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Open(self.clone()))
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_not_open() {
        let gauge = Gauge::default();
        let (one, other) = (gauge.open(), gauge.open_below(2));
        assert_eq!((gauge.count(), gauge.open_below(2).is_none()), (2, true));
        drop(one);
        assert_eq!(gauge.count(), 1);
        drop(other);
        assert_eq!(gauge.count(), 0);
    }
}
