//! The pool's accounts at registries.

use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_model::{Registry, RegistryHost};
use pierhead_wire::{RegistryChange, RegistryRequest, RegistryView, format_timestamp};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<RegistryView>>, ApiError> {
    Ok(Json(api.controller.registries().await?.iter().map(view).collect()))
}

pub(super) async fn show(State(api): State<Api>, Path(name): Path) -> Result<Json<RegistryView>, ApiError> {
    Ok(Json(view(&api.controller.registry(&host(&name)?).await?)))
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<RegistryRequest>,
) -> Result<(StatusCode, Json<RegistryView>), ApiError> {
    let host = body.value.parse()?;
    let key = idempotency(&headers, &[b"add-registry", &body.bytes])?;
    let RegistryRequest { username, password, .. } = &body.value;
    api.controller.add_registry(&caller.actor(), &host, username, password, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(view(&api.controller.registry(&host).await?))))
}

pub(super) async fn set(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path,
    body: Body<RegistryChange>,
) -> Result<StatusCode, ApiError> {
    body.value.check()?;
    let host = RegistryHost::parse(&name).map_err(|invalid| ApiError::field("host", invalid.to_string()))?;
    api.controller.set_registry(&caller.actor(), &host, &body.value.username, &body.value.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"delete-registry", name.as_bytes()])?;
    api.controller.delete_registry(&caller.actor(), &host(&name)?, key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no registry has no account either.
fn host(name: &str) -> Result<RegistryHost, ApiError> {
    let nothing = || format!("there is no account for registry {}", name.chars().take(64).collect::<String>());
    RegistryHost::parse(name).map_err(|_| ApiError::not_found(nothing()))
}

fn view(registry: &Registry) -> RegistryView {
    RegistryView {
        host: registry.host.to_string(),
        username: registry.username.clone(),
        changed_at: format_timestamp(registry.changed_at),
        changed_by: registry.changed_by.to_string(),
    }
}
