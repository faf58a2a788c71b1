//! Requests about image archives: send one in, spread it. What there is and where, and how archives go, is next door.

mod pool;
mod removal;

pub use pool::{PoolImage, PoolImages};

use super::{Actor, RequestError};
use crate::images::{ArchiveError, Destination, Received, Spread, TagRecord, Upload};
use crate::{Controller, keys};
use pierhead_model::{EngineId, EventTag, ImageArchive, ImageId, ImageReference, OwnImage, Username};
use pierhead_planner::EngineState;
use pierhead_store::{Error, Revision, StoreJson, Transaction};
use pool::{begins, refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an upload changes.
struct Uploaded {
    transaction: Transaction,
    record: ImageArchive,
    is_new: bool,
    /// What lost its last name, and goes with its file.
    gone: Vec<ImageArchive>,
}

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
        check_names(actor, &received.inspected.tags)?;
        let kept = self.keep_upload(actor, &received).await;
        if kept.is_err() {
            // A disk that is full needs the room now, not at the next start.
            self.images.drop_unknown(&received).await;
        }
        kept
    }

    async fn keep_upload(&self, actor: &Actor, received: &Received) -> Result<(ImageArchive, bool), RequestError> {
        let is_remote = self.images.is_remote();
        if is_remote {
            // It may take minutes, in which nobody else is held up.
            let Uploaded { record, .. } = self.upload_transaction(actor, received).await?;
            self.keep_blob(&record, received).await?;
        }
        let _changing = self.images.changes.lock().await;
        let mut is_kept = false;
        loop {
            let Uploaded { transaction, record, is_new, gone } = self.upload_transaction(actor, received).await?;
            // A file without a record goes at the next start; a record without a file would be a lie.
            if is_remote || !is_kept {
                self.keep_blob(&record, received).await?;
                is_kept = true;
            }
            match self.store.commit(transaction).await {
                Ok(_) => {
                    for loser in &gone {
                        self.images.remove_blob(loser).await;
                    }
                    return Ok((record, is_new));
                }
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Puts what came where it stays, unless the record means another file, or it is there.
    async fn keep_blob(&self, record: &ImageArchive, received: &Received) -> Result<(), RequestError> {
        if record.file == received.digest.as_str() && !self.is_there(record).await? {
            self.images.keep(received).await?;
        }
        Ok(())
    }

    /// The change that an upload makes: the image's record, its names, those that others lose, and those that go with
    /// their last name.
    async fn upload_transaction(&self, actor: &Actor, received: &Received) -> Result<Uploaded, RequestError> {
        let (inspected, key) = (&received.inspected, keys::image(&received.inspected.id));
        let found = self.store.get_json::<ImageArchive>(&key).await?;
        let revision = found.as_ref().map_or(Revision::ZERO, |(_, revision)| *revision);
        let known = found.map(|(record, _)| record);
        let is_new = known.is_none();
        let mut record = match known {
            Some(record) if self.is_there(&record).await? => record,
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
        let (transaction, gone) = self.without_names(transaction, losers, &inspected.tags).await?;
        let transaction = transaction.put_json(key, &record)?;
        let message = format!("id={}, tags={}, bytes={}", record.id, spaced(&inspected.tags), received.size);
        let transaction = self.with_image_event(transaction, "upload-image", message, Some(actor))?;
        Ok(Uploaded { transaction, record, is_new, gone })
    }

    /// Takes names from the images that had them. What has none left goes, unless an app names it by its id.
    async fn without_names(
        &self,
        mut transaction: Transaction,
        losers: BTreeMap<ImageId, (ImageArchive, Revision)>,
        names: &BTreeSet<ImageReference>,
    ) -> Result<(Transaction, Vec<ImageArchive>), RequestError> {
        let mut gone = Vec::new();
        for (id, (mut loser, revision)) in losers {
            let key = keys::image(&id);
            loser.tags.retain(|tag| !names.contains(tag));
            transaction = transaction.unchanged(key.clone(), revision);
            if loser.tags.is_empty() && !self.images_named_by_id().await?.contains(&id) {
                transaction = transaction.delete(key);
                gone.push(loser);
            } else {
                transaction = transaction.put_json(key, &loser)?;
            }
        }
        Ok((transaction, gone))
    }

    /// The record of what came; the names and the owner of a former one whose file was lost stay.
    fn image_record(&self, actor: &Actor, received: &Received, former: Option<ImageArchive>) -> ImageArchive {
        let inspected = &received.inspected;
        let (tags, owner) = former
            .map_or_else(|| (BTreeSet::new(), actor.username.clone()), |former| (former.tags, former.uploaded_by));
        ImageArchive {
            id: inspected.id.clone(),
            tags,
            file: received.digest.to_string(),
            entries_bytes: inspected.entries_bytes,
            size_bytes: received.size,
            config: inspected.config.clone(),
            layers: inspected.layers.clone(),
            diff_ids: inspected.diff_ids.clone(),
            layer_bytes: inspected.layer_bytes.clone(),
            uploaded_at: self.clock.now(),
            uploaded_by: owner,
        }
    }

    /// An archive that was sent in, by a name of it, its id, or the begin of its digits.
    async fn archive_named(&self, name: &str) -> Result<ImageArchive, RequestError> {
        if let Some((_, held, _)) = self.tag_named(name).await? {
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

    async fn is_there(&self, record: &ImageArchive) -> Result<bool, RequestError> {
        self.images.is_there(record).await.map_err(|error| ArchiveError::from(error).into())
    }

    /// Brings an archive to hosts: to these, or to all that can be used.
    ///
    /// # Errors
    /// If there is no such archive or host.
    pub async fn spread_image(&self, actor: &Actor, name: &str, engines: &[String]) -> Result<Spread, RequestError> {
        let archive = self.archive_named(name).await?;
        if !self.is_there(&archive).await? {
            let expected = "one whose file is there; upload it again".to_owned();
            return Err(RequestError::Invalid { field: "id", expected });
        }
        let hosts = self.hosts_to_reach(engines)?;
        let names: Vec<&str> = hosts.iter().map(|host| host.engine.as_str()).collect();
        let message = format!("id={}, engines={}", archive.id, names.join(" "));
        let transaction = self.with_image_event(Transaction::new(), "spread-image", message, Some(actor))?;
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
        actor: Option<&Actor>,
    ) -> Result<Transaction, RequestError> {
        self.with_event(transaction, kind, message, EventTag::Cluster, actor.map(|actor| &actor.username))
    }
}

fn spaced(tags: &BTreeSet<ImageReference>) -> String {
    tags.iter().map(ImageReference::as_str).collect::<Vec<_>>().join(" ")
}

/// Refuses names that are not one's own. All others mean the same to everybody on the pool: who could give `mysql:9` to
/// an image of their own would run their code in the apps of others.
fn check_names(actor: &Actor, names: &BTreeSet<ImageReference>) -> Result<(), RequestError> {
    if let Some(name) = names.iter().find(|name| OwnImage::named(name).is_some()) {
        return Err(RequestError::Forbidden(format!("the name {name} is Pierhead's own; nobody gives it to an image")));
    }
    let space = namespace(&actor.username);
    let is_own = |name: &ImageReference| name.as_str().split_once('/').is_some_and(|(first, _)| Some(first) == space);
    let Some(name) = names.iter().find(|name| !actor.may_change_all && !is_own(name)) else { return Ok(()) };
    Err(RequestError::Forbidden(match space {
        Some(space) => format!(
            "the name {name} is the pool's, and yours begin with {space}/; tag it so, or ask an administrator to send it"
        ),
        None => format!(
            "the name {name} is the pool's, and your account has no names of its own: {} is not in lower case, or means \
             something else in names of images; ask an administrator to send it",
            actor.username
        ),
    }))
}

/// Where somebody's own names of images stand. Names of images are in lower case: `Clare` would share those of `clare`.
/// To engines `library/web` is `web`, and what has a dot or is `localhost` is a registry; `pierhead` is where the pool's own are.
fn namespace(username: &Username) -> Option<&str> {
    let name = username.as_str();
    let is_taken = ["library", "localhost", OwnImage::NAMESPACE].contains(&name);
    (!is_taken && !name.contains('.') && !name.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(name)
}

fn not_found(name: &str) -> RequestError {
    RequestError::NotFound { what: "uploaded image", id: name.chars().take(128).collect(), replaced_by: None }
}

impl From<ArchiveError> for RequestError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_name_of_an_image_is() {
        let may = |username: &str, may_change_all, name: &str| {
            let username = Username::parse(username).unwrap();
            let actor = Actor { username, may_change_all, may_run_privileged: false };
            check_names(&actor, &[ImageReference::parse(name).unwrap()].into())
        };
        for (username, name, is_own) in [
            ("clare", "clare/shop:1", true),
            ("clare", "clare/team/shop", true),
            ("clare", "shop:1", false),
            ("clare", "clare:1", false),
            ("clare", "clareb/shop:1", false),
            ("clare", "docker.io/clare/shop:1", false),
            ("clare", "docker.io/library/web:1", false),
            ("clare", "library/web:1", false),
            ("Clare", "clare/shop:1", false),
            ("library", "library/web:1", false),
            ("Library", "library/web:1", false),
            ("localhost", "localhost/web:1", false),
            ("docker.io", "docker.io/web:1", false),
            ("c.b", "c.b/web:1", false),
            ("pierhead", "pierhead/sample:1", false),
            ("c_b-2", "c_b-2/web:1", true),
        ] {
            let answer = may(username, false, name);
            assert_eq!(answer.is_ok(), is_own, "{username}: {name}: {answer:?}");
            assert!(may(username, true, name).is_ok(), "who may change everything: {name}");
            let no_space = answer.is_err() && username != "clare";
            let told = answer.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(
                told.contains("ask an administrator") && told.contains("no names of its own"),
                no_space,
                "{told}"
            );
        }
    }

    #[test]
    fn names_of_the_pools_own_are_nobodys() {
        for (username, may_change_all) in [("pierhead", false), ("clare", false), ("clare", true)] {
            let actor = Actor {
                username: Username::parse(username).unwrap(),
                may_change_all,
                may_run_privileged: may_change_all,
            };
            for name in ["pierhead/environment:0f", "docker.io/pierhead/save:abcdefgh23-1-main", "pierhead/saving:1"] {
                let names = ["mine:1", name].map(|name| ImageReference::parse(name).unwrap());
                let answer = check_names(&actor, &names.into());
                assert!(matches!(answer, Err(RequestError::Forbidden(_))), "{username} {name}: {answer:?}");
            }
        }
    }
}
