//! Files of containers: how they are named, what is known of them, and what may be asked of them. Names are bytes, as the
//! kernel has them; as text, `%` and what is no UTF-8 stand as `%` and two hexadecimal digits. Nothing is opened here.

use crate::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// The longest path, in bytes.
const LONGEST_PATH: usize = 4095;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 255;
const PATH_FORM: &str = "a path that begins with / and has no '..' in it, 4095 bytes at most; % is written %25, and a byte that is no UTF-8 % and its two hexadecimal digits";
const NAME_FORM: &str = "1 to 255 bytes without /, neither . nor ..";

/// Where a file is in a container: an absolute path without `.`, `..` and empty parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(Vec<u8>);

/// The name of a file in its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(Vec<u8>);

/// What something with a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Bytes.
    File,
    /// Other files.
    Folder,
    /// The path of another file.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// A file as it is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name; `None` of the root of all.
    pub name: Option<FileName>,
    /// What it is.
    pub kind: FileKind,
    /// How many bytes it has.
    pub size: u64,
    /// Who may do what, the lowest twelve bits.
    pub mode: u32,
    /// When its bytes were changed last.
    pub modified: Timestamp,
    /// Another one whenever its bytes were changed.
    pub tag: String,
    /// Where a link leads, as far as it is text.
    pub target: Option<String>,
    /// What is there; `None` if nothing is, and of what is no link.
    pub leads_to: Option<FileKind>,
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileListing {
    /// Its files, by their names.
    pub entries: Vec<FileEntry>,
    /// Whether there are more than are told.
    pub has_more: bool,
}

/// How a folder is packed into one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveForm {
    /// As `tar` does.
    Tar,
    /// As `zip` does.
    Zip,
}

/// What must be at a path for it to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileBefore {
    /// Whatever is there.
    Any,
    /// Nothing.
    Absent,
    /// A file with this tag.
    Tagged(String),
}

/// What may be asked of a container's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FileAct {
    /// What is in a folder.
    List {
        /// The folder.
        path: FilePath,
    },
    /// The bytes of a file.
    Read {
        /// The file.
        path: FilePath,
    },
    /// A file or a folder with all that is in it, as one file.
    Pack {
        /// The folder.
        path: FilePath,
        /// In which form.
        form: ArchiveForm,
    },
    /// A file with the bytes that follow, in place of what was there.
    Write {
        /// The file.
        path: FilePath,
        /// What must be there.
        before: FileBefore,
        /// Who may do what, the lowest nine bits; as before, or 0644, if absent.
        mode: Option<u32>,
        /// Whether folders are made that are missing on the way.
        parents: bool,
        /// How many bytes follow, if that is known.
        size: Option<u64>,
    },
    /// An empty folder.
    MakeFolder {
        /// The folder.
        path: FilePath,
        /// Whether folders are made that are missing on the way, and one that is there is good too.
        parents: bool,
    },
    /// Another name, or another folder.
    Move {
        /// What is moved; a link itself.
        path: FilePath,
        /// What it is called then.
        to: FilePath,
        /// Whether a file that is there is replaced.
        replaces: bool,
    },
    /// Nothing any more.
    Remove {
        /// What is removed; a link itself.
        path: FilePath,
        /// Whether a folder goes with all that is in it.
        recursive: bool,
    },
}

/// What is told of what was done; bytes that are asked for follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileTold {
    /// What is in the folder.
    Listing(FileListing),
    /// The file as it is now.
    Entry(FileEntry),
    /// Nothing more.
    Done,
}

impl FileAct {
    /// Whether it changes something.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::List { .. } | Self::Read { .. } | Self::Pack { .. })
    }
}

impl FilePath {
    /// The root of all.
    #[must_use]
    pub fn root() -> Self {
        Self(b"/".to_vec())
    }

    /// Parses a text.
    ///
    /// # Errors
    /// [`Invalid`], which says what a path must be.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bytes = decoded(text).ok_or_else(invalid_path)?;
        Self::of_bytes(&bytes)
    }

    /// The path of these bytes.
    ///
    /// # Errors
    /// As [`FilePath::parse`].
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        if bytes.first() != Some(&b'/') || bytes.len() > LONGEST_PATH || bytes.contains(&0) {
            return Err(invalid_path());
        }
        let mut path = Vec::with_capacity(bytes.len());
        for part in bytes.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".") {
            if part == b".." || part.len() > LONGEST_NAME {
                return Err(invalid_path());
            }
            path.push(b'/');
            path.extend_from_slice(part);
        }
        Ok(if path.is_empty() { Self::root() } else { Self(path) })
    }

    /// The bytes; the first one is `/`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The folder and the name in it; `None` of the root.
    #[must_use]
    pub fn split(&self) -> Option<(Self, FileName)> {
        let at = self.0.iter().rposition(|byte| *byte == b'/')?;
        let name = FileName::of_bytes(&self.0[at + 1..]).ok()?;
        Some((if at == 0 { Self::root() } else { Self(self.0[..at].to_vec()) }, name))
    }

    /// What is called so in this folder.
    #[must_use]
    pub fn join(&self, name: &FileName) -> Self {
        let mut path = if self.0.len() == 1 { Vec::new() } else { self.0.clone() };
        path.push(b'/');
        path.extend_from_slice(&name.0);
        Self(path)
    }

    /// Whether it is this one or in it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        let rest = self.0.strip_prefix(folder.0.as_slice());
        folder.0.len() == 1 || rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

