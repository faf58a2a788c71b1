//! Brings an archive that was sent in to one host, unless its image is there already.

use super::Images;
use crate::engines::{Engines, Link};
use pierhead_engine::{EngineError, Progress, Result};
use pierhead_model::{ImageArchive, ImageReference};

/// Storage drivers of engines that give images ids of their own in place of the digest of the configuration.
const OWN_IDS: [&str; 3] = ["overlayfs", "native", "stargz"];

impl Images {
    /// Makes sure that a host has an archive's image under a name. Those who need it there at the same time share one
    /// load.
    pub(crate) async fn supply(
        &self,
        engines: &Engines,
        link: &Link,
        image: &ImageReference,
        archive: &ImageArchive,
        progress: Progress,
    ) -> Result<()> {
        if let Some(found) = link.engine.image(image).await?
            && (found == archive.id.as_str() || link.loaded_as(&archive.id).as_ref() == Some(&found))
        {
            return Ok(());
        }
        tracing::info!(engine = %link.id(), %image, id = %archive.id, "the host gets an uploaded image");
        link.engine.load(&self.archive(archive), progress).await?;
        let gives_own_ids = engines.storage_driver(link).is_some_and(|driver| OWN_IDS.contains(&driver.as_str()));
        match link.engine.image(image).await? {
            Some(found) if found == archive.id.as_str() => Ok(()),
            Some(found) if gives_own_ids => {
                link.set_loaded(&archive.id, found);
                Ok(())
            }
            Some(found) => Err(EngineError::Failed(format!(
                "after the archive of {} was loaded, the host has {found} as {image}",
                archive.id
            ))),
            None => Err(EngineError::NoImage(format!("{image} is not there after its archive was loaded"))),
        }
    }
}
