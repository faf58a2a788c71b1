//! Examples of environments and workspaces.

use super::{CONTAINER, Example, MOMENT};
use crate::{
    EnvironmentChange, EnvironmentContainerDescription, EnvironmentDescription, EnvironmentFileDescription,
    EnvironmentRequest, EnvironmentView, ExtendRequest, TerminalGuest, WorkspaceContainerView, WorkspaceRequest,
    WorkspaceSaveRequest, WorkspaceStartRequest, WorkspaceView,
};
use std::collections::BTreeMap;

const WORKSPACE: &str = "k3f5a2bq7x";

fn description() -> EnvironmentDescription {
    EnvironmentDescription {
        containers: vec![
            EnvironmentContainerDescription {
                name: "main".to_owned(),
                image: "python:3.12".to_owned(),
                cpus: Some(0.5),
                cpu_limit: Some(2.0),
                memory: Some(256.0),
                command: Vec::new(),
                environment: BTreeMap::from([("EDITOR".to_owned(), "vi".to_owned())]),
                working_dir: Some("/srv".to_owned()),
                user: None,
                ports: vec![8000],
                files: vec![EnvironmentFileDescription {
                    path: "/srv/hello.py".to_owned(),
                    content: "print('hello')\n".to_owned(),
                    mode: Some("644".to_owned()),
                }],
                startup: Some("python -m http.server 8000 >/dev/null 2>&1 &".to_owned()),
            },
            EnvironmentContainerDescription {
                name: "db".to_owned(),
                image: "mariadb:11".to_owned(),
                ..EnvironmentContainerDescription::default()
            },
        ],
        lifetime_minutes: Some(240),
        idle_minutes: Some(60),
        warm: Some(2),
        asks: None,
    }
}

impl Example for EnvironmentRequest {
    fn example() -> Self {
        Self { name: "python".to_owned(), visibility: Some("shared".to_owned()), description: description() }
    }
}

impl Example for EnvironmentChange {
    fn example() -> Self {
        Self { visibility: Some("shared".to_owned()), description: Some(description()) }
    }
}

impl Example for EnvironmentView {
    fn example() -> Self {
        Self {
            id: "python".to_owned(),
            owner: "clare".to_owned(),
            visibility: "shared".to_owned(),
            version: 3,
            description: description(),
            unconfined: Vec::new(),
            warm_ready: 2,
            created_at: MOMENT.to_owned(),
            changed_at: MOMENT.to_owned(),
        }
    }
}

impl Example for WorkspaceRequest {
    fn example() -> Self {
        Self { environment: Some("python".to_owned()), save: None, name: Some("my work".to_owned()) }
    }
}

impl Example for ExtendRequest {
    fn example() -> Self {
        Self { minutes: 60 }
    }
}

impl Example for WorkspaceSaveRequest {
    fn example() -> Self {
        Self { name: Some("before the tests".to_owned()) }
    }
}

impl Example for WorkspaceStartRequest {
    fn example() -> Self {
        Self { save: Some(format!("{WORKSPACE}-2")) }
    }
}

impl Example for WorkspaceView {
    fn example() -> Self {
        let container = |name: &str, image: &str, ports: Vec<u16>| WorkspaceContainerView {
            name: name.to_owned(),
            image: image.to_owned(),
            id: Some(CONTAINER.to_owned()),
            ports,
        };
        Self {
            id: WORKSPACE.to_owned(),
            name: "my work".to_owned(),
            owner: "clare".to_owned(),
            right: "owner".to_owned(),
            guests: vec![TerminalGuest { username: "bob".to_owned(), role: "viewer".to_owned() }],
            environment: "python".to_owned(),
            version: 3,
            phase: "ready".to_owned(),
            queue: None,
            message: String::new(),
            engine: Some("host-1".to_owned()),
            containers: vec![container("main", "python:3.12", vec![8000]), container("db", "mariadb:11", Vec::new())],
            unconfined: Vec::new(),
            ends_at: Some(MOMENT.to_owned()),
            idle_at: Some(MOMENT.to_owned()),
            active_at: Some(MOMENT.to_owned()),
            last_save: Some(format!("{WORKSPACE}-2")),
            saved_at: Some(MOMENT.to_owned()),
            saves_asked: 2,
            saves_taken: 2,
            left_on: Vec::new(),
            created_at: MOMENT.to_owned(),
        }
    }
}
