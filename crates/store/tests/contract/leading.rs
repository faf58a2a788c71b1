//! Leadership.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pierhead_store::leadership::{Candidate, leader};
use pierhead_store::{Error, Store, Transaction};

use super::{put, value, within};

const TTL: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_secs(2);

fn candidate(store: &Arc<dyn Store>, who: &str, ttl: Duration) -> Candidate {
    Candidate::new(Arc::clone(store), "controller", who, ttl)
}

pub async fn uncontended_at_once(store: Arc<dyn Store>) {
    let start = Instant::now();
    let leadership = within(candidate(&store, "one", TTL).campaign()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(leadership.is_held());
    let (found, term) = leader(&*store, "controller").await.unwrap().unwrap();
    assert_eq!((found.who.as_str(), term), ("one", leadership.term()));
}

/// Many campaign, hold it for a moment and resign; nobody ever meets another.
pub async fn one_at_a_time(store: Arc<dyn Store>) {
    let leading = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let candidate = candidate(&store, &number.to_string(), TTL);
        let leading = Arc::clone(&leading);
        tasks.spawn(async move {
            let mut terms = Vec::new();
            for _ in 0..3 {
                let leadership = candidate.campaign().await.unwrap();
                assert_eq!(leading.fetch_add(1, Ordering::SeqCst), 0, "two lead");
                assert!(leadership.is_held());
                tokio::task::yield_now().await;
                terms.push(leadership.term());
                leading.fetch_sub(1, Ordering::SeqCst);
                leadership.resign().await;
            }
            terms
        });
    }
    let mut terms: Vec<_> = within(tasks.join_all()).await.into_iter().flatten().collect();
    terms.sort_unstable();
    terms.dedup();
    assert_eq!(terms.len(), 24, "no term is used twice");
}

pub async fn successor_after_resignation(store: Arc<dyn Store>) {
    let first = candidate(&store, "one", TTL).campaign().await.unwrap();
    let term = first.term();
    let second = candidate(&store, "two", TTL);
    let second = tokio::spawn(async move { second.campaign().await });
    first.resign().await;
    let second = within(second).await.unwrap().unwrap();
    assert!(second.term() > term);
    assert_eq!(leader(&*store, "controller").await.unwrap().unwrap().0.who, "two");
}

pub async fn successor_after_drop(store: Arc<dyn Store>) {
    drop(candidate(&store, "one", TTL).campaign().await.unwrap());
    let second = within(candidate(&store, "two", TTL).campaign()).await.unwrap();
    assert!(second.is_held());
}

/// The first leader's runtime stands still, as that of a process that hangs does: nothing is renewed.
pub async fn successor_after_expiry(store: Arc<dyn Store>) {
    let hung = {
        let candidate = candidate(&store, "hung", SHORT);
        let start = Instant::now();
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let leadership = runtime.block_on(candidate.campaign()).unwrap();
            // From here on nobody drives the runtime.
            let _ = tell.send((leadership, runtime));
        });
        (within(told).await.unwrap(), start)
    };
    let ((first, runtime), start) = hung;
    assert!(first.is_held());
    let second = within(candidate(&store, "two", TTL).campaign()).await.unwrap();
    assert!(start.elapsed() >= SHORT, "never before its time is over");
    assert!(!first.is_held(), "the first knows without being told");
    assert!(second.term() > first.term());
    runtime.shutdown_background();
}

pub async fn an_old_term_changes_nothing(store: Arc<dyn Store>) {
    let first = candidate(&store, "one", TTL).campaign().await.unwrap();
    let write = |text: &str| Transaction::new().absent("never").put("a", text.as_bytes());
    store.commit(first.fence(write("first"))).await.unwrap();
    let late = first.fence(write("late"));
    let early_key = first.key().to_owned();

    // As an administrator would, or a lease that ended.
    store.commit(Transaction::new().delete(early_key.as_str())).await.unwrap();
    let second = within(candidate(&store, "two", TTL).campaign()).await.unwrap();
    let refused = store.commit(late).await;
    assert!(matches!(&refused, Err(Error::Conflict { key }) if *key == early_key), "{refused:?}");
    assert_eq!(value(&*store, "a").await.as_deref(), Some("first"));
    store.commit(second.fence(write("second"))).await.unwrap();
    assert_eq!(value(&*store, "a").await.as_deref(), Some("second"));
}

pub async fn loss_is_told(store: Arc<dyn Store>) {
    let leadership = candidate(&store, "one", SHORT).campaign().await.unwrap();
    let held = tokio::time::timeout(2 * SHORT, leadership.lost()).await;
    assert!(held.is_err() && leadership.is_held(), "it renews itself");
    put(&*store, leadership.key(), "{\"who\":\"usurper\"}").await;
    within(leadership.lost()).await;
    assert!(!leadership.is_held());
    within(leadership.lost()).await;
}

pub async fn names_are_apart(store: Arc<dyn Store>) {
    let named = |name| Candidate::new(Arc::clone(&store), name, "one", TTL);
    let _first = within(named("a").campaign()).await.unwrap();
    let _second = within(named("a2").campaign()).await.unwrap();
    assert!(leader(&*store, "b").await.unwrap().is_none());
}

pub async fn a_withdrawn_candidate_blocks_nobody(store: Arc<dyn Store>) {
    let first = candidate(&store, "one", TTL).campaign().await.unwrap();
    let withdrawn = candidate(&store, "two", TTL);
    let waited = tokio::time::timeout(Duration::from_millis(50), withdrawn.campaign()).await;
    assert!(waited.is_err());
    first.resign().await;
    within(candidate(&store, "three", TTL).campaign()).await.unwrap();
}
