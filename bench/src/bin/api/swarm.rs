//! The peer of long lists: Docker Swarm's list of as many tasks. They wait for a node that does not exist, so that
//! nothing but their records is there.

use crate::raw::Asker;
use anyhow::{Context, Result, bail};
use pierhead_devhosts::{Pool, PoolSpec};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) fn measure(tasks: usize, requests: usize) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let pool = Pool::up(PoolSpec { dir: directory.path().join("pool"), hosts: 1, ..PoolSpec::default() })?;
    let measured = measure_on(&pool, tasks, requests);
    pool.down()?;
    measured
}

fn measure_on(pool: &Pool, tasks: usize, requests: usize) -> Result<()> {
    let hosts = pool.hosts()?;
    let host = hosts.first().context("no host")?;
    let asker = Asker::new(host.docker_host(), None);
    let swarm = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1:2377" });
    asker.ask("POST", "/swarm/init", &swarm.to_string()).context("swarm init")?;
    let service = json!({
        "Name": "pending",
        "TaskTemplate": {
            "ContainerSpec": { "Image": pierhead_devhosts::sample::IMAGE },
            "Placement": { "Constraints": ["node.labels.there==no"] },
        },
        "Mode": { "Replicated": { "Replicas": tasks } },
    });
    asker.ask("POST", "/services/create", &service.to_string()).context("the service")?;
    let begun = Instant::now();
    loop {
        let listed: Vec<Value> = serde_json::from_slice(&asker.ask("GET", "/tasks", "")?)?;
        if listed.len() >= tasks {
            break;
        }
        if begun.elapsed() > Duration::from_secs(120) {
            bail!("only {} tasks after two minutes", listed.len());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    asker.time("/tasks", 5, |_| Ok(()))?;
    let (times, bytes) = asker.time("/tasks", requests, |_| Ok(()))?;
    println!(
        "\nDocker Swarm, {tasks} tasks: median {:.1} ms, p99 {:.1} ms, {:.2} MB",
        times.at(50),
        times.at(99),
        bytes as f64 / 1e6
    );
    Ok(())
}
