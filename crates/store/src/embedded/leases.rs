//! The leases of this process and when they end. Pure: the time is passed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::LeaseId;

/// A longer time to live is taken as this one, so that adding it to the clock can't overflow.
const MAX_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[derive(Debug, Clone, Copy)]
struct Lease {
    ttl: Duration,
    ends: Instant,
}

/// All leases.
#[derive(Debug, Default)]
pub(super) struct Leases {
    leases: HashMap<LeaseId, Lease>,
    undo: Vec<(LeaseId, Lease)>,
}

impl Leases {
    pub(super) fn grant(&mut self, lease: LeaseId, ttl: Duration, now: Instant) {
        let ttl = ttl.min(MAX_TTL);
        self.leases.insert(lease, Lease { ttl, ends: now + ttl });
    }

    /// Gives it its full time again; false if it has ended.
    pub(super) fn keep_alive(&mut self, lease: LeaseId, now: Instant) -> bool {
        match self.leases.get_mut(&lease) {
            Some(lease) if lease.ends > now => {
                lease.ends = now + lease.ttl;
                true
            }
            _ => false,
        }
    }

    pub(super) fn is_live(&self, lease: LeaseId, now: Instant) -> bool {
        self.leases.get(&lease).is_some_and(|lease| lease.ends > now)
    }

    /// Forgets it, until [`Leases::take_back`].
    pub(super) fn end(&mut self, lease: LeaseId) {
        if let Some(ended) = self.leases.remove(&lease) {
            self.undo.push((lease, ended));
        }
    }

    /// Those whose time is over, in the order of their ends.
    pub(super) fn expired(&self, now: Instant) -> Vec<LeaseId> {
        let mut expired: Vec<_> =
            self.leases.iter().filter(|(_, lease)| lease.ends <= now).map(|(id, lease)| (lease.ends, *id)).collect();
        expired.sort_unstable();
        expired.into_iter().map(|(_, id)| id).collect()
    }

    /// When the next one ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.leases.values().map(|lease| lease.ends).min()
    }

    /// Makes the ends since the last call final.
    pub(super) fn settle(&mut self) {
        self.undo.clear();
    }

    /// Takes back the ends since [`Leases::settle`].
    pub(super) fn take_back(&mut self) {
        self.leases.extend(self.undo.drain(..));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_lease_ends_when_its_time_is_over() {
        let start = Instant::now();
        let (first, second) = (LeaseId::new(1), LeaseId::new(2));
        let mut leases = Leases::default();
        leases.grant(second, 3 * SECOND, start);
        leases.grant(first, 2 * SECOND, start);
        assert_eq!(leases.next_end(), Some(start + 2 * SECOND));
        assert!(leases.keep_alive(first, start + SECOND));
        assert_eq!(leases.next_end(), Some(start + 3 * SECOND));
        assert_eq!(leases.expired(start + 2 * SECOND), []);
        assert_eq!(leases.expired(start + 4 * SECOND), [first, second]);
        assert!(!leases.keep_alive(first, start + 3 * SECOND), "its end is exclusive");
        assert!(!leases.is_live(second, start + 3 * SECOND));
    }

    #[test]
    fn an_end_can_be_taken_back() {
        let start = Instant::now();
        let lease = LeaseId::new(1);
        let mut leases = Leases::default();
        leases.grant(lease, Duration::MAX, start);
        leases.end(lease);
        assert!(!leases.is_live(lease, start));
        leases.take_back();
        assert!(leases.is_live(lease, start));
        leases.end(lease);
        leases.settle();
        leases.take_back();
        assert!(!leases.is_live(lease, start));
    }
}
