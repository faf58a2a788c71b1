//! Requests about saves: look at them, compare them, let them go, make an environment of one. They belong to whom their
//! workspace belonged to.

use super::environments::may_open;
use super::{Actor, Idempotency, RequestError, events};
use crate::saves::SaveError;
use crate::{Controller, keys};
use pierhead_engine::merge::Changes;
use pierhead_engine::{Compare, EngineError};
use pierhead_model::{
    EnvironmentId, EnvironmentSpec, EventTag, ImageReference, MemberName, OwnImage, Save, SaveId, Visibility,
};
use pierhead_store::{Revision, Transaction};
use std::collections::BTreeMap;

/// A save as it was read.
pub(super) type ReadSave = (Save, Revision);

/// How one container of a save differs from another.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveChanges {
    /// The container's name.
    pub container: MemberName,
    /// What is another.
    pub changes: Changes,
}

impl Controller {
    /// Whether saves are sent to a registry.
    #[must_use]
    pub fn sends_saves(&self) -> bool {
        self.options.save_registry.is_some()
    }

    /// The saves that somebody may begin from, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn saves_of(&self, actor: &Actor) -> Result<Vec<Save>, RequestError> {
        let mut theirs = self.saves.all().await.map_err(refused)?;
        theirs.retain(|save| is_theirs(actor, save));
        theirs.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        Ok(theirs)
    }

    /// One of them.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub async fn save(&self, actor: &Actor, id: &str) -> Result<Save, RequestError> {
        self.read_save(actor, id).await.map(|(save, _)| save)
    }

    async fn read_save(&self, actor: &Actor, id: &str) -> Result<ReadSave, RequestError> {
        let parsed = SaveId::parse(id).map_err(|_| missing(id))?;
        let found = self.saves.find(&parsed).await.map_err(refused)?;
        found.filter(|(save, _)| is_theirs(actor, save)).ok_or_else(|| missing(id))
    }

    /// A save that somebody may begin from.
    pub(super) async fn save_for(&self, actor: &Actor, id: &SaveId) -> Result<ReadSave, RequestError> {
        let (save, revision) = self.read_save(actor, id.as_str()).await?;
        Ok((usable(save, "save")?, revision))
    }

    /// Forgets a save; its images go from the hosts soon after.
    ///
    /// # Errors
    /// If there is none as far as they may know, or something begins from it.
    pub async fn delete_save(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let save = self.save(actor, id).await?;
        let message = format!("save={}, name={}", save.id, save.name);
        let event =
            self.event("delete-save", message, EventTag::Cluster, Some(&actor.username), events::Subject::default());
        self.saves.let_go(&save.id, &event).await.map_err(refused)
    }

    /// How the files of a save differ from those that its environment began with, or from another save of theirs.
    ///
    /// # Errors
    /// If there is none as far as they may know, they compare already, or no host that answers has it or can do it now.
    pub async fn save_changes(
        &self,
        actor: &Actor,
        id: &str,
        earlier: Option<&str>,
    ) -> Result<Vec<SaveChanges>, RequestError> {
        let save = usable(self.save(actor, id).await?, "id")?;
        let earlier = match earlier {
            Some(earlier) => Some(usable(self.save(actor, earlier).await?, "since")?),
            None => None,
        };
        // All of an image is read for it, on a host that others need as well.
        let _one = self.measured.comparisons_of.open_below(&actor.username, 1).ok_or(RequestError::Comparing)?;
        let mut all = Vec::with_capacity(save.containers.len());
        for files in &save.containers {
            // A container that the earlier one lacks is compared with what it began as.
            let before = earlier.as_ref().and_then(|earlier| earlier.files(&files.name));
            let wanted = Compare {
                image: files.image.clone(),
                earlier: before.map(|before| before.image.clone()),
                base_layers: files.base_layers,
            };
            let hosts = save.copies.iter().filter(|host| {
                before.is_none() || earlier.as_ref().is_some_and(|earlier| earlier.copies.contains(*host))
            });
            let mut result = Err(RequestError::SaveAway { id: save.id.to_string() });
            for host in hosts {
                let Some(link) = self.engines.link(host).filter(|link| !self.engines.is_down(link)) else { continue };
                match link.engine.changes(&wanted).await {
                    Ok(changes) => {
                        result = Ok(changes);
                        break;
                    }
                    Err(error) => {
                        tracing::info!(engine = %host, %error, "a save could not be compared");
                        if matches!(error, EngineError::Busy(_)) {
                            result = Err(RequestError::SaveBusy { id: save.id.to_string() });
                        }
                    }
                }
            }
            all.push(SaveChanges { container: files.name.clone(), changes: result? });
        }
        Ok(all)
    }

    /// Makes an environment that begins as a save.
    ///
    /// # Errors
    /// If there is no such save as far as they may know, what it was described as is not known any more, or there is an
    /// environment of that name.
    pub async fn environment_of_save(
        &self,
        actor: &Actor,
        id: &str,
        name: &EnvironmentId,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let save = usable(self.save(actor, id).await?, "id")?;
        let mut spec = self.spec_of(actor, &save).await?;
        for container in &mut spec.containers {
            if let Some(files) = save.files(&container.name) {
                container.image = files.image.clone();
            }
        }
        self.add_environment(actor, name, Visibility::Private, &spec, asked).await
    }

    /// How the workspace of a save was described. Of a save that was made before that was kept: as the workspace is, if it
    /// was not described anew, or as the environment is, if the asker may open it.
    pub(super) async fn spec_of(&self, actor: &Actor, save: &Save) -> Result<EnvironmentSpec, RequestError> {
        if let Some(spec) = self.saves.spec(&save.id).await.map_err(refused)? {
            return Ok(spec);
        }
        let known = self.known();
        let former = known.world.workspaces().get(&save.workspace).filter(|former| former.version == save.version);
        let environment = known.world.environments().get(&save.environment);
        let environment = environment.filter(|environment| may_open(actor, environment));
        let spec = former.map(|former| &former.spec).or(environment.map(|environment| &environment.spec));
        let id = save.environment.to_string();
        spec.cloned().ok_or(RequestError::NotFound { what: "environment", id, replaced_by: None })
    }

    /// Refuses the image of a save that is not theirs: nobody begins from another's files by their name or their id. Tells
    /// the saves that they name.
    pub(super) async fn check_images(
        &self,
        actor: &Actor,
        images: &[&ImageReference],
    ) -> Result<Vec<ReadSave>, RequestError> {
        let mut named = BTreeMap::new();
        for image in images {
            match OwnImage::named(image) {
                Some(OwnImage::Internal) => {
                    let words = format!("{image} is Pierhead's own; nothing is made of it by its name");
                    return Err(RequestError::Forbidden(words));
                }
                Some(OwnImage::OfSave(Some(id))) => {
                    let read = self.read_save(actor, id.as_str()).await?;
                    named.insert(id, read);
                }
                Some(OwnImage::OfSave(None)) => return Err(missing(image.as_str())),
                None => self.check_id(actor, image).await?,
            }
        }
        Ok(named.into_values().collect())
    }

    /// Engines take an image's id, or the first of its digits, for a name.
    async fn check_id(&self, actor: &Actor, image: &ImageReference) -> Result<(), RequestError> {
        let normal = image.normal();
        if normal.repository() != "sha256" {
            return Ok(());
        }
        let all = self.saves.all().await.map_err(refused)?;
        let of_others = all.iter().filter(|save| !is_theirs(actor, save)).flat_map(|save| &save.containers);
        let is_of_others = of_others.into_iter().any(|files| files.image_id.starts_with(normal.as_str()));
        let id = image.as_str().chars().take(128).collect();
        if is_of_others { Err(RequestError::NotFound { what: "image", id, replaced_by: None }) } else { Ok(()) }
    }
}

