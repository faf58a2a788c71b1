//! What is mounted into a container.

use crate::Invalid;
use crate::ids::is_plain_word;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where the content of a mount comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeSource {
    /// A volume of its own for each container, made by the engine.
    Anonymous,
    /// A named volume of the engine.
    Named(String),
    /// A path of the host; needs a permission of its own.
    HostPath(String),
}

/// The longest name of a volume: room for its owner's, a dot, and as much again.
const LONGEST_NAME: usize = 127;

/// One mount: `/data`, `name:/data`, `/host/path:/data`, each with an optional `:ro`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Volume {
    /// Where the content comes from.
    pub source: VolumeSource,
    /// The absolute path inside the container.
    pub target: String,
    /// Whether the container may not write to it.
    pub read_only: bool,
}

impl Volume {
    /// Parses one of the forms above.
    ///
    /// # Errors
    /// [`Invalid`] with the accepted forms.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "volume",
                "/path, name:/path or /host/path:/path, optionally followed by :ro or :rw, with absolute paths without '..'",
            )
        };
        let (rest, read_only) = match text.rsplit_once(':') {
            Some((rest, "ro")) => (rest, true),
            Some((rest, "rw")) => (rest, false),
            _ => (text, false),
        };
        let (source, target) = match rest.split_once(':') {
            None => (VolumeSource::Anonymous, rest),
            Some((path, target)) if path.starts_with('/') => (VolumeSource::HostPath(path.to_owned()), target),
            Some((name, target)) => (VolumeSource::Named(name.to_owned()), target),
        };
        let source_ok = match &source {
            VolumeSource::Anonymous => true,
            VolumeSource::Named(name) => is_plain_word(name, LONGEST_NAME),
            VolumeSource::HostPath(path) => is_safe_path(path),
        };
        if !source_ok || !is_safe_path(target) || target == "/" {
            return Err(invalid());
        }
        Ok(Self { source, target: target.to_owned(), read_only })
    }
}

impl VolumeSource {
    /// Whose a named volume is: `clare` of `clare.data`, by the last dot, because names of accounts may have dots and
    /// what follows has none. `None` for what is nobody's, and for what has no name.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        let Self::Named(name) = self else { return None };
        name.rsplit_once('.').filter(|(_, rest)| !rest.is_empty()).map(|(owner, _)| owner)
    }
}

fn is_safe_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 1024
        && !path.contains(':')
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| part != "..")
}

impl TryFrom<String> for Volume {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Volume> for String {
    fn from(volume: Volume) -> String {
        volume.to_string()
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            VolumeSource::Anonymous => {}
            VolumeSource::Named(source) | VolumeSource::HostPath(source) => write!(f, "{source}:")?,
        }
        write!(f, "{}{}", self.target, if self.read_only { ":ro" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_sources() {
        assert_eq!(Volume::parse("/data").unwrap().source, VolumeSource::Anonymous);
        let named = Volume::parse("db:/data:ro").unwrap();
        assert_eq!((named.source, named.read_only), (VolumeSource::Named("db".into()), true));
        assert_eq!(Volume::parse("/srv:/data").unwrap().source, VolumeSource::HostPath("/srv".into()));
    }

    #[test]
    fn the_last_dot_tells_whose_a_volume_is() {
        for (volume, owner) in [
            ("clare.data:/d", Some("clare")),
            ("clare.data:/d:ro", Some("clare")),
            ("clare.b.x:/d", Some("clare.b")),
            ("Clare.data:/d", Some("Clare")),
            ("clare..x:/d", Some("clare.")),
            ("clare.:/d", None),
            ("clare:/d", None),
            ("/clare.data:/d", None),
            ("/clare.data", None),
        ] {
            assert_eq!(Volume::parse(volume).unwrap().source.owner(), owner, "{volume}");
        }
        let longest = format!("{}.{}:/d", "a".repeat(63), "b".repeat(63));
        assert_eq!(Volume::parse(&longest).unwrap().source.owner().map(str::len), Some(63));
        assert!(Volume::parse(&format!("b{longest}")).is_err());
    }

    #[test]
    fn tricks_are_refused() {
        for bad in [
            "",
            "/",
            "data",
            "db:data",
            "../x:/data",
            "/a/../etc:/data",
            "db:/data:ro:rw",
            "a b:/d",
            "/a:/b:/c",
            "x:/d\n",
        ] {
            assert!(Volume::parse(bad).is_err(), "{bad:?}");
        }
    }
}
