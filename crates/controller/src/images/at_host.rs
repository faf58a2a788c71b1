//! What is known of one host's images: what is on its way there, what its images are made of, and how many copies may
//! go in and out at the same time.

use pierhead_engine::Progress;
use pierhead_model::{EngineId, ImageId, ImageReference};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// How many images are copied to a host, and how many from it, at the same time.
const COPIES_AT_ONCE: usize = 2;
/// Megabytes are shown.
const MEGABYTE: u64 = 1_000_000;

/// How an image comes to a host, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// From its registry, in per cent.
    Pulled(u8),
    /// From an archive that was sent in, in per cent.
    Loaded(u8),
    /// From another host.
    Copied(Copying),
}

/// A copy under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copying {
    pub(crate) from: EngineId,
    /// How many layers go.
    pub(crate) layers: usize,
    /// How many the image has.
    pub(crate) of_layers: usize,
    /// How many bytes have gone.
    pub(crate) sent: u64,
    /// About how many go.
    pub(crate) of: u64,
    /// Whether the host had refused the missing layers alone.
    pub(crate) is_again: bool,
}

impl Arrival {
    /// What people are told.
    pub(crate) fn say(&self, image: &ImageReference) -> String {
        match self {
            Self::Pulled(percent) => format!("pulls {image}: {percent} %"),
            Self::Loaded(percent) => format!("loads {image}, which was uploaded: {percent} %"),
            Self::Copied(Copying { from, layers, of_layers, sent, of, is_again }) => {
                let again = if *is_again { ", all of it since a layer went meanwhile" } else { "" };
                // What travels around the layers is not in the size that an engine tells.
                let sent = megabytes(*sent.min(of));
                format!(
                    "copies {image}: {layers} of {of_layers} layers, {sent} of {} MB, from {from}{again}",
                    megabytes(*of)
                )
            }
        }
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(MEGABYTE)
}

/// The images of one host.
pub(crate) struct HostImages {
    arriving: Arc<Mutex<BTreeMap<ImageReference, Arrival>>>,
    /// Ids that the engine itself gave images that were loaded here.
    loaded: Mutex<BTreeMap<ImageId, String>>,
    /// The layers of images by their ids: these never change.
    layers: Mutex<BTreeMap<String, Arc<[String]>>>,
    turns: Mutex<BTreeMap<ImageReference, Arc<tokio::sync::Mutex<()>>>>,
    pub(super) incoming: Semaphore,
    pub(super) outgoing: Semaphore,
    copies: AtomicU64,
}

impl Default for HostImages {
    fn default() -> Self {
        Self {
            arriving: Arc::default(),
            loaded: Mutex::default(),
            layers: Mutex::default(),
            turns: Mutex::default(),
            incoming: Semaphore::new(COPIES_AT_ONCE),
            outgoing: Semaphore::new(COPIES_AT_ONCE),
            copies: AtomicU64::new(0),
        }
    }
}

/// Keeps note of an image on its way as long as it is there.
pub(crate) struct Noted {
    arriving: Arc<Mutex<BTreeMap<ImageReference, Arrival>>>,
    image: ImageReference,
}

impl Noted {
    pub(crate) fn tell(&self, arrival: Arrival) {
        lock(&self.arriving).insert(self.image.clone(), arrival);
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        lock(&self.arriving).remove(&self.image);
    }
}

impl HostImages {
    /// An image is on its way.
    pub(crate) fn note(&self, image: &ImageReference) -> Arc<Noted> {
        Arc::new(Noted { arriving: Arc::clone(&self.arriving), image: image.clone() })
    }

    /// What keeps note of how far an image is, until the last copy of it is dropped.
    pub(crate) fn progress(&self, image: &ImageReference, how: fn(u8) -> Arrival) -> Progress {
        let noted = self.note(image);
        Arc::new(move |percent| noted.tell(how(percent)))
    }

    /// How far an image is, if it is on its way.
    pub(crate) fn arriving(&self, image: &ImageReference) -> Option<Arrival> {
        lock(&self.arriving).get(image).cloned()
    }

