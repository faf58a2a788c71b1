//! Images that a fake engine makes itself, of its containers and of other images. Of files it knows only sizes.

use super::archive::{LAYER_BYTES, layer};
use super::world::World;
use super::{Fake, FakeImage};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::layers::digest;
use crate::merge::{Change, ChangeKind, Changes};
use crate::saved::{Compare, Squash, Squashed};
use pierhead_model::{ContainerId, ImageReference};

impl Fake {
    /// How many bytes a container has written over its image from now on.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn set_written(&self, id: &ContainerId, bytes: u64) -> Result<()> {
        self.change(|world| world.held(id).map(|held| held.written = bytes))
    }

    /// How many files a container has made over its image from now on.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn set_files(&self, id: &ContainerId, files: u64) -> Result<()> {
        self.change(|world| world.held(id).map(|held| held.files = files))
    }

    /// Whether it can't be counted from now on what a container has written.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn set_uncounted(&self, id: &ContainerId, is_uncounted: bool) -> Result<()> {
        self.change(|world| world.held(id).map(|held| held.is_uncounted = is_uncounted))
    }

    /// A process in a container writes so many bytes more, if it runs. Tells what has been written in it since its
    /// environment's image, in any of its lives.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; [`EngineError::Failed`] if it does not run.
    pub fn work(&self, id: &ContainerId, bytes: u64) -> Result<u64> {
        self.change(|world| {
            let held = world.held(id)?;
            if !held.observed.state.is_running() {
                return Err(EngineError::Failed("the container does not run".to_owned()));
            }
            held.written += bytes;
            world.worth(id)
        })
    }

    /// What has been written in a container, running or not, since its environment's image, in any of its lives.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn worth(&self, id: &ContainerId) -> Result<u64> {
        self.world().worth(id)
    }

    /// The same of an image, if the host has it and it has this id.
    #[must_use]
    pub fn worth_of_image(&self, name: &str, id: &str) -> Option<u64> {
        let world = self.world();
        let image = world.images.get(&ImageReference::parse(name).ok()?).filter(|image| image.id == id)?;
        Some(world.made_here(&image.layers))
    }

    /// The names of the images on the host.
    #[must_use]
    pub fn image_names(&self) -> Vec<String> {
        self.world().images.keys().map(ToString::to_string).collect()
    }

    pub(super) async fn bytes_written(&self, id: &ContainerId) -> Result<u64> {
        self.read(Verb::Written, id.as_str(), |world| match world.containers.get(id) {
            Some(held) if held.is_uncounted => Err(EngineError::Failed("too many files".to_owned())),
            Some(held) => Ok(held.written),
            None => Err(EngineError::NotFound),
        })
        .await
    }

    pub(super) async fn files_made(&self, id: &ContainerId, most: u64) -> Result<Option<u64>> {
        self.read(Verb::Written, id.as_str(), |world| match world.containers.get(id) {
            Some(held) => Ok(Some(held.files.min(most.saturating_add(1)))),
            None => Err(EngineError::NotFound),
        })
        .await
    }

    pub(super) async fn committed(&self, container: &ContainerId, name: &ImageReference) -> Result<String> {
        self.perform(Verb::Commit, container.as_str(), 0, |world| world.commit(container, name)).await
    }

    pub(super) async fn image_removed(&self, image: &ImageReference) -> Result<()> {
        self.perform(Verb::RemoveImage, image.as_str(), 0, |world| world.untag(image)).await
    }

    pub(super) async fn volumes_dropped(&self, image: &ImageReference, name: &ImageReference) -> Result<String> {
        self.perform(Verb::WithoutVolumes, image.as_str(), 0, |world| {
            let found = world.existing(image)?.clone();
            let id = digest(format!("{} without volumes", found.id).as_bytes());
            world.put_image(FakeImage { reference: name.clone(), id: id.clone(), ..found }, "load");
            Ok(id)
        })
        .await
    }

    pub(super) async fn squashed(&self, wanted: &Squash) -> Result<Squashed> {
        self.perform(Verb::Squash, wanted.image.as_str(), 0, |world| world.squash(wanted)).await
    }

    /// Layers stand for files.
    pub(super) async fn compared(&self, wanted: &Compare) -> Result<Changes> {
        self.read(Verb::Changes, wanted.image.as_str(), |world| {
            let now = &world.existing(&wanted.image)?.layers;
            let before = match &wanted.earlier {
                Some(earlier) => world.existing(earlier)?.layers.clone(),
                None => now.iter().take(wanted.base_layers).cloned().collect(),
            };
            let (mut added, mut removed) = (now.clone(), before.clone());
            added.retain(|layer| !before.contains(layer));
            removed.retain(|layer| !now.contains(layer));
            let told = |(kind, layer): (ChangeKind, &String)| Change {
                path: format!("/{layer}"),
                kind,
                is_folder: false,
                bytes_before: if kind == ChangeKind::Removed { world.layer_bytes(layer) } else { 0 },
                bytes: if kind == ChangeKind::Added { world.layer_bytes(layer) } else { 0 },
            };
            let all = added.iter().map(|layer| (ChangeKind::Added, layer));
            Ok(Changes {
                added: added.len() as u64,
                changed: 0,
                removed: removed.len() as u64,
                first: all.chain(removed.iter().map(|layer| (ChangeKind::Removed, layer))).map(told).collect(),
            })
        })
        .await
    }
}

