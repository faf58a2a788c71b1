//! How the files of two images differ.

use super::tree::{Node, Tree};
use serde::{Deserialize, Serialize};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// Its content, owner, mode or kind is another.
    Changed,
    /// It is not there any more.
    Removed,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its name from the root on, beginning with `/`; what is no text in it is shown as a replacement character.
    pub path: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// Whether it is a folder, or was one.
    pub is_folder: bool,
    /// Its size before, in bytes.
    pub bytes_before: u64,
    /// Its size now, in bytes.
    pub bytes: u64,
}

/// How two images differ.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// How many files and folders were added.
    pub added: u64,
    /// How many were changed.
    pub changed: u64,
    /// How many were removed.
    pub removed: u64,
    /// The first of them, in the order of their names.
    pub first: Vec<Change>,
}

impl Tree {
    /// What is another in this one than in an earlier one; at most so many are named. Of folders that are in both only
    /// owner and mode count.
    #[must_use]
    pub fn since(&self, earlier: &Self, most: usize) -> Changes {
        let mut changes = Changes::default();
        let mut tell = |path: &[u8], kind, before: Option<&Node>, now: Option<&Node>| {
            match kind {
                ChangeKind::Added => changes.added += 1,
                ChangeKind::Changed => changes.changed += 1,
                ChangeKind::Removed => changes.removed += 1,
            }
            if changes.first.len() < most {
                changes.first.push(Change {
                    path: format!("/{}", String::from_utf8_lossy(path)),
                    kind,
                    is_folder: now.or(before).is_some_and(Node::is_folder),
                    bytes_before: before.map_or(0, |node| node.size),
                    bytes: now.map_or(0, |node| node.size),
                });
            }
        };
        let (mut old, mut new) = (earlier.nodes.iter().peekable(), self.nodes.iter().peekable());
        loop {
            match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some((path, before)), next) if next.is_none_or(|(other, _)| path < other) => {
                    tell(path, ChangeKind::Removed, Some(before), None);
                    old.next();
                }
                (next, Some((path, now))) if next.is_none_or(|(other, _)| path < other) => {
                    tell(path, ChangeKind::Added, None, Some(now));
                    new.next();
                }
                _ => {
                    let (Some((path, before)), Some((_, now))) = (old.next(), new.next()) else { break };
                    if before != now {
                        tell(path, ChangeKind::Changed, Some(before), Some(now));
                    }
                }
            }
        }
        changes
    }
}
