//! Files of labs: one by one, and whole folders as archives. What comes is written to the disk as it comes.

use super::labs::{lab_path, version};
use crate::body::{Body, Path, Query, flag};
use crate::identity::Caller;
use crate::precondition::Precondition;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::body::{Body as Bytes, BodyDataStream};
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use pierhead_controller::{LabBefore, LabFile, LabUpload, RequestError, Spooled};
use pierhead_lab::LabPath;
use pierhead_model::{Digest, LabId, LabVersionRef};
use pierhead_wire::{FieldError, LabFileView, LabView, MoveLabFileRequest};
use serde::Deserialize;
use std::time::Duration;

/// The longest time in which nothing comes.
const IDLE: Duration = Duration::from_secs(60);
/// For how long what still comes is read after a refusal: whoever is sending hears no answer before.
const DRAIN: Duration = Duration::from_secs(10);
/// What a browser may do with a file of a lab, whatever it takes it for: show an image, run nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadQuery {
    path: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteQuery {
    path: Option<String>,
    executable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveQuery {
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    id: Option<String>,
    path: Option<String>,
}

fn path_of(text: Option<&str>) -> Result<LabPath, ApiError> {
    lab_path("path", text.ok_or_else(|| ApiError::field("path", "path must be given"))?)
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let version = version("version", query.version.as_deref())?.unwrap_or(LabVersionRef::Draft);
    let target = api.controller.lab_target(&caller.actor(), &id, version).await?;
    let files: Vec<LabFileView> = target.tree.files.iter().map(|(path, file)| views::lab_file(path, file)).collect();
    Ok(([(ETAG, quoted(&target.digest))], Json(files)).into_response())
}

pub(super) async fn read(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<ReadQuery>,
) -> Result<Response, ApiError> {
    let path = path_of(query.path.as_deref())?;
    let version = version("version", query.version.as_deref())?.unwrap_or(LabVersionRef::Draft);
    let (file, pieces) = api.controller.read_lab_file(&caller.actor(), &id, version, &path).await?;
    Ok(content(&path, &file, Bytes::from_stream(pieces)))
}

/// A file of a lab as browsers may have it: as an image if it is called one, else as bytes; nothing of it runs.
pub(crate) fn content(path: &LabPath, file: &LabFile, bytes: Bytes) -> Response {
    let media_type = media_type(&path.extension());
    let shown = if media_type.starts_with("image/") { "inline" } else { "attachment" };
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_LENGTH, file.bytes.to_string()),
        (ETAG, quoted(&file.digest)),
        (CACHE_CONTROL, "private, no-cache".to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_DISPOSITION, shown.to_owned()),
    ];
    (headers, bytes).into_response()
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn quoted(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

pub(super) async fn write(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<WriteQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut coming = body.into_data_stream();
    let done = written(&api, &caller, &id, &query, &headers, &mut coming).await;
    drain(coming);
    let (is_new, view) = done?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(ETAG, format!("\"{}\"", view.digest))], Json(view)).into_response())
}

async fn written(
    api: &Api,
    caller: &Caller,
    id: &str,
    query: &WriteQuery,
    headers: &HeaderMap,
    coming: &mut BodyDataStream,
) -> Result<(bool, LabFileView), ApiError> {
    let path = path_of(query.path.as_deref())?;
    let executable = match query.executable.as_deref() {
        None => None,
        given => Some(flag("executable", given)?),
    };
    let (actor, before) = (caller.actor(), before(headers)?);
    let target = api.controller.lab_target(&actor, id, LabVersionRef::Draft).await?;
    let upload = api.controller.begin_lab_file(announced(headers)).await?;
    let content = receive(upload, coming).await?;
    let done = api.controller.write_lab_file(&actor, id, &path, &before, executable, &content).await?;
    Ok((!target.tree.files.contains_key(&path), views::lab_file(&done.path, &done.file)))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

/// Takes a whole body.
async fn receive(mut upload: LabUpload, coming: &mut BodyDataStream) -> Result<Spooled, ApiError> {
    let late = |_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "nothing came for a minute");
    let refused = |error| ApiError::from(RequestError::Library(error));
    loop {
        match tokio::time::timeout(IDLE, coming.next()).await.map_err(late)? {
            Some(Ok(bytes)) => upload.write(&bytes).await.map_err(refused)?,
            Some(Err(_)) => return Err(refused(pierhead_controller::LibraryError::Interrupted)),
            None => return upload.finish().await.map_err(refused),
        }
    }
}

/// Also one that was refused is read on for a while, in the background.
fn drain(mut coming: BodyDataStream) {
    let rest = async move { while let Some(Ok(_)) = coming.next().await {} };
    tokio::spawn(async move { tokio::time::timeout(DRAIN, rest).await });
}