impl World {
    pub(super) fn existing(&self, image: &ImageReference) -> Result<&FakeImage> {
        self.images.get(image).ok_or_else(|| EngineError::NoImage(image.to_string()))
    }

    fn worth(&self, id: &ContainerId) -> Result<u64> {
        let held = self.containers.get(id).ok_or(EngineError::NotFound)?;
        let image = ImageReference::parse(&held.observed.image).ok().and_then(|image| self.images.get(&image));
        Ok(held.written + image.map_or(0, |image| self.made_here(&image.layers)))
    }

    /// What layers hold that were made by containers, in bytes.
    fn made_here(&self, layers: &[String]) -> u64 {
        layers.iter().filter_map(|layer| self.layer_sizes.get(layer)).sum()
    }

    /// What a layer holds, in bytes.
    pub(super) fn layer_bytes(&self, layer: &str) -> u64 {
        self.layer_sizes.get(layer).copied().unwrap_or(LAYER_BYTES as u64)
    }

    fn commit(&mut self, container: &ContainerId, name: &ImageReference) -> Result<String> {
        let held = self.held(container)?;
        let (written, labels, image) = (held.written, held.observed.labels.clone(), held.observed.image.clone());
        let image = ImageReference::parse(&image).map_err(|error| EngineError::Failed(error.to_string()))?;
        let mut made = self.existing(&image)?.clone();
        let id = digest(format!("{} {}", made.id, self.new_id()).as_bytes());
        if written > 0 {
            let fresh = layer(&id);
            self.layer_sizes.insert(fresh.clone(), written);
            made.layers.push(fresh);
        }
        made.labels.extend(labels);
        self.put_image(FakeImage { reference: name.clone(), id: id.clone(), ..made }, "commit");
        Ok(id)
    }

    fn untag(&mut self, image: &ImageReference) -> Result<()> {
        let Some(found) = self.images.get(image) else { return Ok(()) };
        let is_last = self.images.values().filter(|other| other.id == found.id).count() == 1;
        if is_last && self.containers.values().any(|held| held.observed.image == image.as_str()) {
            return Err(EngineError::Failed(format!("conflict: a container uses {image} (status 409)")));
        }
        self.images.remove(image);
        Ok(())
    }

    fn squash(&mut self, wanted: &Squash) -> Result<Squashed> {
        let (image, like) = (self.existing(&wanted.image)?.clone(), self.existing(&wanted.like)?.clone());
        if image.layers.len() < wanted.base_layers {
            return Err(EngineError::Refused(format!("{} has fewer layers than its base", wanted.image)));
        }
        let (below, above) = image.layers.split_at(wanted.base_layers);
        let layer_bytes = above.iter().map(|layer| self.layer_bytes(layer)).sum();
        if above.len() > 1 && layer_bytes > wanted.most_bytes {
            return Err(EngineError::Refused(format!("what changed has more than {} bytes", wanted.most_bytes)));
        }
        let mut layers = below.to_vec();
        match above {
            [] => {}
            [one] => layers.push(one.clone()),
            several => layers.push(layer(&several.concat())),
        }
        if let Some(merged) = layers.get(wanted.base_layers) {
            self.layer_sizes.insert(merged.clone(), layer_bytes);
        }
        let (count, id) = (layers.len(), digest(format!("{layers:?} {}", wanted.created.0).as_bytes()));
        let mut labels = like.labels.clone();
        labels.retain(|name, _| !name.starts_with("pierhead."));
        labels.extend(wanted.labels.clone());
        self.put_image(FakeImage { reference: wanted.name.clone(), id: id.clone(), layers, labels, ..like }, "load");
        Ok(Squashed { id, layers: count, layer_bytes })
    }
}
