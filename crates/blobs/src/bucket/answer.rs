//! What an object store answers: a status, and of a refusal a code and what helps.

use super::http::silent;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, LAST_MODIFIED};
use hyper::{Response, StatusCode};
use pierhead_outbound::root_cause;
use std::time::Duration;

/// The longest text that is read, in bytes; a list of a thousand names is shorter.
const LONGEST_TEXT: usize = 4 << 20;
/// How much of an answer's own words is told, in characters.
const LONGEST_REASON: usize = 200;

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    /// What was read of the body already.
    read: Option<String>,
}

impl Answer {
    pub(super) fn new(response: Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body, read: None }
    }

    /// Whether asking again would bring the same. What was changed on its way to the store is refused as if it were wrong.
    pub(super) async fn is_final(&mut self, limit: Duration) -> bool {
        match self.status.as_u16() {
            408 | 429 | 500 | 502..=504 => false,
            400 => {
                let text = text(&mut self.body, limit).await.unwrap_or_default();
                let is_final = between(&text, "<Code>", "</Code>") != Some("BadDigest");
                self.read = Some(text);
                is_final
            }
            _ => true,
        }
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn length(&self) -> Option<u64> {
        self.header(&CONTENT_LENGTH).and_then(|text| text.parse().ok())
    }

    /// When it was written, as the store says.
    pub(super) fn modified(&self) -> Option<jiff::Timestamp> {
        let text = self.header(&LAST_MODIFIED)?;
        Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
    }

    pub(super) fn etag(&self) -> Option<String> {
        self.header(&ETAG).map(str::to_owned)
    }

    /// All of it; else why it did not come.
    pub(super) async fn text(mut self, limit: Duration) -> Result<String, String> {
        match self.read {
            Some(read) => Ok(read),
            None => text(&mut self.body, limit).await,
        }
    }

    /// The next bytes, `None` at the end.
    pub(super) async fn piece(&mut self, limit: Duration) -> Result<Option<Bytes>, String> {
        loop {
            let frame = tokio::time::timeout(limit, self.body.frame()).await.map_err(|_| silent(limit))?;
            match frame.transpose().map_err(|error| root_cause(&error))? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// Status and code, as `503 SlowDown`.
    pub(super) async fn said(self, limit: Duration) -> String {
        let status = self.status.as_u16();
        let text = self.text(limit).await.unwrap_or_default();
        match between(&text, "<Code>", "</Code>") {
            Some(code) => format!("it answers {status} {}", short(code)),
            None => format!("it answers {status}"),
        }
    }

    /// Why it says no, and what helps.
    pub(super) async fn why(self, limit: Duration) -> String {
        let status = self.status;
        let text = self.text(limit).await.unwrap_or_default();
        let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
        let message = between(&text, "<Message>", "</Message>").map(short).unwrap_or_default();
        let said = [status.as_str(), code, &message].join(" ").trim_end().to_owned();
        match help(status, code) {
            Some(help) => format!("{help} ({said})"),
            None => said,
        }
    }
}

async fn text(body: &mut Incoming, limit: Duration) -> Result<String, String> {
    let all = tokio::time::timeout(limit, Limited::new(body, LONGEST_TEXT).collect()).await;
    let all = all.map_err(|_| silent(limit))?.map_err(|error| root_cause(&*error))?;
    Ok(String::from_utf8_lossy(&all.to_bytes()).into_owned())
}

fn help(status: StatusCode, code: &str) -> Option<&'static str> {
    const KEYS: &str = "it does not know who asks: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or at the file of \
                        --blobs-credentials-file";
    match code {
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" | "InvalidToken" | "ExpiredToken" => Some(KEYS),
        "AccessDenied" => Some("who asks may not do that: the account needs to read, write, list and delete there"),
        "NoSuchBucket" => Some("there is no such bucket: make it, or look at --blobs and --blobs-endpoint"),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError" => {
            Some("the bucket is elsewhere: look at --blobs-region and --blobs-endpoint")
        }
        "RequestTimeTooSkewed" => Some("its clock and that of this machine differ too much"),
        "" if status == StatusCode::FORBIDDEN => Some("who asks may not do that, or is not known"),
        "" if status.is_redirection() => Some("the bucket is elsewhere: look at --blobs-region and --blobs-endpoint"),
        _ => None,
    }
}

/// What stands between two marks.
pub(super) fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    Some(rest.split_once(end)?.0)
}

fn short(text: &str) -> String {
    text.chars().filter(|found| !found.is_control()).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_people_can_do_something_about_are_explained() {
        for (status, code, word) in [
            (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
            (403, "AccessDenied", "needs to read, write, list and delete"),
            (404, "NoSuchBucket", "no such bucket"),
            (301, "", "--blobs-region"),
            (403, "RequestTimeTooSkewed", "clock"),
            (403, "", "or is not known"),
        ] {
            let told = help(StatusCode::from_u16(status).unwrap(), code).unwrap();
            assert!(told.contains(word), "{code}: {told}");
        }
        assert_eq!(help(StatusCode::NOT_IMPLEMENTED, "NotImplemented"), None);
    }

    #[test]
    fn what_is_told_of_a_foreign_answer_is_short_and_plain() {
        assert_eq!(between("<a><Code>No</Code></a>", "<Code>", "</Code>"), Some("No"));
        assert_eq!(between("<Code>No", "<Code>", "</Code>"), None);
        assert_eq!(short("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(short(&"é".repeat(1000)).chars().count(), LONGEST_REASON);
    }
}
