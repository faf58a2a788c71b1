//! What a controller may ask of this host's engine. Pure: a request goes in, and comes out made anew, or is refused.
//!
//! Nothing of a request is handed on as it came. Its path is matched against the table, its query is decoded, checked
//! key by key and encoded again, its body is parsed, checked field by field and written again; of its headers only a
//! registry account is left. Whatever nobody listed is refused by name.

mod body;
mod create;
mod path;
mod query;
mod table;

pub(crate) use body::{Shape, rebuild};
pub(crate) use table::{Access, Body, Rule};

use crate::refusal::Refusal;
use hyper::{HeaderMap, Method, Uri};

/// The header with a registry account.
pub(crate) const REGISTRY_AUTH: &str = "x-registry-auth";
/// The longest registry account, in bytes.
const LONGEST_AUTH: usize = 8 * 1024;
/// The only name that requests may give for whom they are meant.
const AUTHORITY: &str = "engine";

/// A request that is on the list, all but its body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Allowed {
    /// The line of the table that it matches.
    pub(crate) rule: &'static Rule,
    /// Path and query, written anew.
    pub(crate) target: String,
    /// A registry account, where one is allowed.
    pub(crate) registry_auth: Option<String>,
}

/// Finds the line of the table for a request and writes its path and query anew.
pub(crate) fn decide(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Allowed, Refusal> {
    if let Some(authority) = uri.authority().filter(|authority| authority.as_str() != AUTHORITY) {
        return Err(Refusal::not_allowed(format!("requests are for '{AUTHORITY}', not for '{authority}'")));
    }
    let path = path::Path::parse(uri.path())?;
    let (rule, rebuilt) = table::find(method, &path)?;
    let query = query::rebuild(rule.query, uri.query().unwrap_or_default())?;
    let target = if query.is_empty() { rebuilt } else { format!("{rebuilt}?{query}") };
    let registry_auth = match headers.get(REGISTRY_AUTH) {
        Some(value) if rule.registry_auth => Some(account(value.as_bytes())?),
        _ => None,
    };
    Ok(Allowed { rule, target, registry_auth })
}

/// An account is JSON in the alphabet of URLs; what is in it only the registry can judge.
fn account(value: &[u8]) -> Result<String, Refusal> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    if value.len() > LONGEST_AUTH || !value.iter().all(plain) {
        return Err(Refusal::malformed(format!("the header {REGISTRY_AUTH} must be base64 in the alphabet of URLs")));
    }
    Ok(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests;
