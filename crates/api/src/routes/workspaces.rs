//! Workspaces: list, open, show, and what is wanted of one that is there.

use super::guests::{guest, new_guest};
use crate::body::{Body, Path, Query, flag};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::Path as Paths;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_controller::{Idempotency, OpenWorkspace, WorkspaceBeginning, WorkspaceChange};
use pierhead_wire::{
    ExtendRequest, GuestRequest, WorkspaceFrom, WorkspaceRequest, WorkspaceSaveRequest, WorkspaceStartRequest,
    WorkspaceView, check_name, save_id,
};
use serde::Deserialize;

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<Vec<WorkspaceView>> {
    Json(api.controller.workspaces_of(&caller.actor()).iter().map(views::workspace).collect())
}

pub(super) async fn open(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<WorkspaceRequest>,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let from = match body.value.from()? {
        WorkspaceFrom::Environment(id) => WorkspaceBeginning::Environment(id),
        WorkspaceFrom::Save(id) => WorkspaceBeginning::Save(id),
    };
    let key = idempotency(&headers, &[b"open-workspace", &body.bytes])?;
    let wanted = OpenWorkspace { from, name: body.value.name };
    let opened = api.controller.open_workspace(&caller.actor(), &wanted, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(views::workspace(&opened))))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(views::workspace(&api.controller.workspace(&caller.actor(), &id)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndQuery {
    discard: Option<String>,
}

pub(super) async fn end(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<EndQuery>,
) -> Result<StatusCode, ApiError> {
    let discards = flag("discard", query.discard.as_deref())?;
    let change = if discards { WorkspaceChange::Discard } else { WorkspaceChange::End };
    api.controller.change_workspace(&caller.actor(), &id, &change, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn extend(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<ExtendRequest>,
) -> Result<Json<WorkspaceView>, ApiError> {
    let key = idempotency(&headers, &[b"extend-workspace", id.as_bytes(), &body.bytes])?;
    changed(&api, &caller, &id, &WorkspaceChange::Extend(body.value.check()?), key).await
}

pub(super) async fn save(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<WorkspaceSaveRequest>,
) -> Result<Json<WorkspaceView>, ApiError> {
    if let Some(name) = &body.value.name {
        check_name(name)?;
    }
    let key = idempotency(&headers, &[b"save-workspace", id.as_bytes(), &body.bytes])?;
    changed(&api, &caller, &id, &WorkspaceChange::Save(body.value.name), key).await
}

pub(super) async fn stop(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
) -> Result<Json<WorkspaceView>, ApiError> {
    let key = idempotency(&headers, &[b"stop-workspace", id.as_bytes()])?;
    changed(&api, &caller, &id, &WorkspaceChange::Stop, key).await
}

pub(super) async fn start(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<WorkspaceStartRequest>,
) -> Result<Json<WorkspaceView>, ApiError> {
    let save = body.value.save.as_deref().map(save_id).transpose()?;
    let key = idempotency(&headers, &[b"start-workspace", id.as_bytes(), &body.bytes])?;
    changed(&api, &caller, &id, &WorkspaceChange::Start(save), key).await
}

pub(super) async fn reset(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
) -> Result<Json<WorkspaceView>, ApiError> {
    let key = idempotency(&headers, &[b"reset-workspace", id.as_bytes()])?;
    changed(&api, &caller, &id, &WorkspaceChange::Reset, key).await
}

async fn changed(
    api: &Api,
    caller: &Caller,
    id: &str,
    change: &WorkspaceChange,
    key: Option<Idempotency>,
) -> Result<Json<WorkspaceView>, ApiError> {
    api.controller.change_workspace(&caller.actor(), id, change, key.as_ref()).await?;
    Ok(Json(views::workspace(&api.controller.workspace(&caller.actor(), id)?)))
}

pub(super) async fn share(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
    body: Body<GuestRequest>,
) -> Result<StatusCode, ApiError> {
    let role = body.value.role()?;
    api.controller.workspace(&caller.actor(), &id)?;
    let guest = new_guest(&api, &username).await?;
    api.controller.change_workspace(&caller.actor(), &id, &WorkspaceChange::Share(guest, Some(role)), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn unshare(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let change = WorkspaceChange::Share(guest(&username)?, None);
    api.controller.change_workspace(&caller.actor(), &id, &change, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
