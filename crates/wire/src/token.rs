//! Tokens: what a program logs in with.

use crate::FieldError;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What its owner calls it.
    pub name: String,
    /// How long it is good: `90m`, `12h`, `30d`, or `never` (to end); 30 days if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
}

/// Answer of `POST /api/tokens`: the token, which is shown this once.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Goes into `Authorization: Bearer <token>`.
    pub token: String,
    /// Until when it is good (RFC 3339); absent if it does not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// A token as it is listed: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// What it is revoked by.
    pub id: String,
    /// What its owner calls it, or the program that logged in.
    pub name: String,
    /// Whose it is.
    pub username: String,
    /// When it was given (RFC 3339).
    pub created_at: String,
    /// Until when it is good (RFC 3339); absent if it does not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was used, to ten minutes (RFC 3339); absent if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// Whether it is the one of this request.
    pub current: bool,
    /// Whether a browser has it, in a cookie; it is worth nothing anywhere else.
    #[serde(default)]
    pub session: bool,
}

/// How long a token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeSpan {
    /// This long.
    Milliseconds(u64),
    /// Until it is revoked.
    Endless,
}

/// The longest that ends at all, in seconds: ten years.
const LONGEST_S: u64 = 3650 * 24 * 3600;
const LONGEST_NAME: usize = 64;

impl TokenRequest {
    /// Checks the name, and reads how long it shall be good; nothing if that is not said.
    ///
    /// # Errors
    /// Names the field and the accepted form.
    pub fn parse(&self) -> Result<Option<LifeSpan>, FieldError> {
        let length = self.name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || self.name.chars().any(char::is_control) {
            return Err(refused("name", "name must be 1 to 64 characters without control characters"));
        }
        let span = |text: &str| {
            let form = "expires_in must be a span of time such as 90m, 12h or 30d (1m to 3650d), or never";
            life_span(text).ok_or_else(|| refused("expires_in", form))
        };
        self.expires_in.as_deref().map(span).transpose()
    }
}

fn refused(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}

pub(crate) fn life_span(text: &str) -> Option<LifeSpan> {
    if text == "never" {
        return Some(LifeSpan::Endless);
    }
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600)];
    let (number, unit) = units.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (60..=LONGEST_S).contains(&seconds).then_some(LifeSpan::Milliseconds(seconds * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_spans_have_units_and_bounds() {
        for (text, milliseconds) in [("60s", 60_000), ("90m", 5_400_000), ("12h", 43_200_000), ("30d", 2_592_000_000)] {
            assert_eq!(life_span(text), Some(LifeSpan::Milliseconds(milliseconds)), "{text}");
        }
        assert_eq!(life_span("never"), Some(LifeSpan::Endless));
        for bad in ["", "d", "30", "59s", "0d", "3651d", "-1d", "+1d", "1.5h", "1w", "99999999999999999999d", "Never"] {
            assert_eq!(life_span(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_has_a_name() {
        let request = |name: &str| TokenRequest { name: name.to_owned(), expires_in: None };
        assert_eq!(request("CI of the web shop").parse(), Ok(None));
        for bad in ["", "a\nb", &"x".repeat(65)] {
            assert_eq!(request(bad).parse().unwrap_err().field, "name", "{bad:?}");
        }
    }
}
