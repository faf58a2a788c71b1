//! Tokens with which hosts join.

use crate::FieldError;
use crate::token::{LifeSpan, life_span};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a token is good unless somebody says otherwise: an hour.
const LIFE: Duration = Duration::from_secs(3600);
/// The longest: 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Body of `POST /api/engines/join-tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinTokenRequest {
    /// How long it is good: `10m`, `1h`, `30d` (1m to 30d); one hour if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// Whether its host comes into the pool without waiting for approval, where hosts have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
}

/// Answer of `POST /api/engines/join-tokens`: the token, which is shown this once.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinTokenCreated {
    /// What `pierhead agent --join` takes.
    pub token: String,
    /// Where the host will call; it is part of the token.
    pub address: String,
    /// SHA-256 of the certificate of the pool's authority; it is part of the token.
    pub ca_fingerprint: String,
    /// Until when it is good (RFC 3339).
    pub expires_at: String,
}

impl JoinTokenRequest {
    /// How long the token shall be good.
    ///
    /// # Errors
    /// Names the field and the accepted form.
    pub fn life(&self) -> Result<Duration, FieldError> {
        let Some(text) = self.expires_in.as_deref() else { return Ok(LIFE) };
        match life_span(text) {
            Some(LifeSpan::Milliseconds(span)) if Duration::from_millis(span) <= LONGEST => {
                Ok(Duration::from_millis(span))
            }
            _ => Err(FieldError {
                field: "expires_in".to_owned(),
                message: "expires_in must be a span of time such as 10m, 1h or 7d (1m to 30d)".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_an_hour_or_as_long_as_is_said() {
        let life = |text: Option<&str>| JoinTokenRequest { expires_in: text.map(str::to_owned), approved: None }.life();
        assert_eq!(life(None).unwrap().as_secs(), 3600);
        assert_eq!(life(Some("10m")).unwrap().as_secs(), 600);
        assert_eq!(life(Some("30d")).unwrap(), LONGEST);
        for bad in ["", "never", "59s", "31d", "1", "-1h", "1y"] {
            assert_eq!(life(Some(bad)).unwrap_err().field, "expires_in", "{bad}");
        }
    }
}
