//! What workspaces used since it was written last, from looks at what runs and at its counters. Pure: time is passed in.
//!
//! A meter lives as long as one leadership. What was there when it began counts from the first reading that its predecessor
//! can't have seen, so nothing counts twice.

use pierhead_model::{ContainerId, CourseId, Generation, Timestamp, Used, Username, WorkspaceId};
use std::collections::BTreeMap;

/// How long after a meter began a reading may still be of before, in milliseconds, since an engine takes a second or two to
/// answer; and how long what was made before may be learnt of late.
const SETTLED_MS: u64 = 5_000;

/// Who something counts for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// Whose workspace.
    pub(super) account: Username,
    /// The course that it is for.
    pub(super) course: Option<CourseId>,
}

/// The containers of a workspace on a host, by when they were made.
pub(super) type CopyKey = (WorkspaceId, Generation);

/// What a look found of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Who they count for; nobody while they are started ahead.
    pub(super) holder: Option<Holder>,
    /// What they hold, in MB.
    pub(super) memory_mb: u64,
    /// When the CPU time of each was read last, and how much it was since the container was started, in nanoseconds.
    pub(super) counters: BTreeMap<ContainerId, Option<(Timestamp, u64)>>,
}

/// What is remembered of them from look to look.
#[derive(Debug)]
struct Kept {
    is_somebodys: bool,
    memory_mb: u64,
    /// Whether they were made under this leadership, so that all that they use is its own to count.
    is_new: bool,
    counted: BTreeMap<ContainerId, u64>,
}

/// The meter of one leadership.
#[derive(Debug)]
pub(super) struct Meter {
    began: Timestamp,
    looked_at: Option<Timestamp>,
    copies: BTreeMap<CopyKey, Kept>,
    due: BTreeMap<Holder, Used>,
}

impl Meter {
    /// One that begins now.
    pub(super) fn begin(now: Timestamp) -> Self {
        Self { began: now, looked_at: None, copies: BTreeMap::new(), due: BTreeMap::new() }
    }

    /// Takes what a look found. What is not in it any more is forgotten.
    pub(super) fn look(&mut self, seen: BTreeMap<CopyKey, Seen>, now: Timestamp) {
        let span_ms = self.looked_at.map_or(0, |then| now.since(then));
        let is_first = self.looked_at.replace(now).is_none();
        let mut before = std::mem::take(&mut self.copies);
        let from = self.began.plus(SETTLED_MS);
        for (key, seen) in seen {
            let kept = before.remove(&key);
            let is_new = kept.as_ref().map_or(!is_first && now >= from, |kept| kept.is_new);
            // What was used while they were nobody's is nobody's.
            let counts = kept.as_ref().is_none_or(|kept| kept.is_somebodys);
            let memory_mb = kept.as_ref().map_or(0, |kept| kept.memory_mb);
            let mut counted = kept.map(|kept| kept.counted).unwrap_or_default();
            counted.retain(|id, _| seen.counters.contains_key(id));
            let mut used = Used { cpu_nanos: 0, memory_mb_ms: memory_mb.saturating_mul(span_ms) };
            for (id, (at, cpu)) in seen.counters.iter().filter_map(|(id, read)| Some((id, (*read)?))) {
                if is_new || at >= from {
                    let then = counted.insert(id.clone(), cpu).or_else(|| is_new.then_some(0));
                    used.cpu_nanos = used.cpu_nanos.saturating_add(then.map_or(0, |then| more(then, cpu)));
                }
            }
            if let (Some(holder), true, false) = (&seen.holder, counts, used.is_nothing()) {
                let due = self.due.entry(holder.clone()).or_default();
                *due = due.plus(used);
            }
            let is_somebodys = seen.holder.is_some();
            self.copies.insert(key, Kept { is_somebodys, memory_mb: seen.memory_mb, is_new, counted });
        }
    }

    /// What is to be written, which is then taken for written.
    pub(super) fn take_due(&mut self) -> BTreeMap<Holder, Used> {
        std::mem::take(&mut self.due)
    }

    /// Gives back what was taken and certainly not written.
    pub(super) fn give_back(&mut self, holder: Holder, used: Used) {
        let due = self.due.entry(holder).or_default();
        *due = due.plus(used);
    }
}

/// How much CPU time came to what there was: a container that was started again counts from nothing.
fn more(then: u64, now: u64) -> u64 {
    if now >= then { now - then } else { now }
}

#[cfg(test)]
mod tests;
