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
/// Enough for 64 times the logarithm of any size.
const LOGARITHM_BITS: u32 = 12;

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

    /// A number that is close for sizes that are close in both CPU and memory, in proportion: logarithms with their
    /// bits interleaved (a Z-order curve).
    pub(crate) fn neighbourhood(self) -> u32 {
        let (cpu, memory) = (coarse_logarithm(self.cpu), coarse_logarithm(self.memory));
        (0..LOGARITHM_BITS)
            .fold(0, |woven, bit| woven | (cpu >> bit & 1) << (2 * bit + 1) | (memory >> bit & 1) << (2 * bit))
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
        as_float(free) / as_float(area * THOUSANDTHS)
    }

    /// The most by which a score can be off through rounding, many times over.
    pub(crate) fn rounding(self) -> f64 {
        (self.cpu + self.memory) as f64 * 1e-15
    }

    /// How much each unit of CPU and memory lowers the score of a host of this size, but for rounding.
    pub(crate) fn unit_costs(self, size: Size) -> UnitCosts {
        let part = |weight: u128, size: u64| weight as f64 / (size as f64 * THOUSANDTHS as f64);
        UnitCosts { per_cpu_milli: part(self.cpu, size.cpu), per_memory_mb: part(self.memory, size.memory) }
    }
}

/// The logarithm to base 2, times 64, read off the highest bits. `amount` is at least 1.
fn coarse_logarithm(amount: u64) -> u32 {
    let whole = amount.ilog2();
    let fraction = (u128::from(amount) << 6 >> whole) as u32 & 63;
    whole << 6 | fraction
}

/// The same as a plain conversion, but fast for what is not absurdly large.
fn as_float(amount: u128) -> f64 {
    u64::try_from(amount).map_or(amount as f64, |small| small as f64)
}

/// What a unit of each kind costs in points of the score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnitCosts {
    per_cpu_milli: f64,
    per_memory_mb: f64,
}

impl UnitCosts {
    pub(crate) fn of(self, amount: Resources) -> f64 {
        let count = |amount: u64| amount.min(LARGEST) as f64;
        count(amount.cpu_millis) * self.per_cpu_milli + count(amount.memory_mb) * self.per_memory_mb
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn plain(total: Resources, reserved: Resources, requested: Resources) -> f64 {
        let free = |total: u64, used: u64| 1.0 - used as f64 / total as f64;
        65.0 * free(total.cpu_millis, reserved.cpu_millis + requested.cpu_millis)
            + 35.0 * free(total.memory_mb, reserved.memory_mb + requested.memory_mb)
    }

    fn amount(most: u64) -> impl Strategy<Value = Resources> {
        (0..=most, 0..=most).prop_map(|(cpu, memory)| Resources::new(cpu, memory))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, rng_seed: RngSeed::Fixed(2), ..ProptestConfig::default()
        })]

        #[test]
        fn the_score_is_the_formula(total in (2000..2_000_000_u64, 2000..2_000_000_u64),
                                    reserved in amount(1000), requested in amount(1000)) {
            let total = Resources::new(total.0, total.1);
            let score = Weights::of(&PlacementPolicy::default()).score(total, reserved, requested);
            prop_assert!((score - plain(total, reserved, requested)).abs() < 1e-9);
        }

        #[test]
        fn the_cost_on_the_larger_size_promises_at_least_the_score(
            small in (2000..2_000_000_u64, 2000..2_000_000_u64), larger in amount(1_000_000),
            reserved in amount(1000), requested in amount(1000)
        ) {
            let weights = Weights::of(&PlacementPolicy::default());
            let total = Resources::new(small.0, small.1);
            let base = weights.score(total, reserved, Resources::default());
            let costs = weights.unit_costs(Size::of(total + larger));
            let score = weights.score(total, reserved, requested);
            prop_assert!(base - costs.of(requested) + weights.rounding() >= score);
        }

        #[test]
        fn more_load_never_has_a_higher_score(size in amount(u64::MAX), load in 0..1_u128 << 100, more in 0..1_u128 << 90) {
            let weights = Weights::of(&PlacementPolicy::default());
            let size = Size::of(size);
            prop_assert!(weights.score_of_load(size, load + more) <= weights.score_of_load(size, load));
        }

        #[test]
        fn conversions_are_the_plain_ones(amount in prop_oneof![any::<u128>(), (0..u128::from(u64::MAX) * 2)]) {
            prop_assert_eq!(as_float(amount), amount as f64);
        }
    }

    #[test]
    fn logarithms_rise_with_what_they_are_of() {
        let amounts = [1, 2, 3, 64, 65, 1000, 1024, 1_000_000, LARGEST];
        let logarithms = amounts.map(coarse_logarithm);
        assert!(logarithms.is_sorted_by(|a, b| a < b), "{logarithms:?}");
        assert_eq!((logarithms[0], logarithms[1], logarithms[8]), (0, 64, 44 * 64));
        assert!(logarithms[8] < 1 << LOGARITHM_BITS);
    }

    #[test]
    fn near_sizes_are_neighbours() {
        let at = |cpu, memory| Size::of(Resources::new(cpu, memory)).neighbourhood();
        let (host, near, far) = (at(16_000, 65_400), at(16_000, 65_410), at(16_000, 30_000));
        assert_eq!(host, near);
        assert!(host.abs_diff(at(16_000, 60_000)) < host.abs_diff(far));
        assert!(host.abs_diff(far) < host.abs_diff(at(1000, 1000)));
    }
}
