//! Files of workspaces: folders, bytes in both directions, and what becomes of names.

use crate::body::{Body, Path, Query, flag};
use crate::files::{FileBytes, FilePlace};
use crate::identity::Caller;
use crate::precondition::Precondition;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::body::{Body as Bytes, BodyDataStream};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use pierhead_model::{ArchiveForm, FileAct, FileBefore, FilePath, FileTold, MemberName, WorkspaceRight};
use pierhead_wire::{FieldError, FileView, FolderView, MakeFolderRequest, MoveFileRequest};
use serde::Deserialize;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;

/// For how long what still comes is read after a refusal: whoever is sending hears no answer before.
const DRAIN: Duration = Duration::from_secs(10);
/// How many pieces of what comes may wait.
const WAITING: usize = 4;

/// Which file of which container.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AtQuery {
    container: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadQuery {
    container: Option<String>,
    path: Option<String>,
    archive: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteQuery {
    container: Option<String>,
    path: Option<String>,
    mode: Option<String>,
    parents: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveQuery {
    container: Option<String>,
    path: Option<String>,
    recursive: Option<String>,
}

/// The files of a container, for one who may do there what they ask for.
struct Files<'a> {
    api: &'a Api,
    container: MemberName,
    place: FilePlace,
}

impl<'a> Files<'a> {
    fn of(
        api: &'a Api,
        caller: &Caller,
        id: &str,
        container: Option<&str>,
        needed: WorkspaceRight,
    ) -> Result<Self, ApiError> {
        let site = api.controller.workspace_site(&caller.actor(), id)?;
        if site.right < needed {
            return Err(ApiError::forbidden(
                "who is a viewer of a workspace can look at its files, and change nothing",
            ));
        }
        let name = container.map(MemberName::parse).transpose().map_err(|bad| FieldError::of("container", &bad))?;
        let not_running =
            || ApiError::new(StatusCode::CONFLICT, "not_running", format!("workspace {} does not run", site.id));
        let engine = site.engine.clone().filter(|_| !site.containers.is_empty()).ok_or_else(not_running)?;
        let wanted = |name: &MemberName| {
            let missing = || ApiError::not_found(format!("workspace {} has no container {name}", site.id));
            site.containers.iter().find(|it| it.name == *name).ok_or_else(missing)
        };
        let container = match &name {
            Some(name) => wanted(name)?,
            None => site.containers.first().ok_or_else(not_running)?,
        };
        let place = FilePlace { engine, workspace: site.id.clone(), container: container.id.clone() };
        Ok(Self { api, container: container.name.clone(), place })
    }

    async fn act(&self, act: FileAct, bytes: FileBytes) -> Result<(FileTold, FileBytes), ApiError> {
        let away = || {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "workspace_away", "this server takes no agents".to_owned())
        };
        let is_change = act.is_change();
        let files = self.api.files.as_ref().ok_or_else(away)?;
        let done = files.act(&self.place, act, bytes).await?;
        if is_change {
            self.api.controller.note_activity(&self.place.workspace);
        }
        Ok(done)
    }

    /// Does something that ends with a file as it is then.
    async fn changed(&self, path: &FilePath, act: FileAct, bytes: FileBytes) -> Result<FileView, ApiError> {
        match self.act(act, bytes).await?.0 {
            FileTold::Entry(entry) => Ok(views::file(path, &entry)),
            FileTold::Listing(_) | FileTold::Done => Err(odd()),
        }
    }
}

fn odd() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "workspace_away", "the workspace's host answers something else")
}

fn path_of(field: &'static str, text: Option<&str>) -> Result<FilePath, ApiError> {
    let Some(text) = text else { return Err(ApiError::field(field, format!("{field} must be given"))) };
    FilePath::parse(text).map_err(|invalid| FieldError::of(field, &invalid).into())
}

fn nothing() -> FileBytes {
    stream::empty().boxed()
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<AtQuery>,
) -> Result<Json<FolderView>, ApiError> {
    let files = Files::of(&api, &caller, &id, query.container.as_deref(), WorkspaceRight::Viewer)?;
    let path = query.path.as_deref().map_or_else(|| Ok(FilePath::root()), |path| path_of("path", Some(path)))?;
    match files.act(FileAct::List { path: path.clone() }, nothing()).await?.0 {
        FileTold::Listing(listing) => Ok(Json(views::folder(&files.container, &path, &listing))),
        FileTold::Entry(_) | FileTold::Done => Err(odd()),
    }
}

