//! What the school's registry has of saves that were deleted: written down with the deletion, and deleted there when the
//! registry answers. Nothing waits for that.
//!
//! Only what records of this pool made is deleted: by its digest, in the pool's own repository.

use super::make::reference;
use super::{SaveError, Saves};
use crate::execute::Executor;
use crate::keys;
use pierhead_engine::EngineError;
use pierhead_model::{LeftInRegistry, MemberName, RegistryCopy, Save, SaveRegistry};
use pierhead_outbound::{Registry, RegistryError};
use pierhead_store::{Entry, Revision, Transaction};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// So many are deleted by one look at the registry; the others by the next ones.
const AT_ONCE: usize = 200;
/// How long a registry that deletes nothing, or is asked no more, is waited for, in milliseconds.
const LONGEST: u64 = 30 * 24 * 3600 * 1000;

/// Why what was deleted here is still in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Away,
    Denied,
    Keeps,
}

impl Saves {
    /// What the registry has of a save, or may have: what was pushed is written down after that.
    pub(super) async fn left_of(&self, save: &Save) -> Result<Option<LeftInRegistry>, SaveError> {
        let repository = save.registry.as_ref().map(|copy| copy.repository.clone()).or_else(|| self.repository());
        let Some(repository) = repository else { return Ok(None) };
        let digest = |name: &MemberName| save.registry.as_ref()?.digests.get(name).cloned();
        let mut names: Vec<_> = save.containers.iter().map(|files| files.name.clone()).collect();
        // While it is made its record names none yet.
        if names.is_empty() {
            let spec = self.spec(&save.id).await?;
            names.extend(spec.into_iter().flat_map(|spec| spec.containers).map(|container| container.name));
        }
        let digests = names.into_iter().map(|name| (name.clone(), digest(&name))).collect();
        Ok(Some(LeftInRegistry { save: save.id.clone(), repository, digests, since: self.clock.now() }))
    }

    /// What is left, with the revisions of the records.
    async fn all_left(&self) -> Result<Vec<(LeftInRegistry, Revision)>, SaveError> {
        let listing = self.store.list_all(keys::SAVES_LEFT).await?;
        let read =
            |entry: &Entry| -> Result<(LeftInRegistry, Revision), SaveError> { Ok((entry.json()?, entry.modified)) };
        listing.entries.iter().map(read).collect()
    }

    /// What is to be told now, if that differs from what was told last.
    fn news_of_kept(&self, registry: &SaveRegistry, why: Option<&RegistryError>) -> Option<String> {
        let now = why.map(|why| match why {
            RegistryError::Away(_) => Kept::Away,
            RegistryError::Denied(_) => Kept::Denied,
            RegistryError::Keeps(_) => Kept::Keeps,
        });
        let mut told = self.keeps.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *told, now);
        let (why, kept) = (why?, now.filter(|_| now != before)?);
        let what_helps = match kept {
            Kept::Away => "it is tried again; controllers must reach the registry too",
            Kept::Denied => "the pool's account there must be one that may delete",
            Kept::Keeps => "a registry:2 deletes with REGISTRY_STORAGE_DELETE_ENABLED set to true",
        };
        Some(format!("registry={registry}, reason={why}; {what_helps}"))
    }
}

impl Executor {
    /// Deletes in the registry what it has of saves that were deleted.
    pub(super) async fn delete_left(&self) -> Result<(), SaveError> {
        let saves = &self.saves;
        let mut left = saves.all_left().await?;
        let now = saves.clock.now();
        for (old, revision) in left.extract_if(.., |(left, _)| now.since(left.since) > LONGEST) {
            tracing::warn!(save = %old.save, repository = old.repository, "what a registry has of a save stays there");
            self.is_done(&old, revision).await?;
        }
        let Some(registry) = &saves.registry else { return Ok(()) };
        let repository = registry.repository(saves.store.cluster_id());
        left.retain(|(left, _)| left.repository == repository);
        let Some((first, _)) = left.first() else { return Ok(()) };
        let some_image = format!("{repository}:{}", first.save);
        let account = self.registries.account(&reference(&some_image)?, None).await?;
        let account = account.auth().map(|auth| (auth.username.clone(), auth.password.clone()));
        let there = match Registry::new(registry.host().as_str(), registry.is_secure(), account) {
            Ok(there) => there,
            Err(why) => return self.tell_kept(registry, Some(RegistryError::Away(why))).await,
        };
        let all = saves.all().await?;
        let copies = all.iter().filter_map(|save| save.registry.as_ref());
        let copies = copies.filter(|copy: &&RegistryCopy| copy.repository == repository);
        let needed: BTreeSet<&String> = copies.flat_map(|copy| copy.digests.values()).collect();
        let path = repository.strip_prefix(&format!("{}/", registry.host())).unwrap_or(&repository);
        let mut trouble = None;
        for (left, revision) in left.into_iter().take(AT_ONCE) {
            let turn = saves.turn(&left.save);
            // Somebody makes it anew.
            let Ok(_nobody_is_at_it) = turn.try_write() else { continue };
            let is_gone = match saves.find(&left.save).await? {
                // There is one of that name again: what it leaves is written down when that goes.
                Some(_) => Ok(()),
                None => self.delete_all(&there, path, &left, &needed).await?,
            };
            if let Err(why) = is_gone {
                trouble = Some(why);
                break;
            }
            self.is_done(&left, revision).await?;
        }
        self.tell_kept(registry, trouble).await
    }

    /// Deletes the images of one save at a path of the registry, but not the digests that others need.
    async fn delete_all(
        &self,
        there: &Registry,
        path: &str,
        left: &LeftInRegistry,
        needed: &BTreeSet<&String>,
    ) -> Result<Result<(), RegistryError>, SaveError> {
        for (container, digest) in &left.digests {
            let deleted = async {
                let digest = match digest {
                    Some(digest) => Some(digest.clone()),
                    None => there.digest(path, &left.tag(container)).await?,
                };
                match digest.filter(|digest| !needed.contains(digest)) {
                    Some(digest) => there.delete(path, &digest).await,
                    None => Ok(()),
                }
            };
            let deleted = self.leading(async { Ok::<_, EngineError>(deleted.await) }).await;
            match deleted.map_err(|_| SaveError::NotLeading)? {
                Ok(()) => {}
                kept => return Ok(kept),
            }
        }
        tracing::info!(save = %left.save, repository = left.repository, "a save that went is gone from the registry");
        Ok(Ok(()))
    }

    /// Forgets what is left of a save, unless that was written anew meanwhile.
    async fn is_done(&self, left: &LeftInRegistry, revision: Revision) -> Result<(), SaveError> {
        let key = keys::save_left(&left.save);
        let done = Transaction::new().unchanged(key.clone(), revision).delete(key);
        self.saves.committed(done, Some(&self.standing)).await.map(drop)
    }

    /// Says why the registry keeps what it has, once.
    async fn tell_kept(&self, registry: &SaveRegistry, why: Option<RegistryError>) -> Result<(), SaveError> {
        let Some(message) = self.saves.news_of_kept(registry, why.as_ref()) else { return Ok(()) };
        tracing::warn!("save-registry-keeps: {message}");
        self.put_event("save-registry-keeps", message).await
    }
}
