//! Terminals: what a key, a stream of output, another viewer and coming back cost, beside a bare exec connection to the
//! same engine, in turn; and beside terminado, if that is installed.

mod again;
mod bare;
mod bed;
mod crowd;
mod echo;
mod ours;
mod peer;
mod stream;

use anyhow::Result;
use bed::Bed;
use clap::{Parser, ValueEnum};
use pierhead_bench::machine::load;

/// Terminals beside a bare exec connection.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; everything if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Where the terminals live; both in turn if absent.
    #[arg(long, value_enum)]
    home: Option<Home>,
    /// Rounds of each, in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many keys a round has.
    #[arg(long, default_value_t = 1_000)]
    keys: usize,
    /// How many other terminals print 20 kB each second while keys are typed.
    #[arg(long, default_value_t = 50)]
    others: usize,
    /// How much is printed for the throughput, in MB.
    #[arg(long, default_value_t = 100)]
    megabytes: usize,
    /// How many look at a stream, once one and once so many.
    #[arg(long, default_value_t = 50)]
    viewers: usize,
    /// How many sockets the crowd has, over 100 terminals or fewer.
    #[arg(long, default_value_t = 2_000)]
    crowd: usize,
    /// For how long the crowd stays, in seconds.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What is typed and comes back.
    Echo,
    /// The same while other terminals print.
    Busy,
    /// A lot of output, to one viewer and to many.
    Stream,
    /// Coming back to a full screen.
    Again,
    /// The memory of viewers who only look.
    Idle,
    /// Thousands of sockets over a hundred terminals.
    Crowd,
}

/// Where terminals live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Home {
    /// In the controller.
    Controller,
    /// In the agent of the host.
    Agent,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.rounds, options.keys, options.others) = (1, 50, 3);
        (options.megabytes, options.viewers) = (2, 4);
        (options.crowd, options.seconds) = (40, 3);
    }
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    for home in [Home::Controller, Home::Agent] {
        if options.home.is_some_and(|only| only != home) {
            continue;
        }
        let bed = Bed::up(home)?;
        println!("\n== terminals live in the {}; load {}\n", bed.home, load());
        let runtime = &bed.dev.runtime;
        if wants(Part::Echo) {
            runtime.block_on(echo::measure(&bed, options.rounds, options.keys, 0))?;
        }
        if wants(Part::Busy) {
            runtime.block_on(echo::measure(&bed, options.rounds, options.keys, options.others))?;
        }
        if wants(Part::Stream) {
            runtime.block_on(stream::measure(&bed, options.rounds, options.megabytes, options.viewers))?;
        }
        if wants(Part::Again) {
            runtime.block_on(again::measure(&bed, options.rounds * 20))?;
        }
        if wants(Part::Idle) {
            runtime.block_on(crowd::idle(&bed, options.viewers * 4))?;
        }
        if wants(Part::Crowd) {
            runtime.block_on(crowd::measure(&bed, options.crowd, options.seconds))?;
        }
    }
    println!("\nload at the end {}", load());
    Ok(())
}
