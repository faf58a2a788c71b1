//! Tickets for streams.

use crate::accounts::Owner;
use crate::body::Body;
use crate::identity::Caller;
use crate::{Api, ApiError};
use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, StatusCode};
use pierhead_wire::{TicketRequest, TicketView, format_timestamp};
use std::sync::LazyLock;

/// The paths that a ticket can be for.
static STREAMS: LazyLock<Vec<&'static str>> = LazyLock::new(|| super::index().streams());

pub(super) async fn give(
    State(api): State<Api>,
    caller: Caller,
    body: Body<TicketRequest>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<TicketView>), ApiError> {
    let resource = body.value.resource;
    if resource.len() > 512 || !STREAMS.iter().any(|stream| is_one(&resource, stream)) {
        let forms = STREAMS.join(", ");
        return Err(ApiError::field(
            "resource",
            format!("resource must be the path of a stream, without a query: {forms}"),
        ));
    }
    let owner = Owner { token_hash: caller.token_hash, kind: caller.kind };
    let (ticket, expires_at) = api.accounts.give_ticket(&resource, owner)?;
    let view = TicketView { ticket, expires: format_timestamp(expires_at) };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(view)))
}

/// Whether a path has the form of a route, of which the parts in braces may be anything.
fn is_one(path: &str, route: &str) -> bool {
    let (mut parts, mut forms) = (path.split('/'), route.split('/'));
    loop {
        match (parts.next(), forms.next()) {
            (None, None) => return true,
            (Some(part), Some(form)) if part == form => {}
            (Some(part), Some(form)) if form.starts_with('{') && is_plain(part) => {}
            _ => return false,
        }
    }
}

fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_streams_have_tickets() {
        assert!(STREAMS.len() >= 2);
        let is_stream = |path: &str| STREAMS.iter().any(|stream| is_one(path, stream));
        for good in ["/api/events/stream", "/api/containers/714e01115f76/logs", "/api/containers/web.0.1/logs"] {
            assert!(is_stream(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "/api/events",
            "/api/events/stream/",
            "/api/events/stream?since=now",
            "api/events/stream",
            "/api/containers//logs",
            "/api/containers/a b/logs",
            "/api/containers/a/b/logs",
            "/api/containers/a?/logs",
            "/api/engines",
        ] {
            assert!(!is_stream(bad), "{bad}");
        }
    }
}
