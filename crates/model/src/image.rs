//! References to images, as people write them and as engines compare them.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A reference to an image with its tag or digest: `httpd` is kept as `httpd:latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference(String);

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
        let (first, _) = self.0.split_once('/')?;
        (first == "localhost" || first.contains(['.', ':'])).then_some(first)
    }

    /// The last part of the path without tag or digest: `app` of `registry.lan:5000/team/app:1.2`.
    #[must_use]
    pub fn base_name(&self) -> &str {
        let path = self.0.split('@').next().unwrap_or(&self.0);
        let last = path.rsplit('/').next().unwrap_or(path);
        last.split(':').next().unwrap_or(last)
    }
}

/// Components of lower-case letters, digits and separators; the first may be a registry with a port.
fn is_path(path: &str) -> bool {
    let mut components = path.split('/').peekable();
    let first = components.peek().copied().unwrap_or_default();
    if path.contains('/') && (first.contains([':', '.']) || first == "localhost") {
        components.next();
        let (host, port) = first.split_once(':').unwrap_or((first, "1"));
        let host_ok = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if !host_ok || port.parse::<u16>().is_err() {
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
            "$(x)",
            &"a".repeat(256),
        ] {
            assert!(ImageReference::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parts() {
        let image = ImageReference::parse("registry.lan:5000/team/app:1.2").unwrap();
        assert_eq!((image.registry(), image.base_name()), (Some("registry.lan:5000"), "app"));
        let image = ImageReference::parse("pierhead/sample:1").unwrap();
        assert_eq!((image.registry(), image.base_name()), (None, "sample"));
    }
}
