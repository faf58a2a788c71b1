//! Logs of containers: of those that are there, and for a while of those that are gone.

use crate::body::{Path, Query, flag, number};
use crate::identity::Caller;
use crate::{Api, ApiError};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use pierhead_controller::RequestError;
use pierhead_engine::LogOptions;
use pierhead_model::Timestamp;
use pierhead_wire::{GONE_SINCE, format_timestamp, parse_timestamp};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogsQuery {
    follow: Option<String>,
    tail: Option<String>,
    since: Option<String>,
    until: Option<String>,
    timestamps: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
}

pub(super) async fn logs(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<LogsQuery>,
) -> Result<Response, ApiError> {
    let options = options(&query, api.controller.clock().now())?;
    let log = api.controller.logs(&caller.actor(), &id, options).await.map_err(refusal)?;
    let bytes =
        log.lines.map(|line| line.map(|line| line.bytes).map_err(|error| std::io::Error::other(error.to_string())));
    let bytes = bytes.take_until(Box::pin(api.accounts.clone().ended(caller.token_hash, caller.identity)));
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    let mut response = (headers, Body::from_stream(bytes)).into_response();
    if let Some(since) = log.gone_since.and_then(|since| HeaderValue::try_from(format_timestamp(since)).ok()) {
        response.headers_mut().insert(HeaderName::from_static(GONE_SINCE), since);
    }
    Ok(response)
}

fn refusal(error: RequestError) -> ApiError {
    let is_missing = matches!(error, RequestError::NotFound { .. });
    let mut error = ApiError::from(error);
    if is_missing {
        error.body.message.push_str(
            "; of one that is gone the last lines are kept for a while, but not if its host failed or somebody else removed it",
        );
    }
    error
}

fn options(query: &LogsQuery, now: Timestamp) -> Result<LogOptions, ApiError> {
    let (stdout, stderr) = (stream("stdout", query.stdout.as_deref())?, stream("stderr", query.stderr.as_deref())?);
    // A stream of which nothing is said comes unless it is the other one that was asked for.
    let (stdout, stderr) = (stdout.unwrap_or(stderr != Some(true)), stderr.unwrap_or(stdout != Some(true)));
    if !stdout && !stderr {
        return Err(ApiError::field("stdout", "one of stdout and stderr must be true"));
    }
    let options = LogOptions {
        follow: flag("follow", query.follow.as_deref())?,
        tail: number("tail", query.tail.as_deref().filter(|tail| *tail != "all"), u64::from(u32::MAX))?,
        since: moment("since", query.since.as_deref(), now)?,
        until: moment("until", query.until.as_deref(), now)?,
        timestamps: flag("timestamps", query.timestamps.as_deref())?,
        stdout,
        stderr,
    };
    if options.follow && options.until.is_some() {
        return Err(ApiError::field("until", "until can't be given with follow"));
    }
    Ok(options)
}

fn stream(field: &'static str, text: Option<&str>) -> Result<Option<bool>, ApiError> {
    text.filter(|text| !text.is_empty()).map(|text| flag(field, Some(text))).transpose()
}

/// A moment in one of the forms that Docker takes too: itself, seconds since 1970, or how long ago.
fn moment(field: &'static str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let found = parse_timestamp(text).or_else(|| seconds(text)).or_else(|| ago(text, now));
    let forms = "a moment such as 2026-11-21T22:10:06Z, seconds since 1970, or how long ago (10m, 1h30m)";
    found.map(Some).ok_or_else(|| ApiError::field(field, format!("{field} must be {forms}")))
}

fn seconds(text: &str) -> Option<Timestamp> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = text.parse().ok().filter(|_| is_plain)?;
    (seconds < 1e11).then(|| Timestamp((seconds * 1000.0).round() as u64))
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (mut rest, mut millis) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = &rest[letters..];
        millis = count.checked_mul(unit).and_then(|more| millis.checked_add(more))?;
    }
    Some(Timestamp(now.0.saturating_sub(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(10_000_000);

    #[test]
    fn a_stream_of_a_log_can_be_asked_for_or_left_out() {
        let streams = |stdout: &str, stderr: &str| {
            let given = |text: &str| (text != "-").then(|| text.to_owned());
            let query = LogsQuery { stdout: given(stdout), stderr: given(stderr), ..LogsQuery::default() };
            options(&query, NOW).map(|options| (options.stdout, options.stderr))
        };
        for both in [("-", "-"), ("", ""), ("true", "1")] {
            assert_eq!(streams(both.0, both.1), Ok((true, true)), "{both:?}");
        }
        for only_stdout in [("true", "-"), ("-", "false"), ("true", "0")] {
            assert_eq!(streams(only_stdout.0, only_stdout.1), Ok((true, false)), "{only_stdout:?}");
        }
        assert_eq!(streams("false", "-"), Ok((false, true)));
        assert_eq!(streams("-", "true"), Ok((false, true)));
        assert_eq!(streams("-", "yes").unwrap_err().body.field.as_deref(), Some("stderr"));
        assert_eq!(streams("false", "0").unwrap_err().body.field.as_deref(), Some("stdout"));
    }

    #[test]
    fn moments_have_several_forms() {
        for (text, expected) in [
            ("1970-01-01T00:00:05Z", 5_000),
            ("1970-01-01T01:00:05.25+01:00", 5_250),
            ("5", 5_000),
            ("5.25", 5_250),
            ("10m", 9_400_000),
            ("1h30m5s", 4_595_000),
            ("250ms", 9_999_750),
            ("900d", 0),
        ] {
            assert_eq!(moment("since", Some(text), NOW), Ok(Some(Timestamp(expected))), "{text}");
        }
        assert_eq!(moment("since", Some(""), NOW), Ok(None));
        for bad in ["yesterday", "-5", "1e3", "5 m", "m", "10x", "1m2", "nan", "inf", "9999999999999999999999s", "ü"] {
            let refused = moment("since", Some(bad), NOW).unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.body.field.as_deref()), (400, Some("since")), "{bad}");
        }
    }

    #[test]
    fn what_goes_together() {
        let refused = |query: LogsQuery| options(&query, NOW).unwrap_err().body.field;
        let given = |text: &str| Some(text.to_owned());
        let until = LogsQuery { follow: given("true"), until: given("10m"), ..LogsQuery::default() };
        assert_eq!(refused(until).as_deref(), Some("until"));
        assert_eq!(refused(LogsQuery { tail: given("-1"), ..LogsQuery::default() }).as_deref(), Some("tail"));
        let tail = |text| options(&LogsQuery { tail: given(text), ..LogsQuery::default() }, NOW).unwrap().tail;
        assert_eq!((tail("all"), tail("0"), tail("7")), (None, Some(0), Some(7)));
    }
}
