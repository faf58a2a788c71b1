//! Many who watch the event log. Those who watch are a process of their own; both read the same monotonic clock. The lag
//! of an event is counted from the moment at which it was due, so that a writer who comes late hides nothing.

use crate::raw::Asker;
use crate::{events, pool};
use anyhow::{Context, Result, ensure};
use pierhead_bench::cpu_time;
use pierhead_controller::{Clock, Ids, keys};
use pierhead_model::{Event, EventTag, Timestamp};
use pierhead_store::Transaction;
use pierhead_testkit::Cluster;
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// How many connections are opened at once.
const OPENED_AT_ONCE: usize = 50;
/// Stands in an event's message before the moment at which it was due.
const DUE: &[u8] = b"due=";

/// The moment on the clock that all processes share, in nanoseconds.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// The measurement, in the role of the one who serves.
pub(crate) fn measure(watchers: usize, rate: u64, seconds: u64) -> Result<()> {
    let runtime = Runtime::new()?;
    let cluster = runtime.block_on(pool::start(tempfile::tempdir()?, 1, pool::options()));
    let template = serde_json::from_value(runtime.block_on(events::template_of(&cluster))?)?;
    let before_mb = pool::resident_mb();
    let expected = rate * seconds;
    let mut child = Watchers::start(&cluster, watchers, expected)?;
    let line = child.line()?;
    ensure!(line == "open", "those who watch said {line:?}");
    let open_mb = pool::resident_mb();
    let cpu = cpu_time();
    let bytes = runtime.block_on(publish(&cluster, &template, rate, expected))?;
    let told = child.line()?;
    let used = cpu_time() - cpu;
    println!("\n{watchers} watchers, {rate} events a second for {seconds} s, {bytes} bytes each as stored\n");
    println!("{told}");
    println!(
        "server: {:.1} CPU-s, {:.2} µs for each delivery; {:.1} kB for each watcher when opened, {:.1} kB at the end",
        used.as_secs_f64(),
        used.as_secs_f64() * 1e6 / (watchers as u64 * expected) as f64,
        (open_mb - before_mb) * 1024.0 / watchers as f64,
        (pool::resident_mb() - before_mb) * 1024.0 / watchers as f64,
    );
    Ok(())
}

struct Watchers {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watchers {
    fn start(cluster: &Cluster, watchers: usize, expected: u64) -> Result<Self> {
        let (watchers, expected) = (watchers.to_string(), expected.to_string());
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--watch", cluster.url(), "--token", cluster.admin_token()]);
        command.args(["--watchers", &watchers, "--expected", &expected]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.lines.next().context("those who watch ended")??)
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes events at a fixed rate, each in a transaction of its own; the size of one as it is stored.
async fn publish(cluster: &Cluster, template: &Event, rate: u64, count: u64) -> Result<usize> {
    let (store, ids) = (cluster.controller().store(), Ids::new(Clock::start()));
    let mut bytes = 0;
    let begun = now() + 200_000_000;
    let mut writes = JoinSet::new();
    for number in 0..count {
        let due = begun + number * 1_000_000_000 / rate;
        tokio::time::sleep(Duration::from_nanos(due.saturating_sub(now()))).await;
        let event = Event {
            id: ids.unique(),
            time: Timestamp(due / 1_000_000),
            message: format!("due={due:020}"),
            tags: vec![EventTag::Docker],
            ..template.clone()
        };
        let value = serde_json::to_vec(&event)?;
        bytes = value.len();
        let (store, key) = (Arc::clone(store), keys::event(&event.id));
        writes.spawn(async move { store.commit(Transaction::new().put(key, value)).await });
        while let Some(done) = writes.try_join_next() {
            done??;
        }
    }
    while let Some(done) = writes.join_next().await {
        done??;
    }
    Ok(bytes)
}

/// In the role of those who watch: says `open` when all of them do, and at the end how it went.
pub(crate) fn watch(url: &str, token: &str, watchers: usize, expected: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address = url.rsplit("://").next().unwrap_or(url).to_owned();
    // Says at once if it can't be.
    Asker::new(url, Some(token)).ask("GET", "/api/events?count=1", "")?;
    let head =
        format!("GET /api/events/stream?type=start HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n");
    runtime.block_on(async {
        let (mut open, mut opening) = (Vec::new(), JoinSet::new());
        for at in 0..watchers {
            opening.spawn(opened(address.clone(), head.clone()));
            if at % OPENED_AT_ONCE == OPENED_AT_ONCE - 1 || at + 1 == watchers {
                while let Some(stream) = opening.join_next().await {
                    open.push(stream??);
                }
            }
        }
        println!("open");
        let mut watching = JoinSet::new();
        for stream in open {
            watching.spawn(watch_one(stream, expected));
        }
        let mut lags = Vec::new();
        while let Some(seen) = watching.join_next().await {
            lags.extend(seen??);
        }
        lags.sort_unstable();
        let at = |per_mille: usize| f64::from(lags[(lags.len() - 1) * per_mille / 1000]) / 1000.0;
        println!(
            "{} deliveries, none missing; lag p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms; those who watch: {:.1} CPU-s",
            lags.len(), at(500), at(990), at(999), at(1000), cpu_time().as_secs_f64(),
        );
        Ok(())
    })
}

async fn opened(address: String, head: String) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    let mut seen = Vec::new();
    while !seen.windows(6).any(|six| six == b": open") {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await?;
        ensure!(read > 0 && seen.len() < 8192, "no stream: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..read]);
    }
    Ok(stream)
}

/// Reads until it has seen as many events as there must be; the lag of each, in microseconds.
async fn watch_one(mut stream: TcpStream, expected: u64) -> Result<Vec<u32>> {
    let (mut lags, mut rest) = (Vec::new(), Vec::new());
    let (mut buffer, mut seen) = (vec![0; 64 * 1024], HashSet::new());
    while (lags.len() as u64) < expected {
        let read =
            tokio::time::timeout(Duration::from_secs(30), stream.read(&mut buffer)).await.context("it is silent")??;
        ensure!(read > 0, "the stream ended");
        let now = now();
        rest.extend_from_slice(&buffer[..read]);
        let mut from = 0;
        while let Some(at) = find(&rest[from..], DUE) {
            let number = from + at + DUE.len();
            let Some(digits) = rest.get(number..number + 20) else { break };
            let due: u64 = std::str::from_utf8(digits)?.parse()?;
            seen.insert(due);
            lags.push(u32::try_from(now.saturating_sub(due) / 1000).unwrap_or(u32::MAX));
            from = number + 20;
        }
        // The beginning of a mark may stand at the end.
        from = from.max(rest.len().saturating_sub(DUE.len() + 20));
        rest.drain(..from);
    }
    ensure!(seen.len() == lags.len(), "an event came twice");
    Ok(lags)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|byte| *byte == first)?;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}
