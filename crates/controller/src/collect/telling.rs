//! What an engine told, with what it was about as it then was.

use crate::known::Known;
use pierhead_engine::EngineEvent;
use pierhead_model::{
    App, ContainerId, ContainerState, ContainerThen, EngineId, EngineThen, MemberName, ObservedContainer, Ownership,
    Resources, Timestamp,
};
use std::collections::BTreeMap;

/// The longest type of an event, and the longest value in a message, in characters.
const LONGEST: usize = 200;

/// What a collector is told.
pub(crate) enum Told {
    /// The stream is open.
    Opened { engine: EngineThen },
    /// Something happened.
    Happened { event: EngineEvent, container: Option<Box<ContainerThen>>, engine: EngineThen, app: Option<String> },
    /// A listing showed that something was not told.
    Missed { from: Timestamp, to: Timestamp, what: String, engine: EngineThen },
}

/// An event with the container that it is about, as the world has it and as the event says; `None` if the engine is
/// not in the pool any more.
pub(crate) fn tell(known: &Known, engine: &EngineId, event: EngineEvent) -> Option<Told> {
    let state = known.world.engines().get(engine)?;
    let then = engine_then(known, engine)?;
    if event.subject != "container" {
        return Some(Told::Happened { event, container: None, engine: then, app: None });
    }
    let id = ContainerId::parse(event.id.as_str()).ok();
    let observed = id.map(|id| {
        let mut container = state.containers.get(&id).cloned().unwrap_or_else(|| from_attributes(id, &event));
        happen(&mut container, &event);
        container
    });
    let ours = observed.as_ref().filter(|container| container.belongs_to(&known.world.cluster));
    let owner = ours.and_then(|container| Ownership::read(&container.labels));
    let of = owner.as_ref().and_then(|owner| Some((known.world.apps().get(&owner.slot.app)?, &owner.member)));
    let app = of.map(|(app, _)| app.name.to_string());
    let app = app.or_else(|| ours?.labels.get(Ownership::APP).cloned());
    let of: Option<(&App, &MemberName)> = of;
    let container = observed.as_ref().map(|container| Box::new(ContainerThen::new(container, of)));
    Some(Told::Happened { event, container, engine: then, app })
}

/// An engine as it is now; `None` if it is not in the pool.
pub(crate) fn engine_then(known: &Known, engine: &EngineId) -> Option<EngineThen> {
    let state = known.world.engines().get(engine)?;
    Some(EngineThen::new(&state.record, state.facts.as_ref(), &state.health))
}

/// A container that was not listed yet, or not any more.
fn from_attributes(id: ContainerId, event: &EngineEvent) -> ObservedContainer {
    let attribute = |name: &str| event.attributes.get(name).cloned().unwrap_or_default();
    let labels: BTreeMap<String, String> = event
        .attributes
        .iter()
        .filter(|(key, _)| key.starts_with("pierhead."))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    ObservedContainer {
        id,
        name: attribute("name"),
        image: attribute("image"),
        state: ContainerState::Created,
        exit_code: None,
        created_at: event.time,
        ports: Vec::new(),
        limits: Resources::default(),
        labels,
        restart_count: 0,
        started_at: None,
    }
}

/// The state that the event tells of: the world may be behind it, or already ahead.
fn happen(container: &mut ObservedContainer, event: &EngineEvent) {
    match event.status.as_str() {
        "create" => container.state = ContainerState::Created,
        "start" | "restart" | "unpause" => {
            container.state = ContainerState::Running;
            container.exit_code = None;
        }
        "pause" => container.state = ContainerState::Paused,
        "die" | "stop" | "destroy" => {
            let told = event.attributes.get("exitCode").and_then(|code| code.parse().ok());
            container.state = ContainerState::Exited;
            container.exit_code = told.or(container.exit_code);
            container.ports.clear();
        }
        _ => {}
    }
}

/// Docker's status. What was executed in a container stands behind it and is left out: it may hold secrets.
pub(super) fn kind(event: &EngineEvent) -> String {
    let status = event.status.as_str();
    let status = if status.starts_with("exec_") { status.split(':').next().unwrap_or_default() } else { status };
    clean(status)
}

/// The event in words. Of the attributes only those of which it is known what they are: labels may be anything.
pub(super) fn message(event: &EngineEvent) -> String {
    let mut message = format!("id={}", clean(&event.id));
    for name in ["name", "image", "exitCode", "signal"] {
        if let Some(value) = event.attributes.get(name) {
            message.push_str(&format!(", {name}={}", clean(value)));
        }
    }
    if event.subject != "container" {
        message.push_str(&format!(", subject={}", clean(&event.subject)));
    }
    message
}

fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

/// A moment in RFC 3339.
pub(super) fn text(moment: Timestamp) -> String {
    let millis = i64::try_from(moment.0).unwrap_or(i64::MAX);
    format!("{:.3}", jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
}
