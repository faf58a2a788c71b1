//! Whether what a provider says about somebody can be believed: the signature of its token, and that it is for this server,
//! this log-in and now.

use super::keys::{Algorithm, Keys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How far the clock of the provider may be from ours, in seconds.
const LEEWAY_S: f64 = 60.0;
/// How old a token may be, in seconds: it was made for this very log-in.
const OLDEST_S: f64 = 600.0;
/// The longest token, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest number of a person, in bytes.
const LONGEST_SUBJECT: usize = 255;

/// What a token must be for.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now_s: u64,
}

/// Why a token can't be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token.
    #[error("it is no signed token")]
    Malformed,
    /// It is signed in a way that is not taken.
    #[error("it is not signed by RS256, ES256 or EdDSA")]
    Algorithm,
    /// The provider has no such key.
    #[error("it is signed by a key that the provider does not have")]
    NoKey,
    /// The signature is not that of the key.
    #[error("its signature is wrong")]
    Signature,
    /// It is of another provider.
    #[error("it is of another provider")]
    Issuer,
    /// It is for another server.
    #[error("it is for another server")]
    Audience,
    /// Its time is over.
    #[error("it has expired, or was made too long ago")]
    Expired,
    /// Its time has not come.
    #[error("it is of the future")]
    Early,
    /// It is for another log-in.
    #[error("it is for another log-in")]
    Nonce,
    /// It does not say who they are, or what more was told is about somebody else.
    #[error("it does not say whom it is about")]
    Subject,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// What a token says that can be believed. Nothing of it counts before its signature was checked.
pub(super) fn verify(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Map<String, Value>, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = part(header)?;
    let algorithm = Algorithm::named(&header.alg).ok_or(TokenError::Algorithm)?;
    // Nothing that must be understood is.
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
    match keys.check(algorithm, header.kid.as_deref(), signed.as_bytes(), &signature) {
        None => return Err(TokenError::NoKey),
        Some(false) => return Err(TokenError::Signature),
        Some(true) => {}
    }
    let claims: Map<String, Value> = part(claims)?;
    check(&claims, expected)?;
    Ok(claims)
}

fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), TokenError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(TokenError::Issuer);
    }
    let (is_for_us, is_for_others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == expected.client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == expected.client_id), all.len() > 1),
        _ => (false, false),
    };
    let party = claims.get("azp");
    let is_our_party = party.map_or(!is_for_others, |party| party == expected.client_id);
    if !is_for_us || !is_our_party {
        return Err(TokenError::Audience);
    }
    let moment = |name: &str| claims.get(name).map(|value| value.as_f64().ok_or(TokenError::Malformed)).transpose();
    let now = expected.now_s as f64;
    let (expires, made) = (moment("exp")?.ok_or(TokenError::Malformed)?, moment("iat")?.ok_or(TokenError::Malformed)?);
    if expires + LEEWAY_S <= now || made + OLDEST_S + LEEWAY_S <= now {
        return Err(TokenError::Expired);
    }
    if made > now + LEEWAY_S || moment("nbf")?.is_some_and(|begins| begins > now + LEEWAY_S) {
        return Err(TokenError::Early);
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(TokenError::Nonce);
    }
    match text("sub") {
        Some(subject) if (1..=LONGEST_SUBJECT).contains(&subject.len()) => Ok(()),
        _ => Err(TokenError::Subject),
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests;
