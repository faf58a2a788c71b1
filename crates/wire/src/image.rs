//! Images: archives that were sent in, what hosts have, and how far a spread is.

use serde::{Deserialize, Serialize};

/// An image of the pool, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageView {
    /// Its id: `sha256:` and 64 digits.
    pub id: String,
    /// Its names.
    pub tags: Vec<String>,
    /// Its size on a host, or that of its archive if no host has it, in bytes.
    pub size: u64,
    /// Its archive, if it was sent in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveView>,
    /// The hosts that have it.
    pub engines: Vec<String>,
    /// Hosts that did not tell what they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<String>,
}

/// An archive that somebody sent in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArchiveView {
    /// The names that the pool's hosts take from it.
    pub tags: Vec<String>,
    /// Its size, unpacked, in bytes.
    pub size: u64,
    /// When it came (RFC 3339).
    pub uploaded_at: String,
    /// Who sent it.
    pub uploaded_by: String,
}

/// One line of the answer of `POST /api/images/{id}/spread`: what is new of one host. The last one of each host says
/// `done` or `failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SpreadView {
    /// The host.
    pub engine: String,
    /// `waiting`, `loading`, `done` or `failed`.
    pub state: String,
    /// The share that is done, 0 to 100.
    pub percent: u8,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl SpreadView {
    /// Whether nothing more will be told of this host.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state == "done" || self.has_failed()
    }

    /// Whether the image could not be brought there.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state == "failed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_it_is_the_last_of_its_host() {
        let ended = |state: &str| {
            let text = format!(r#"{{"engine":"e1","state":"{state}","percent":5}}"#);
            serde_json::from_str::<SpreadView>(&text).unwrap().has_ended()
        };
        assert!(ended("done") && ended("failed") && !ended("waiting") && !ended("loading"));
    }

    #[test]
    fn what_is_absent_is_not_sent() {
        let image = ImageView {
            id: "sha256:00".to_owned(),
            tags: vec![],
            size: 0,
            archive: None,
            engines: vec![],
            silent: vec![],
        };
        let text = serde_json::to_string(&image).unwrap();
        assert_eq!(text, r#"{"id":"sha256:00","tags":[],"size":0,"engines":[]}"#);
        assert_eq!(serde_json::from_str::<ImageView>(&text).unwrap(), image);
    }
}
