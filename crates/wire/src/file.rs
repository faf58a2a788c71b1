//! Files of workspaces.
//!
//! Paths are text in which `%` is written `%25`, and a byte that is no UTF-8 as `%` and its two hexadecimal digits.

use serde::{Deserialize, Serialize};

/// What is in a folder of a workspace's container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FolderView {
    /// The container, by its name in the environment.
    pub container: String,
    /// The folder.
    pub path: String,
    /// Its files, by their names; 5000 at most.
    pub entries: Vec<FileView>,
    /// Whether it has more.
    pub has_more: bool,
}

/// A file, a folder or a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileView {
    /// Its name; what is no text in it is shown as a replacement character.
    pub name: String,
    /// Where it is, as it is asked for.
    pub path: String,
    /// `file`, `folder`, `link` or `other`: devices and the like, which can't be opened.
    pub kind: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Who may do what, in octal digits.
    pub mode: String,
    /// When its bytes were changed last.
    pub modified: String,
    /// Another one whenever its bytes were changed: what `If-Match` takes, in quotes.
    pub etag: String,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What is there: `file`, `folder` or `other`; absent if there is nothing, and for what is no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
}

/// A folder that shall be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeFolderRequest {
    /// The container, by its name in the environment; the first one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The folder.
    pub path: String,
    /// Whether folders are made that are missing on the way, and one that is there is good too.
    #[serde(default)]
    pub parents: bool,
}

/// A file or folder that shall be called otherwise, or lie elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MoveFileRequest {
    /// The container, by its name in the environment; the first one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What is moved; a link itself.
    pub path: String,
    /// Where it is then.
    pub to: String,
    /// Whether a file that is there is replaced.
    #[serde(default)]
    pub replace: bool,
}
