//! How environments and workspaces look.

use super::{age, fields, table};
use crate::escape::escape;
use pierhead_model::Timestamp;
use pierhead_wire::{EnvironmentContainerDescription, EnvironmentView, WorkspaceView};

/// What `environment ls` prints.
pub(crate) fn environments(environments: &[EnvironmentView], width: Option<u16>) -> String {
    let row = |environment: &EnvironmentView| {
        let images = environment.description.containers.iter().map(|container| container.image.clone());
        vec![
            environment.id.clone(),
            environment.version.to_string(),
            environment.owner.clone(),
            environment.visibility.clone(),
            images.collect::<Vec<_>>().join(", "),
            environment.unconfined.join(", "),
        ]
    };
    let heads = ["ENVIRONMENT", "VERSION", "OWNER", "VISIBILITY", "IMAGES", "ASKS FOR"];
    table(&heads, environments.iter().map(row), width)
}

/// What `environment show` prints.
pub(crate) fn environment(environment: &EnvironmentView) -> String {
    let description = &environment.description;
    let container = |container: &EnvironmentContainerDescription| {
        let (cpus, memory) = (container.cpus.unwrap_or_default(), container.memory.unwrap_or_default());
        format!("{} ({}, {cpus} CPU, {memory} MB)", container.name, container.image)
    };
    let containers = description.containers.iter().map(container).collect::<Vec<_>>().join(", ");
    let minutes = |minutes: Option<u32>| minutes.map(|minutes| format!("{minutes} min")).unwrap_or_default();
    let warm = description.warm.unwrap_or_default();
    fields(&[
        ("environment", environment.id.clone()),
        ("version", environment.version.to_string()),
        ("owner", environment.owner.clone()),
        ("visibility", environment.visibility.clone()),
        ("containers", containers),
        ("lifetime", minutes(description.lifetime_minutes)),
        ("idle for", minutes(description.idle_minutes.filter(|minutes| *minutes > 0))),
        ("started ahead", if warm > 0 { format!("{} of {warm} ready", environment.warm_ready) } else { String::new() }),
        ("asks for", environment.unconfined.join(", ")),
        ("made", environment.created_at.clone()),
        ("changed", environment.changed_at.clone()),
    ])
}

/// What `workspace ls` prints.
pub(crate) fn list(workspaces: &[WorkspaceView], now: Timestamp, width: Option<u16>) -> String {
    let row = |workspace: &WorkspaceView| {
        vec![
            workspace.id.clone(),
            workspace.name.clone(),
            workspace.owner.clone(),
            workspace.environment.clone(),
            phase(workspace),
            workspace.engine.clone().unwrap_or_default(),
            workspace.ends_at.clone().unwrap_or_default(),
            age(&workspace.created_at, now),
        ]
    };
    let heads = ["WORKSPACE", "NAME", "OWNER", "ENVIRONMENT", "PHASE", "HOST", "ENDS", "AGE"];
    table(&heads, workspaces.iter().map(row), width)
}

/// What `workspace show` prints.
pub(crate) fn one(workspace: &WorkspaceView) -> String {
    let guests = workspace.guests.iter().map(|guest| format!("{} ({})", guest.username, guest.role));
    let containers = workspace.containers.iter().map(|container| match &container.id {
        Some(id) => format!("{} ({})", container.name, super::short(id)),
        None => container.name.clone(),
    });
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    fields(&[
        ("workspace", workspace.id.clone()),
        ("name", workspace.name.clone()),
        ("owner", workspace.owner.clone()),
        ("you may", workspace.right.clone()),
        ("guests", guests.collect::<Vec<_>>().join(", ")),
        ("environment", format!("{}, version {}", workspace.environment, workspace.version)),
        ("asks for", workspace.unconfined.join(", ")),
        ("phase", phase(workspace)),
        ("message", workspace.message.clone()),
        ("host", text(&workspace.engine)),
        ("containers", containers.collect::<Vec<_>>().join(", ")),
        ("ends", text(&workspace.ends_at)),
        ("idle at", text(&workspace.idle_at)),
        ("last active", text(&workspace.active_at)),
        ("newest save", text(&workspace.last_save)),
        ("saved", text(&workspace.saved_at)),
        ("left on", workspace.left_on.join(", ")),
        ("opened", workspace.created_at.clone()),
    ])
}

