//! The score of a host: how much of it would still be free, CPU and memory weighed against each other.
//!
//! It is worked out in whole numbers and divided once at the end. So hosts that are equally good have equal scores to
//! the last bit, and of two hosts of one size the one with less load never has the lower score: the index relies on it.

use crate::PlacementPolicy;
use pierhead_model::Resources;

/// Sizes beyond this, far from any real host, count as this, so that no product overflows.
const LARGEST: u64 = 1 << 44;
const LARGEST_WEIGHT: u128 = 1 << 36;
const THOUSANDTHS: u128 = 1000;

/// The weights of a policy, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights {
    cpu: u128,
    memory: u128,
}

/// A host's size, ready for division: never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size {
    cpu: u64,
    memory: u64,
}

impl Size {
    pub(crate) fn of(total: Resources) -> Self {
        Self { cpu: total.cpu_millis.clamp(1, LARGEST), memory: total.memory_mb.clamp(1, LARGEST) }
    }

    pub(crate) fn max_of_each(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }

    fn area(self) -> u128 {
        u128::from(self.cpu) * u128::from(self.memory)
    }
}

impl Weights {
    pub(crate) fn of(policy: &PlacementPolicy) -> Self {
        // A float that is negative or not a number becomes 0.
        let part = |weight: f64| ((weight * THOUSANDTHS as f64).round() as u128).min(LARGEST_WEIGHT);
        Self { cpu: part(policy.cpu_weight), memory: part(policy.memory_weight) }
    }

    /// The score of a host of the size `total` with `reserved` and then `requested` on it.
    pub(crate) fn score(self, total: Resources, reserved: Resources, requested: Resources) -> f64 {
        let size = Size::of(total);
        self.score_of_load(size, self.base_load(total, reserved) + self.load(size, requested))
    }

    /// What CPU and memory each add to that score.
    pub(crate) fn parts(self, total: Resources, reserved: Resources, requested: Resources) -> (f64, f64) {
        let cpu_only = Self { memory: 0, ..self };
        let memory_only = Self { cpu: 0, ..self };
        (cpu_only.score(total, reserved, requested), memory_only.score(total, reserved, requested))
    }

    /// The load of what is reserved already. Of a kind that the host has nothing of, all counts as used.
    pub(crate) fn base_load(self, total: Resources, reserved: Resources) -> u128 {
        let used = |total: u64, reserved: u64| if total == 0 { 1 } else { reserved.min(total) };
        let used =
            Resources::new(used(total.cpu_millis, reserved.cpu_millis), used(total.memory_mb, reserved.memory_mb));
        self.load(Size::of(total), used)
    }

    /// What an amount adds to the load of a host of this size: loads of one size can be added and compared.
    pub(crate) fn load(self, size: Size, amount: Resources) -> u128 {
        let part = |amount: u64| u128::from(amount.min(LARGEST));
        let cpu = self.cpu * part(amount.cpu_millis) * u128::from(size.memory);
        cpu + self.memory * part(amount.memory_mb) * u128::from(size.cpu)
    }

    /// The score at a load; never rises as the load does.
    pub(crate) fn score_of_load(self, size: Size, load: u128) -> f64 {
        let area = size.area();
        let free = ((self.cpu + self.memory) * area).saturating_sub(load);
        free as f64 / (area * THOUSANDTHS) as f64
    }

    /// The most by which a score can be off through rounding, many times over.
    pub(crate) fn rounding(self) -> f64 {
        (self.cpu + self.memory) as f64 * 1e-15
    }

    /// How much an amount lowers the score of a host of this size, but for rounding.
    pub(crate) fn cost(self, size: Size, amount: Resources) -> f64 {
        self.load(size, amount) as f64 / (size.area() * THOUSANDTHS) as f64
    }
}
