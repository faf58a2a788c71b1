//! From asking for a workspace to its prompt: of those that were started ahead and run, of those that rest, and cold,
//! beside the same by the engines' own API, in turn.

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use pierhead_bench::dev::Dev;
use pierhead_bench::lab::{self, Raw, Seat};
use pierhead_bench::machine::load;
use pierhead_bench::spread::Spread;
use pierhead_client::Client;
use std::time::{Duration, Instant};

/// How many workspaces somebody opens; more within a minute are refused.
const OF_ONE: usize = 15;
/// When everything that was started has come to rest.
const REST: Duration = Duration::from_secs(3);

/// From asking for a workspace to its prompt.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; everything if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// How many hosts there are.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// How many that were started ahead are asked for.
    #[arg(long, default_value_t = 60)]
    claims: usize,
    /// How many are asked for of which none was.
    #[arg(long, default_value_t = 30)]
    cold: usize,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Started ahead, and running.
    Running,
    /// Started ahead, and paused.
    Paused,
    /// Not started ahead.
    Cold,
}

/// How long the steps of one took, in milliseconds from the first on.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    /// The workspace is theirs.
    opened: f64,
    /// They sit at a shell.
    seated: f64,
    /// Its prompt is shown.
    prompt: f64,
    /// A key that was typed is shown.
    key: f64,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.claims, options.cold) = (6, 4);
    }
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    println!("load {}\n", load());
    println!("{:<44} {:>8} {:>8} {:>8} {:>8}", "ms", "p50", "p95", "p99", "of");
    if wants(Part::Running) || wants(Part::Cold) {
        let dev = up(&options, "1h")?;
        let people = people(&dev, options.claims + options.cold)?;
        if wants(Part::Running) {
            ahead(&dev, &people, options.claims, "running")?;
        }
        if wants(Part::Cold) {
            cold(&dev, &people, options.cold)?;
        }
    }
    if wants(Part::Paused) {
        let dev = up(&options, "2s")?;
        let people = people(&dev, options.claims)?;
        ahead(&dev, &people, options.claims, "paused")?;
        thaw(&dev, options.cold)?;
    }
    println!(
        "\nWanted: 5 ms at p99 from those that run, 20 ms from those that rest, 1.1 of the engines' own time cold."
    );
    println!("load at the end {}", load());
    Ok(())
}

fn up(options: &Options, pause: &str) -> Result<Dev> {
    let settings = [("PIERHEAD_WORKSPACE_PAUSE", pause), ("PIERHEAD_WORKSPACE_REFILL", "100ms")];
    let dev = Dev::up_with(options.hosts, true, &settings)?;
    dev.runtime.block_on(lab::describe(&dev.client))?;
    Ok(dev)
}

fn people(dev: &Dev, opened: usize) -> Result<Vec<Client>> {
    dev.runtime.block_on(lab::people(dev, opened.div_ceil(OF_ONE)))
}

/// Claims one after another: none is made up for while people come.
fn ahead(dev: &Dev, people: &[Client], claims: usize, state: &str) -> Result<()> {
    dev.runtime.block_on(lab::start_ahead(&dev.client, u32::try_from(claims)?))?;
    lab::wait_for_ahead(dev, claims, state)?;
    std::thread::sleep(REST);
    let times: Vec<Times> = dev.runtime.block_on(async {
        let mut times = Vec::new();
        for claim in 0..claims {
            times.push(one(&people[claim / OF_ONE]).await?);
        }
        Ok::<_, anyhow::Error>(times)
    })?;
    report(&format!("started ahead, {state}"), &times);
    dev.runtime.block_on(lab::start_ahead(&dev.client, 0))?;
    lab::clear(dev)
}

async fn one(person: &Client) -> Result<Times> {
    let (begun, mut times) = (Instant::now(), Times::default());
    let workspace = lab::ready(person, lab::open(person).await?).await?;
    times.opened = since(begun);
    let mut seat = Seat::take(person, &workspace).await?;
    times.seated = since(begun);
    seat.see().await?;
    times.prompt = since(begun);
    seat.key().await?;
    times.key = since(begun);
    Ok(times)
}

/// Ours and the engine's own in turn, on the hosts in turn.
fn cold(dev: &Dev, people: &[Client], count: usize) -> Result<()> {
    let raw = Raw::all(dev)?;
    let (mut ours, mut own, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    dev.runtime.block_on(async {
        // The first of each warms the machine up.
        for number in 0..=count {
            let host = &raw[number % raw.len()];
            let person = &people[people.len() - 1 - number / OF_ONE];
            let times = one(person).await?;
            let theirs = dev.client.workspaces().await?.into_value();
            let made = theirs.iter().find(|workspace| workspace.phase == "ready").context("the one just made")?;
            dev.client.end_workspace(&made.id, true).await?;
            let with_network = by_hand(host, number, None).await?;
            let network = host.make_network(count + 1 + number).await?;
            let without = by_hand(host, number, Some(&network)).await?;
            host.remove_network(&network).await?;
            if number > 0 {
                (ours.push(times), own.push(with_network), shared.push(without)).2
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    report("cold", &ours);
    line("the engine's own API: network to prompt", own.iter().copied());
    line("the same without making the network", shared.iter().copied());
    let median = |times: Vec<f64>| Spread::of(times).median();
    let prompt = median(ours.iter().map(|times| times.prompt).collect());
    println!("\nCold beside the engine's own API: {:.2} of its median\n", prompt / median(own));
    lab::clear(dev)
}

/// From nothing to a prompt by the engine's own API; what was made goes again.
async fn by_hand(host: &Raw, number: usize, network: Option<&str>) -> Result<f64> {
    let begun = Instant::now();
    let made = match network {
        None => host.make(number).await?,
        Some(network) => host.make_container(number, network).await?,
    };
    let shell = host.shell(&made).await?;
    let took = since(begun);
    drop(shell);
    host.remove(&made).await?;
    Ok(took)
}

/// What it takes to let a frozen container go on, and to see a key of a shell in it.
fn thaw(dev: &Dev, count: usize) -> Result<()> {
    let raw = Raw::all(dev)?;
    let mut times = Vec::new();
    dev.runtime.block_on(async {
        let made = raw[0].make(0).await?;
        let mut shell = raw[0].shell(&made).await?;
        for _ in 0..count {
            raw[0].pause(&made, true).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let begun = Instant::now();
            raw[0].pause(&made, false).await?;
            lab::key(&mut shell, b'x').await?;
            times.push(since(begun));
        }
        raw[0].remove(&made).await
    })?;
    line("the engine's own API: unpause, and a key", times);
    Ok(())
}

fn since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

fn report(what: &str, times: &[Times]) {
    line(&format!("{what}: prompt"), times.iter().map(|times| times.prompt));
    line("    of that until it is theirs", times.iter().map(|times| times.opened));
    line("    and they sit at a shell", times.iter().map(|times| times.seated));
    line("  and a key that was typed then is shown", times.iter().map(|times| times.key));
}

fn line(what: &str, times: impl IntoIterator<Item = f64>) {
    let spread = Spread::of(times);
    let (p50, p95, p99) = (spread.at(50), spread.at(95), spread.at(99));
    println!("{what:<44} {p50:>8.2} {p95:>8.2} {p99:>8.2} {:>8}", spread.count());
}
