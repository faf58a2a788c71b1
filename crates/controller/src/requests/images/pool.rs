//! What images there are: those that were sent in, and what the hosts themselves list.

use super::not_found;
use crate::Controller;
use crate::requests::RequestError;
use futures_util::future::join_all;
use pierhead_engine::LocalImage;
use pierhead_model::{EngineId, HealthStatus, ImageArchive, ImageReference, OwnImage, Save, WorkspaceOwnership};
use pierhead_planner::EngineState;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a host may take to list its images.
const LIST_LIMIT: Duration = Duration::from_secs(3);
/// The fewest digits that stand for an id.
const FEWEST_DIGITS: usize = 6;

/// The labels of images that are made of workspaces, and may have lost their names.
const OWN_LABELS: [&str; 2] = [Save::LABEL, WorkspaceOwnership::WORKSPACE];

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
            for local in local.into_iter().filter_map(shown) {
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

/// What everybody may know of an image of a host: not those that Pierhead makes of workspaces, whose names tell of whom and
/// when, and whose ids are as good as names.
fn shown(mut local: LocalImage) -> Option<LocalImage> {
    let is_own = |tag: &String| ImageReference::parse(tag).is_ok_and(|tag| OwnImage::named(&tag).is_some());
    let is_of_workspace =
        local.tags.iter().any(is_own) || OWN_LABELS.iter().any(|label| local.labels.contains_key(*label));
    local.tags.retain(|tag| !is_own(tag));
    (!is_of_workspace || !local.tags.is_empty()).then_some(local)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_workspaces_are_in_no_list() {
        let tags_of = |tags: &[&str], label: Option<&str>| {
            let labels = label.map(|label| (label.to_owned(), "x".to_owned())).into_iter().collect();
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            shown(LocalImage { id: format!("sha256:{}", "0f".repeat(32)), tags, labels, size_bytes: 1 })
                .map(|it| it.tags)
        };
        let save = "pierhead/save:abcdefgh23-1-main";
        for (tags, label) in [
            (&[save][..], None),
            (&["pierhead/saving:abcdefgh23-1-main"], None),
            (&["pierhead/environment:0f0f"], None),
            (&[save], Some("pierhead.saved-by")),
            (&[], Some("pierhead.saved-by")),
            (&[], Some("pierhead.workspace")),
        ] {
            assert_eq!(tags_of(tags, label), None, "{tags:?} {label:?}");
        }
        for (tags, label) in [
            (&["web:1"][..], None),
            (&["web:1"], Some("pierhead.workspace")),
            (&["web:1", save], Some("pierhead.saved-by")),
        ] {
            assert_eq!(tags_of(tags, label), Some(vec!["web:1".to_owned()]), "{tags:?} {label:?}");
        }
        assert_eq!(tags_of(&[], None), Some(vec![]), "somebody else's without a name");
        assert_eq!(tags_of(&["pierhead/sample:1"], None), Some(vec!["pierhead/sample:1".to_owned()]));
    }
}
