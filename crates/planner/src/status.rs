//! What a slot is at this moment, in a word and a sentence.

use crate::World;
use crate::freeze::freeze;
use crate::reconcile::serves;
use crate::retry::has_failed;
use crate::slot::{exit_words, is_up};
use pierhead_model::{Assignment, ContainerId, ContainerState, EngineId, HealthStatus, SlotKey, SlotWish};

/// What a slot is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotStatus {
    /// In a word.
    pub phase: SlotPhase,
    /// Its main container, if it is there.
    pub container: Option<ContainerId>,
    /// Its host, if it has one.
    pub engine: Option<EngineId>,
    /// What is going on, or what failed lately; empty if all is well.
    pub message: String,
    /// Whether it does its work now, be it by former containers.
    pub serves: bool,
}

/// What a slot is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotPhase {
    /// It has no host, or failed on the one that it had.
    Waiting,
    /// It has a host and is about to run there.
    Starting,
    /// All its containers run.
    Running,
    /// It was stopped, and is kept.
    Stopped,
    /// It has run to its end, and says that all is well.
    Done,
    /// It has run to its end, and says that it failed.
    Failed,
    /// Its host does not answer.
    Lost,
    /// Nobody wants it any more, and it is about to be gone.
    Removing,
    /// Nothing is left of it.
    Removed,
}

impl SlotPhase {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Removing => "removing",
            Self::Removed => "removed",
        }
    }
}

/// What a slot is at this moment.
#[must_use]
pub fn slot_status(world: &World, key: &SlotKey) -> SlotStatus {
    let app = world.apps().get(&key.app);
    let wish = app.and_then(|app| app.slots.get(&key.slot)).map(|intent| intent.wish);
    let Some(assignment) = world.assignments().get(key) else {
        let phase = match wish {
            None => SlotPhase::Removed,
            Some(SlotWish::Stopped) => SlotPhase::Stopped,
            Some(SlotWish::Running) => SlotPhase::Waiting,
        };
        let message = if phase == SlotPhase::Waiting { "waits for a host" } else { "" };
        return SlotStatus { phase, container: None, engine: None, message: message.to_owned(), serves: false };
    };
    let current = world.current(assignment);
    let main = app.and_then(|app| app.members.first()).and_then(|member| current.get(&member.name));
    let all_run = app.is_some_and(|app| is_up(app, &current));
    let any_runs = current.values().any(|container| container.state.is_running());
    let health = world.engines().get(&assignment.engine).map(|engine| engine.health.status);
    let is_lost = health.is_none_or(|health| health == HealthStatus::Down);
    let phase = match wish {
        None => SlotPhase::Removing,
        Some(_) if let Some(exit) = &assignment.exit => match exit.code {
            0 => SlotPhase::Done,
            _ => SlotPhase::Failed,
        },
        Some(SlotWish::Stopped) if !any_runs => SlotPhase::Stopped,
        Some(_) if is_lost => SlotPhase::Lost,
        Some(SlotWish::Stopped) => SlotPhase::Running,
        Some(SlotWish::Running) if has_failed(assignment) => SlotPhase::Waiting,
        Some(SlotWish::Running) if all_run => SlotPhase::Running,
        Some(SlotWish::Running) => SlotPhase::Starting,
    };
    let mut message = message(phase, wish, assignment, health.is_some());
    if phase == SlotPhase::Lost
        && let Some(freeze) = freeze(world).filter(|freeze| freeze.hosts.contains(&assignment.engine))
    {
        message = freeze.of_slot(&assignment.engine);
    }
    let exited = current.values().find(|c| matches!(c.state, ContainerState::Exited | ContainerState::Restarting));
    if phase == SlotPhase::Starting
        && let Some(container) = exited
    {
        message = format!("exited on host {} ({}) and is started again", assignment.engine, exit_words(container));
    }
    if phase == SlotPhase::Starting && current.values().any(|container| container.state == ContainerState::Paused) {
        message = format!("is paused on host {}", assignment.engine);
    }
    let former = assignment.fallback.as_deref().map(|fallback| &fallback.assignment);
    let former = former.filter(|former| wish == Some(SlotWish::Running) && serves(world, former));
    if let Some(former) = former.filter(|_| phase != SlotPhase::Running) {
        message.push_str(&format!("; its former container on host {} serves until then", former.engine));
    }
    SlotStatus {
        serves: phase == SlotPhase::Running || former.is_some(),
        phase,
        container: main.map(|container| container.id.clone()),
        engine: Some(assignment.engine.clone()),
        message,
    }
}

fn message(phase: SlotPhase, wish: Option<SlotWish>, assignment: &Assignment, is_in_pool: bool) -> String {
    let engine = &assignment.engine;
    let trouble = assignment.attempts.last();
    let trouble = trouble.map(|attempt| format!("failed on host {}: {}", attempt.engine, attempt.failure.message));
    match phase {
        SlotPhase::Starting => match trouble {
            Some(trouble) => format!("starts on host {engine} ({trouble})"),
            None => format!("starts on host {engine}"),
        },
        SlotPhase::Waiting => trouble.unwrap_or_default(),
        SlotPhase::Running if wish == Some(SlotWish::Stopped) => format!("is being stopped on host {engine}"),
        SlotPhase::Running => trouble.map(|trouble| format!("runs again ({trouble})")).unwrap_or_default(),
        SlotPhase::Lost if is_in_pool => format!("host {engine} is down"),
        SlotPhase::Lost => format!("host {engine} is not in the pool any more"),
        SlotPhase::Done | SlotPhase::Failed => {
            assignment.exit.as_ref().map(|exit| format!("exited with code {}", exit.code)).unwrap_or_default()
        }
        SlotPhase::Removing => format!("is being removed from host {engine}"),
        SlotPhase::Stopped | SlotPhase::Removed => String::new(),
    }
}
