//! Requests about image archives: send one in, spread it, delete it. What there is and where is next door.

mod pool;

pub use pool::{PoolImage, PoolImages};

use super::{Actor, RequestError};
use crate::images::{ArchiveError, Destination, Received, Spread, TagRecord, Upload};
use crate::{Controller, keys};
use pierhead_model::{EngineId, EventTag, ImageArchive, ImageId, ImageReference, Username};
use pierhead_planner::EngineState;
use pierhead_store::{Error, Revision, StoreJson, Transaction};
use pool::{begins, refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Controller {
    /// Begins to take an archive; `announced` is how many bytes will come, if that is known.
    ///
    /// # Errors
    /// [`RequestError::Archive`] if there is no room for it.
    pub fn begin_upload(&self, announced: Option<u64>) -> Result<Upload, RequestError> {
        Ok(self.images.begin(announced, &self.ids.unique())?)
    }

    /// Ends an upload: what came is checked, and kept with its names. The answer is its record, and whether it is new.
    ///
    /// # Errors
    /// [`RequestError::Archive`] if it is not taken, [`RequestError::Forbidden`] if one of its names is somebody else's.
    pub async fn finish_upload(&self, actor: &Actor, upload: Upload) -> Result<(ImageArchive, bool), RequestError> {
        let received = upload.finish().await?;
        let tags = &received.inspected.tags;
        if let Some(name) = tags.iter().find(|name| !actor.may_change_all && !is_own(name, &actor.username)) {
            return Err(RequestError::Forbidden(format!(
                "the name {name} is the pool's, and yours begin with {}/; tag it so, or ask an administrator to send it",
                namespace(&actor.username)
            )));
        }
        let _changing = self.images.changes.lock().await;
        let mut is_kept = false;
        loop {
            let (transaction, record, is_new) = self.upload_transaction(actor, &received).await?;
            // A file without a record goes at the next start; a record without a file would be a lie.
            if record.file == received.digest && !is_kept && !self.images.is_there(&record) {
                self.images.keep(&received)?;
                is_kept = true;
            }
            match self.store.commit(transaction).await {
                Ok(_) => return Ok((record, is_new)),
                Err(Error::Conflict { .. }) => {}
                Err(error) => {
                    // A disk that is full needs the room now, not at the next start.
                    if is_kept && self.images.record(&record.id).await.is_ok_and(|found| found.is_none()) {
                        self.images.remove_file(&record);
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// The change that an upload makes: the image's record, its names, and those that others lose.
    async fn upload_transaction(
        &self,
        actor: &Actor,
        received: &Received,
    ) -> Result<(Transaction, ImageArchive, bool), RequestError> {
        let (inspected, key) = (&received.inspected, keys::image(&received.inspected.id));
        let found = self.store.get_json::<ImageArchive>(&key).await?;
        let revision = found.as_ref().map_or(Revision::ZERO, |(_, revision)| *revision);
        let known = found.map(|(record, _)| record);
        let is_new = known.is_none();
        let mut record = match known {
            Some(record) if self.images.is_there(&record) => record,
            known => self.image_record(actor, received, known),
        };
        let mut transaction = if is_new {
            Transaction::new().absent(key.clone())
        } else {
            Transaction::new().unchanged(key.clone(), revision)
        };
        let mut losers: BTreeMap<ImageId, (ImageArchive, Revision)> = BTreeMap::new();
        for tag in &inspected.tags {
            let tag_key = keys::image_tag(tag);
            match self.store.get_json::<TagRecord>(&tag_key).await? {
                Some((held, _)) if held.owner != actor.username && !actor.may_change_all => {
                    let reason = format!("the name {tag} was uploaded by {}; choose another", held.owner);
                    return Err(RequestError::Forbidden(reason));
                }
                Some((held, revision)) => {
                    transaction = transaction.unchanged(tag_key.clone(), revision);
                    if held.image != inspected.id && !losers.contains_key(&held.image) {
                        let loser = self.store.get_json::<ImageArchive>(&keys::image(&held.image)).await?;
                        losers.extend(loser.map(|loser| (held.image.clone(), loser)));
                    }
                }
                None => transaction = transaction.absent(tag_key.clone()),
            }
            let owned = TagRecord { image: inspected.id.clone(), owner: actor.username.clone() };
            transaction = transaction.put_json(tag_key, &owned)?;
            record.tags.insert(tag.clone());
        }
        for (id, (mut loser, revision)) in losers {
            loser.tags.retain(|tag| !inspected.tags.contains(tag));
            transaction = transaction.unchanged(keys::image(&id), revision).put_json(keys::image(&id), &loser)?;
        }
        let transaction = transaction.put_json(key, &record)?;
        let message = format!("id={}, tags={}, bytes={}", record.id, spaced(&inspected.tags), received.size);
        Ok((self.with_image_event(transaction, "upload-image", message, actor)?, record, is_new))
    }

    /// The record of what came; the names and the owner of a former one whose file was lost stay.
    fn image_record(&self, actor: &Actor, received: &Received, former: Option<ImageArchive>) -> ImageArchive {
        let inspected = &received.inspected;
        let (tags, owner) = former
            .map_or_else(|| (BTreeSet::new(), actor.username.clone()), |former| (former.tags, former.uploaded_by));
        ImageArchive {
            id: inspected.id.clone(),
            tags,
            file: received.digest.clone(),
            entries_bytes: inspected.entries_bytes,
            size_bytes: received.size,
            config: inspected.config.clone(),
            layers: inspected.layers.clone(),
            uploaded_at: self.clock.now(),
            uploaded_by: owner,
        }
    }

    /// An archive that was sent in, by a name of it, its id, or the begin of its digits.
    async fn archive_named(&self, name: &str) -> Result<ImageArchive, RequestError> {
        if let Ok(tag) = ImageReference::parse(name)
            && let Some((held, _)) = self.store.get_json::<TagRecord>(&keys::image_tag(&tag)).await?
        {
            return self.images.record(&held.image).await?.ok_or_else(|| not_found(name));
        }
        let mut found = self.images.records().await?.into_iter().filter(|record| begins(record.id.as_str(), name));
        match (found.next(), found.next()) {
            (Some(record), None) => Ok(record),
            (None, _) => Err(not_found(name)),
            _ => {
                Err(RequestError::Invalid { field: "id", expected: "more digits: several images begin so".to_owned() })
            }
        }
    }

    /// Deletes an archive; what hosts have of it stays there.
    ///
    /// # Errors
    /// If there is none, or it is somebody else's.
    pub async fn delete_image(&self, actor: &Actor, name: &str) -> Result<(), RequestError> {
        let _changing = self.images.changes.lock().await;
        let record = self.archive_named(name).await?;
        if record.uploaded_by != actor.username && !actor.may_change_all {
            let reason = format!(
                "this archive was uploaded by {}; only they or an administrator may delete it",
                record.uploaded_by
            );
            return Err(RequestError::Forbidden(reason));
        }
        let key = keys::image(&record.id);
        let mut transaction = Transaction::new().exists(key.clone()).delete(key);
        for tag in &record.tags {
            transaction = transaction.delete(keys::image_tag(tag));
        }
        let message = format!("id={}, tags={}", record.id, spaced(&record.tags));
        let transaction = self.with_image_event(transaction, "delete-image", message, actor)?;
        self.store.commit(transaction).await?;
        self.images.remove_file(&record);
        Ok(())
    }

    /// Brings an archive to hosts: to these, or to all that can be used.
    ///
    /// # Errors
    /// If there is no such archive or host.
    pub async fn spread_image(&self, actor: &Actor, name: &str, engines: &[String]) -> Result<Spread, RequestError> {
        let archive = self.archive_named(name).await?;
        if !self.images.is_there(&archive) {
            let expected = "one whose file is there; upload it again".to_owned();
            return Err(RequestError::Invalid { field: "id", expected });
        }
        let hosts = self.hosts_to_reach(engines)?;
        let names: Vec<&str> = hosts.iter().map(|host| host.engine.as_str()).collect();
        let message = format!("id={}, engines={}", archive.id, names.join(" "));
        let transaction = self.with_image_event(Transaction::new(), "spread-image", message, actor)?;
        self.store.commit(transaction).await?;
        Ok(Spread::begin(Arc::clone(&self.images), Arc::clone(&self.engines), archive, hosts))
    }

    fn hosts_to_reach(&self, engines: &[String]) -> Result<Vec<Destination>, RequestError> {
        let known = self.known();
        let all = known.world.engines();
        let to =
            |engine: &EngineId, state: &EngineState| Destination { engine: engine.clone(), refusal: refusal(state) };
        if engines.is_empty() {
            return Ok(all.iter().map(|(id, state)| to(id, state)).filter(|host| host.refusal.is_none()).collect());
        }
        let named: BTreeSet<&String> = engines.iter().collect();
        let found = |name: &String| match all.get_key_value(name.as_str()) {
            Some((id, state)) => Ok(to(id, state)),
            None => {
                let id = name.chars().take(64).collect();
                Err(RequestError::NotFound { what: "engine", id, replaced_by: None })
            }
        };
        named.into_iter().map(found).collect()
    }

    fn with_image_event(
        &self,
        transaction: Transaction,
        kind: &str,
        message: String,
        actor: &Actor,
    ) -> Result<Transaction, RequestError> {
        self.with_event(transaction, kind, message, EventTag::Cluster, Some(&actor.username))
    }
}

fn spaced(tags: &BTreeSet<ImageReference>) -> String {
    tags.iter().map(ImageReference::as_str).collect::<Vec<_>>().join(" ")
}

/// Where somebody's own names of images stand: an engine takes lower-case letters only.
fn namespace(username: &Username) -> String {
    username.as_str().to_ascii_lowercase()
}

/// If a name stands in somebody's own namespace. All others mean the same to everybody on the pool: who could give
/// `mysql:9` to an image of their own would run their code in the apps of others.
fn is_own(name: &ImageReference, username: &Username) -> bool {
    name.registry().is_none() && name.as_str().split_once('/').is_some_and(|(first, _)| first == namespace(username))
}

fn not_found(name: &str) -> RequestError {
    RequestError::NotFound { what: "uploaded image", id: name.chars().take(128).collect(), replaced_by: None }
}

impl From<ArchiveError> for RequestError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}
