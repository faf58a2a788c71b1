//! Which hosts have an image that another one lacks, and which layers a host has. Asks, and changes nothing.

use super::copies::is_that;
use crate::engines::{Engines, Link};
use futures_util::stream::{self, StreamExt};
use pierhead_model::{ImageId, ImageReference};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How many hosts are asked at the same time.
const ASKED_AT_ONCE: usize = 64;
/// How many images are looked at at the same time on one host.
const LOOKS_AT_ONCE: usize = 8;
/// How long a host may take to say whether it has an image.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// An image, and the hosts that mean it by its name, the least busy first.
pub(super) struct Sources {
    pub(super) id: String,
    pub(super) hosts: Vec<Arc<Link>>,
}

/// Where an image can be had, for a host that lacks it: the one of an id if one is wanted, else the one that most hosts
/// mean. Of many hosts those that run it are asked first, and the others only if none of them has it.
pub(super) async fn find(
    engines: &Engines,
    to: &Link,
    image: &ImageReference,
    wanted: Option<&str>,
) -> Option<Sources> {
    let mut hosts = engines.answering(image);
    hosts.retain(|host| host.id() != to.id());
    for some in hosts.chunks(ASKED_AT_ONCE) {
        let asked = stream::iter(some.iter().cloned().enumerate()).map(|(place, host)| async move {
            let answer = tokio::time::timeout(ANSWER_LIMIT, host.engine.image(image)).await;
            Some((place, answer.ok()?.ok()??, host))
        });
        let mut found: Vec<(usize, String, Arc<Link>)> =
            asked.buffer_unordered(ASKED_AT_ONCE).filter_map(std::future::ready).collect().await;
        found.sort_by_key(|(place, ..)| *place);
        found.retain(|(_, id, host)| wanted.is_none_or(|wanted| is_that(engines, host, id, wanted)));
        if let Some(id) = chosen(wanted, found.iter().map(|(_, id, _)| id.as_str())).map(str::to_owned) {
            let mut hosts: Vec<Arc<Link>> =
                found.into_iter().filter(|(_, other, _)| *other == id).map(|(.., host)| host).collect();
            hosts.sort_by_key(|host| std::cmp::Reverse(host.images.outgoing.available_permits()));
            return Some(Sources { id, hosts });
        }
    }
    None
}

/// What is wanted if one says so, else what most say.
fn chosen<'a>(wanted: Option<&str>, said: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    said.clone().find(|id| wanted == Some(*id)).or_else(|| most_common(said))
}

/// What most say; of several the one that was said first.
fn most_common<'a>(said: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (place, id) in said.enumerate() {
        counts.entry(id).or_insert((0, place)).0 += 1;
    }
    counts.into_iter().max_by_key(|(_, (count, first))| (*count, std::cmp::Reverse(*first))).map(|(id, _)| id)
}

/// The layers of each image of a host, as far as it tells.
pub(super) async fn layers_on(host: &Link) -> Vec<Arc<[String]>> {
    let Ok(listed) = host.engine.images().await else { return vec![] };
    let ids: Vec<String> = listed.iter().map(|image| image.id.clone()).collect();
    let (mut known, unknown) = host.images.known_layers(&ids);
    let names: Vec<(String, ImageReference)> = listed
        .iter()
        .filter(|image| unknown.contains(&image.id))
        .filter_map(|image| {
            let by_name = || image.tags.first().and_then(|tag| ImageReference::parse(tag).ok());
            let name = ImageId::parse(&image.id).ok().map(|id| id.reference()).or_else(by_name)?;
            Some((image.id.clone(), name))
        })
        .collect();
    let looks = stream::iter(names).map(|(id, name)| async move {
        let found = host.engine.layers(&name).await.ok()??;
        (found.id == id).then(|| (id, Arc::<[String]>::from(found.diff_ids)))
    });
    let found: Vec<(String, Arc<[String]>)> =
        looks.buffer_unordered(LOOKS_AT_ONCE).filter_map(std::future::ready).collect().await;
    for (id, layers) in found {
        host.images.learn_layers(id, Arc::clone(&layers));
        known.push(layers);
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_that_most_hosts_have_is_meant() {
        for (said, expected) in
            [(vec![], None), (vec!["a"], Some("a")), (vec!["a", "b", "b"], Some("b")), (vec!["b", "a"], Some("b"))]
        {
            assert_eq!(chosen(None, said.iter().copied()), expected, "{said:?}");
        }
    }

    #[test]
    fn what_is_wanted_is_taken_from_whoever_has_it() {
        for (said, expected) in [(vec!["b", "b", "a"], Some("a")), (vec!["b", "c", "c"], Some("c")), (vec![], None)] {
            assert_eq!(chosen(Some("a"), said.iter().copied()), expected, "{said:?}");
        }
    }
}
