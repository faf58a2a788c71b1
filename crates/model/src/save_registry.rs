//! The registry to which saves are sent beside the pool's hosts, what it has of one, and what it still has of one that went.

use crate::{Invalid, MemberName, RegistryHost, SaveId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

const FORM: &str = "HOST[:PORT][/PATH] of a registry in small letters, such as registry.lan:5000/saves (with http:// before it if it has no TLS)";

/// Where saves are sent: a registry, and a path in it under which each pool has a place of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveRegistry {
    host: RegistryHost,
    path: String,
    is_secure: bool,
}

impl SaveRegistry {
    /// Parses `HOST[:PORT][/PATH]`. `http://` before it says that it has no TLS; engines know that by themselves.
    ///
    /// # Errors
    /// [`Invalid`] if it is no such registry, or if images could not be named by the path.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("save-registry", FORM);
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = RegistryHost::parse(host).map_err(|_| invalid())?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
        let is_name = |part: &str| {
            let ends = [part.bytes().next(), part.bytes().next_back()];
            part.bytes().all(plain)
                && !["..", "__", "._", "_.", "-.", ".-", "-_", "_-"].iter().any(|pair| part.contains(pair))
                && ends.iter().all(|end| end.is_some_and(|end| end.is_ascii_alphanumeric()))
        };
        let is_good = path.len() <= 100 && (path.is_empty() || path.split('/').all(is_name));
        let is_secure = !text.starts_with("http://");
        if is_good { Ok(Self { host, path: path.to_owned(), is_secure }) } else { Err(invalid()) }
    }

    /// The registry.
    #[must_use]
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// Whether it is asked with TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The repository of the saves of a pool.
    #[must_use]
    pub fn repository(&self, cluster_id: &str) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}/", self.path) };
        format!("{}/{path}{}/pierhead/save", self.host, cluster_id.to_ascii_lowercase())
    }
}

impl fmt::Display for SaveRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "" } else { "http://" };
        let slash = if self.path.is_empty() { "" } else { "/" };
        write!(f, "{scheme}{}{slash}{}", self.host, self.path)
    }
}

/// What a registry has of a save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryCopy {
    /// The repository, with the registry: `registry.lan:5000/saves/POOL/pierhead/save`.
    pub repository: String,
    /// The digests by which it knows the images of the containers.
    pub digests: BTreeMap<MemberName, String>,
}

impl RegistryCopy {
    /// The name of an image in a repository.
    #[must_use]
    pub fn image(repository: &str, id: &SaveId, container: &MemberName) -> String {
        format!("{repository}:{id}-{container}")
    }
}

/// What a registry has, perhaps, of a save that was deleted, until that is deleted there too. Written with the deletion of
/// the save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftInRegistry {
    /// The save.
    pub save: SaveId,
    /// The repository, with the registry.
    pub repository: String,
    /// Its containers, and the digests by which the registry knows their images, as far as these were written down.
    pub digests: BTreeMap<MemberName, Option<String>>,
    /// When the save was deleted.
    pub since: Timestamp,
}

impl LeftInRegistry {
    /// The tag of the image of a container.
    #[must_use]
    pub fn tag(&self, container: &MemberName) -> String {
        format!("{}-{container}", self.save)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageReference, WorkspaceId};

    #[test]
    fn a_place_for_saves_is_a_registry_and_perhaps_a_path() {
        for (text, repository, shown) in [
            ("r.lan:5000", "r.lan:5000/pool/pierhead/save", "r.lan:5000"),
            ("https://R.lan/school/a-b/", "r.lan/school/a-b/pool/pierhead/save", "r.lan/school/a-b"),
            ("http://127.0.0.1:5000/x", "127.0.0.1:5000/x/pool/pierhead/save", "http://127.0.0.1:5000/x"),
        ] {
            let parsed = SaveRegistry::parse(text).unwrap();
            assert_eq!((parsed.repository("Pool").as_str(), parsed.to_string().as_str()), (repository, shown));
            assert_eq!(SaveRegistry::parse(&parsed.to_string()).unwrap(), parsed);
            assert_eq!(parsed.is_secure(), !text.starts_with("http:"), "{text}");
            assert_eq!(RegistryHost::parse(text).unwrap(), *parsed.host());
            let id = SaveId::of(&WorkspaceId::from_random(7), 3);
            let image = RegistryCopy::image(&parsed.repository("pool"), &id, &MemberName::parse("db").unwrap());
            assert_eq!(ImageReference::parse(&image).unwrap().repository(), repository, "engines take it");
            assert!(image.ends_with(&format!("pierhead/save:{id}-db")), "{image}");
        }
        for bad in [
            "",
            "nohost",
            "r.lan/A",
            "r.lan/a//b",
            "r.lan/a b",
            "r.lan/-a",
            "r.lan/a..b",
            "r.lan/a?x",
            "ann:x@r.lan/a",
            "r.lan/a:1",
        ] {
            let refused = SaveRegistry::parse(bad).unwrap_err().to_string();
            assert!(refused.contains("save-registry") && refused.contains("HOST[:PORT]"), "{bad:?}: {refused}");
        }
    }
}
