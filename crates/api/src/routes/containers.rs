//! Containers: list, run, show, start, stop, restart, scale, destroy.

use super::waiting::{answer, answer_nothing, timeout, wait_until};
use crate::body::{Body, Path, Query, flag};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use pierhead_controller::{MOST_SLOTS, RunRequest, Started};
use pierhead_model::{AppName, Operation};
use pierhead_wire::{ContainerView, FieldError, ImageDescription};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    all: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(rows): Extension<Arc<views::Rows>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let all = flag("all", query.all.as_deref())?;
    api.controller.first_look().await;
    let list = rows.list(&api.controller.known(), &caller, all);
    Ok(([(header::CONTENT_TYPE, "application/json")], list).into_response())
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<ContainerView>, ApiError> {
    api.controller.first_look().await;
    let container = api.controller.find_container(&id)?;
    let known = api.controller.known();
    let view = views::container(&known.world, &caller, &container.engine, &container.observed);
    view.map(Json).ok_or_else(|| ApiError::not_found("the container's host was removed just now"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunQuery {
    count: Option<String>,
    pull: Option<String>,
    app: Option<String>,
    wait: Option<String>,
    timeout: Option<String>,
}

pub(super) async fn run(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<RunQuery>,
    body: Body<ImageDescription>,
) -> Result<Response, ApiError> {
    let until = wait_until(query.wait.as_deref())?;
    let app = query.app.as_deref().map(AppName::parse).transpose();
    let request = RunRequest {
        spec: body.value.to_spec(&api.defaults)?,
        app: app.map_err(|invalid| FieldError::of("app", &invalid))?,
        count: count(query.count.as_deref(), 1)?.unwrap_or(1),
        pull: flag("pull", query.pull.as_deref())?,
        timeout: timeout(query.timeout.as_deref())?,
    };
    let how = format!("{:?} {} {}", request.app, request.count, request.pull);
    let key = idempotency(&headers, &[b"run", how.as_bytes(), &body.bytes])?;
    let started = api.controller.run(&caller.actor(), &request, key.as_ref()).await?;
    answer(&api, &caller, &started, until, |operation| Ok(Json(made(&api, &caller, operation)))).await
}

/// A number of containers: from `least`, and no more than an app may have.
fn count(text: Option<&str>, least: u32) -> Result<Option<u32>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let count = text.parse::<u32>().ok().filter(|count| (least..=MOST_SLOTS).contains(count));
    let refuse = || ApiError::field("count", format!("count must be a whole number from {least} to {MOST_SLOTS}"));
    count.map(Some).ok_or_else(refuse)
}

/// The containers that an operation made.
fn made(api: &Api, caller: &Caller, operation: &Operation) -> Vec<ContainerView> {
    let known = api.controller.known();
    let view = |verdict: &pierhead_model::Verdict| {
        let engine = verdict.engine.as_ref()?;
        let observed = known.world.engines().get(engine)?.containers.get(verdict.container.as_ref()?)?;
        views::container(&known.world, caller, engine, observed)
    };
    operation.verdicts.iter().filter_map(view).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerbQuery {
    wait: Option<String>,
}

macro_rules! verb {
    ($name:ident, $call:ident) => {
        pub(super) async fn $name(
            State(api): State<Api>,
            caller: Caller,
            headers: HeaderMap,
            Path(id): Path,
            Query(query): Query<VerbQuery>,
        ) -> Result<Response, ApiError> {
            let until = wait_until(query.wait.as_deref())?;
            let key = idempotency(&headers, &[stringify!($name).as_bytes(), id.as_bytes()])?;
            let started = api.controller.$call(&caller.actor(), &id, key.as_ref()).await?;
            done(&api, &caller, started.as_ref(), until).await
        }
    };
}

verb!(start, start_container);
verb!(stop, stop_container);
verb!(restart, restart_container);
verb!(destroy, destroy_container);

/// A verb on a container that is not ours was done directly and has no operation.
async fn done(
    api: &Api,
    caller: &Caller,
    started: Option<&Started>,
    until: Option<tokio::time::Instant>,
) -> Result<Response, ApiError> {
    match started {
        Some(started) => answer_nothing(api, caller, started, until).await,
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScaleQuery {
    count: Option<String>,
    pub(super) wait: Option<String>,
    pub(super) timeout: Option<String>,
}

impl ScaleQuery {
    pub(super) fn count(&self) -> Result<u32, ApiError> {
        count(self.count.as_deref(), 0)?
            .ok_or_else(|| ApiError::field("count", "count must be given: how many shall run"))
    }
}

pub(super) async fn scale(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
    Query(query): Query<ScaleQuery>,
) -> Result<Response, ApiError> {
    let (count, until) = (query.count()?, wait_until(query.wait.as_deref())?);
    let key = idempotency(&headers, &[b"scale-container", id.as_bytes(), &count.to_le_bytes()])?;
    // The container of a retried request may be one of those that had to go.
    if let Some(started) = api.controller.begun_before(&caller.actor(), key.as_ref()).await? {
        return answer_nothing(&api, &caller, &started, until).await;
    }
    let container = api.controller.find_container(&id)?;
    let limit = timeout(query.timeout.as_deref())?;
    let started = api.controller.scale_app_of(&caller.actor(), &container, count, limit, key.as_ref()).await?;
    answer_nothing(&api, &caller, &started, until).await
}
