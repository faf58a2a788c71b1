//! The newest events of a log that holds very many; and what it costs to remove old ones.

use crate::pool;
use crate::raw::{Asker, Times};
use anyhow::{Context, Result, ensure};
use pierhead_bench::{cpu_time, thread_cpu_time};
use pierhead_controller::{Clock, Connect, Controller, Options, keys};
use pierhead_store::seal::Sealer;
use pierhead_store::{Embedded, Store, Transaction};
use pierhead_testkit::{Cluster, sample};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How many events one transaction writes.
const AT_ONCE: usize = 90;
/// One event in so many is of the rare kinds that the filters ask for.
const RARE: usize = 20_000;

pub(crate) fn measure(events: usize, requests: usize) -> Result<()> {
    let runtime = Runtime::new()?;
    let directory = tempfile::tempdir()?;
    let template = runtime.block_on(template())?;
    let begun = Instant::now();
    runtime.block_on(fill(directory.path(), events, &template))?;
    println!(
        "\nNewest events of {events} ({} bytes each in the store), filled in {:.0} s\n",
        template.to_string().len(),
        begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let cluster = runtime.block_on(pool::start(directory, 0, pool::options()));
    let asker = Asker::new(cluster.url(), Some(cluster.admin_token()));
    println!("started in {:.1} s, {:.0} MB resident\n", begun.elapsed().as_secs_f64(), pool::resident_mb());
    println!("{:<44} {:>6} {:>9} {:>9} {:>9} {:>14}", "", "events", "median", "p99", "KB", "server CPU ms");
    known(&asker, begun)?;
    let path = |query: &str| format!("/api/events?count=100{query}");
    for (name, query, requests) in [
        ("newest 100", "", requests),
        ("of a type that is everywhere", "&type=start", requests),
        ("of a tag, in another case", "&tag=docker", requests),
        ("of a rare type (1 in 20,000)", "&type=oom", requests.min(5)),
        ("of a rare container", "&container=badcafe", requests.min(5)),
        ("of a type that never was", "&type=nothing", requests.min(5)),
    ] {
        let path = path(query);
        let found: Vec<Value> = serde_json::from_slice(&asker.ask("GET", &path, "")?)?;
        let (all, own) = (cpu_time(), thread_cpu_time());
        let (times, bytes) = asker.time(&path, requests, |_| Ok(()))?;
        let used = (cpu_time() - all).saturating_sub(thread_cpu_time() - own);
        println!(
            "{name:<44} {:>6} {:>9.2} {:>9.2} {:>9.1} {:>14.2}",
            found.len(),
            times.at(50),
            times.at(99),
            bytes as f64 / 1e3,
            used.as_secs_f64() * 1000.0 / requests as f64
        );
    }
    runtime.block_on(retention(cluster, events))
}

/// Waits until the server has looked at the whole log once, and tells how long a search took before and when that was.
fn known(asker: &Asker, begun: Instant) -> Result<()> {
    let mut first = None;
    loop {
        let search = Instant::now();
        asker.ask("GET", "/api/events?type=nothing", "")?;
        let took = search.elapsed();
        let first = *first.get_or_insert(took);
        // What is settled is known from then on; what was written in the last minutes is always read.
        if took < first / 4 || begun.elapsed() > Duration::from_secs(240) {
            println!(
                "a search for what never was took {:.0} ms at first, and {:.0} ms from {:.0} s after the start on\n",
                first.as_secs_f64() * 1e3,
                took.as_secs_f64() * 1e3,
                begun.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

async fn template() -> Result<Value> {
    template_of(&pool::start(tempfile::tempdir()?, 1, pool::options()).await).await
}

/// An event of an engine as it is stored, with its container and engine.
pub(crate) async fn template_of(cluster: &Cluster) -> Result<Value> {
    cluster.run("web", 1, &sample()).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let page = cluster.controller().store().list(keys::EVENTS, None, 100).await?;
        for entry in page.entries {
            let event: Value = serde_json::from_slice(&entry.value)?;
            if event["type"] == "start" && event["app"] == "web" {
                return Ok(event);
            }
        }
        ensure!(Instant::now() < deadline, "the engine told of no start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fill(directory: &Path, events: usize, template: &Value) -> Result<()> {
    let store = Embedded::open(directory)?;
    // As if they had come one after the other, a millisecond apart, until an hour ago.
    let first = Clock::start().now().0.saturating_sub(3_600_000 + events as u64);
    let id = |number: usize| format!("{:014x}{number:08x}", (first + number as u64) << 12);
    let mut tasks = tokio::task::JoinSet::new();
    let mut at = 0;
    let store = Arc::new(store);
    while at < events {
        let mut transaction = Transaction::new();
        for number in at..events.min(at + AT_ONCE) {
            let id = id(number);
            transaction = transaction.put_json(keys::event(&id), &numbered(template, &id, number))?;
        }
        at += AT_ONCE;
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.commit(transaction).await });
        if tasks.len() >= 16 {
            tasks.join_next().await.context("a task")???;
        }
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

fn numbered(template: &Value, id: &str, number: usize) -> Value {
    let mut event = template.clone();
    event["id"] = json!(id);
    event["type"] = json!(if number % RARE == 7 { "oom" } else { ["create", "start", "die", "destroy"][number % 4] });
    let container = if number % RARE == 7 { "badcafe".repeat(9) } else { format!("{number:064x}") };
    event["container"]["observed"]["id"] = json!(container);
    event["message"] = json!(format!("id={container}, number={number}"));
    event
}

/// Removes a tenth of the log while somebody goes on writing, and measures how long each of those writes takes.
async fn retention(mut cluster: Cluster, events: usize) -> Result<()> {
    cluster.stop().await;
    let parent = tempfile::tempdir()?;
    let directory = parent.path().join("store");
    std::fs::rename(cluster.directory(), &directory)?;
    let store: Arc<dyn Store> = Arc::new(Embedded::open(&directory)?);
    let oldest = oldest(&*store).await?;
    let undisturbed = writes(&store, async || Ok(false), Duration::from_secs(3)).await?;
    let (kept, sweep_interval) = (events - events / 10, Duration::from_secs(1));
    let options = Options { events_kept: kept, sweep_interval, ..pool::options() };
    let sealer = Arc::new(Sealer::open_or_create(&directory)?);
    let connect: Connect = Arc::new(|_| Err("there are no engines".to_owned()));
    let (cpu, begun) = (cpu_time(), Instant::now());
    let controller = Controller::start(Arc::clone(&store), sealer, connect, options).await?;
    let is_gone = async || Ok(store.get(&oldest).await?.is_none());
    let disturbed = writes(&store, is_gone, Duration::from_secs(300)).await?;
    println!(
        "\n{} old events removed within {:.1} s, {:.1} CPU-s; a write beside it: median {:.2} ms, p99 {:.2} ms, \
         slowest {:.1} ms; without it {:.2}, {:.2}, {:.1} ms",
        events / 10,
        begun.elapsed().as_secs_f64(),
        (cpu_time() - cpu).as_secs_f64(),
        disturbed.at(50),
        disturbed.at(99),
        disturbed.at(100),
        undisturbed.at(50),
        undisturbed.at(99),
        undisturbed.at(100),
    );
    controller.shut_down().await;
    Ok(())
}

/// The key of the oldest event.
async fn oldest(store: &dyn Store) -> Result<String> {
    let mut after: Option<String> = None;
    loop {
        let page = store.list(keys::EVENTS, after.as_deref(), 1000).await?;
        after = page.entries.last().map(|entry| entry.key.to_string()).or(after);
        if !page.more {
            return after.context("there is none");
        }
    }
}

/// Writes a record every 5 ms until something is so; how long each write took.
async fn writes(
    store: &Arc<dyn Store>,
    mut is_so: impl AsyncFnMut() -> Result<bool>,
    limit: Duration,
) -> Result<Times> {
    let (begun, mut times) = (Instant::now(), Vec::new());
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    while begun.elapsed() < limit && (times.len() % 50 != 0 || !is_so().await?) {
        pace.tick().await;
        let write = Instant::now();
        store.commit(Transaction::new().put("bench/record", vec![b'x'; 300])).await?;
        times.push(write.elapsed());
    }
    Ok(Times::new(times))
}
