//! Many sockets: what one that only looks costs, and whether thousands of them make anything grow or slow.

use crate::bed::Bed;
use crate::echo::LISTENER;
use crate::ours::{self, Ours};
use anyhow::Result;
use pierhead_bench::machine::status_of;
use pierhead_bench::spread::Spread;
use std::time::{Duration, Instant};

/// Over how many terminals a crowd is spread.
const TERMINALS: usize = 100;
/// How often a key is typed in each terminal.
const PAUSE: Duration = Duration::from_secs(1);
/// When everything has its final size.
const SETTLED: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(2);

/// The memory of the processes between the engine and the viewers, in kB, and how many files they have open.
fn used(bed: &Bed) -> Result<(f64, usize)> {
    let mut pids = vec![bed.controller, bed.pid];
    pids.dedup();
    let (mut memory, mut files) = (0.0, 0);
    for pid in pids {
        memory += status_of(pid, "RssAnon")?;
        files += std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    }
    Ok((memory, files))
}

pub(crate) async fn idle(bed: &Bed, viewers: usize) -> Result<()> {
    let id = ours::open(bed, &LISTENER).await?;
    let mut driver = Ours::attach(bed, &id, None).await?;
    driver.wait_for("ready").await?;
    tokio::time::sleep(REST).await;
    let (before, _) = used(bed)?;
    let mut there = Vec::with_capacity(viewers);
    for _ in 0..viewers {
        there.push(Ours::attach(bed, &id, None).await?);
        driver.look_for(Duration::from_millis(1)).await;
    }
    for viewer in &mut there {
        viewer.look_for(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(REST).await;
    let (after, _) = used(bed)?;
    println!("memory of an idle viewer, of {viewers}: {:.1} kB", (after - before) / viewers as f64);
    println!("Wanted: 300 kB at most.\n");
    drop(there);
    ours::end(bed, &id).await
}

pub(crate) async fn measure(bed: &Bed, sockets: usize, seconds: u64) -> Result<()> {
    let terminals = TERMINALS.min(sockets / 4).max(1);
    let (_, files_before) = used(bed)?;
    let (mut ids, mut drivers, mut lookers) = (Vec::new(), Vec::new(), Vec::new());
    let until = Instant::now() + Duration::from_secs(seconds) + Duration::from_secs(5);
    for _ in 0..terminals {
        let id = ours::open(bed, &LISTENER).await?;
        let mut driver = Ours::attach(bed, &id, None).await?;
        driver.wait_for("ready").await?;
        for _ in 1..sockets / terminals {
            lookers.push(tokio::spawn(Ours::attach(bed, &id, None).await?.look()));
        }
        drivers.push(tokio::spawn(type_until(driver, until)));
        ids.push(id);
    }
    let begun = Instant::now();
    let settled = SETTLED.min(Duration::from_secs(seconds) / 3);
    tokio::time::sleep(settled).await;
    let (memory, files) = used(bed)?;
    tokio::time::sleep(Duration::from_secs(seconds).saturating_sub(settled)).await;
    let (memory_after, files_after) = used(bed)?;
    let watched = begun.elapsed().as_secs();
    let mut times = Vec::new();
    for driver in drivers {
        times.extend(driver.await??);
    }
    let spread = Spread::of(times);
    println!(
        "{} sockets over {terminals} terminals for {watched} s, a key each second in each terminal",
        lookers.len() + terminals
    );
    println!("echo: p50 {:.2} ms, p99 {:.2} ms of {}", spread.at(50), spread.at(99), spread.count());
    println!(
        "after {} s {:.1} MB and {files} files, at the end {:.1} MB and {files_after} files",
        settled.as_secs(),
        memory / 1024.0,
        memory_after / 1024.0
    );
    println!("Wanted: p99 of 50 ms, and no growth.\n");
    for looker in &lookers {
        looker.abort();
    }
    for id in &ids {
        ours::end(bed, id).await?;
    }
    tokio::time::sleep(REST).await;
    let (_, files_left) = used(bed)?;
    println!("files before {files_before}, when all have gone {files_left}\n");
    Ok(())
}

async fn type_until(mut driver: Ours, until: Instant) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    while Instant::now() < until {
        times.push(driver.key().await?.as_secs_f64() * 1000.0);
        driver.look_for(PAUSE).await;
    }
    Ok(times)
}
