//! Coming back to a full screen with everything that has scrolled off it.

use crate::bed::Bed;
use crate::ours::{self, Ours};
use anyhow::Result;
use pierhead_bench::spread::Spread;
use std::time::Instant;

/// Two thousand lines in all colours, then nothing.
const PAINTER: [&str; 3] = [
    "sh",
    "-c",
    "i=0; while [ $i -lt 2000 ]; do printf '\\033[3%dm%04d \\033[1;4%dm%s\\033[0m %s\\n' $((i%8)) $i $(((i+3)%8)) \
     'some words of a line' 'and some more of them'; i=$((i+1)); done; echo painted; exec sleep 1000",
];

pub(crate) async fn measure(bed: &Bed, times: usize) -> Result<()> {
    let id = ours::open(bed, &PAINTER).await?;
    Ours::attach(bed, &id, None).await?.wait_for("painted").await?;
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        let mut ours = Ours::attach(bed, &id, None).await?;
        while ours.snapshots == 0 {
            ours.read().await?;
        }
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let spread = Spread::of(taken);
    println!(
        "coming back to 1,000 coloured lines, with the connection: p50 {:.1} ms, p99 {:.1} ms of {times}",
        spread.at(50),
        spread.at(99)
    );
    println!("Wanted: 100 ms.\n");
    ours::end(bed, &id).await
}
