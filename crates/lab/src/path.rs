//! Paths inside a lab's folder: never out of it, whatever a document writes.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The path of a file or folder inside a lab's folder: parts with slashes between them, none of them `.` or `..`. The
/// empty path is the folder itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabPath(String);

/// A path that a lab may not use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// It leads out of the folder.
    #[error("the path {0:?} leads out of the lab's folder")]
    Outside(String),
    /// It has a character that paths may not have.
    #[error("the path {0:?} has a backslash, a colon after one letter, or a control character")]
    Characters(String),
    /// It is too long.
    #[error("a path has {0} bytes; it may have {max}", max = LabPath::LONGEST)]
    TooLong(usize),
}

impl LabPath {
    /// The most bytes of a path.
    pub const LONGEST: usize = 512;

    /// The folder itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A path from the root on, as an archive or a listing names it.
    ///
    /// # Errors
    /// If it leads out of the folder or has characters that paths may not have.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.starts_with('/') {
            return Err(PathError::Outside(shown(text)));
        }
        Self::root().resolve(text)
    }

    /// What a reference in a file of this folder means: from here on, or from the root on if it begins with a slash.
    ///
    /// # Errors
    /// If it leads out of the lab's folder or has characters that paths may not have.
    pub fn resolve(&self, reference: &str) -> Result<Self, PathError> {
        if reference.len() > Self::LONGEST {
            return Err(PathError::TooLong(reference.len()));
        }
        let drive =
            reference.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && reference[1..].starts_with(':');
        if drive || reference.contains('\\') || reference.chars().any(char::is_control) {
            return Err(PathError::Characters(shown(reference)));
        }
        let from = if reference.starts_with('/') { "" } else { self.0.as_str() };
        let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
        for part in reference.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(|| PathError::Outside(shown(reference)))?;
                }
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        if path.len() > Self::LONGEST { Err(PathError::TooLong(path.len())) } else { Ok(Self(path)) }
    }

    /// As text, without a slash at either end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that it is in; of the root, the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned())
    }

    /// Its last part; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The part of its name after the last dot, in lower case; empty if there is none.
    #[must_use]
    pub fn extension(&self) -> String {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase()
    }

    /// Its path from a folder on in which it lies; none if it lies elsewhere or is the folder.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Option<Self> {
        if !self.is_in(folder) {
            return None;
        }
        let rest = self.0[folder.0.len()..].trim_start_matches('/');
        (!rest.is_empty()).then(|| Self(rest.to_owned()))
    }

    /// Whether it is `folder` or lies in it.
    #[must_use]
    pub fn is_in(&self, folder: &Self) -> bool {
        folder.0.is_empty()
            || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A path for a message, not longer than a line.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for LabPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl TryFrom<String> for LabPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<LabPath> for String {
    fn from(path: LabPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> LabPath {
        LabPath::parse(text).unwrap()
    }

    #[test]
    fn references_begin_at_their_file_or_at_the_root() {
        let folder = path("steps/01-first.md").parent();
        assert_eq!(folder.resolve("../images/a.png").unwrap().as_str(), "images/a.png");
        assert_eq!(folder.resolve("./a//b/").unwrap().as_str(), "steps/a/b");
        assert_eq!(folder.resolve("/images/a.png").unwrap().as_str(), "images/a.png");
        assert_eq!(folder.resolve("..").unwrap(), LabPath::root());
        assert_eq!(path("a/b.tar.GZ").extension(), "gz");
        assert_eq!(path("README").extension(), "");
        assert_eq!(LabPath::root().to_string(), ".");
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for reference in ["../../x", "a/../../../x", "/..", "/a/../../etc/passwd"] {
            let found = path("steps").resolve(reference);
            assert!(matches!(found, Err(PathError::Outside(_))), "{reference}: {found:?}");
        }
        for reference in ["a\\b", "C:/x", "c:x", "a\0b", "a\nb", "..\\x"] {
            let found = LabPath::parse(reference);
            assert!(matches!(found, Err(PathError::Characters(_))), "{reference}: {found:?}");
        }
        assert!(matches!(LabPath::parse("/etc/passwd"), Err(PathError::Outside(_))));
        assert!(matches!(LabPath::parse(&"a/".repeat(400)), Err(PathError::TooLong(800))));
        let deep = path(&"a/".repeat(200));
        assert!(matches!(deep.resolve(&"b/".repeat(200)), Err(PathError::TooLong(_))));
    }

    #[test]
    fn a_folder_holds_its_own_only() {
        assert!(path("a/b").is_in(&path("a")));
        assert!(path("a").is_in(&path("a")));
        assert!(path("a").is_in(&LabPath::root()));
        assert!(!path("ab/c").is_in(&path("a")));
        assert_eq!(path("a/b/c").below(&path("a")), Some(path("b/c")));
        assert_eq!(path("a").below(&LabPath::root()), Some(path("a")));
        assert_eq!(path("a").below(&path("a")), None);
        assert_eq!(path("ab/c").below(&path("a")), None);
    }

    #[test]
    fn a_path_that_is_sent_is_looked_at() {
        let read = |text: &str| serde_json::from_value::<LabPath>(text.into());
        assert_eq!(read("./a//b/../c/").unwrap(), path("a/c"));
        assert_eq!(serde_json::to_value(path("a/c")).unwrap(), "a/c");
        for bad in ["../a", "/a", "a\\b", "C:a", &"a".repeat(LabPath::LONGEST + 1)] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&"a".repeat(LabPath::LONGEST)).is_ok());
        let message = LabPath::parse(&format!("/{}", "ü".repeat(200))).unwrap_err().to_string();
        assert!(message.chars().count() < 150, "{message}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_resolved_stays_inside(folder in "[a-c/.]{0,9}", reference in "[a-c/.]{0,14}") {
            let Ok(folder) = LabPath::root().resolve(&folder) else { return Ok(()) };
            if let Ok(found) = folder.resolve(&reference) {
                let parts = found.as_str().split('/');
                proptest::prop_assert!(parts.clone().all(|part| part != ".." && part != "."), "{}", found);
                proptest::prop_assert!(found == LabPath::root() || parts.clone().all(|part| !part.is_empty()));
                proptest::prop_assert_eq!(LabPath::parse(found.as_str()), Ok(found.clone()));
                proptest::prop_assert!(found.is_in(&found.parent()));
            }
        }
    }
}
