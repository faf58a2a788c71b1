//! Where documents lie in etcd: under a root of their own, so that several may share it. Pure.

use std::ops::Range;
use std::sync::Arc;

use super::messages::KeyValue;
use crate::{Entry, Error, LeaseId, Result, Revision};

/// etcd's name for the end of all keys.
const ALL_KEYS: &[u8] = b"\0";

/// Turns keys of documents into etcd's and back, and revisions as well.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    root: Arc<str>,
    /// What is added to etcd's revisions, so that those of a store that was copied here go on rising.
    base: u64,
}

impl Keys {
    /// Documents whose keys in etcd are these with `root` before them.
    pub(super) fn new(root: &str) -> Self {
        Self { root: root.into(), base: 0 }
    }

    /// The same, with so much added to etcd's revisions.
    pub(super) fn above(self, base: Revision) -> Self {
        Self { base: base.value(), ..self }
    }

    /// The revision that all of ours are above.
    pub(super) fn base(&self) -> Revision {
        Revision::new(self.base)
    }

    /// A revision of etcd's, which are never negative, as ours.
    pub(super) fn revision(&self, etcds: i64) -> Revision {
        Revision::new(u64::try_from(etcds).unwrap_or_default().saturating_add(self.base))
    }

    /// One of ours as etcd's; less than one if it is older than this store.
    pub(super) fn etcds(&self, revision: Revision) -> i64 {
        signed(revision.value().saturating_sub(self.base))
    }

    /// A document's key in etcd.
    pub(super) fn full(&self, key: &str) -> Vec<u8> {
        [self.root.as_bytes(), key.as_bytes()].concat()
    }

    /// The keys in etcd of documents that begin with `prefix`, and come after `after`.
    pub(super) fn range(&self, prefix: &str, after: Option<&str>) -> Range<Vec<u8>> {
        let first = match after {
            Some(after) if after >= prefix => self.full(&format!("{after}\0")),
            _ => self.full(prefix),
        };
        let end = end_of(&self.full(prefix));
        // An empty key means none to etcd, a zero the first of all.
        if first.is_empty() { ALL_KEYS.to_vec()..end } else { first..end }
    }

    /// The key of a document.
    pub(super) fn own(&self, full: &[u8]) -> Result<Arc<str>> {
        let refused = |reason| Error::InvalidKey { key: String::from_utf8_lossy(full).into_owned(), reason };
        let rest = full.strip_prefix(self.root.as_bytes()).ok_or_else(|| refused("it is not under the prefix"))?;
        std::str::from_utf8(rest).map(Arc::from).map_err(|_| refused("it is not UTF-8"))
    }

    /// The document that etcd tells of.
    pub(super) fn entry(&self, found: KeyValue) -> Result<Entry> {
        Ok(Entry {
            key: self.own(&found.key)?,
            value: found.value.into(),
            created: self.revision(found.create_revision),
            modified: self.revision(found.mod_revision),
            lease: u64::try_from(found.lease).ok().filter(|lease| *lease != 0).map(LeaseId::new),
        })
    }
}

/// The first key after all that begin with `prefix`.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    ALL_KEYS.to_vec()
}

/// A number as etcd wants it. What is beyond its range is as far as it can be.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_begin_after_and_end_with_the_prefix() {
        let keys = Keys::new("p/");
        assert_eq!(keys.range("a/", None), b"p/a/".to_vec()..b"p/a0".to_vec());
        assert_eq!(keys.range("a/", Some("a/1")), b"p/a/1\0".to_vec()..b"p/a0".to_vec());
        assert_eq!(keys.range("a/", Some("A")), b"p/a/".to_vec()..b"p/a0".to_vec(), "after may be before it all");
        assert_eq!(keys.range("", None), b"p/".to_vec()..b"p0".to_vec());
        assert_eq!(Keys::new("").range("", None), b"\0".to_vec()..b"\0".to_vec());
        assert_eq!(end_of(&[1, 0xff, 0xff]), [2]);
        assert_eq!(end_of(&[0xff]), b"\0");
    }

    #[test]
    fn entries_are_told_without_the_root() {
        let keys = Keys::new("p/");
        let found = KeyValue { key: keys.full("é"), create_revision: 3, mod_revision: 7, value: vec![1], lease: 9 };
        let entry = keys.entry(found.clone()).unwrap();
        assert_eq!((&*entry.key, entry.created, entry.modified), ("é", Revision::new(3), Revision::new(7)));
        assert_eq!(entry.lease, Some(LeaseId::new(9)));
        assert_eq!(keys.entry(KeyValue { lease: 0, ..found }).unwrap().lease, None);
        for foreign in [&b"q/a"[..], b"p/\xff"] {
            assert!(matches!(keys.own(foreign), Err(Error::InvalidKey { .. })), "{foreign:?}");
        }
    }

    #[test]
    fn numbers_stay_in_range() {
        assert_eq!((signed(u64::MAX), signed(5)), (i64::MAX, 5));
        let (keys, above) = (Keys::new(""), Keys::new("").above(Revision::new(100)));
        assert_eq!((keys.revision(-1), keys.revision(7)), (Revision::ZERO, Revision::new(7)));
        assert_eq!((above.revision(7), above.etcds(Revision::new(107))), (Revision::new(107), 7));
        assert_eq!((above.etcds(Revision::new(100)), above.etcds(Revision::new(7))), (0, 0), "older than the store");
    }
}
