//! The one error of the API: a status, a code for machines, a message for people.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use pierhead_controller::{ArchiveError, HomeError, LibraryError, RequestError};
use pierhead_engine::EngineError;
use pierhead_model::{Operation, OperationState};
use pierhead_wire::{ErrorBody, FieldError};
use std::any::Any;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Everything else.
    pub body: Box<ErrorBody>,
    /// After how many seconds it may be tried again.
    pub retry_after_s: Option<u64>,
}

impl ApiError {
    /// An error with a code and a message.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let body = ErrorBody {
            code: code.to_owned(),
            message: message.into(),
            field: None,
            replaced_by: None,
            operation: None,
            log: Vec::new(),
            problems: Vec::new(),
        };
        Self { status, body: Box::new(body), retry_after_s: None }
    }

    /// 400: a field that does not have the accepted form.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid", message);
        error.body.field = Some(field.into());
        error
    }

    /// 401: who are you?
    pub fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    /// 403: you may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 409: it is there already.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "exists", message)
    }

    /// The error with which an operation ended, with what its container printed last.
    #[must_use]
    pub fn of_operation(operation: &Operation, log: Vec<String>) -> Self {
        let (code, message) = match &operation.error {
            Some(error) => (error.code.as_str(), error.message.clone()),
            None => ("failed", "the operation failed".to_owned()),
        };
        let status = match code {
            "no_such_image" => StatusCode::NOT_FOUND,
            "refused_by_engine" => StatusCode::BAD_REQUEST,
            "not_started" | "exited" => StatusCode::UNPROCESSABLE_ENTITY,
            "engine_unreachable" | "engine_failed" | "no_space" | "timed_out" => StatusCode::SERVICE_UNAVAILABLE,
            _ if operation.state == OperationState::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        let mut error = Self::new(status, code, message);
        error.body.operation = Some(operation.id.to_string());
        error.body.log = log;
        error
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(*self.body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::field(error.field, error.message)
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        let message = error.to_string();
        match error {
            RequestError::NotFound { replaced_by, .. } => {
                let mut error = Self::not_found(message);
                error.body.replaced_by = replaced_by;
                error
            }
            RequestError::Ambiguous { .. } => Self::new(StatusCode::BAD_REQUEST, "ambiguous", message),
            RequestError::Exists { .. } => Self::exists(message),
            RequestError::Differs { .. } => Self::new(StatusCode::CONFLICT, "app_differs", message),
            RequestError::Forbidden(_) => Self::forbidden(message),
            RequestError::ForeignVolume { at, .. } => forbidden_at(format!("volumes[{at}]"), message),
            RequestError::ForeignLink(_) => forbidden_at("links".to_owned(), message),
            RequestError::Ended { .. } | RequestError::TerminalOver { .. } => {
                Self::new(StatusCode::CONFLICT, "has_ended", message)
            }
            RequestError::NotRestored => Self::new(StatusCode::CONFLICT, "not_restored", message),
            RequestError::NotFrozen => Self::new(StatusCode::CONFLICT, "not_frozen", message),
            RequestError::Invalid { field, .. } => Self::field(field, message),
            RequestError::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", message),
            RequestError::TooManyLogReaders | RequestError::TooManyLogReadersOfOne => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_log_readers", message);
                Self { retry_after_s: Some(5), ..error }
            }
            RequestError::TooManyWorkspacesOfOne => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_workspaces", message)
            }
            RequestError::TooManyAttemptsOfOne => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message)
            }
            RequestError::AttemptState { .. } => Self::new(StatusCode::CONFLICT, "attempt_state", message),
            RequestError::TooManyEnvironmentsOfOne => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_environments", message)
            }
            RequestError::TooManyLabsOfOne => Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_labs", message),
            RequestError::ChangedMeanwhile { path, by, at } => {
                let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
                let at = at.map(|at| format!(", at {}", pierhead_wire::format_timestamp(at))).unwrap_or_default();
                let message = format!("{path} was changed meanwhile{by}{at}; nothing was written over it");
                Self::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
            }
            RequestError::LabInvalid(problems) => {
                let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "lab_invalid", message);
                error.body.problems = problems.iter().map(crate::views::lab_problem).collect();
                error
            }
            RequestError::LabState { .. } | RequestError::LabInUse { .. } => {
                Self::new(StatusCode::CONFLICT, "lab_state", message)
            }
            RequestError::Library(error) => of_library(&error, message),
            RequestError::TooOften { seconds, .. } => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often", message);
                Self { retry_after_s: Some(seconds), ..error }
            }
            RequestError::TooManyCoursesOfOne => Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_courses", message),
            RequestError::FromRoster(_) => Self::new(StatusCode::CONFLICT, "from_roster", message),
            RequestError::SaveNeeded { .. } => Self::new(StatusCode::CONFLICT, "save_needed", message),
            RequestError::SaveAway { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "save_away", message),
            RequestError::Comparing | RequestError::SaveBusy { .. } => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", message);
                Self { retry_after_s: Some(60), ..error }
            }
            RequestError::WorkState(_) => Self::new(StatusCode::CONFLICT, "work_state", message),
            RequestError::WorkspaceState { .. } => Self::new(StatusCode::CONFLICT, "workspace_state", message),
            RequestError::Nobody => Self::new(StatusCode::CONFLICT, "nobody", message),
            RequestError::NotRunning { .. } => Self::new(StatusCode::CONFLICT, "not_running", message),
            RequestError::TooManyTerminals | RequestError::TooManyTerminalsOfOne | RequestError::TooManyViewers => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_terminals", message);
                Self { retry_after_s: Some(5), ..error }
            }
            RequestError::TerminalHome(error) => of_home(&error, message),
            RequestError::Engine { source, .. } => of_engine(&source, message),
            RequestError::Archive(error) => of_archive(&error, message),
            RequestError::Store(error) => error.into(),
        }
    }
}

