//! Keeping the files of containers as images of one layer over their base. What takes all bytes of an image is done by
//! the host's agent, so that they never travel; of an engine without one they come here.

use super::endpoint::Endpoint;
use super::{Docker, failure, raw};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::layers::{ImageLayers, LeaveOut};
use crate::merge::{Changes, Limits, Opened, Plan, Reader, Room, Tree, compose, configuration, plan};
use crate::saved::{Compare, Count, Counted, Squash, Squashed};
use crate::{Archive, Engine};
use bollard::errors::Error as ClientError;
use futures_util::stream::TryStreamExt;
use pierhead_model::{ContainerId, ImageReference, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Where an agent merges the layers of an image of its host.
pub const SQUASH: &str = "/pierhead/squash";
/// Where an agent counts files of a container.
pub const COUNT: &str = "/pierhead/count";
/// Where an agent compares images of its host.
pub const COMPARE: &str = "/pierhead/compare";
/// The longest answer of an engine or agent that is read, in bytes.
const LONGEST: usize = 8 << 20;
/// How many changed files are named.
const NAMED: usize = 2_000;
/// What engines say of a layer that they made and cannot read.
const UNREADABLE: &str = "Error processing tar file";
/// How much of the name of a file is told, in characters.
const LONGEST_NAME: usize = 200;
/// How many pieces of an archive wait to be read.
const READY: usize = 4;

impl Docker {
    pub(super) async fn bytes_written(&self, id: &ContainerId) -> Result<u64> {
        let path = format!("/containers/{id}/json?size=true");
        let told: Value = self.asked(Verb::Written, "GET", &path, None).await?;
        told["SizeRw"].as_u64().ok_or_else(|| EngineError::Failed("it does not tell what was written".to_owned()))
    }

    pub(super) async fn files_made(&self, id: &ContainerId, most: u64) -> Result<Option<u64>> {
        let wanted = Count { container: id.clone(), most };
        let told: Option<Counted> = self.of_agent(Verb::Written, COUNT, &wanted).await?;
        Ok(told.and_then(|told| told.files))
    }

    pub(super) async fn committed(&self, container: &ContainerId, name: &ImageReference) -> Result<String> {
        let (repo, tag) = name.as_str().rsplit_once(':').unwrap_or((name.as_str(), "latest"));
        let path = format!("/commit?container={container}&repo={repo}&tag={tag}&pause=true");
        let told: Value = match self.asked(Verb::Commit, "POST", &path, None).await {
            Err(EngineError::Failed(why)) if why.contains(UNREADABLE) => {
                return Err(self.unkept(container).await.unwrap_or(EngineError::Failed(why)));
            }
            told => told?,
        };
        let id = told["Id"].as_str().filter(|id| id.starts_with("sha256:"));
        id.map(str::to_owned).ok_or_else(|| EngineError::Failed("it does not tell the image that it made".to_owned()))
    }

    /// Why an engine cannot read its own layer of a container, where that is a file with the name of a mark.
    async fn unkept(&self, container: &ContainerId) -> Option<EngineError> {
        let path = format!("/containers/{container}/changes");
        let told: Value = self.asked(Verb::Commit, "GET", &path, None).await.ok()?;
        let paths = told.as_array()?.iter().filter_map(|change| change["Path"].as_str());
        let marks: Vec<&str> = paths.filter(|path| is_mark(path)).collect();
        let first = marks.iter().min()?.chars().take(LONGEST_NAME).collect::<String>();
        let more = match marks.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let words = format!("no image can hold files whose names begin with .wh., such as {first:?}{more}");
        Some(EngineError::Refused(format!("{words}: rename or remove them")))
    }

    pub(super) async fn image_removed(&self, image: &ImageReference) -> Result<()> {
        match self.asked::<Value>(Verb::RemoveImage, "DELETE", &format!("/images/{image}"), None).await {
            Ok(_) | Err(EngineError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn volumes_dropped(&self, image: &ImageReference, name: &ImageReference) -> Result<String> {
        let layers = self.layers_of(image).await?.ok_or_else(|| EngineError::NoImage(image.to_string()))?;
        let like = self.described(image).await?;
        // The same of the same, however often.
        let created = like["Created"].as_str().unwrap_or("1970-01-01T00:00:00Z").to_owned();
        self.made(layers.diff_ids, None, name, like, BTreeMap::new(), created).await
    }

    pub(super) async fn squashed(&self, wanted: &Squash) -> Result<Squashed> {
        if let Some(told) = self.of_agent(Verb::Squash, SQUASH, wanted).await? {
            return Ok(told);
        }
        let layers = self.layers_of(&wanted.image).await?;
        let ImageLayers { diff_ids, .. } = layers.ok_or_else(|| EngineError::NoImage(wanted.image.to_string()))?;
        if diff_ids.len() < wanted.base_layers {
            let found = diff_ids.len();
            return Err(EngineError::Refused(format!("{} has {found} layers, fewer than its base", wanted.image)));
        }
        let like = self.described(&wanted.like).await?;
        let (below, above) = diff_ids.split_at(wanted.base_layers);
        let created = rfc3339(wanted.created);
        let labels = wanted.labels.clone();
        let id = if above.len() <= 1 {
            self.made(diff_ids, None, &wanted.name, like, labels, created).await?
        } else {
            let limits = self.limits(wanted.most_bytes, false);
            let opened = self.opened(&wanted.image, Reader::new(&diff_ids, below.len(), limits)).await?;
            let base = below.len();
            let (opened, plan) = blocking(move || merged(opened, base)).await?;
            self.made(below.to_vec(), Some((opened, base, plan)), &wanted.name, like, labels, created).await?
        };
        let made = self.layers_of(&wanted.name).await?.ok_or_else(|| EngineError::NoImage(wanted.name.to_string()))?;
        let steps = self.steps_of(&wanted.name).await?;
        let has_own = made.diff_ids.len() > wanted.base_layers;
        let layer_bytes = steps.last().copied().filter(|_| has_own).unwrap_or(0);
        Ok(Squashed { id, layers: made.diff_ids.len(), layer_bytes })
    }

    pub(super) async fn compared(&self, wanted: &Compare) -> Result<Changes> {
        if let Some(told) = self.of_agent(Verb::Changes, COMPARE, wanted).await? {
            return Ok(told);
        }
        let now = self.digested(&wanted.image).await?;
        let base = wanted.base_layers;
        let (earlier, now) = match &wanted.earlier {
            None => blocking(move || Ok((tree(&now, base)?, tree(&now, usize::MAX)?))).await?,
            Some(earlier) => {
                // Of the one only its files are kept while the other is read.
                let now = blocking(move || tree(&now, usize::MAX)).await?;
                let earlier = self.digested(earlier).await?;
                (blocking(move || tree(&earlier, usize::MAX)).await?, now)
            }
        };
        blocking(move || Ok(now.since(&earlier, NAMED))).await
    }

    async fn digested(&self, image: &ImageReference) -> Result<Opened> {
        let layers = self.layers_of(image).await?.ok_or_else(|| EngineError::NoImage(image.to_string()))?;
        self.opened(image, Reader::new(&layers.diff_ids, 0, self.limits(0, true))).await
    }

    fn limits(&self, most_bytes: u64, digests: bool) -> Limits {
        Limits { directory: self.scratch.to_path_buf(), most_bytes, digests, room: Room::OF_IMAGE }
    }

    /// Reads an image's archive through.
    async fn opened(&self, image: &ImageReference, mut reader: Reader) -> Result<Opened> {
        let mut pieces = self.save_without(image, &LeaveOut::nothing()).await?;
        let (send, mut receive) = mpsc::channel::<hyper::body::Bytes>(READY);
        let read = tokio::task::spawn_blocking(move || {
            while let Some(piece) = receive.blocking_recv() {
                reader.feed(&piece)?;
            }
            reader.finish().map_err(EngineError::from)
        });
        let broken = |error: std::io::Error| EngineError::Failed(format!("the image's archive broke off: {error}"));
        while let Some(piece) = pieces.try_next().await.map_err(broken)? {
            if send.send(piece).await.is_err() {
                break;
            }
        }
        drop(send);
        read.await.map_err(|error| EngineError::Failed(error.to_string()))?
    }

    /// Makes an image by its configuration, of layers that are there and perhaps a merged one.
    async fn made(
        &self,
        lowest: Vec<String>,
        merged: Option<(Opened, usize, Plan)>,
        name: &ImageReference,
        like: Value,
        labels: BTreeMap<String, String>,
        created: String,
    ) -> Result<String> {
        let configured = move |layers: &[String]| configuration(&like, layers, &labels, &created);
        let composed = compose(lowest, merged, name.to_string(), configured);
        let key = format!("make {name}");
        let archive = Archive::new(&key).coming(composed.pieces, composed.length);
        self.load_alone(&archive, &(Arc::new(|_| {}) as crate::Progress)).await?;
        let found = self.image(name).await?;
        match (found, composed.id.get()) {
            (Some(found), Some(id)) if found == *id => Ok(found),
            (found, id) => {
                Err(EngineError::Failed(format!("after {name} was made as {id:?} the engine has it as {found:?}")))
            }
        }
    }

    /// How the engine describes an image.
    async fn described(&self, image: &ImageReference) -> Result<Value> {
        self.asked(Verb::Image, "GET", &format!("/images/{image}/json"), None).await
    }

    /// What the host's agent says; `None` if it has none, or one that does not know the request.
    async fn of_agent<T: DeserializeOwned + Send>(
        &self,
        verb: Verb,
        path: &str,
        wanted: &(impl serde::Serialize + Sync),
    ) -> Result<Option<T>> {
        if !matches!(&self.endpoint, Endpoint::Dialled { dial, .. } if dial.is_agent()) {
            return Ok(None);
        }
        let json = serde_json::to_vec(wanted).map_err(|error| EngineError::Refused(error.to_string()))?;
        let sent = raw::ask(&self.endpoint, "POST", path, Some(json));
        self.within(verb, self.deadlines.of(verb, 0), read(verb, sent)).await.map(Some)
    }

    /// Asks the engine for JSON; nothing is null.
    async fn asked<T: DeserializeOwned + Send>(
        &self,
        verb: Verb,
        method: &str,
        path: &str,
        json: Option<Vec<u8>>,
    ) -> Result<T> {
        let asked = async {
            drop(self.wire.client().await?);
            let path = format!("/v{}{path}", self.wire.version());
            read(verb, raw::ask(&self.endpoint, method, &path, json)).await
        };
        self.within(verb, self.deadlines.of(verb, 0), asked).await
    }
}

async fn read<T: DeserializeOwned>(
    verb: Verb,
    sent: impl Future<Output = std::result::Result<raw::Answer, ClientError>>,
) -> Result<T> {
    let answer = sent.await.map_err(|error| failure::classify(verb, error))?;
    let body = answer.into_whole(LONGEST).await.map_err(|error| failure::classify(verb, error))?;
    let body = if body.is_empty() { b"null".as_slice() } else { &body };
    serde_json::from_slice(body).map_err(|error| EngineError::Failed(format!("its answer cannot be read: {error}")))
}

/// The files that so many of the lowest layers make.
fn tree(opened: &Opened, layers: usize) -> Result<Tree> {
    let mut tree = Tree::default();
    for at in 0..opened.order.len().min(layers) {
        tree.put(&opened.layer(at).items)?;
    }
    Ok(tree)
}

/// The plan of one layer for all above the base.
fn merged(opened: Opened, base: usize) -> Result<(Opened, Plan)> {
    let present = opened.present(base);
    let above: Vec<_> = (base..opened.order.len()).map(|at| opened.layer(at).items.as_slice()).collect();
    let plan = plan(&above, &present, |layer, from, length| {
        let file = opened.layer(base + layer).file.as_ref().ok_or(std::io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    });
    let plan = plan?;
    Ok((opened, plan))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| EngineError::Failed(error.to_string()))?
}

/// Whether the name of a file is that of a mark which hides another; the engine's own marks, with two such beginnings, are
/// passed over by it.
fn is_mark(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with(".wh.") && !name.starts_with(".wh..wh.")
}

fn rfc3339(at: Timestamp) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
