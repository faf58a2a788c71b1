//! Points of time at equal steps, so many of them and no more. Pure.

use super::packed::{Figures, Packed};
use std::collections::VecDeque;

/// For how many points room is made at once.
const MORE: usize = 60;

/// The newest points, one for each step of time.
#[derive(Debug)]
pub(super) struct Ring {
    step_ms: u64,
    most: usize,
    /// The number of the step of the newest point.
    newest: u64,
    points: VecDeque<Packed>,
}

impl Ring {
    pub(super) fn new(step_ms: u64, most: usize) -> Self {
        Self { step_ms, most, newest: 0, points: VecDeque::new() }
    }

    /// The number of the step that a moment is in.
    pub(super) fn step(&self, at_ms: u64) -> u64 {
        at_ms / self.step_ms
    }

    /// Sets the figures of a step. What is older than all that is kept is not kept.
    pub(super) fn put(&mut self, step: u64, figures: &Figures) {
        if self.points.is_empty() || step > self.newest.saturating_add(self.most as u64) {
            self.points.clear();
            self.newest = step;
            self.push(Packed::new(figures));
            return;
        }
        if step <= self.newest {
            let back = usize::try_from(self.newest - step).unwrap_or(usize::MAX);
            if let Some(at) = self.points.len().checked_sub(back.saturating_add(1)) {
                self.points[at] = Packed::new(figures);
            }
            return;
        }
        for _ in self.newest + 1..step {
            self.push(Packed::GAP);
        }
        self.push(Packed::new(figures));
        self.newest = step;
    }

    fn push(&mut self, point: Packed) {
        if self.points.len() == self.most {
            self.points.pop_front();
        } else if self.points.len() == self.points.capacity() {
            self.points.reserve_exact(MORE.min(self.most - self.points.len()));
        }
        self.points.push_back(point);
    }

    /// Gives up what is older than all that would be kept if there were points up to now.
    pub(super) fn forget_old(&mut self, now_ms: u64) {
        let now = self.step(now_ms);
        if self.newest.saturating_add(self.most as u64) <= now && self.points.capacity() > 0 {
            self.points = VecDeque::new();
        }
    }

    /// The points from a moment on, the oldest first, with the moment at which the step of each begins; gaps are left out.
    pub(super) fn points(&self, now_ms: u64, since_ms: u64) -> Vec<(u64, Figures)> {
        let first = (self.newest + 1).saturating_sub(self.points.len() as u64);
        let oldest = (self.step(now_ms) + 1).saturating_sub(self.most as u64);
        let numbered = (first..).zip(&self.points).filter(|(step, _)| *step >= oldest);
        let points = numbered.filter_map(|(step, point)| Some((step * self.step_ms, point.figures()?)));
        points.filter(|(at, _)| *at >= since_ms).collect()
    }

    /// Bytes that it holds beside itself.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.points.capacity() * size_of::<Packed>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn cpu(cpu_cores: f64) -> Figures {
        Figures { cpu_cores, ..Figures::default() }
    }

    fn steps(ring: &Ring, now_ms: u64) -> Vec<u64> {
        ring.points(now_ms, 0).into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn gaps_are_gaps() {
        let mut ring = Ring::new(1_000, 5);
        for step in [10, 11, 14] {
            ring.put(step, &cpu(1.0));
        }
        assert_eq!(steps(&ring, 14_900), [10_000, 11_000, 14_000]);
        assert_eq!(ring.points(14_900, 11_000).len(), 2, "from a moment on");
        ring.put(12, &cpu(2.0));
        assert_eq!(steps(&ring, 14_900), [10_000, 11_000, 12_000, 14_000], "what comes late has its place");
        ring.put(15, &cpu(1.0));
        assert_eq!(steps(&ring, 15_000), [11_000, 12_000, 14_000, 15_000]);
        ring.put(9, &cpu(1.0));
        assert_eq!(steps(&ring, 15_000).len(), 4, "what comes too late has none");
        assert_eq!(steps(&ring, 18_000), [14_000, 15_000], "what is too old is not told");
    }

    #[test]
    fn what_nobody_adds_to_is_given_up() {
        let mut ring = Ring::new(1_000, 300);
        for step in 0..1_000 {
            ring.put(step, &cpu(1.0));
        }
        assert_eq!(ring.points(999_000, 0).len(), 300);
        assert!((300 * 12..361 * 12).contains(&ring.bytes()), "{}", ring.bytes());
        ring.forget_old(1_298_000);
        assert_eq!(steps(&ring, 1_298_000), [999_000]);
        ring.forget_old(1_300_000);
        assert_eq!((steps(&ring, 1_300_000).len(), ring.bytes()), (0, 0));
        ring.put(5_000, &cpu(1.0));
        ring.put(5_000_000, &cpu(1.0));
        assert_eq!(steps(&ring, 5_000_000_000), [5_000_000_000]);
    }

    proptest! {
        #[test]
        fn it_keeps_what_a_map_would(puts in proptest::collection::vec((0u64..60, 1u8..9), 0..80)) {
            let (mut ring, mut map) = (Ring::new(10, 20), BTreeMap::new());
            let mut newest = 0;
            for (step, value) in puts {
                ring.put(step, &cpu(f64::from(1u32 << value)));
                newest = newest.max(step);
                map.insert(step, f64::from(1u32 << value));
                map.retain(|step, _| step + 20 > newest);
            }
            let kept: BTreeMap<u64, f64> =
                ring.points(newest * 10, 0).into_iter().map(|(at, figures)| (at / 10, figures.cpu_cores)).collect();
            prop_assert!(kept.iter().all(|(step, value)| map.get(step) == Some(value)), "{kept:?} {map:?}");
            // What came before the first point that is kept is lost, as if it had come too late.
            let first = kept.keys().next().copied().unwrap_or(0);
            prop_assert!(map.range(first..).eq(kept.iter()), "{kept:?} {map:?}");
        }
    }
}
