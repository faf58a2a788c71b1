//! The wall: everybody whose work somebody may watch, and what is done for many of them at once.

mod socket;

pub(super) use socket::socket;

use crate::body::{Body, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use pierhead_controller::{WallScope, WorkspaceChange};
use pierhead_wire::{
    WallChangeKind, WallChangeRequest, WallChangeView, WallNamed, WallNames, WallOutcomeView, WallView,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WallQuery {
    environment: Option<String>,
    course: Option<String>,
    lab: Option<String>,
}

impl WallQuery {
    fn scope(&self) -> Result<WallScope, ApiError> {
        let [environment, course, lab] =
            [&self.environment, &self.course, &self.lab].map(|text| text.as_deref().filter(|text| !text.is_empty()));
        scope(WallNames { environment, course, lab, workspaces: None })
    }
}

/// Whom something is about.
pub(super) fn scope(names: WallNames<'_>) -> Result<WallScope, ApiError> {
    let WallNamed { environment, course, lab, workspaces } = names.named()?;
    Ok(WallScope { environment, course, lab, workspaces })
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<WallQuery>,
) -> Result<Json<WallView>, ApiError> {
    let entries = api.controller.wall(&caller.actor(), &query.scope()?).await?;
    Ok(Json(WallView { people: entries.iter().map(views::wall_person).collect() }))
}

pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<WallChangeRequest>,
) -> Result<Json<WallChangeView>, ApiError> {
    let change = match body.value.kind()? {
        WallChangeKind::Extend(minutes) => WorkspaceChange::Extend(minutes),
        WallChangeKind::Save => WorkspaceChange::Save(None),
        WallChangeKind::Pause => WorkspaceChange::Pause,
        WallChangeKind::Resume => WorkspaceChange::Resume,
        WallChangeKind::Stop => WorkspaceChange::Stop,
        WallChangeKind::Start => WorkspaceChange::Start(None),
    };
    let scope = scope(body.value.names())?;
    let key = idempotency(&headers, &[b"change-many", &body.bytes])?;
    let outcomes = api.controller.change_many(&caller.actor(), &scope, &change, key.as_ref()).await?;
    let people: Vec<WallOutcomeView> = outcomes
        .into_iter()
        .map(|outcome| {
            let refused = outcome.refused.map(ApiError::from);
            WallOutcomeView {
                workspace: outcome.workspace.to_string(),
                owner: outcome.owner.to_string(),
                done: refused.is_none(),
                code: refused.as_ref().map(|error| error.body.code.clone()),
                message: refused.map(|error| error.body.message),
            }
        })
        .collect();
    let done = people.iter().filter(|outcome| outcome.done).count();
    Ok(Json(WallChangeView { done: u32::try_from(done).unwrap_or(u32::MAX), people }))
}
