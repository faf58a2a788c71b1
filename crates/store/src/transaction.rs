//! What is to be compared and written at once, and the bounds it must keep. Pure.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use crate::{Error, LeaseId, MAX_KEY_BYTES, MAX_OPERATIONS, MAX_TRANSACTION_BYTES, Result, Revision};

/// A condition on one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compare {
    /// The key.
    pub key: Arc<str>,
    /// What must hold.
    pub expectation: Expectation,
}

/// What a [`Compare`] demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// There is no such document.
    Absent,
    /// There is one.
    Exists,
    /// It was last written by exactly this revision.
    Unchanged(Revision),
}

/// A change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Writes the document; it bears this lease from now on, or none.
    Put {
        /// The key.
        key: Arc<str>,
        /// The content.
        value: Arc<[u8]>,
        /// The lease.
        lease: Option<LeaseId>,
    },
    /// Deletes the document, if there is one.
    Delete {
        /// The key.
        key: Arc<str>,
    },
}

impl Write {
    /// The key that it changes.
    pub fn key(&self) -> &Arc<str> {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Delete { key } => key.len(),
        }
    }
}

/// Compares and writes that happen together or not at all. Built by chaining.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a transaction does nothing until it is committed"]
pub struct Transaction {
    /// All must hold; checked in this order, before anything is written.
    pub compares: Vec<Compare>,
    /// All happen at one revision; each key at most once.
    pub writes: Vec<Write>,
}

impl Transaction {
    /// One that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that there is no document at `key`.
    pub fn absent(self, key: impl Into<Arc<str>>) -> Self {
        self.compare(key, Expectation::Absent)
    }

    /// Demands that there is a document at `key`.
    pub fn exists(self, key: impl Into<Arc<str>>) -> Self {
        self.compare(key, Expectation::Exists)
    }

    /// Demands that the document at `key` was last written by `revision` ([`crate::Entry::modified`]).
    pub fn unchanged(self, key: impl Into<Arc<str>>, revision: Revision) -> Self {
        self.compare(key, Expectation::Unchanged(revision))
    }

    /// Writes a document that bears no lease.
    pub fn put(self, key: impl Into<Arc<str>>, value: impl Into<Arc<[u8]>>) -> Self {
        self.write(Write::Put { key: key.into(), value: value.into(), lease: None })
    }

    /// Writes a document that vanishes when `lease` ends.
    pub fn put_leased(self, key: impl Into<Arc<str>>, value: impl Into<Arc<[u8]>>, lease: LeaseId) -> Self {
        self.write(Write::Put { key: key.into(), value: value.into(), lease: Some(lease) })
    }

    /// Writes a document as JSON.
    ///
    /// # Errors
    /// [`Error::Encode`] if `value` has no JSON form.
    pub fn put_json<T: Serialize + ?Sized>(self, key: impl Into<Arc<str>>, value: &T) -> Result<Self> {
        let key = key.into();
        let value = serde_json::to_vec(value)
            .map_err(|source| Error::Encode { key: key.to_string(), source: Arc::new(source) })?;
        Ok(self.put(key, value))
    }

    /// Deletes the document at `key`, if there is one.
    pub fn delete(self, key: impl Into<Arc<str>>) -> Self {
        self.write(Write::Delete { key: key.into() })
    }

    /// The bytes of all keys and values, as [`MAX_TRANSACTION_BYTES`] counts them.
    pub fn bytes(&self) -> usize {
        let compares: usize = self.compares.iter().map(|compare| compare.key.len()).sum();
        let writes: usize = self.writes.iter().map(Write::bytes).sum();
        compares + writes
    }

    /// Whether every store can take it.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::InvalidKey`] or [`Error::DuplicateWrite`].
    pub fn check(&self) -> Result<()> {
        within("operations of a transaction", self.compares.len() + self.writes.len(), MAX_OPERATIONS)?;
        within("bytes of a transaction", self.bytes(), MAX_TRANSACTION_BYTES)?;
        for compare in &self.compares {
            check_key(&compare.key)?;
        }
        for write in &self.writes {
            check_key(write.key())?;
        }
        self.check_distinct()
    }

    fn check_distinct(&self) -> Result<()> {
        if self.writes.len() < 2 {
            return Ok(());
        }
        let mut seen = HashSet::with_capacity(self.writes.len());
        match self.writes.iter().find(|write| !seen.insert(write.key())) {
            Some(write) => Err(Error::DuplicateWrite { key: write.key().to_string() }),
            None => Ok(()),
        }
    }

    fn compare(mut self, key: impl Into<Arc<str>>, expectation: Expectation) -> Self {
        self.compares.push(Compare { key: key.into(), expectation });
        self
    }

    fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

fn check_key(key: &str) -> Result<()> {
    within("bytes of a key", key.len(), MAX_KEY_BYTES)?;
    let reason = if key.is_empty() {
        "it is empty"
    } else if key.chars().any(char::is_control) {
        "it holds a control character"
    } else {
        return Ok(());
    };
    Err(Error::InvalidKey { key: key.to_owned(), reason })
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<()> {
    if actual > limit { Err(Error::TooLarge { what, limit, actual }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        let full = (0..MAX_OPERATIONS).fold(Transaction::new(), |all, n| all.put(format!("k{n}"), *b"v"));
        assert!(full.check().is_ok());
        assert!(matches!(full.exists("one more").check(), Err(Error::TooLarge { limit: MAX_OPERATIONS, .. })));

        let value = vec![0; MAX_TRANSACTION_BYTES - 1];
        assert!(Transaction::new().put("k", value.clone()).check().is_ok());
        assert!(matches!(
            Transaction::new().put("kk", value).check(),
            Err(Error::TooLarge { limit: MAX_TRANSACTION_BYTES, .. })
        ));

        assert!(Transaction::new().delete("k".repeat(MAX_KEY_BYTES)).check().is_ok());
        assert!(matches!(
            Transaction::new().absent("k".repeat(MAX_KEY_BYTES + 1)).check(),
            Err(Error::TooLarge { limit: MAX_KEY_BYTES, .. })
        ));
    }

    #[test]
    fn keys_that_cannot_be_are_refused() {
        for key in ["", "a\0b", "a\nb", "\u{85}"] {
            let refused = Transaction::new().put(key, *b"v").check();
            assert!(matches!(refused, Err(Error::InvalidKey { .. })), "{key:?}: {refused:?}");
        }
    }

    #[test]
    fn a_key_is_written_once() {
        let twice = Transaction::new().put("a", *b"1").put("b", *b"1").delete("a");
        assert!(matches!(twice.check(), Err(Error::DuplicateWrite { key }) if key == "a"));
        assert!(Transaction::new().absent("a").exists("a").put("a", *b"1").check().is_ok());
    }
}
