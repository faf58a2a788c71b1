//! Figures of one moment in twelve bytes: each on a scale of logarithms, 0.04 % exact. Pure.

/// What something uses at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Cores.
    pub cpu_cores: f64,
    /// Memory in bytes, without the page cache that can be given back.
    pub memory_bytes: f64,
    /// Bytes that come in over its networks in a second.
    pub rx_bytes_s: f64,
    /// Bytes that go out over its networks in a second.
    pub tx_bytes_s: f64,
    /// Bytes that are read from block devices in a second.
    pub read_bytes_s: f64,
    /// Bytes that are written to block devices in a second.
    pub write_bytes_s: f64,
}

impl Figures {
    /// The same as six numbers.
    fn as_array(&self) -> [f64; 6] {
        [self.cpu_cores, self.memory_bytes, self.rx_bytes_s, self.tx_bytes_s, self.read_bytes_s, self.write_bytes_s]
    }

    fn from_array(all: [f64; 6]) -> Self {
        let [cpu_cores, memory_bytes, rx_bytes_s, tx_bytes_s, read_bytes_s, write_bytes_s] = all;
        Self { cpu_cores, memory_bytes, rx_bytes_s, tx_bytes_s, read_bytes_s, write_bytes_s }
    }

    /// What both use together.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (one, two) = (self.as_array(), other.as_array());
        Self::from_array(std::array::from_fn(|at| one[at] + two[at]))
    }

    /// A share of it.
    pub(super) fn times(&self, factor: f64) -> Self {
        Self::from_array(self.as_array().map(|figure| figure * factor))
    }
}

/// Figures as they are kept, or that there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed([u16; 6]);

/// Steps of the scale for a factor of two.
const STEPS: f64 = 1024.0;
/// The least power of two on the scale; it ends 64 powers higher.
const LEAST: f64 = -20.0;
/// Stands for no figures at all.
const NONE: u16 = u16::MAX;

impl Packed {
    pub(super) const GAP: Self = Self([NONE; 6]);

    pub(super) fn new(figures: &Figures) -> Self {
        Self(figures.as_array().map(pack))
    }

    /// The figures; `None` for a gap.
    pub(super) fn figures(self) -> Option<Figures> {
        (self != Self::GAP).then(|| Figures::from_array(self.0.map(unpack)))
    }
}

fn pack(figure: f64) -> u16 {
    if figure.is_nan() || figure <= 0.0 {
        return 0;
    }
    let step = ((figure.log2() - LEAST) * STEPS).round() + 1.0;
    // In range by the clamp.
    step.clamp(1.0, f64::from(NONE - 1)) as u16
}

fn unpack(step: u16) -> f64 {
    if step == 0 { 0.0 } else { ((f64::from(step) - 1.0) / STEPS + LEAST).exp2() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_is_nothing_else() {
        assert_eq!(Packed::GAP.figures(), None);
        assert_eq!(Packed::new(&Figures::default()).figures(), Some(Figures::default()));
        let most = Figures { cpu_cores: f64::INFINITY, memory_bytes: 1e300, ..Figures::default() };
        assert!(Packed::new(&most).figures().unwrap().memory_bytes > 1e13);
        let odd = Figures { cpu_cores: f64::NAN, memory_bytes: -7.0, rx_bytes_s: 1e-300, ..Figures::default() };
        let odd = Packed::new(&odd).figures().unwrap();
        assert!(odd.cpu_cores == 0.0 && odd.memory_bytes == 0.0 && odd.rx_bytes_s < 1e-5, "{odd:?}");
        assert_eq!(size_of::<Packed>(), 12);
    }

    proptest! {
        #[test]
        fn figures_are_kept_to_four_hundredths_of_a_percent(exponent in -19.0f64..43.0, at in 0usize..6) {
            let value = exponent.exp2();
            let mut all = [0.0; 6];
            all[at] = value;
            let kept = Packed::new(&Figures::from_array(all)).figures().unwrap().as_array();
            prop_assert!((kept[at] / value - 1.0).abs() < 0.000_4, "{value} became {}", kept[at]);
            prop_assert_eq!(kept.iter().filter(|figure| **figure != 0.0).count(), 1);
        }
    }
}