fn forbidden_at(field: String, message: String) -> ApiError {
    let mut error = ApiError::forbidden(message);
    error.body.field = Some(field);
    error
}

fn of_home(source: &HomeError, message: String) -> ApiError {
    let (status, code) = match source {
        HomeError::Gone => (StatusCode::NOT_FOUND, "terminal_gone"),
        HomeError::Away(_) | HomeError::Unable => (StatusCode::SERVICE_UNAVAILABLE, "terminal_away"),
        HomeError::Full => (StatusCode::TOO_MANY_REQUESTS, "too_many_terminals"),
        HomeError::Refused(_) => (StatusCode::BAD_REQUEST, "refused_by_engine"),
    };
    ApiError::new(status, code, message)
}

fn of_archive(source: &ArchiveError, message: String) -> ApiError {
    let (status, code) = match source {
        ArchiveError::Malformed(_) | ArchiveError::Interrupted => (StatusCode::BAD_REQUEST, "bad_archive"),
        ArchiveError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        ArchiveError::NoRoom => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        ArchiveError::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
        ArchiveError::Place(error) => {
            tracing::warn!(%error, "an image archive could not be kept or found");
            (StatusCode::SERVICE_UNAVAILABLE, "store_failed")
        }
        ArchiveError::Keep(error) => {
            tracing::error!(%error, "an image archive could not be kept");
            (StatusCode::SERVICE_UNAVAILABLE, "store_failed")
        }
    };
    ApiError::new(status, code, message)
}

fn of_library(source: &LibraryError, message: String) -> ApiError {
    let (status, code) = match source {
        LibraryError::Malformed(_) | LibraryError::Interrupted => (StatusCode::BAD_REQUEST, "bad_archive"),
        LibraryError::Tree(_) => (StatusCode::BAD_REQUEST, "bad_files"),
        LibraryError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        LibraryError::NoRoom => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        LibraryError::Busy => {
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", message);
            return ApiError { retry_after_s: Some(5), ..error };
        }
        LibraryError::Spool(_) | LibraryError::Blobs(_) | LibraryError::Lost(_) | LibraryError::Crashed => {
            tracing::error!(error = %source, cause = ?std::error::Error::source(source), "files of labs can't be kept or had");
            (StatusCode::SERVICE_UNAVAILABLE, "store_failed")
        }
    };
    ApiError::new(status, code, message)
}

fn of_engine(source: &EngineError, message: String) -> ApiError {
    let status = match source {
        EngineError::NotFound => StatusCode::NOT_FOUND,
        EngineError::Refused(_) => StatusCode::BAD_REQUEST,
        EngineError::PortTaken(_) | EngineError::NameTaken => StatusCode::CONFLICT,
        EngineError::NotStarted(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    ApiError::new(status, source.failure().kind.code(), message)
}

impl From<pierhead_store::Error> for ApiError {
    fn from(error: pierhead_store::Error) -> Self {
        use pierhead_store::Error;
        match &error {
            Error::Full(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_full",
                "the store has no room left; nothing was changed. Make room on the controller's disk, or compact and defragment \
                 etcd and disarm its alarm, and try again",
            ),
            Error::Unavailable { reason } => {
                tracing::warn!(reason, "the store is not available");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store_unavailable",
                    "the controller's store does not answer: nothing can be changed until it does. Whether this was done \
                     is known by looking again then; what runs, runs on",
                )
            }
            Error::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error.to_string()),
            Error::Conflict { .. } => {
                Self::new(StatusCode::CONFLICT, "conflict", "somebody changed the same thing meanwhile; try again")
            }
            _ => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), "the store failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store_failed",
                    "the controller's store does not work; see its log",
                )
            }
        }
    }
}

pub(crate) async fn no_such_path(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::not_found(format!("there is nothing at {path}"))
}

pub(crate) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("{path} does not take {method}"))
}

pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "this is a defect of Pierhead; see its log")
        .into_response()
}
