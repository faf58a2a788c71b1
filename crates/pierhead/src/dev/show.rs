//! What `pierhead dev` prints.

use super::controllers;
use super::pool::{DevHost, DevPool, DevServer};
use anyhow::{Result, bail};
use pierhead_devhosts::{Pool, ServiceStatus};
use pierhead_wire::{ContainerView, PortNumber};
use serde_json::json;
use std::path::Path;

/// A pool that was brought up.
pub(super) fn pool(pool: &DevPool, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(pool)?);
        return Ok(());
    }
    println!("\nThe pool is up.\n");
    access(pool);
    hosts(&pool.hosts);
    agents(pool);
    servers(pool);
    println!("Remove it with: pierhead dev down --dir {}", pool.dir.display());
    Ok(())
}

fn access(pool: &DevPool) {
    println!("    URL        {}   (the console, in a browser; and the API)", pool.url);
    println!("    user name  {}", pool.username);
    println!("    password   {}\n", pool.password);
}

fn hosts(hosts: &[DevHost]) {
    println!("{:<10} {:<14} {:<8} DOCKER_HOST", "HOST", "ADDRESS", "PID");
    for host in hosts {
        println!("{:<10} {:<14} {:<8} {}", host.name, host.address, pid(host.pid), host.docker_host);
    }
    println!();
}

/// Who reaches the hosts, if they are reached through agents.
fn agents(pool: &DevPool) {
    if pool.agents.is_empty() {
        return;
    }
    let all: Vec<String> = pool.agents.iter().map(|agent| format!("{} (pid {})", agent.host, agent.pid)).collect();
    println!("Agents: {}. No engine listens on the network.\n", all.join(", "));
}

/// The controllers if there are several, and the etcd cluster if there is one.
fn servers(pool: &DevPool) {
    let listed = |servers: &[DevServer]| {
        let all = servers.iter().map(|server| format!("{} (pid {})", server.url, pid(server.pid)));
        all.collect::<Vec<_>>().join(", ")
    };
    if pool.controllers.len() > 1 {
        println!("Controllers: {}\n", listed(&pool.controllers));
    }
    if !pool.etcd.is_empty() {
        println!("etcd: {}\n", listed(&pool.etcd));
    }
}

/// The pool with its sample app, and what to try next.
pub(super) fn tour(pool: &DevPool, sample: &[ContainerView]) {
    println!("\nPierhead is up, with a sample app on real Docker hosts.\n");
    access(pool);
    hosts(&pool.hosts);
    agents(pool);
    servers(pool);
    containers(sample);
    try_next(&pool.url, &pool.token, sample);
}

pub(super) fn containers(sample: &[ContainerView]) {
    println!("{:<14} {:<12} {:<10} ANSWERS AT", "CONTAINER", "NAME", "HOST");
    for container in sample {
        let id: String = container.id.chars().take(12).collect();
        let name = container.name.trim_start_matches('/');
        println!("{id:<14} {name:<12} {:<10} {}", container.engine.id, url(container));
    }
    println!();
}

fn url(container: &ContainerView) -> String {
    let port = container.ports.first().and_then(|port| Some((port, port.port.as_ref().and_then(PortNumber::number)?)));
    port.map_or_else(String::new, |(port, number)| format!("http://{}:{number}/", port.host_ip))
}

pub(super) fn try_next(url: &str, token: &str, sample: &[ContainerView]) {
    let program = std::env::current_exe().map_or_else(|_| "pierhead".to_owned(), |path| path.display().to_string());
    println!("Try next, in another terminal:\n");
    println!("    export PIERHEAD_URL={url} PIERHEAD_TOKEN={token}");
    println!("    alias pierhead={program}");
    println!("    pierhead container ls");
    if let Some(container) = sample.first() {
        println!("    curl {}", self::url(container));
    }
    println!("    pierhead scale sample 5");
    println!("    pierhead explain sample");
    println!("    pierhead run pierhead/sample:1 --count 2 --cpus 0.1 --memory 32 -p 80");
    println!("    pierhead engine ls\n");
    println!("Ctrl-C stops everything and removes every trace of it.");
}

/// What of a pool runs.
pub(super) fn status(dir: &Path, as_json: bool) -> Result<()> {
    let pool = Pool::open(dir)?;
    let (hosts, members, services) = (pool.status()?, pool.etcd_status()?, pool.services()?);
    if as_json {
        println!(
            "{}",
            serde_json::to_string_pretty(
                &json!({ "dir": dir, "hosts": hosts, "etcd": members, "services": services })
            )?
        );
        return all_alive(&pool, &services);
    }
    println!("{:<12} {:<8} {:<10} ADDRESS", "WHAT", "PID", "STATE");
    for host in &hosts {
        println!("{:<12} {:<8} {:<10} {}", host.name, pid(host.pid), state(host.alive, host.answers), host.docker_host);
    }
    for member in &members {
        let state = state(member.alive, member.answers);
        println!("{:<12} {:<8} {:<10} {}", member.name, pid(member.pid), state, member.url);
    }
    for service in &services {
        println!(
            "{:<12} {:<8} {:<10} {}",
            service.name,
            pid(service.pid),
            service_state(service),
            controller_url(&pool, service)
        );
    }
    all_alive(&pool, &services)
}

/// A pool without a controller is none; hosts, members of the etcd cluster and one of several controllers may be dead on
/// purpose.
fn all_alive(pool: &Pool, services: &[ServiceStatus]) -> Result<()> {
    let is_led = services.iter().any(|service| service.alive && controllers::is_one(&service.name));
    let matters = |service: &&ServiceStatus| !(service.alive || is_led && controllers::is_one(&service.name));
    let Some(dead) = services.iter().find(matters) else { return Ok(()) };
    let log = pool.service_dir(&dead.name)?.join("log");
    let dir = pool.dir().display();
    bail!(
        "{} does not run; its log is {}; remove the pool with: pierhead dev down --dir {dir}",
        dead.name,
        log.display()
    )
}

fn pid(pid: Option<u32>) -> String {
    pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string())
}

fn state(alive: bool, answers: bool) -> &'static str {
    match (alive, answers) {
        (true, true) => "answers",
        (true, false) => "hangs",
        (false, _) => "dead",
    }
}

fn service_state(service: &ServiceStatus) -> &'static str {
    if service.alive { "runs" } else { "dead" }
}

fn controller_url(pool: &Pool, service: &ServiceStatus) -> String {
    if !controllers::is_one(&service.name) {
        return String::new();
    }
    let data_dir = controllers::data_dir(pool, &service.name).ok();
    let url = data_dir.and_then(|dir| std::fs::read_to_string(dir.join("url")).ok());
    url.unwrap_or_default()
}

/// A pool that was removed.
pub(super) fn gone(dir: &Path, as_json: bool) {
    if as_json {
        println!("{}", json!({ "dir": dir, "state": "gone" }));
    } else {
        println!("Nothing is left of the pool in {}.", dir.display());
    }
}