impl FileName {
    /// Parses a text.
    ///
    /// # Errors
    /// [`Invalid`], which says what a name must be.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::of_bytes(&decoded(text).ok_or_else(invalid_name)?)
    }

    /// The name of these bytes.
    ///
    /// # Errors
    /// As [`FileName::parse`].
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let is_plain = !bytes.iter().any(|byte| matches!(byte, 0 | b'/'));
        let is_name = !matches!(bytes, b"" | b"." | b"..") && bytes.len() <= LONGEST_NAME;
        if is_plain && is_name { Ok(Self(bytes.to_vec())) } else { Err(invalid_name()) }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As people read it: what is no UTF-8 is replaced.
    #[must_use]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

fn invalid_path() -> Invalid {
    Invalid::new("path of a file", PATH_FORM)
}

fn invalid_name() -> Invalid {
    Invalid::new("name of a file", NAME_FORM)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let digit = |digit: u8| char::from(digit).to_digit(16);
            bytes.push(u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Some(bytes)
}

fn encode(bytes: &[u8], f: &mut impl Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        let mut parts = chunk.valid().split('%');
        f.write_str(parts.next().unwrap_or_default())?;
        for part in parts {
            write!(f, "%25{part}")?;
        }
        for byte in chunk.invalid() {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(&self.0, f)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode(&self.0, f)
    }
}

impl TryFrom<String> for FilePath {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for FileName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.to_string()
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_absolute_and_leads_nowhere_else() {
        for (text, path) in [
            ("/", "/"),
            ("//", "/"),
            ("/srv/ann/", "/srv/ann"),
            ("/srv//./ann", "/srv/ann"),
            ("/..a/b..", "/..a/b.."),
            ("/new\nline", "/new\nline"),
            ("/100%25", "/100%25"),
            ("/%73rv", "/srv"),
            ("/%ff%FE", "/%FF%FE"),
            ("/文件", "/文件"),
        ] {
            assert_eq!(FilePath::parse(text).unwrap().to_string(), path, "{text}");
        }
        let (long, long_name) = ("/a".repeat(2048), format!("/{}", "a".repeat(256)));
        for bad in
            ["", "home", "~/x", "/..", "/a/../b", "/a/..", "/%2e%2E/a", "/a%00", "/a\0", "/%", "/%4", "/%+1", "/%é"]
        {
            assert!(FilePath::parse(bad).is_err(), "{bad:?}");
        }
        assert!(FilePath::parse(&long).is_err() && FilePath::parse(&long_name).is_err());
        assert_eq!(FilePath::parse("/a%2Fb").unwrap().to_string(), "/a/b", "no name holds a slash");
    }

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        let path = FilePath::parse("/srv/ann").unwrap();
        let (folder, name) = path.split().unwrap();
        assert_eq!((folder.to_string().as_str(), name.shown().as_str()), ("/srv", "ann"));
        assert_eq!(folder.join(&name), path);
        let (root, home) = folder.split().unwrap();
        assert_eq!((root.clone(), root.join(&home)), (FilePath::root(), folder.clone()));
        assert!(root.split().is_none());
        let beside = FilePath::parse("/srvs").unwrap();
        assert!(path.is_within(&folder) && folder.is_within(&folder) && beside.is_within(&root));
        assert!(!beside.is_within(&folder) && !folder.is_within(&path));
    }

    #[test]
    fn a_name_is_of_one_folder() {
        for bad in ["", ".", "..", "a/b", "a%2fb", "%00"] {
            assert!(FileName::parse(bad).is_err(), "{bad:?}");
        }
        let odd = FileName::of_bytes(b"a\xffb%").unwrap();
        assert_eq!((odd.to_string().as_str(), odd.shown().as_str()), ("a%FFb%25", "a\u{fffd}b%"));
    }

    #[test]
    fn what_is_asked_has_these_fields_and_no_others() {
        let act: FileAct = serde_json::from_str(r#"{"list":{"path":"/a/./b"}}"#).unwrap();
        assert_eq!(act, FileAct::List { path: FilePath::parse("/a/b").unwrap() });
        assert!(!act.is_change());
        for bad in [r#"{"list":{"path":"/..","x":1}}"#, r#"{"list":{"path":"/..","x":1}}"#, r#"{"exec":{"path":"/"}}"#]
        {
            assert!(serde_json::from_str::<FileAct>(bad).is_err(), "{bad}");
        }
        let remove: FileAct = serde_json::from_str(r#"{"remove":{"path":"/a","recursive":false}}"#).unwrap();
        assert!(remove.is_change());
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_text_that_is_read_as_them(bytes in proptest::collection::vec(1u8.., 1..64)) {
            if let Ok(name) = FileName::of_bytes(&bytes) {
                prop_assert_eq!(name.as_bytes(), bytes.as_slice());
                prop_assert_eq!(&FileName::parse(&name.to_string()).unwrap(), &name);
                let path = FilePath::root().join(&name);
                prop_assert_eq!(FilePath::parse(&path.to_string()).unwrap(), path);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            if let Ok(path) = FilePath::parse(&text) {
                prop_assert_eq!(FilePath::parse(&path.to_string()).unwrap(), path);
            }
        }
    }
}
