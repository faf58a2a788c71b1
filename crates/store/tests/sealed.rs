//! Documents that are sealed where they lie.
#![cfg(test)]

use pierhead_store::seal::{SealedDocuments, Sealer};
use pierhead_store::{Embedded, Error, Revision, Store, Transaction};
use std::sync::Arc;

const SECRET: &[u8] = b"{\"password\":\"canary-4711\"}";

fn stores(directory: &std::path::Path) -> (Arc<Embedded>, SealedDocuments) {
    let embedded = Arc::new(Embedded::open(directory).unwrap());
    let sealer = Arc::new(Sealer::open_or_create(directory).unwrap());
    let sealed = SealedDocuments::new(Arc::clone(&embedded) as Arc<dyn Store>, sealer, &["secret/", "other/"]);
    (embedded, sealed)
}

async fn put(store: &dyn Store, key: &str) -> Revision {
    store.commit(Transaction::new().put(key, SECRET)).await.unwrap()
}

#[tokio::test]
async fn every_way_of_reading_gives_what_was_written_and_the_store_beneath_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let (beneath, sealed) = stores(directory.path());
    let mut watch = sealed.watch("", Revision::ZERO).await.unwrap();
    for key in ["secret/a", "other/b", "plain/c"] {
        put(&sealed, key).await;
        assert_eq!(&*sealed.get(key).await.unwrap().unwrap().value, SECRET, "{key}");
        assert_eq!(&*sealed.list(key, None, 1).await.unwrap().entries[0].value, SECRET, "{key}");
        assert_eq!(&*sealed.list_all(key).await.unwrap().entries[0].value, SECRET, "{key}");
        let seen = watch.next().await.unwrap().changes.remove(0).entry.unwrap();
        assert_eq!((&*seen.key, &*seen.value), (key, SECRET));
        let lies = beneath.get(key).await.unwrap().unwrap();
        assert_eq!(*lies.value == *SECRET, key == "plain/c", "{key}");
    }
    assert_eq!(sealed.cluster_id(), beneath.cluster_id());
    assert!(sealed.get("secret/none").await.unwrap().is_none());
}

#[tokio::test]
async fn a_document_is_bound_to_its_key_and_one_from_before_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (beneath, sealed) = stores(directory.path());
    put(&*beneath, "secret/old").await;
    assert_eq!(&*sealed.get("secret/old").await.unwrap().unwrap().value, SECRET);
    put(&sealed, "secret/a").await;
    let lies = beneath.get("secret/a").await.unwrap().unwrap();
    beneath.commit(Transaction::new().put("secret/b", lies.value)).await.unwrap();
    assert!(matches!(sealed.get("secret/b").await, Err(Error::Damaged { .. })), "one was put in another's place");
}

#[tokio::test]
async fn compares_deletes_and_leases_pass() {
    let directory = tempfile::tempdir().unwrap();
    let (_, sealed) = stores(directory.path());
    let first = put(&sealed, "secret/a").await;
    let again = Transaction::new().unchanged("secret/a", first).put("secret/a", SECRET);
    sealed.commit(again.clone()).await.unwrap();
    assert!(matches!(sealed.commit(again).await, Err(Error::Conflict { .. })));
    sealed.commit(Transaction::new().delete("secret/a")).await.unwrap();
    let lease = sealed.grant(std::time::Duration::from_secs(60)).await.unwrap();
    sealed.keep_alive(lease).await.unwrap();
    sealed.commit(Transaction::new().put_leased("secret/l", SECRET, lease)).await.unwrap();
    sealed.revoke(lease).await.unwrap();
    assert!(sealed.list_all("secret/").await.unwrap().entries.is_empty());
    sealed.compact(first).await.unwrap();
}
