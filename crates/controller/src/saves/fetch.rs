//! Brings to a host what a workspace begins from: the images of a save, or those of an environment without the volumes
//! that they declare, so that all of a container's files lie where a save finds them.

use crate::engines::Link;
use crate::execute::Executor;
use crate::images::{Copied, copy, is_that};
use pierhead_engine::EngineError;
use pierhead_model::{ImageReference, MemberName, Save, SaveId, SavedFiles};
use std::collections::BTreeMap;

impl Executor {
    /// Makes sure that a host has the images of a save; tells which is whose.
    pub(crate) async fn fetch_save(
        &self,
        link: &Link,
        save: &SaveId,
        names: &[MemberName],
    ) -> Result<BTreeMap<MemberName, ImageReference>, EngineError> {
        let found = self.saves.find(save).await.map_err(|error| EngineError::Failed(error.failure().message))?;
        let found = found.map(|(found, _)| found).filter(Save::is_usable);
        let found = found.ok_or_else(|| EngineError::NoImage(format!("there is no save {save}")))?;
        let mut images = BTreeMap::new();
        for name in names {
            let files = found.files(name);
            let files =
                files.ok_or_else(|| EngineError::NoImage(format!("the save {save} has no container {name}")))?;
            match self.bring(link, &found, files).await? {
                Copied::Done(0) => {}
                Copied::Done(bytes) => tracing::info!(%save, to = %link.id(), bytes, "a save came to a host"),
                Copied::NotGiven(why) => return Err(EngineError::NoImage(why)),
                Copied::NobodyHasIt => {
                    let hosts: Vec<&str> = found.copies.iter().map(|host| host.as_str()).collect();
                    let hosts = hosts.join(", ");
                    let why = format!("no host that answers has the save {save}; it was left on {hosts}");
                    return Err(EngineError::NoImage(why));
                }
            }
            images.insert(name.clone(), files.image.clone());
        }
        Ok(images)
    }

    /// Brings the image of one container of a save to a host: that very image. What an attempt that failed left there under
    /// its name goes before. If no host can give it, it comes from the registry.
    pub(super) async fn bring(&self, link: &Link, save: &Save, files: &SavedFiles) -> Result<Copied, EngineError> {
        let there = link.engine.image(&files.image).await?;
        if there.is_some_and(|found| !is_that(&self.engines, link, &found, &files.image_id))
            && let Err(error) = self.leading(link.engine.remove_image(&files.image)).await
        {
            tracing::debug!(engine = %link.id(), image = %files.image, %error, "an older image only loses its name");
        }
        match copy(&self.engines, link, &files.image, Some(&files.image_id)).await? {
            Copied::NobodyHasIt => self.received(link, save, files).await,
            Copied::NotGiven(why) => match self.received(link, save, files).await? {
                Copied::NobodyHasIt => Ok(Copied::NotGiven(why)),
                Copied::NotGiven(nor) => {
                    Ok(Copied::NotGiven(format!("{why}; nor does it come from the registry: {nor}")))
                }
                done @ Copied::Done(_) => Ok(done),
            },
            done @ Copied::Done(_) => Ok(done),
        }
    }

    /// Makes sure that a host has an environment's image in the form that workspaces begin as, and gives its name: the
    /// same image without declared volumes. The name tells the image's id, so it never means another.
    pub(crate) async fn environment_image(
        &self,
        link: &Link,
        image: &ImageReference,
    ) -> Result<ImageReference, EngineError> {
        self.pull_missing(link, std::slice::from_ref(image)).await?;
        let id = link.engine.image(image).await?.ok_or_else(|| EngineError::NoImage(image.to_string()))?;
        let name = ImageReference::parse(&Save::environment_image(&id))
            .map_err(|error| EngineError::Failed(error.to_string()))?;
        if link.engine.image(&name).await?.is_none() {
            self.leading(link.engine.without_volumes(image, &name)).await?;
        }
        Ok(name)
    }
}
