//! How names of images and archives go: asked for, or because nobody needs them any more.

use super::{not_found, spaced};
use crate::images::TagRecord;
use crate::requests::{Actor, RequestError};
use crate::{Controller, keys};
use pierhead_model::{App, ImageArchive, ImageId, ImageReference};
use pierhead_store::{Error, Revision, StoreJson, Transaction};
use std::collections::BTreeSet;

/// A change that takes names or a whole archive away.
struct Removal {
    transaction: Transaction,
    message: String,
    /// What goes with its file.
    gone: Option<ImageArchive>,
}

impl Controller {
    /// Takes a name from the image that has it, and the archive goes with its last name; or, by its id, deletes an
    /// archive with all its names. What hosts have of it stays there.
    ///
    /// # Errors
    /// If there is none, or a name that would go is somebody else's.
    pub async fn delete_image(&self, actor: &Actor, name: &str) -> Result<(), RequestError> {
        let _changing = self.images.changes.lock().await;
        loop {
            let removal = match self.tag_named(name).await? {
                Some((tag, held, revision)) => self.without_name(actor, tag, &held, revision).await?,
                None => self.without_archive(actor, name).await?,
            };
            let Removal { transaction, message, gone } = removal;
            let transaction = self.with_image_event(transaction, "delete-image", message, Some(actor))?;
            match self.store.commit(transaction).await {
                Ok(_) => {
                    if let Some(record) = &gone {
                        self.images.remove_blob(record).await;
                    }
                    return Ok(());
                }
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A name that was sent in.
    pub(super) async fn tag_named(
        &self,
        name: &str,
    ) -> Result<Option<(ImageReference, TagRecord, Revision)>, RequestError> {
        let Ok(tag) = ImageReference::parse(name) else { return Ok(None) };
        let found = self.store.get_json::<TagRecord>(&keys::image_tag(&tag)).await?;
        Ok(found.map(|(held, revision)| (tag, held, revision)))
    }

    async fn without_name(
        &self,
        actor: &Actor,
        tag: ImageReference,
        held: &TagRecord,
        revision: Revision,
    ) -> Result<Removal, RequestError> {
        if held.owner != actor.username && !actor.may_change_all {
            let owner = &held.owner;
            let reason = format!("the name {tag} was uploaded by {owner}; only they or an administrator may delete it");
            return Err(RequestError::Forbidden(reason));
        }
        let (key, tag_key) = (keys::image(&held.image), keys::image_tag(&tag));
        let found = self.store.get_json::<ImageArchive>(&key).await?;
        let (mut record, of_record) = found.ok_or_else(|| not_found(tag.as_str()))?;
        record.tags.remove(&tag);
        let transaction = Transaction::new().unchanged(tag_key.clone(), revision).delete(tag_key);
        let transaction = transaction.unchanged(key.clone(), of_record);
        let is_last = record.tags.is_empty();
        let transaction = if is_last { transaction.delete(key) } else { transaction.put_json(key, &record)? };
        let rest = if is_last { "archive=deleted".to_owned() } else { format!("left={}", spaced(&record.tags)) };
        let message = format!("id={}, tags={tag}, {rest}", record.id);
        Ok(Removal { transaction, message, gone: is_last.then_some(record) })
    }

    async fn without_archive(&self, actor: &Actor, id: &str) -> Result<Removal, RequestError> {
        let record = self.archive_named(id).await?;
        let key = keys::image(&record.id);
        // Every change of a name rewrites this record too.
        let found = self.store.get_json::<ImageArchive>(&key).await?;
        let (record, revision) = found.ok_or_else(|| not_found(id))?;
        let mut transaction = Transaction::new().unchanged(key.clone(), revision).delete(key);
        let mut others = Vec::new();
        for tag in &record.tags {
            let tag_key = keys::image_tag(tag);
            if let Some((held, _)) = self.store.get_json::<TagRecord>(&tag_key).await?
                && held.owner != actor.username
            {
                others.push(format!("{tag} ({})", held.owner));
            }
            transaction = transaction.delete(tag_key);
        }
        if record.tags.is_empty() && record.uploaded_by != actor.username {
            others.push(format!("the archive itself ({})", record.uploaded_by));
        }
        if !others.is_empty() && !actor.may_change_all {
            let others = others.join(", ");
            return Err(RequestError::Forbidden(format!(
                "{others} would go too and may be deleted only by who uploaded it, or by an administrator; delete your \
                 own by name"
            )));
        }
        let message = format!("id={}, tags={}, archive=deleted", record.id, spaced(&record.tags));
        Ok(Removal { transaction, message, gone: Some(record) })
    }

    /// The images that apps name by their ids: they need no name to be kept.
    pub(super) async fn images_named_by_id(&self) -> Result<BTreeSet<ImageId>, RequestError> {
        let mut named = BTreeSet::new();
        for entry in self.store.list_all(keys::APPS).await?.entries {
            let app: App = entry.json()?;
            let former = app.former.iter().flat_map(|former| &former.members);
            let images = app.members.iter().chain(former).map(|member| member.spec.image.as_str());
            named.extend(images.filter_map(|image| ImageId::parse(image).ok()));
        }
        Ok(named)
    }

    /// Removes archives that have lost their last name and that no app names by its id.
    pub(crate) async fn sweep_images(&self) -> Result<(), RequestError> {
        let _changing = self.images.changes.lock().await;
        let nameless = self.images.records().await?.into_iter().filter(|record| record.tags.is_empty());
        let nameless: Vec<ImageArchive> = nameless.collect();
        if nameless.is_empty() {
            return Ok(());
        }
        let named = self.images_named_by_id().await?;
        for record in nameless.into_iter().filter(|record| !named.contains(&record.id)) {
            let key = keys::image(&record.id);
            let Some((found, revision)) = self.store.get_json::<ImageArchive>(&key).await? else { continue };
            if !found.tags.is_empty() {
                continue;
            }
            let transaction = Transaction::new().unchanged(key.clone(), revision).delete(key);
            let message = format!("id={}, archive=deleted, it had no name left", record.id);
            let transaction = self.with_image_event(transaction, "delete-image", message, None)?;
            match self.store.commit(transaction).await {
                Ok(_) => self.images.remove_blob(&record).await,
                // It has got a name; what has none is looked at again next time.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
