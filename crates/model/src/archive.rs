//! Image archives that people sent in: what is remembered of each.

use crate::{ImageReference, Invalid, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The id of an image: the digest of its configuration, as engines tell it (`sha256:` and 64 digits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageId(String);

impl ImageId {
    /// Parses an id, with or without `sha256:` before its digits.
    ///
    /// # Errors
    /// [`Invalid`] if it is not 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(format!("sha256:{digits}")))
        } else {
            Err(Invalid::new("image id", "sha256: and 64 hexadecimal digits"))
        }
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its digits alone.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// The reference by which an engine finds exactly this image, whatever it is called.
    #[must_use]
    pub fn reference(&self) -> ImageReference {
        ImageReference::parse(&self.0).expect("a name, a colon and a tag of 64 digits are a reference")
    }
}

impl TryFrom<String> for ImageId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<ImageId> for String {
    fn from(id: ImageId) -> String {
        id.0
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The record of an archive that somebody sent in: one image, whose bytes lie in a file beside the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageArchive {
    /// The image.
    pub id: ImageId,
    /// The names that it has in the pool. The newest upload of a name has it, so there may be none left.
    pub tags: BTreeSet<ImageReference>,
    /// The digest of the file, which is its name too.
    pub file: String,
    /// How much of the file holds the archive's entries, in bytes; what follows is its end mark.
    pub entries_bytes: u64,
    /// The size of the file, in bytes.
    pub size_bytes: u64,
    /// Which entry is the image's configuration.
    pub config: String,
    /// Which entries are its layers, the lowest first.
    pub layers: Vec<String>,
    /// The digests of its layers, the lowest first; none in a record of before they were kept.
    #[serde(default)]
    pub diff_ids: Vec<String>,
    /// The size of each of them, in bytes.
    #[serde(default)]
    pub layer_bytes: Vec<u64>,
    /// When it came, or was sent in again.
    pub uploaded_at: Timestamp,
    /// Who sent it.
    pub uploaded_by: Username,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_digest_before_it() {
        let digits = "0f".repeat(32);
        let id = ImageId::parse(&digits).unwrap();
        assert_eq!(id, ImageId::parse(&format!("sha256:{digits}")).unwrap());
        assert_eq!((id.digits(), id.reference().as_str()), (digits.as_str(), id.as_str()));
        for bad in ["", "sha256:", "sha256:12", &"0F".repeat(32), &"0g".repeat(32), &"é".repeat(32)] {
            assert!(ImageId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
