//! Keeps hosts and records true to one another: images of saves that no record needs go, saves that lost a copy get
//! another, and what was replaced is forgotten.

use super::make::reference;
use super::records::By;
use super::{SaveError, Saves};
use crate::engines::Link;
use crate::execute::Executor;
use crate::images::{Copied, is_that};
use crate::keys;
use futures_util::stream::{self, StreamExt};
use pierhead_engine::LocalImage;
use pierhead_model::{EngineId, Ownership, Save, SaveId, SaveState, SavedFiles};
use std::collections::{BTreeMap, BTreeSet};

/// How many hosts are looked through at the same time.
const HOSTS_AT_ONCE: usize = 16;

/// Saves that hosts should have and have not: somebody removed their images.
type Lost = BTreeSet<(SaveId, EngineId)>;

/// Sweeps as long as this is polled: again and again, and soon after somebody removed a save.
pub(crate) async fn keep_sweeping(executor: Executor) {
    let between = executor.options.save_sweep_interval;
    loop {
        if let Err(error) = executor.sweep_saves().await {
            tracing::warn!(%error, "saves could not be looked through; it is tried again");
        }
        let _either = tokio::time::timeout(between, executor.saves.wake.notified()).await;
    }
}

impl Executor {
    /// Once over everything.
    pub(crate) async fn sweep_saves(&self) -> Result<(), SaveError> {
        let saves = &self.saves;
        // The records may be older than what lies on hosts, until somebody says that all is well.
        if saves.store.get(keys::RESTORED).await?.is_some() {
            return Ok(());
        }
        for (id, revision) in saves.forgettable().await? {
            match saves.erase(By::Leader(&self.standing), &id, revision).await {
                Err(SaveError::Changed(_)) => tracing::debug!(save = %id, "somebody begins from a save that was to go"),
                done => {
                    done?;
                    tracing::info!(save = %id, "a save that nobody needs was forgotten");
                }
            }
        }
        let before = saves.all().await?;
        let sweeps = self.engines.healthy().into_iter().map(|link| {
            let before = &before;
            async move {
                let lacks = self.sweep_host(&link, before).await.unwrap_or_else(|error| {
                    tracing::debug!(engine = %link.id(), %error, "images of saves could not be looked through");
                    Vec::new()
                });
                lacks.into_iter().map(|save| (save, link.id().clone())).collect::<Vec<_>>()
            }
        });
        let lost: Vec<_> = stream::iter(sweeps).buffer_unordered(HOSTS_AT_ONCE).collect().await;
        let lost: Lost = lost.into_iter().flatten().collect();
        let mut registry_takes = true;
        for save in saves.in_turn(saves.all().await?) {
            if let Err(error) = self.keep_copies(&save, &lost, &mut registry_takes).await {
                tracing::debug!(save = %save.id, %error, "a save has no second copy yet");
            }
        }
        if registry_takes {
            saves.note_not_taken(None);
        }
        self.delete_left().await
    }

    /// Removes images that no record needs. Tells the saves that this host should have and has not; `before` are the records
    /// as they were before it was listed.
    async fn sweep_host(&self, link: &Link, before: &[Save]) -> Result<Vec<SaveId>, SaveError> {
        let listed = link.engine.images().await.map_err(SaveError::engine(link.id().to_string()))?;
        let ids: BTreeMap<&str, &str> =
            listed.iter().flat_map(|image| image.tags.iter().map(|tag| (tag.as_str(), image.id.as_str()))).collect();
        let has = |files: &SavedFiles| {
            ids.get(files.image.as_str()).is_some_and(|id| is_that(&self.engines, link, id, &files.image_id))
        };
        let its = before.iter().filter(|save| save.is_usable() && save.copies.contains(link.id()));
        let lacks = its.filter(|save| !save.containers.iter().all(has)).map(|save| save.id.clone()).collect();
        let ours: Vec<Named> = listed.iter().flat_map(|image| self.saves.names(image)).collect();
        if ours.is_empty() {
            return Ok(lacks);
        }
        // Read after the host was listed: what is made meanwhile has a record.
        let all = self.saves.all().await?;
        for image in ours {
            if all.iter().any(|save| self.needs(link, save, &image)) {
                continue;
            }
            match self.remove_left(link, &image).await {
                Ok(true) => {
                    tracing::info!(engine = %link.id(), image = image.name, "an image that no save needs was removed");
                }
                Ok(false) => {}
                // A container was made of it: it goes after that.
                Err(error) => {
                    tracing::debug!(engine = %link.id(), image = image.name, %error, "an image stays for now");
                }
            }
        }
        Ok(lacks)
    }

    /// Whether an image of a host is one of a save, or of what is being made. Under a save's name there may be what an
    /// attempt left that failed.
    fn needs(&self, link: &Link, save: &Save, image: &Named) -> bool {
        if save.state == SaveState::Saving {
            return image.save.as_ref() == Some(&save.id);
        }
        let is_it = |files: &SavedFiles| {
            files.image.as_str() == image.name && is_that(&self.engines, link, &image.id, &files.image_id)
        };
        !image.is_unfinished && save.containers.iter().any(is_it)
    }

