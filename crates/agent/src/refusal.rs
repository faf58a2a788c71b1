//! What is said instead of doing something. Never repeats bodies, which may hold secrets: only names of fields.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// The header of an agent's own answers, by which they are told from the engine's: the code of its refusal.
pub const REFUSAL: &str = "x-pierhead-refusal";

/// Why a request goes no further than to the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// The same for programs.
    pub code: &'static str,
    /// The same for people, with the name of what is wrong.
    pub message: String,
}

impl Refusal {
    /// 403: it is not on the list of what a controller may ask for.
    pub(crate) fn not_allowed(what: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", what)
    }

    /// 400: it is no request at all.
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", what)
    }

    /// 413: more bytes than this kind of request may have.
    pub(crate) fn too_large(longest: usize) -> Self {
        let message = format!("the body must have at most {longest} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The answer, in the form of an engine's own errors: whoever reads those finds the message where it always is.
    pub(crate) fn answer(&self) -> Response<Full<Bytes>> {
        #[derive(Serialize)]
        struct Told<'a> {
            code: &'a str,
            message: String,
        }
        let told = Told { code: self.code, message: format!("the agent refuses: {}", self.message) };
        let text = serde_json::to_vec(&told).unwrap_or_default();
        let mut response = Response::new(Full::new(text.into()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(REFUSAL, HeaderValue::from_static(self.code));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn it_reads_like_an_error_of_the_engine() {
        let answer = Refusal::not_allowed("the field 'Privileged' must be false").answer();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.headers()[REFUSAL], "not_allowed");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["code"], "not_allowed");
        assert_eq!(told["message"], "the agent refuses: the field 'Privileged' must be false");
    }
}
