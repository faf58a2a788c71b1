//! Sessions of browsers, and the certificate of the authority that they may trust.

use crate::accounts::{SESSION_LIFE_MS, TokenId, TokenOwner, token_hash};
use crate::body::Body;
use crate::identity::browser::{check_given_origin, cookie};
use crate::identity::{Caller, Origin, Shown};
use crate::{Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use pierhead_model::{TokenKind, TokenRecord};
use pierhead_wire::{LogIn, SessionView, format_timestamp};

type WithCookie<T> = ([(HeaderName, String); 2], T);

fn with_cookie<T>(api: &Api, token: &str, seconds: u64, body: T) -> WithCookie<T> {
    ([(SET_COOKIE, cookie(token, seconds, api.front.is_secure())), (CACHE_CONTROL, "no-store".to_owned())], body)
}

pub(super) async fn open(
    State(api): State<Api>,
    origin: Origin,
    headers: HeaderMap,
    body: Body<LogIn>,
) -> Result<WithCookie<Json<SessionView>>, ApiError> {
    // Nobody is logged in by another site, as somebody else.
    check_given_origin(&api.front, &headers, false)?;
    let LogIn { username, password } = body.value;
    let (token, _) = api.accounts.open_session(&username, &password, origin.address, &origin.client).await?;
    let hash = token_hash(&token);
    let lost = || ApiError::unauthenticated("the account was changed meanwhile: log in again");
    let identity = api.accounts.identify(&hash, TokenKind::Session).await?.ok_or_else(lost)?;
    let caller = Caller { identity, token_hash: hash, kind: TokenKind::Session, shown: Shown::Cookie };
    let view = view(&api, &caller).await?;
    Ok(with_cookie(&api, &token, SESSION_LIFE_MS / 1000, Json(view)))
}

pub(super) async fn show(State(api): State<Api>, caller: Caller) -> Result<Json<SessionView>, ApiError> {
    Ok(Json(view(&api, &caller).await?))
}

pub(super) async fn close(State(api): State<Api>, caller: Caller) -> Result<WithCookie<StatusCode>, ApiError> {
    if caller.kind != TokenKind::Session {
        let what = "this is no session; 'DELETE /api/tokens/current' revokes a token";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "no_session", what));
    }
    let me = &caller.identity.username;
    api.accounts.revoke(&TokenId::of_hash(&caller.token_hash), TokenOwner::One(me), &caller.identity).await?;
    Ok(with_cookie(&api, "", 0, StatusCode::NO_CONTENT))
}

async fn view(api: &Api, caller: &Caller) -> Result<SessionView, ApiError> {
    let username = &caller.identity.username;
    let end = api.accounts.end_of(&caller.token_hash).await?.filter(|end| *end != TokenRecord::NEVER);
    Ok(SessionView {
        username: username.to_string(),
        role: api.accounts.role_of(username).await?.map(|role| role.0).unwrap_or_default(),
        permissions: caller.identity.permissions.iter().map(|permission| permission.as_str().to_owned()).collect(),
        expires_at: end.map(format_timestamp),
    })
}

pub(super) async fn authority(State(api): State<Api>) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let none = || {
        let what = "this server's certificate is not of an authority of its own; trust the one that signed it";
        ApiError::new(StatusCode::NOT_FOUND, "other_authority", what)
    };
    let certificate = api.front.ca_certificate.as_deref().ok_or_else(none)?;
    Ok(([(CONTENT_TYPE, "application/x-pem-file")], certificate.to_owned()))
}
