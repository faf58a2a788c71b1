//! The files of workspaces' containers: listed, read, written, packed, moved and removed, from outside, so that no tool needs
//! to be in the image and nothing is started in the container.
//!
//! Whoever asks gets what the container's own user may. Each request has a thread of its own that takes on that user's ids
//! and no capability beyond the container's, and ends with it. Paths are resolved by the kernel within the root of the
//! container, as its first process sees it: a link can't lead out of it, whatever is renamed meanwhile. Of what is no
//! ordinary file or folder, and of the kernel's own file systems, nothing is opened.

mod change;
mod channel;
mod look;
mod pack;
mod place;
mod root;
mod trouble;
mod turns;
mod who;
mod write;
mod zip;

use crate::engine::{BodyError, EngineSocket};
use crate::previews::Inside;
use crate::refusal::Refusal;
use channel::{Feed, Outlet, feed};
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame};
use pierhead_model::{FileAct, FileTold};
use place::Place;
use root::Root;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use turns::Turns;

/// How many pieces may wait in one direction.
const WAITING: usize = 4;
/// How long nothing may come of what is written.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked of the files of a container, as it travels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileAsking {
    /// What the container's label must say.
    pub(crate) workspace: String,
    /// The container's id, 64 digits.
    pub(crate) container: String,
    /// What is asked.
    pub(crate) act: FileAct,
}

/// Does what is asked of files, so much of it at a time.
#[derive(Debug, Default)]
pub(crate) struct Files {
    turns: Arc<Turns>,
}

/// What was done, and the bytes that were asked for.
pub(crate) struct Done<S> {
    pub(crate) told: FileTold,
    pub(crate) bytes: S,
}

type Told = oneshot::Sender<Result<FileTold, Refusal>>;

impl Files {
    /// Does what is asked of a container of a workspace; what is written comes in `body` behind `first`.
    pub(crate) async fn act<B>(
        &self,
        engine: &EngineSocket,
        asking: FileAsking,
        first: Bytes,
        body: B,
    ) -> Result<Done<impl Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + use<B>>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BodyError>,
    {
        let inside = Inside::parse(&asking.workspace, &asking.container)?;
        let turn = Turns::take(&self.turns, &inside.workspace)?;
        let place = inside.open_files(engine).await?;
        let (tell, told) = oneshot::channel();
        let (outlet, pieces) = mpsc::channel(WAITING);
        let (feed_end, food) = feed(WAITING);
        let outlet = Outlet::new(outlet);
        let act = asking.act;
        let job = move || {
            let _turn = turn;
            work(&place, &act, food, outlet, tell);
        };
        std::thread::Builder::new().name("files".to_owned()).spawn(job).map_err(|error| {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", format!("this host can do no more now: {error}"))
        })?;
        let told = hear(told, pump(first, body, feed_end)).await?;
        let bytes = stream::unfold(pieces, |mut pieces| async move {
            let piece: Result<Bytes, BodyError> = pieces.recv().await?;
            Some((piece.map(Frame::data), pieces))
        });
        Ok(Done { told, bytes })
    }
}

/// What comes of it; what is still to be written is sent meanwhile.
async fn hear(
    mut told: oneshot::Receiver<Result<FileTold, Refusal>>,
    pump: impl Future<Output = ()>,
) -> Result<FileTold, Refusal> {
    let heard = tokio::select! {
        biased;
        heard = &mut told => heard,
        () = pump => told.await,
    };
    let gone = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "it ended without a word");
    heard.map_err(gone)?
}

/// Hands on what comes to be written, and that it is complete.
async fn pump<B>(first: Bytes, mut body: B, mut feed: Feed)
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    let mut next = first;
    loop {
        if !next.is_empty() && !feed.give(next).await {
            return;
        }
        next = match tokio::time::timeout(PATIENCE, body.frame()).await {
            Ok(None) => return feed.end().await,
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            // Whoever waits for it sees that it was not ended.
            Ok(Some(Err(_))) | Err(_) => return,
        };
    }
}

/// All that is done in the thread.
fn work(place: &Place, act: &FileAct, mut food: channel::Food, mut outlet: Outlet, tell: Told) {
    if let Err(error) = place.who.take_on() {
        let message = format!("the agent cannot act as the container's user: {error}");
        drop(tell.send(Err(Refusal::new(StatusCode::BAD_GATEWAY, "not_readable", message))));
        return;
    }
    let root = &place.root;
    let told = match act {
        FileAct::Read { path } => return read(root, path, tell, &mut outlet),
        FileAct::Pack { path, form } => return pack(root, path, *form, tell, outlet),
        FileAct::List { path } => look::list(root, path).map(FileTold::Listing),
        FileAct::Write { path, before, mode, parents, size } => {
            let wanted = write::Wanted { path, before, mode: *mode, parents: *parents, size: *size };
            write::write(root, &wanted, &mut food).map(FileTold::Entry)
        }
        FileAct::MakeFolder { path, parents } => change::make_folder(root, path, *parents).map(FileTold::Entry),
        FileAct::Move { path, to, replaces } => change::rename(root, path, to, *replaces).map(FileTold::Entry),
        FileAct::Remove { path, recursive } => change::remove(root, path, *recursive).map(|()| FileTold::Done),
    };
    // Nobody waits any more if it fails.
    drop(tell.send(told));
}

fn read(root: &Root, path: &pierhead_model::FilePath, tell: Told, outlet: &mut Outlet) {
    let (file, entry) = match look::open(root, path) {
        Ok(found) => found,
        Err(refusal) => return drop(tell.send(Err(refusal))),
    };
    let size = entry.size;
    if tell.send(Ok(FileTold::Entry(entry))).is_ok()
        && let Err(error) = look::copy(file, size, outlet).and_then(|()| outlet.flush())
    {
        outlet.fail(error);
    }
}

fn pack(
    root: &Root,
    path: &pierhead_model::FilePath,
    form: pierhead_model::ArchiveForm,
    tell: Told,
    mut outlet: Outlet,
) {
    let top = match pack::begin(root, path) {
        Ok(top) => top,
        Err(refusal) => return drop(tell.send(Err(refusal))),
    };
    if tell.send(Ok(FileTold::Done)).is_ok()
        && let Err(error) = pack::pack(top, form, &mut outlet).and_then(|()| outlet.flush())
    {
        outlet.fail(error);
    }
}

#[cfg(test)]
mod tests;
