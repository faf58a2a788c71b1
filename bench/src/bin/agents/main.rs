//! Agents: what an idle one uses, how long a host takes to join, how a thousand of them come back at once after the
//! controller was started again, and what three controllers on etcd use that have nothing to do.

mod crowd;
mod engine;
mod idle;
mod joins;
mod simulated;
mod three;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::time::Duration;

/// The memory and CPU of an idle agent, the time of joining, a thousand agents at once.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; everything if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// How long an idle agent is watched, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How often a host joins.
    #[arg(long, default_value_t = 20)]
    joins: usize,
    /// How many agents come back at once.
    #[arg(long, default_value_t = 1_000)]
    agents: usize,
    /// How often the controller is killed under them.
    #[arg(long, default_value_t = 3)]
    restarts: usize,
    /// How many containers run while three controllers have nothing to do.
    #[arg(long, default_value_t = 1_000)]
    containers: usize,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What an agent uses that has nothing to do.
    Idle,
    /// From an agent's start until its host can be used.
    Joins,
    /// Many agents at once after a restart of the controller.
    Crowd,
    /// Three controllers on three members of etcd, with nothing to do.
    Three,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.seconds, options.joins, options.agents, options.restarts) = (3, 3, 50, 1);
        options.containers = 50;
    }
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    if wants(Part::Idle) {
        idle::measure(Duration::from_secs(options.seconds))?;
    }
    if wants(Part::Joins) {
        joins::measure(options.joins)?;
    }
    if wants(Part::Crowd) {
        crowd::measure(options.agents, options.restarts)?;
    }
    if wants(Part::Three) {
        three::measure(options.containers, Duration::from_secs(options.seconds))?;
    }
    Ok(())
}
