//! Reads an image's archive as an engine saves it: of the base only names, the layers above into files that have no
//! name themselves, so that nothing is left of them whatever happens.

use super::item::{Item, Room, Scan};
use super::plan::Present;
use super::walk::{Entry, Visit, Walk};
use super::{MergeError, Result};
use crate::layers::LeaveOut;
use crate::layers::leave_out::plain;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// The longest description in an archive that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What is read of an archive, and how much of it may be kept.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Where layers lie for the moment.
    pub directory: PathBuf,
    /// The most that may lie there, in bytes.
    pub most_bytes: u64,
    /// Whether files are digested rather than kept.
    pub digests: bool,
    /// How much is kept in memory of what all its layers have.
    pub room: Room,
}

/// A layer of an archive.
#[derive(Debug)]
pub struct LayerFile {
    /// What is in it.
    pub items: Vec<Item>,
    /// Its bytes, unless it is one of the base.
    pub file: Option<File>,
    /// How many they are.
    pub length: u64,
}

/// An archive that was read.
#[derive(Debug)]
pub struct Opened {
    /// The configuration of the image.
    pub configuration: Vec<u8>,
    /// Which of the files is which layer, the lowest first.
    pub order: Vec<usize>,
    /// The layers' files.
    pub files: Vec<LayerFile>,
}

impl Opened {
    /// A layer, the lowest is 0.
    #[must_use]
    pub fn layer(&self, at: usize) -> &LayerFile {
        &self.files[self.order[at]]
    }

    /// What the lowest layers have.
    #[must_use]
    pub fn present(&self, lowest: usize) -> Present {
        let mut present = Present::default();
        for at in 0..lowest.min(self.order.len()) {
            present.add(&self.layer(at).items);
        }
        present
    }
}

/// Takes an archive as it comes.
pub struct Reader {
    walk: Walk,
    parts: Parts,
}

impl Reader {
    /// An archive of an image of these layers, of which so many are the base.
    #[must_use]
    pub fn new(diff_ids: &[String], base: usize, limits: Limits) -> Self {
        let blob = |digest: &String| format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"));
        let parts = Parts {
            base: LeaveOut::lowest(diff_ids, base),
            blobs: diff_ids.iter().map(blob).collect(),
            limits,
            kept_bytes: 0,
            now: Now::Nothing,
            small: HashMap::new(),
            same: HashMap::new(),
            folders: BTreeSet::new(),
            layers: HashMap::new(),
            files: vec![],
        };
        Self { walk: Walk::default(), parts }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`MergeError`] if they are not those of an archive, or there is no room.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        self.walk.feed(bytes, &mut self.parts)
    }

    /// What was in it.
    ///
    /// # Errors
    /// [`MergeError`] if its end has not come or a layer is missing.
    pub fn finish(self) -> Result<Opened> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Image {
            config: String,
            layers: Vec<String>,
        }
        self.walk.finish()?;
        let Parts { mut small, same, layers, files, .. } = self.parts;
        let missing = |what: &str| MergeError::Archive(format!("{what} is missing"));
        let manifest = small.remove("manifest.json").ok_or_else(|| missing("manifest.json"))?;
        let images: Vec<Image> =
            serde_json::from_slice(&manifest).map_err(|error| MergeError::Archive(error.to_string()))?;
        let image = images.first().ok_or_else(|| missing("the image"))?;
        let configuration = small.remove(plain(&image.config)).ok_or_else(|| missing(&image.config))?;
        let place = |name: &String| {
            let name = same.get(plain(name)).map_or(plain(name), String::as_str);
            layers.get(name).copied().ok_or_else(|| missing(name))
        };
        let order = image.layers.iter().map(place).collect::<Result<_>>()?;
        Ok(Opened { configuration, order, files })
    }
}

enum Now {
    Nothing,
    Small(String, Vec<u8>),
    Layer { name: String, scan: Box<Scan>, file: Option<File>, length: u64 },
}

struct Parts {
    base: LeaveOut,
    /// The names of layers in newer archives.
    blobs: BTreeSet<String>,
    limits: Limits,
    kept_bytes: u64,
    now: Now,
    small: HashMap<String, Vec<u8>>,
    /// Layers that are the same as others.
    same: HashMap<String, String>,
    /// Folders whose layer is one of the base.
    folders: BTreeSet<String>,
    layers: HashMap<String, usize>,
    files: Vec<LayerFile>,
}

impl Parts {
    fn is_base(&self, name: &str) -> bool {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.base.has_name(name) || self.folders.contains(folder)
    }
}

impl Visit for Parts {
    fn entry(&mut self, entry: Entry) -> Result<()> {
        let name = plain(&String::from_utf8_lossy(&entry.name)).to_owned();
        let is_layer = name.ends_with("/layer.tar") || self.blobs.contains(&name);
        self.now = match entry.kind {
            b'2' if is_layer => {
                let target = beside(&name, &String::from_utf8_lossy(&entry.link));
                self.same.insert(name, target);
                Now::Nothing
            }
            0 | b'0' if is_layer => {
                let keeps = !self.limits.digests && !self.is_base(&name);
                let file = if keeps { Some(tempfile::tempfile_in(&self.limits.directory)?) } else { None };
                Now::Layer { name, scan: Box::new(Scan::new(self.limits.digests, self.limits.room)), file, length: 0 }
            }
            0 | b'0' if entry.size <= LONGEST => Now::Small(name, vec![]),
            _ => Now::Nothing,
        };
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.now {
            Now::Nothing => {}
            Now::Small(_, read) => read.extend_from_slice(bytes),
            Now::Layer { scan, file, length, .. } => {
                scan.feed(bytes)?;
                *length += bytes.len() as u64;
                if let Some(file) = file {
                    self.kept_bytes += bytes.len() as u64;
                    if self.kept_bytes > self.limits.most_bytes {
                        return Err(MergeError::TooLarge { most_bytes: self.limits.most_bytes });
                    }
                    file.write_all(bytes)?;
                }
            }
        }
        Ok(())
    }

    fn over(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Nothing => {}
            Now::Small(name, read) => {
                if let Some(folder) = name.strip_suffix("/json")
                    && self.base.has_folder(folder, &read)
                {
                    self.folders.insert(folder.to_owned());
                }
                self.small.insert(name, read);
            }
            Now::Layer { name, scan, file, length } => {
                self.layers.insert(name, self.files.len());
                let (items, room) = scan.finish()?;
                self.limits.room = room;
                self.files.push(LayerFile { items, file, length });
            }
        }
        Ok(())
    }
}

/// Where a symbolic link leads: engines write `../FOLDER/layer.tar`.
fn beside(name: &str, link: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
