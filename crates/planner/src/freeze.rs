//! Several hosts that vanish at once: more likely the view of this controller than the hosts, so nothing is moved off
//! them until enough of them answer again, or an administrator gives them up.
//!
//! It is judged anew from the world each time, so that a new controller comes to the same: hosts that do not answer it
//! from the start vanished at once, as far as it knows.

use crate::{EngineState, World};
use pierhead_model::{EngineId, HealthStatus, Timestamp};
use std::collections::BTreeSet;

/// How many hosts are named in words.
const NAMED: usize = 5;

/// Hosts that vanished at once, and off which nothing is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// The hosts.
    pub hosts: BTreeSet<EngineId>,
    /// How many hosts there are in all, those that were given up left out.
    pub pool: usize,
    /// Since when.
    pub since: Timestamp,
}

impl Freeze {
    /// What is frozen and why, for people.
    #[must_use]
    pub fn reason(&self) -> String {
        let named: Vec<&str> = self.hosts.iter().take(NAMED).map(EngineId::as_str).collect();
        let more = match self.hosts.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{} of {} hosts vanished at once ({}{more}), so nothing is moved off them: maybe only this controller does \
             not reach them. It ends by itself when enough of them answer, or with 'pierhead cluster thaw'",
            self.hosts.len(),
            self.pool,
            named.join(", ")
        )
    }

    /// What a slot of such a host waits for.
    pub(crate) fn of_slot(&self, host: &EngineId) -> String {
        let (lost, pool) = (self.hosts.len(), self.pool);
        format!(
            "host {host} is down, and is not replaced as {lost} of {pool} hosts vanished at once; waits until enough of \
             them answer, or for 'pierhead cluster thaw'"
        )
    }
}

/// The hosts off which nothing is moved now, if so many vanished at once: two or more, and all there are, or at least
/// half of three or more. What is lost while others are frozen is frozen with them.
#[must_use]
pub fn freeze(world: &World) -> Option<Freeze> {
    let counted = || world.engines().values().filter(|engine| counts(world, engine));
    let mut lost: Vec<(Timestamp, &EngineId)> = counted()
        .filter(|engine| engine.health.status == HealthStatus::Down)
        .map(|engine| (engine.health.since, &engine.record.id))
        .collect();
    if lost.len() < 2 {
        return None;
    }
    lost.sort_unstable();
    let pool = counted().count();
    let enough = if pool < 3 { pool } else { pool.div_ceil(2) }.max(2);
    // Enough of them, the first and the last of which vanished within the window.
    let at_once = lost.windows(enough).find(|hosts| {
        hosts.first().zip(hosts.last()).is_some_and(|(first, last)| last.0.since(first.0) <= world.policy.at_once_ms)
    })?;
    let since = at_once.first()?.0;
    let hosts = lost.iter().filter(|(at, _)| *at >= since).map(|(_, id)| (*id).clone()).collect();
    Some(Freeze { hosts, pool, since })
}

/// Whether a host can vanish at all: it was there before, under this address, and nobody has given it up.
fn counts(world: &World, engine: &EngineState) -> bool {
    let was_there = engine.facts.is_some() || engine.record.added_at < world.since;
    was_there && engine.same_as.is_none() && !engine.record.given_up && !engine.record.waits_for_approval()
}
