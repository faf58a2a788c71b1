//! The pool's totals, and whether this controller works.

use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use pierhead_store::StoreJson;
use pierhead_wire::ClusterInfo;
use serde_json::{Value, json};

pub(super) async fn health(State(api): State<Api>) -> Result<Json<Value>, ApiError> {
    // Reading anything shows that the store works.
    api.controller.store().get_json::<Value>("health").await?;
    Ok(Json(json!({ "status": "ok" })))
}

pub(super) async fn info(State(api): State<Api>) -> Json<ClusterInfo> {
    let usage = api.controller.usage().await;
    let known = api.controller.known();
    Json(views::cluster(&known.world, usage, api.version))
}
