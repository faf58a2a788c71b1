//! Saves of workspaces, and how they differ.

use serde::{Deserialize, Serialize};

/// The files of a workspace at a moment, kept. Running processes are not part of it, nor what a container has in
/// memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaveView {
    /// Its id.
    pub id: String,
    /// What people call it; not unique.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// The workspace that was saved.
    pub workspace: String,
    /// The environment that the workspace was made from.
    pub environment: String,
    /// The version of it.
    pub version: u32,
    /// Whether nobody asked for it. The next automatic one of the workspace takes its place.
    pub automatic: bool,
    /// `saving`; `single-copy` while only one host has it; `complete` when another host or a registry has it.
    pub state: String,
    /// What that means where it is not complete, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it holds over the environment's images, in bytes.
    pub bytes: u64,
    /// Its containers.
    pub containers: Vec<SavedContainerView>,
    /// The hosts that have it.
    pub copies: Vec<String>,
    /// The repository of the school's registry that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// How many bytes went between hosts for it.
    pub moved_bytes: u64,
    /// When it was begun.
    pub created_at: String,
}

/// The files of one container of a save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedContainerView {
    /// Its name in the environment.
    pub name: String,
    /// The image that hosts have of it.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// The environment's image that it began as.
    pub base: String,
    /// What it holds over that, in bytes.
    pub bytes: u64,
}

/// How the files of a container differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaveChangesView {
    /// The container.
    pub container: String,
    /// How many files and folders were added.
    pub added: u64,
    /// How many were changed.
    pub changed: u64,
    /// How many were removed.
    pub removed: u64,
    /// The first of them, in the order of their names.
    pub files: Vec<FileChangeView>,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileChangeView {
    /// Its name from the root on; what is no text in it is shown as a replacement character.
    pub path: String,
    /// `added`, `changed` or `removed`.
    pub kind: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size before, in bytes.
    pub bytes_before: u64,
    /// Its size now, in bytes.
    pub bytes: u64,
}

/// What becomes of a save that an environment is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SaveEnvironmentRequest {
    /// The name of the environment.
    pub name: String,
}
