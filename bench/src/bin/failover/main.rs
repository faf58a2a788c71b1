//! The loss of a host: how long until it is seen, and until all replicas answer elsewhere, beside Docker Swarm mode on
//! hosts of its own in the same run. And beside that how calm it is: with `--calm`, whether anything is called lost on a
//! machine that has twice too much to do and whose agents, engines and controller stand still now and then.
//!
//! All engines run as they do by default, without `--live-restore`, which Swarm mode forbids. Both schedule by their own
//! defaults, have as many hosts for containers, the image by its id on each, and a port of the host for each replica. A
//! replica counts as answering when a host that was spared lists it as running and it answers HTTP at its port there.

mod calm;
mod fault;
mod ours;
mod round;
mod swarm;

use anyhow::Result;
use clap::Parser;
use fault::Fault;
use pierhead_bench::machine;
use pierhead_bench::spread::Spread;
use round::Outcome;
use std::time::Duration;

/// How long the loss of a host takes, beside Docker Swarm; and whether none is lost by mistake.
#[derive(Debug, Parser)]
struct Options {
    /// How often each fault is made.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How often each is made to Swarm; it takes half a minute each time.
    #[arg(long, default_value_t = 2)]
    swarm_rounds: usize,
    /// The faults; all if absent.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Fault>,
    /// How many hosts there are for containers.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// How many replicas the app has.
    #[arg(long, default_value_t = 6)]
    replicas: u32,
    /// Instead: whether all stays calm for so many minutes.
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "10")]
    calm: Option<f64>,
    /// With --calm: for half an hour.
    #[arg(long)]
    soak: bool,
    /// What chance begins with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One short round of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.soak {
        options.calm = Some(30.0);
    }
    if let Some(minutes) = options.calm {
        return calm::measure(Duration::from_secs_f64(minutes * 60.0), options.seed, options.hosts);
    }
    if options.smoke {
        (options.rounds, options.swarm_rounds) = (1, 1);
    }
    measure(&options)?;
    if options.smoke {
        calm::measure(Duration::from_secs(20), options.seed, options.hosts)?;
    }
    Ok(())
}

fn measure(options: &Options) -> Result<()> {
    println!("{} replicas on {} hosts; load at the beginning {}", options.replicas, options.hosts, machine::load());
    let ours = ours::Ours::up(options.hosts)?;
    let swarm = if options.swarm_rounds > 0 { Some(swarm::Swarm::up(options.hosts)?) } else { None };
    let (mut by_us, mut by_swarm) = (Vec::new(), Vec::new());
    let faults = Fault::chosen(&options.only);
    for round in 0..options.rounds.max(options.swarm_rounds) {
        for fault in &faults {
            if round < options.rounds {
                by_us.push((*fault, round::play(&ours, *fault, round, options.replicas)?));
            }
            if let Some(swarm) = swarm.as_ref().filter(|_| round < options.swarm_rounds && fault.is_for_swarm()) {
                by_swarm.push((*fault, round::play(swarm, *fault, round, options.replicas)?));
            }
        }
    }
    println!("\nload at the end {}", machine::load());
    table(&faults, &by_us, &by_swarm);
    Ok(())
}

fn table(faults: &[Fault], ours: &[(Fault, Outcome)], swarm: &[(Fault, Outcome)]) {
    println!("\nseconds; p50 / p99 of the rounds\n");
    println!(
        "{:<22} {:>7} {:>15} {:>15} {:>15} {:>7} {:>15} {:>15} {:>7}",
        "", "rounds", "seen", "answering", "Swarm: seen", "ratio", "S.: answering", "ratio p50", "p99"
    );
    for fault in faults {
        let of = |all: &[(Fault, Outcome)], which: Fault, what: fn(&Outcome) -> Duration| {
            Spread::of(all.iter().filter(|(made, _)| *made == which).map(|(_, outcome)| what(outcome).as_secs_f64()))
        };
        let seen = of(ours, *fault, |outcome| outcome.seen);
        let answering = of(ours, *fault, |outcome| outcome.answering);
        let (peer_seen, peer) = (
            of(swarm, fault.at_swarm(), |outcome| outcome.seen),
            of(swarm, fault.at_swarm(), |outcome| outcome.answering),
        );
        println!(
            "{:<22} {:>7} {:>15} {:>15} {:>15} {:>7.2} {:>15} {:>15.2} {:>7.2}",
            fault.as_str(),
            seen.count(),
            pair(&seen),
            pair(&answering),
            pair(&peer_seen),
            seen.at(50) / peer_seen.at(50),
            pair(&peer),
            answering.at(50) / peer.at(50),
            answering.at(99) / peer.at(99),
        );
    }
    println!("\nWanted: at most a third of Swarm's. Swarm has no agent: its row is that of its engine killed.");
}

fn pair(spread: &Spread) -> String {
    match spread.count() {
        0 => "-".to_owned(),
        _ => format!("{:.2} / {:.2}", spread.at(50), spread.at(99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_the_middle_and_the_worst() {
        assert_eq!(pair(&Spread::of([3.0, 1.0, 2.0])), "2.00 / 3.00");
        assert_eq!(pair(&Spread::default()), "-");
    }
}