    /// The id that the engine itself gave an image that was loaded here.
    pub(super) fn loaded_as(&self, image: &ImageId) -> Option<String> {
        lock(&self.loaded).get(image).cloned()
    }

    /// Keeps note of the id that the engine itself gave an image.
    pub(super) fn set_loaded(&self, image: &ImageId, id: String) {
        lock(&self.loaded).insert(image.clone(), id);
    }

    /// Who holds its lock is the one who brings an image here, or takes it away.
    pub(crate) fn turn(&self, image: &ImageReference) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = lock(&self.turns);
        // Those that nobody holds are forgotten.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(image.clone()).or_default())
    }

    /// The layers of those images that are known, and the ids of the others; what is not among these ids is forgotten.
    pub(super) fn known_layers(&self, ids: &[String]) -> (Vec<Arc<[String]>>, Vec<String>) {
        let mut layers = lock(&self.layers);
        layers.retain(|id, _| ids.contains(id));
        let unknown = ids.iter().filter(|id| !layers.contains_key(*id)).cloned().collect();
        (layers.values().cloned().collect(), unknown)
    }

    pub(super) fn learn_layers(&self, id: String, layers: Arc<[String]>) {
        lock(&self.layers).insert(id, layers);
    }

    /// A number that no other copy to this host has.
    pub(super) fn next_copy(&self) -> u64 {
        self.copies.fetch_add(1, Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str) -> ImageReference {
        ImageReference::parse(name).unwrap()
    }

    #[test]
    fn what_people_are_told_of_an_image_on_its_way() {
        let copying = Copying {
            from: EngineId::parse("host-1").unwrap(),
            layers: 3,
            of_layers: 8,
            sent: 11_400_000,
            of: 40_000_000,
            is_again: false,
        };
        for (arrival, expected) in [
            (Arrival::Pulled(40), "pulls shop:1: 40 %"),
            (Arrival::Loaded(7), "loads shop:1, which was uploaded: 7 %"),
            (Arrival::Copied(copying.clone()), "copies shop:1: 3 of 8 layers, 12 of 40 MB, from host-1"),
            (
                Arrival::Copied(Copying { layers: 8, sent: 99_000_000, is_again: true, ..copying }),
                "copies shop:1: 8 of 8 layers, 40 of 40 MB, from host-1, all of it since a layer went meanwhile",
            ),
        ] {
            assert_eq!(arrival.say(&image("shop:1")), expected);
        }
    }

    #[test]
    fn a_note_goes_with_whoever_keeps_it() {
        let host = HostImages::default();
        let progress = host.progress(&image("a"), Arrival::Pulled);
        assert_eq!(host.arriving(&image("a")), None, "nothing was told yet");
        progress(3);
        assert_eq!(host.arriving(&image("a")), Some(Arrival::Pulled(3)));
        assert_eq!(host.arriving(&image("b")), None);
        drop(progress);
        assert_eq!(host.arriving(&image("a")), None);
    }

    #[tokio::test]
    async fn one_brings_an_image_at_a_time() {
        let host = HostImages::default();
        let (first, second) = (host.turn(&image("a")), host.turn(&image("a")));
        let held = first.lock().await;
        assert!(second.try_lock().is_err() && host.turn(&image("b")).try_lock().is_ok());
        drop(held);
        assert!(second.try_lock().is_ok());
        drop((first, second));
        host.turn(&image("c"));
        assert!(lock(&host.turns).len() <= 2, "what nobody waits for is forgotten");
    }

    #[test]
    fn layers_are_remembered_as_long_as_their_image_is_there() {
        let host = HostImages::default();
        let ids = ["a", "b"].map(str::to_owned);
        assert_eq!(host.known_layers(&ids), (vec![], ids.to_vec()));
        let layers: Arc<[String]> = vec!["sha256:1".to_owned()].into();
        host.learn_layers("a".to_owned(), layers.clone());
        assert_eq!(host.known_layers(&ids), (vec![layers], vec!["b".to_owned()]));
        assert_eq!(host.known_layers(&ids[1..]), (vec![], vec!["b".to_owned()]));
        assert_eq!(host.known_layers(&ids), (vec![], ids.to_vec()), "it was gone in between");
    }
}
