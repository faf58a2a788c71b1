//! Logs of containers: of those that are there, and for a while of those that are gone.

use super::moment::moment;
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
use pierhead_wire::{GONE_SINCE, format_timestamp};
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

pub(super) fn options(query: &LogsQuery, now: Timestamp) -> Result<LogOptions, ApiError> {
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
