//! Changes answer when their operation ends, or by the time that the caller gives them.

use crate::body::number;
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use pierhead_controller::Started;
use pierhead_model::{Operation, OperationState};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that a caller may wait or give an operation, in seconds: a day.
pub(super) const MOST_SECONDS: u64 = 86_400;

/// Until when the caller waits; `None` is until the end.
pub(super) fn wait_until(wait: Option<&str>) -> Result<Option<Instant>, ApiError> {
    Ok(number("wait", wait, MOST_SECONDS)?.map(|seconds| Instant::now() + Duration::from_secs(seconds)))
}

/// How long the operation may take.
pub(super) fn timeout(timeout: Option<&str>) -> Result<Option<Duration>, ApiError> {
    match number("timeout", timeout, MOST_SECONDS)? {
        Some(0) => Err(ApiError::field("timeout", "timeout must be a number of seconds from 1 to 86400")),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

/// What a change answers: `done` once its operation is done, its error if it failed, 202 if it goes on.
pub(super) async fn answer<T: IntoResponse>(
    api: &Api,
    caller: &Caller,
    started: &Started,
    until: Option<Instant>,
    done: impl FnOnce(&Operation) -> Result<T, ApiError>,
) -> Result<Response, ApiError> {
    let operation = api.controller.wait_for(started.operation.as_str(), until).await?;
    let location = location(&operation);
    match operation.state {
        OperationState::Done => Ok((location, done(&operation)?).into_response()),
        OperationState::Running => {
            Ok((StatusCode::ACCEPTED, location, Json(views::operation(caller, &operation))).into_response())
        }
        OperationState::Failed | OperationState::TimedOut | OperationState::Cancelled => {
            // Who may not see a log there sees none here.
            let log = views::operation(caller, &operation).error.map(|error| error.log).unwrap_or_default();
            Ok((location, ApiError::of_operation(&operation, log)).into_response())
        }
    }
}

/// The same for a change whose success has nothing to show.
pub(super) async fn answer_nothing(
    api: &Api,
    caller: &Caller,
    started: &Started,
    until: Option<Instant>,
) -> Result<Response, ApiError> {
    answer(api, caller, started, until, |_| Ok(StatusCode::NO_CONTENT)).await
}

fn location(operation: &Operation) -> [(HeaderName, String); 1] {
    [(LOCATION, format!("/api/operations/{}", operation.id))]
}
