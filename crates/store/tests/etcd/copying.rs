//! A store copied to etcd and back.

use std::sync::Arc;
use std::time::Duration;

use pierhead_store::copy::{Census, Origin, copy, is_unfinished};
use pierhead_store::{Embedded, Error, Etcd, MAX_TRANSACTION_BYTES, Revision, Store, Transaction};

use crate::contract::{next, present, put, refused_watch, told};
use crate::member::Member;

/// As many events as a pool may keep; fewer unless it is a long run.
fn events() -> usize {
    if std::env::var_os("PIERHEAD_SOAK").is_some() { 100_000 } else { 3_000 }
}

async fn fill(store: &dyn Store) {
    let keys: Vec<_> = (0..events()).map(|number| format!("log/{number:08}")).collect();
    for part in keys.chunks(100) {
        let write =
            |all: Transaction, key: &String| all.put(key.as_str(), format!("{{\"id\":\"{key}\"}}").into_bytes());
        store.commit(part.iter().fold(Transaction::new(), write)).await.unwrap();
    }
    for key in ["spec/apps/ключ/🚢", "spec/apps/a", "authority"] {
        let bytes: Vec<u8> = (0..=255).collect();
        store.commit(Transaction::new().put(key, bytes)).await.unwrap();
    }
    let largest = vec![7; MAX_TRANSACTION_BYTES - 7];
    store.commit(Transaction::new().put("large/1", largest)).await.unwrap();
    let lease = store.grant(Duration::from_secs(600)).await.unwrap();
    store.commit(Transaction::new().put_leased("leader/controller", *b"{}", lease)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_etcd_and_back_nothing_is_lost_and_revisions_go_on_rising() {
    let (member, directory) = (Member::shared().await, tempfile::tempdir().unwrap());
    let first = Embedded::open(directory.path().join("first")).unwrap();
    fill(&first).await;
    let census = Census::of(&first).await.unwrap();
    assert_eq!((census.total(), census.leased), (events() as u64 + 4, 1));
    assert_eq!(census.documents["spec"], 2);

    let origin = Origin::of(&first).await.unwrap();
    let settings = member.settings("copy");
    assert!(!Etcd::exists(&settings).await.unwrap());
    let second = Etcd::create(&settings, &origin).await.unwrap();
    assert_eq!(copy(&first, &second).await.unwrap(), census);
    assert!(!is_unfinished(&second).await.unwrap() && Etcd::exists(&settings).await.unwrap());
    assert!(present(&second).await > origin.revision);
    assert_eq!(second.cluster_id(), first.cluster_id());
    // As it is found by who opens it later.
    let second = Etcd::open(&settings).await.unwrap();
    assert_eq!(second.cluster_id(), first.cluster_id());
    let entry = second.get("spec/apps/a").await.unwrap().unwrap();
    assert!(entry.modified > origin.revision);
    second.commit(Transaction::new().unchanged("spec/apps/a", entry.modified).put("spec/apps/a", *b"2")).await.unwrap();

    let origin = Origin::of(&second).await.unwrap();
    let third = Embedded::create(directory.path().join("third"), &origin).unwrap();
    assert_eq!(present(&third).await, origin.revision);
    let back = copy(&second, &third).await.unwrap();
    assert_eq!((back.total(), back.leased), (census.total(), 0));
    assert_eq!(&*third.get("spec/apps/a").await.unwrap().unwrap().value, b"2");
    assert!(present(&third).await > origin.revision);
    let again = present(&third).await;
    drop(third);
    let third = Embedded::open(directory.path().join("third")).unwrap();
    assert_eq!((third.cluster_id(), present(&third).await), (first.cluster_id(), again));
}

/// Of what was before the copy there is no history, and nobody may take its absence for silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_keeps_the_contract_above_its_origin() {
    let (member, directory) = (Member::shared().await, tempfile::tempdir().unwrap());
    let origin = Origin { cluster: "0123456789abcdef".to_owned(), revision: Revision::new(1_000_000) };
    let etcd: Arc<dyn Store> = Arc::new(Etcd::create(&member.settings("above"), &origin).await.unwrap());
    let embedded: Arc<dyn Store> = Arc::new(Embedded::create(directory.path().join("above"), &origin).unwrap());
    for store in [etcd, embedded] {
        let start = present(&*store).await;
        assert!(start >= origin.revision);
        assert!(matches!(
            refused_watch(&*store, "", Revision::new(999)).await,
            Error::Compacted { oldest } if oldest == origin.revision
        ));
        let mut watch = store.watch("", start).await.unwrap();
        let first = put(&*store, "a", "1").await;
        assert_eq!((first, told(&next(&mut watch).await)), (start.next(), vec!["a=1".to_owned()]));
        for old in [Revision::ZERO, Revision::new(5), origin.revision] {
            let refused = store.commit(Transaction::new().unchanged("a", old).put("a", *b"2")).await;
            assert!(matches!(refused, Err(Error::Conflict { .. })), "{old}: {refused:?}");
        }
        let second = store.commit(Transaction::new().unchanged("a", first).put("a", *b"2")).await.unwrap();
        store.compact(second).await.unwrap();
        assert_eq!(store.list_all("").await.unwrap().revision, second);
        let mut watch = store.watch("a", first).await.unwrap();
        assert_eq!(told(&next(&mut watch).await), ["a=2"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_copied_over_a_store_and_a_part_of_one_is_known() {
    let (member, directory) = (Member::shared().await, tempfile::tempdir().unwrap());
    let from = Embedded::open(directory.path().join("from")).unwrap();
    put(&from, "a", "1").await;
    let origin = Origin::of(&from).await.unwrap();
    let settings = member.settings("taken");
    put(&Etcd::open(&settings).await.unwrap(), "a", "theirs").await;
    let refused = Etcd::create(&settings, &origin).await;
    assert!(matches!(refused, Err(Error::Occupied { .. })), "{refused:?}");
    let taken = directory.path().join("taken");
    drop(Embedded::open(&taken).unwrap());
    let refused = Embedded::create(&taken, &origin);
    assert!(matches!(refused, Err(Error::Occupied { .. })), "{refused:?}");

    // What somebody else writes into the copy meanwhile is noticed.
    let to = Etcd::create(&member.settings("disturbed"), &origin).await.unwrap();
    put(&to, "b", "not from there").await;
    let differs = copy(&from, &to).await;
    assert!(matches!(differs, Err(Error::CopyDiffers { what: "the number of documents" })), "{differs:?}");
    assert!(is_unfinished(&to).await.unwrap());
}
