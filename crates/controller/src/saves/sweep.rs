//! Keeps hosts and records true to one another: images of saves that no record needs go, saves that lost a copy get
//! another, and what was replaced is forgotten.

use super::make::{copied, reference};
use super::records::By;
use super::{SaveError, Saves};
use crate::engines::Link;
use crate::execute::Executor;
use futures_util::stream::{self, StreamExt};
use pierhead_engine::LocalImage;
use pierhead_model::{EngineId, Ownership, Save, SaveState};
use std::collections::BTreeSet;

/// How many hosts are looked through at the same time.
const HOSTS_AT_ONCE: usize = 16;

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
        for (id, revision) in saves.forgettable().await? {
            match saves.erase(By::Leader(&self.standing), &id, revision).await {
                Err(SaveError::Changed(_)) => tracing::debug!(save = %id, "somebody begins from a save that was to go"),
                done => {
                    done?;
                    tracing::info!(save = %id, "a save that nobody needs was forgotten");
                }
            }
        }
        let hosts = self.engines.healthy();
        // Records are read after a host was listed: what is made meanwhile has one.
        stream::iter(hosts)
            .for_each_concurrent(HOSTS_AT_ONCE, |link| async move {
                if let Err(error) = self.sweep_host(&link).await {
                    tracing::debug!(engine = %link.id(), %error, "images of saves could not be looked through");
                }
            })
            .await;
        for save in saves.all().await? {
            if let Err(error) = self.keep_copies(&save).await {
                tracing::debug!(save = %save.id, %error, "a save has no second copy yet");
            }
        }
        Ok(())
    }

    /// Removes images that no record needs.
    async fn sweep_host(&self, link: &Link) -> Result<(), SaveError> {
        let listed = link.engine.images().await.map_err(SaveError::engine(link.id().to_string()))?;
        let ours: Vec<(String, bool)> = listed.iter().flat_map(|image| self.saves.names(image)).collect();
        if ours.is_empty() {
            return Ok(());
        }
        let all = self.saves.all().await?;
        let kept: BTreeSet<&str> =
            all.iter().flat_map(|save| &save.containers).map(|files| files.image.as_str()).collect();
        for (name, is_unfinished) in ours {
            let is_being_made = all.iter().any(|save| save.state == SaveState::Saving && is_of(&name, save));
            if kept.contains(name.as_str()) && !is_unfinished || is_being_made {
                continue;
            }
            let removed = self.leading(link.engine.remove_image(&reference(&name)?)).await;
            match removed {
                Ok(()) => tracing::info!(engine = %link.id(), image = name, "an image that no save needs was removed"),
                // A container was made of it: it goes after that.
                Err(error) => tracing::debug!(engine = %link.id(), image = name, %error, "an image stays for now"),
            }
        }
        Ok(())
    }

    /// Copies a save to another host if too few of those that are in the pool have it.
    async fn keep_copies(&self, save: &Save) -> Result<(), SaveError> {
        if !save.is_usable() {
            return Ok(());
        }
        let known: BTreeSet<EngineId> =
            save.copies.iter().filter(|id| self.engines.link(id).is_some()).cloned().collect();
        if known.len() > 1 {
            return Ok(());
        }
        let Some(from) =
            known.first().filter(|id| self.engines.link(id).is_some_and(|link| !self.engines.is_down(&link)))
        else {
            return Ok(());
        };
        let turn = self.saves.turn(&save.id);
        let _held = turn.lock().await;
        let Some((other, moved)) = copied(&self.engines, from, save).await? else { return Ok(()) };
        while let Some((mut now, revision)) = self.saves.find(&save.id).await? {
            now.copies = known.clone();
            now.copies.insert(other.clone());
            now.moved_bytes += moved;
            now.state = SaveState::Complete;
            match self.saves.put(&self.standing, &now, Some(revision)).await {
                // Somebody begins from it.
                Err(SaveError::Changed(_)) => {}
                done => return done.map(drop),
            }
        }
        Ok(())
    }
}

impl Saves {
    /// The names of an image that are of saves of this pool, and whether they are of unfinished ones.
    fn names(&self, image: &LocalImage) -> Vec<(String, bool)> {
        let cluster = self.store.cluster_id();
        let has = |label: &str| image.labels.get(label).is_some_and(|value| value == cluster);
        let of = |tag: &String| {
            let is_unfinished = tag.starts_with(Save::UNFINISHED) && has(Ownership::CLUSTER);
            let is_save = tag.starts_with(Save::IMAGES) && has(Save::LABEL);
            (is_unfinished || is_save).then(|| (tag.clone(), is_unfinished))
        };
        image.tags.iter().filter_map(of).collect()
    }
}

/// Whether an image's name is one of a save's.
fn is_of(name: &str, save: &Save) -> bool {
    let rest = name.strip_prefix(Save::IMAGES).or_else(|| name.strip_prefix(Save::UNFINISHED));
    rest.and_then(|rest| rest.strip_prefix(save.id.as_str())).is_some_and(|rest| rest.starts_with('-'))
}