/// What must be there, by `If-Match` or `If-None-Match`.
fn before(headers: &HeaderMap) -> Result<LabBefore, ApiError> {
    let form = "the digest of the file";
    Ok(match Precondition::of(headers, form)? {
        Precondition::None => LabBefore::Any,
        Precondition::Absent => LabBefore::Absent,
        Precondition::Tag(tag) => LabBefore::Content(Digest::parse(&tag).map_err(|_| Precondition::malformed(form))?),
    })
}

pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<RemoveQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let path = path_of(query.path.as_deref())?;
    api.controller.remove_lab_file(&caller.actor(), &id, &path, &before(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rename(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<MoveLabFileRequest>,
) -> Result<Json<LabView>, ApiError> {
    let (path, to) = (lab_path("path", &body.value.path)?, lab_path("to", &body.value.to)?);
    let lab = api.controller.move_lab_file(&caller.actor(), &id, &path, &to).await?;
    Ok(Json(LabView::of(&lab, true)))
}

pub(super) async fn replace(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<LabView>, ApiError> {
    let mut coming = body.into_data_stream();
    let done = replaced(&api, &caller, &id, &headers, &mut coming).await;
    drain(coming);
    Ok(Json(done?))
}

async fn replaced(
    api: &Api,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    coming: &mut BodyDataStream,
) -> Result<LabView, ApiError> {
    let (actor, before) = (caller.actor(), before(headers)?);
    api.controller.lab_to_write(&actor, id)?;
    let upload = api.controller.begin_lab_archive(announced(headers)).await?;
    let archive = receive(upload, coming).await?;
    let lab = api.controller.replace_lab_draft(&actor, id, &before, archive).await?;
    Ok(LabView::of(&lab, true))
}

pub(super) async fn archive(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let version = version("version", query.version.as_deref())?.unwrap_or(LabVersionRef::Draft);
    let (target, pieces) = api.controller.lab_archive(&caller.actor(), &id, version).await?;
    let name = format!("attachment; filename=\"{}.tar\"", target.lab.id);
    let headers = [
        (CONTENT_TYPE, "application/x-tar".to_owned()),
        (ETAG, quoted(&target.digest)),
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Bytes::from_stream(pieces)).into_response())
}

pub(super) async fn import(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut coming = body.into_data_stream();
    let done = imported(&api, &caller, &query, &headers, &mut coming).await;
    drain(coming);
    done
}

async fn imported(
    api: &Api,
    caller: &Caller,
    query: &ImportQuery,
    headers: &HeaderMap,
    coming: &mut BodyDataStream,
) -> Result<Response, ApiError> {
    let id = query.id.as_deref().filter(|id| !id.is_empty()).map(LabId::parse).transpose();
    let id = id.map_err(|invalid| FieldError::of("id", &invalid))?;
    let path = query.path.as_deref().filter(|path| !path.is_empty()).map(|path| match path {
        // The folder itself, as reports name it.
        "." => Ok(LabPath::root()),
        path => lab_path("path", path),
    });
    let path = path.transpose()?;
    let upload = api.controller.begin_lab_archive(announced(headers)).await?;
    let archive = receive(upload, coming).await?;
    let done = api.controller.import_lab(&caller.actor(), id.as_ref(), path, archive).await?;
    let status = if done.lab.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(views::lab_import(&done))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn what_must_be_there_is_named_by_its_digest() {
        let condition = |tag: &str| {
            let headers = HeaderMap::from_iter([(axum::http::header::IF_MATCH, HeaderValue::from_str(tag).unwrap())]);
            before(&headers).map_err(|error| error.body.field.unwrap_or_default())
        };
        let digest = "0a".repeat(32);
        let there = LabBefore::Content(Digest::parse(digest.as_str()).unwrap());
        assert_eq!(condition(&format!("\"{digest}\"")), Ok(there));
        for bad in [digest.as_str(), "\"0A\"", "\"0a\""] {
            assert_eq!(condition(bad), Err("if-match".to_owned()), "{bad}");
        }
    }

    #[test]
    fn only_images_are_shown() {
        for (name, media_type, shown) in [
            ("a.png", "image/png", "inline"),
            ("a.SVG", "image/svg+xml", "inline"),
            ("a.html", "application/octet-stream", "attachment"),
            ("a.js", "application/octet-stream", "attachment"),
            ("README", "application/octet-stream", "attachment"),
        ] {
            let file = LabFile { digest: Digest::parse("0".repeat(64)).unwrap(), bytes: 0, executable: false };
            let answer = content(&LabPath::parse(name).unwrap(), &file, Bytes::empty());
            let header = |name: HeaderName| answer.headers()[name].to_str().unwrap();
            assert_eq!((header(CONTENT_TYPE), header(CONTENT_DISPOSITION)), (media_type, shown), "{name}");
            assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert!(header(CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
        }
    }
}
