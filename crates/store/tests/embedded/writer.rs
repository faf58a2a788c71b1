//! The one writer of an embedded store: groups, readers beside it, the length of its history.

use std::sync::Arc;
use std::time::Duration;

use pierhead_store::{Embedded, Error, LeaseId, Revision, Store, Transaction};
use rusqlite::Connection;
use tempfile::TempDir;

fn open() -> (TempDir, Arc<Embedded>, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(directory.path()).unwrap());
    let beside = Connection::open(directory.path().join("store.db")).unwrap();
    (directory, store, beside)
}

/// While somebody else holds the database's write lock, requests queue up; then they are one group.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refused_leave_the_others_of_their_group_alone() {
    let (_directory, store, beside) = open();
    store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let group = [
        Transaction::new().put("b", *b"1"),
        Transaction::new().absent("b").put("c", *b"1"),
        Transaction::new().exists("b").put("d", *b"1").delete("a"),
        Transaction::new().put("e", *b"1").put_leased("e2", *b"1", LeaseId::new(7)),
        Transaction::new().exists("a").put("f", *b"1"),
        Transaction::new().put("b", *b"2"),
    ];
    let mut answers = Vec::new();
    for transaction in group {
        let mut answer = store.commit(transaction);
        // Polled once each, they stand in the queue in this order.
        let early = tokio::time::timeout(Duration::ZERO, &mut answer).await;
        assert!(early.is_err(), "nothing can be durable yet: {early:?}");
        answers.push(answer);
    }
    let entry = store.get("a").await.unwrap();
    assert!(entry.is_some(), "readers go on");
    beside.execute_batch("COMMIT").unwrap();

    let mut told = Vec::new();
    for answer in answers {
        told.push(match answer.await {
            Ok(revision) => revision.to_string(),
            Err(Error::Conflict { key }) => format!("conflict {key}"),
            Err(Error::LeaseGone { .. }) => "lease gone".to_owned(),
            Err(error) => panic!("{error}"),
        });
    }
    assert_eq!(told, ["2", "conflict b", "3", "lease gone", "conflict a", "4"]);
    let keys: Vec<_> = store.list_all("").await.unwrap().entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["b".into(), "d".into()]);
}

async fn fill(store: &Embedded, commits: u64) -> Revision {
    let mut last = Revision::ZERO;
    for number in 0..commits {
        let value = number.to_string().into_bytes();
        let transaction = (0..100).fold(Transaction::new(), |all, key| all.put(format!("k{key}"), value.clone()));
        last = store.commit(transaction).await.unwrap();
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_bounded() {
    let (directory, store, beside) = open();
    let mut slow = store.watch("k1", Revision::ZERO).await.unwrap();
    let mut lagging = store.watch("k1", Revision::ZERO).await.unwrap();
    let last = fill(&store, 1100).await;
    let changes: i64 = beside.query_row("SELECT count(*) FROM history", [], |row| row.get(0)).unwrap();
    assert!((100_000..=101_100).contains(&changes), "{changes}");

    let Err(Error::Compacted { oldest }) = slow.next().await else { panic!("it lagged too far") };
    assert!(oldest > Revision::ZERO && oldest < last);
    assert!(
        matches!(store.watch("", oldest).await.unwrap().next().await, Ok(changes) if changes.revision == oldest.next())
    );
    assert!(matches!(store.watch("", Revision::ZERO).await, Err(Error::Compacted { .. })));
    drop(lagging);
    drop(store);

    // A new process knows how much is there.
    let store = Embedded::open(directory.path()).unwrap();
    lagging = store.watch("k1", oldest).await.unwrap();
    assert_eq!(lagging.next().await.unwrap().revision, oldest.next());
    fill(&store, 100).await;
    let changes: i64 = beside.query_row("SELECT count(*) FROM history", [], |row| row.get(0)).unwrap();
    assert!((100_000..=101_100).contains(&changes), "{changes}");
}

/// Nobody writes while the lock is held elsewhere; requests wait without piling up in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_is_bounded() {
    let (_directory, store, beside) = open();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    for number in 0..40 {
        let mut answer = store.commit(Transaction::new().put(format!("k{number}"), vec![1; 1_000_000]));
        // Polled once each, they stand in the queue or wait for room in it.
        let early = tokio::time::timeout(Duration::ZERO, &mut answer).await;
        assert!(early.is_err(), "nothing can be durable yet: {early:?}");
        waiting.push(answer);
    }
    // The queue's room is taken, so even a small request waits outside, and can be withdrawn without a trace.
    let withdrawn = store.commit(Transaction::new().put("withdrawn", *b"1"));
    assert!(tokio::time::timeout(Duration::from_millis(300), withdrawn).await.is_err());
    beside.execute_batch("COMMIT").unwrap();
    for answer in waiting {
        answer.await.unwrap();
    }
    assert!(store.get("withdrawn").await.unwrap().is_none());
    assert_eq!(store.list_all("k").await.unwrap().entries.len(), 40);
}
