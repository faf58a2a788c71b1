//! The event log: the newest entries, and the log as it grows.

mod own;

use super::moment;
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
use own::Own;
use pierhead_controller::{EventFilter, EventPages, EventStream, Ids, Logged, RequestError, Since};
use pierhead_model::{Event, Permission, Timestamp};
use serde::Deserialize;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

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
    fn filter(self, caller: &Caller, now: Timestamp) -> Result<EventFilter, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(EventFilter {
            kind: given(self.kind),
            tag: given(self.tag),
            engine: given(self.engine),
            container: given(self.container),
            app: given(self.app),
            actor: given(self.actor),
            since: given(self.since).map(|text| since("since", &text, now)).transpose()?,
            until: moment::moment("until", self.until.as_deref(), now)?,
            // Who may not see the accounts does not read in the log who there is and what they may.
            only_own_security: (!caller.may(Permission::WriteAccounts)).then(|| caller.identity.username.clone()),
        })
    }
}

fn since(field: &'static str, text: &str, now: Timestamp) -> Result<Since, ApiError> {
    if is_event_id(text) {
        return Ok(Since::Event(text.to_owned()));
    }
    let refuse = || ApiError::field(field, format!("{field} must be the id of an event, {}", moment::FORMS));
    moment::read(text, now).map(Since::Moment).ok_or_else(refuse)
}

/// Hexadecimal digits, of which no moment and no span has so many.
fn is_event_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == Ids::LENGTH && text.bytes().all(is_digit)
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
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
    let mut pages = api.controller.newest_events(query.filter(&caller, api.controller.clock().now())?, count).await?;
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
    let now = api.controller.clock().now();
    let mut filter = query.filter(&caller, now)?;
    // What a client saw last, which it sends when it comes back, counts more than where it began.
    if let Some(last) = headers.get("last-event-id").and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty()) {
        filter.since = Some(since("Last-Event-ID", last, now)?);
    }
    let events = api.controller.watch_events(filter).await?;
    let own = (!caller.may(Permission::ReadEvents)).then(|| Own { api: api.clone(), actor: caller.actor() });
    let ended = api.accounts.clone().ended(caller.token_hash, caller.identity);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(frames(events, own).take_until(Box::pin(ended)))).into_response())
}

/// Events as server-sent events. The first comment tells at once that the stream is open.
fn frames(events: EventStream, own: Option<Own>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let opening = stream::iter([Ok(Bytes::from_static(b": open\n\n"))]);
    let rest = stream::unfold(Some((Watched::new(events), own)), |state| async move {
        let (mut watched, own) = state?;
        match watched.next().await {
            Ok(None) => Some((Ok(Bytes::from_static(b": still here\n\n")), Some((watched, own)))),
            Ok(Some(found)) if found.is_empty() => None,
            Ok(Some(mut found)) => {
                if let Some(own) = &own {
                    found = own.of(found).await;
                }
                Some((Ok(joined(&found)), Some((watched, own))))
            }
            Err(error) => Some((Err(io::Error::other(error.to_string())), None)),
        }
    });
    opening.chain(rest)
}

/// Events, and a sign of life when there were none for a while.
struct Watched {
    events: EventStream,
    sent: Instant,
    /// Set anew when it goes off, not with every event: for thousands who watch that would be much of the work.
    silence: Pin<Box<Sleep>>,
}

impl Watched {
    fn new(events: EventStream) -> Self {
        Self { events, sent: Instant::now(), silence: Box::pin(tokio::time::sleep(KEEP_ALIVE)) }
    }

    /// The next events, none of them if the controller stops; nothing if it was silent for long.
    async fn next(&mut self) -> Result<Option<Vec<Arc<Logged>>>, RequestError> {
        loop {
            tokio::select! {
                found = self.events.next() => {
                    self.sent = Instant::now();
                    return Ok(Some(found?));
                }
                () = &mut self.silence => {
                    let (now, due) = (Instant::now(), self.sent + KEEP_ALIVE);
                    if now < due {
                        self.silence.as_mut().reset(due);
                        continue;
                    }
                    self.sent = now;
                    self.silence.as_mut().reset(now + KEEP_ALIVE);
                    return Ok(None);
                }
            }
        }
    }
}

/// Events that came together, in one piece: each piece has its price on the way to the socket, and copying is cheap.
fn joined(events: &[Arc<Logged>]) -> Bytes {
    let encoded = events.iter().map(|logged| logged.encoded(frame));
    match events {
        [one] => Bytes::from_owner(one.encoded(frame)),
        _ => Bytes::from(encoded.collect::<Vec<_>>().concat()),
    }
}

fn frame(event: &Event) -> Vec<u8> {
    let mut text = format!("id: {}\ndata: ", event.id).into_bytes();
    // A view is plain data: it always has a JSON form, on one line.
    serde_json::to_writer(&mut text, &views::event(event)).expect("plain data has a JSON form");
    text.extend_from_slice(b"\n\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(200_000_000);

    #[test]
    fn since_is_an_event_or_a_moment() {
        let moment = |millis| Some(Since::Moment(Timestamp(millis)));
        let id = "19aa2b3c4d5e6f00112233";
        for (text, expected) in [
            (id, Some(Since::Event(id.to_owned()))),
            ("1234567890123456789012", Some(Since::Event("1234567890123456789012".to_owned()))),
            ("1970-01-01T00:00:05Z", moment(5_000)),
            ("100", moment(100_000)),
            ("1795299006", moment(1_795_299_006_000)),
            ("10m", moment(199_400_000)),
            ("1d", moment(113_600_000)),
            ("30d", moment(0)),
            ("1c", None),
            ("abc", None),
            ("19AA2B3C4D5E6F00112233", None),
            ("19aa2b3c4d5e6f0011223", None),
            ("19aa2b3c4d5e6f001122334", None),
            ("yesterday", None),
            ("-1d", None),
        ] {
            let found = since("since", text, NOW);
            let refused = found.as_ref().err().map(|error| (error.status.as_u16(), error.body.field.as_deref()));
            assert_eq!(refused, expected.is_none().then_some((400, Some("since"))), "{text}");
            assert_eq!(found.ok(), expected, "{text}");
        }
        assert_eq!(Ids::new(pierhead_controller::Clock::start()).unique().len(), Ids::LENGTH);
    }
}
