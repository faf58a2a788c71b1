//! The pool's totals, and whether this controller works.

use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use pierhead_store::StoreJson;
use pierhead_wire::{ClusterInfo, ControllerView, Health};
use serde_json::Value;

pub(super) async fn health(State(api): State<Api>) -> Result<Json<Health>, ApiError> {
    // Reading anything shows that the store works.
    api.controller.store().get_json::<Value>("health").await?;
    Ok(Json(Health { status: "ok".to_owned() }))
}

pub(super) async fn backup(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let bytes = api.controller.backup(api.version).await?;
    api.controller.tell_backup_was_taken(&caller.actor(), bytes.len()).await;
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, bytes).into_response())
}

pub(super) async fn info(State(api): State<Api>) -> Json<ClusterInfo> {
    let usage = api.controller.usage().await;
    let known = api.controller.known();
    Json(views::cluster(&known.world, usage, api.version))
}

pub(super) async fn controllers(State(api): State<Api>) -> Json<Vec<ControllerView>> {
    Json(api.controller.controllers().await.iter().map(views::controller).collect())
}
