//! Makes a save: sizes first, then an image of each container with one layer over its base, then a copy in the
//! school's registry or on another host.

use super::SaveError;
use super::records::By;
use crate::engines::{Engines, Link};
use crate::execute::Executor;
use crate::images::Copied;
use pierhead_engine::{EngineError, Squash};
use pierhead_model::{
    EngineId, Failure, ImageReference, MemberName, ObservedContainer, Save, SaveId, SaveState, SavedFiles,
};
use pierhead_planner::{SaveOrder, SavedContainer};
use pierhead_store::Revision;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// On how many hosts a copy is tried.
const HOSTS_TRIED: usize = 3;

/// What is known of a container before it is saved.
struct Before {
    name: MemberName,
    container: ObservedContainer,
    /// The image that it was made of.
    like: ImageReference,
    /// The environment's image under that, and how many of its layers are that one's.
    base: ImageReference,
    base_layers: usize,
    /// What it may come to, in bytes.
    bytes: u64,
}

impl Executor {
    /// Saves a workspace. Whoever asks for the same save meanwhile, or later, gets the one that was made. If it fails,
    /// nothing is left of it.
    pub(crate) async fn save_workspace(&self, link: &Link, order: &SaveOrder) -> Result<(), Failure> {
        let saves = &self.saves;
        let turn = saves.turn(&order.id);
        let _held = turn.write().await;
        let found = saves.find(&order.id).await.map_err(|error| error.failure())?;
        if found.as_ref().is_some_and(|(save, _)| save.is_usable()) {
            return Ok(());
        }
        // What an earlier leader left half-made is replaced.
        let mut written = found.map(|(_, revision)| revision);
        match self.make_save(link, order, &mut written).await {
            Ok(save) => {
                let (copies, moved_bytes) = (save.copies.len(), save.moved_bytes);
                tracing::info!(save = %save.id, bytes = save.bytes, copies, moved_bytes, "a workspace was saved");
                Ok(())
            }
            Err(error) => {
                let failure = error.failure();
                tracing::warn!(save = %order.id, workspace = %order.workspace, error = failure.message, "not saved");
                self.abandon(link, order, written).await;
                Err(failure)
            }
        }
    }

    /// Notes which revision of the record is of this attempt.
    async fn make_save(
        &self,
        link: &Link,
        order: &SaveOrder,
        written: &mut Option<Revision>,
    ) -> Result<Save, SaveError> {
        let before = self.look(link, order).await?;
        let mut save = Save {
            id: order.id.clone(),
            workspace: order.workspace.clone(),
            owner: order.owner.clone(),
            name: order.name.clone(),
            environment: order.environment.clone(),
            version: order.version,
            automatic: order.automatic,
            handed_in: self.saves.is_handed_in(&order.id, &order.owner).await?,
            state: SaveState::Saving,
            containers: Vec::new(),
            bytes: before.iter().map(|before| before.bytes).sum(),
            copies: BTreeSet::from([link.id().clone()]),
            registry: None,
            moved_bytes: 0,
            created_at: self.saves.clock.now(),
        };
        // What it may come to is taken from the limits before anything is done.
        *written = Some(self.saves.begin(&self.standing, &save, &order.spec, *written).await?);
        for before in &before {
            save.containers.push(self.save_container(link, &save, before).await?);
        }
        save.bytes = save.containers.iter().map(|files| files.layer_bytes).sum();
        save.state = SaveState::SingleCopy;
        self.second(link, &mut save).await?;
        self.saves.put(&self.standing, &save, *written).await?;
        Ok(save)
    }

    /// Sees to a second place of a save that one host has: the registry, or another host if that takes nothing.
    async fn second(&self, link: &Link, save: &mut Save) -> Result<(), SaveError> {
        let refused = match self.sent(link, save).await {
            Some(Ok(copy)) => {
                save.registry = Some(copy);
                save.state = SaveState::Complete;
                return Ok(());
            }
            Some(Err(why)) => {
                tracing::warn!(save = %save.id, why, "the registry did not take a save; it goes there later");
                true
            }
            None => false,
        };
        match self.copied(link.id(), save).await {
            Ok(Some((other, moved))) => {
                save.copies.insert(other);
                save.moved_bytes = moved;
                save.state = SaveState::Complete;
            }
            // The registry takes it when it is back.
            Err(error) if refused => tracing::warn!(save = %save.id, %error, "nor did another host"),
            other => drop(other?),
        }
        Ok(())
    }

