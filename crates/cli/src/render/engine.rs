//! How engines look.

use super::{fields, number, table};
use pierhead_wire::{AgentView, EngineView};
use std::collections::BTreeSet;

/// What `engine ls` prints.
pub(crate) fn list(engines: &[EngineView], width: Option<u16>) -> String {
    let row = |engine: &EngineView| {
        vec![
            engine.id.clone(),
            engine.addr.clone(),
            health(engine),
            used(engine.reserved_cpus, engine.cpus),
            used(engine.reserved_memory, engine.memory),
            engine.container_count.to_string(),
            engine.docker_version.clone(),
            engine.labels.join(", "),
        ]
    };
    let header = ["ENGINE", "ADDRESS", "HEALTH", "CPUS", "MEMORY MB", "CONTAINERS", "DOCKER", "LABELS"];
    table(&header, engines.iter().map(row), width)
}

/// What `engine show` prints.
pub(crate) fn one(engine: &EngineView) -> String {
    let head = fields(&[
        ("id", engine.id.clone()),
        ("address", engine.addr.clone()),
        ("health", health(engine)),
        ("since", engine.health.since.clone()),
        ("answered in", format!("{} ms", engine.health.response_time)),
        ("cpus", format!("{} reserved", used(engine.reserved_cpus, engine.cpus))),
        ("memory", format!("{} MB reserved", used(engine.reserved_memory, engine.memory))),
        ("containers", engine.container_count.to_string()),
        ("images", engine.image_count.to_string()),
        ("labels", engine.labels.join(", ")),
        ("docker", engine.docker_version.clone()),
        ("api", engine.api_version.clone()),
        ("system", engine.operating_system.clone()),
        ("kernel", engine.kernel.clone()),
        ("storage", engine.storage_driver.clone()),
    ]);
    let told = engine.agent.as_ref().map(agent).unwrap_or_default();
    let of_host = engine.agent.iter().filter_map(|agent| agent.host.as_ref()).flat_map(|host| &host.lacks);
    // Both look at the same engine, and the agent sees more of it.
    let all: BTreeSet<&String> = engine.lacks.iter().chain(of_host).collect();
    let lacks: Vec<(&str, String)> = all.into_iter().map(|lack| ("lacks", lack.clone())).collect();
    head + &told + &fields(&lacks)
}

/// The agent that it is reached through, and what that tells.
fn agent(agent: &AgentView) -> String {
    let mut told: Vec<(&str, String)> = Vec::new();
    if let Some(host) = &agent.host {
        told.extend([
            ("agent", host.agent_version.clone()),
            ("host", format!("{} cores, {} MB, kernel {}", host.cpus, host.memory, host.kernel)),
            ("addresses", host.addresses.join(", ")),
            ("runtime", host.runtime.clone()),
            ("cgroups", host.cgroup_version.clone()),
        ]);
    }
    told.extend(agent.fingerprints.iter().map(|fingerprint| ("certificate", fingerprint.clone())));
    match &agent.expires_at {
        Some(until) => told.push(("good until", until.clone())),
        None => told.push(("certificate", "none: it is revoked".to_owned())),
    }
    fields(&told)
}

/// How it answers, and what it is for unless that is everything.
fn health(engine: &EngineView) -> String {
    let health = match engine.health.reason.as_str() {
        "" => engine.health.status.clone(),
        reason if engine.health.status == "waiting" => format!("waiting {reason}"),
        reason => format!("{}: {reason}", engine.health.status),
    };
    match engine.duty.as_str() {
        "" | "in_service" => health,
        duty => format!("{health}, {duty}"),
    }
}

fn used(reserved: f64, total: f64) -> String {
    format!("{}/{}", number(reserved), number(total))
}
