//! Brings an archive that was sent in to one host, unless its image is there already: only the layers that are missing
//! there, and all of it if that is refused.

use super::copies::gives_own_ids;
use super::inspect::{Inspected, inspect};
use super::{Images, sources};
use crate::engines::{Engines, Link};
use pierhead_engine::{Archive, EngineError, LeaveOut, Progress, Result, shared};
use pierhead_model::{ImageArchive, ImageReference};
use std::fs::File;

impl Images {
    /// Makes sure that a host has an archive's image under a name. Those who need it there at the same time share one
    /// load.
    pub(crate) async fn supply(
        &self,
        engines: &Engines,
        link: &Link,
        image: &ImageReference,
        record: &ImageArchive,
        progress: Progress,
    ) -> Result<()> {
        if has(link, image, record).await? {
            return Ok(());
        }
        let has_own_ids = gives_own_ids(engines, link);
        let whole = self.archive(record);
        let less = if has_own_ids { None } else { self.missing(link, record, &whole).await };
        // Others may have brought it while its layers were compared.
        if has(link, image, record).await? {
            return Ok(());
        }
        let bytes = less.as_ref().unwrap_or(&whole).size();
        tracing::info!(engine = %link.id(), %image, id = %record.id, bytes, "the host gets an uploaded image");
        let loaded = match &less {
            Some(less) => link.engine.load(less, progress.clone()).await,
            None => link.engine.load(&whole, progress.clone()).await,
        };
        match loaded {
            Err(EngineError::Failed(why) | EngineError::Refused(why)) if less.is_some() => {
                tracing::warn!(engine = %link.id(), %image, why, "the missing layers alone were refused");
                link.engine.load(&whole, progress).await?;
            }
            other => other?,
        }
        match link.engine.image(image).await? {
            Some(found) if found == record.id.as_str() => Ok(()),
            Some(found) if has_own_ids => {
                link.images.set_loaded(&record.id, found);
                Ok(())
            }
            Some(found) => Err(EngineError::Failed(format!(
                "after the archive of {} was loaded, the host has {found} as {image}",
                record.id
            ))),
            None => Err(EngineError::NoImage(format!("{image} is not there after its archive was loaded"))),
        }
    }

    /// The archive without the layers that a host has; `None` if it has none of them.
    async fn missing(&self, link: &Link, record: &ImageArchive, whole: &Archive) -> Option<Archive> {
        let path = self.file(&record.file);
        let read = tokio::task::spawn_blocking(move || inspect(&mut File::open(path).ok()?).ok());
        let Inspected { diff_ids, layer_bytes, .. } = read.await.ok().flatten()?;
        let there = sources::layers_on(link).await;
        let leave_out = LeaveOut::lowest(&diff_ids, shared(&diff_ids, there.iter().map(AsRef::as_ref)));
        if leave_out.is_empty() {
            return None;
        }
        let gone = layer_bytes.iter().enumerate().filter(|(at, _)| leave_out.leaves_out(*at));
        let bytes = gone.map(|(_, bytes)| bytes).sum();
        Some(whole.clone().without(leave_out.named(&record.layers), bytes))
    }
}

/// Whether a host has an archive's image under a name.
async fn has(link: &Link, image: &ImageReference, record: &ImageArchive) -> Result<bool> {
    let found = link.engine.image(image).await?;
    Ok(found
        .is_some_and(|found| found == record.id.as_str() || link.images.loaded_as(&record.id).as_ref() == Some(&found)))
}
