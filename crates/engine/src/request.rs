//! What an engine is told: the description of a container to create, and a registry account.

use crate::workspace::WorkspacePart;
use pierhead_model::{ContainerSpec, HostPort, Ownership, WorkspaceOwnership};
use std::collections::BTreeMap;

/// The labels that say what a container is for.
const PURPOSE: [&str; 7] = [
    Ownership::APP,
    Ownership::APP_ID,
    Ownership::SLOT,
    Ownership::GENERATION,
    Ownership::MEMBER,
    WorkspaceOwnership::WORKSPACE,
    WorkspaceOwnership::CONTAINER,
];

/// Everything an engine is told about a container: built from our own model, field by field, so that nothing
/// can be smuggled in.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// Its name, unique on the engine.
    pub name: String,
    /// What it is.
    pub spec: ContainerSpec,
    /// Ports of the host that were chosen for it.
    pub ports: Vec<HostPort>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The most processes in it.
    pub pids_limit: u32,
    /// Whether the engine itself restarts it at once when it exits and after a reboot.
    pub engine_restarts: bool,
    /// What makes it part of a workspace; its network counts, and that of the description does not.
    pub workspace: Option<WorkspacePart>,
}

impl CreateRequest {
    /// The labels as an engine is told them. It adds those of the image, which anybody may have written: whatever of them
    /// would say what the container is for is covered by one that says nothing.
    pub(crate) fn told_labels(&self) -> BTreeMap<String, String> {
        let covers = PURPOSE.map(|label| (label.to_owned(), String::new()));
        covers.into_iter().chain(self.labels.clone()).collect()
    }
}

/// The labels of a container without those that only cover others.
pub(crate) fn uncovered(labels: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let covers = |label: &str, value: &str| value.is_empty() && PURPOSE.contains(&label);
    labels.into_iter().filter(|(label, value)| !covers(label, value)).collect()
}

/// A registry account.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RegistryAuth {
    /// The registry (`registry.lan:5000`); empty for the default one.
    pub server: String,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for RegistryAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryAuth")
            .field("server", &self.server)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shown_without_its_password() {
        let auth =
            RegistryAuth { server: "registry.lan:5000".into(), username: "ann".into(), password: "s3cret".into() };
        for shown in [format!("{auth:?}"), format!("{auth:#?}"), format!("{:?}", Some(&auth))] {
            assert!(shown.contains("registry.lan:5000") && shown.contains("ann"), "{shown}");
            assert!(!shown.contains("s3cret") && !shown.contains("password"), "{shown}");
        }
    }
}
