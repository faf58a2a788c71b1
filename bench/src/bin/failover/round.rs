//! One fault from the calm before it to the calm after it, the same for both sides.

use crate::fault::Fault;
use anyhow::{Result, ensure};
use pierhead_bench::dev::{PATIENCE, until};
use pierhead_devhosts::Host;
use pierhead_devhosts::http::{Body, request};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long a list of a host that was spared may take.
const LIST: Duration = Duration::from_secs(10);
/// How long a replica may take to answer before it is asked again.
const ANSWER: Duration = Duration::from_millis(500);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(5);
/// How long nothing may change before a round begins.
const CALM: Duration = Duration::from_secs(2);

/// What came of a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Until the host was called lost.
    pub seen: Duration,
    /// Until all replicas answered elsewhere.
    pub answering: Duration,
}

/// A scheduler and its hosts.
pub(crate) trait Side {
    fn name(&self) -> &'static str;
    /// The hosts that containers are on.
    fn hosts(&self) -> &[Host];
    /// Runs the app.
    fn deploy(&self, replicas: u32) -> Result<()>;
    /// Takes it away.
    fn clear(&self) -> Result<()>;
    /// Whether the scheduler calls a host lost.
    fn is_lost(&self, host: &Host) -> Result<bool>;
    /// Whether it calls a host well.
    fn is_well(&self, host: &Host) -> Result<bool>;
    fn strike(&self, fault: Fault, host: &Host) -> Result<()>;
    fn mend(&self, fault: Fault, host: &Host) -> Result<()>;
}

/// Makes a fault, and undoes it.
pub(crate) fn play(side: &dyn Side, fault: Fault, round: usize, replicas: u32) -> Result<Outcome> {
    let wanted = usize::try_from(replicas)?;
    begin(side, replicas, wanted)?;
    let hosts = side.hosts();
    let victim = &hosts[round % hosts.len()];
    ensure!(!running(victim)?.is_empty(), "nothing runs on {}", victim.name());
    let spared: Vec<&Host> = hosts.iter().filter(|host| host.name() != victim.name()).collect();
    let struck = Instant::now();
    side.strike(fault, victim)?;
    let (mut seen, mut known) = (None, BTreeSet::new());
    let answering = loop {
        if seen.is_none() && side.is_lost(victim)? {
            seen = Some(struck.elapsed());
        }
        // Until then nothing is placed elsewhere, and the hosts are left in peace.
        if seen.is_some() && answering(&spared, &mut known)? >= wanted {
            break struck.elapsed();
        }
        ensure!(struck.elapsed() < PATIENCE, "{}: {}: not over in time", side.name(), fault.as_str());
        std::thread::sleep(LOOK);
    };
    let outcome = Outcome { seen: seen.unwrap_or(answering), answering };
    eprintln!(
        "{:<9} {:<15} seen {:>7.3} s, answering {:>7.3} s",
        side.name(),
        fault.as_str(),
        outcome.seen.as_secs_f64(),
        answering.as_secs_f64()
    );
    side.mend(fault, victim)?;
    until("all hosts are well again", || all_well(side))?;
    side.clear()?;
    until("nothing is left of the app", || Ok(count(hosts)? == 0))?;
    Ok(outcome)
}

fn begin(side: &dyn Side, replicas: u32, wanted: usize) -> Result<()> {
    until("all hosts are well", || all_well(side))?;
    side.deploy(replicas)?;
    let all: Vec<&Host> = side.hosts().iter().collect();
    let (mut calm_since, mut known) = (Instant::now(), BTreeSet::new());
    until("all replicas answer", || {
        if count(side.hosts())? != wanted || answering(&all, &mut known)? < wanted || !all_well(side)? {
            calm_since = Instant::now();
        }
        Ok(calm_since.elapsed() > CALM)
    })?;
    Ok(())
}

fn all_well(side: &dyn Side) -> Result<bool> {
    side.hosts().iter().map(|host| side.is_well(host)).try_fold(true, |all, one| Ok(all && one?))
}

fn count(hosts: &[Host]) -> Result<usize> {
    hosts.iter().map(|host| Ok(running(host)?.len())).sum()
}

/// What runs on a host, by the engine's own list.
fn running(host: &Host) -> Result<Vec<Value>> {
    let answer = request(host.docker_host(), "GET", "/containers/json", Body::Empty, LIST)?;
    ensure!(answer.status == 200, "{}: {}", host.name(), answer.text());
    Ok(serde_json::from_slice(&answer.body)?)
}

/// How many replicas on these hosts answer; one that did is not asked again.
fn answering(hosts: &[&Host], known: &mut BTreeSet<String>) -> Result<usize> {
    let mut count = 0;
    for host in hosts {
        for container in running(host)? {
            let id = container["Id"].as_str().unwrap_or_default().to_owned();
            if known.contains(&id) || answers(host, &container) {
                known.insert(id);
                count += 1;
            }
        }
    }
    Ok(count)
}

fn answers(host: &Host, container: &Value) -> bool {
    let ports = container["Ports"].as_array().into_iter().flatten();
    let Some(port) = ports.filter_map(|port| port["PublicPort"].as_u64()).next() else { return false };
    let at = format!("tcp://{}:{port}", host.address());
    request(&at, "GET", "/", Body::Empty, ANSWER).is_ok_and(|answer| answer.status == 200)
}
