//! References to images, as people write them and as engines compare them.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A reference to an image with its tag or digest: `httpd` is kept as `httpd:latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference(String);

/// How the registry may be called that is meant by a name without one.
const DOCKERS_OWN: [&str; 2] = ["docker.io", "index.docker.io"];

const FORM: &str = "an image reference such as httpd, registry.lan:5000/team/app:1.2 or app@sha256:<64 digits>, at most 255 characters";

impl ImageReference {
    /// Parses a reference and adds `:latest` where it names neither tag nor digest.
    ///
    /// # Errors
    /// [`Invalid`] if an engine would refuse the reference.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("image", FORM);
        if text.is_empty() || text.len() > 255 {
            return Err(invalid());
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            let digits = digest.strip_prefix("sha256:").ok_or_else(invalid)?;
            if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
                return Err(invalid());
            }
        }
        let after_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, tag) = match rest[after_slash..].split_once(':') {
            Some((name, tag)) => (&rest[..after_slash + name.len()], Some(tag)),
            None => (rest, None),
        };
        if !is_path(path) || !tag.is_none_or(is_tag) {
            return Err(invalid());
        }
        let plain = tag.is_none() && digest.is_none();
        Ok(Self(if plain { format!("{text}:latest") } else { text.to_owned() }))
    }

    /// The whole reference, tag included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registry's host and port, if the reference names one (`registry.lan:5000`).
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        registry_in(&self.0)
    }

    /// The same image by the shortest name that means it to every engine: `docker.io/library/httpd:2` is `httpd:2`, and of a
    /// name with tag and digest only the digest counts.
    #[must_use]
    pub fn normal(&self) -> Self {
        let rest = DOCKERS_OWN.iter().find_map(|registry| self.0.strip_prefix(registry)?.strip_prefix('/'));
        let rest = rest.filter(|rest| registry_in(rest).is_none()).unwrap_or(&self.0);
        let official = rest.strip_prefix("library/").filter(|name| !name.contains('/'));
        let name = official.unwrap_or(rest);
        match name.split_once('@') {
            Some((name, digest)) => Self(format!("{}@{digest}", untagged(name))),
            None => Self(name.to_owned()),
        }
    }

    /// The name without tag and digest: `registry.lan:5000/team/app` of `registry.lan:5000/team/app:1.2`.
    #[must_use]
    pub fn repository(&self) -> &str {
        untagged(self.0.split('@').next().unwrap_or(&self.0))
    }

    /// The last part of the path without tag or digest: `app` of `registry.lan:5000/team/app:1.2`.
    #[must_use]
    pub fn base_name(&self) -> &str {
        let path = self.repository();
        path.rsplit('/').next().unwrap_or(path)
    }
}

fn registry_in(reference: &str) -> Option<&str> {
    let (first, _) = reference.split_once('/')?;
    (first == "localhost" || first.contains(['.', ':'])).then_some(first)
}

/// A name that has no digest, without its tag. A colon before a slash is of a registry's port.
fn untagged(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => path,
        _ => name,
    }
}

/// Components of lower-case letters, digits and separators; the first may be a registry with a port.
fn is_path(path: &str) -> bool {
    let mut components = path.split('/').peekable();
    let first = components.peek().copied().unwrap_or_default();
    if path.contains('/') && (first.contains([':', '.']) || first == "localhost") {
        components.next();
        let (host, port) = first.split_once(':').unwrap_or((first, "1"));
        let is_label = |label: &str| {
            let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            let bytes = label.as_bytes();
            edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        };
        if !host.split('.').all(is_label) || port.starts_with('+') || port.parse::<u16>().is_err() {
            return false;
        }
    }
    components.all(|component| {
        let bytes = component.as_bytes();
        let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        bytes.first().is_some_and(edge)
            && bytes.last().is_some_and(edge)
            && bytes.iter().all(|b| edge(b) || matches!(b, b'.' | b'_' | b'-'))
    })
}

