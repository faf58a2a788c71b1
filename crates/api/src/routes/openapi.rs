//! The API's description of itself: as a document, and as a page that shows it.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("openapi/page.css");
const SCRIPT: &str = include_str!("openapi/page.js");

/// It is the same for the whole life of the program.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| crate::openapi().to_string());
static PAGE: LazyLock<String> =
    LazyLock::new(|| include_str!("openapi/page.html").replace("/*STYLE*/", STYLE).replace("/*SCRIPT*/", SCRIPT));
/// The page's own style and script, and the document of the same origin: nothing else is loaded or run.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        source(STYLE),
        source(SCRIPT)
    )
});

fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

pub(super) async fn page() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE.as_str())
}