pub(super) async fn read(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<ReadQuery>,
) -> Result<Response, ApiError> {
    let files = Files::of(&api, &caller, &id, query.container.as_deref(), WorkspaceRight::Viewer)?;
    let path = path_of("path", query.path.as_deref())?;
    let form = match query.archive.as_deref() {
        None => None,
        Some("tar") => Some((ArchiveForm::Tar, "tar", "application/x-tar")),
        Some("zip") => Some((ArchiveForm::Zip, "zip", "application/zip")),
        Some(_) => return Err(ApiError::field("archive", "archive must be tar or zip")),
    };
    let name = path.split().map_or_else(|| "files".to_owned(), |(_, name)| name.shown());
    let act = match form {
        None => FileAct::Read { path },
        Some((form, ..)) => FileAct::Pack { path, form },
    };
    let (told, bytes) = files.act(act, nothing()).await?;
    let mut headers = vec![(CACHE_CONTROL, "no-store".to_owned())];
    match form {
        None => {
            let FileTold::Entry(entry) = told else { return Err(odd()) };
            headers.push((CONTENT_TYPE, "application/octet-stream".to_owned()));
            headers.push((CONTENT_LENGTH, entry.size.to_string()));
            headers.push((ETAG, format!("\"{}\"", entry.tag)));
            headers.push((CONTENT_DISPOSITION, attached(&name)));
        }
        Some((_, ending, media_type)) => {
            headers.push((CONTENT_TYPE, media_type.to_owned()));
            headers.push((CONTENT_DISPOSITION, attached(&format!("{name}.{ending}"))));
        }
    }
    Ok((axum::response::AppendHeaders(headers), Bytes::from_stream(bytes)).into_response())
}

/// That a browser keeps it as a file of this name, and shows nothing.
fn attached(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'-' | b'_' => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename*=UTF-8''{encoded}")
}

pub(super) async fn write(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<WriteQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let coming = coming(body.into_data_stream());
    let files = Files::of(&api, &caller, &id, query.container.as_deref(), WorkspaceRight::Driver)?;
    let path = path_of("path", query.path.as_deref())?;
    let before = before(&headers)?;
    let mode = query.mode.as_deref().map(mode_of).transpose()?;
    let parents = flag("parents", query.parents.as_deref())?;
    let size = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let act = FileAct::Write { path: path.clone(), before, mode, parents, size };
    let view = files.changed(&path, act, coming).await?;
    Ok(([(ETAG, format!("\"{}\"", view.etag))], Json(view)).into_response())
}

/// The pieces of a body. Also those of one that was refused are taken for a while.
fn coming(mut body: BodyDataStream) -> FileBytes {
    let (tell, pieces) = mpsc::channel::<io::Result<axum::body::Bytes>>(WAITING);
    tokio::spawn(async move {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(io::Error::other);
            let is_over = piece.is_err();
            if tell.send(piece).await.is_err() {
                let rest = async { while let Some(Ok(_)) = body.next().await {} };
                // Who is slower hears nothing.
                let _late = tokio::time::timeout(DRAIN, rest).await;
                return;
            }
            if is_over {
                return;
            }
        }
    });
    stream::unfold(pieces, |mut pieces| async move { Some((pieces.recv().await?, pieces)) }).boxed()
}

fn before(headers: &HeaderMap) -> Result<FileBefore, ApiError> {
    Ok(match Precondition::of(headers, "the etag of the file")? {
        Precondition::None => FileBefore::Any,
        Precondition::Absent => FileBefore::Absent,
        Precondition::Tag(tag) => FileBefore::Tagged(tag),
    })
}

fn mode_of(text: &str) -> Result<u32, ApiError> {
    let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
    mode.ok_or_else(|| ApiError::field("mode", "mode must be octal digits from 000 to 777, such as 755"))
}

pub(super) async fn make_folder(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<MakeFolderRequest>,
) -> Result<(StatusCode, Json<FileView>), ApiError> {
    let MakeFolderRequest { container, path, parents } = body.value;
    let files = Files::of(&api, &caller, &id, container.as_deref(), WorkspaceRight::Driver)?;
    let path = path_of("path", Some(&path))?;
    let act = FileAct::MakeFolder { path: path.clone(), parents };
    Ok((StatusCode::CREATED, Json(files.changed(&path, act, nothing()).await?)))
}

pub(super) async fn rename(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<MoveFileRequest>,
) -> Result<Json<FileView>, ApiError> {
    let MoveFileRequest { container, path, to, replace } = body.value;
    let files = Files::of(&api, &caller, &id, container.as_deref(), WorkspaceRight::Driver)?;
    let (path, to) = (path_of("path", Some(&path))?, path_of("to", Some(&to))?);
    let act = FileAct::Move { path, to: to.clone(), replaces: replace };
    Ok(Json(files.changed(&to, act, nothing()).await?))
}

pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<RemoveQuery>,
) -> Result<StatusCode, ApiError> {
    let files = Files::of(&api, &caller, &id, query.container.as_deref(), WorkspaceRight::Driver)?;
    let path = path_of("path", query.path.as_deref())?;
    let recursive = flag("recursive", query.recursive.as_deref())?;
    drop(files.act(FileAct::Remove { path, recursive }, nothing()).await?);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_gives_nobody_anothers_rights() {
        for (text, mode) in [("755", 0o755), ("0600", 0o600), ("000", 0)] {
            assert_eq!(mode_of(text).unwrap(), mode);
        }
        for bad in ["", "7", "4755", "1777", "888", "+75", "rwx"] {
            assert_eq!(mode_of(bad).unwrap_err().body.field.as_deref(), Some("mode"), "{bad}");
        }
    }

    #[test]
    fn no_name_breaks_out_of_its_header() {
        assert_eq!(attached("a b\"\r\n文.txt"), "attachment; filename*=UTF-8''a%20b%22%0D%0A%E6%96%87.txt");
    }
}
