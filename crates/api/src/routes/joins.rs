//! Hosts that join by themselves: tokens for them, their approval, and the revocation of what they got for one.

use super::engines;
use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_controller::RequestError;
use pierhead_wire::{EngineView, JoinTokenCreated, JoinTokenRequest, format_timestamp};

pub(super) async fn make(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<JoinTokenRequest>,
) -> Result<(StatusCode, Json<JoinTokenCreated>), ApiError> {
    let (life, approved) = (body.value.life()?, body.value.approved.unwrap_or(false));
    let no_agents = "this controller takes no agents; start it with --agent-listen IP:PORT";
    let joins = api.joins.as_ref().ok_or_else(|| ApiError::new(StatusCode::CONFLICT, "no_agents", no_agents))?;
    let key = idempotency(&headers, &[b"make-join-token", &body.bytes])?;
    let once = key.map(|key| api.controller.once(&caller.identity.username, &key));
    if let Some(once) = &once
        && once.was_done().await?
    {
        return Err(given_before());
    }
    let made = match api.controller.make_join_secret(&caller.actor(), life, approved, once.as_ref()).await {
        // Perhaps the same request came twice, and the other one was faster.
        Err(RequestError::Store(error)) => match &once {
            Some(once) if once.was_done().await? => return Err(given_before()),
            _ => return Err(RequestError::Store(error).into()),
        },
        made => made?,
    };
    let created = JoinTokenCreated {
        token: (joins.token_of)(&made.secret),
        address: joins.address.clone(),
        ca_fingerprint: joins.ca_fingerprint.clone(),
        expires_at: format_timestamp(made.expires_at),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

pub(super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
) -> Result<Json<EngineView>, ApiError> {
    let key = idempotency(&headers, &[b"revoke-engine", id.as_bytes()])?;
    let once = key.map(|key| api.controller.once(&caller.identity.username, &key));
    api.controller.revoke_agent(&caller.actor(), &id, once.as_ref()).await?;
    engines::shown(&api, &id).map(Json)
}

pub(super) async fn approve(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path,
) -> Result<Json<EngineView>, ApiError> {
    let key = idempotency(&headers, &[b"approve-engine", id.as_bytes()])?;
    api.controller.approve_engine(&caller.actor(), &id, key.as_ref()).await?;
    engines::shown(&api, &id).map(Json)
}

/// Nobody keeps a token but who got it: the answer to a retry can't hold it.
fn given_before() -> ApiError {
    let message = "this request was carried out before, and what a token is is told only once; ask for another with a \
                   new Idempotency-Key: one that nobody has expires by itself";
    ApiError::new(StatusCode::CONFLICT, "token_given", message)
}
