//! Saves: the files of a workspace's containers, kept as images of one layer over the environment's.

use crate::{
    EngineId, EnvironmentId, ImageReference, MemberName, RegistryCopy, SaveId, Timestamp, Username, WorkspaceId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The files of a workspace at a moment. Written by the leading controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    /// Its id.
    pub id: SaveId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub owner: Username,
    /// What people call it; not unique.
    pub name: String,
    /// The environment that the workspace was made from.
    pub environment: EnvironmentId,
    /// The version of it.
    pub version: u32,
    /// Whether nobody asked for it. The next one of the workspace takes its place.
    pub automatic: bool,
    /// Whether work was handed in with it. It is not one of those that people may keep so many of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub handed_in: bool,
    /// How far it is.
    pub state: SaveState,
    /// Its containers. While it is being made, as far as they are known.
    pub containers: Vec<SavedFiles>,
    /// What it counts for, in bytes: what it holds over the environment's images, or may come to while it is made.
    pub bytes: u64,
    /// The hosts that have it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub copies: BTreeSet<EngineId>,
    /// What the school's registry has of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryCopy>,
    /// How many bytes went between hosts for it.
    #[serde(default)]
    pub moved_bytes: u64,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// How far a save is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaveState {
    /// It is being made.
    Saving,
    /// One host has it, and neither another nor a registry could take it yet.
    SingleCopy,
    /// Another host or a registry has it too.
    Complete,
}

impl SaveState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Saving => "saving",
            Self::SingleCopy => "single-copy",
            Self::Complete => "complete",
        }
    }
}

/// The files of one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFiles {
    /// Its name in the environment.
    pub name: MemberName,
    /// The name of the image on hosts.
    pub image: ImageReference,
    /// The image's id.
    pub image_id: String,
    /// The environment's image that it began as.
    pub base: ImageReference,
    /// How many of the image's layers are that one's.
    pub base_layers: usize,
    /// What the layer over them holds, in bytes.
    pub layer_bytes: u64,
}

/// What a name of an image means that the pool keeps for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnImage {
    /// The image of a save; `None` if there can be no such save.
    OfSave(Option<SaveId>),
    /// One that nobody else makes or uses by its name.
    Internal,
}

impl OwnImage {
    /// The namespace in which these names are: no account's.
    pub const NAMESPACE: &'static str = "pierhead";

    /// What a name means, however it is spelled; `None` if it is not one of the pool's own.
    #[must_use]
    pub fn named(image: &ImageReference) -> Option<Self> {
        let image = image.normal();
        let is_in = |names: &str| names.strip_suffix(':') == Some(image.repository());
        if is_in(Save::IMAGES) {
            return Some(Self::OfSave(Save::of_image(image.as_str())));
        }
        [Save::UNFINISHED, Save::ENVIRONMENTS].into_iter().any(is_in).then_some(Self::Internal)
    }
}

impl Save {
    /// The label of images of saves, with the pool's id.
    pub const LABEL: &'static str = "pierhead.saved-by";
    /// How the names of images of saves begin.
    pub const IMAGES: &'static str = "pierhead/save:";
    /// What the names of these images have within them while they are on their way to a registry or from there.
    pub const SENT: &'static str = "/pierhead/save:";
    /// How the names of images begin that exist only while a save is made.
    pub const UNFINISHED: &'static str = "pierhead/saving:";
    /// How the names of environments' images begin that have no declared volumes.
    pub const ENVIRONMENTS: &'static str = "pierhead/environment:";

    /// The name of the image of one of its containers.
    #[must_use]
    pub fn image(id: &SaveId, container: &MemberName) -> String {
        format!("{}{id}-{container}", Self::IMAGES)
    }

    /// The name of that image while it has more layers.
    #[must_use]
    pub fn unfinished_image(id: &SaveId, container: &MemberName) -> String {
        format!("{}{id}-{container}", Self::UNFINISHED)
    }

    /// The save that an image is of, or is made for, by its name as engines list it.
    #[must_use]
    pub fn of_image(name: &str) -> Option<SaveId> {
        let rest = name.strip_prefix(Self::IMAGES).or_else(|| name.strip_prefix(Self::UNFINISHED))?;
        SaveId::parse(rest.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")).ok()
    }

    /// The name of an environment's image without declared volumes, by the id of the image.
    #[must_use]
    pub fn environment_image(image_id: &str) -> String {
        let digits: String = image_id.trim_start_matches("sha256:").chars().take(40).collect();
        format!("{}{digits}", Self::ENVIRONMENTS)
    }

    /// Whether a workspace can be made from it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.state != SaveState::Saving
    }

    /// What it adds to the totals of its owner and of its environment.
    #[must_use]
    pub fn share(&self) -> SaveTotals {
        SaveTotals { count: u64::from(!self.handed_in), bytes: self.bytes }
    }

