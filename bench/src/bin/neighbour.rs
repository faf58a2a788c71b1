//! What somebody notices at their shell of a hostile workspace on the same host: the echo of their keys beside each of several
//! programs that take what they can, and with nothing beside it, in turn.

use anyhow::{Result, ensure};
use clap::Parser;
use pierhead_bench::dev::{Dev, PATIENCE};
use pierhead_bench::lab::{self, Seat};
use pierhead_bench::machine::load;
use pierhead_bench::spread::Spread;
use pierhead_client::Client;
use pierhead_devhosts::sample;
use pierhead_wire::{EnvironmentContainerDescription, EnvironmentDescription, TerminalRequest, WorkspaceView};
use std::time::{Duration, Instant};

/// The pause between two keys.
const PAUSE: Duration = Duration::from_millis(40);
/// How long a hostile program runs before it is measured.
const AHEAD: Duration = Duration::from_secs(3);
/// After how many keys the line is emptied: a shell takes none that is too long.
const KEYS: usize = 40;
/// What empties it.
const EMPTY_LINE: &str = "\x15";

/// What takes what it can, and how.
const HOSTILE: [(&str, &str); 6] = [
    ("processors", "for n in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait"),
    ("processes", "b() { b | b & }; while :; do b; sleep 0.1; done"),
    ("memory", "while :; do tail /dev/zero; done"),
    ("output", "yes 'a line that nobody reads'"),
    ("the disk's time", "while :; do dd if=/dev/zero of=/full bs=1M count=64 conv=fsync; done"),
    ("files", "n=0; while :; do n=$((n+1)); : >/f$((n % 5000)); rm -f /f$(((n + 2500) % 5000)); done"),
];

/// What a neighbour notices.
#[derive(Debug, Parser)]
struct Options {
    /// For how many seconds each is measured.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        options.seconds = 2;
    }
    println!("load {}; two people on one host\n", load());
    let dev = Dev::up(1, true)?;
    let people = dev.runtime.block_on(lab::people(&dev, 2))?;
    let [neighbour, other] = people.as_slice() else { unreachable!("two were asked for") };
    dev.runtime.block_on(lab::describe_as(&dev.client, small()))?;
    let mut seat = dev.runtime.block_on(async {
        let workspace = opened(neighbour).await?;
        let mut seat = Seat::take(neighbour, &workspace).await?;
        seat.see().await?;
        Ok::<_, anyhow::Error>(seat)
    })?;
    println!("{:<20} {:>8} {:>8} {:>8} {:>8}   {:>12}", "ms, beside", "p50", "p95", "p99", "of", "p99 to alone");
    let duration = Duration::from_secs(options.seconds);
    for (what, program) in HOSTILE {
        let (alone, beside) = dev.runtime.block_on(async {
            let alone = typed(&mut seat, duration).await?;
            let workspace = opened(other).await?;
            let command = ["/bin/sh", "-c", program].map(str::to_owned).to_vec();
            let request = TerminalRequest { command, ..TerminalRequest::default() };
            lab::open_terminal(other, &workspace, &request).await?;
            tokio::time::sleep(AHEAD).await;
            let beside = typed(&mut seat, duration).await?;
            other.end_workspace(&workspace.id, true).await?;
            gone(other).await?;
            Ok::<_, anyhow::Error>((alone, beside))
        })?;
        row("nobody", &alone, "");
        row(what, &beside, &format!("{:.2}", beside.at(99) / alone.at(99)));
    }
    println!("\nWanted: less than twice the p99 that it has alone.");
    println!("load at the end {}", load());
    drop(seat);
    lab::clear(&dev)
}

fn row(what: &str, echo: &Spread, ratio: &str) {
    let (p50, p95, p99) = (echo.at(50), echo.at(95), echo.at(99));
    println!("{what:<20} {p50:>8.2} {p95:>8.2} {p99:>8.2} {:>8}   {ratio:>12}", echo.count());
}

/// Workspaces that may use a quarter of a core and 64 MB.
fn small() -> EnvironmentDescription {
    let container = EnvironmentContainerDescription {
        image: sample::IMAGE.to_owned(),
        cpus: Some(0.25),
        memory: Some(64.0),
        ..EnvironmentContainerDescription::default()
    };
    EnvironmentDescription { containers: vec![container], ..EnvironmentDescription::default() }
}

async fn opened(person: &Client) -> Result<WorkspaceView> {
    lab::ready(person, lab::open(person).await?).await
}

async fn gone(person: &Client) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while person.workspaces().await?.into_value().iter().any(|workspace| workspace.phase != "ended") {
        ensure!(Instant::now() < end, "a hostile workspace did not end in time");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// Milliseconds from a key to its echo, for a while.
async fn typed(seat: &mut Seat, duration: Duration) -> Result<Spread> {
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < duration {
        for _ in 0..KEYS {
            let typed = Instant::now();
            seat.key().await?;
            times.push(typed.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(PAUSE).await;
        }
        seat.write(EMPTY_LINE).await?;
        drop(tokio::time::timeout(5 * PAUSE, all_seen(seat)).await);
    }
    Ok(Spread::of(times))
}

/// Looks at what is printed for as long as it is polled.
async fn all_seen(seat: &mut Seat) -> Result<()> {
    loop {
        seat.see().await?;
    }
}
