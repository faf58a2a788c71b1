//! How figures of one kind are spread: what of them says so.

/// Figures of one kind.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    /// Of these figures, in any order; those that are no numbers are left out.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().filter(|figure| !figure.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The smallest one that so many per cent do not exceed; NaN if there are none.
    pub fn at(&self, per_cent: usize) -> f64 {
        let rank = (self.sorted.len() * per_cent).div_ceil(100).max(1);
        self.sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// The middle one, or the mean of the middle two.
    pub fn median(&self) -> f64 {
        crate::median(&self.sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(figure: f64, expected: f64) -> bool {
        (figure - expected).abs() < f64::EPSILON
    }

    #[test]
    fn a_percentile_is_one_of_the_figures() {
        let spread = Spread::of((1..=20).rev().map(f64::from));
        assert!(
            is(spread.at(50), 10.0) && is(spread.at(95), 19.0) && is(spread.at(99), 20.0) && is(spread.at(100), 20.0)
        );
        assert!(is(spread.at(0), 1.0) && is(spread.median(), 10.5));
    }

    #[test]
    fn of_one_figure_all_are_it_and_of_none_nothing_is_said() {
        let one = Spread::of([3.0, f64::NAN]);
        assert!(one.count() == 1 && [0, 50, 99].into_iter().all(|per_cent| is(one.at(per_cent), 3.0)));
        assert!(Spread::default().at(50).is_nan() && Spread::of([]).median().is_nan());
    }
}
