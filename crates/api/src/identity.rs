//! Who asks: the token of a request, and what its owner may.

pub(crate) mod browser;

use crate::accounts::{AccountsError, Identity, Owner, token_hash};
use crate::relay;
use crate::{Accounts, Api, ApiError};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use pierhead_controller::{Actor, Idempotency};
use pierhead_model::{Permission, TokenKind};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The original's header: `<username>:<token>`.
const ACCESS_TOKEN: &str = "x-access-token";
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Who asks, for handlers behind [`require`].
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub identity: Arc<Identity>,
    /// The hash of the token that they used.
    pub token_hash: String,
    /// How that token must be shown.
    pub kind: TokenKind,
    /// How it was shown.
    pub shown: Shown,
}

/// What a route asks of a role: one permission, or another that does as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    one: Permission,
    other: Option<Permission>,
}

impl Needs {
    pub fn one(one: Permission) -> Self {
        Self { one, other: None }
    }

    pub fn either(one: Permission, other: Permission) -> Self {
        Self { one, other: Some(other) }
    }

    fn any(self) -> impl Iterator<Item = Permission> {
        std::iter::once(self.one).chain(self.other)
    }

    /// The permissions in words.
    pub fn words(self) -> String {
        self.any().map(Permission::as_str).collect::<Vec<_>>().join(" or ")
    }
}

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// By a header that no browser sends by itself.
    Header,
    /// By a browser's cookie.
    Cookie,
    /// By a ticket in the query.
    Ticket,
    /// By the pass of another controller, which asks for them.
    Pass,
}

impl Caller {
    pub fn may(&self, permission: Permission) -> bool {
        #[cfg(feature = "mutants")]
        if crate::mutants::skips_check_of(permission) {
            return true;
        }
        self.identity.permissions.contains(&permission)
    }

    /// Whether they may work in what is theirs of workspaces and terminals, and not only look at it.
    pub fn may_work(&self) -> bool {
        self.may(Permission::WriteContainers) || self.may(Permission::ReadLabs)
    }

    /// A pass with which another controller believes that this one asks for them, for a path.
    pub fn pass(&self, api: &Api, path: &str) -> Result<String, ApiError> {
        let owner = Owner { token_hash: self.token_hash.clone(), kind: self.kind };
        relay::pass(&api.sealer, &owner, path, api.controller.clock().now())
    }

    pub fn actor(&self) -> Actor {
        Actor {
            username: self.identity.username.clone(),
            may_change_all: self.may(Permission::WriteAllContainers),
            may_run_privileged: self.may(Permission::RunPrivileged),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let missing = || ApiError::unauthenticated("log in first");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// Where a request comes from.
pub(crate) struct Origin {
    /// The address at the other end of the connection, if the listener tells it; nothing that a header claims.
    pub address: Option<IpAddr>,
    /// What the program calls itself.
    pub client: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|connection| connection.0.ip());
        let client = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self { address, client: client.filter(|name| !name.is_empty()).unwrap_or("log-in").to_owned() })
    }
}

/// Lets a request through if its token is good and its owner may; token first, then role, before any handler.
pub(crate) async fn require(
    State((api, needs)): State<(Api, Needs)>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = authenticate(&api, request.method(), request.uri(), request.headers()).await?;
    admit(caller, needs, request, next).await
}

/// The same for a stream, which a ticket in the query opens too. Nobody behind this sees the ticket.
pub(crate) async fn require_for_stream(
    State((api, needs)): State<(Api, Needs)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = match browser::take_ticket(request.uri_mut())? {
        None => authenticate(&api, request.method(), request.uri(), request.headers()).await?,
        Some(ticket) => {
            let invalid = || ApiError::unauthenticated("the ticket is not valid here, was used, or has expired");
            let (owner, identity) = api.accounts.redeem(&ticket, request.uri().path()).await?.ok_or_else(invalid)?;
            Caller { identity, token_hash: owner.token_hash, kind: owner.kind, shown: Shown::Ticket }
        }
    };
    admit(caller, needs, request, next).await
}

