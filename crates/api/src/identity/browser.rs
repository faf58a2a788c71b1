//! What browsers send and what they are sent: the cookie of a session, where a request comes from, tickets of streams.

use crate::{ApiError, Front};
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, Uri};

/// The cookie's name with TLS: browsers take it from this very server only.
const SECURE_COOKIE: &str = "__Host-pierhead";
const PLAIN_COOKIE: &str = "pierhead";

fn cookie_name(is_tls: bool) -> &'static str {
    if is_tls { SECURE_COOKIE } else { PLAIN_COOKIE }
}

/// The header that gives a browser its session; an empty one, good for no time at all, takes it away.
pub(crate) fn cookie(token: &str, seconds: u64, is_tls: bool) -> String {
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", cookie_name(is_tls))
}

/// The cookie of a log-in that goes on at a provider.
const SECURE_LOG_IN: &str = "__Host-pierhead-log-in";
const PLAIN_LOG_IN: &str = "pierhead-log-in";

fn log_in_name(is_tls: bool) -> &'static str {
    if is_tls { SECURE_LOG_IN } else { PLAIN_LOG_IN }
}

/// The header that gives a browser what belongs to a log-in at a provider. It comes back with whoever is sent back from there,
/// which is another site.
pub(crate) fn log_in_cookie(sealed: &str, seconds: u64, is_tls: bool) -> String {
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{}={sealed}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", log_in_name(is_tls))
}

/// What belongs to a log-in at a provider, if the request brings exactly one.
pub(crate) fn log_in_of(headers: &HeaderMap, is_tls: bool) -> Option<String> {
    cookie_of(headers, log_in_name(is_tls))
}

/// The token of a session, if the request brings exactly one.
pub(super) fn session_of(headers: &HeaderMap, is_tls: bool) -> Option<String> {
    cookie_of(headers, cookie_name(is_tls))
}

fn cookie_of(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = cookies.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted && !value.is_empty()).then(|| value.to_owned())
    });
    let token = found.next()?;
    found.next().is_none().then_some(token)
}

/// Refuses what another site made a browser send: a change must come from a page of this very server, and what says
/// where it comes from must say so.
pub(crate) fn check_origin(front: &Front, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let changes_nothing = [Method::GET, Method::HEAD].contains(method);
    check_given_origin(front, headers, !changes_nothing)
}

/// The same; `is_needed` tells whether it must be said at all.
pub(crate) fn check_given_origin(front: &Front, headers: &HeaderMap, is_needed: bool) -> Result<(), ApiError> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_good = match (origins.next(), origins.next()) {
        (None, _) => !is_needed,
        (Some(origin), None) => {
            let own = front.origin(headers.get(HOST).and_then(|host| host.to_str().ok()));
            own.is_some() && origin.to_str().ok().and_then(|origin| front.place_of(origin)) == own
        }
        (Some(_), Some(_)) => false,
    };
    match is_good {
        true => Ok(()),
        false => Err(ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            "foreign_origin",
            "a browser's change must come from a page of this server; its header Origin must say so",
        )),
    }
}

/// Takes the ticket out of a query.
pub(super) fn take_ticket(uri: &mut Uri) -> Result<Option<String>, ApiError> {
    let Some(query) = uri.query() else { return Ok(None) };
    let (tickets, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| pair.starts_with("ticket="));
    let ticket = match tickets.as_slice() {
        [] => return Ok(None),
        [one] => one["ticket=".len()..].to_owned(),
        _ => return Err(ApiError::field("ticket", "ticket must be given once")),
    };
    let path = match rest.as_slice() {
        [] => uri.path().to_owned(),
        rest => format!("{}?{}", uri.path(), rest.join("&")),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).expect("a part of a query is one"));
    *uri = Uri::from_parts(parts).expect("only the query is shorter");
    Ok(Some(ticket))
}

#[cfg(test)]
mod tests;
