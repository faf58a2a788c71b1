//! How long to wait before the next attempt. Pure: chance is passed in.

use std::time::Duration;

/// Waits that double, each one shortened by chance, so that a thousand agents do not come back at the same moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from `first` on, none longer than `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first.min(longest) }
    }

    /// The next wait: between a tenth and all of what it has grown to, by `chance` from 0 to 1.
    pub fn wait(&mut self, chance: f64) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        whole.mul_f64(0.1 + 0.9 * chance.clamp(0.0, 1.0))
    }

    /// Begins again from the first wait.
    pub fn reset(&mut self) {
        self.next = self.first.min(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_to_a_bound_and_never_vanish(
            chances in proptest::collection::vec(0.0..=1.0f64, 1..80), first in 1u64..1000, longest in 1u64..100_000,
        ) {
            let (first, longest) = (Duration::from_millis(first), Duration::from_millis(longest));
            let mut backoff = Backoff::new(first, longest);
            let mut whole = first.min(longest);
            for chance in chances {
                let wait = backoff.wait(chance);
                prop_assert!(wait <= whole && wait >= whole.mul_f64(0.099), "{wait:?} of {whole:?}");
                whole = (whole * 2).min(longest);
            }
            backoff.reset();
            prop_assert!(backoff.wait(1.0) <= first);
        }
    }

    #[test]
    fn chance_spreads_the_waits() {
        let mut waits = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        assert_eq!(waits.wait(1.0).as_millis(), 100);
        assert_eq!(waits.wait(0.0).as_millis(), 20);
        assert_eq!(waits.wait(0.5).as_millis(), 220);
    }
}
