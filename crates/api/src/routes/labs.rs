//! Labs: their records, versions and pages. Their files are next door.

use crate::body::{Body, Path, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::{Path as Paths, State};
use axum::http::{HeaderMap, StatusCode};
use pierhead_controller::LabSetting;
use pierhead_lab::LabPath;
use pierhead_model::{Lab, LabVersionRef};
use pierhead_wire::{
    LabDiffView, LabEnvironmentRequest, LabHistoryView, LabImagesView, LabOutlineView, LabPageView, LabPreviewRequest,
    LabRequest, LabSettings, LabView, PublishRequest, WorkspaceView, lab_version, save_id,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionQuery {
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    version: Option<String>,
    language: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiffQuery {
    from: Option<String>,
    to: Option<String>,
}

/// The state that a query means.
pub(super) fn version(field: &str, text: Option<&str>) -> Result<Option<LabVersionRef>, ApiError> {
    Ok(text.filter(|text| !text.is_empty()).map(|text| lab_version(field, text)).transpose()?)
}

/// A path of a file or folder in a lab.
pub(super) fn lab_path(field: &str, text: &str) -> Result<LabPath, ApiError> {
    let path = LabPath::parse(text).map_err(|error| ApiError::field(field, format!("{field}: {error}")))?;
    if path == LabPath::root() {
        return Err(ApiError::field(field, format!("{field} must be the path of a file or folder")));
    }
    Ok(path)
}

fn view(api: &Api, caller: &Caller, lab: &Lab) -> LabView {
    LabView::of(lab, api.controller.writes_lab(&caller.actor(), lab))
}

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<Vec<LabView>> {
    let labs = api.controller.labs_of(&caller.actor());
    Json(labs.iter().map(|lab| view(&api, &caller, lab)).collect())
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<LabRequest>,
) -> Result<(StatusCode, Json<LabView>), ApiError> {
    let (id, visibility) = body.value.to_model()?;
    let key = idempotency(&headers, &[b"add-lab", &body.bytes])?;
    let (actor, title) = (caller.actor(), body.value.title.as_deref());
    api.controller.add_lab(&actor, &id, title, visibility, key.as_ref()).await?;
    let lab = api.controller.lab(&actor, id.as_str())?;
    Ok((StatusCode::CREATED, Json(view(&api, &caller, &lab))))
}

pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<Json<LabView>, ApiError> {
    let lab = api.controller.lab(&caller.actor(), &id)?;
    Ok(Json(view(&api, &caller, &lab)))
}

pub(super) async fn set(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<LabSettings>,
) -> Result<Json<LabView>, ApiError> {
    let (visibility, authors, owner) = body.value.to_model()?;
    let (actor, lab) = (caller.actor(), api.controller.lab_to_write(&caller.actor(), &id)?);
    // Asked only for those who may write it: others learn nothing of accounts.
    let named = authors.iter().flatten().chain(&owner).filter(|name| !lab.is_author(name));
    for name in named {
        if api.accounts.role_of(name).await?.is_none() {
            return Err(ApiError::not_found(format!("there is no account {name}")));
        }
    }
    api.controller.set_lab(&actor, &id, &LabSetting { visibility, authors, owner }).await?;
    // Who gave it away may not see it any more.
    let lab = api.controller.lab(&actor, &id).unwrap_or(lab);
    Ok(Json(view(&api, &caller, &lab)))
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.delete_lab(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn publish(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<PublishRequest>,
) -> Result<Json<LabView>, ApiError> {
    let key = idempotency(&headers, &[b"publish-lab", id.as_bytes(), &body.bytes])?;
    let PublishRequest { note, revision } = &body.value;
    let lab = api.controller.publish_lab(&caller.actor(), &id, note, *revision, key.as_ref()).await?;
    Ok(Json(view(&api, &caller, &lab)))
}

pub(super) async fn delete_version(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, number)): Paths<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let LabVersionRef::Number(number) = lab_version("version", &number)? else {
        return Err(ApiError::field("version", "version must be the number of a version"));
    };
    api.controller.delete_lab_version(&caller.actor(), &id, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<LabHistoryView>>, ApiError> {
    let history = api.controller.lab_history(&caller.actor(), &id).await?;
    Ok(Json(history.drafts.iter().map(LabHistoryView::of).collect()))
}

pub(super) async fn restore(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, revision)): Paths<(String, String)>,
) -> Result<Json<LabView>, ApiError> {
    let revision = revision.parse().map_err(|_| ApiError::field("revision", "revision must be a whole number"))?;
    let lab = api.controller.restore_lab_draft(&caller.actor(), &id, revision).await?;
    Ok(Json(view(&api, &caller, &lab)))
}

pub(super) async fn diff(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<DiffQuery>,
) -> Result<Json<LabDiffView>, ApiError> {
    let from = version("from", query.from.as_deref())?.unwrap_or(LabVersionRef::Newest);
    let to = version("to", query.to.as_deref())?.unwrap_or(LabVersionRef::Draft);
    let difference = api.controller.lab_difference(&caller.actor(), &id, from, to).await?;
    Ok(Json(views::lab_difference(&difference)))
}

pub(super) async fn outline(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<VersionQuery>,
) -> Result<Json<LabOutlineView>, ApiError> {
    let version = version("version", query.version.as_deref())?;
    let outline = api.controller.lab_outline(&caller.actor(), &id, version).await?;
    Ok(Json(views::lab_outline(&outline)))
}

pub(super) async fn page(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, step)): Paths<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Json<LabPageView>, ApiError> {
    let step = step.parse().map_err(|_| ApiError::field("step", "step must be the number of a step, from 0"))?;
    let version = version("version", query.version.as_deref())?.unwrap_or(LabVersionRef::Draft);
    let language = query.language.as_deref();
    let page = api.controller.lab_page(&caller.actor(), &id, version, step, language).await?;
    Ok(Json(LabPageView { step: Some(step as u64), ..views::lab_page(&page.rendered.page, &page.checks) }))
}

pub(super) async fn preview(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<LabPreviewRequest>,
) -> Result<Json<LabPageView>, ApiError> {
    let LabPreviewRequest { path, text } = body.value;
    let path = lab_path("path", &path)?;
    let preview = api.controller.preview_lab(&caller.actor(), &id, path, text).await?;
    let page = match &preview.rendered {
        Some((rendered, checks)) => views::lab_page(&rendered.page, checks),
        None => views::no_lab_page(),
    };
    let problems = preview.problems.iter().map(views::lab_problem).collect();
    Ok(Json(LabPageView { problems, step: preview.step.map(|step| step as u64), ..page }))
}

pub(super) async fn workspace(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let key = idempotency(&headers, &[b"open-lab-workspace", id.as_bytes()])?;
    let now = api.controller.open_draft_workspace(&caller.actor(), &id, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(views::workspace(&now))))
}

pub(super) async fn environment(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<LabEnvironmentRequest>,
) -> Result<Json<LabView>, ApiError> {
    let save = save_id(&body.value.save)?;
    let lab = api.controller.prepare_lab(&caller.actor(), &id, &save).await?;
    Ok(Json(view(&api, &caller, &lab)))
}

pub(super) async fn images(State(api): State<Api>) -> Result<Json<LabImagesView>, ApiError> {
    Ok(Json(views::lab_images(&api.controller.lab_images().await?)))
}

pub(super) async fn set_images(
    State(api): State<Api>,
    caller: Caller,
    body: Body<LabImagesView>,
) -> Result<Json<LabImagesView>, ApiError> {
    let table = views::image_table(&body.value)?;
    api.controller.set_lab_images(&caller.actor(), &table).await?;
    Ok(Json(views::lab_images(&table)))
}
