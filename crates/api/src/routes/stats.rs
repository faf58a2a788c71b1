//! What hosts and containers use: now, as it changes, and before.

use super::moment::moment;
use crate::body::Query;
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use pierhead_controller::{Statistics, StatisticsStream, StatsOf, Told};
use pierhead_wire::{StatsHistoryView, StatsView};
use serde::Deserialize;
use std::io;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatsQuery {
    engine: Option<String>,
    container: Option<String>,
}

impl StatsQuery {
    /// What is asked for, which is there.
    fn of(&self, api: &Api) -> Result<StatsOf, ApiError> {
        of(api, self.engine.as_deref(), self.container.as_deref())
    }
}

fn of(api: &Api, engine: Option<&str>, container: Option<&str>) -> Result<StatsOf, ApiError> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (engine, container) = (given(engine), given(container));
    if engine.is_some() && container.is_some() {
        return Err(ApiError::field("container", "container can't be given with engine: give one of them"));
    }
    Ok(api.controller.statistics_of(engine.as_deref(), container.as_deref())?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    engine: Option<String>,
    container: Option<String>,
    since: Option<String>,
}

pub(super) async fn show(State(api): State<Api>, Query(query): Query<StatsQuery>) -> Result<Json<StatsView>, ApiError> {
    let of = query.of(&api)?;
    Ok(Json(views::statistics(&api.controller.statistics(), &of)))
}

pub(super) async fn history(
    State(api): State<Api>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<StatsHistoryView>, ApiError> {
    let of = of(&api, query.engine.as_deref(), query.container.as_deref())?;
    if of == StatsOf::All {
        return Err(ApiError::field("container", "container must be the id of a container, or engine that of a host"));
    }
    let since = moment("since", query.since.as_deref(), api.controller.clock().now())?;
    Ok(Json(views::statistics_history(&api.controller.statistics_history(&of, since)?)))
}

pub(super) async fn follow(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<StatsQuery>,
) -> Result<Response, ApiError> {
    let statistics = api.controller.watch_statistics(query.of(&api)?);
    let ended = api.accounts.clone().ended(caller.token_hash, caller.identity);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(frames(statistics).take_until(Box::pin(ended)))).into_response())
}

/// Statistics as server-sent events: who reads them slowly gets the newest next.
fn frames(statistics: StatisticsStream) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(statistics, |mut statistics| async move {
        let told = statistics.next().await?;
        let bytes = match statistics.of() {
            StatsOf::All => whole(&told),
            of => Bytes::from(frame(&told.statistics, of)),
        };
        Some((Ok(bytes), statistics))
    })
}

/// All of it, which is put in words once for all who look at all.
fn whole(told: &Told) -> Bytes {
    Bytes::from_owner(told.encoded(|statistics| frame(statistics, &StatsOf::All)))
}

fn frame(statistics: &Statistics, of: &StatsOf) -> Vec<u8> {
    let mut text = b"event: stats\ndata: ".to_vec();
    // A view is plain data: it always has a JSON form, on one line.
    serde_json::to_writer(&mut text, &views::statistics(statistics, of)).expect("plain data has a JSON form");
    text.extend_from_slice(b"\n\n");
    text
}
