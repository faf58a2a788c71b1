//! The table: each row the same thing both ways.

use pierhead_bench::machine::load;
use pierhead_bench::spread::Spread;

/// What was measured one way in one round: the time that counts, and the machine's CPU time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// In the unit of the row; less is better.
    pub took: f64,
    /// The CPU seconds of the whole machine.
    pub cpu: f64,
}

pub(crate) struct Report;

impl Report {
    pub fn begin() -> Self {
        println!("load at the beginning {}\n", load());
        println!(
            "{:<34} {:>11} {:>11} {:>7} {:>11} {:>11} {:>7}",
            "median of the rounds", "direct", "tunnel", "ratio", "CPU direct", "CPU tunnel", "ratio"
        );
        Self
    }

    /// A row of times; of them also another figure, such as a rate.
    pub fn row(&mut self, what: &str, direct: &[Sample], tunnel: &[Sample], shown: impl Fn(f64) -> String) {
        let of = |samples: &[Sample], which: fn(&Sample) -> f64| Spread::of(samples.iter().map(which)).median();
        let (near, far) = (of(direct, |sample| sample.took), of(tunnel, |sample| sample.took));
        let (near_cpu, far_cpu) = (of(direct, |sample| sample.cpu), of(tunnel, |sample| sample.cpu));
        println!(
            "{what:<34} {:>11} {:>11} {:>7.2} {near_cpu:>11.3} {far_cpu:>11.3} {:>7.2}",
            shown(near),
            shown(far),
            far / near,
            far_cpu / near_cpu
        );
    }

    pub fn note(&mut self, text: &str) {
        println!("{text}");
    }

    pub fn end(self) {
        println!("\nWanted: 1.1 times the direct way's time at most. Load at the end {}", load());
    }
}
