//! Brings an archive that was sent in to one host, unless its image is there already: only the layers that are missing
//! there, and all of it if that is refused.

use super::copies::gives_own_ids;
use super::{Images, sources};
use crate::engines::{Engines, Link};
use pierhead_blobs::Digest;
use pierhead_engine::{Archive, EngineError, LeaveOut, Progress, Result, shared};
use pierhead_model::{ImageArchive, ImageReference};

/// What came of a wish for an archive's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Supplied {
    /// The host has it.
    There,
    /// Neither has the host it, nor is there a file any more.
    FileGone,
}

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
    ) -> Result<Supplied> {
        // A host that has it needs no file, and no place of files that answers.
        if has(link, image, record).await? {
            return Ok(Supplied::There);
        }
        let Some(digest) = Digest::parse(&record.file) else { return Ok(Supplied::FileGone) };
        if !self.blobs.has(&digest).await.map_err(|error| EngineError::Failed(error.to_string()))? {
            return Ok(Supplied::FileGone);
        }
        let has_own_ids = gives_own_ids(engines, link);
        let whole = self.archive(record, &digest);
        let less = if has_own_ids { None } else { self.missing(link, record, &digest).await };
        // Others may have brought it while its layers were compared.
        if has(link, image, record).await? {
            return Ok(Supplied::There);
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
            Some(found) if found == record.id.as_str() => Ok(Supplied::There),
            Some(found) if has_own_ids => {
                link.images.set_loaded(&record.id, found);
                Ok(Supplied::There)
            }
            Some(found) => Err(EngineError::Failed(format!(
                "after the archive of {} was loaded, the host has {found} as {image}",
                record.id
            ))),
            None => Err(EngineError::NoImage(format!("{image} is not there after its archive was loaded"))),
        }
    }

    /// The archive without the layers that a host has; `None` if it has none of them.
    async fn missing(&self, link: &Link, record: &ImageArchive, digest: &Digest) -> Option<Archive> {
        let ImageArchive { diff_ids, layer_bytes, .. } = record;
        if diff_ids.is_empty() || diff_ids.len() != layer_bytes.len() {
            return None;
        }
        let there = sources::layers_on(link).await;
        let leave_out = LeaveOut::lowest(diff_ids, shared(diff_ids, there.iter().map(AsRef::as_ref)));
        if leave_out.is_empty() {
            return None;
        }
        let gone = layer_bytes.iter().enumerate().filter(|(at, _)| leave_out.leaves_out(*at));
        let bytes = gone.map(|(_, bytes)| bytes).sum();
        // Of its own: what comes can be had once.
        Some(self.archive(record, digest).without(leave_out.named(&record.layers), bytes))
    }
}

/// Whether a host has an archive's image under a name.
async fn has(link: &Link, image: &ImageReference, record: &ImageArchive) -> Result<bool> {
    let found = link.engine.image(image).await?;
    Ok(found
        .is_some_and(|found| found == record.id.as_str() || link.images.loaded_as(&record.id).as_ref() == Some(&found)))
}
