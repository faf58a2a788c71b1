//! The list of a lab's files: itself a blob, so that a state of a lab is one digest.

use pierhead_lab::{LabPath, TooMuch, listing};
use pierhead_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::collections::BTreeMap;

/// A file of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabFile {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it may be run as a program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// The files of a lab by their paths. It never changes under its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tree {
    /// The files.
    pub files: BTreeMap<LabPath, LabFile>,
}

/// Why there can be no such files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More than a lab may hold.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// A file is in the way of another's folder.
    #[error("{file} is a file, and {below} would lie in it")]
    InTheWay {
        /// The file.
        file: LabPath,
        /// What would lie in it.
        below: LabPath,
    },
    /// The folder itself is no file.
    #[error("the path of a file is empty")]
    NoName,
}

impl Tree {
    /// These files.
    ///
    /// # Errors
    /// If there are too many or too large ones, or one is in the way of another.
    pub fn new(files: BTreeMap<LabPath, LabFile>) -> Result<Self, TreeError> {
        listing(files.iter().map(|(path, file)| (path.clone(), file.bytes)).collect())?;
        for path in files.keys() {
            if *path == LabPath::root() {
                return Err(TreeError::NoName);
            }
            let mut folder = path.parent();
            while folder != LabPath::root() {
                if files.contains_key(&folder) {
                    return Err(TreeError::InTheWay { file: folder, below: path.clone() });
                }
                folder = folder.parent();
            }
        }
        Ok(Self { files })
    }

    /// As it is kept, and its name.
    pub(crate) fn encode(&self) -> (Vec<u8>, Digest) {
        let bytes = serde_json::to_vec(self).expect("paths and numbers are JSON");
        let digest = digest_of(&bytes);
        (bytes, digest)
    }

    /// All of them with their sizes, in the order of their paths.
    pub(crate) fn list(&self) -> Vec<(LabPath, u64)> {
        self.files.iter().map(|(path, file)| (path.clone(), file.bytes)).collect()
    }
}

/// The name of some bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    of_hash(sha2::Sha256::digest(bytes).into())
}

/// The name that a hash comes to.
pub(crate) fn of_hash(hash: [u8; 32]) -> Digest {
    let digits = pierhead_blobs::Digest::of(hash);
    Digest::parse(digits.as_str()).expect("a SHA-256 has 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_lab::Limits;

    fn path(text: &str) -> LabPath {
        LabPath::parse(text).unwrap()
    }

    fn file(bytes: u64) -> LabFile {
        LabFile { digest: digest_of(b"x"), bytes, executable: false }
    }

    fn tree(paths: &[&str]) -> Result<Tree, TreeError> {
        Tree::new(paths.iter().map(|text| (path(text), file(1))).collect())
    }

    #[test]
    fn the_same_files_have_the_same_name() {
        let (one, other) = (tree(&["b", "a/c"]).unwrap(), tree(&["a/c", "b"]).unwrap());
        assert_eq!(one.encode(), other.encode());
        assert_ne!(one.encode().1, tree(&["a/c"]).unwrap().encode().1);
        assert_eq!(serde_json::from_slice::<Tree>(&one.encode().0).unwrap(), one);
        assert_eq!(digest_of(b"").as_str(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn no_file_is_in_the_way_of_another() {
        assert!(tree(&["a-b", "a/b/c", "a/b-c"]).is_ok());
        let refused = tree(&["a", "a-b", "a/b/c"]).unwrap_err();
        assert_eq!(refused, TreeError::InTheWay { file: path("a"), below: path("a/b/c") });
        assert_eq!(tree(&["", "a"]).unwrap_err(), TreeError::NoName);
    }

    #[test]
    fn there_are_bounds() {
        let big = BTreeMap::from([(path("a"), file(Limits::LAB.file_bytes + 1))]);
        assert!(matches!(Tree::new(big), Err(TreeError::TooMuch(TooMuch::File { .. }))));
        let many = (0..20).map(|number| (path(&number.to_string()), file(Limits::LAB.file_bytes))).collect();
        assert!(matches!(Tree::new(many), Err(TreeError::TooMuch(TooMuch::Bytes(_)))));
    }

    #[test]
    fn a_list_with_a_path_that_leads_out_is_refused() {
        let text = format!(r#"{{"files":{{"../x":{{"digest":"{}","bytes":1}}}}}}"#, "0".repeat(64));
        assert!(serde_json::from_str::<Tree>(&text).is_err());
    }
}
