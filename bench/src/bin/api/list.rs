//! The list of all containers: at rest, and while containers come and go.

use crate::pool;
use crate::raw::Asker;
use anyhow::Result;
use pierhead_bench::{cpu_time, thread_cpu_time};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long the pool is looked at while nobody asks.
const IDLE: Duration = Duration::from_secs(3);

pub(crate) fn measure(sizes: &[usize], requests: usize) -> Result<()> {
    let runtime = Runtime::new()?;
    let cluster = runtime.block_on(pool::start(tempfile::tempdir()?, 50, pool::options()));
    let asker = Asker::new(cluster.url(), Some(cluster.admin_token()));
    println!("List of all containers on 50 fake hosts, {requests} requests one after the other\n");
    println!(
        "{:<38} {:>8} {:>8} {:>8} {:>8} {:>15} {:>9}",
        "", "median", "p99", "max", "MB", "server CPU ms", "RSS MB"
    );
    let mut running = 0;
    for &size in sizes {
        runtime.block_on(pool::fill(&cluster, running, size))?;
        running = size;
        let path = "/api/containers?all=true";
        asker.time(path, 20, |_| Ok(()))?;
        let row = |name: &str, between: &mut dyn FnMut(usize) -> Result<()>| -> Result<()> {
            let (all, own) = (cpu_time(), thread_cpu_time());
            let (times, bytes) = asker.time(path, requests, between)?;
            let used = (cpu_time() - all).saturating_sub(thread_cpu_time() - own);
            println!(
                "{:<38} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>15.2} {:>9.0}",
                format!("{size} containers, {name}"),
                times.at(50),
                times.at(99),
                times.at(100),
                bytes as f64 / 1e6,
                used.as_secs_f64() * 1000.0 / requests as f64,
                pool::resident_mb(),
            );
            Ok(())
        };
        row("at rest", &mut |_| Ok(()))?;
        let idle = cpu_time();
        std::thread::sleep(IDLE);
        let idle = (cpu_time() - idle).as_secs_f64() / IDLE.as_secs_f64();
        println!("{:<38} {:>59.1} ms a second without any list", "  the pool at rest costs", idle * 1000.0);
        let ids: Vec<String> = cluster.hosts().map(|(_, host)| host.look()[0].id.to_string()).collect();
        row("one restarted before each list", &mut |at| {
            let path = format!("/api/containers/{}/restart", ids[at % ids.len()]);
            asker.ask("POST", &path, "").map(drop)
        })?;
    }
    println!("\nmedian, p99 and max in ms, connection included; server CPU: of all that the process did meanwhile");
    Ok(())
}
