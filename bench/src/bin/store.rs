//! Durable commits: the embedded store beside a bare append with fdatasync and beside SQLite used plainly.
//!
//! All write the same documents (300 bytes of JSON, 10,000 keys) to the same disk, in rounds that take turns. SQLite is
//! used plainly, with the same tables and the same durability, with one and with fifty documents per commit.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use pierhead_bench::{cpu_time, median};
use pierhead_store::{Embedded, Store, Transaction};
use rusqlite::{Connection, params};
use serde::Serialize;

const KEYS: u64 = 10_000;
const VALUE_BYTES: usize = 300;
const CLIENTS: u64 = 64;
const PLAIN_GROUP: u64 = 50;

/// Durable commits per second, beside SQLite and a bare fdatasync.
#[derive(Parser)]
struct Options {
    /// Rounds; each measures every variant once.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Time of one variant in one round, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// Where to write; the disk under it is what is measured.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let parent = options.dir.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::tempdir_in(&parent).with_context(|| format!("no room in {}", parent.display()))?;
    let duration = Duration::from_millis(options.millis);
    let mut variants = variants(directory.path())?;
    for variant in &mut variants {
        (variant.run)(duration / 4)?;
    }
    for _ in 0..options.rounds {
        for variant in &mut variants {
            variant.measure(duration)?;
        }
    }
    let report = Report::new(&variants, options.rounds, options.millis);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}

/// One way to write, and what was measured of it.
struct Variant {
    name: &'static str,
    run: Box<dyn FnMut(Duration) -> Result<u64>>,
    per_second: Vec<f64>,
    cpu_seconds_per_1000: Vec<f64>,
}

impl Variant {
    fn new(name: &'static str, run: impl FnMut(Duration) -> Result<u64> + 'static) -> Self {
        Self { name, run: Box::new(run), per_second: Vec::new(), cpu_seconds_per_1000: Vec::new() }
    }

    fn measure(&mut self, duration: Duration) -> Result<()> {
        let (cpu, start) = (cpu_time(), Instant::now());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let documents = (self.run)(duration)? as f64;
        self.per_second.push(documents / start.elapsed().as_secs_f64());
        self.cpu_seconds_per_1000.push((cpu_time() - cpu).as_secs_f64() * 1000.0 / documents);
        Ok(())
    }
}

fn variants(directory: &Path) -> Result<Vec<Variant>> {
    let mut bare = Bare::open(&directory.join("bare"))?;
    let mut plain = Plain::open(&directory.join("plain.db"))?;
    let mut plain_group = Plain::open(&directory.join("plain-group.db"))?;
    let runtime = Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?);
    let mut one = Ours::open(&directory.join("one"), &runtime)?;
    let mut many = Ours::open(&directory.join("many"), &runtime)?;
    Ok(vec![
        Variant::new("append + fdatasync, 1 client", move |duration| bare.run(duration)),
        Variant::new("SQLite, 1 write a commit", move |duration| plain.run(duration, 1)),
        Variant::new("Pierhead, 1 client", move |duration| one.run(duration, 1)),
        Variant::new("SQLite, 50 writes a commit", move |duration| plain_group.run(duration, PLAIN_GROUP)),
        Variant::new("Pierhead, 64 clients", move |duration| many.run(duration, CLIENTS)),
    ])
}

/// Spread over the keys, so that neighbours in time aren't neighbours in the table.
fn key(number: u64) -> String {
    format!("app/demo/slot/{:05}", number.wrapping_mul(7919) % KEYS)
}

fn value(number: u64) -> Vec<u8> {
    let head = format!("{{\"number\":{number},\"text\":\"");
    let text = "x".repeat(VALUE_BYTES - head.len() - 2);
    format!("{head}{text}\"}}").into_bytes()
}

/// Nothing but a file.
struct Bare {
    file: File,
    written: u64,
}

impl Bare {
    fn open(path: &Path) -> Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path)?, written: 0 })
    }

    fn run(&mut self, duration: Duration) -> Result<u64> {
        let (start, before) = (Instant::now(), self.written);
        while start.elapsed() < duration {
            self.written += 1;
            let mut line = key(self.written).into_bytes();
            line.extend(value(self.written));
            self.file.write_all(&line)?;
            self.file.sync_data()?;
        }
        Ok(self.written - before)
    }
}

/// SQLite, as anybody would use it.
struct Plain {
    connection: Connection,
    written: u64,
}

