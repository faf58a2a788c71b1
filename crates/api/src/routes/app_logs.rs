//! The logs of all containers of an app as one.

use super::logs::{LogsQuery, options};
use crate::body::{Path, Query};
use crate::identity::Caller;
use crate::{Api, ApiError};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use pierhead_controller::{AppLogPiece, RequestError};
use pierhead_model::AppName;
use std::io;

pub(super) async fn logs(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path,
    Query(query): Query<LogsQuery>,
) -> Result<Response, ApiError> {
    let options = options(&query, api.controller.clock().now())?;
    let missing = || RequestError::NotFound { what: "app", id: name.chars().take(64).collect(), replaced_by: None };
    let app = AppName::parse(name.as_str()).map_err(|_| missing())?;
    let has_times = options.timestamps;
    api.controller.first_look().await;
    let pieces = api.controller.app_logs(&caller.actor(), &app, options)?;
    let lines = pieces.map(move |piece| Ok::<_, io::Error>(line(&piece, has_times)));
    let lines = lines.take_until(Box::pin(api.accounts.clone().ended(caller.token_hash, caller.identity)));
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// A line begins with the name of its container; one that begins with `#` is about a log.
fn line(piece: &AppLogPiece, has_times: bool) -> Bytes {
    match piece {
        AppLogPiece::Line { container, at, text } => {
            let mut line = Vec::with_capacity(container.len() + at.len() + text.len() + 3);
            line.extend_from_slice(container.as_bytes());
            line.push(b' ');
            if has_times && !at.is_empty() {
                line.extend_from_slice(at.as_bytes());
                line.push(b' ');
            }
            line.extend_from_slice(text);
            line.push(b'\n');
            line.into()
        }
        AppLogPiece::Ended { container } => format!("# {container} has ended\n").into(),
        AppLogPiece::Failed { container, why } => {
            format!("# {container} cannot be read: {}\n", why.replace(['\n', '\r'], " ")).into()
        }
        AppLogPiece::Left { containers } => format!("# {containers} more containers are left out\n").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_names_its_container() {
        let of = |at: &str, text: &[u8]| AppLogPiece::Line {
            container: "web.0.1".to_owned(),
            at: at.to_owned(),
            text: text.to_vec(),
        };
        let container = || "web.0.1".to_owned();
        for (piece, has_times, expected) in [
            (of("2026-11-21T22:10:06Z", b"a \xff"), true, &b"web.0.1 2026-11-21T22:10:06Z a \xff\n"[..]),
            (of("2026-11-21T22:10:06Z", b"a"), false, b"web.0.1 a\n"),
            (of("", b""), true, b"web.0.1 \n"),
            (AppLogPiece::Ended { container: container() }, true, b"# web.0.1 has ended\n"),
            (
                AppLogPiece::Failed { container: container(), why: "its host\nhangs".to_owned() },
                true,
                b"# web.0.1 cannot be read: its host hangs\n",
            ),
            (AppLogPiece::Left { containers: 7 }, true, b"# 7 more containers are left out\n"),
        ] {
            assert_eq!(line(&piece, has_times), expected);
        }
    }
}
