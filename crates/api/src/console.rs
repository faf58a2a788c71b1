//! The web console over HTTP: its files, and what browsers are told about every answer.
//!
//! The page gets no rights beyond what it needs: own scripts only, and requests to this server only. It is served to
//! everybody, since it shows nothing; what it shows comes from the API.

use crate::error::{no_such_method, no_such_path};
use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use pierhead_console::{Coding, File};

/// What the page may do. Styles come from files and from what scripts set one by one; nothing in the markup counts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// What everything else may do, should a browser take it for a page.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";
/// Nothing of the machine. Copying and pasting at a terminal is all that is asked for, and by this page only.
const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-read=(self), clipboard-write=(self), \
                           display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
                           payment=(), screen-wake-lock=(), serial=(), usb=()";
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A name with a digest in it means the same content for ever; everything else is asked for each time.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Answers what no route of the API is at: a file of the console, or that there is nothing.
pub(crate) async fn elsewhere(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let accepted = list(&headers, &ACCEPT_ENCODING);
    let Some(file) = pierhead_console::file(uri.path(), &accepted) else {
        return no_such_path(uri).await.into_response();
    };
    if ![Method::GET, Method::HEAD].contains(&method) {
        return no_such_method(method, uri).await.into_response();
    }
    let is_known = names(&list(&headers, &IF_NONE_MATCH), &file.etag);
    answer(file, is_known)
}

fn answer(file: File, is_known: bool) -> Response {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(CACHE_CONTROL, if file.is_for_ever { FOR_EVER } else { ASK_AGAIN });
    set(VARY, "accept-encoding");
    set(CONTENT_TYPE, file.media_type);
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(PERMISSIONS_POLICY, PERMISSIONS);
    set(OPENER_POLICY, "same-origin");
    if let Some(coding) = file.coding.map(Coding::as_str) {
        set(CONTENT_ENCODING, coding);
    }
    headers.insert(ETAG, HeaderValue::try_from(file.etag).expect("hexadecimal digits in quotes"));
    if is_known {
        headers.remove(CONTENT_TYPE);
        headers.remove(CONTENT_ENCODING);
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, Body::from(file.bytes)).into_response()
}

/// All values of a header that is a list.
fn list(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

/// Whether an `If-None-Match` names this content. A weak name will do: who asks wants the same bytes or none.
fn names(header: &str, etag: &str) -> bool {
    header.split(',').map(str::trim).any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == etag)
}

/// Tells browsers how to treat an answer, unless it says so itself: as what it is called, in no frame of anybody, and
/// nothing for another site's page.
pub(crate) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, NO_PAGE),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_named_in_a_list_or_by_anything() {
        let etag = "\"0a\"";
        for known in ["\"0a\"", "W/\"0a\"", "\"0b\", \"0a\"", "\"0b\",W/\"0a\" ", "*"] {
            assert!(names(known, etag), "{known}");
        }
        for other in ["", "0a", "\"0A\"", "\"0b\"", "\"0\"", "W/0a", "w/\"0a\"", "\"0a", "**"] {
            assert!(!names(other, etag), "{other}");
        }
    }

    #[test]
    fn a_list_may_be_in_several_headers() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(list(&headers, &ACCEPT_ENCODING), "gzip;q=0,br");
    }

    #[test]
    fn the_page_runs_nothing_but_its_own_files() {
        for loose in ["unsafe", "data:", "blob:", "http", "*", "nonce"] {
            assert!(!POLICY.contains(loose), "{loose}: {POLICY}");
        }
        assert!(POLICY.starts_with("default-src 'none'; script-src 'self';"), "{POLICY}");
    }

    #[tokio::test]
    async fn what_an_answer_says_itself_stays() {
        let own = ([(CONTENT_SECURITY_POLICY, "default-src 'self'")], "").into_response();
        let headers = secure(own).await.headers().clone();
        assert_eq!(headers[CONTENT_SECURITY_POLICY], "default-src 'self'");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(secure("".into_response()).await.headers()[CONTENT_SECURITY_POLICY], NO_PAGE);
    }
}
