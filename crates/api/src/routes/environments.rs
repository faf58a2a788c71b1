//! Environments: list, describe, show, change, delete.

use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_wire::{EnvironmentChange, EnvironmentRequest, EnvironmentView};

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<Vec<EnvironmentView>> {
    let environments = api.controller.environments_of(&caller.actor());
    let known = api.controller.known();
    Json(environments.iter().map(|environment| views::environment(&known.world, environment)).collect())
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<EnvironmentRequest>,
) -> Result<(StatusCode, Json<EnvironmentView>), ApiError> {
    let (id, visibility, spec) = body.value.to_model(&api.defaults)?;
    let key = idempotency(&headers, &[b"add-environment", &body.bytes])?;
    api.controller.add_environment(&caller.actor(), &id, visibility, &spec, key.as_ref()).await?;
    Ok((StatusCode::CREATED, shown(&api, &caller, id.as_str())?))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<EnvironmentView>, ApiError> {
    shown(&api, &caller, &id)
}

pub(super) async fn set(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<EnvironmentChange>,
) -> Result<Json<EnvironmentView>, ApiError> {
    let (visibility, spec) = body.value.to_model(&api.defaults)?;
    api.controller.set_environment(&caller.actor(), &id, visibility, spec.as_ref()).await?;
    shown(&api, &caller, &id)
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.delete_environment(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(api: &Api, caller: &Caller, id: &str) -> Result<Json<EnvironmentView>, ApiError> {
    let environment = api.controller.environment(&caller.actor(), id)?;
    let known = api.controller.known();
    Ok(Json(views::environment(&known.world, &environment)))
}
