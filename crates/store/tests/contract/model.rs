//! Random transactions, told to the store and to a model of a few lines; both must agree on everything.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use pierhead_store::{Change, Changes, Entry, Error, Expectation, Revision, Store, Transaction, Write};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Subject, next};

#[derive(Debug, Clone)]
enum Step {
    Absent(usize),
    Exists(usize),
    /// The document as it was that many commits ago.
    Unchanged(usize, usize),
    Put(usize, u8),
    Delete(usize),
}

const KEYS: [&str; 5] = ["a", "a/", "a/b", "a0", "é"];

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let key = 0..KEYS.len();
    let step = prop_oneof![
        1 => key.clone().prop_map(Step::Absent),
        1 => key.clone().prop_map(Step::Exists),
        2 => (key.clone(), 0..3_usize).prop_map(|(key, ago)| Step::Unchanged(key, ago)),
        6 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key.prop_map(Step::Delete),
    ];
    prop::collection::vec(prop::collection::vec(step, 0..6), 1..30)
}

#[derive(Default)]
struct Model {
    revision: Revision,
    documents: BTreeMap<String, Entry>,
    log: Vec<Changes>,
}

impl Model {
    /// `next` is the revision that the store gave, if it made one.
    fn commit(&mut self, transaction: &Transaction, next: Revision) -> Result<Revision, String> {
        for compare in &transaction.compares {
            let found = self.documents.get(&*compare.key);
            let holds = match compare.expectation {
                Expectation::Absent => found.is_none(),
                Expectation::Exists => found.is_some(),
                Expectation::Unchanged(revision) => found.is_some_and(|entry| entry.modified == revision),
            };
            if !holds {
                return Err(compare.key.to_string());
            }
        }
        let mut changes = Vec::new();
        for write in &transaction.writes {
            let key = write.key().to_string();
            let before = self.documents.remove(&key);
            let entry = match write {
                Write::Put { key: same, value, lease } => Some(Entry {
                    key: same.clone(),
                    value: value.clone(),
                    created: before.as_ref().map_or(next, |entry| entry.created),
                    modified: next,
                    lease: *lease,
                }),
                Write::Delete { .. } => None,
            };
            if before.is_some() || entry.is_some() {
                changes.push(Change { key: write.key().clone(), entry: entry.clone() });
            }
            self.documents.extend(entry.map(|entry| (key, entry)));
        }
        if !changes.is_empty() {
            changes.sort_by(|a, b| a.key.cmp(&b.key));
            self.revision = next;
            self.log.push(Changes { revision: next, changes });
        }
        Ok(self.revision)
    }

    fn transaction(&self, steps: &[Step]) -> Transaction {
        let mut transaction = Transaction::new();
        for step in steps {
            transaction = match *step {
                Step::Absent(key) => transaction.absent(KEYS[key]),
                Step::Exists(key) => transaction.exists(KEYS[key]),
                Step::Unchanged(key, ago) => {
                    let past = self.log.iter().rev().flat_map(|commit| &commit.changes);
                    let revisions: Vec<_> = past
                        .filter(|change| *change.key == *KEYS[key])
                        .filter_map(|change| Some(change.entry.as_ref()?.modified))
                        .collect();
                    transaction.unchanged(KEYS[key], revisions.get(ago).copied().unwrap_or_default())
                }
                Step::Put(key, _) | Step::Delete(key)
                    if transaction.writes.iter().any(|write| **write.key() == *KEYS[key]) =>
                {
                    transaction
                }
                Step::Put(key, value) => transaction.put(KEYS[key], [value]),
                Step::Delete(key) => transaction.delete(KEYS[key]),
            };
        }
        transaction
    }
}

async fn run(store: &dyn Store, steps: &[Vec<Step>]) {
    let start = super::present(store).await;
    let mut model = Model { revision: start, ..Model::default() };
    for step in steps {
        let transaction = model.transaction(step);
        let answer = store.commit(transaction.clone()).await;
        let next = *answer.as_ref().unwrap_or(&Revision::ZERO);
        let expected = model.commit(&transaction, next);
        match (answer, expected) {
            (Ok(revision), Ok(expected)) => assert_eq!(revision, expected, "{transaction:?}"),
            (Err(Error::Conflict { key }), Err(expected)) => assert_eq!(key, expected, "{transaction:?}"),
            (answer, expected) => panic!("{transaction:?}: {answer:?}, the model says {expected:?}"),
        }
    }
    assert!(model.log.is_sorted_by(|a, b| a.revision < b.revision));

    let listing = store.list_all("").await.expect("list");
    assert_eq!(listing.revision, model.revision);
    assert_eq!(listing.entries, model.documents.into_values().collect::<Vec<_>>());
    let mut watch = store.watch("", start).await.expect("watch");
    for expected in &model.log {
        let mut changes = next(&mut watch).await;
        changes.changes.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(changes, *expected);
    }
}

/// Opens a fresh store.
type Open = fn() -> Pin<Box<dyn Future<Output = Subject>>>;

pub fn behaves_as_the_model(open: Open) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, deterministic())
        .run(&steps(), |steps| {
            runtime.block_on(async {
                let subject = open().await;
                run(&*subject.store, &steps).await;
            });
            Ok(())
        })
        .expect("the store and the model agree");
}

fn deterministic() -> proptest::test_runner::TestRng {
    proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha)
}
