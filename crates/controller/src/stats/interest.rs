//! Who looks at which figures, and for a while afterwards: what they look at is read each second. Pure: time is passed in.

use pierhead_model::{ContainerId, EngineId};
use std::collections::HashMap;

/// How long it is still read each second when nobody looks any more, in milliseconds: people come back.
pub(super) const LINGER_MS: u64 = 30_000;

/// What figures are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StatsOf {
    /// Those of all hosts and containers.
    All,
    /// Those of a host and what runs on it.
    Engine(EngineId),
    /// Those of a container.
    Container(ContainerId),
}

/// Who looks.
#[derive(Debug, Default)]
pub(super) struct Interest {
    looks: HashMap<StatsOf, Look>,
}

#[derive(Debug, Default)]
struct Look {
    viewers: usize,
    until_ms: u64,
}

impl Interest {
    /// One more looks.
    pub(super) fn begin(&mut self, of: StatsOf) {
        self.looks.entry(of).or_default().viewers += 1;
    }

    /// One less looks.
    pub(super) fn end(&mut self, of: &StatsOf, now_ms: u64) {
        if let Some(look) = self.looks.get_mut(of) {
            look.viewers = look.viewers.saturating_sub(1);
            look.until_ms = now_ms + LINGER_MS;
        }
    }

    /// Forgets what nobody has looked at for a while.
    pub(super) fn forget_old(&mut self, now_ms: u64) {
        self.looks.retain(|_, look| look.viewers > 0 || now_ms < look.until_ms);
    }

    /// How many look now.
    pub(super) fn viewers(&self) -> usize {
        self.looks.values().map(|look| look.viewers).sum()
    }

    /// Whether a container of a host is looked at.
    pub(super) fn is_in(&self, engine: &EngineId, container: &ContainerId) -> bool {
        !self.looks.is_empty()
            && (self.looks.contains_key(&StatsOf::All)
                || self.looks.contains_key(&StatsOf::Engine(engine.clone()))
                || self.looks.contains_key(&StatsOf::Container(container.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_a_while_longer_than_the_last_look() {
        let (host, other) = (EngineId::parse("host-1").unwrap(), EngineId::parse("host-2").unwrap());
        let (web, db) = (ContainerId::parse("a1").unwrap(), ContainerId::parse("b2").unwrap());
        let mut interest = Interest::default();
        assert!(!interest.is_in(&host, &web));
        let of_web = StatsOf::Container(web.clone());
        interest.begin(of_web.clone());
        interest.begin(of_web.clone());
        interest.begin(StatsOf::Engine(other.clone()));
        assert!(interest.is_in(&host, &web) && !interest.is_in(&host, &db) && interest.is_in(&other, &db));
        interest.end(&of_web, 1_000);
        interest.forget_old(1_000_000);
        assert_eq!((interest.viewers(), interest.is_in(&host, &web)), (2, true), "the other one still looks");
        interest.end(&of_web, 1_000_000);
        interest.forget_old(1_000_000 + LINGER_MS - 1);
        assert_eq!((interest.viewers(), interest.is_in(&host, &web)), (1, true), "people come back");
        interest.forget_old(1_000_000 + LINGER_MS);
        assert!(!interest.is_in(&host, &web) && interest.is_in(&other, &db));
        interest.begin(StatsOf::All);
        assert!(interest.is_in(&host, &db));
    }
}