/// The same, by which something begins from these saves: their records are written as they are, so that whoever deletes
/// one at the same moment is too late, or this is.
pub(super) fn touch<'a>(
    mut transaction: Transaction,
    saves: impl IntoIterator<Item = &'a ReadSave>,
) -> Result<Transaction, RequestError> {
    for (save, revision) in saves {
        let key = keys::save(&save.id);
        transaction = transaction.unchanged(key.clone(), *revision).put_json(key, save)?;
    }
    Ok(transaction)
}

fn is_theirs(actor: &Actor, save: &Save) -> bool {
    save.owner == actor.username || actor.may_change_all
}

fn usable(save: Save, field: &'static str) -> Result<Save, RequestError> {
    match save.is_usable() {
        true => Ok(save),
        false => Err(RequestError::Invalid { field, expected: "a save that is complete".to_owned() }),
    }
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "save", id: id.chars().take(64).collect(), replaced_by: None }
}

/// Why a save can't be had or let go.
pub(crate) fn refused(error: SaveError) -> RequestError {
    match error {
        SaveError::Store(error) => RequestError::Store(error),
        SaveError::Needed { id, by } => RequestError::SaveNeeded { id: id.to_string(), by },
        other => RequestError::Invalid { field: "save", expected: other.to_string() },
    }
}
