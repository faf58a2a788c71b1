//! What fake engines push to registries: one place for all that share it, so that what one pushed another can pull.

use super::{Fake, FakeImage};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::layers::digest;
use crate::request::RegistryAuth;
use pierhead_model::ImageReference;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An image, and what those of its layers hold that engines made, in bytes.
type Kept = (FakeImage, HashMap<String, u64>);

/// The registries of fake engines, as far as images are pushed there.
#[derive(Debug, Clone, Default)]
pub struct FakeDepot(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    kept: BTreeMap<ImageReference, Kept>,
    is_away: bool,
    refused: Option<String>,
}

impl FakeDepot {
    /// The names of the images that were pushed.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state().kept.keys().map(ToString::to_string).collect()
    }

    /// Whether nobody reaches it from now on.
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// It takes no image whose name has this in it.
    pub fn refuse(&self, part: &str) {
        self.state().refused = Some(part.to_owned());
    }

    /// Somebody removes an image there; whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        ImageReference::parse(name).is_ok_and(|name| self.state().kept.remove(&name).is_some())
    }

    /// What was pushed by a name; an error if nobody reaches it.
    pub(super) fn give(&self, image: &ImageReference) -> Result<Option<Kept>> {
        let state = self.state();
        if state.is_away && image.registry().is_some() {
            return Err(EngineError::NoImage("dial tcp: connect: connection refused".to_owned()));
        }
        Ok(state.kept.get(image).cloned())
    }

    fn take(&self, image: FakeImage, sizes: HashMap<String, u64>) -> Result<String> {
        let mut state = self.state();
        if state.is_away {
            return Err(EngineError::NoImage("dial tcp: connect: connection refused".to_owned()));
        }
        if state.refused.as_ref().is_some_and(|part| image.reference.as_str().contains(part)) {
            return Err(EngineError::NoImage("denied: requested access to the resource is denied".to_owned()));
        }
        let known_as = digest(format!("manifest of {}", image.id).as_bytes());
        state.kept.insert(image.reference.clone(), (image, sizes));
        Ok(known_as)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fake {
    pub(super) async fn tagged(&self, image: &ImageReference, name: &ImageReference) -> Result<()> {
        self.perform(Verb::Tag, name.as_str(), 0, |world| {
            let found = world.existing(image)?.clone();
            world.put_image(FakeImage { reference: name.clone(), ..found }, "tag");
            Ok(())
        })
        .await
    }

    pub(super) async fn pushed(&self, image: &ImageReference, auth: Option<&RegistryAuth>) -> Result<String> {
        let depot = self.shared.options.depot.clone();
        self.perform(Verb::Push, image.as_str(), 0, |world| {
            let found = world.existing(image)?.clone();
            world.check_account(image, auth)?;
            let sizes = found.layers.iter().filter_map(|layer| Some((layer.clone(), *world.layer_sizes.get(layer)?)));
            depot.take(found.clone(), sizes.collect())
        })
        .await
    }
}
