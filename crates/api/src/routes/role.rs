//! Roles.

use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency, once};
use crate::{Accounts, Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_model::RoleName;
use pierhead_wire::{PermissionsRequest, RoleDetail, RoleRequest};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<RoleDetail>>, ApiError> {
    Ok(Json(api.accounts.roles().await?.iter().map(RoleDetail::from).collect()))
}

pub(super) async fn show(State(api): State<Api>, Path(role): Path) -> Result<Json<RoleDetail>, ApiError> {
    Ok(Json(RoleDetail::from(&api.accounts.role(&name(&role)?).await?)))
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<RoleRequest>,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"add-role", &body.bytes])?;
    let role = body.value.parse()?;
    let add = async |accounts: Accounts| accounts.add_role(&role, &caller.identity).await;
    once(&api, &caller, key, add, || Ok(())).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller,
    Path(role): Path,
    body: Body<PermissionsRequest>,
) -> Result<StatusCode, ApiError> {
    let permissions = body.value.parse()?;
    api.accounts.set_role_permissions(&name(&role)?, &permissions, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(role): Path) -> Result<StatusCode, ApiError> {
    api.accounts.delete_role(&name(&role)?, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn name(text: &str) -> Result<RoleName, ApiError> {
    RoleName::parse(text).map_err(|_| ApiError::not_found("there is no role of that name"))
}
