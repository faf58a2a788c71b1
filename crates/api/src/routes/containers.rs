//! Containers: list, run, show, start, stop, restart, scale, destroy, logs.

use super::waiting::{answer, answer_nothing, timeout, wait_until};
use crate::body::{Body, Path, Query, flag, number};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use pierhead_controller::{RunRequest, Started};
use pierhead_engine::LogOptions;
use pierhead_model::{AppName, Operation};
use pierhead_wire::{ContainerView, FieldError, ImageDescription, parse_timestamp};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    all: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<ContainerView>>, ApiError> {
    let all = flag("all", query.all.as_deref())?;
    let known = api.controller.known();
    Ok(Json(views::containers(&known.world, &caller, all)))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<ContainerView>, ApiError> {
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
    let app = query.app.as_deref().filter(|app| !app.is_empty()).map(AppName::parse).transpose();
    let request = RunRequest {
        spec: body.value.to_spec(&api.defaults)?,
        app: app.map_err(|invalid| FieldError::of("app", &invalid))?,
        count: count(query.count.as_deref())?.unwrap_or(1),
        pull: flag("pull", query.pull.as_deref())?,
        timeout: timeout(query.timeout.as_deref())?,
    };
    let how = format!("{:?} {} {}", request.app, request.count, request.pull);
    let key = idempotency(&headers, &[b"run", how.as_bytes(), &body.bytes])?;
    let started = api.controller.run(&caller.actor(), &request, key.as_ref()).await?;
    answer(&api, &started, until, |operation| Ok(Json(made(&api, &caller, operation)))).await
}

fn count(text: Option<&str>) -> Result<Option<u32>, ApiError> {
    Ok(number("count", text, u64::from(u32::MAX))?.and_then(|count| u32::try_from(count).ok()))
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
            done(&api, started.as_ref(), until).await
        }
    };
}

verb!(start, start_container);
verb!(stop, stop_container);
verb!(restart, restart_container);
verb!(destroy, destroy_container);

/// A verb on a container that is not ours was done directly and has no operation.
async fn done(api: &Api, started: Option<&Started>, until: Option<tokio::time::Instant>) -> Result<Response, ApiError> {
    match started {
        Some(started) => answer_nothing(api, started, until).await,
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
        count(self.count.as_deref())?.ok_or_else(|| ApiError::field("count", "count must be given: how many shall run"))
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
        return answer_nothing(&api, &started, until).await;
    }
    let container = api.controller.find_container(&id)?;
    let name = {
        let known = api.controller.known();
        container.slot.as_ref().and_then(|slot| known.world.apps().get(&slot.app)).map(|app| app.name.clone())
    };
    let name = name.ok_or_else(|| ApiError::forbidden("this container belongs to no app, so it can't be scaled"))?;
    let limit = timeout(query.timeout.as_deref())?;
    let started = api.controller.scale(&caller.actor(), &name, count, limit, key.as_ref()).await?;
    answer_nothing(&api, &started, until).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogsQuery {
    follow: Option<String>,
    tail: Option<String>,
    since: Option<String>,
    timestamps: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
}

pub(super) async fn logs(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<LogsQuery>,
) -> Result<Response, ApiError> {
    let lines = api.controller.logs(&caller.actor(), &id, log_options(&query)?).await?;
    let bytes = lines.map(|line| line.map(|line| line.bytes).map_err(|error| std::io::Error::other(error.to_string())));
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, Bytes::from_stream(bytes)).into_response())
}

fn log_options(query: &LogsQuery) -> Result<LogOptions, ApiError> {
    let (stdout, stderr) = (stream("stdout", query.stdout.as_deref())?, stream("stderr", query.stderr.as_deref())?);
    let since = match query.since.as_deref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let refuse = || ApiError::field("since", "since must be a moment such as 2026-11-21T22:10:06Z");
            Some(parse_timestamp(text).ok_or_else(refuse)?)
        }
    };
    Ok(LogOptions {
        follow: flag("follow", query.follow.as_deref())?,
        tail: number("tail", query.tail.as_deref().filter(|tail| *tail != "all"), u64::from(u32::MAX))?,
        since,
        timestamps: flag("timestamps", query.timestamps.as_deref())?,
        // A stream of which nothing is said comes unless it is the other one that was asked for.
        stdout: stdout.unwrap_or(stderr != Some(true)),
        stderr: stderr.unwrap_or(stdout != Some(true)),
    })
}

fn stream(field: &'static str, text: Option<&str>) -> Result<Option<bool>, ApiError> {
    text.filter(|text| !text.is_empty()).map(|text| flag(field, Some(text))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_a_log_can_be_asked_for_or_left_out() {
        let streams = |stdout: &str, stderr: &str| {
            let given = |text: &str| (text != "-").then(|| text.to_owned());
            let none = || None;
            let query = LogsQuery {
                follow: none(),
                tail: none(),
                since: none(),
                timestamps: none(),
                stdout: given(stdout),
                stderr: given(stderr),
            };
            log_options(&query).map(|options| (options.stdout, options.stderr))
        };
        for both in [("-", "-"), ("", ""), ("true", "1")] {
            assert_eq!(streams(both.0, both.1), Ok((true, true)), "{both:?}");
        }
        for only_stdout in [("true", "-"), ("-", "false"), ("true", "0")] {
            assert_eq!(streams(only_stdout.0, only_stdout.1), Ok((true, false)), "{only_stdout:?}");
        }
        assert_eq!(streams("false", "-"), Ok((false, true)));
        assert_eq!(streams("-", "true"), Ok((false, true)));
        assert_eq!(streams("-", "yes").unwrap_err().body.field.as_deref(), Some("stderr"));
    }
}
