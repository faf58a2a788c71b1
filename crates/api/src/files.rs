//! Files of workspaces: the way to them, and what is said of them. What a file is, and who may open it, its host decides.

use crate::ApiError;
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::StatusCode;
use futures_util::stream::BoxStream;
use pierhead_model::{ContainerId, EngineId, FileAct, FileTold, WorkspaceId};
use std::io;

/// Bytes of a file on their way.
pub type FileBytes = BoxStream<'static, io::Result<Bytes>>;

/// Does something with the files of containers.
#[async_trait]
pub trait WorkspaceFiles: Send + Sync {
    /// Does something in a container of a workspace. What is written comes in `bytes`; what is read is told with the
    /// answer, and ends with an error if it is not all.
    ///
    /// # Errors
    /// Says why nothing was done.
    async fn act(
        &self,
        place: &FilePlace,
        act: FileAct,
        bytes: FileBytes,
    ) -> Result<(FileTold, FileBytes), FileRefusal>;
}

/// The container whose files are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    /// Its host.
    pub engine: EngineId,
    /// The workspace that it is of.
    pub workspace: WorkspaceId,
    /// The container.
    pub container: ContainerId,
}

/// Why nothing was done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRefusal {
    /// For programs, as hosts call it.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What is the asker's to know, with its status. Everything else is a host that can't be reached.
const CODES: [(&str, StatusCode); 21] = [
    ("broke_off", StatusCode::BAD_REQUEST),
    ("name_too_long", StatusCode::BAD_REQUEST),
    ("file_forbidden", StatusCode::FORBIDDEN),
    ("no_such_file", StatusCode::NOT_FOUND),
    ("container_changed", StatusCode::CONFLICT),
    ("elsewhere", StatusCode::CONFLICT),
    ("exists", StatusCode::CONFLICT),
    ("in_use", StatusCode::CONFLICT),
    ("into_itself", StatusCode::CONFLICT),
    ("is_a_folder", StatusCode::CONFLICT),
    ("not_a_folder", StatusCode::CONFLICT),
    ("not_empty", StatusCode::CONFLICT),
    ("not_ordinary", StatusCode::CONFLICT),
    ("not_running", StatusCode::CONFLICT),
    ("paused", StatusCode::CONFLICT),
    ("read_only", StatusCode::CONFLICT),
    ("too_deep", StatusCode::CONFLICT),
    ("too_many_links", StatusCode::CONFLICT),
    ("changed", StatusCode::PRECONDITION_FAILED),
    ("too_large", StatusCode::PAYLOAD_TOO_LARGE),
    ("busy", StatusCode::TOO_MANY_REQUESTS),
];

impl From<FileRefusal> for ApiError {
    fn from(refusal: FileRefusal) -> Self {
        let known = CODES.iter().find(|(code, _)| *code == refusal.code);
        match (known, refusal.code.as_str()) {
            (Some((code, status)), _) => Self::new(*status, code, refusal.message),
            (None, "no_space") => Self::new(StatusCode::INSUFFICIENT_STORAGE, "no_space", refusal.message),
            (None, _) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "workspace_away", refusal.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nobodys_to_know_is_a_host_that_is_away() {
        let of = |code: &str| {
            let refusal = FileRefusal { code: code.to_owned(), message: "why".to_owned() };
            let error = ApiError::from(refusal);
            (error.status.as_u16(), error.body.code.clone(), error.body.message.clone())
        };
        assert_eq!(of("changed"), (412, "changed".to_owned(), "why".to_owned()));
        assert_eq!(of("no_space").0, 507);
        for odd in ["not_of_workspace", "engine_away", "forbidden_here", ""] {
            assert_eq!(of(odd), (503, "workspace_away".to_owned(), "why".to_owned()), "{odd}");
        }
    }
}
