//! How far the log is with the events of one engine, and which were the last. Pure.

use pierhead_engine::EngineEvent;
use pierhead_model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const SECOND: u64 = 1_000_000_000;
/// How long before the newest event a stream begins anew: an engine may tell events in another order than they happened.
const OVERLAP: u64 = SECOND;
/// For how long before the newest event the marks are kept.
const KEPT: u64 = 5 * SECOND;
/// How many marks are kept: twice as many as an engine can tell again.
const MOST_MARKS: usize = 512;
/// An event that is so much older than the newest means that the engine's clock was set back.
const SET_BACK: u64 = 3600 * SECOND;

/// What tells an event from all others of its engine: its moment in nanoseconds, and a hash of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark(u64, u64);

impl Mark {
    pub(super) fn of(event: &EngineEvent) -> Self {
        let mut hash = Sha256::new();
        for part in [&event.subject, &event.id, &event.status] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        let number = hash.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte));
        Self(event.nanos, number)
    }
}

/// How far the log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The newest event, in nanoseconds by the clock of the engine; 0 before the first.
    newest: u64,
    /// The moment up to which nothing is missing, or is recorded as missing.
    last: Timestamp,
    /// The newest events.
    seen: Vec<Mark>,
}

impl Cursor {
    /// Of an engine that was not listened to before.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { newest: 0, last: now, seen: Vec::new() }
    }

    /// From where on the engine is to tell again.
    pub(super) fn since(&self) -> u64 {
        let newest = if self.newest == 0 { self.last.0.saturating_mul(1_000_000) } else { self.newest };
        newest.saturating_sub(OVERLAP)
    }

    pub(super) fn last(&self) -> Timestamp {
        self.last
    }

    /// Whether an engine that has told everything since would have told an event that is known.
    pub(super) fn can_prove(&self) -> bool {
        !self.seen.is_empty()
    }

    pub(super) fn knows(&self, mark: &Mark) -> bool {
        self.seen.contains(mark)
    }

    /// Whether the event is new; if it is, it is known from now on.
    pub(super) fn take(&mut self, mark: Mark) -> bool {
        if self.knows(&mark) {
            return false;
        }
        if mark.0 > self.newest || mark.0.saturating_add(SET_BACK) < self.newest {
            self.newest = mark.0;
            self.last = Timestamp(mark.0 / 1_000_000);
        }
        let newest = self.newest;
        self.seen.retain(|seen| seen.0.abs_diff(newest) <= KEPT);
        self.seen.push(mark);
        let surplus = self.seen.len().saturating_sub(MOST_MARKS);
        self.seen.drain(..surplus);
        true
    }

    /// What happened up to a moment is recorded as missing: the events before it prove nothing any more.
    pub(super) fn pass(&mut self, to: Timestamp) {
        *self = Self { newest: 0, last: to, seen: Vec::new() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(seconds: u64, number: u64) -> Mark {
        Mark(seconds * SECOND, number)
    }

    #[test]
    fn an_event_is_new_once() {
        let mut cursor = Cursor::new(Timestamp(100_000));
        assert!(!cursor.can_prove() && cursor.since() == 99 * SECOND);
        assert!(cursor.take(mark(200, 1)) && cursor.take(mark(200, 2)) && cursor.take(mark(199, 3)));
        assert!(!cursor.take(mark(200, 1)) && !cursor.take(mark(199, 3)));
        assert_eq!((cursor.since(), cursor.last()), (199 * SECOND, Timestamp(200_000)));
        let stored = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&stored).unwrap(), cursor);
    }

    #[test]
    fn marks_are_bounded_and_reach_back_further_than_a_stream_begins() {
        let mut cursor = Cursor::new(Timestamp(0));
        assert!((0..5_000).all(|number| cursor.take(Mark(1_000 * SECOND + number * 1_000_000, number))));
        assert!(cursor.seen.len() <= MOST_MARKS);
        let again = cursor.since().max(cursor.newest - 255 * 1_000_000);
        assert!(
            (0..5_000)
                .filter(|n| 1_000 * SECOND + n * 1_000_000 >= again)
                .all(|n| { cursor.knows(&Mark(1_000 * SECOND + n * 1_000_000, n)) })
        );
        assert!(cursor.take(mark(9_000, 1)));
        assert_eq!(cursor.seen.len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let mut cursor = Cursor::new(Timestamp(0));
        assert!(cursor.take(mark(100_000, 1)) && cursor.take(mark(10, 2)) && !cursor.take(mark(10, 2)));
        assert_eq!(cursor.last(), Timestamp(10_000));
    }

    #[test]
    fn marks_differ_in_every_part() {
        let event = EngineEvent {
            status: "start".to_owned(),
            subject: "container".to_owned(),
            id: "a".to_owned(),
            attributes: Default::default(),
            time: Timestamp(1),
            nanos: 1_000_000,
        };
        let others = [
            EngineEvent { status: "stop".to_owned(), ..event.clone() },
            EngineEvent { subject: "image".to_owned(), ..event.clone() },
            EngineEvent { id: "b".to_owned(), ..event.clone() },
            EngineEvent { nanos: 1_000_001, ..event.clone() },
        ];
        assert_eq!(Mark::of(&event), Mark::of(&event.clone()));
        assert!(others.iter().all(|other| Mark::of(other) != Mark::of(&event)));
    }
}