    /// What there is to save, and what it may come to.
    async fn look(&self, link: &Link, order: &SaveOrder) -> Result<Vec<Before>, SaveError> {
        let from = match &order.from {
            Some(id) => self.saves.find(id).await?.map(|(save, _)| save),
            None => None,
        };
        let mut all = Vec::with_capacity(order.containers.len());
        for SavedContainer { name, id, image } in &order.containers {
            let failed = |error| SaveError::engine(format!("the container {name}"))(error);
            let container = link.engine.container(id).await.map_err(failed)?;
            let written = link.engine.written(id).await.map_err(failed)?;
            let like = ImageReference::parse(&container.image)
                .map_err(|error| failed(EngineError::Failed(error.to_string())))?;
            let was = from.as_ref().and_then(|save| save.files(name)).filter(|files| files.image == like);
            let (base, base_layers, bytes) = match was {
                Some(files) => (files.base.clone(), files.base_layers, written + files.layer_bytes),
                None => {
                    let layers = link.engine.layers(&like).await.map_err(failed)?;
                    let layers = layers.ok_or_else(|| failed(EngineError::NoImage(like.to_string())))?;
                    (image.clone(), layers.diff_ids.len(), written)
                }
            };
            all.push(Before { name: name.clone(), container, like, base, base_layers, bytes });
        }
        Ok(all)
    }

    async fn save_container(&self, link: &Link, save: &Save, before: &Before) -> Result<SavedFiles, SaveError> {
        let Before { name, container, like, base, base_layers, .. } = before;
        let failed = |error| SaveError::engine(format!("the container {name}"))(error);
        let raw = reference(&Save::unfinished_image(&save.id, name))?;
        let image = reference(&Save::image(&save.id, name))?;
        // What an earlier try left would lose its name, and nobody would find it any more.
        for left in [&raw, &image] {
            self.leading(link.engine.remove_image(left)).await.map_err(failed)?;
        }
        self.leading(link.engine.commit(&container.id, &raw)).await.map_err(failed)?;
        let cluster = self.saves.store.cluster_id().to_owned();
        let wanted = Squash {
            image: raw.clone(),
            base_layers: *base_layers,
            like: like.clone(),
            name: image.clone(),
            labels: BTreeMap::from([(Save::LABEL.to_owned(), cluster)]),
            created: save.created_at,
            most_bytes: self.saves.limits.person.bytes,
        };
        let made = self.leading(link.engine.squash(&wanted)).await.map_err(failed)?;
        self.leading(link.engine.remove_image(&raw)).await.map_err(failed)?;
        Ok(SavedFiles {
            name: name.clone(),
            image,
            image_id: made.id,
            base: base.clone(),
            base_layers: *base_layers,
            layer_bytes: made.layer_bytes,
        })
    }

    /// Takes back what was made of a save, if nobody else has gone on with it. What can't be removed now, or is on other
    /// hosts, is found by its name and label.
    async fn abandon(&self, link: &Link, order: &SaveOrder, written: Option<Revision>) {
        if let Some(revision) = written
            && let Err(error) = self.saves.erase(By::Leader(&self.standing), &order.id, revision).await
        {
            tracing::warn!(save = %order.id, %error, "the record of a save that failed could not be removed yet");
            return;
        }
        for SavedContainer { name, .. } in &order.containers {
            for image in [Save::unfinished_image(&order.id, name), Save::image(&order.id, name)] {
                if let Ok(image) = reference(&image)
                    && let Err(error) = self.leading(link.engine.remove_image(&image)).await
                {
                    tracing::debug!(%image, %error, "what is left of a save could not be removed yet");
                }
            }
        }
    }

    /// Copies a save to another host that answers: which, and how many bytes went. `None` if there is no other host.
    pub(super) async fn copied(&self, from: &EngineId, save: &Save) -> Result<Option<(EngineId, u64)>, SaveError> {
        let others = others(&self.engines, from, &save.id);
        let mut failures = Vec::new();
        for to in others.iter().take(HOSTS_TRIED) {
            match self.copy_all(to, save).await {
                Ok(moved) => return Ok(Some((to.id().clone(), moved))),
                Err(why) => failures.push(format!("{}: {why}", to.id())),
            }
        }
        if failures.is_empty() { Ok(None) } else { Err(SaveError::NoCopy(failures.join("; "))) }
    }

    async fn copy_all(&self, to: &Link, save: &Save) -> Result<u64, String> {
        let mut moved = 0;
        for files in &save.containers {
            match self.bring(to, save, files).await {
                Ok(Copied::Done(bytes)) => moved += bytes,
                Ok(Copied::NobodyHasIt) => return Err(format!("no host has {}", files.image)),
                Ok(Copied::NotGiven(why)) => return Err(why),
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(moved)
    }
}

/// The other hosts that answer, in an order that differs from save to save.
fn others(engines: &Engines, from: &EngineId, id: &SaveId) -> Vec<Arc<Link>> {
    let mut others = engines.healthy();
    others.retain(|link| link.id() != from);
    if !others.is_empty() {
        let first = id.as_str().bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let count = others.len();
        others.rotate_left(first % count);
    }
    others
}

pub(super) fn reference(name: &str) -> Result<ImageReference, SaveError> {
    ImageReference::parse(name)
        .map_err(|error| SaveError::Engine { what: name.to_owned(), source: EngineError::Failed(error.to_string()) })
}
