//! Log-in and accounts.

use super::enter::link_view;
use crate::accounts::{AccountsError, LinkFor};
use crate::body::{Body, Path};
use crate::identity::{Caller, Origin, idempotency, once};
use crate::{Accounts, Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_model::{Account, Permission, TokenKind, Username};
use pierhead_wire::{
    AccountRequest, AccountView, FieldError, LinkRequest, LinkView, LogIn, LoggedIn, PasswordChange, RoleChange,
    RoleView, format_timestamp,
};

impl From<AccountsError> for ApiError {
    fn from(error: AccountsError) -> Self {
        let message = error.to_string();
        match error {
            AccountsError::Store(error) => error.into(),
            AccountsError::Hash => Self::new(StatusCode::SERVICE_UNAVAILABLE, "hash_failed", message),
            AccountsError::WrongPassword => Self::unauthenticated(&message),
            AccountsError::TooManyAttempts { retry_after_s } => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message);
                Self { retry_after_s: Some(retry_after_s), ..error }
            }
            AccountsError::TooManyTickets => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tickets", message);
                Self { retry_after_s: Some(30), ..error }
            }
            AccountsError::NameOwns { .. } => Self::new(StatusCode::CONFLICT, "name_owns_things", message),
            AccountsError::Exists(_) | AccountsError::RoleExists(_) => Self::exists(message),
            AccountsError::NotFound(_) | AccountsError::RoleNotFound(_) | AccountsError::TokenNotFound(_) => {
                Self::not_found(message)
            }
            AccountsError::Beyond(_) => Self::forbidden(message),
            AccountsError::TooManyTokens => Self::new(StatusCode::CONFLICT, "too_many_tokens", message),
            AccountsError::BuiltIn(_) => Self::new(StatusCode::CONFLICT, "built_in", message),
            AccountsError::RoleInUse { .. } => Self::new(StatusCode::CONFLICT, "role_in_use", message),
            AccountsError::Suspended => Self::new(StatusCode::FORBIDDEN, "suspended", message),
            AccountsError::LinkGone => Self::new(StatusCode::GONE, "link_gone", message),
            AccountsError::NoStudent(_) => Self::forbidden(message),
            AccountsError::NoRole(_) => Self::field("role.name", message),
            AccountsError::LastAdmin(_) => Self::new(StatusCode::CONFLICT, "last_admin", message),
        }
    }
}

pub(super) async fn log_in(
    State(api): State<Api>,
    origin: Origin,
    body: Body<LogIn>,
) -> Result<Json<LoggedIn>, ApiError> {
    let LogIn { username, password } = body.value;
    let (token, record, role) = api.accounts.log_in(&username, &password, origin.address, &origin.client).await?;
    Ok(Json(LoggedIn {
        token,
        username: record.username.to_string(),
        role: role.map(|role| role.0).unwrap_or_default(),
        expires_at: format_timestamp(record.expires_at),
    }))
}

