//! What it costs that an engine is reached through its agent's tunnel: beside direct TCP to the same engine, in turn.
//!
//! The agent is the real one, on a thread of its own, and so is the way of a controller to it: the engine's client speaks
//! to a connection inside of this program, whose requests go on as streams of the tunnel.

mod batch;
mod bed;
mod echo;
mod image;
mod log;
mod report;

use anyhow::Result;
use bed::Bed;
use clap::{Parser, ValueEnum};
use report::Report;

/// An engine through its agent's tunnel, beside direct TCP.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; everything if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Rounds of each, in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many containers a batch has.
    #[arg(long, default_value_t = 20)]
    containers: usize,
    /// How many lines a container has printed, once short ones and once long ones.
    #[arg(long, default_value_t = 20_000)]
    lines: usize,
    /// How many times a round waits for an echo.
    #[arg(long, default_value_t = 1_000)]
    echoes: usize,
    /// The size of the image, in MB.
    #[arg(long, default_value_t = 100)]
    megabytes: usize,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Containers created, started and removed.
    Batch,
    /// A log read to its end.
    Log,
    /// What is typed into an exec and comes back.
    Echo,
    /// An image loaded, with the host's beats beside it.
    Image,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.rounds, options.containers, options.lines) = (1, 2, 1_000);
        (options.echoes, options.megabytes) = (50, 5);
    }
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    let bed = Bed::up().await?;
    let mut report = Report::begin();
    if wants(Part::Batch) {
        batch::measure(&bed, &mut report, options.rounds, options.containers).await?;
    }
    if wants(Part::Log) {
        log::measure(&bed, &mut report, options.rounds, options.lines).await?;
    }
    if wants(Part::Echo) {
        echo::measure(&bed, &mut report, options.rounds, options.echoes).await?;
    }
    if wants(Part::Image) {
        image::measure(&bed, &mut report, options.rounds, options.megabytes).await?;
    }
    report.end();
    Ok(())
}
