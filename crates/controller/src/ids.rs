//! Ids that sort by the moment at which they were made.

use crate::Clock;
use pierhead_model::{OperationId, WorkspaceId};
use rand::RngExt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes ids: the moment, a counter, and random digits, so that controllers never make the same one.
#[derive(Debug)]
pub struct Ids {
    clock: Clock,
    last: AtomicU64,
}

impl Ids {
    /// How long an id is that [`Ids::unique`] makes, in characters.
    pub const LENGTH: usize = 22;

    /// A source of ids.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, last: AtomicU64::new(0) }
    }

    /// A new id: 22 digits and small letters; a later one sorts after an earlier one of the same controller.
    #[must_use]
    pub fn unique(&self) -> String {
        // 4,096 ids fit into each millisecond; should there be more, they borrow from the next.
        let earliest = self.clock.now().0 << 12;
        let previous = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(earliest.max(last + 1)));
        let ordered = earliest.max(previous.unwrap_or(0) + 1);
        let random: u32 = rand::rng().random();
        format!("{ordered:014x}{random:08x}")
    }

    /// The id of a new operation.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        OperationId::parse(self.unique()).expect("digits and letters are an operation id")
    }

    /// The id of a new workspace.
    #[must_use]
    pub fn workspace(&self) -> WorkspaceId {
        WorkspaceId::from_random(rand::rng().random())
    }

    /// A random word of 10 digits and small letters.
    #[must_use]
    pub fn random(&self) -> String {
        let number: u64 = rand::rng().random();
        format!("{:010x}", number >> 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sort_by_age() {
        let ids = Ids::new(Clock::start());
        let made: Vec<String> = (0..10_000).map(|_| ids.unique()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
