//! Answers from a view that may be old say so: the store does not answer, and nobody can tell what it holds.

use crate::Api;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use pierhead_wire::STALE;

/// Marks answers that tell what is known, while that may be old.
pub(crate) async fn mark(State(api): State<Api>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD) && request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if is_read
        && response.status().is_success()
        && let Some(age) = api.controller.stale_for()
    {
        response.headers_mut().insert(HeaderName::from_static(STALE), HeaderValue::from(age.as_secs()));
    }
    response
}
