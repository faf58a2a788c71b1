//! Operations: list, show and wait, call off.

use super::waiting::wait_until;
use crate::body::{Path, Query};
use crate::identity::Caller;
use crate::paging::Part;
use crate::{Api, ApiError, views};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use pierhead_wire::OperationView;
use serde::Deserialize;
use tokio::time::Instant;

/// How many operations are listed.
const LISTED: usize = 200;

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    part: Option<Extension<Part>>,
) -> Result<Json<Vec<OperationView>>, ApiError> {
    // Who asks for parts may see all of them.
    let most = if part.is_some() { usize::MAX } else { LISTED };
    let operations = api.controller.operations(most).await?;
    Ok(Json(operations.iter().map(|operation| views::operation(&caller, operation)).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitQuery {
    wait: Option<String>,
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<WaitQuery>,
) -> Result<Json<OperationView>, ApiError> {
    let until = wait_until(query.wait.as_deref())?.unwrap_or_else(Instant::now);
    let operation = api.controller.wait_for(&id, Some(until)).await?;
    Ok(Json(views::operation(&caller, &operation)))
}

pub(super) async fn cancel(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.cancel_operation(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
