//! Watches: from which revision, of which keys, in which order, and what compaction does to them.

use std::sync::Arc;
use std::time::Duration;

use pierhead_store::{Error, Revision, Store, Transaction};

use super::{next, present, put, refused_watch, told};

pub async fn from_now_on(store: Arc<dyn Store>) {
    put(&*store, "a", "0").await;
    let mut watch = store.watch("", present(&*store).await).await.unwrap();
    let first = put(&*store, "a", "1").await;
    let gone = store.commit(Transaction::new().delete("a")).await.unwrap();
    let again = put(&*store, "a", "2").await;

    let changes = next(&mut watch).await;
    assert_eq!((changes.revision, told(&changes)), (first, vec!["a=1".to_owned()]));
    let entry = changes.changes[0].entry.clone().unwrap();
    assert_eq!(entry.modified, first);
    assert!(entry.created < first, "it was there before");
    let changes = next(&mut watch).await;
    assert_eq!((changes.revision, told(&changes)), (gone, vec!["-a".to_owned()]));
    let changes = next(&mut watch).await;
    let entry = changes.changes[0].entry.clone().unwrap();
    assert_eq!((entry.created, entry.modified), (again, again));
    assert_eq!(store.get("a").await.unwrap(), Some(entry));
}

pub async fn from_the_past(store: Arc<dyn Store>) {
    let mut revisions = vec![present(&*store).await];
    for number in 0..20 {
        revisions.push(put(&*store, "a", &number.to_string()).await);
    }
    for (skipped, after) in revisions.iter().enumerate() {
        let mut watch = store.watch("a", *after).await.unwrap();
        for (number, revision) in revisions.iter().enumerate().skip(skipped + 1) {
            let changes = next(&mut watch).await;
            assert_eq!((changes.revision, told(&changes)), (*revision, vec![format!("a={}", number - 1)]));
        }
    }
}

pub async fn only_the_prefix(store: Arc<dyn Store>) {
    let start = present(&*store).await;
    let mut watch = store.watch("a/", start).await.unwrap();
    for key in ["a", "a0", "b", "a/1", "A/1", "a/é"] {
        put(&*store, key, "x").await;
    }
    store.commit(Transaction::new().put("b", *b"x").put("a/2", *b"x").put("a.", *b"x")).await.unwrap();
    for expected in ["a/1=x", "a/é=x", "a/2=x"] {
        assert_eq!(told(&next(&mut watch).await), [expected]);
    }
    let mut late = store.watch("a/", start).await.unwrap();
    assert_eq!(told(&next(&mut late).await), ["a/1=x"]);
}

pub async fn one_commit_at_a_time(store: Arc<dyn Store>) {
    put(&*store, "old", "1").await;
    let mut watch = store.watch("", present(&*store).await).await.unwrap();
    let both = Transaction::new().put("b", *b"1").put("a", *b"1").delete("old").delete("never was");
    let revision = store.commit(both).await.unwrap();
    put(&*store, "c", "1").await;
    let changes = next(&mut watch).await;
    assert_eq!(changes.revision, revision);
    assert_eq!(told(&changes), ["-old", "a=1", "b=1"]);
    assert_eq!(told(&next(&mut watch).await), ["c=1"]);
}

/// More commits than any store holds in memory, some before the watch and some during it.
pub async fn past_then_present_without_a_gap(store: Arc<dyn Store>) {
    const COMMITS: usize = 3000;
    let start = present(&*store).await;
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..COMMITS {
                let key = if number % 3 == 0 { "other" } else { "a" };
                put(&*store, key, &number.to_string()).await;
            }
        }
    });
    let mut watch = store.watch("a", start).await.unwrap();
    for number in (0..COMMITS).filter(|number| number % 3 != 0) {
        assert_eq!(told(&next(&mut watch).await), [format!("a={number}")]);
    }
    writer.await.unwrap();
}

pub async fn cancelled_waits_lose_nothing(store: Arc<dyn Store>) {
    const COMMITS: usize = 300;
    let start = present(&*store).await;
    let mut watch = store.watch("a", start).await.unwrap();
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..COMMITS {
                put(&*store, "a", &number.to_string()).await;
            }
        }
    });
    let mut expected = 0;
    super::within(async {
        while expected < COMMITS {
            let Ok(changes) = tokio::time::timeout(Duration::from_micros(50), watch.next()).await else { continue };
            assert_eq!(told(&changes.unwrap()), [format!("a={expected}")]);
            expected += 1;
        }
    })
    .await;
    writer.await.unwrap();
}

pub async fn compaction_forgets(store: Arc<dyn Store>) {
    let mut revisions = Vec::new();
    for number in 0..10 {
        revisions.push(put(&*store, "a", &number.to_string()).await);
    }
    let mut early = store.watch("a", revisions[4]).await.unwrap();
    store.compact(revisions[5]).await.unwrap();

    let refused = refused_watch(&*store, "a", revisions[3]).await;
    let Error::Compacted { oldest } = refused else { panic!("{refused:?}") };
    assert!(oldest <= revisions[4], "no more than was asked is forgotten");
    for mut watch in [store.watch("a", oldest).await.unwrap(), store.watch("a", revisions[4]).await.unwrap()] {
        assert_eq!(next(&mut watch).await.revision, revisions[5]);
    }
    assert_eq!(next(&mut early).await.revision, revisions[5], "it had all that it needs");

    // Backwards it changes nothing; the future is taken as the present, whose last commit stays known.
    store.compact(revisions[2]).await.unwrap();
    store.compact(Revision::new(u64::MAX)).await.unwrap();
    assert!(matches!(refused_watch(&*store, "a", revisions[7]).await, Error::Compacted { .. }));
    let after = put(&*store, "a", "after").await;
    let mut watch = store.watch("a", revisions[9]).await.unwrap();
    assert_eq!(next(&mut watch).await.revision, after);
}

pub async fn compaction_keeps_documents(store: Arc<dyn Store>) {
    let created = put(&*store, "a", "1").await;
    let modified = put(&*store, "a", "2").await;
    let last = put(&*store, "b", "1").await;
    store.compact(last).await.unwrap();
    let entry = store.get("a").await.unwrap().unwrap();
    assert_eq!((entry.created, entry.modified, &*entry.value), (created, modified, &b"2"[..]));
    assert_eq!(present(&*store).await, last);
    store.commit(Transaction::new().unchanged("a", modified).delete("a")).await.unwrap();
}

/// A reader that doesn't come for a long while holds nobody, and then finds all, unless history was compacted.
pub async fn a_slow_reader_loses_nothing(store: Arc<dyn Store>) {
    let mut slow = store.watch("", present(&*store).await).await.unwrap();
    let large = "x".repeat(200_000);
    for number in 0..100 {
        put(&*store, "a", &format!("{number}{large}")).await;
    }
    for number in 0..100 {
        let told = told(&next(&mut slow).await);
        assert_eq!(told, [format!("a={number}{large}")]);
    }
}