fn is_tag(tag: &str) -> bool {
    let bytes = tag.as_bytes();
    (1..=128).contains(&bytes.len())
        && (bytes[0].is_ascii_alphanumeric() || bytes[0] == b'_')
        && bytes.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

impl TryFrom<String> for ImageReference {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<ImageReference> for String {
    fn from(reference: ImageReference) -> String {
        reference.0
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tag_is_latest() {
        assert_eq!(ImageReference::parse("httpd").unwrap().as_str(), "httpd:latest");
        assert_eq!(ImageReference::parse("r.lan:5000/a/b").unwrap().as_str(), "r.lan:5000/a/b:latest");
        assert_eq!(ImageReference::parse("R-1.lan:5000/a").unwrap().as_str(), "R-1.lan:5000/a:latest");
        assert_eq!(ImageReference::parse("10.0.0.1:5000/a").unwrap().registry(), Some("10.0.0.1:5000"));
        assert_eq!(ImageReference::parse("ubuntu:14.04").unwrap().as_str(), "ubuntu:14.04");
    }

    #[test]
    fn digests_are_kept() {
        let text = format!("app@sha256:{}", "0f".repeat(32));
        assert_eq!(ImageReference::parse(&text).unwrap().as_str(), text);
        assert!(ImageReference::parse("app@sha256:12").is_err());
    }

    #[test]
    fn what_an_engine_would_refuse_is_refused() {
        for bad in [
            "",
            "Httpd",
            "a b",
            "a:",
            ":a",
            "a//b",
            "/a",
            "a/",
            "-a",
            "a:b:c",
            "a\u{1b}[0m",
            "a;rm",
            "../a",
            "./a",
            ".lan/a",
            "r.lan./a",
            "r..lan/a",
            "-r.lan/a",
            "r.lan-/a",
            "..:5000/a",
            ":5000/a",
            "r.lan:+5000/a",
            "$(x)",
            &"a".repeat(256),
        ] {
            assert!(ImageReference::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn all_spellings_of_a_name_have_one_normal_form() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for (spellings, normal) in [
            (&["httpd:2", "library/httpd:2", "docker.io/httpd:2", "index.docker.io/library/httpd:2"][..], "httpd:2"),
            (&["team/app", "docker.io/team/app:latest", "index.docker.io/team/app"], "team/app:latest"),
            // Only names of one part are in `library`.
            (&["library/team/app:1", "docker.io/library/team/app:1"], "library/team/app:1"),
            (&["localhost/httpd:2"], "localhost/httpd:2"),
            (&["docker.io/localhost/httpd:2"], "docker.io/localhost/httpd:2"),
            (&["docker.io/docker.io/httpd:2"], "docker.io/docker.io/httpd:2"),
            (&["r.lan:5000/library/httpd:2"], "r.lan:5000/library/httpd:2"),
            (&["docker.iox/httpd:2"], "docker.iox/httpd:2"),
            (&[&format!("httpd@{digest}"), &format!("docker.io/library/httpd:2@{digest}")], &format!("httpd@{digest}")),
            (&[&format!("r.lan:5000/app:1@{digest}")], &format!("r.lan:5000/app@{digest}")),
            (&[&digest, &format!("library/{digest}")], &digest),
        ] {
            for spelling in spellings {
                let found = ImageReference::parse(spelling).unwrap().normal();
                assert_eq!(found.as_str(), normal, "{spelling}");
                assert_eq!(found.normal(), found, "{spelling}");
                assert_eq!(ImageReference::parse(found.as_str()), Ok(found), "{spelling}");
            }
        }
    }

    #[test]
    fn parts() {
        let image = ImageReference::parse("registry.lan:5000/team/app:1.2").unwrap();
        assert_eq!((image.registry(), image.base_name()), (Some("registry.lan:5000"), "app"));
        assert_eq!(image.repository(), "registry.lan:5000/team/app");
        let image = ImageReference::parse(&format!("r.lan:5000/app@sha256:{}", "0f".repeat(32))).unwrap();
        assert_eq!((image.repository(), image.base_name()), ("r.lan:5000/app", "app"));
        let image = ImageReference::parse("pierhead/sample:1").unwrap();
        assert_eq!((image.registry(), image.base_name()), (None, "sample"));
    }
}
