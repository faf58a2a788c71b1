//! What somebody notices at their shell of a hostile workspace on the same host: the echo of their keys beside each of several
//! programs that take what they can, and with nothing beside it, in turn. The same of a shell that the engine's own API gives in
//! the same container: what the machine itself takes.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use pierhead_bench::dev::{Dev, PATIENCE};
use pierhead_bench::lab::{self, Made, Raw, Seat};
use pierhead_bench::machine::load;
use pierhead_bench::spread::Spread;
use pierhead_client::Client;
use pierhead_devhosts::sample;
use pierhead_engine::Stream;
use pierhead_wire::{EnvironmentContainerDescription, EnvironmentDescription, TerminalRequest, WorkspaceView};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The pause between two keys.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a hostile program runs before it is measured.
const AHEAD: Duration = Duration::from_secs(3);
/// After how many keys the line is emptied: a shell takes none that is too long.
const KEYS: usize = 40;
/// What is typed.
const KEY: u8 = b'x';
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
    let mut desk = dev.runtime.block_on(Desk::of(&dev, neighbour))?;
    println!(
        "{:<16} {:<16} {:>7} {:>7} {:>7} {:>6} {:>13}",
        "ms, beside", "", "p50", "p95", "p99", "of", "p99 to alone"
    );
    let duration = Duration::from_secs(options.seconds);
    for (what, program) in HOSTILE {
        let (alone, beside) = dev.runtime.block_on(async {
            let alone = desk.type_for(duration).await?;
            let workspace = opened(other).await?;
            let command = ["/bin/sh", "-c", program].map(str::to_owned).to_vec();
            let request = TerminalRequest { command, ..TerminalRequest::default() };
            lab::open_terminal(other, &workspace, &request).await?;
            tokio::time::sleep(AHEAD).await;
            let beside = desk.type_for(duration).await?;
            other.end_workspace(&workspace.id, true).await?;
            gone(other).await?;
            Ok::<_, anyhow::Error>((alone, beside))
        })?;
        rows("nobody", &alone, None);
        rows(what, &beside, Some(&alone));
    }
    println!("\nWanted: less than twice the p99 that it has alone.");
    println!("load at the end {}", load());
    drop(desk);
    lab::clear(&dev)
}

/// Milliseconds from a key to its echo.
struct Echoes {
    pierhead: Spread,
    engine: Spread,
}

fn rows(what: &str, echoes: &Echoes, alone: Option<&Echoes>) {
    row(what, "", &echoes.pierhead, alone.map(|alone| &alone.pierhead));
    row("", "the engine's own", &echoes.engine, alone.map(|alone| &alone.engine));
}

fn row(what: &str, whose: &str, echo: &Spread, alone: Option<&Spread>) {
    let (p50, p95, p99, of) = (echo.at(50), echo.at(95), echo.at(99), echo.count());
    let ratio = alone.map(|alone| format!("{:.2}", p99 / alone.at(99))).unwrap_or_default();
    println!("{what:<16} {whose:<16} {p50:>7.2} {p95:>7.2} {p99:>7.2} {of:>6} {ratio:>13}");
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

/// Two shells in one container.
struct Desk {
    pierhead: Seat,
    engine: Box<dyn Stream>,
}

impl Desk {
    async fn of(dev: &Dev, person: &Client) -> Result<Self> {
        let workspace = opened(person).await?;
        let mut pierhead = Seat::take(person, &workspace).await?;
        pierhead.see().await?;
        let raw = Raw::all(dev)?;
        let raw = raw.first().context("there is no host")?;
        Ok(Self { pierhead, engine: raw.shell(&Made::by_pierhead(&workspace)?).await? })
    }

    /// Types at both in turn for a while.
    async fn type_for(&mut self, duration: Duration) -> Result<Echoes> {
        let (begun, mut pierhead, mut engine) = (Instant::now(), Vec::new(), Vec::new());
        while begun.elapsed() < duration {
            for _ in 0..KEYS {
                let typed = Instant::now();
                self.pierhead.key().await?;
                pierhead.push(milliseconds_since(typed));
                tokio::time::sleep(PAUSE).await;
                let typed = Instant::now();
                lab::key(&mut self.engine, KEY).await?;
                engine.push(milliseconds_since(typed));
                tokio::time::sleep(PAUSE).await;
            }
            self.pierhead.write(EMPTY_LINE).await?;
            self.engine.write_all(EMPTY_LINE.as_bytes()).await?;
            drop(tokio::time::timeout(10 * PAUSE, self.see_all()).await);
        }
        Ok(Echoes { pierhead: Spread::of(pierhead), engine: Spread::of(engine) })
    }

    /// Looks at what is printed for as long as it is polled.
    async fn see_all(&mut self) -> Result<()> {
        tokio::try_join!(all_seen(&mut self.pierhead), all_read(&mut self.engine)).map(drop)
    }
}

async fn all_seen(seat: &mut Seat) -> Result<()> {
    loop {
        seat.see().await?;
    }
}

async fn all_read(shell: &mut Box<dyn Stream>) -> Result<()> {
    loop {
        shell.read_u8().await?;
    }
}

fn milliseconds_since(moment: Instant) -> f64 {
    moment.elapsed().as_secs_f64() * 1000.0
}
