//! Deployment of many containers on real Docker hosts: Pierhead beside the engines' own API at its best concurrency,
//! and beside one after another, in turn, on the same hosts.
//!
//! "Done" is when the engines' own lists say running. CPU time is the whole machine's, for both: engines, runtimes,
//! kernel and whoever asks.

mod pool;
mod raw;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use pierhead_bench::median;
use pool::Pool;
use serde::Serialize;
use std::time::Instant;

/// Containers per second over real hosts, beside the engines' own API.
#[derive(Debug, Parser)]
struct Options {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How many containers each deployment has.
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// How many hosts.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// How many rounds of each are counted, after one that is not.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Use no network of their own, which takes most of a start's CPU.
    #[arg(long)]
    no_network: bool,
    /// How many are started one after another; they are slow.
    #[arg(long, default_value_t = 20)]
    serial: usize,
    /// Compares with a pool whose records are in an etcd cluster of so many members, and with nothing else.
    #[arg(long, value_name = "MEMBERS")]
    etcd: Option<usize>,
}

/// The figures of one way to deploy: medians over the rounds.
#[derive(Debug, Serialize)]
struct Figures {
    way: String,
    containers_per_second: f64,
    cpu_seconds_per_container: f64,
    /// The least and the most containers per second of any round.
    spread: (f64, f64),
}

/// One deployment.
struct Sample {
    rate: f64,
    cpu: f64,
}

/// How many requests the engines' own API is sent at the same time, to find which serves best.
const CONCURRENCIES: [usize; 4] = [6, 9, 12, 24];

fn main() -> Result<()> {
    let options = Options::parse();
    let pool = Pool::up(options.hosts, 0)?;
    if let Some(members) = options.etcd {
        let result = beside_etcd(&options, &pool, members);
        pool.down()?;
        return result;
    }
    let result = measure(&options, &pool);
    pool.down()?;
    let (figures, controller_cpu, best) = result?;
    print(&options, &figures)?;
    if options.json {
        return Ok(());
    }
    let ratio = |of: usize, to: usize| figures[of].containers_per_second / figures[to].containers_per_second;
    println!("\nPierhead beside the raw API with {best} requests at once: {:.2} of its rate", ratio(0, 1));
    println!("Pierhead beside one after another: {:.2} times its rate", ratio(0, 2));
    println!("The controller's own part: {controller_cpu:.4} CPU-s per container");
    Ok(())
}

/// Two pools of the same program, one with its records in etcd, in turn.
fn beside_etcd(options: &Options, embedded: &Pool, members: usize) -> Result<()> {
    let pool = Pool::up(options.hosts, members)?;
    let result: Result<Vec<Figures>> = (|| {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..=options.rounds {
            let (one, other) = (deploy(options, embedded)?, deploy(options, &pool)?);
            // The first warms the machine up.
            if round > 0 {
                ours.push(one);
                theirs.push(other);
            }
        }
        Ok(vec![summary("embedded store", &ours), summary(&format!("etcd, {members} members"), &theirs)])
    })();
    pool.down()?;
    let figures = result?;
    print(options, &figures)?;
    if !options.json {
        let ratio = figures[1].containers_per_second / figures[0].containers_per_second;
        println!("\nOn etcd: {ratio:.2} of the embedded store's rate. Wanted: 0.9.");
    }
    Ok(())
}

fn print(options: &Options, figures: &[Figures]) -> Result<()> {
    if options.json {
        println!("{}", serde_json::to_string_pretty(figures)?);
        return Ok(());
    }
    println!("{} containers over {} hosts, {} rounds in turn\n", options.count, options.hosts, options.rounds);
    println!("{:<40} {:>12} {:>18} {:>20}", "", "containers/s", "least .. most", "CPU-s per container");
    for row in figures {
        let spread = format!("{:.1} .. {:.1}", row.spread.0, row.spread.1);
        println!(
            "{:<40} {:>12.2} {:>18} {:>20.3}",
            row.way, row.containers_per_second, spread, row.cpu_seconds_per_container
        );
    }
    Ok(())
}

fn measure(options: &Options, pool: &Pool) -> Result<(Vec<Figures>, f64, usize)> {
    let best = best_concurrency(options, pool)?;
    deploy(options, pool)?;
    let (mut ours, mut parallel, mut serial) = (Vec::new(), Vec::new(), Vec::new());
    let mut controller = Vec::new();
    for _ in 0..options.rounds {
        parallel.push(raw_round(options, pool, best, options.count)?);
        let before = pool.controller_cpu()?;
        ours.push(deploy(options, pool)?);
        controller.push((pool.controller_cpu()? - before) / options.count as f64);
        parallel.push(raw_round(options, pool, best, options.count)?);
        serial.push(raw_round(options, pool, 1, options.serial)?);
    }
    let figures = vec![
        summary("Pierhead", &ours),
        summary(&format!("raw API, {best} requests at once"), &parallel),
        summary("raw API, one after another", &serial),
    ];
    Ok((figures, median(&controller), best))
}

fn best_concurrency(options: &Options, pool: &Pool) -> Result<usize> {
    let mut best = (0.0, CONCURRENCIES[0]);
    // The first deployment warms the machine up and does not count.
    raw_round(options, pool, CONCURRENCIES[0], options.count)?;
    for concurrency in CONCURRENCIES {
        let rate = raw_round(options, pool, concurrency, options.count)?.rate;
        if rate > best.0 {
            best = (rate, concurrency);
        }
    }
    Ok(best.1)
}

fn summary(way: &str, samples: &[Sample]) -> Figures {
    let rates: Vec<f64> = samples.iter().map(|sample| sample.rate).collect();
    let cpus: Vec<f64> = samples.iter().map(|sample| sample.cpu).collect();
    Figures {
        way: way.to_owned(),
        containers_per_second: median(&rates),
        cpu_seconds_per_container: median(&cpus),
        spread: (rates.iter().copied().fold(f64::MAX, f64::min), rates.iter().copied().fold(0.0, f64::max)),
    }
}

/// Times one deployment by `start`, until all hosts together list `count` running containers.
fn timed(pool: &Pool, count: usize, start: impl FnOnce() -> Result<()>) -> Result<Sample> {
    ensure!(pool.running()? == 0, "containers of an earlier round are left");
    let (began, cpu) = (Instant::now(), pool::machine_cpu()?);
    start()?;
    let running = pool.running()?;
    let took = began.elapsed().as_secs_f64();
    let used = pool::machine_cpu()? - cpu;
    ensure!(running == count, "the engines list {running} running containers instead of {count}");
    Ok(Sample { rate: count as f64 / took, cpu: used / count as f64 })
}

fn raw_round(options: &Options, pool: &Pool, concurrency: usize, count: usize) -> Result<Sample> {
    let sample = timed(pool, count, || raw::deploy(pool.docker_hosts(), count, concurrency, options.no_network));
    raw::remove_all(pool.docker_hosts()).context("removing what was deployed")?;
    sample
}

fn deploy(options: &Options, pool: &Pool) -> Result<Sample> {
    let sample = timed(pool, options.count, || pool.run(options.count, options.no_network));
    pool.remove_app().context("removing what was deployed")?;
    sample
}
