//! Leases.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pierhead_store::{Error, LeaseId, Store, Transaction};

use super::{next, present, put, told, value};

/// Short enough to wait for its end.
const SHORT: Duration = Duration::from_secs(2);
/// Longer than any check.
const LONG: Duration = Duration::from_secs(3600);

async fn put_leased(store: &dyn Store, key: &str, lease: LeaseId) {
    store.commit(Transaction::new().put_leased(key, *b"leased", lease)).await.expect("put");
}

pub async fn documents_vanish_with_their_lease(store: Arc<dyn Store>) {
    let granted = Instant::now();
    let lease = store.grant(SHORT).await.unwrap();
    put_leased(&*store, "a", lease).await;
    put_leased(&*store, "b", lease).await;
    put(&*store, "c", "stays").await;
    assert_eq!(store.get("a").await.unwrap().unwrap().lease, Some(lease));

    let mut watch = store.watch("", present(&*store).await).await.unwrap();
    let mut gone = told(&next(&mut watch).await);
    if gone.len() == 1 {
        gone.extend(told(&next(&mut watch).await));
    }
    assert!(granted.elapsed() >= SHORT, "never earlier than its time");
    assert_eq!(gone, ["-a", "-b"]);
    assert_eq!(value(&*store, "a").await, None);
    assert_eq!(value(&*store, "c").await.as_deref(), Some("stays"));
    assert!(matches!(store.keep_alive(lease).await, Err(Error::LeaseGone { .. })));
}

pub async fn a_lease_kept_alive_stays(store: Arc<dyn Store>) {
    let lease = store.grant(SHORT).await.unwrap();
    let start = Instant::now();
    put_leased(&*store, "a", lease).await;
    let mut watch = store.watch("a", present(&*store).await).await.unwrap();
    while start.elapsed() < 2 * SHORT {
        store.keep_alive(lease).await.unwrap();
        let gone = tokio::time::timeout(SHORT / 10, watch.next()).await;
        assert!(gone.is_err(), "{gone:?} after {:?}", start.elapsed());
    }
    assert_eq!(told(&next(&mut watch).await), ["-a"], "once nobody renews it");
}

pub async fn revoked_at_once(store: Arc<dyn Store>) {
    let (lease, other) = (store.grant(LONG).await.unwrap(), store.grant(LONG).await.unwrap());
    assert_ne!(lease, other);
    put_leased(&*store, "a", lease).await;
    put_leased(&*store, "b", other).await;
    put_leased(&*store, "c", lease).await;
    let mut watch = store.watch("", present(&*store).await).await.unwrap();
    store.revoke(lease).await.unwrap();
    assert_eq!(value(&*store, "a").await, None);
    assert_eq!(value(&*store, "b").await.as_deref(), Some("leased"));
    assert_eq!(told(&next(&mut watch).await), ["-a", "-c"], "in one revision");
    assert!(matches!(store.revoke(lease).await, Err(Error::LeaseGone { .. })));
    store.keep_alive(other).await.unwrap();
}

pub async fn gone_leases_are_refused(store: Arc<dyn Store>) {
    let lease = store.grant(LONG).await.unwrap();
    let before = put(&*store, "a", "1").await;
    store.revoke(lease).await.unwrap();
    let refused = store.commit(Transaction::new().put("a", *b"2").put_leased("b", *b"2", lease)).await;
    assert!(matches!(refused, Err(Error::LeaseGone { lease: told }) if told == lease), "{refused:?}");
    assert_eq!(value(&*store, "a").await.as_deref(), Some("1"));
    assert_eq!(present(&*store).await, before);
    let never = LeaseId::new(lease.value() ^ 1);
    assert!(matches!(store.keep_alive(never).await, Err(Error::LeaseGone { .. })));
}

pub async fn a_plain_put_frees_from_the_lease(store: Arc<dyn Store>) {
    let (first, second) = (store.grant(LONG).await.unwrap(), store.grant(LONG).await.unwrap());
    for key in ["freed", "moved", "borne"] {
        put_leased(&*store, key, first).await;
    }
    put(&*store, "freed", "own").await;
    put_leased(&*store, "moved", second).await;
    store.revoke(first).await.unwrap();
    assert_eq!(value(&*store, "freed").await.as_deref(), Some("own"));
    assert_eq!(value(&*store, "moved").await.as_deref(), Some("leased"));
    assert_eq!(value(&*store, "borne").await, None);
    store.revoke(second).await.unwrap();
    assert_eq!(value(&*store, "moved").await, None);
}
