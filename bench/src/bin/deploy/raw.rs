//! The engines' own API: create and start, by as many threads as asked, evenly over the hosts.

use anyhow::{Result, ensure};
use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::sample;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// The same container that Pierhead makes: limits, log rotation, restart policy.
fn description(no_network: bool) -> Value {
    let megabytes = 16 * 1024 * 1024;
    json!({
        "Image": sample::IMAGE,
        "HostConfig": {
            "NanoCpus": 20_000_000,
            "Memory": megabytes,
            "MemorySwap": megabytes,
            "PidsLimit": 1024,
            "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } },
            "RestartPolicy": { "Name": "unless-stopped" },
            "NetworkMode": if no_network { "none" } else { "bridge" },
        },
    })
}

/// Starts `count` containers, the n-th on the n-th host in turn.
pub(crate) fn deploy(hosts: &[String], count: usize, concurrency: usize, no_network: bool) -> Result<()> {
    let body = description(no_network).to_string();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                start_one(&hosts[number % hosts.len()], &body)?;
            }
        };
        let threads: Vec<_> = (0..concurrency).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")))
    })
}

fn start_one(host: &str, body: &str) -> Result<()> {
    let created = request(host, "POST", "/containers/create", Body::Json(body), LIMIT)?;
    ensure!(created.status == 201, "create: {}", created.text());
    let created: Value = serde_json::from_slice(&created.body)?;
    let id = created["Id"].as_str().unwrap_or_default();
    let started = request(host, "POST", &format!("/containers/{id}/start"), Body::Empty, LIMIT)?;
    ensure!(started.status == 204, "start: {}", started.text());
    Ok(())
}

/// The ids of all containers of a host.
pub(crate) fn list(host: &str, all: bool) -> Result<Vec<String>> {
    let answer =
        request(host, "GET", if all { "/containers/json?all=1" } else { "/containers/json" }, Body::Empty, LIMIT)?;
    let containers: Vec<Value> = serde_json::from_slice(&answer.body)?;
    Ok(containers.iter().filter_map(|container| container["Id"].as_str().map(str::to_owned)).collect())
}

/// Removes every container of every host, hosts in parallel.
pub(crate) fn remove_all(hosts: &[String]) -> Result<()> {
    std::thread::scope(|scope| {
        let remove = |host: &String| -> Result<()> {
            for id in list(host, true)? {
                request(host, "DELETE", &format!("/containers/{id}?force=1"), Body::Empty, LIMIT)?;
            }
            Ok(())
        };
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(move || remove(host))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")))
    })
}
