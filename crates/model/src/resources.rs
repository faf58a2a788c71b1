//! Amounts of CPU and memory, in whole numbers so that a ledger of them never drifts.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign};

/// An amount of CPU and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu_millis: u64,
    /// Megabytes of 2^20 bytes.
    pub memory_mb: u64,
}

impl Resources {
    /// So many thousandths of a core and megabytes.
    #[must_use]
    pub fn new(cpu_millis: u64, memory_mb: u64) -> Self {
        Self { cpu_millis, memory_mb }
    }

    /// This amount less `other`, each part at least zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_sub(other.cpu_millis),
            memory_mb: self.memory_mb.saturating_sub(other.memory_mb),
        }
    }

    /// Whether both parts of this amount fit into `room`.
    #[must_use]
    pub fn fits(self, room: Self) -> bool {
        self.cpu_millis <= room.cpu_millis && self.memory_mb <= room.memory_mb
    }

    /// CPU in cores.
    #[must_use]
    pub fn cpus(self) -> f64 {
        self.cpu_millis as f64 / 1000.0
    }
}

impl Add for Resources {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { cpu_millis: self.cpu_millis + other.cpu_millis, memory_mb: self.memory_mb + other.memory_mb }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Resources {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_must_fit() {
        let room = Resources::new(500, 64);
        assert!(Resources::new(500, 64).fits(room));
        assert!(!Resources::new(501, 1).fits(room));
        assert!(!Resources::new(1, 65).fits(room));
    }

    #[test]
    fn sums_and_differences() {
        let sum: Resources = [Resources::new(1, 2), Resources::new(3, 4)].into_iter().sum();
        assert_eq!(sum, Resources::new(4, 6));
        assert_eq!(sum.saturating_sub(Resources::new(5, 1)), Resources::new(0, 5));
    }
}
