//! How much is on its way to a viewer, and how much may be.

use pierhead_model::Timestamp;

/// The least that may be on its way, in bytes.
const WINDOW: u64 = 256 * 1024;
/// The most.
const LARGEST_WINDOW: u64 = 1024 * 1024;
/// By how much each millisecond of the way there and back enlarges it: the largest at 100 ms.
const PER_MS: u64 = (LARGEST_WINDOW - WINDOW) / 100;
/// A viewer that has shown nothing for so long no longer holds up what is printed, in milliseconds.
pub(super) const STALLED_MS: u64 = 15_000;

/// What was sent to a viewer and what it has shown of that.
#[derive(Debug)]
pub(super) struct Flow {
    /// All before this was shown.
    shown: u64,
    /// Where the viewer was put by a snapshot; what was sent before counts in `before`.
    base: u64,
    before: u64,
    /// The time of the way there and back with the showing, as short as it was lately.
    round_trip_ms: u64,
    /// An offset that was sent and not yet shown, and when.
    probe: Option<(u64, Timestamp)>,
    progress: Timestamp,
}

impl Flow {
    /// A viewer that has all before an offset.
    pub(super) fn new(from: u64, now: Timestamp) -> Self {
        Self { shown: from, base: from, before: 0, round_trip_ms: 0, probe: None, progress: now }
    }

    /// How many bytes may be on their way.
    pub(super) fn window(&self) -> u64 {
        (WINDOW + PER_MS * self.round_trip_ms).min(LARGEST_WINDOW)
    }

    /// How many are, if all before `next` was sent.
    pub(super) fn in_flight(&self, next: u64) -> u64 {
        self.before + next.saturating_sub(self.shown.max(self.base))
    }

    /// All before this was shown, or is stood for by a snapshot.
    pub(super) fn shown(&self) -> u64 {
        self.shown.max(self.base)
    }

    /// Whether it shows nothing although there is something.
    pub(super) fn is_stalled(&self, now: Timestamp) -> bool {
        now.since(self.progress) >= STALLED_MS
    }

    /// When it will count as stalled if it shows nothing until then.
    pub(super) fn stalls_at(&self) -> Timestamp {
        self.progress.plus(STALLED_MS)
    }

    /// Output is sent, up to `next`.
    pub(super) fn sent(&mut self, before: u64, next: u64, now: Timestamp) {
        if self.in_flight(before) == 0 {
            self.progress = now;
        }
        self.probe.get_or_insert((next, now));
    }

    /// A snapshot is sent that stands for all before `to`.
    pub(super) fn jumped(&mut self, next: u64, to: u64, length: usize) {
        // Whoever says what it has shown only after some output must be able to get that.
        self.before = (self.in_flight(next) + length as u64).min(WINDOW / 2);
        self.base = to;
        self.probe = None;
    }

    /// The viewer says that it has shown all before an offset.
    pub(super) fn acknowledged(&mut self, offset: u64, next: u64, now: Timestamp) {
        let offset = offset.min(next);
        if offset >= self.base {
            self.before = 0;
        }
        if offset > self.shown {
            self.shown = offset;
            self.progress = now;
        }
        if let Some((_, at)) = self.probe.filter(|(probe, _)| offset >= *probe) {
            self.probe = None;
            // The shortest counts, or a slow screen would look like a long way.
            let longer = self.round_trip_ms + self.round_trip_ms / 8 + 1;
            let measured = now.since(at);
            self.round_trip_ms = if self.round_trip_ms == 0 { measured } else { measured.min(longer) };
        }
    }

    /// It counts again from now on.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.progress = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_with_the_way_and_has_bounds() {
        let mut flow = Flow::new(0, Timestamp(0));
        assert_eq!(flow.window(), WINDOW);
        for (way, least, most) in
            [(100, LARGEST_WINDOW - PER_MS, LARGEST_WINDOW), (100_000, LARGEST_WINDOW, LARGEST_WINDOW)]
        {
            for round in 1..200 {
                let now = Timestamp(round * 1_000_000);
                flow.sent(round - 1, round, now);
                flow.acknowledged(round, round, now.plus(way));
            }
            assert!((least..=most).contains(&flow.window()), "{way}: {}", flow.window());
        }
        flow.sent(999, 1000, Timestamp(1 << 40));
        flow.acknowledged(1000, 1000, Timestamp(1 << 40));
        assert_eq!(flow.window(), WINDOW, "one short way is enough");
    }

    #[test]
    fn what_was_shown_is_not_on_its_way_any_more() {
        let mut flow = Flow::new(10, Timestamp(0));
        flow.sent(10, 110, Timestamp(0));
        assert_eq!(flow.in_flight(110), 100);
        flow.acknowledged(60, 110, Timestamp(5));
        assert_eq!(flow.in_flight(110), 50);
        flow.acknowledged(1_000_000, 110, Timestamp(5));
        assert_eq!(flow.in_flight(110), 0, "what was not sent can't have been shown");
    }

    #[test]
    fn a_snapshot_is_on_its_way_until_something_after_it_is_shown() {
        let mut flow = Flow::new(0, Timestamp(0));
        flow.sent(0, 100, Timestamp(0));
        flow.jumped(100, 10_000, 50);
        assert_eq!(flow.in_flight(10_000), 150);
        flow.acknowledged(100, 10_000, Timestamp(1));
        assert_eq!(flow.in_flight(10_000), 150);
        flow.acknowledged(10_000, 10_000, Timestamp(1));
        assert_eq!(flow.in_flight(10_000), 0);
        flow.jumped(10_000, 20_000, 5_000_000);
        assert!(flow.in_flight(20_000) < flow.window(), "however large, there is room after it");
    }

    #[test]
    fn it_stalls_only_while_something_is_on_its_way() {
        let mut flow = Flow::new(0, Timestamp(0));
        flow.sent(0, 100, Timestamp(60_000));
        assert!(!flow.is_stalled(Timestamp(60_000 + STALLED_MS - 1)));
        assert!(flow.is_stalled(Timestamp(60_000 + STALLED_MS)));
        flow.acknowledged(50, 100, Timestamp(80_000));
        assert!(!flow.is_stalled(Timestamp(80_001)));
    }
}