impl Plain {
    fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch(
            "CREATE TABLE documents (
                key TEXT PRIMARY KEY, value BLOB NOT NULL,
                created INTEGER NOT NULL, modified INTEGER NOT NULL, lease INTEGER
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE history (
                place INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, value BLOB, lease INTEGER
            ) STRICT;",
        )?;
        let mut plain = Self { connection, written: 0 };
        for _ in 0..KEYS / 100 {
            plain.commit(100)?;
        }
        Ok(plain)
    }

    fn run(&mut self, duration: Duration, writes: u64) -> Result<u64> {
        let (start, before) = (Instant::now(), self.written);
        while start.elapsed() < duration {
            self.commit(writes)?;
        }
        Ok(self.written - before)
    }

    fn commit(&mut self, writes: u64) -> Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..writes {
            self.written += 1;
            let (key, value) = (key(self.written), value(self.written));
            let revision = i64::try_from(self.written)?;
            let created: i64 = self
                .connection
                .prepare_cached(
                    "INSERT INTO documents (key, value, created, modified) VALUES (?1, ?2, ?3, ?3)
                     ON CONFLICT (key) DO UPDATE SET value = ?2, modified = ?3 RETURNING created",
                )?
                .query_row(params![key, value, revision], |row| row.get(0))?;
            self.connection
                .prepare_cached("INSERT INTO history (place, key, created, value) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![revision, key, created, value])?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

/// The embedded store.
struct Ours {
    store: Arc<Embedded>,
    runtime: Arc<tokio::runtime::Runtime>,
    written: Arc<AtomicU64>,
}

impl Ours {
    fn open(path: &Path, runtime: &Arc<tokio::runtime::Runtime>) -> Result<Self> {
        let store = Arc::new(Embedded::open(path)?);
        for part in 0..KEYS / 100 {
            let numbers = part * 100..(part + 1) * 100;
            let part = numbers.fold(Transaction::new(), |all, number| all.put(key(number), value(number)));
            runtime.block_on(store.commit(part))?;
        }
        Ok(Self { store, runtime: Arc::clone(runtime), written: Arc::new(AtomicU64::new(KEYS)) })
    }

    fn run(&mut self, duration: Duration, clients: u64) -> Result<u64> {
        let (start, before) = (Instant::now(), self.written.load(Ordering::Relaxed));
        self.runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..clients {
                let (store, written) = (Arc::clone(&self.store), Arc::clone(&self.written));
                tasks.spawn(async move {
                    while start.elapsed() < duration {
                        let number = written.fetch_add(1, Ordering::Relaxed);
                        store.commit(Transaction::new().put(key(number), value(number))).await?;
                    }
                    Ok::<_, pierhead_store::Error>(())
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended??;
            }
            Ok::<_, anyhow::Error>(())
        })?;
        Ok(self.written.load(Ordering::Relaxed) - before)
    }
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    writes_per_second: f64,
    microseconds_per_write: f64,
    cpu_seconds_per_1000: f64,
}

#[derive(Serialize)]
struct Report {
    rounds: usize,
    milliseconds_each: u64,
    cpus: usize,
    rows: Vec<Row>,
    /// Time of one client's commit over that of a bare fdatasync.
    one_client_over_fdatasync: f64,
    /// Time of one client's commit over that of plain SQLite; at most 1.5 is wanted.
    one_client_over_plain: f64,
    /// Rate of 64 clients over that of plain SQLite with 50 writes a commit; at least 0.7 is wanted.
    many_clients_over_plain_group: f64,
}

impl Report {
    fn new(variants: &[Variant], rounds: usize, milliseconds_each: u64) -> Self {
        // Of neighbours in the same round, so that a slow moment of the disk meets both.
        let ratio = |over: usize, under: usize| {
            let pairs = variants[over].per_second.iter().zip(&variants[under].per_second);
            median(&pairs.map(|(over, under)| over / under).collect::<Vec<_>>())
        };
        let row = |variant: &Variant| Row {
            name: variant.name,
            writes_per_second: median(&variant.per_second),
            microseconds_per_write: 1e6 / median(&variant.per_second),
            cpu_seconds_per_1000: median(&variant.cpu_seconds_per_1000),
        };
        Self {
            rounds,
            milliseconds_each,
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            rows: variants.iter().map(row).collect(),
            one_client_over_fdatasync: ratio(0, 2),
            one_client_over_plain: ratio(1, 2),
            many_clients_over_plain_group: ratio(4, 3),
        }
    }

    fn print(&self) {
        println!(
            "Durable writes of {VALUE_BYTES} bytes; medians of {} rounds of {} ms; {} CPUs\n",
            self.rounds, self.milliseconds_each, self.cpus
        );
        println!("{:<30} {:>10} {:>12} {:>16}", "", "writes/s", "µs a write", "CPU-s per 1000");
        for row in &self.rows {
            println!(
                "{:<30} {:>10.0} {:>12.1} {:>16.4}",
                row.name, row.writes_per_second, row.microseconds_per_write, row.cpu_seconds_per_1000
            );
        }
        println!("\none client, its time over a bare fdatasync's: {:.2}", self.one_client_over_fdatasync);
        println!("one client, its time over plain SQLite's (≤ 1.5 wanted): {:.2}", self.one_client_over_plain);
        println!(
            "64 clients, their rate over plain SQLite's with 50 writes a commit (≥ 0.7 wanted): {:.2}",
            self.many_clients_over_plain_group
        );
    }
}
