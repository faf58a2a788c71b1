//! What an image is made of, and the way of an image out of an engine.

use super::endpoint::Endpoint;
use super::{Docker, failure, raw};
use crate::Pieces;
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::layers::{ImageLayers, LeaveOut, sieve};
use bollard::errors::Error as ClientError;
use futures_util::stream::{StreamExt, TryStreamExt};
use pierhead_model::ImageReference;
use std::io;

impl Docker {
    pub(super) async fn layers_of(&self, image: &ImageReference) -> Result<Option<ImageLayers>> {
        let inspected = self.call(Verb::Layers, self.deadlines.image, |client| async move {
            client.inspect_image(image.as_str()).await
        });
        match inspected.await {
            Ok(found) => Ok(Some(ImageLayers {
                id: found.id.unwrap_or_default(),
                diff_ids: found.root_fs.and_then(|files| files.layers).unwrap_or_default(),
                size_bytes: bytes(found.size.unwrap_or(0)),
            })),
            Err(EngineError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn steps_of(&self, image: &ImageReference) -> Result<Vec<u64>> {
        let told = self.call(Verb::History, self.deadlines.image, |client| async move {
            client.image_history(image.as_str()).await
        });
        // The newest step comes first.
        Ok(told.await?.into_iter().rev().map(|step| bytes(step.size)).collect())
    }

    /// An agent leaves layers out by itself, so that they never travel; of any other engine all of them come here.
    pub(super) async fn save_without(&self, image: &ImageReference, leave_out: &LeaveOut) -> Result<Pieces> {
        if let (Endpoint::Dialled { dial, .. }, Some(chain)) = (&self.endpoint, leave_out.chain())
            && dial.is_agent()
        {
            let path = format!("/pierhead/images/{image}/archive?have={chain}");
            match self.archive_at(&path).await {
                // An agent of an older version does not know the request.
                Err(EngineError::Failed(why)) => tracing::debug!(%image, why, "the agent leaves no layers out"),
                other => return other.map(|pieces| sieve(pieces, LeaveOut::nothing())),
            }
        }
        self.within(Verb::Save, self.deadlines.image, self.wire.client()).await?;
        let pieces = self.archive_at(&format!("/v{}/images/{image}/get", self.wire.version())).await?;
        Ok(sieve(pieces, leave_out.clone()))
    }

    async fn archive_at(&self, path: &str) -> Result<Pieces> {
        let begin = async {
            let answer = raw::get(&self.endpoint, path).await.map_err(|error| failure::classify(Verb::Save, error))?;
            let broken = |error: ClientError| io::Error::other(failure::classify(Verb::Save, error));
            Ok(answer.into_bytes().map_err(broken).boxed())
        };
        self.within(Verb::Save, self.deadlines.save, begin).await
    }
}

fn bytes(told: i64) -> u64 {
    u64::try_from(told).unwrap_or(0)
}
