//! The name of a blob.

use std::fmt;

/// The SHA-256 of a blob's bytes, as 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// Parses one; `None` if it is not 64 such digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_one.then(|| Self(text.to_owned()))
    }

    /// What a hash came to.
    #[must_use]
    pub fn of(hash: [u8; 32]) -> Self {
        Self(hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How the blob's file is called.
    pub(crate) fn file_name(&self) -> String {
        format!("{}{}", self.0, Self::FINISHED)
    }

    /// Which blob a file is, if it is one.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        Self::parse(name.strip_suffix(Self::FINISHED)?)
    }

    /// How the name of a complete file ends.
    const FINISHED: &'static str = ".tar";
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_digest_and_nothing_else() {
        let digest = Digest::of([0x0f; 32]);
        assert_eq!(Digest::parse(&"0f".repeat(32)), Some(digest.clone()));
        assert_eq!(Digest::of_file(&digest.file_name()), Some(digest));
        for bad in ["", "../x", &"0F".repeat(32), &"0g".repeat(32), &"0f".repeat(31), &"é".repeat(32)] {
            assert_eq!(Digest::parse(bad), None, "{bad:?}");
            assert_eq!(Digest::of_file(&format!("{bad}.tar")), None, "{bad:?}");
        }
        assert_eq!(Digest::of_file(&"0f".repeat(32)), None);
    }
}
