//! Placements per second on one core: the indexed search beside the exhaustive one, in turn, on the same ledger.
//!
//! Pools of 100 to 10,000 unlike hosts are filled from empty to about two thirds; every placement is held at once, so
//! each sees all before it. At even distances the filling stops, and the next requests are put to both searches at the
//! same state: their answers must be equal, and the exhaustive one is timed. Times are CPU time, of which the one thread
//! has one core, so that other load on the machine counts less.

use anyhow::ensure;
use clap::Parser;
use pierhead_bench::{cpu_time, median};
use pierhead_model::{
    AppId, EngineId, ImageReference, LabelExpression, MemberName, Placement, PortRequest, Protocol, Resources, Slot,
    SlotKey,
};
use pierhead_planner::{Hold, HoldKey, HostFacts, Ledger, MemberRequest, PlacementPolicy, Request};
use serde::Serialize;
use std::time::Duration;

const POOLS: [u32; 4] = [100, 1000, 5000, 10_000];
/// Leads to pools that are about two thirds full.
const PLACEMENTS_PER_HOST: u32 = 40;
/// How often the filling of a pool stops for the exhaustive search.
const STOPS: u32 = 20;
/// How many requests both searches answer at each stop.
const COMPARED_AT_STOP: u32 = 10;

/// Placements per second on one core, beside the exhaustive search.
#[derive(Debug, Parser)]
struct Options {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How often each pool is filled.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// The sizes of the pools.
    #[arg(long, value_delimiter = ',', default_values_t = POOLS)]
    hosts: Vec<u32>,
}

/// The figures of one size of pool; rates are medians over the rounds.
#[derive(Debug, Serialize)]
struct Figures {
    hosts: u32,
    /// Placements of one round that found a host, each followed by its hold.
    placed: u32,
    /// Placements of one round that no host suited.
    refused: u32,
    /// How much of all CPU is reserved at the end of a round.
    cpu_reserved_percent: u64,
    /// Per CPU-second, with the hold of each.
    placements_per_second: f64,
    /// Per CPU-second, without holding.
    exhaustive_per_second: f64,
    /// How many times faster.
    ratio: f64,
    /// Answers of both searches that were compared; all were equal.
    compared: usize,
    /// The refusal of a request that is too large for every host, in milliseconds.
    refusal_ms: f64,
}

/// The figures of one round.
struct Round {
    placed: u32,
    refused: u32,
    cpu_reserved_percent: u64,
    placements_per_second: f64,
    exhaustive_per_second: f64,
    compared: usize,
    refusal_ms: f64,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    fill(100)?; // warms up
    let mut all = Vec::new();
    for hosts in options.hosts {
        let rounds = (0..options.rounds).map(|_| fill(hosts)).collect::<anyhow::Result<Vec<_>>>()?;
        all.push(summary(hosts, &rounds));
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "placement": all }))?);
    } else {
        print_table(&all);
    }
    Ok(())
}

fn print_table(all: &[Figures]) {
    println!("placements per CPU-second on one core, each followed by its hold; median of the rounds\n");
    println!(
        "{:>7} {:>9} {:>9} {:>6} {:>14} {:>13} {:>8} {:>9} {:>11}",
        "hosts", "placed", "refused", "full", "placements/s", "exhaustive/s", "ratio", "compared", "refusal ms"
    );
    for of in all {
        println!(
            "{:>7} {:>9} {:>9} {:>5}% {:>14.0} {:>13.0} {:>8.1} {:>9} {:>11.3}",
            of.hosts,
            of.placed,
            of.refused,
            of.cpu_reserved_percent,
            of.placements_per_second,
            of.exhaustive_per_second,
            of.ratio,
            of.compared,
            of.refusal_ms
        );
    }
}

fn summary(hosts: u32, rounds: &[Round]) -> Figures {
    let median = |figure: fn(&Round) -> f64| median(&rounds.iter().map(figure).collect::<Vec<_>>());
    let placements_per_second = median(|round| round.placements_per_second);
    let exhaustive_per_second = median(|round| round.exhaustive_per_second);
    Figures {
        hosts,
        placed: rounds[0].placed,
        refused: rounds[0].refused,
        cpu_reserved_percent: rounds[0].cpu_reserved_percent,
        placements_per_second,
        exhaustive_per_second,
        ratio: placements_per_second / exhaustive_per_second,
        compared: rounds.iter().map(|round| round.compared).sum(),
        refusal_ms: median(|round| round.refusal_ms),
    }
}

