//! Tokens: everybody's own; of others for those who administer accounts.

use crate::accounts::{TOKEN_LIFE_MS, TokenId, TokenOwner};
use crate::body::{Body, Path, Query, flag};
use crate::identity::{Caller, idempotency, once};
use crate::{Accounts, Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_model::{Permission, Timestamp, TokenKind, TokenRecord, Username};
use pierhead_wire::{FieldError, LifeSpan, TokenCreated, TokenRequest, TokenView, format_timestamp};
use serde::Deserialize;

/// The id that stands for the token of the request itself: revoking it logs out.
const CURRENT: &str = "current";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    username: Option<String>,
    all: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<TokenView>>, ApiError> {
    let all = flag("all", query.all.as_deref())?;
    let named = query.username.map(Username::parse).transpose();
    let named = named.map_err(|invalid| FieldError::of("username", &invalid))?;
    let of_others = all || named.as_ref().is_some_and(|name| *name != caller.identity.username);
    if of_others && !caller.may(Permission::WriteAccounts) {
        return Err(ApiError::forbidden("you may see your own tokens only"));
    }
    let owner = match &named {
        Some(name) => TokenOwner::One(name),
        None if all => TokenOwner::Anybody,
        None => TokenOwner::One(&caller.identity.username),
    };
    let current = TokenId::of_hash(&caller.token_hash);
    let tokens = api.accounts.tokens(owner).await?;
    Ok(Json(tokens.into_iter().map(|(id, record)| view(id, record, &current)).collect()))
}

pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<TokenRequest>,
) -> Result<(StatusCode, Json<TokenCreated>), ApiError> {
    let key = idempotency(&headers, &[b"add-token", &body.bytes])?;
    let now = api.controller.clock().now();
    let expires_at = match body.value.parse()? {
        None => now.plus(TOKEN_LIFE_MS),
        Some(LifeSpan::Milliseconds(span)) => now.plus(span),
        Some(LifeSpan::Endless) if caller.may(Permission::WriteAccounts) => TokenRecord::NEVER,
        Some(LifeSpan::Endless) => {
            return Err(ApiError::forbidden("only who administers accounts may have tokens that never expire"));
        }
    };
    let (owner, name) = (&caller.identity.username, &body.value.name);
    let create = async |accounts: Accounts| accounts.create_token(owner, name, expires_at).await;
    let (token, record) = once(&api, &caller, key, create, || Err(given_before(name))).await?;
    let created =
        TokenCreated { id: TokenId::of(&token).0, name: record.name, token, expires_at: end(record.expires_at) };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Nobody keeps a token but who got it: the answer to a retry can't hold it.
fn given_before(name: &str) -> ApiError {
    let name: String = name.chars().take(64).collect();
    ApiError::new(
        StatusCode::CONFLICT,
        "token_given",
        format!(
            "this request was carried out before, and what a token is is told only once; if that answer was lost, revoke the token {name:?} ('GET /api/tokens' tells its id) and ask for another with a new Idempotency-Key"
        ),
    )
}

pub(super) async fn revoke(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    let me = &caller.identity.username;
    let id = if id == CURRENT { TokenId::of_hash(&caller.token_hash) } else { TokenId(id) };
    let owner = if caller.may(Permission::WriteAccounts) { TokenOwner::Anybody } else { TokenOwner::One(me) };
    api.accounts.revoke(&id, owner, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(id: TokenId, record: TokenRecord, current: &TokenId) -> TokenView {
    TokenView {
        current: id == *current,
        session: record.kind == TokenKind::Session,
        id: id.0,
        name: record.name,
        username: record.username.to_string(),
        created_at: format_timestamp(record.created_at),
        expires_at: end(record.expires_at),
        last_used_at: record.last_used_at.map(format_timestamp),
    }
}

fn end(expires_at: Timestamp) -> Option<String> {
    (expires_at != TokenRecord::NEVER).then(|| format_timestamp(expires_at))
}
