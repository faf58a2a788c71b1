//! A class that comes at once: when the last of them has a prompt, with workspaces that were started ahead and without, and
//! whether those who wait are told the truth; beside the same number of containers by the engines' own API.

use anyhow::{Context, Result};
use clap::Parser;
use pierhead_bench::dev::{Dev, PATIENCE};
use pierhead_bench::lab::{self, Raw, Seat};
use pierhead_bench::machine::{cpu_seconds, load};
use pierhead_bench::spread::Spread;
use pierhead_client::Client;
use pierhead_wire::WorkspaceView;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// When everything that was started has come to rest.
const REST: Duration = Duration::from_secs(5);
/// How often one looks at all workspaces, for everybody who waits.
const LOOK: Duration = Duration::from_millis(50);
/// How many starts the engines' own API is asked for at the same time, to find which serves best.
const CONCURRENCIES: [usize; 4] = [6, 9, 12, 24];

/// A class that comes at once.
#[derive(Debug, Parser)]
struct Options {
    /// How many hosts there are.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// How many people come.
    #[arg(long, default_value_t = 60)]
    people: usize,
    /// How often.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

/// One class.
#[derive(Debug, Clone, Default)]
struct Class {
    /// When each had a prompt, in seconds from the first request on.
    prompts: Vec<f64>,
    /// The machine's CPU seconds until then.
    cpu: f64,
}

impl Class {
    fn last(&self) -> f64 {
        self.prompts.iter().copied().fold(0.0, f64::max)
    }
}

/// All workspaces, as they were at a moment.
type Seen = BTreeMap<String, WorkspaceView>;

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.people, options.rounds) = (9, 1);
    }
    println!("load {}; {} people on {} hosts\n", load(), options.people, options.hosts);
    let settings = [("PIERHEAD_WORKSPACE_PAUSE", "1h"), ("PIERHEAD_WORKSPACE_REFILL", "100ms")];
    let dev = Dev::up_with(options.hosts, true, &settings)?;
    dev.runtime.block_on(lab::describe(&dev.client))?;
    let people = dev.runtime.block_on(lab::people(&dev, options.people))?;
    let raw = Arc::new(Raw::all(&dev)?);
    println!("{:<44} {:>9} {:>9} {:>16}", "s", "last", "p50", "CPU-s for each");
    let best = best_concurrency(&dev, &raw, options.people)?;
    let (mut cold, mut own) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let settled = warm(&dev, &people)?;
        report("started ahead", &settled);
        own.push(by_hand(&dev, &raw, options.people, best, true)?);
        report(&format!("the engines' own API, {best} at once"), &own[round]);
        let (class, truth) = cold_class(&dev, &people)?;
        report("cold", &class);
        println!("{truth}");
        cold.push(class.last());
        let plain = by_hand(&dev, &raw, options.people, best, false)?;
        report("  the same without networks of their own", &plain);
    }
    let theirs = Spread::of(own.iter().map(Class::last)).median();
    println!("\nCold beside the engines' own API: {:.2} of its time", Spread::of(cold).median() / theirs);
    println!("Wanted: 0.5 s started ahead, 1.15 of the engines' own time cold.");
    println!("load at the end {}", load());
    Ok(())
}

fn report(what: &str, class: &Class) {
    let spread = Spread::of(class.prompts.iter().copied());
    let each = class.cpu / class.prompts.len() as f64;
    println!("{what:<44} {:>9.3} {:>9.3} {each:>16.3}", class.last(), spread.median());
}

fn warm(dev: &Dev, people: &[Client]) -> Result<Class> {
    dev.runtime.block_on(lab::start_ahead(&dev.client, u32::try_from(people.len())?))?;
    lab::wait_for_ahead(dev, people.len(), "running")?;
    std::thread::sleep(REST);
    let cpu = cpu_seconds()?;
    let prompts = dev.runtime.block_on(all_at_once(people, None))?;
    let class = Class { prompts, cpu: cpu_seconds()? - cpu };
    dev.runtime.block_on(lab::start_ahead(&dev.client, 0))?;
    lab::clear(dev)?;
    Ok(class)
}

fn cold_class(dev: &Dev, people: &[Client]) -> Result<(Class, String)> {
    std::thread::sleep(REST);
    let cpu = cpu_seconds()?;
    let (prompts, looks) = dev.runtime.block_on(async {
        let (tell, told) = watch::channel(Seen::new());
        let watching = tokio::spawn(look(dev.client.clone(), tell));
        // The look ends when nobody waits for what it tells.
        let prompts = all_at_once(people, Some(told)).await;
        Ok::<_, anyhow::Error>((prompts?, watching.await??))
    })?;
    let class = Class { prompts, cpu: cpu_seconds()? - cpu };
    lab::clear(dev)?;
    Ok((class, truth(&looks)))
}

/// Looks at all workspaces, again and again, as a page with all of them does; what was seen at each look.
async fn look(admin: Client, tell: watch::Sender<Seen>) -> Result<Vec<Seen>> {
    let mut looks = Vec::new();
    while !tell.is_closed() {
        let all = admin.workspaces().await?.into_value();
        let seen: Seen = all
            .into_iter()
            .filter(|workspace| workspace.phase != "ended")
            .map(|workspace| (workspace.id.clone(), workspace))
            .collect();
        looks.push(seen.clone());
        tell.send_replace(seen);
        tokio::time::sleep(LOOK).await;
    }
    Ok(looks)
}

