//! All records of a full pool moved from the embedded store to etcd and back, by the program itself: how long it takes, and
//! how much memory. What comes back must be what left, byte by byte.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use pierhead_bench::dev::program;
use pierhead_bench::machine::{cpu_of, load, status_of};
use pierhead_controller::{Options as Controlling, keys};
use pierhead_devhosts::{EtcdSpec, Pool, PoolSpec};
use pierhead_model::Resources;
use pierhead_store::{Embedded, Store, Transaction};
use pierhead_testkit::{Cluster, ClusterOptions, sample};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many events one transaction writes.
const AT_ONCE: usize = 90;
/// How many apps are asked for at the same time.
const APPS_AT_ONCE: usize = 16;
const HOSTS: usize = 10;
/// How often the program that moves is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A pool's records to etcd and back: time and memory.
#[derive(Debug, Parser)]
struct Options {
    /// How many events there are.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// How many apps there are, each with a container.
    #[arg(long, default_value_t = 1_000)]
    apps: usize,
    /// How many members the etcd cluster has.
    #[arg(long, default_value_t = 3)]
    members: usize,
    /// The program that moves them, if it is not the one beside this.
    #[arg(long)]
    program: Option<std::path::PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let program = options.program.clone().map_or_else(program, Ok)?;
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let filled = runtime.block_on(fill(&options))?;
    drop(runtime);
    let etcd = EtcdSpec { members: options.members, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: dir.path().join("pool"), hosts: 0, etcd, ..PoolSpec::default() })?;
    let hosts = pool.etcd()?.iter().map(|member| member.url().replace("http://", "")).collect::<Vec<_>>();
    let store = format!("etcd://{}/bench", hosts.join(","));
    let (first, last) = (filled.path().display().to_string(), dir.path().join("back").display().to_string());
    let moves = [("to etcd", first.as_str(), store.as_str()), ("and back", &store, &last)];
    let moved = moves.map(|(_, from, to)| migrate(&program, from, to));
    pool.down()?;
    let [there, back] = moved;
    let (there, back) = (there?, back?);
    let told = &there.told;
    println!(
        "{} records, {} bytes, of them {} events; load {}\n",
        told["total"],
        told["bytes"],
        options.events,
        load()
    );
    println!("{:<12} {:>8} {:>10} {:>16} {:>8}", "", "s", "CPU-s", "records a second", "MB");
    for ((name, ..), moved) in moves.iter().zip([&there, &back]) {
        let rate = moved.told["total"].as_f64().unwrap_or(f64::NAN) / moved.took.as_secs_f64();
        let (took, cpu) = (moved.took.as_secs_f64(), moved.cpu.as_secs_f64());
        println!("{name:<12} {took:>8.2} {cpu:>10.2} {rate:>16.0} {:>8.1}", moved.megabytes);
    }
    ensure!(there.told["sha256"] == back.told["sha256"], "what came back is not what left");
    println!("\nWhat came back is what left: SHA-256 {}", back.told["sha256"].as_str().unwrap_or_default());
    Ok(())
}

/// One way.
struct Moved {
    took: Duration,
    cpu: Duration,
    /// The most that the program ever had.
    megabytes: f64,
    told: Value,
}

fn migrate(program: &Path, from: &str, to: &str) -> Result<Moved> {
    let mut command = Command::new(program);
    command.args(["store", "migrate", "--json", "--from", from, "--to", to]).stdout(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().context("the program could not be started")?;
    let (mut cpu, mut kilobytes) = (Duration::ZERO, 0.0);
    while child.try_wait()?.is_none() {
        // It may have ended just now.
        cpu = cpu_of(child.id()).unwrap_or(cpu).max(cpu);
        kilobytes = status_of(child.id(), "VmHWM").unwrap_or(kilobytes);
        std::thread::sleep(LOOK);
    }
    let took = begun.elapsed();
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "from {from} to {to}: it failed");
    let told = serde_json::from_slice(&output.stdout).context("what the program told")?;
    Ok(Moved { took, cpu, megabytes: kilobytes / 1024.0, told })
}

/// The records of a pool with so many apps that run, and so many events.
async fn fill(options: &Options) -> Result<tempfile::TempDir> {
    let controller = Controlling { events_kept: usize::MAX, ..Controlling::default() };
    let capacity = Resources::new(64_000, 1024 * 1024);
    let cluster = ClusterOptions { hosts: HOSTS, capacity, controller, ..ClusterOptions::default() };
    let mut cluster = Cluster::start_in(tempfile::tempdir()?, cluster).await;
    let run = |number: usize| {
        let (cluster, app) = (&cluster, format!("app-{number:04}"));
        async move { cluster.run(&app, 1, &sample()).await }
    };
    stream::iter((0..options.apps).map(run)).buffer_unordered(APPS_AT_ONCE).for_each(async |_| ()).await;
    cluster.stop().await;
    let kept = tempfile::tempdir()?;
    for entry in std::fs::read_dir(cluster.directory())? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::copy(&path, kept.path().join(path.file_name().context("a name")?))?;
        }
    }
    drop(cluster);
    let store = Arc::new(Embedded::open(kept.path())?);
    let there = store.list_all(keys::EVENTS).await?;
    // Most events tell of containers.
    let largest = there.entries.iter().max_by_key(|entry| entry.value.len());
    let template: Value = largest.context("no event")?.json()?;
    let missing: Vec<usize> = (there.entries.len()..options.events).collect();
    let write = |numbers: &[usize]| {
        let (store, template, numbers) = (Arc::clone(&store), template.clone(), numbers.to_vec());
        async move {
            let mut transaction = Transaction::new();
            for number in numbers {
                // Older than those that are there.
                let id = format!("{number:022x}");
                let event = numbered(&template, &id);
                transaction = transaction.put_json(keys::event(&id), &event)?;
            }
            store.commit(transaction).await.map(drop)
        }
    };
    stream::iter(missing.chunks(AT_ONCE).map(write)).buffer_unordered(APPS_AT_ONCE).try_collect::<()>().await?;
    Ok(kept)
}

fn numbered(template: &Value, id: &str) -> Value {
    let mut event = template.clone();
    event["id"] = json!(id);
    event["message"] = json!(format!("id={id}"));
    event
}
