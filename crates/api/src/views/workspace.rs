//! Environments and workspaces as they are shown to those who may open them or come to them.

use pierhead_controller::WorkspaceNow;
use pierhead_model::{Environment, Visibility, WorkspaceRight, WorkspaceStage, WorkspaceWish};
use pierhead_planner::World;
use pierhead_wire::{
    EnvironmentDescription, EnvironmentView, TerminalGuest, WorkspaceContainerView, WorkspaceView, format_timestamp,
};

/// An environment.
pub(crate) fn environment(world: &World, environment: &Environment) -> EnvironmentView {
    let visibility = match environment.visibility {
        Visibility::Private => "private",
        Visibility::Shared => "shared",
    };
    let is_ready =
        |id| world.workspace_assignments().get(id).is_some_and(|assignment| assignment.stage == WorkspaceStage::Ready);
    let warm = world.workspaces().values().filter(|workspace| {
        workspace.wish == WorkspaceWish::Warm && workspace.environment == environment.id && is_ready(&workspace.id)
    });
    let changed_at = environment.versions.last().map_or(environment.created_at, |version| version.at);
    EnvironmentView {
        id: environment.id.to_string(),
        owner: environment.owner.to_string(),
        visibility: visibility.to_owned(),
        version: environment.version,
        description: EnvironmentDescription::of(&environment.spec),
        unconfined: environment.spec.asks.words(),
        warm_ready: u32::try_from(warm.count()).unwrap_or(u32::MAX),
        created_at: format_timestamp(environment.created_at),
        changed_at: format_timestamp(changed_at),
    }
}

/// A workspace.
pub(crate) fn workspace(now: &WorkspaceNow) -> WorkspaceView {
    let (record, status) = (&now.record, &now.status);
    let guest = |(username, role): (&pierhead_model::Username, &pierhead_model::TerminalRole)| TerminalGuest {
        username: username.to_string(),
        role: role.as_str().to_owned(),
    };
    let container = |container: &pierhead_model::EnvironmentContainer| WorkspaceContainerView {
        name: container.name.to_string(),
        image: container.image.to_string(),
        id: status.containers.get(&container.name).map(ToString::to_string),
        ports: container.ports.clone(),
    };
    let right = match now.right {
        WorkspaceRight::Owner => "owner",
        WorkspaceRight::Driver => "driver",
        WorkspaceRight::Viewer => "viewer",
    };
    WorkspaceView {
        id: record.id.to_string(),
        name: record.name.clone(),
        owner: record.owner.to_string(),
        right: right.to_owned(),
        guests: record.guests.iter().map(guest).collect(),
        environment: record.environment.to_string(),
        version: record.version,
        phase: status.phase.as_str().to_owned(),
        queue: status.queue.and_then(|place| u32::try_from(place).ok()),
        message: status.message.clone(),
        engine: status.engine.as_ref().map(ToString::to_string),
        containers: record.spec.containers.iter().map(container).collect(),
        unconfined: record.spec.asks.words(),
        ends_at: status.ends_at.map(format_timestamp),
        idle_at: status.idle_at.map(format_timestamp),
        active_at: status.active_at.map(format_timestamp),
        last_save: status.last_save.as_ref().map(|(save, _)| save.to_string()),
        saved_at: status.last_save.as_ref().map(|(_, at)| format_timestamp(*at)),
        saves_asked: record.saves_asked,
        saves_taken: status.saves_taken,
        left_on: status.left_on.iter().map(ToString::to_string).collect(),
        created_at: format_timestamp(record.created_at),
    }
}