async fn admit(caller: Caller, needs: Needs, mut request: Request, next: Next) -> Result<Response, ApiError> {
    if !needs.any().any(|permission| caller.may(permission)) {
        return Err(ApiError::forbidden(format!("your role does not have the permission {}", needs.words())));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Lets everybody through who is logged in.
pub(crate) async fn require_log_in(
    State(api): State<Api>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = authenticate(&api, request.method(), request.uri(), request.headers()).await?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Refuses browsers, behind one of the others: following a link must change nothing.
pub(crate) async fn refuse_sessions(caller: Caller, request: Request, next: Next) -> Result<Response, ApiError> {
    if caller.kind == TokenKind::Session {
        return Err(ApiError::forbidden("a change by GET needs a token in a header; use POST"));
    }
    Ok(next.run(request).await)
}

async fn authenticate(api: &Api, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Caller, ApiError> {
    if let Some(pass) = pass_of(headers) {
        return by_pass(api, pass, method, uri.path()).await;
    }
    let (claimed, token, kind) = if let Some((claimed, token)) = token_of(headers) {
        (claimed, token, TokenKind::Token)
    } else if let Some(token) = browser::session_of(headers, api.front.is_secure()) {
        browser::check_origin(&api.front, method, headers)?;
        (None, token, TokenKind::Session)
    } else {
        return Err(ApiError::unauthenticated("no token: log in, then send it as 'Authorization: Bearer <token>'"));
    };
    let invalid = || ApiError::unauthenticated("the token is not valid, or has expired: log in again");
    let token_hash = token_hash(&token);
    let identity = api.accounts.identify(&token_hash, kind).await?.ok_or_else(invalid)?;
    if claimed.is_some_and(|claimed| claimed != identity.username.as_str()) {
        return Err(invalid());
    }
    let shown = if kind == TokenKind::Session { Shown::Cookie } else { Shown::Header };
    Ok(Caller { identity, token_hash, kind, shown })
}

/// Who another controller asks for.
async fn by_pass(api: &Api, pass: &str, method: &Method, path: &str) -> Result<Caller, ApiError> {
    let invalid = || ApiError::unauthenticated("the pass is not valid here, was used, or has expired");
    let now = api.controller.clock().now();
    let owner = api.accounts.passes.take(&api.sealer, pass, (method, path), now).ok_or_else(invalid)?;
    let identity = api.accounts.identify(&owner.token_hash, owner.kind).await?.ok_or_else(invalid)?;
    Ok(Caller { identity, token_hash: owner.token_hash, kind: owner.kind, shown: Shown::Pass })
}

/// The pass of another controller.
fn pass_of(headers: &HeaderMap) -> Option<&str> {
    let (scheme, pass) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(relay::SCHEME).then(|| pass.trim())
}

/// The token, and the user name that was claimed with it. An empty header counts as absent.
fn token_of(headers: &HeaderMap) -> Option<(Option<String>, String)> {
    let text =
        |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty());
    if let Some(bearer) = text(AUTHORIZATION.as_str()) {
        let (scheme, token) = bearer.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| (None, token.trim().to_owned()));
    }
    let (name, token) = text(ACCESS_TOKEN)?.split_once(':')?;
    Some((Some(name.to_owned()), token.to_owned()))
}

/// Carries out a change of the accounts once for each key of a client: who asks again gets the same answer.
pub(crate) async fn once<T>(
    api: &Api,
    caller: &Caller,
    key: Option<Idempotency>,
    change: impl AsyncFnOnce(Accounts) -> Result<T, AccountsError>,
    again: impl FnOnce() -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let once = key.map(|key| api.controller.once(&caller.identity.username, &key));
    if let Some(once) = &once
        && once.was_done().await?
    {
        return again();
    }
    let changed = change(api.accounts.once(once.as_ref())).await;
    match (changed, once) {
        // Perhaps the same request came twice, and the other one was faster.
        (Err(_), Some(once)) if once.was_done().await? => again(),
        (changed, _) => Ok(changed?),
    }
}

/// The client's key of a change, if it sent one.
pub(crate) fn idempotency(headers: &HeaderMap, request: &[&[u8]]) -> Result<Option<Idempotency>, ApiError> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(Idempotency::new(key, request))),
        _ => Err(ApiError::field("Idempotency-Key", "Idempotency-Key must be 1 to 255 visible ASCII characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> Option<(Option<String>, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        token_of(&headers)
    }

    #[test]
    fn both_headers_carry_the_token_and_empty_ones_count_as_absent() {
        assert_eq!(read("authorization", "Bearer abc"), Some((None, "abc".into())));
        assert_eq!(read("authorization", "bearer  abc"), Some((None, "abc".into())));
        assert_eq!(read("x-access-token", "admin:abc"), Some((Some("admin".into()), "abc".into())));
        for (name, value) in
            [("authorization", ""), ("authorization", "Basic abc"), ("x-access-token", ""), ("x-access-token", "abc")]
        {
            assert_eq!(read(name, value), None, "{name}: {value}");
        }
    }
}
