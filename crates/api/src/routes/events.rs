//! The event log: the newest entries, and the log as it grows.

use crate::body::{Query, number};
use crate::identity::Caller;
use crate::paging::Part;
use crate::{Api, ApiError, views};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use pierhead_controller::{EventFilter, EventPages, EventStream, Since};
use pierhead_model::{Event, Timestamp};
use pierhead_wire::parse_timestamp;
use serde::Deserialize;
use std::io;
use std::time::Duration;

/// How many events are answered unless asked otherwise.
const EVENTS: u64 = 100;
/// The longest time in which nothing is sent to who watches, so that a connection that was lost is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    count: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    tag: Option<String>,
    engine: Option<String>,
    container: Option<String>,
    app: Option<String>,
    actor: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl EventsQuery {
    fn filter(self) -> Result<EventFilter, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(EventFilter {
            kind: given(self.kind),
            tag: given(self.tag),
            engine: given(self.engine),
            container: given(self.container),
            app: given(self.app),
            actor: given(self.actor),
            since: given(self.since).map(|text| since("since", &text)).transpose()?,
            until: given(self.until).map(|text| until(&text)).transpose()?,
        })
    }
}

/// An event's id is nothing but hexadecimal digits, which a moment never is.
fn since(field: &'static str, text: &str) -> Result<Since, ApiError> {
    if let Some(moment) = parse_timestamp(text) {
        return Ok(Since::Moment(moment));
    }
    if is_event_id(text) {
        return Ok(Since::Event(text.to_owned()));
    }
    let expected = format!("{field} must be the id of an event, or a moment such as 2026-11-21T22:10:06Z");
    Err(ApiError::field(field, expected))
}

fn is_event_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_digit)
}

fn until(text: &str) -> Result<Timestamp, ApiError> {
    let refuse = || ApiError::field("until", "until must be a moment such as 2026-11-21T22:10:06Z");
    parse_timestamp(text).ok_or_else(refuse)
}

pub(super) async fn list(
    State(api): State<Api>,
    part: Option<Extension<Part>>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ApiError> {
    let count = number("count", query.count.as_deref(), u64::from(u32::MAX))?;
    let mut count = usize::try_from(count.unwrap_or(EVENTS)).unwrap_or(usize::MAX);
    let mut after = None;
    if let Some(Extension(part)) = part {
        if query.count.is_some() {
            return Err(ApiError::field("count", "count can't be given with limit or cursor"));
        }
        // One more tells whether there are more.
        count = part.limit.saturating_add(1);
        after = part.after;
        if after.as_deref().is_some_and(|id| !is_event_id(id)) {
            return Err(ApiError::field("cursor", "cursor must be one that the Link header of a part gave"));
        }
    }
    let mut pages = api.controller.newest_events(query.filter()?, count).await?;
    if let Some(id) = after {
        pages = pages.before(&id);
    }
    // An error that shows at once is answered as one.
    let first = pages.next().await?;
    let headers = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, Body::from_stream(array(pages, first))).into_response())
}

/// The events as one JSON array, a page at a time: there may be more of them than should be held at once.
fn array(pages: EventPages, first: Vec<Event>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(Some((pages, first, b'[')), |state| async move {
        let (mut pages, events, opening) = state?;
        let mut text = Vec::new();
        if events.is_empty() {
            if opening == b'[' {
                text.push(b'[');
            }
            text.push(b']');
            return Some((Ok(Bytes::from(text)), None));
        }
        for (at, event) in events.iter().enumerate() {
            text.push(if at == 0 { opening } else { b',' });
            if let Err(error) = serde_json::to_writer(&mut text, &views::event(event)) {
                return Some((Err(error.into()), None));
            }
        }
        match pages.next().await {
            Ok(next) => Some((Ok(Bytes::from(text)), Some((pages, next, b',')))),
            Err(error) => Some((Err(io::Error::other(error.to_string())), None)),
        }
    })
}

pub(super) async fn follow(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ApiError> {
    if query.count.is_some() {
        return Err(ApiError::field("count", "count is for /api/events; a stream has no end"));
    }
    let mut filter = query.filter()?;
    // What a client saw last, which it sends when it comes back, counts more than where it began.
    if let Some(last) = headers.get("last-event-id").and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty()) {
        filter.since = Some(since("Last-Event-ID", last)?);
    }
    let events = api.controller.watch_events(filter).await?;
    let ended = api.accounts.clone().ended(caller.token_hash, caller.identity);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(frames(events).take_until(Box::pin(ended)))).into_response())
}

/// Events as server-sent events. The first comment tells at once that the stream is open.
fn frames(events: EventStream) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let opening = stream::iter([Ok(Bytes::from_static(b": open\n\n"))]);
    let rest = stream::unfold(Some(events), |events| async move {
        let mut events = events?;
        match tokio::time::timeout(KEEP_ALIVE, events.next()).await {
            Err(_) => Some((vec![Ok(Bytes::from_static(b": still here\n\n"))], Some(events))),
            Ok(Ok(found)) if found.is_empty() => None,
            Ok(Ok(found)) => {
                let frames = found.iter().map(|logged| Ok(Bytes::from_owner(logged.encoded(frame)))).collect();
                Some((frames, Some(events)))
            }
            Ok(Err(error)) => Some((vec![Err(io::Error::other(error.to_string()))], None)),
        }
    });
    opening.chain(rest.flat_map(stream::iter))
}

fn frame(event: &Event) -> Vec<u8> {
    let mut text = format!("id: {}\ndata: ", event.id).into_bytes();
    // A view is plain data: it always has a JSON form, on one line.
    serde_json::to_writer(&mut text, &views::event(event)).expect("plain data has a JSON form");
    text.extend_from_slice(b"\n\n");
    text
}