    /// Removes an image unless somebody is at it, or has brought another by that name since hosts were looked through.
    async fn remove_left(&self, link: &Link, image: &Named) -> Result<bool, SaveError> {
        let name = reference(&image.name)?;
        let turn = image.save.as_ref().map(|id| self.saves.turn(id));
        let _nobody_is_at_it = match turn.as_ref().map(|turn| turn.try_read()) {
            Some(Err(_)) => return Ok(false),
            held => held,
        };
        if let Some(id) = &image.save
            && let Some((save, _)) = self.saves.find(id).await?
            && self.needs(link, &save, image)
        {
            return Ok(false);
        }
        let coming = link.images.turn(&name);
        let _coming = coming.lock().await;
        let failed = SaveError::engine(link.id().to_string());
        let removed = async {
            if link.engine.image(&name).await?.as_deref() != Some(&image.id) {
                return Ok(false);
            }
            self.leading(link.engine.remove_image(&name)).await.map(|()| true)
        };
        removed.await.map_err(failed)
    }

    /// Sends a save to the registry that is to have it, and copies it to another host if nobody else has it. A registry that
    /// took one not is asked to take no other: each might be waited for.
    async fn keep_copies(&self, save: &Save, lost: &Lost, registry_takes: &mut bool) -> Result<(), SaveError> {
        if !save.is_usable() {
            return Ok(());
        }
        let is_there =
            |id: &&EngineId| self.engines.link(id).is_some() && !lost.contains(&(save.id.clone(), (*id).clone()));
        let known: BTreeSet<EngineId> = save.copies.iter().filter(is_there).cloned().collect();
        let (is_to_be_sent, is_sent) = (self.saves.is_to_be_sent(save), save.registry.is_some());
        if is_sent {
            self.bring_again(save, lost).await;
        }
        if !is_to_be_sent && (is_sent || known.len() > 1) {
            return Ok(());
        }
        let answers = |id: &&EngineId| self.engines.link(id).is_some_and(|link| !self.engines.is_down(&link));
        let Some(from) = known.iter().find(answers).and_then(|id| self.engines.link(id)) else {
            return Ok(());
        };
        let turn = self.saves.turn(&save.id);
        let _held = turn.write().await;
        let mut sent = None;
        if is_to_be_sent && *registry_takes {
            sent = self.sent(&from, save).await.and_then(Result::ok);
            *registry_takes = sent.is_some();
            if sent.is_none() {
                self.saves.note_not_taken(Some(&save.id));
            }
        }
        let has_enough = sent.is_some() || is_sent || known.len() > 1;
        let made = if has_enough { Ok(None) } else { self.copied(from.id(), save).await };
        while let Some((mut now, revision)) = self.saves.find(&save.id).await? {
            let before = now.clone();
            now.copies.clone_from(&known);
            if sent.is_some() {
                now.registry.clone_from(&sent);
            }
            if let Ok(Some((other, moved))) = &made {
                now.copies.insert(other.clone());
                now.moved_bytes += moved;
            }
            let has_two = now.registry.is_some() || now.copies.len() > 1;
            now.state = if has_two { SaveState::Complete } else { SaveState::SingleCopy };
            if now == before {
                break;
            }
            match self.saves.put(&self.standing, &now, Some(revision)).await {
                // Somebody begins from it.
                Err(SaveError::Changed(_)) => {}
                done => return done.map(drop),
            }
        }
        made.map(drop)
    }

    /// What somebody removed from a host comes back from the registry.
    async fn bring_again(&self, save: &Save, lost: &Lost) {
        let hosts = save.copies.iter().filter(|host| lost.contains(&(save.id.clone(), (*host).clone())));
        for link in hosts.filter_map(|host| self.engines.link(host)) {
            for files in &save.containers {
                match self.bring(&link, save, files).await {
                    Ok(Copied::Done(_)) => {}
                    told => {
                        tracing::debug!(save = %save.id, to = %link.id(), ?told, "a lost copy could not be made again yet")
                    }
                }
            }
        }
    }
}

/// An image of a host that bears a name of a save of this pool.
struct Named {
    name: String,
    /// The image's id.
    id: String,
    /// The save that the name tells.
    save: Option<SaveId>,
    /// Whether the name is one that is given only while a save is made.
    is_unfinished: bool,
}

impl Saves {
    /// The names of an image that are of saves of this pool.
    fn names(&self, image: &LocalImage) -> Vec<Named> {
        let cluster = self.store.cluster_id();
        let has = |label: &str| image.labels.get(label).is_some_and(|value| value == cluster);
        let of = |tag: &String| {
            let is_unfinished = tag.starts_with(Save::UNFINISHED) && has(Ownership::CLUSTER);
            let is_save = (tag.starts_with(Save::IMAGES) || tag.contains(Save::SENT)) && has(Save::LABEL);
            let named = || Named { name: tag.clone(), id: image.id.clone(), save: Save::of_image(tag), is_unfinished };
            (is_unfinished || is_save).then(named)
        };
        image.tags.iter().filter_map(of).collect()
    }
}
