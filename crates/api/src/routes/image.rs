//! Images: archives that are sent in and spread to hosts, and what hosts have.

use crate::body::Path;
use crate::identity::Caller;
use crate::{Api, ApiError};
use axum::Json;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use pierhead_controller::{PoolImage, PoolImages, Spread, SpreadStep, Upload};
use pierhead_model::{EngineId, ImageReference};
use pierhead_wire::{ArchiveView, ImageView, SpreadView, format_timestamp};
use std::io;
use std::time::Duration;

/// The longest time in which nothing comes of an archive.
const IDLE: Duration = Duration::from_secs(60);
/// For how long what still comes is read after a refusal: whoever is sending hears no answer before.
const DRAIN: Duration = Duration::from_secs(10);

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<ImageView>>, ApiError> {
    let PoolImages { images, silent } = api.controller.pool_images().await?;
    Ok(Json(images.iter().map(|image| view(image, &silent)).collect()))
}

pub(super) async fn show(State(api): State<Api>, Path(name): Path) -> Result<Json<ImageView>, ApiError> {
    let (image, silent) = api.controller.pool_image(&name).await?;
    Ok(Json(view(&image, &silent)))
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(name): Path) -> Result<StatusCode, ApiError> {
    api.controller.delete_image(&caller.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn upload(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut coming = body.into_data_stream();
    let received = match api.controller.begin_upload(announced) {
        Ok(upload) => receive(&api, &caller, upload, &mut coming).await,
        Err(error) => Err(error.into()),
    };
    // Also one that was refused is read on for a while, in the background.
    tokio::spawn(
        async move { tokio::time::timeout(DRAIN, async { while let Some(Ok(_)) = coming.next().await {} }).await },
    );
    received
}

async fn receive(
    api: &Api,
    caller: &Caller,
    upload: Upload,
    coming: &mut BodyDataStream,
) -> Result<Response, ApiError> {
    loop {
        let late =
            |_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "nothing came of the archive for a minute");
        match tokio::time::timeout(IDLE, coming.next()).await.map_err(late)? {
            Some(Ok(bytes)) if upload.write(bytes.to_vec()).await.is_ok() => {}
            Some(Ok(_)) | None => break,
            Some(Err(_)) => return Err(pierhead_controller::RequestError::from(interrupted()).into()),
        }
    }
    // To its end, also if whoever sent it goes away now: half of that would be a file that nobody knows of.
    let (controller, actor) = (api.controller.clone(), caller.actor());
    let finished = tokio::spawn(async move { controller.finish_upload(&actor, upload).await });
    let (archive, is_new) = finished
        .await
        .map_err(|_| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "store_failed", "the controller is stopping"))??;
    let (image, silent) = api.controller.pool_image(archive.id.as_str()).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = [(header::LOCATION, format!("/api/images/{}", archive.id))];
    Ok((status, location, Json(view(&image, &silent))).into_response())
}

fn interrupted() -> pierhead_controller::ArchiveError {
    pierhead_controller::ArchiveError::Interrupted
}

pub(super) async fn spread(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let engines = engines(query.as_deref().unwrap_or_default())?;
    let spread = api.controller.spread_image(&caller.actor(), &name, &engines).await?;
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(lines(spread))).into_response())
}

/// The hosts in a query: `engine` as often as there are hosts.
fn engines(query: &str) -> Result<Vec<String>, ApiError> {
    let engine = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| match &*name {
        "engine" => Ok(value.into_owned()),
        name => {
            let name: String = name.chars().take(64).collect();
            Err(ApiError::field(name.clone(), format!("{name}: unknown field, expected engine, once for each host")))
        }
    };
    form_urlencoded::parse(query.as_bytes()).map(engine).collect()
}

/// One step on a line; who stops reading calls the spread off.
fn lines(spread: Spread) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(spread, |mut spread| async move {
        let step = spread.next().await?;
        // A view is plain data: it always has a JSON form, on one line.
        let mut line = serde_json::to_vec(&step_view(step)).expect("plain data has a JSON form");
        line.push(b'\n');
        Some((Ok(Bytes::from(line)), spread))
    })
}

fn step_view(step: SpreadStep) -> SpreadView {
    SpreadView {
        engine: step.engine.to_string(),
        state: step.state.as_str().to_owned(),
        percent: step.percent,
        message: step.message,
    }
}

fn view(image: &PoolImage, silent: &[EngineId]) -> ImageView {
    let archive = image.archive.as_ref().map(|archive| ArchiveView {
        tags: archive.tags.iter().map(ImageReference::to_string).collect(),
        size: archive.size_bytes,
        uploaded_at: format_timestamp(archive.uploaded_at),
        uploaded_by: archive.uploaded_by.to_string(),
    });
    ImageView {
        id: image.id.clone(),
        tags: image.tags.iter().cloned().collect(),
        size: image.size_bytes,
        archive,
        engines: image.engines.iter().map(EngineId::to_string).collect(),
        silent: silent.iter().map(EngineId::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_may_name_its_hosts() {
        assert_eq!(engines("").unwrap(), Vec::<String>::new());
        assert_eq!(engines("engine=e1&engine=e%202").unwrap(), ["e1", "e 2"]);
        assert_eq!(engines("engines=e1").unwrap_err().body.field.as_deref(), Some("engines"));
    }
}