/// A workspace in one line.
pub(crate) fn line(workspace: &WorkspaceView) -> String {
    let on = workspace.engine.as_ref().map(|engine| format!(" on host {engine}")).unwrap_or_default();
    let why = if workspace.message.is_empty() { String::new() } else { format!(": {}", escape(&workspace.message)) };
    format!("{} is {}{on}{why}", workspace.id, phase(workspace))
}

fn phase(workspace: &WorkspaceView) -> String {
    match workspace.queue {
        Some(place) => format!("{} ({place})", workspace.phase),
        None => workspace.phase.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::{EnvironmentDescription, TerminalGuest, WorkspaceContainerView};

    fn workspace() -> WorkspaceView {
        WorkspaceView {
            id: "abcdefgh23".to_owned(),
            name: "my work".to_owned(),
            owner: "ann".to_owned(),
            right: "owner".to_owned(),
            guests: vec![TerminalGuest { username: "bob".to_owned(), role: "driver".to_owned() }],
            environment: "python".to_owned(),
            version: 2,
            phase: "queued".to_owned(),
            queue: Some(3),
            message: "waits for room".to_owned(),
            engine: None,
            containers: vec![WorkspaceContainerView {
                name: "main".to_owned(),
                image: "python".to_owned(),
                id: Some("714e01115f7642a9".to_owned()),
                ports: Vec::new(),
            }],
            unconfined: vec!["root, to install packages".to_owned()],
            ends_at: None,
            idle_at: None,
            active_at: None,
            last_save: None,
            saved_at: None,
            saves_asked: 0,
            saves_taken: 0,
            left_on: Vec::new(),
            created_at: "2026-11-21T22:10:06.120Z".to_owned(),
        }
    }

    #[test]
    fn a_workspace_tells_its_place_in_the_queue() {
        assert_eq!(line(&workspace()), "abcdefgh23 is queued (3): waits for room");
        let ready = WorkspaceView {
            phase: "ready".to_owned(),
            queue: None,
            message: String::new(),
            engine: Some("host-1".to_owned()),
            ..workspace()
        };
        assert_eq!(line(&ready), "abcdefgh23 is ready on host host-1");
        let forged = WorkspaceView { message: "full\nabcdefgh23 is ready".to_owned(), ..workspace() };
        assert_eq!(line(&forged), "abcdefgh23 is queued (3): full\\nabcdefgh23 is ready", "one line");
        let shown = one(&workspace());
        for part in ["bob (driver)", "python, version 2", "main (714e01115f76", "root, to install packages"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(list(&[workspace()], Timestamp(0), None).contains("queued (3)"));
    }

    #[test]
    fn an_environment_tells_its_containers_and_what_it_asks() {
        let container = EnvironmentContainerDescription {
            name: "main".to_owned(),
            image: "python:3.12".to_owned(),
            cpus: Some(0.5),
            memory: Some(256.0),
            ..EnvironmentContainerDescription::default()
        };
        let view = EnvironmentView {
            id: "python".to_owned(),
            owner: "ann".to_owned(),
            visibility: "shared".to_owned(),
            version: 4,
            description: EnvironmentDescription {
                containers: vec![container],
                lifetime_minutes: Some(60),
                idle_minutes: Some(0),
                warm: Some(2),
                asks: None,
            },
            unconfined: Vec::new(),
            warm_ready: 1,
            created_at: "2026-11-21T22:10:06.120Z".to_owned(),
            changed_at: "2026-11-21T22:10:06.120Z".to_owned(),
        };
        let shown = environment(&view);
        assert!(shown.contains("main (python:3.12, 0.5 CPU, 256 MB)") && shown.contains("1 of 2 ready"), "{shown}");
        assert!(environments(&[view], None).contains("python:3.12"));
    }
}
