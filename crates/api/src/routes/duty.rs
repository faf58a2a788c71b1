//! What hosts are for: cordon, uncordon, drain; what would survive the loss of one, and how to even out their load.

use super::waiting::{answer_nothing, timeout, wait_until};
use crate::body::{Body, Path, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pierhead_wire::{RebalanceRequest, RebalanceView, SurvivalView};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeQuery {
    wait: Option<String>,
    timeout: Option<String>,
}

pub(super) async fn cordon(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"cordon-engine", id.as_bytes()])?;
    api.controller.cordon(&caller.actor(), &id, key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn uncordon(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"uncordon-engine", id.as_bytes()])?;
    api.controller.uncordon(&caller.actor(), &id, key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn drain(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
    Query(query): Query<ChangeQuery>,
) -> Result<Response, ApiError> {
    let (until, timeout) = (wait_until(query.wait.as_deref())?, timeout(query.timeout.as_deref())?);
    let key = idempotency(&headers, &[b"drain-engine", id.as_bytes()])?;
    let started = api.controller.drain(&caller.actor(), &id, timeout, key.as_ref()).await?;
    answer_nothing(&api, &caller, &started, until).await
}

pub(super) async fn thaw(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"thaw-cluster"])?;
    api.controller.thaw(&caller.actor(), key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn settle(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"settle-cluster"])?;
    api.controller.settle(&caller.actor(), key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn survive(State(api): State<Api>, Path(id): Path) -> Result<Json<SurvivalView>, ApiError> {
    let survival = api.controller.survival(&id)?;
    Ok(Json(views::survival(&id, &survival)))
}

pub(super) async fn plan_rebalance(State(api): State<Api>) -> Json<RebalanceView> {
    Json(views::rebalance(&api.controller.planned_rebalance()))
}

pub(super) async fn rebalance(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ChangeQuery>,
    body: Body<RebalanceRequest>,
) -> Result<Response, ApiError> {
    let (until, timeout) = (wait_until(query.wait.as_deref())?, timeout(query.timeout.as_deref())?);
    let key = idempotency(&headers, &[b"rebalance-cluster", &body.bytes])?;
    let is_agreed = |moves: &[pierhead_model::Move]| views::moves(moves) == body.value.moves;
    let started = api.controller.rebalance(&caller.actor(), is_agreed, timeout, key.as_ref()).await?;
    answer_nothing(&api, &caller, &started, until).await
}
