//! Saves: list, show, compare, forget, make an environment of one.

use crate::body::{Body, Path, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_model::EnvironmentId;
use pierhead_wire::{EnvironmentView, FieldError, SaveChangesView, SaveEnvironmentRequest, SaveView};
use serde::Deserialize;

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<SaveView>>, ApiError> {
    let saves = api.controller.saves_of(&caller.actor()).await?;
    let has_registry = api.controller.sends_saves();
    Ok(Json(saves.iter().map(|save| views::save(save, has_registry)).collect()))
}

pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<Json<SaveView>, ApiError> {
    let save = api.controller.save(&caller.actor(), &id).await?;
    Ok(Json(views::save(&save, api.controller.sends_saves())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangesQuery {
    since: Option<String>,
}

pub(super) async fn changes(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<ChangesQuery>,
) -> Result<Json<Vec<SaveChangesView>>, ApiError> {
    let changes = api.controller.save_changes(&caller.actor(), &id, query.since.as_deref()).await?;
    Ok(Json(changes.iter().map(views::save_changes).collect()))
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.delete_save(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn environment(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<SaveEnvironmentRequest>,
) -> Result<(StatusCode, Json<EnvironmentView>), ApiError> {
    let name = EnvironmentId::parse(body.value.name).map_err(|invalid| FieldError::new("name", invalid.expected))?;
    let key = idempotency(&headers, &[b"save-environment", id.as_bytes(), &body.bytes])?;
    let actor = caller.actor();
    api.controller.environment_of_save(&actor, &id, &name, key.as_ref()).await?;
    let made = api.controller.environment(&actor, name.as_str())?;
    let known = api.controller.known();
    Ok((StatusCode::CREATED, Json(views::environment(&known.world, &made))))
}
