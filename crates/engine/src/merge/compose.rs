//! An archive for an engine to load: a merged layer over layers that the engine has, and a configuration of our own.

use super::archive::Opened;
use super::head;
use super::plan::{Piece, Plan};
use crate::Pieces;
use crate::layers::digest;
use crate::layers::entry::BLOCK;
use futures_util::stream::{self, StreamExt};
use hyper::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;

/// How much is read of a layer at once, in bytes.
const PIECE: usize = 256 * 1024;
/// How many such pieces lie ready.
const READY: usize = 4;
/// The name of the merged layer in the archive.
const LAYER: &str = "layer.tar";

/// An archive on its way.
pub struct Composed {
    /// Its bytes.
    pub pieces: Pieces,
    /// About how many they are.
    pub length: u64,
    /// The id of its image, known when all of them were read.
    pub id: Arc<OnceLock<String>>,
}

/// The configuration of an image: that of another, as an engine describes it, without declared volumes and without
/// our labels, and with these labels. `created` is a moment as RFC 3339 writes it.
#[must_use]
pub fn configuration(like: &Value, diff_ids: &[String], labels: &BTreeMap<String, String>, created: &str) -> Vec<u8> {
    let mut config = like["Config"].clone();
    if let Some(config) = config.as_object_mut() {
        config.remove("Volumes");
        // What a container was called is nothing of its image.
        config.remove("Hostname");
        config.remove("Image");
        let mut kept: BTreeMap<String, Value> =
            config.get("Labels").and_then(|labels| serde_json::from_value(labels.clone()).ok()).unwrap_or_default();
        kept.retain(|name, _| !name.starts_with("pierhead."));
        kept.extend(labels.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))));
        config.insert("Labels".to_owned(), json!(kept));
    }
    let step = |_| json!({ "created": created, "created_by": "pierhead" });
    let mut whole = json!({
        "architecture": like["Architecture"],
        "os": like["Os"],
        "created": created,
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": diff_ids.iter().map(step).collect::<Vec<_>>(),
    });
    for (ours, theirs) in [("variant", "Variant"), ("os.version", "OsVersion")] {
        if let Some(told) = like[theirs].as_str().filter(|told| !told.is_empty()) {
            whole[ours] = Value::from(told);
        }
    }
    whole.to_string().into_bytes()
}

/// An archive of an image of the given name: layers that the engine has, and over them a merged one, if there is any.
/// `configured` makes the configuration of the digests of all layers.
pub fn compose(
    lowest: Vec<String>,
    merged: Option<(Opened, usize, Plan)>,
    name: String,
    configured: impl FnOnce(&[String]) -> Vec<u8> + Send + 'static,
) -> Composed {
    let id: Arc<OnceLock<String>> = Arc::default();
    let length = merged.as_ref().map_or(0, |(_, _, plan)| plan.length) + 8 * BLOCK as u64;
    let (send, receive) = mpsc::channel(READY);
    let told = Arc::clone(&id);
    tokio::task::spawn_blocking(move || {
        let mut out = Out(&send);
        let mut diff_ids = lowest;
        let made = merged.map(|(opened, base, plan)| out.layer(&opened, base, &plan)).transpose();
        let made = made.and_then(|layer| {
            diff_ids.extend(layer);
            let configuration = configured(&diff_ids);
            let _first = told.set(digest(&configuration));
            out.descriptions(&configuration, diff_ids.len(), &name)
        });
        if let Err(error) = made {
            // Whoever reads has gone, or is told.
            let _gone = send.blocking_send(Err(error));
        }
    });
    let pieces = stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|next| (next, receive)) });
    Composed { pieces: pieces.boxed(), length, id }
}

struct Out<'a>(&'a mpsc::Sender<io::Result<Bytes>>);

impl Out<'_> {
    fn say(&self, bytes: Vec<u8>) -> io::Result<()> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        if bytes.is_empty() { Ok(()) } else { self.0.blocking_send(Ok(bytes.into())).map_err(gone) }
    }

    fn fill(&self, length: u64) -> io::Result<()> {
        let last = usize::try_from(length % BLOCK as u64).unwrap_or(0);
        self.say(vec![0; (BLOCK - last) % BLOCK])
    }

    fn file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.say([&head::plain(name, content.len() as u64), content].concat())?;
        self.fill(content.len() as u64)
    }

    /// Writes the merged layer and gives its digest.
    fn layer(&mut self, opened: &Opened, base: usize, plan: &Plan) -> io::Result<String> {
        let mut hash = Sha256::new();
        self.say(head::plain(LAYER, plan.length))?;
        for piece in &plan.pieces {
            match piece {
                Piece::Bytes(bytes) => {
                    hash.update(bytes);
                    self.say(bytes.clone())?;
                }
                Piece::Copy { layer, from, length } => {
                    let file = opened.layer(base + layer).file.as_ref().ok_or(io::ErrorKind::NotFound)?;
                    let (mut from, end) = (*from, from + length);
                    while from < end {
                        let now = usize::try_from(end - from).unwrap_or(PIECE).min(PIECE);
                        let mut bytes = vec![0; now];
                        file.read_exact_at(&mut bytes, from)?;
                        hash.update(&bytes);
                        self.say(bytes)?;
                        from += now as u64;
                    }
                }
            }
        }
        self.fill(plan.length)?;
        Ok(hash.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
            let _always_room = write!(text, "{byte:02x}");
            text
        }))
    }

    fn descriptions(&self, configuration: &[u8], layers: usize, name: &str) -> io::Result<()> {
        let file = format!("{}.json", digest(configuration).trim_start_matches("sha256:"));
        self.file(&file, configuration)?;
        // Engines look for a layer's file only if they lack the layer.
        let mut names: Vec<String> = (1..layers).map(|at| format!("{at}.tar")).collect();
        if layers > 0 {
            names.push(LAYER.to_owned());
        }
        let manifest = json!([{ "Config": file, "RepoTags": [name], "Layers": names }]).to_string();
        self.file("manifest.json", manifest.as_bytes())?;
        self.say(vec![0; 2 * BLOCK])
    }
}
