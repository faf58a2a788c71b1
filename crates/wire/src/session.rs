//! Sessions of browsers, and tickets for streams.

use serde::{Deserialize, Serialize};

/// Answer of `POST` and `GET /auth/session`: who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// Who.
    pub username: String,
    /// Their role; empty if they have none.
    pub role: String,
    /// What they may do.
    pub permissions: Vec<String>,
    /// Until when the session or token is good (RFC 3339); absent if it does not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// Body of `POST /api/tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// The path of the stream that it shall open, without a query: `/api/events/stream`.
    pub resource: String,
}

/// Answer of `POST /api/tickets`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketView {
    /// Goes into the query of that stream: `?ticket=...`. It is good once.
    pub ticket: String,
    /// Until when it is good (RFC 3339).
    pub expires: String,
}
