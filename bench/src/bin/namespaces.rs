//! Whether network namespaces made ahead would pay: on the engines' own API, a container on the bridge beside one that
//! joins the namespace of a holder which is there already, in turn, and what it costs to make the holder.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use pierhead_bench::machine::{cpu_seconds, load};
use pierhead_bench::spread::Spread;
use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Pool, PoolSpec, sample};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Containers on the bridge beside containers that join a namespace made ahead.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds of each, in turn, after one that is not counted.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many containers each round starts, one after another and then at once.
    #[arg(long, default_value_t = 20)]
    containers: usize,
    /// How many are started at once.
    #[arg(long, default_value_t = 4)]
    at_once: usize,
}

const LIMIT: Duration = Duration::from_secs(60);

/// How a container gets its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Host,
    Bridge,
    Ahead,
    Holder,
}

const WAYS: [(Way, &str); 4] = [
    (Way::Host, "host network"),
    (Way::Bridge, "bridge, a port published"),
    (Way::Ahead, "in a namespace made ahead"),
    (Way::Holder, "that holder itself, off the path"),
];

fn main() -> Result<()> {
    let options = Options::parse();
    let dir = tempfile::tempdir()?;
    let pool = Pool::up(PoolSpec { dir: dir.path().join("pool"), hosts: 1, ..PoolSpec::default() })?;
    let measured = measure(&options, &pool);
    pool.down()?;
    measured
}

fn measure(options: &Options, pool: &Pool) -> Result<()> {
    let hosts = pool.hosts()?;
    let host = hosts.first().context("a host")?.docker_host();
    println!("{} containers, {} rounds, load {}\n", options.containers, options.rounds, load());
    println!(
        "{:<34} {:>12} {:>12} {:>14} {:>14}",
        "create and start", "alone p50", "p99, ms", "at once, each", "CPU-s each"
    );
    let mut all = vec![(Vec::new(), Vec::new(), Vec::new()); WAYS.len()];
    for round in 0..=options.rounds {
        for ((way, _), (alone, rate, cpu)) in WAYS.iter().zip(&mut all) {
            let times = one_by_one(host, *way, options.containers)?;
            let (took, used) = at_once(host, *way, options.containers, options.at_once)?;
            if round > 0 {
                alone.extend(times);
                rate.push(took);
                cpu.push(used);
            }
        }
    }
    for ((_, name), (alone, rate, cpu)) in WAYS.iter().zip(all) {
        let (alone, rate, cpu) = (Spread::of(alone), Spread::of(rate), Spread::of(cpu));
        println!(
            "{name:<34} {:>12.1} {:>12.1} {:>14.1} {:>14.3}",
            alone.at(50),
            alone.at(99),
            rate.median(),
            cpu.median()
        );
    }
    println!("\nload at the end {}", load());
    Ok(())
}

fn ask(host: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
    let text = body.to_string();
    let answer = request(host, method, path, if body.is_null() { Body::Empty } else { Body::Json(&text) }, LIMIT)?;
    ensure!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// Starts one; in the namespace of `holder` if there is one.
fn start(host: &str, way: Way, holder: Option<&str>) -> Result<String> {
    let network = match (way, holder) {
        (Way::Host, _) => "host".to_owned(),
        (Way::Ahead, Some(holder)) => format!("container:{holder}"),
        _ => "bridge".to_owned(),
    };
    // Whoever joins a namespace has its ports, not ports of their own.
    let has_ports = matches!(way, Way::Bridge | Way::Holder);
    let ports = if has_ports { json!({ "80/tcp": [{ "HostPort": "" }] }) } else { json!({}) };
    let wanted = json!({
        "Image": sample::IMAGE,
        "Cmd": ["sleep", "1000"],
        "ExposedPorts": if has_ports { json!({ "80/tcp": {} }) } else { json!({}) },
        "HostConfig": { "NetworkMode": network, "PortBindings": ports, "Memory": 16 << 20, "PidsLimit": 64 },
    });
    let made = ask(host, "POST", "/containers/create", &wanted)?;
    let id = made["Id"].as_str().context("an id")?.to_owned();
    ask(host, "POST", &format!("/containers/{id}/start"), &Value::Null)?;
    Ok(id)
}

fn holders(host: &str, way: Way, count: usize) -> Result<Vec<Option<String>>> {
    let holder = |_| if way == Way::Ahead { start(host, Way::Holder, None).map(Some) } else { Ok(None) };
    (0..count).map(holder).collect()
}

fn clear(host: &str) -> Result<()> {
    let listed = ask(host, "GET", "/containers/json?all=1", &Value::Null)?;
    for container in listed.as_array().into_iter().flatten() {
        ask(
            host,
            "DELETE",
            &format!("/containers/{}?force=1", container["Id"].as_str().unwrap_or_default()),
            &Value::Null,
        )?;
    }
    Ok(())
}

/// How long each took, in milliseconds.
fn one_by_one(host: &str, way: Way, count: usize) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for holder in holders(host, way, count)? {
        let begun = Instant::now();
        start(host, way, holder.as_deref())?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    clear(host)?;
    Ok(times)
}

/// Milliseconds and CPU seconds of the machine for each.
fn at_once(host: &str, way: Way, count: usize, at_once: usize) -> Result<(f64, f64)> {
    let (holders, next) = (holders(host, way, count)?, AtomicUsize::new(0));
    let (begun, cpu) = (Instant::now(), cpu_seconds()?);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            while let Some(holder) = holders.get(next.fetch_add(1, Ordering::Relaxed)) {
                start(host, way, holder.as_deref())?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")))
    })?;
    let (took, used) = (begun.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    clear(host)?;
    let each = |total: f64| total / count as f64;
    Ok((each(took) * 1000.0, each(used)))
}
