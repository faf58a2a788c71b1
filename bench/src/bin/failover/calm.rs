//! Whether anything is called lost that is not: the cores have twice too much to do, and agents, engines and the
//! controller stand still for half a second now and then, by a seed.

use crate::ours::{Ours, service, signal};
use crate::round::Side;
use anyhow::{Result, ensure};
use pierhead_bench::machine;
use pierhead_client::EventQuery;
use pierhead_devhosts::http::{Body, request};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long somebody stands still.
const STILL: Duration = Duration::from_millis(500);
/// The least and the most time between two who do, in milliseconds.
const BETWEEN: (u64, u64) = (500, 3_000);
/// How many want each core at the same time.
const TOO_MUCH: usize = 2;
const REPLICAS: u32 = 6;

/// Who stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Controller,
    Agent(usize),
    Engine(usize),
}

/// Runs for so long and tells what happened that should not have.
pub(crate) fn measure(time: Duration, seed: u64, hosts: usize) -> Result<()> {
    println!("\ncalm for {} s at {TOO_MUCH} x the cores, seed {seed}; load before {}", time.as_secs(), machine::load());
    let ours = Ours::up(hosts)?;
    ours.deploy(REPLICAS)?;
    let (before, since) = (started(&ours)?, newest_event(&ours)?);
    let leaders = elections(&ours);
    let cores = std::thread::available_parallelism()?.get();
    let over = AtomicBool::new(false);
    let stops = std::thread::scope(|scope| {
        for _ in 0..cores * TOO_MUCH {
            scope.spawn(|| burn(&over));
        }
        let stops = disturb(&ours, time, seed);
        over.store(true, Ordering::Relaxed);
        stops
    })?;
    let told = events(&ours, since.as_deref())?;
    let count = |kind: &str| told.iter().filter(|known| known.as_str() == kind).count();
    let (down, suspect, frozen) = (count("engine-down"), count("engine-suspect"), count("freeze-cluster"));
    let after = started(&ours)?;
    let replaced = before.iter().filter(|(id, when)| after.get(*id) != Some(when)).count();
    let elections = elections(&ours) - leaders;
    println!("stood still {} times: {}", stops.values().sum::<usize>(), in_words(&stops));
    println!("load after {}", machine::load());
    println!(
        "hosts called down {down}, frozen {frozen}, slots replaced {replaced}, elections {elections}; suspected {suspect} times"
    );
    ensure!(down + frozen + replaced + elections == 0, "a false alarm");
    ensure!(after.len() == before.len(), "{} containers run instead of {}", after.len(), before.len());
    Ok(())
}

fn burn(over: &AtomicBool) {
    let mut sum = 0_u64;
    while !over.load(Ordering::Relaxed) {
        for _ in 0..10_000 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(1));
        }
    }
}

/// Stops one after the other for a moment, for so long.
fn disturb(ours: &Ours, time: Duration, seed: u64) -> Result<BTreeMap<Who, usize>> {
    let (begun, mut chance, mut stops) = (Instant::now(), Chance(seed), BTreeMap::new());
    while begun.elapsed() < time {
        let wait = BETWEEN.0 + chance.below(BETWEEN.1 - BETWEEN.0);
        std::thread::sleep(Duration::from_millis(wait));
        let who = chance.who(ours.hosts().len());
        let pid = match who {
            Who::Controller => ours.dev.pid("controller")?,
            Who::Agent(at) => ours.dev.pid(&service(&ours.hosts()[at]))?,
            Who::Engine(at) => ours.hosts()[at].pid()?.unwrap_or_default(),
        };
        signal(pid, Signal::STOP)?;
        std::thread::sleep(STILL);
        signal(pid, Signal::CONT)?;
        *stops.entry(who).or_default() += 1;
    }
    Ok(stops)
}

fn in_words(stops: &BTreeMap<Who, usize>) -> String {
    let words = stops.iter().map(|(who, count)| match who {
        Who::Controller => format!("controller {count}"),
        Who::Agent(at) => format!("agent {} {count}", at + 1),
        Who::Engine(at) => format!("engine {} {count}", at + 1),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What runs, by its id: since when.
fn started(ours: &Ours) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for host in ours.hosts() {
        let ask = |path: &str| -> Result<Value> {
            let answer = request(host.docker_host(), "GET", path, Body::Empty, Duration::from_secs(60))?;
            Ok(serde_json::from_slice(&answer.body)?)
        };
        for container in ask("/containers/json")?.as_array().into_iter().flatten() {
            let id = container["Id"].as_str().unwrap_or_default().to_owned();
            let when = ask(&format!("/containers/{id}/json"))?["State"]["StartedAt"].clone();
            found.insert(id, when);
        }
    }
    Ok(found)
}

/// How often a controller began to lead, as far as its log goes.
fn elections(ours: &Ours) -> usize {
    ours.dev.log("controller").matches("this controller leads").count()
}

fn newest_event(ours: &Ours) -> Result<Option<String>> {
    let newest = ours.dev.runtime.block_on(ours.dev.client.events(1))?.into_value();
    Ok(newest.into_iter().next().map(|event| event.id))
}

/// The kinds of the events after one.
fn events(ours: &Ours, since: Option<&str>) -> Result<Vec<String>> {
    let query = EventQuery {
        count: Some(1000),
        since: since.map(str::to_owned),
        tag: Some("cluster".to_owned()),
        ..EventQuery::default()
    };
    let told = ours.dev.runtime.block_on(ours.dev.client.find_events(&query))?.into_value();
    Ok(told.into_iter().map(|event| event.kind).collect())
}

/// Numbers that look like chance and are the same for the same seed (an xorshift generator, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        let mut bits = self.0 ^ 0x9e37_79b9_7f4a_7c15;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        self.0 = bits ^ 0x9e37_79b9_7f4a_7c15;
        bits
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// The controller as often as an agent or an engine.
    fn who(&mut self, hosts: usize) -> Who {
        let at = usize::try_from(self.below(u64::try_from(hosts).unwrap_or(1))).unwrap_or(0);
        match self.below(3) {
            0 => Who::Controller,
            1 => Who::Agent(at),
            _ => Who::Engine(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_who_stands_still_and_all_do() {
        let of = |seed: u64| {
            let mut chance = Chance(seed);
            (0..300).map(|_| (chance.who(3), chance.below(100))).collect::<Vec<_>>()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let mut who: Vec<Who> = of(1).into_iter().map(|(who, _)| who).collect();
        who.sort_unstable();
        who.dedup();
        assert_eq!(who.len(), 7, "{who:?}");
        assert!(of(1).iter().all(|(_, below)| *below < 100));
    }

    #[test]
    fn those_who_stood_still_are_named() {
        let stops = BTreeMap::from([(Who::Engine(0), 2), (Who::Controller, 1)]);
        assert_eq!(in_words(&stops), "controller 1, engine 1 2");
    }
}
