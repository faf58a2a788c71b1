//! A lot of output: to one viewer beside a bare connection, and to many.

use crate::bare::Bare;
use crate::bed::Bed;
use crate::ours::{self, Ours};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use pierhead_bench::machine::cpu_seconds;
use pierhead_bench::spread::Spread;
use std::time::Instant;

/// Prints the file once a key was typed, and ends.
const PRINT: [&str; 3] = ["sh", "-c", "stty -echo; echo ready; read x; exec cat /tmp/large"];
const KEY: &[u8] = b"\n";

/// What one run took.
struct Run {
    bytes: u64,
    seconds: f64,
    cpu: f64,
    snapshots: usize,
}

pub(crate) async fn measure(bed: &Bed, rounds: usize, megabytes: usize, viewers: usize) -> Result<()> {
    prepare(bed, megabytes).await?;
    let mut runs: [Vec<Run>; 3] = Default::default();
    for _ in 0..rounds {
        runs[0].push(bare(bed).await?);
        runs[1].push(ours(bed, 1).await?);
        runs[2].push(ours(bed, viewers).await?);
    }
    println!("cat of {megabytes} MB of lines, medians of {rounds} rounds");
    println!("{:<24} {:>10} {:>8} {:>12} {:>10}", "", "MB/s", "ratio", "CPU s", "snapshots");
    let median = |runs: &[Run], of: fn(&Run) -> f64| Spread::of(runs.iter().map(of)).median();
    let rate = |run: &Run| run.bytes as f64 / 1e6 / run.seconds;
    let base = median(&runs[0], rate);
    for (what, runs) in ["bare exec", "pierhead, 1 viewer", &format!("pierhead, {viewers} viewers")].iter().zip(&runs) {
        let (speed, cpu) = (median(runs, rate), median(runs, |run| run.cpu));
        let snapshots = median(runs, |run| run.snapshots as f64);
        println!("{what:<24} {speed:>10.1} {:>8.2} {cpu:>12.2} {snapshots:>10.0}", speed / base);
    }
    println!("Wanted: 0.8 of bare exec for one viewer. The driver gets every byte; others may get snapshots.\n");
    Ok(())
}

async fn prepare(bed: &Bed, megabytes: usize) -> Result<()> {
    // Each line has 64 bytes; doubling is quick.
    let lines = megabytes * 1_000_000 / 64;
    let script = format!(
        "stty -echo; seq -f '%063.0f' 1 1024 >/tmp/a 2>/dev/null || for i in $(seq 1 1024); do printf '%063d\\n' $i; \
         done >/tmp/a; n=1024; while [ $n -lt {lines} ]; do cat /tmp/a /tmp/a >/tmp/b; mv /tmp/b /tmp/a; n=$((n*2)); \
         done; head -n {lines} /tmp/a >/tmp/large; rm /tmp/a; echo made; sleep 1"
    );
    let mut made = Bare::open(bed, &["sh", "-c", &script]).await?;
    made.wait_for("made").await.context("the file could not be made")
}

async fn bare(bed: &Bed) -> Result<Run> {
    let mut bare = Bare::open(bed, &PRINT).await?;
    bare.wait_for("ready").await?;
    let (begun, cpu) = (Instant::now(), cpu_seconds()?);
    let bytes = bare.drain(KEY).await?;
    Ok(Run { bytes, seconds: begun.elapsed().as_secs_f64(), cpu: cpu_seconds()? - cpu, snapshots: 0 })
}

/// So many look, of whom one drives; it lasts until the driver has all.
async fn ours(bed: &Bed, viewers: usize) -> Result<Run> {
    let id = ours::open(bed, &PRINT).await?;
    let mut driver = Ours::attach(bed, &id, None).await?;
    driver.wait_for("ready").await?;
    let others = try_join_all((1..viewers).map(|_| Ours::attach(bed, &id, None))).await?;
    let others: Vec<_> = others
        .into_iter()
        .map(|mut other| tokio::spawn(async move { other.drain(b"").await.map(|_| other.snapshots) }))
        .collect();
    let before = driver.snapshots;
    let (begun, cpu) = (Instant::now(), cpu_seconds()?);
    let bytes = driver.drain(KEY).await?;
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    ensure!(driver.snapshots == before, "the driver has lost bytes");
    let mut snapshots = 0;
    for other in others {
        snapshots += other.await??;
    }
    Ok(Run { bytes, seconds, cpu, snapshots })
}