/// Everybody asks at the same moment; when each sees a prompt. Who has to wait is told by somebody who looks for all.
async fn all_at_once(people: &[Client], told: Option<watch::Receiver<Seen>>) -> Result<Vec<f64>> {
    let begun = Instant::now();
    let mut class = JoinSet::new();
    for person in people {
        let (person, told) = (person.clone(), told.clone());
        class.spawn(async move {
            let mut workspace = lab::open(&person).await?;
            match told {
                None => workspace = lab::ready(&person, workspace).await?,
                Some(mut told) => {
                    let id = workspace.id.clone();
                    let is_ready = |seen: &Seen| seen.get(&id).is_some_and(|workspace| workspace.phase == "ready");
                    let seen = tokio::time::timeout(PATIENCE, told.wait_for(is_ready)).await??;
                    workspace = seen.get(&id).cloned().context("it is there")?;
                }
            }
            let mut seat = Seat::take(&person, &workspace).await?;
            seat.see().await?;
            // Who left would make the others faster.
            Ok::<_, anyhow::Error>((begun.elapsed().as_secs_f64(), seat))
        });
    }
    let (mut prompts, mut seats) = (Vec::new(), Vec::new());
    while let Some(done) = class.join_next().await {
        let (prompt, seat) = done??;
        prompts.push(prompt);
        seats.push(seat);
    }
    Ok(prompts)
}

/// Whoever is told the place `n` is to be served after exactly `n - 1` of those who wait beside them.
fn truth(looks: &[Seen]) -> String {
    let waits = |seen: &Seen, id: &str| seen.get(id).is_some_and(|workspace| workspace.queue.is_some());
    // The look at which each did not wait any more.
    let mut served: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, seen) in looks.iter().enumerate() {
        for id in seen.keys() {
            let has_waited = looks[..at].iter().any(|before| waits(before, id));
            if has_waited && !waits(seen, id) {
                served.entry(id).or_insert(at);
            }
        }
    }
    let (mut told, mut wrong, mut most) = (0_usize, 0_usize, 0_usize);
    for seen in looks {
        let waiting: Vec<(&str, usize)> = seen
            .iter()
            .filter_map(|(id, workspace)| Some((id.as_str(), workspace.queue? as usize)))
            .filter(|(id, _)| served.contains_key(id))
            .collect();
        for (id, place) in &waiting {
            let mine = served[id];
            let others = || waiting.iter().filter(|(other, _)| other != id).map(|(other, _)| served[other]);
            // Those of the same look may have been served before or after.
            let (before, not_after) =
                (others().filter(|at| *at < mine).count(), others().filter(|at| *at <= mine).count());
            let off = (before + 1).saturating_sub(*place).max(place.saturating_sub(not_after + 1));
            told += 1;
            wrong += usize::from(off > 0);
            most = most.max(off);
        }
    }
    let waited = served.len();
    format!("  {waited} waited and were told their place {told} times: wrong {wrong} times, by {most} at most")
}

fn best_concurrency(dev: &Dev, raw: &Arc<Vec<Raw>>, count: usize) -> Result<usize> {
    // The first warms the machine up.
    by_hand(dev, raw, count, CONCURRENCIES[0], true)?;
    let mut best = (f64::MAX, CONCURRENCIES[0]);
    for concurrency in CONCURRENCIES {
        let last = by_hand(dev, raw, count, concurrency, true)?.last();
        if last < best.0 {
            best = (last, concurrency);
        }
    }
    Ok(best.1)
}

/// As many networks, containers and prompts by the engines' own API.
fn by_hand(dev: &Dev, raw: &Arc<Vec<Raw>>, count: usize, concurrency: usize, networks: bool) -> Result<Class> {
    std::thread::sleep(REST);
    let class = dev.runtime.block_on(async {
        let mut shared = Vec::new();
        for host in raw.iter().filter(|_| !networks) {
            shared.push(host.make_network(count).await?);
        }
        let (next, shared) = (Arc::new(AtomicUsize::new(0)), Arc::new(shared));
        let (cpu, begun) = (cpu_seconds()?, Instant::now());
        let mut workers = JoinSet::new();
        for _ in 0..concurrency {
            let (raw, next, shared) = (Arc::clone(raw), Arc::clone(&next), Arc::clone(&shared));
            workers.spawn(async move {
                let mut done = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<_, anyhow::Error>(done);
                    }
                    let host = number % raw.len();
                    let made = match shared.get(host) {
                        None => raw[host].make(number).await?,
                        Some(network) => raw[host].make_container(number, network).await?,
                    };
                    let shell = raw[host].shell(&made).await?;
                    done.push((begun.elapsed().as_secs_f64(), host, made, shell));
                }
            });
        }
        let mut done = Vec::new();
        while let Some(worker) = workers.join_next().await {
            done.extend(worker??);
        }
        let class = Class { prompts: done.iter().map(|(at, ..)| *at).collect(), cpu: cpu_seconds()? - cpu };
        for (_, host, made, shell) in done {
            drop(shell);
            raw[host].remove(&made).await?;
        }
        for (host, network) in raw.iter().zip(shared.iter()) {
            host.remove_network(network).await?;
        }
        Ok::<_, anyhow::Error>(class)
    })?;
    Ok(class)
}