    /// How far it may raise totals of which people may keep `most`. Work that is handed in is never refused for the number
    /// of saves, and as many again are made by themselves: a workspace that shall stop would run on without.
    #[must_use]
    pub fn limit(&self, most: SaveTotals) -> SaveTotals {
        let count = match (self.handed_in, self.automatic) {
            (true, _) => u64::MAX,
            (false, true) => most.count.saturating_mul(2),
            (false, false) => most.count,
        };
        SaveTotals { count, ..most }
    }

    /// The files of a container.
    #[must_use]
    pub fn files(&self, container: &MemberName) -> Option<&SavedFiles> {
        self.containers.iter().find(|files| files.name == *container)
    }
}

/// How many saves somebody or something has, and what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SaveTotals {
    /// How many.
    pub count: u64,
    /// What they hold, in bytes.
    pub bytes: u64,
}

/// The most that a person, or an environment, may have of saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveLimits {
    /// Of one person.
    pub person: SaveTotals,
    /// Of the workspaces of one environment.
    pub environment: SaveTotals,
}

impl Default for SaveLimits {
    fn default() -> Self {
        Self {
            person: SaveTotals { count: 50, bytes: 20 << 30 },
            environment: SaveTotals { count: 2_000, bytes: 500 << 30 },
        }
    }
}

impl SaveTotals {
    /// The same with a save's share replaced by another.
    #[must_use]
    pub fn with(self, before: Self, now: Self) -> Self {
        let take = |value: u64, less: u64, more: u64| value.saturating_sub(less).saturating_add(more);
        Self { count: take(self.count, before.count, now.count), bytes: take(self.bytes, before.bytes, now.bytes) }
    }

    /// Which of the limits it breaks, in words.
    #[must_use]
    pub fn beyond(self, most: Self) -> Option<String> {
        if self.count > most.count {
            return Some(format!("at most {} saves may be kept, and there would be {}", most.count, self.count));
        }
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        (self.bytes > most.bytes).then(|| {
            format!("saves may hold at most {} MB, and would hold {} MB", megabytes(most.bytes), megabytes(self.bytes))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_names_that_engines_take() {
        let workspace = WorkspaceId::from_random(7);
        let (id, name) = (SaveId::of(&workspace, 3), MemberName::parse("db").unwrap());
        for text in [
            Save::image(&id, &name),
            Save::unfinished_image(&id, &name),
            Save::environment_image(&format!("sha256:{}", "0f".repeat(32))),
        ] {
            assert_eq!(ImageReference::parse(&text).unwrap().as_str(), text);
        }
        assert_eq!(Save::image(&id, &name), format!("pierhead/save:{id}-db"));
        for text in [Save::image(&id, &name), Save::unfinished_image(&id, &name)] {
            assert_eq!(Save::of_image(&text), Some(id.clone()));
        }
        for other in ["pierhead/save:x", "pierhead/environment:0f", "alpine:1", ""] {
            assert_eq!(Save::of_image(other), None, "{other}");
        }
    }

    #[test]
    fn names_of_the_pools_own_are_known_however_they_are_spelled() {
        let id = SaveId::of(&WorkspaceId::from_random(7), 3);
        let named = |text: &str| OwnImage::named(&ImageReference::parse(text).unwrap());
        for registry in ["", "docker.io/", "index.docker.io/"] {
            for (name, expected) in [
                (format!("pierhead/save:{id}-db"), Some(OwnImage::OfSave(Some(id.clone())))),
                ("pierhead/save:1".to_owned(), Some(OwnImage::OfSave(None))),
                ("pierhead/save".to_owned(), Some(OwnImage::OfSave(None))),
                (format!("pierhead/save:{id}-db@sha256:{}", "0f".repeat(32)), Some(OwnImage::OfSave(None))),
                (format!("pierhead/saving:{id}-db"), Some(OwnImage::Internal)),
                ("pierhead/environment:0f0f".to_owned(), Some(OwnImage::Internal)),
                ("pierhead/sample:1".to_owned(), None),
                ("pierhead/saves:1".to_owned(), None),
                (format!("pierhead/save/more:{id}-db"), None),
            ] {
                assert_eq!(named(&format!("{registry}{name}")), expected, "{registry}{name}");
            }
        }
        assert_eq!(named(&format!("r.lan/pierhead/save:{id}-db")), None, "of somebody else's registry");
    }

    #[test]
    fn totals_follow_what_comes_and_goes() {
        let none = SaveTotals::default();
        let share = |bytes| SaveTotals { count: 1, bytes };
        let most = SaveTotals { count: 2, bytes: 100 << 20 };
        let one = none.with(none, share(60 << 20));
        assert_eq!((one, one.beyond(most)), (SaveTotals { count: 1, bytes: 60 << 20 }, None));
        assert_eq!(one.with(share(60 << 20), share(10)), SaveTotals { count: 1, bytes: 10 });
        assert_eq!(one.with(share(60 << 20), none), none);
        let two = one.with(none, share(41 << 20));
        assert_eq!(two.beyond(most).unwrap(), "saves may hold at most 100 MB, and would hold 101 MB");
        let three = SaveTotals { bytes: 0, ..two }.with(none, share(0));
        assert_eq!(three.beyond(most).unwrap(), "at most 2 saves may be kept, and there would be 3");
    }
}
