//! The pool's totals, its events, and whether this controller works.

use crate::body::{Query, number};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use pierhead_store::StoreJson;
use pierhead_wire::{ClusterInfo, EventView};
use serde::Deserialize;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    count: Option<String>,
}

/// How many events are answered unless asked otherwise.
const EVENTS: u64 = 100;

pub(super) async fn events(
    State(api): State<Api>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Vec<EventView>>, ApiError> {
    let count = number("count", query.count.as_deref(), u64::from(u32::MAX))?.unwrap_or(EVENTS);
    let events = api.controller.newest_events(usize::try_from(count).unwrap_or(usize::MAX)).await?;
    Ok(Json(events.iter().map(views::event).collect()))
}
