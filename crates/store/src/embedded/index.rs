//! What the writer knows of every document without asking the database: who wrote it and when. Pure.
//!
//! Changes of an unfinished group can be taken back.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Compare, Expectation, LeaseId, Revision};

/// A document without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub created: Revision,
    pub modified: Revision,
    pub lease: Option<LeaseId>,
}

/// All documents, without their contents.
#[derive(Debug, Default)]
pub(super) struct Index {
    documents: HashMap<Arc<str>, Known>,
    undo: Vec<(Arc<str>, Option<Known>)>,
}

impl Index {
    /// An index of these documents.
    pub(super) fn new(documents: HashMap<Arc<str>, Known>) -> Self {
        Self { documents, undo: Vec::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Known> {
        self.documents.get(key)
    }

    /// The first compare that doesn't hold.
    pub(super) fn conflict<'a>(&self, compares: &'a [Compare]) -> Option<&'a Compare> {
        compares.iter().find(|compare| {
            let known = self.get(&compare.key);
            !match compare.expectation {
                Expectation::Absent => known.is_none(),
                Expectation::Exists => known.is_some(),
                Expectation::Unchanged(revision) => known.is_some_and(|known| known.modified == revision),
            }
        })
    }

    pub(super) fn put(&mut self, key: &Arc<str>, known: Known) {
        let before = self.documents.insert(Arc::clone(key), known);
        self.undo.push((Arc::clone(key), before));
    }

    pub(super) fn delete(&mut self, key: &Arc<str>) {
        let before = self.documents.remove(key);
        self.undo.push((Arc::clone(key), before));
    }

    /// The documents that bear the lease.
    pub(super) fn bearing(&self, lease: LeaseId) -> Vec<Arc<str>> {
        let mut keys: Vec<_> = self
            .documents
            .iter()
            .filter(|(_, known)| known.lease == Some(lease))
            .map(|(key, _)| Arc::clone(key))
            .collect();
        keys.sort_unstable();
        keys
    }

    /// Makes what happened since the last call final.
    pub(super) fn settle(&mut self) {
        self.undo.clear();
    }

    /// Takes back what happened since [`Index::settle`].
    pub(super) fn take_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(known) => self.documents.insert(key, known),
                None => self.documents.remove(&key),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transaction;

    fn known(revision: u64) -> Known {
        Known { created: Revision::new(1), modified: Revision::new(revision), lease: None }
    }

    #[test]
    fn takes_back_only_what_is_not_settled() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut index = Index::default();
        index.put(&a, known(1));
        index.settle();
        index.put(&a, known(2));
        index.delete(&a);
        index.put(&b, known(3));
        index.put(&a, known(4));
        index.take_back();
        assert_eq!(index.get("a"), Some(&known(1)));
        assert_eq!(index.get("b"), None);
    }

    #[test]
    fn names_the_first_compare_that_fails() {
        let index = Index::new(HashMap::from([("a".into(), known(7))]));
        let revision = Revision::new(7);
        let holds = Transaction::new().exists("a").unchanged("a", revision).absent("b");
        assert_eq!(index.conflict(&holds.compares), None);
        let fails = Transaction::new().exists("a").unchanged("a", Revision::new(6)).exists("b");
        assert_eq!(index.conflict(&fails.compares), fails.compares.get(1));
        let fails = Transaction::new().absent("b").unchanged("b", Revision::ZERO);
        assert_eq!(index.conflict(&fails.compares), fails.compares.get(1));
    }
}
