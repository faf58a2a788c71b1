//! Commits to the store in etcd beside etcd's own client, which is `etcdctl check perf` at its largest load: 1,000 clients
//! that put documents of 1,024 bytes for a minute. They take turns, each on new members of its own.
//!
//! A commit of ours is a transaction; the third row is what a change costs in truth: a document is compared and written, and
//! its event with it.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use pierhead_bench::median;
use pierhead_devhosts::{EtcdSpec, Pool, PoolSpec};
use pierhead_store::{Error, Etcd, EtcdAddress, EtcdSettings, Revision, Store, Transaction};
use serde::Serialize;

const VALUE_BYTES: usize = 1024;

/// Commits per second to the store in etcd, beside etcd's own client.
#[derive(Parser)]
struct Options {
    /// Rounds; each measures every variant once. etcd's own client takes a minute.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Time of one of our variants in one round, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How many members the cluster has.
    #[arg(long, default_value_t = 1)]
    members: usize,
    /// How many clients write at once; etcd's own are 1,000.
    #[arg(long, default_value_t = 1000)]
    clients: u64,
    /// Leave etcd's own client out.
    #[arg(long)]
    ours_only: bool,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    rounds: usize,
    members: usize,
    clients: u64,
    cpus: usize,
    /// Of `etcdctl check perf`; nothing if it was left out.
    etcdctl_per_second: Vec<f64>,
    /// One document a commit.
    puts_per_second: Vec<f64>,
    /// A document compared and written, and its event.
    changes_per_second: Vec<f64>,
    /// One client, one document a commit.
    one_client_per_second: Vec<f64>,
    /// Our puts over those of etcd's own client.
    puts_over_etcdctl: Option<f64>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let report = measure(&options)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}

fn measure(options: &Options) -> Result<Report> {
    let mut report = Report {
        rounds: options.rounds,
        members: options.members,
        clients: options.clients,
        cpus: std::thread::available_parallelism().map_or(0, usize::from),
        etcdctl_per_second: Vec::new(),
        puts_per_second: Vec::new(),
        changes_per_second: Vec::new(),
        one_client_per_second: Vec::new(),
        puts_over_etcdctl: None,
    };
    for _ in 0..options.rounds {
        if !options.ours_only {
            report.etcdctl_per_second.push(with_etcd(options.members, etcdctl)?);
        }
        with_etcd(options.members, |hosts| ours(options, hosts, &mut report))?;
    }
    // Neighbours in the same round, so that a slow moment of the disk meets both.
    let pairs = report.puts_per_second.iter().zip(&report.etcdctl_per_second);
    let ratios: Vec<_> = pairs.map(|(ours, theirs)| ours / theirs).collect();
    report.puts_over_etcdctl = (!ratios.is_empty()).then(|| median(&ratios));
    Ok(report)
}

/// A cluster of one's own: what etcd's own client deletes at its end, all at once, slows transactions down for long.
fn with_etcd<T>(members: usize, measured: impl FnOnce(&[String]) -> Result<T>) -> Result<T> {
    let directory = tempfile::tempdir()?;
    let etcd = EtcdSpec { members, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: directory.path().join("pool"), hosts: 0, etcd, ..PoolSpec::default() })?;
    let hosts = pool.etcd()?.iter().map(|member| member.url().replace("http://", "")).collect::<Vec<_>>();
    let answer = measured(&hosts);
    pool.down()?;
    answer
}

fn ours(options: &Options, hosts: &[String], report: &mut Report) -> Result<()> {
    let settings = EtcdSettings::new(EtcdAddress::parse(&format!("etcd://{}/bench", hosts.join(",")))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let store = Arc::new(runtime.block_on(Etcd::open(&settings))?);
    let duration = Duration::from_secs(options.seconds);
    let run = |kind, clients| runtime.block_on(run(&store, kind, clients, duration));
    report.one_client_per_second.push(run(Kind::Put, 1)?);
    report.puts_per_second.push(run(Kind::Put, options.clients)?);
    report.changes_per_second.push(run(Kind::Change, options.clients)?);
    Ok(())
}

/// Writes per second of etcd's own client. It exits with an error where it finds its own goal missed.
fn etcdctl(hosts: &[String]) -> Result<f64> {
    let ended = Command::new("etcdctl")
        .args(["--endpoints", &hosts.join(","), "check", "perf", "--load=xl"])
        .env("ETCDCTL_API", "3")
        .output()
        .context("etcdctl is needed: scripts/deps test installs it")?;
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let line =
        text.lines().find(|line| line.contains("Throughput")).with_context(|| format!("no figure in {text:?}"))?;
    let number = line.split_whitespace().find_map(|word| word.parse::<f64>().ok());
    match number {
        Some(number) if number > 0.0 => Ok(number),
        _ => bail!("no figure in {line:?}"),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Put,
    Change,
}

/// Commits per second of so many clients, each with a document of its own.
async fn run(store: &Arc<Etcd>, kind: Kind, clients: u64, duration: Duration) -> Result<f64> {
    let (start, done) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (store, done) = (Arc::clone(store), Arc::clone(&done));
        tasks.spawn(async move {
            let (document, value) = (format!("d/{client:05}"), vec![b'x'; VALUE_BYTES]);
            let (mut since, mut round) = (None, 0_u64);
            while start.elapsed() < duration {
                let transaction = match since {
                    Some(since) => kind.transaction(&document, since, &value, round),
                    None => Transaction::new().put(document.as_str(), value.clone()),
                };
                // What isn't answered in time isn't counted; the document is then written anew.
                since = match store.commit(transaction).await {
                    Ok(revision) => Some(revision),
                    Err(Error::Unavailable { .. } | Error::Conflict { .. }) => None,
                    Err(error) => return Err(error),
                };
                done.fetch_add(u64::from(since.is_some()), Ordering::Relaxed);
                round += 1;
            }
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

impl Kind {
    fn transaction(self, document: &str, since: Revision, value: &[u8], round: u64) -> Transaction {
        let put = Transaction::new().put(document, value);
        match self {
            Self::Put => put,
            Self::Change => put.unchanged(document, since).put(format!("log/{document}/{round}"), &value[..300]),
        }
    }
}

impl Report {
    fn print(&self) {
        println!(
            "Commits per second to {} member(s) of etcd, documents of {VALUE_BYTES} bytes; medians of {} rounds; {} CPUs\n",
            self.members, self.rounds, self.cpus
        );
        let row = |name: &str, figures: &[f64]| {
            if !figures.is_empty() {
                println!("{name:<52} {:>8.0}", median(figures));
            }
        };
        row("etcdctl check perf, 1000 clients, put", &self.etcdctl_per_second);
        row(&format!("Pierhead, {} clients, put", self.clients), &self.puts_per_second);
        row(&format!("Pierhead, {} clients, compare, put, event", self.clients), &self.changes_per_second);
        row("Pierhead, 1 client, put", &self.one_client_per_second);
        if let Some(ratio) = self.puts_over_etcdctl {
            println!("\nour puts over those of etcd's own client: {ratio:.2}");
        }
    }
}
