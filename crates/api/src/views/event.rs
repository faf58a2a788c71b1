//! Events, with containers and engines as they were.

use super::foreign_image;
use pierhead_model::{ContainerThen, EngineThen, Event, HealthStatus, Ownership};
use pierhead_wire::{
    ContainerView, EngineOfContainer, EventView, HealthView, ImageDescription, PortDescription, format_timestamp,
};
use serde_json::{Value, json};

/// An event. It looks the same to everybody: what only an owner may see is not in the log.
pub(crate) fn event(event: &Event) -> EventView {
    let engine = event.engine.as_deref();
    let container = event.container.as_deref().map(|then| container(then, engine));
    EventView {
        id: event.id.clone(),
        kind: event.kind.clone(),
        time: format_timestamp(event.time),
        message: event.message.clone(),
        tags: event.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        container: container.and_then(|view| serde_json::to_value(view).ok()),
        engine: engine.map(engine_view),
        app: event.app.clone(),
        actor: event.actor.as_ref().map(ToString::to_string),
    }
}

fn container(then: &ContainerThen, engine: Option<&EngineThen>) -> ContainerView {
    let observed = &then.observed;
    let owner = then.app.as_ref().and_then(|_| Ownership::read(&observed.labels));
    let host = engine.and_then(|engine| engine.record.host());
    let is_down = engine.is_some_and(|engine| engine.health.status == HealthStatus::Down);
    ContainerView {
        id: observed.id.to_string(),
        name: format!("/{}", observed.name),
        image: then.spec.as_ref().map_or_else(|| foreign_image(observed), |spec| ImageDescription::of(spec, true)),
        engine: engine.map_or_else(nowhere, engine_of_container),
        state: if observed.state.is_running() && !is_down { "running" } else { "stopped" }.to_owned(),
        status: if is_down { "unreachable" } else { observed.state.as_str() }.to_owned(),
        ports: observed.ports.iter().map(|port| PortDescription::bound(port, host)).collect(),
        app: then.app.as_ref().map(ToString::to_string),
        slot: owner.as_ref().map(|owner| owner.slot.slot.0),
        generation: owner.as_ref().map(|owner| owner.generation.0),
        owner: then.owner.as_ref().map(ToString::to_string),
        exit_code: observed.exit_code,
        created_at: format_timestamp(observed.created_at),
    }
}

fn engine_of_container(then: &EngineThen) -> EngineOfContainer {
    let facts = then.facts.clone().unwrap_or_default();
    let allocatable = then.record.allocatable(&facts);
    EngineOfContainer {
        id: then.record.id.to_string(),
        addr: then.record.addr.clone(),
        cpus: allocatable.cpus(),
        memory: allocatable.memory_mb as f64,
        labels: then.record.labels.union(&facts.labels).cloned().collect(),
    }
}

fn nowhere() -> EngineOfContainer {
    EngineOfContainer { id: String::new(), addr: String::new(), cpus: 0.0, memory: 0.0, labels: Vec::new() }
}

/// As an engine is listed, but for what is counted at the moment of the listing.
fn engine_view(then: &EngineThen) -> Value {
    let facts = then.facts.clone().unwrap_or_default();
    let short = engine_of_container(then);
    let health = HealthView {
        status: then.health.status.as_str().to_owned(),
        response_time: then.health.response_time_ms,
        reason: then.health.reason.clone(),
        since: format_timestamp(then.health.since.max(then.record.added_at)),
    };
    json!({
        "id": short.id, "addr": short.addr, "cpus": short.cpus, "memory": short.memory, "labels": short.labels,
        "health": health, "docker_version": facts.version, "api_version": facts.api_version,
        "operating_system": facts.operating_system, "kernel": facts.kernel, "storage_driver": facts.storage_driver,
    })
}
