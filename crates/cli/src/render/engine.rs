//! How engines look.

use super::{fields, number, table};
use pierhead_wire::EngineView;

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
    let lacks: Vec<(&str, String)> = engine.lacks.iter().map(|lack| ("lacks", lack.clone())).collect();
    head + &fields(&lacks)
}

/// How it answers, and what it is for unless that is everything.
fn health(engine: &EngineView) -> String {
    let health = match engine.health.reason.as_str() {
        "" => engine.health.status.clone(),
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
