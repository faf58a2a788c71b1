//! Which continuous check is run next: pure, moments are passed in.
//!
//! On each host a few run at a time. Those that took long the last time share one place of these, so that checks which hang
//! hold up none that don't, and after a long run the next one is further away.

use pierhead_model::{AttemptId, EngineId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How many run on one host at a time; what students ask for has more places.
pub(super) const PLACES: usize = 3;
/// How many of these are for those that took long.
const SLOW_PLACES: usize = 1;
/// From how many milliseconds on a run was long.
const SLOW_MS: u64 = 2_000;
/// For how many times its own length a check rests after a run.
const REST: u64 = 4;
/// The longest rest, in milliseconds.
const LONGEST_REST_MS: u64 = 120_000;

/// A continuous check of somebody's step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub attempt: AttemptId,
    pub step: u32,
    pub check: String,
}

/// What is known of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    due: Timestamp,
    engine: EngineId,
    is_slow: bool,
    is_running: bool,
}

/// All that go on.
#[derive(Debug, Default)]
pub(super) struct Queue(BTreeMap<Key, Entry>);

impl Queue {
    /// Sets what goes on now. What is new is due at once, spread over its interval so that a class that begins together does
    /// not come together.
    pub(super) fn set(&mut self, wanted: Vec<(Key, EngineId, u64)>, now: Timestamp) {
        let keys: BTreeSet<Key> = wanted.iter().map(|(key, _, _)| key.clone()).collect();
        self.0.retain(|key, entry| keys.contains(key) || entry.is_running);
        for (at, (key, engine, every_ms)) in wanted.into_iter().enumerate() {
            let spread = (at as u64).wrapping_mul(7_919) % every_ms.clamp(1, 5_000);
            let entry = self.0.entry(key).or_insert_with(|| Entry {
                due: now.plus(spread),
                engine: engine.clone(),
                is_slow: false,
                is_running: false,
            });
            entry.engine = engine;
        }
    }

    /// Takes those that begin now: what is due, the longest waiting first, as long as its host has a place, and one of each
    /// attempt at a time. With each comes by how many milliseconds it is late.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<(Key, u64)> {
        let mut busy: BTreeMap<EngineId, (usize, usize)> = BTreeMap::new();
        let mut attempts = BTreeSet::new();
        for (key, entry) in self.0.iter().filter(|(_, entry)| entry.is_running) {
            let (all, slow) = busy.entry(entry.engine.clone()).or_default();
            (*all, *slow) = (*all + 1, *slow + usize::from(entry.is_slow));
            attempts.insert(key.attempt.clone());
        }
        let mut due: Vec<(&Key, &mut Entry)> =
            self.0.iter_mut().filter(|(_, entry)| !entry.is_running && entry.due <= now).collect();
        due.sort_by(|(one_key, one), (other_key, other)| (one.due, one_key).cmp(&(other.due, other_key)));
        let mut taken = Vec::new();
        for (key, entry) in due {
            let (all, slow) = busy.entry(entry.engine.clone()).or_default();
            if *all >= PLACES || (entry.is_slow && *slow >= SLOW_PLACES) || !attempts.insert(key.attempt.clone()) {
                continue;
            }
            (*all, *slow) = (*all + 1, *slow + usize::from(entry.is_slow));
            entry.is_running = true;
            taken.push((key.clone(), now.since(entry.due)));
        }
        taken
    }

    /// Notes that a run ended, and when the next is due; one that is not wanted any more goes with the next setting.
    pub(super) fn ended(&mut self, key: &Key, took_ms: u64, every_ms: u64, now: Timestamp) {
        if let Some(entry) = self.0.get_mut(key) {
            (entry.is_running, entry.is_slow) = (false, took_ms >= SLOW_MS);
            entry.due = now.plus(every_ms.max((took_ms * REST).min(LONGEST_REST_MS)));
        }
    }

    /// Forgets everything: another controller goes on.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests;
