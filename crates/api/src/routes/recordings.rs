//! Recordings of class work: whether one lets them be kept, list, fetch, delete. Who may see one is said by its record and
//! the course.

use crate::body::{Body, Path, Query};
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::{Path as Paths, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use pierhead_wire::{ConsentRequest, ConsentView, DeletedRecordingView, RecordingView};
use serde::Deserialize;

pub(super) async fn consent(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<ConsentView>, ApiError> {
    Ok(Json(views::consent(api.controller.consent(&caller.actor(), &id)?)))
}

pub(super) async fn set_consent(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<ConsentRequest>,
) -> Result<Json<ConsentView>, ApiError> {
    let consent = api.controller.set_consent(&caller.actor(), &id, body.value.recordings).await?;
    Ok(Json(views::consent(consent)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    lab: Option<String>,
    username: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<RecordingView>>, ApiError> {
    let (lab, of) = (query.lab.as_deref(), query.username.as_deref());
    let all = api.controller.recordings(&caller.actor(), &id, lab, of).await?;
    Ok(Json(all.iter().map(views::recording).collect()))
}

pub(super) async fn deleted(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<DeletedRecordingView>>, ApiError> {
    let all = api.controller.deleted_recordings(&caller.actor(), &id).await?;
    Ok(Json(all.iter().map(views::deleted_recording).collect()))
}

pub(super) async fn fetch(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, recording)): Paths<(String, String)>,
) -> Result<impl IntoResponse, ApiError> {
    let file = api.controller.recording_file(&caller.actor(), &id, &recording).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-asciicast"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, file))
}

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, recording)): Paths<(String, String)>,
) -> Result<StatusCode, ApiError> {
    api.controller.delete_recording(&caller.actor(), &id, &recording).await?;
    Ok(StatusCode::NO_CONTENT)
}
