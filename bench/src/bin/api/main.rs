//! The API under load, over real sockets: long lists, a long event log, many who watch it. A controller with its API on
//! fake hosts, in a process of its own beside the one that asks, so that the CPU time of each is known.

mod events;
mod list;
mod pool;
mod raw;
mod swarm;
mod watch;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Lists of containers, the newest events of a long log, and watchers of it.
#[derive(Parser)]
struct Options {
    /// What to measure; everything if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Requests of each kind.
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// How many containers are listed, one measurement for each.
    #[arg(long, value_delimiter = ',', default_values_t = [5_000, 10_000])]
    containers: Vec<usize>,
    /// How many events the log holds.
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// How many watch it.
    #[arg(long, default_value_t = 1_000)]
    watchers: usize,
    /// Events a second that they are told.
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// How long they are told events, in seconds.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// In the role of those who watch: the address of the API. Used by the measurement itself.
    #[arg(long, hide = true)]
    watch: Option<String>,
    /// Their token.
    #[arg(long, hide = true, default_value_t)]
    token: String,
    /// How many events each is told.
    #[arg(long, hide = true, default_value_t)]
    expected: u64,
}

/// A part of the measurement.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The list of all containers.
    List,
    /// Docker Swarm's list of as many tasks; needs root and Docker.
    Swarm,
    /// The newest of many events.
    Events,
    /// Many who watch the log.
    Watch,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(url) = &options.watch {
        return watch::watch(url, &options.token, options.watchers, options.expected);
    }
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    if wants(Part::List) {
        list::measure(&options.containers, options.requests)?;
    }
    if wants(Part::Swarm) {
        swarm::measure(options.containers.first().copied().unwrap_or(5_000), options.requests.min(50))?;
    }
    if wants(Part::Events) {
        events::measure(options.events, options.requests)?;
    }
    if wants(Part::Watch) {
        watch::measure(options.watchers, options.rate, options.seconds)?;
    }
    Ok(())
}
