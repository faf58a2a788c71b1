//! What came of several logs, held back for a moment so that it goes out in the order in which it was written. Pure.

use super::AppLogPiece;
use super::lines::in_order;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// More bytes than this are not held back.
const MOST_BYTES: usize = 256 * 1024;
/// What each piece takes beside its text, about.
const EACH: usize = 128;

/// A piece that waits.
#[derive(Debug)]
struct Held {
    /// When it was written, by the clock of its host.
    at: String,
    came: Instant,
    piece: AppLogPiece,
}

/// Pieces of several logs. Those of one log stay in their order.
#[derive(Debug)]
pub(super) struct Order<K> {
    queues: BTreeMap<K, VecDeque<Held>>,
    /// How long a piece waits for older ones of other logs.
    patience: Duration,
    bytes: usize,
}

impl<K: Ord + Clone> Order<K> {
    pub(super) fn new(patience: Duration) -> Self {
        Self { queues: BTreeMap::new(), patience, bytes: 0 }
    }

    /// Something came of a log; without a moment it belongs to what came before it.
    pub(super) fn push(&mut self, log: &K, at: String, piece: AppLogPiece, now: Instant) {
        self.bytes += size(&piece);
        let queue = self.queues.entry(log.clone()).or_default();
        let at = if at.is_empty() { queue.back().map(|last| last.at.clone()).unwrap_or_default() } else { at };
        queue.push_back(Held { at, came: now, piece });
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// The oldest piece, if nothing older can be expected of the `open` logs or it has waited for long enough.
    pub(super) fn pop(&mut self, open: usize, now: Instant) -> Option<AppLogPiece> {
        let is_due = self.due().is_some_and(|due| due <= now);
        if self.queues.len() < open && !self.is_full() && !is_due {
            return None;
        }
        let oldest = |queue: &VecDeque<Held>| queue.front().map(|held| in_order(&held.at).to_owned());
        let (log, _) = self.queues.iter().min_by_key(|(_, queue)| oldest(queue))?;
        let log = log.clone();
        let queue = self.queues.get_mut(&log)?;
        let held = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&log);
        }
        self.bytes -= size(&held.piece);
        Some(held.piece)
    }

    /// When the piece that waits longest has waited for long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.queues.values().filter_map(|queue| queue.front()).map(|held| held.came + self.patience).min()
    }
}

fn size(piece: &AppLogPiece) -> usize {
    EACH + match piece {
        AppLogPiece::Line { text, .. } => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(100);

    fn line(text: &str) -> AppLogPiece {
        AppLogPiece::Line { container: "web.0.1".to_owned(), at: String::new(), text: text.as_bytes().to_vec() }
    }

    fn all(order: &mut Order<u8>, open: usize, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| order.pop(open, now))
            .map(|piece| match piece {
                AppLogPiece::Line { text, .. } => String::from_utf8(text).unwrap(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn the_oldest_goes_first_as_long_as_every_log_has_something() {
        let (mut order, now) = (Order::new(PATIENCE), Instant::now());
        for (log, at, text) in [(1, "5", "a"), (1, "7", "c"), (2, "6", "b"), (2, "9", "d")] {
            order.push(&log, at.to_owned(), line(text), now);
        }
        assert_eq!(all(&mut order, 2, now), ["a", "b", "c"], "of the first log something older than d may come");
        order.push(&1, "8".to_owned(), line("late"), now);
        assert_eq!(all(&mut order, 2, now), ["late"]);
        assert_eq!(all(&mut order, 1, now), ["d"], "the first log has ended");
        assert!(order.is_empty() && order.bytes == 0);
    }

    #[test]
    fn nothing_waits_for_ever() {
        let (mut order, now) = (Order::new(PATIENCE), Instant::now());
        order.push(&1, "5".to_owned(), line("a"), now);
        assert_eq!(order.due(), Some(now + PATIENCE));
        assert_eq!(all(&mut order, 2, now), [""; 0]);
        assert_eq!(all(&mut order, 2, now + PATIENCE), ["a"]);
    }

    #[test]
    fn what_has_no_moment_stays_behind_what_came_before_it() {
        let (mut order, now) = (Order::new(PATIENCE), Instant::now());
        order.push(&1, "5".to_owned(), line("a"), now);
        order.push(&1, String::new(), line("of a"), now);
        order.push(&2, "4".to_owned(), line("first"), now);
        assert_eq!(all(&mut order, 0, now), ["first", "a", "of a"]);
    }

    #[test]
    fn only_so_much_is_held() {
        let (mut order, now) = (Order::new(PATIENCE), Instant::now());
        let mut count = 0;
        while !order.is_full() {
            order.push(&1, "5".to_owned(), line(&"x".repeat(10_000)), now);
            count += 1;
        }
        assert!(count < 30);
        assert!(order.pop(2, now).is_some(), "it need not wait for the other log");
        assert!(!order.is_full());
    }
}
