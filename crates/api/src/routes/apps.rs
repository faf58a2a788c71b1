//! Apps: list, show, set, scale, delete.

use super::containers::ScaleQuery;
use super::waiting::{answer, answer_nothing, timeout, wait_until};
use crate::body::{Body, Path, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pierhead_model::{AppId, AppName, EngineId};
use pierhead_wire::{AppChange, AppView, FieldError};
use serde::Deserialize;

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<Vec<AppView>> {
    api.controller.first_look().await;
    let (known, now) = (api.controller.known(), api.controller.clock().now());
    let apps = known.world.apps().values();
    let apps: Vec<_> = apps.map(|app| (app.id.clone(), views::app(&known.world, &caller, app, now))).collect();
    drop(known);
    let mut apps: Vec<AppView> = apps.into_iter().map(|(id, view)| with_arrivals(&api, &id, view)).collect();
    apps.sort_by(|one, other| one.name.cmp(&other.name));
    Json(apps)
}

pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(name): Path) -> Result<Json<AppView>, ApiError> {
    api.controller.first_look().await;
    shown(&api, &caller, &name).map(Json)
}

fn shown(api: &Api, caller: &Caller, name: &str) -> Result<AppView, ApiError> {
    let (known, now) = (api.controller.known(), api.controller.clock().now());
    let found = known.world.app_named(name).map(|app| (app.id.clone(), views::app(&known.world, caller, app, now)));
    drop(known);
    found.map(|(id, view)| with_arrivals(api, &id, view)).ok_or_else(|| not_found(name))
}

/// Where a slot waits for an image, it says how that comes and how far it is.
fn with_arrivals(api: &Api, id: &AppId, mut app: AppView) -> AppView {
    for slot in app.slots.iter_mut().filter(|slot| slot.container.is_none()) {
        let engine = slot.engine.as_deref().and_then(|engine| EngineId::parse(engine).ok());
        if let Some(told) = engine.and_then(|engine| api.controller.arrival(id, &engine)) {
            slot.message = told;
        }
    }
    app
}

pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no app {}", name.chars().take(64).collect::<String>()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetQuery {
    wait: Option<String>,
    timeout: Option<String>,
}

pub(super) async fn set(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path,
    Query(query): Query<SetQuery>,
    body: Body<AppChange>,
) -> Result<Response, ApiError> {
    let name = AppName::parse(name).map_err(|invalid| FieldError::of("name", &invalid))?;
    let spec = body.value.image.to_spec(&api.defaults).map_err(|error| FieldError {
        field: format!("image.{}", error.field),
        message: format!("image.{}", error.message),
    })?;
    let until = wait_until(query.wait.as_deref())?;
    let limit = timeout(query.timeout.as_deref())?;
    let key = idempotency(&headers, &[b"set", name.as_str().as_bytes(), &body.bytes])?;
    let started =
        api.controller.set_app(&caller.actor(), &name, &spec, body.value.replicas, limit, key.as_ref()).await?;
    answer(&api, &caller, &started, until, |operation| {
        let status = if operation.made_app { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Json(shown(&api, &caller, name.as_str())?)))
    })
    .await
}

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path,
    Query(query): Query<SetQuery>,
) -> Result<Response, ApiError> {
    let until = wait_until(query.wait.as_deref())?;
    let key = idempotency(&headers, &[b"delete", name.as_bytes()])?;
    let name = AppName::parse(name.as_str()).map_err(|_| not_found(&name))?;
    let started = api.controller.delete_app(&caller.actor(), &name, key.as_ref()).await?;
    answer_nothing(&api, &caller, &started, until).await
}

pub(super) async fn scale(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path,
    Query(query): Query<ScaleQuery>,
) -> Result<Response, ApiError> {
    let name = AppName::parse(name.as_str()).map_err(|_| not_found(&name))?;
    let (count, until) = (query.count()?, wait_until(query.wait.as_deref())?);
    let key = idempotency(&headers, &[b"scale", name.as_str().as_bytes(), &count.to_le_bytes()])?;
    let limit = timeout(query.timeout.as_deref())?;
    let started = api.controller.scale(&caller.actor(), &name, count, limit, key.as_ref()).await?;
    answer_nothing(&api, &caller, &started, until).await
}
