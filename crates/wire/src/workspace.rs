//! Environments and workspaces: how they are described and shown.

mod parse;

pub use parse::{WorkspaceFrom, check_name, save_id};

use pierhead_model::{EnvironmentContainer, EnvironmentSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an environment is made of. Only `containers` is required, and of a container only its name where there are
/// several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentDescription {
    /// The containers, in the order in which they start.
    pub containers: Vec<EnvironmentContainerDescription>,
    /// How long a workspace runs until it is saved and stopped, in minutes, unless it is extended; 240 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_minutes: Option<u32>,
    /// After how many minutes without activity it is saved and stopped; 60 if absent, 0 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_minutes: Option<u32>,
    /// How many are started ahead; 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<u32>,
    /// What it asks for beyond what everybody gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<AsksDescription>,
}

/// What an environment asks for beyond what everybody gets; it needs a permission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AsksDescription {
    /// The capabilities that root needs to install packages.
    #[serde(default)]
    pub root: bool,
    /// Connections to the world outside.
    #[serde(default)]
    pub egress: bool,
    /// Privileged containers, on hosts that an administrator labelled for them.
    #[serde(default)]
    pub privileged: bool,
    /// The most processes of each container; 256 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
}

/// One container of an environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentContainerDescription {
    /// Its name, by which the others find it; `main` if absent.
    #[serde(default)]
    pub name: String,
    /// The image reference; the server's default image if absent.
    #[serde(default)]
    pub image: String,
    /// Cores, as a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Cores that it may use at most, where that is more than what is reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<f64>,
    /// Memory in MB of 2^20 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// What runs in it in place of the image's own command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Where its processes begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// As whom its processes run, `user` or `user:group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The ports on which it serves something to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Files that are put into it at its first start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<EnvironmentFileDescription>,
    /// A script for `/bin/sh` that is run at every start, of what was restored from a save too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<String>,
}

/// A file of a container.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentFileDescription {
    /// Where it is, from the root on.
    pub path: String,
    /// What is in it.
    #[serde(default)]
    pub content: String,
    /// Its permissions in octal digits; `644` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl std::fmt::Debug for EnvironmentFileDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvironmentFileDescription").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Body of `POST /api/environments`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRequest {
    /// Its name, unique in the pool.
    pub name: String,
    /// `private` (the default) or `shared`: who may open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// What it is made of.
    pub description: EnvironmentDescription,
}

/// Body of `PUT /api/environments/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentChange {
    /// `private` or `shared`: who may open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// What it is made of from now on: a new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<EnvironmentDescription>,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentView {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// `private` or `shared`: who may open it.
    pub visibility: String,
    /// Rises with each change of the description.
    pub version: u32,
    /// What it is made of.
    pub description: EnvironmentDescription,
    /// What it asks for beyond what everybody gets, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconfined: Vec<String>,
    /// How many are started ahead and ready now.
    #[serde(default)]
    pub warm_ready: u32,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When it was described as it is (RFC 3339).
    pub changed_at: String,
}

/// Body of `POST /api/workspaces`: from an environment or from a save.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceRequest {
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The save: a copy of it, which stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<String>,
    /// What people shall call it; its environment's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Body of `POST /api/workspaces/{id}/extend`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// By how many minutes.
    pub minutes: u32,
}

/// Body of `POST /api/workspaces/{id}/save`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceSaveRequest {
    /// What people shall call it; the workspace's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Body of `POST /api/workspaces/{id}/start`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceStartRequest {
    /// The save that it begins from; where it was if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save: Option<String>,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkspaceView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// `owner`, `driver` or `viewer`: what the asker may in it.
    pub right: String,
    /// Who else may come, and as what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guests: Vec<crate::TerminalGuest>,
    /// The environment that it was made from.
    pub environment: String,
    /// The version of it.
    pub version: u32,
    /// `queued`, `starting`, `ready`, `idle`, `paused`, `saving`, `saved`, `ended` or `failed`.
    pub phase: String,
    /// Its place in the queue, from 1 on, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<u32>,
    /// What it waits for, what failed, or what one should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Its containers.
    pub containers: Vec<WorkspaceContainerView>,
    /// What its environment asks for beyond what everybody gets, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unconfined: Vec<String>,
    /// When it is saved and stopped, unless it is extended (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// When it is saved and stopped if nobody becomes active (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_at: Option<String>,
    /// When somebody or something was last active in it, to some seconds (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<String>,
    /// Its newest save.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_save: Option<String>,
    /// When that was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<String>,
    /// How many saves people asked for, in all: a request for one tells its number.
    #[serde(default)]
    pub saves_asked: u32,
    /// How many of these were taken up. One is over, made or failed, when it was and the workspace is not `saving`.
    #[serde(default)]
    pub saves_taken: u32,
    /// Hosts on which a copy was left that is in no save yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_on: Vec<String>,
    /// When it was opened (RFC 3339).
    pub created_at: String,
}

/// A container of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkspaceContainerView {
    /// Its name in the environment.
    pub name: String,
    /// The image that it began as.
    pub image: String,
    /// Its id, as long as it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The ports on which it serves something to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

impl EnvironmentDescription {
    /// How an environment of the model is shown.
    #[must_use]
    pub fn of(spec: &EnvironmentSpec) -> Self {
        let asks = spec.asks;
        let asks =
            AsksDescription { root: asks.root, egress: asks.egress, privileged: asks.privileged, pids: asks.pids };
        Self {
            containers: spec.containers.iter().map(EnvironmentContainerDescription::of).collect(),
            lifetime_minutes: Some(spec.lifetime_minutes),
            idle_minutes: Some(spec.idle_minutes),
            warm: (spec.warm > 0).then_some(spec.warm),
            asks: (asks != AsksDescription::default()).then_some(asks),
        }
    }
}

impl EnvironmentContainerDescription {
    fn of(container: &EnvironmentContainer) -> Self {
        let limits = container.limits;
        let file = |file: &pierhead_model::EnvironmentFile| EnvironmentFileDescription {
            path: file.path.clone(),
            content: file.content.clone(),
            mode: Some(format!("{:o}", file.mode)),
        };
        Self {
            name: container.name.to_string(),
            image: container.image.to_string(),
            cpus: Some(limits.reserved.cpus()),
            cpu_limit: (limits.cpu_limit_millis != limits.reserved.cpu_millis)
                .then(|| pierhead_model::Resources::new(limits.cpu_limit_millis, 0).cpus()),
            memory: Some(limits.reserved.memory_mb as f64),
            command: container.command.clone(),
            environment: container.environment.clone(),
            working_dir: container.working_dir.clone(),
            user: container.user.clone(),
            ports: container.ports.clone(),
            files: container.files.iter().map(file).collect(),
            startup: container.startup.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