/// Fills one pool from empty.
fn fill(hosts: u32) -> anyhow::Result<Round> {
    let mut ledger = Ledger::new(PlacementPolicy::default());
    for number in 0..hosts {
        ledger.set_host(host(number)?);
    }
    let in_all = hosts * PLACEMENTS_PER_HOST;
    let requests = (0..in_all + COMPARED_AT_STOP).map(request).collect::<anyhow::Result<Vec<_>>>()?;
    let (mut placed, mut compared) = (0, 0);
    let (mut indexed, mut exhaustive) = (Duration::ZERO, Duration::ZERO);
    let stop_every = (in_all / STOPS) as usize;
    for (batch_number, batch) in (0..).zip(requests[..in_all as usize].chunks(stop_every)) {
        let started = cpu_time();
        for (at, request) in (0..).zip(batch) {
            if let Ok(found) = ledger.place(request) {
                placed += 1;
                let hold = Hold {
                    engine: found.engine,
                    resources: request.resources,
                    ports: found.ports.into_values().flatten().collect(),
                    images: request.members.iter().map(|member| member.image.to_string()).collect(),
                    names: Vec::new(),
                    owner: None,
                };
                ledger.hold(key(batch_number * stop_every as u32 + at), hold);
            }
        }
        indexed += cpu_time().saturating_sub(started);

        let next = (batch_number as usize + 1) * stop_every;
        let asked = &requests[next..next + COMPARED_AT_STOP as usize];
        let started = cpu_time();
        let expected: Vec<_> = asked.iter().map(|request| ledger.place_exhaustively(request)).collect();
        exhaustive += cpu_time().saturating_sub(started);
        for (request, expected) in asked.iter().zip(expected) {
            ensure!(ledger.place(request) == expected, "the searches differ on {request:?}");
            compared += 1;
        }
    }
    let totals = ledger.totals();
    Ok(Round {
        placed,
        refused: in_all - placed,
        cpu_reserved_percent: totals.reserved.cpu_millis * 100 / totals.allocatable.cpu_millis,
        placements_per_second: f64::from(in_all) / indexed.as_secs_f64(),
        exhaustive_per_second: compared as f64 / exhaustive.as_secs_f64(),
        compared,
        refusal_ms: refusal_ms(&ledger)?,
    })
}

/// How long it takes to refuse what has no room anywhere.
fn refusal_ms(ledger: &Ledger) -> anyhow::Result<f64> {
    let asked = Request { resources: Resources::new(1_000_000, 1), ..request(0)? };
    let started = cpu_time();
    let answer = ledger.place(&asked);
    let took = cpu_time().saturating_sub(started);
    ensure!(answer.is_err(), "a thousand cores can't be had");
    Ok(took.as_secs_f64() * 1000.0)
}

fn key(number: u32) -> HoldKey {
    HoldKey::Slot(SlotKey { app: AppId(format!("app-{}", number % 97)), slot: Slot(number) })
}

/// Scatters a number over all 64 bits, the same way always.
fn scatter(number: u32, salt: u64) -> u64 {
    let mixed = (u64::from(number) ^ salt << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

/// Hosts of 4 to 64 cores with 2, 4 or 8 GB each, of which the machine keeps a little, never quite the same; in five
/// zones, half of them with an SSD, one in twenty with a GPU.
fn host(number: u32) -> anyhow::Result<HostFacts> {
    let cores = 4 << (scatter(number, 1) % 5);
    let memory_mb = cores * 1024 * (2 << (scatter(number, 2) % 3)) - scatter(number, 3) % 200;
    let zone = ["a", "b", "c", "d", "e"][(scatter(number, 4) % 5) as usize];
    let mut labels = vec![format!("zone={zone}"), format!("rack={}", number / 40)];
    if scatter(number, 5).is_multiple_of(2) {
        labels.push("ssd".to_owned());
    }
    if scatter(number, 6).is_multiple_of(20) {
        labels.push("gpu".to_owned());
    }
    Ok(HostFacts {
        id: EngineId::parse(format!("host-{number}"))?,
        allocatable: Resources::new(cores * 1000, memory_mb),
        labels: labels.into_iter().collect(),
        unavailable: (scatter(number, 7).is_multiple_of(50)).then(|| "down: connection refused".to_owned()),
        has_agent: false,
        unguarded: None,
    })
}

/// Of 20 requests 12 are plain, 4 ask for labels, 2 are unique, 1 fixes a host port and 1 has two chosen.
fn request(number: u32) -> anyhow::Result<Request> {
    let size = [(100, 64), (250, 512), (500, 512), (500, 1024), (1000, 2048)][(scatter(number, 10) % 5) as usize];
    let (mut image, mut placement, mut labels, mut ports) = ("app".to_owned(), Placement::Service, Vec::new(), vec![]);
    let port = |host_port| PortRequest { protocol: Protocol::Tcp, host_ip: None, host_port, container_port: 80 };
    match scatter(number, 11) % 20 {
        0 | 1 => labels = vec!["ssd", "zone!=a"],
        2 => labels = vec!["zone=b|zone=c"],
        3 => labels = vec!["gpu"],
        4 | 5 => {
            image = format!("exporter-{}", scatter(number, 12) % 50);
            placement = Placement::Unique;
        }
        6 => ports = vec![port(Some(8000 + (scatter(number, 13) % 50) as u16))],
        7 => ports = vec![port(None), port(None)],
        _ => {}
    }
    Ok(Request {
        resources: Resources::new(size.0, size.1),
        members: vec![MemberRequest {
            name: MemberName::main(),
            image: ImageReference::parse(&image)?,
            placement,
            labels: labels.into_iter().map(LabelExpression::parse).collect::<Result<_, _>>()?,
            ports,
            links: Vec::new(),
        }],
        links_of: None,
        needs_agent: false,
        avoid: Vec::new(),
        avoid_ports: Vec::new(),
        seed: u64::from(number),
    })
}
