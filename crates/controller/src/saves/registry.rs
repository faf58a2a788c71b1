//! The school's registry as the second place of saves: what is sent there, and brought to a host from there.
//!
//! An image is known by the id in the record of its save, whoever may write in the registry. On a host it bears a name of
//! the registry only while it is on its way; what a crash leaves of that is found by that name.

use super::make::reference;
use super::{SaveError, Saves};
use crate::engines::Link;
use crate::execute::Executor;
use crate::images::{Arrival, Copied, is_that};
use crate::keys;
use pierhead_engine::EngineError;
use pierhead_model::{Event, ImageReference, RegistryCopy, Save, SaveId, SavedFiles};
use pierhead_store::Transaction;
use std::collections::BTreeMap;
use std::sync::PoisonError;

impl Saves {
    /// The repository to which saves are sent, if there is one.
    pub(super) fn repository(&self) -> Option<String> {
        self.registry.as_ref().map(|registry| registry.repository(self.store.cluster_id()))
    }

    /// Whether a save is to be sent to a registry that does not have it.
    pub(super) fn is_to_be_sent(&self, save: &Save) -> bool {
        let wanted = self.repository();
        wanted.is_some() && save.registry.as_ref().map(|copy| &copy.repository) != wanted.as_ref()
    }

    /// The saves in the order in which they are sent: the one that was not taken last is the last, as that may be its own
    /// fault and would hold up the others for ever.
    pub(super) fn in_turn(&self, mut all: Vec<Save>) -> Vec<Save> {
        let not_taken = self.not_taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = all.iter().position(|save| Some(&save.id) == not_taken.as_ref()) {
            all.rotate_left(at + 1);
        }
        all
    }

    /// Notes which save the registry did not take, if there was one.
    pub(super) fn note_not_taken(&self, id: Option<&SaveId>) {
        *self.not_taken.lock().unwrap_or_else(PoisonError::into_inner) = id.cloned();
    }

    /// What is to be told of the registry now, if that differs from what was told last: why it takes nothing, or that it does
    /// again.
    fn news(&self, trouble: Option<&str>) -> Option<(&'static str, String)> {
        let registry = self.registry.as_ref()?;
        let mut told = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let news = match (trouble, *told) {
            (Some(why), false) => ("save-registry-away", format!("registry={registry}, reason={why}")),
            (None, true) => ("save-registry-back", format!("registry={registry}, it takes saves again")),
            _ => return None,
        };
        *told = trouble.is_some();
        Some(news)
    }
}

impl Executor {
    /// Sends a save from a host that has it to the registry. `None` if there is no registry; the error says why it could not
    /// be sent, and was told as an event too.
    pub(super) async fn sent(&self, from: &Link, save: &Save) -> Option<Result<RegistryCopy, String>> {
        let repository = self.saves.repository()?;
        let mut digests = BTreeMap::new();
        let mut failed = None;
        for files in &save.containers {
            match self.send(from, save, files, &repository).await {
                Ok(digest) => drop(digests.insert(files.name.clone(), digest)),
                Err(error) => {
                    failed = Some(match error {
                        EngineError::NoImage(why) => why,
                        other => other.to_string(),
                    });
                    break;
                }
            }
        }
        self.tell(failed.as_deref()).await;
        Some(match failed {
            Some(why) => Err(why),
            None => Ok(RegistryCopy { repository, digests }),
        })
    }

    async fn send(
        &self,
        from: &Link,
        save: &Save,
        files: &SavedFiles,
        repository: &str,
    ) -> Result<String, EngineError> {
        let sent = named(&RegistryCopy::image(repository, &save.id, &files.name))?;
        let turn = from.images.turn(&sent);
        let _held = turn.lock().await;
        let account = self.registries.account(&sent, from.registry_auth.as_ref()).await;
        let account = account.map_err(|error| EngineError::Failed(error.to_string()))?;
        self.leading(from.engine.tag(&files.image, &sent)).await?;
        let pushed = self.leading(from.engine.push(&sent, account.auth())).await;
        self.untagged(from, &sent).await;
        pushed.map_err(|error| account.explain(&sent, error))
    }

    /// Brings the image of a container of a save to a host from the registry, if that has it: that very image.
    pub(super) async fn received(&self, to: &Link, save: &Save, files: &SavedFiles) -> Result<Copied, EngineError> {
        let Some(copy) = &save.registry else { return Ok(Copied::NobodyHasIt) };
        let sent = named(&RegistryCopy::image(&copy.repository, &save.id, &files.name))?;
        let (turns, image) = (to.images.turn(&sent), to.images.turn(&files.image));
        let _held = (turns.lock().await, image.lock().await);
        let account = self.registries.account(&sent, to.registry_auth.as_ref()).await;
        let account = account.map_err(|error| EngineError::Failed(error.to_string()))?;
        let progress = to.images.progress(&files.image, Arrival::Pulled);
        let pulled = self.leading(to.engine.pull(&sent, account.auth(), progress)).await;
        if let Err(error) = pulled {
            let error = account.explain(&sent, error);
            return if matches!(error, EngineError::NoImage(_)) {
                Ok(Copied::NotGiven(error.to_string()))
            } else {
                Err(error)
            };
        }
        let found = to.engine.image(&sent).await?.unwrap_or_default();
        let given = if is_that(&self.engines, to, &found, &files.image_id) {
            self.leading(to.engine.tag(&sent, &files.image)).await.map(|()| Copied::Done(files.layer_bytes))
        } else {
            Ok(Copied::NotGiven(format!("the registry has {found} as {sent}, which is not the image of the save")))
        };
        self.untagged(to, &sent).await;
        given
    }

    /// What can't be taken away now is found by its name.
    async fn untagged(&self, link: &Link, name: &ImageReference) {
        if let Err(error) = self.leading(link.engine.remove_image(name)).await {
            tracing::debug!(engine = %link.id(), image = %name, %error, "the name of a save in a registry stays for now");
        }
    }

    /// Says that the registry takes nothing, or takes saves again; each once.
    async fn tell(&self, trouble: Option<&str>) {
        let Some((kind, message)) = self.saves.news(trouble) else { return };
        tracing::warn!("{kind}: {message}");
        if trouble.is_none() {
            // What it did not take meanwhile goes there now.
            self.saves.wake.notify_one();
        }
        if let Err(error) = self.put_event(kind, message).await {
            tracing::warn!(%error, "an event about the registry of saves could not be written");
        }
    }

    pub(super) async fn put_event(&self, kind: &str, message: String) -> Result<(), SaveError> {
        let saves = &self.saves;
        let event = Event::of_pool(saves.ids.unique(), saves.clock.now(), kind, message);
        let written = Transaction::new().put_json(keys::event(&event.id), &event)?;
        saves.store.commit(self.standing.fence(written)).await?;
        Ok(())
    }
}

fn named(name: &str) -> Result<ImageReference, EngineError> {
    reference(name).map_err(|error| EngineError::Failed(error.to_string()))
}
