//! Log-in and accounts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Body of `POST /auth/login`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// Answer of `GET /auth/ways`: by what one may log in beside a password.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogInWays {
    /// What people call the provider of log-ins; nothing if this server has none. One begins at `GET /auth/oidc/start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// Answer of `POST /auth/login`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoggedIn {
    /// Goes into `Authorization: Bearer <token>` or `X-Access-Token: <username>:<token>`.
    pub token: String,
    /// Whose it is.
    pub username: String,
    /// Their role.
    pub role: String,
    /// Until when it is good (RFC 3339).
    pub expires_at: String,
}

/// Body of `POST /account/passwdchange`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// Whose password; one's own, or for an administrator anybody's.
    pub username: String,
    /// The new password.
    pub password: String,
    /// The password that was good so far. Who changes their own in a browser's session must give it; if anybody else
    /// gives it, it must be right too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
}

/// Body of `POST` and `DELETE /api/account`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// Its id; made up if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name to log in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What it may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleView>,
    /// When it is added: whether it gets the apps and uploaded images of a former account of its name. If there are any
    /// and it does not, it is not added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherit: Option<bool>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub tokens: Option<Value>,
    /// Set by the server only: accepted and ignored.
    #[serde(default, skip_serializing_if = "crate::is_for_servers")]
    pub created_at: Option<Value>,
}

/// Body of `PUT /api/account/{username}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// What it may do from then on.
    pub role: RoleView,
}

/// A role by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleView {
    /// `admin`, `user`, or one that an administrator made.
    pub name: String,
}

/// An account as it is listed: never with a password or token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// The name to log in with.
    pub username: String,
    /// What it may do.
    pub role: RoleView,
    /// What the person is called; may be empty.
    #[serde(default)]
    pub name: String,
    /// `here`, or `roster` if it comes from the school's own list.
    #[serde(default)]
    pub source: String,
    /// Whether nobody can log in with it.
    #[serde(default)]
    pub suspended: bool,
    /// When it was made (RFC 3339).
    pub created_at: String,
}
