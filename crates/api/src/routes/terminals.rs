//! Terminals in containers: open, list, show, share, record, end, and the socket that they are used by.

mod elsewhere;
mod socket;

pub(super) use socket::socket;

use super::guests::{guest, new_guest};
use crate::body::{Body, Path, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::Path as Paths;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pierhead_controller::{RequestError, TerminalRequest as Wanted};
use pierhead_model::Permission;
use pierhead_wire::{GuestRequest, TerminalRequest, TerminalView};
use serde::Deserialize;

pub(super) async fn open(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
    body: Body<TerminalRequest>,
) -> Result<(StatusCode, Json<TerminalView>), ApiError> {
    body.value.check()?;
    let key = idempotency(&headers, &[b"open-terminal", id.as_bytes(), &body.bytes])?;
    let (columns, rows) = body.value.size();
    let TerminalRequest { command, tty, user, working_dir, name, .. } = body.value;
    let wanted = Wanted { command, tty: tty.unwrap_or(true), user, working_dir, name, columns, rows };
    let opened = api.controller.open_terminal(&caller.actor(), &id, &wanted, key.as_ref()).await;
    let terminal = opened.map_err(|error| hidden(&caller, &id, error))?;
    let now = api.controller.terminal(&caller.actor(), terminal.id.as_str())?;
    Ok((StatusCode::CREATED, Json(views::terminal(&caller, &now))))
}

/// Whoever may not see the pool's containers learns nothing of those that are not theirs.
fn hidden(caller: &Caller, id: &str, error: RequestError) -> RequestError {
    match error {
        RequestError::Forbidden(_) | RequestError::Ambiguous { .. } | RequestError::NotFound { .. }
            if !caller.may(Permission::ReadContainers) =>
        {
            RequestError::NotFound { what: "container", id: id.chars().take(64).collect(), replaced_by: None }
        }
        error => error,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    container: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Json<Vec<TerminalView>> {
    let wanted = query.container.filter(|id| !id.is_empty());
    let all = api.controller.terminals_of(&caller.actor());
    let is_wanted = |id: &str| wanted.as_ref().is_none_or(|wanted| id.starts_with(wanted.as_str()));
    let listed: Vec<_> = all.into_iter().filter(|terminal| is_wanted(terminal.record.container.as_str())).collect();
    let views = listed.iter().map(|terminal| views::terminal(&caller, terminal)).collect();
    Json(elsewhere::look(&api, &caller, &listed, views).await)
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<TerminalView>, ApiError> {
    let terminal = api.controller.terminal(&caller.actor(), &id)?;
    let view = elsewhere::look_at(&api, &caller, &terminal, views::terminal(&caller, &terminal)).await;
    Ok(Json(view))
}

pub(super) async fn end(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    // Who asked may hang up; it is ended all the same.
    let ending = tokio::spawn(async move { api.controller.end_terminal(&caller.actor(), &id).await });
    let ended = ending.await.map_err(|error| {
        tracing::error!(%error, "the end of a terminal broke off");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "terminal_away", "the terminal could not be ended; try again")
    })?;
    ended?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn share(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
    body: Body<GuestRequest>,
) -> Result<StatusCode, ApiError> {
    let role = body.value.role()?;
    api.controller.terminal(&caller.actor(), &id)?;
    let guest = new_guest(&api, &username).await?;
    api.controller.share_terminal(&caller.actor(), &id, &guest, Some(role)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn unshare(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
) -> Result<StatusCode, ApiError> {
    api.controller.share_terminal(&caller.actor(), &id, &guest(&username)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn recording(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<Response, ApiError> {
    let headers = [(header::CONTENT_TYPE, "application/x-asciicast"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    let body = match api.controller.terminal_recording(&caller.actor(), &id).await? {
        Ok(pieces) => Bytes::from_stream(pieces),
        Err(url) => {
            let relay = api.relay.as_ref().ok_or_else(socket::no_relay)?;
            let path = format!("/api/terminals/{id}/recording");
            Bytes::from_stream(relay.get(&url, &path, &caller.pass(&api, &path)?).await.map_err(socket::relay_failed)?)
        }
    };
    Ok((headers, body).into_response())
}
