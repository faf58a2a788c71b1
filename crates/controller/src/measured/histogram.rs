//! Durations in buckets, counted without locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Durations, counted by how long they were.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, and one for what is beyond the last.
    buckets: Box<[AtomicU64]>,
    sum_nanos: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Upper bounds in seconds, each with how many were no longer than that.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// All together, in seconds.
    pub sum_seconds: f64,
}

impl Histogram {
    /// An empty one, with upper bounds in seconds, the smallest first.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum_nanos: AtomicU64::new(0) }
    }

    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = self.bounds.partition_point(|bound| *bound < seconds);
        self.buckets[at].fetch_add(1, Ordering::Relaxed);
        self.sum_nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> Reading {
        let mut count = 0;
        let mut cumulative = |bucket: &AtomicU64| {
            count += bucket.load(Ordering::Relaxed);
            count
        };
        let buckets =
            self.bounds.iter().zip(&self.buckets).map(|(bound, bucket)| (*bound, cumulative(bucket))).collect();
        let last = self.buckets.last().map_or(0, &mut cumulative);
        Reading { buckets, count: last, sum_seconds: self.sum_nanos.load(Ordering::Relaxed) as f64 / 1e9 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_every_bucket_that_it_fits_in() {
        let histogram = Histogram::new(&[0.1, 1.0]);
        for millis in [50, 100, 500, 7_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let read = histogram.read();
        assert_eq!((read.buckets, read.count), (vec![(0.1, 2), (1.0, 3)], 4));
        assert!((read.sum_seconds - 7.65).abs() < 1e-9);
        assert_eq!(Histogram::new(&[]).read(), Reading { buckets: vec![], count: 0, sum_seconds: 0.0 });
    }
}