pub(super) async fn change_password(
    State(api): State<Api>,
    caller: Caller,
    origin: Origin,
    body: Body<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let name = username(Some(&body.value.username))?;
    let own = caller.identity.username == name;
    if !own && !caller.may(Permission::WriteAccounts) {
        return Err(ApiError::forbidden("you may change your own password only"));
    }
    check_password(&body.value.password)?;
    match &body.value.current {
        // Of another's the caller knows none, and who guesses at it guesses at log-in.
        Some(_) if !own => {
            return Err(ApiError::field("current", "current is for one's own password; leave it out for another's"));
        }
        Some(current) => check_current(&api, &name, current, &origin).await?,
        // Whoever sits down at somebody's browser must not be able to take the account over.
        None if own && caller.kind == TokenKind::Session => {
            return Err(ApiError::field("current", "current must be the present password"));
        }
        None => {}
    }
    let keep = own.then_some(caller.token_hash.as_str());
    api.accounts.change_password(&name, &body.value.password, Some(&caller.identity), keep).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Counts as an attempt to log in.
async fn check_current(api: &Api, name: &Username, current: &str, origin: &Origin) -> Result<(), ApiError> {
    match api.accounts.check_password(name.as_str(), current, origin.address).await {
        Ok(_) => Ok(()),
        // Not 401: the caller's token or session is good.
        Err(AccountsError::WrongPassword) => {
            let mut error = ApiError::new(StatusCode::FORBIDDEN, "wrong_password", "the present password is another");
            error.body.field = Some("current".to_owned());
            Err(error)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<AccountView>>, ApiError> {
    Ok(Json(api.accounts.list().await?.iter().map(view).collect()))
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<AccountRequest>,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"add-account", &body.bytes])?;
    let request = body.value;
    let name = username(request.username.as_ref())?;
    let password = request.password.as_deref().unwrap_or_default();
    check_password(password)?;
    let role = request.role.map_or_else(|| "user".to_owned(), |role| role.name);
    let id = request.id.filter(|id| !id.is_empty());
    if let Some(id) = &id {
        Username::parse(id.as_str()).map_err(|invalid| FieldError::of("id", &invalid))?;
    }
    let (inherit, by) = (request.inherit.unwrap_or(false), &caller.identity);
    let add = async |accounts: Accounts| accounts.add(&name, id, password, &role, inherit, Some(by)).await;
    once(&api, &caller, key, add, || Ok(())).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    body: Body<AccountRequest>,
) -> Result<StatusCode, ApiError> {
    let name = match (&body.value.username, &body.value.id) {
        (Some(name), _) => username(Some(name))?,
        (None, Some(id)) => {
            let accounts = api.accounts.list().await?;
            let found = accounts.into_iter().find(|account| account.id == *id);
            found.ok_or_else(|| ApiError::not_found("there is no account of that id"))?.username
        }
        (None, None) => return Err(ApiError::field("username", "username or id must be given")),
    };
    api.accounts.delete(&name, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete_named(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path,
) -> Result<StatusCode, ApiError> {
    let name = named(name)?;
    api.accounts.delete(&name, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn set_role(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path,
    body: Body<RoleChange>,
) -> Result<StatusCode, ApiError> {
    api.accounts.set_role(&named(name)?, &body.value.role.name, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn suspend(State(api): State<Api>, caller: Caller, Path(name): Path) -> Result<StatusCode, ApiError> {
    api.accounts.suspend(&named(name)?, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn resume(State(api): State<Api>, caller: Caller, Path(name): Path) -> Result<StatusCode, ApiError> {
    api.accounts.resume(&named(name)?, &caller.identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn link(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path,
    headers: HeaderMap,
    body: Body<LinkRequest>,
) -> Result<(StatusCode, Json<LinkView>), ApiError> {
    link_view(&api, &caller, &headers, &named(name)?, body.value.minutes, LinkFor::Anybody).await
}

/// The account of a path.
fn named(name: String) -> Result<Username, ApiError> {
    Username::parse(name).map_err(|_| ApiError::not_found("there is no account of that name"))
}

fn username(text: Option<&String>) -> Result<Username, ApiError> {
    let text = text.map(String::as_str).unwrap_or_default();
    Ok(Username::parse(text).map_err(|invalid| FieldError::of("username", &invalid))?)
}

fn check_password(password: &str) -> Result<(), ApiError> {
    Ok(Account::check_password(password).map_err(|invalid| FieldError::of("password", &invalid))?)
}

fn view(account: &Account) -> AccountView {
    AccountView {
        id: account.id.clone(),
        username: account.username.to_string(),
        role: RoleView { name: account.role().map(|role| role.0.clone()).unwrap_or_default() },
        name: account.full_name.clone(),
        source: account.source.as_str().to_owned(),
        suspended: account.suspended_at.is_some(),
        created_at: format_timestamp(account.created_at),
    }
}
