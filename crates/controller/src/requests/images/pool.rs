//! What images there are: those that were sent in, and what the hosts themselves list.

use super::not_found;
use crate::Controller;
use crate::requests::RequestError;
use futures_util::future::join_all;
use pierhead_engine::LocalImage;
use pierhead_model::{EngineId, HealthStatus, ImageArchive, ImageReference};
use pierhead_planner::EngineState;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a host may take to list its images.
const LIST_LIMIT: Duration = Duration::from_secs(3);
/// The fewest digits that stand for an id.
const FEWEST_DIGITS: usize = 6;

/// An image of the pool: sent in, on hosts, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolImage {
    /// Its id.
    pub id: String,
    /// Its names, on any host or in its archive.
    pub tags: BTreeSet<String>,
    /// Its size on a host, or that of its archive if no host has it, in bytes.
    pub size_bytes: u64,
    /// Its archive.
    pub archive: Option<ImageArchive>,
    /// The hosts that have it.
    pub engines: Vec<EngineId>,
}

/// All images of the pool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoolImages {
    /// The images: those that were sent in first, the newest first.
    pub images: Vec<PoolImage>,
    /// Hosts that did not tell what they have.
    pub silent: Vec<EngineId>,
}

impl Controller {
    /// Every image of the pool.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pool_images(&self) -> Result<PoolImages, RequestError> {
        let (listed, silent) = self.images_of_hosts().await;
        let mut archives = self.images.records().await?;
        archives.sort_by_key(|archive| std::cmp::Reverse(archive.uploaded_at));
        let mut images: Vec<PoolImage> = archives.into_iter().map(sent_in).collect();
        let mut places: BTreeMap<String, usize> =
            images.iter().enumerate().map(|(at, image)| (image.id.clone(), at)).collect();
        for (engine, local) in listed {
            for local in local {
                let at = *places.entry(local.id.clone()).or_insert(images.len());
                if at == images.len() {
                    images.push(on_hosts(&local));
                }
                let image = &mut images[at];
                if image.engines.is_empty() {
                    image.size_bytes = local.size_bytes;
                }
                image.tags.extend(local.tags);
                image.engines.push(engine.clone());
            }
        }
        Ok(PoolImages { images, silent })
    }

    /// One image of the pool, by a name of it, its id, or the begin of its digits.
    ///
    /// # Errors
    /// If there is none, or several.
    pub async fn pool_image(&self, name: &str) -> Result<(PoolImage, Vec<EngineId>), RequestError> {
        let PoolImages { images, silent } = self.pool_images().await?;
        let tag = ImageReference::parse(name).map(String::from).unwrap_or_default();
        if let Some(image) = images.iter().find(|image| has_tag(image, &tag)) {
            return Ok((image.clone(), silent));
        }
        let mut found = images.into_iter().filter(|image| begins(&image.id, name));
        match (found.next(), found.next()) {
            (Some(image), None) => Ok((image, silent)),
            (None, _) => Err(not_found(name)),
            _ => {
                Err(RequestError::Invalid { field: "id", expected: "more digits: several images begin so".to_owned() })
            }
        }
    }

    /// What all usable hosts have, asked at once, and those that do not tell.
    async fn images_of_hosts(&self) -> (Vec<(EngineId, Vec<LocalImage>)>, Vec<EngineId>) {
        let hosts: Vec<(EngineId, bool)> = {
            let known = self.known();
            known.world.engines().iter().map(|(id, state)| (id.clone(), refusal(state).is_none())).collect()
        };
        let asked = hosts.into_iter().map(|(id, is_reachable)| async move {
            let link = if is_reachable { self.engines.link(&id) } else { None };
            let listed = match link {
                Some(link) => tokio::time::timeout(LIST_LIMIT, link.engine.images()).await.ok().and_then(Result::ok),
                None => None,
            };
            (id, listed)
        });
        let (mut told, mut silent) = (Vec::new(), Vec::new());
        for (id, listed) in join_all(asked).await {
            match listed {
                Some(images) => told.push((id, images)),
                None => silent.push(id),
            }
        }
        (told, silent)
    }
}

fn sent_in(archive: ImageArchive) -> PoolImage {
    PoolImage {
        id: archive.id.to_string(),
        tags: archive.tags.iter().map(ImageReference::to_string).collect(),
        size_bytes: archive.size_bytes,
        archive: Some(archive),
        engines: Vec::new(),
    }
}

fn on_hosts(local: &LocalImage) -> PoolImage {
    PoolImage { id: local.id.clone(), tags: BTreeSet::new(), size_bytes: 0, archive: None, engines: Vec::new() }
}

/// A name is first of all the one in the pool; hosts may still have an older image of it.
fn has_tag(image: &PoolImage, tag: &str) -> bool {
    match &image.archive {
        Some(archive) => archive.tags.iter().any(|own| own.as_str() == tag),
        None => image.tags.contains(tag),
    }
}

pub(super) fn begins(id: &str, name: &str) -> bool {
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    digits.len() >= FEWEST_DIGITS && id.strip_prefix("sha256:").is_some_and(|id| id.starts_with(digits))
}

/// Why a host can't be reached now.
pub(super) fn refusal(state: &EngineState) -> Option<String> {
    let health = &state.health;
    match health.status {
        HealthStatus::Healthy => None,
        status => Some(format!("it is {}: {}", status.as_str(), health.reason).trim_end_matches(": ").to_owned()),
    }
}
