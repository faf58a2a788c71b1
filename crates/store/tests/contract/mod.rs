//! What every store must do. Each check takes a store that nobody else uses; revisions may begin anywhere.
//!
//! `contract_suite!(open)` makes a test of each, with `open: async fn() -> Subject`.

pub mod documents;
pub mod leading;
pub mod leasing;
pub mod listing;
pub mod model;
pub mod racing;
pub mod watching;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pierhead_store::{Change, Changes, Revision, Store, Transaction, Watch};

/// A store under test and what keeps it alive.
pub struct Subject {
    pub store: Arc<dyn Store>,
    pub _keep: Box<dyn Any + Send>,
}

/// How long anything may take before a check is given up as failed.
const DEADLINE: Duration = Duration::from_secs(60);

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it never came")
}

pub async fn put(store: &dyn Store, key: &str, value: &str) -> Revision {
    store.commit(Transaction::new().put(key, value.as_bytes())).await.expect("put")
}

pub async fn value(store: &dyn Store, key: &str) -> Option<String> {
    let entry = store.get(key).await.expect("get")?;
    Some(String::from_utf8(entry.value.to_vec()).expect("text"))
}

pub async fn present(store: &dyn Store) -> Revision {
    store.list("", None, 1).await.expect("list").revision
}

pub async fn next(watch: &mut Watch) -> Changes {
    within(watch.next()).await.expect("the watch goes on")
}

/// The error of a watch, whether it comes at once or from the first `next`.
pub async fn refused_watch(store: &dyn Store, prefix: &str, after: Revision) -> pierhead_store::Error {
    match store.watch(prefix, after).await {
        Err(error) => error,
        Ok(mut watch) => within(watch.next()).await.expect_err("the watch is refused"),
    }
}

/// Changes as text: `a=1`, or `-a` for a deletion; sorted.
pub fn told(changes: &Changes) -> Vec<String> {
    let tell = |change: &Change| match &change.entry {
        Some(entry) => format!("{}={}", change.key, String::from_utf8_lossy(&entry.value)),
        None => format!("-{}", change.key),
    };
    let mut told: Vec<_> = changes.changes.iter().map(tell).collect();
    told.sort();
    told
}

/// A test of each check, on stores opened by the function named.
#[macro_export]
macro_rules! contract_suite {
    ($open:ident) => {
        $crate::contract_suite!(@ $open, documents:
            commits_raise_the_revision, compares_decide, a_conflict_writes_nothing, what_changes_nothing_has_no_revision,
            bounds_are_kept, full_transactions_fit, odd_values_and_keys, recreated_documents_are_new, json_documents);
        $crate::contract_suite!(@ $open, listing:
            pages_follow_each_other, prefixes_are_exact, an_empty_range, all_at_one_revision);
        $crate::contract_suite!(@ $open, watching:
            from_now_on, from_the_past, only_the_prefix, one_commit_at_a_time, past_then_present_without_a_gap,
            cancelled_waits_lose_nothing, compaction_forgets, compaction_keeps_documents, a_slow_reader_loses_nothing);
        $crate::contract_suite!(@ $open, leasing:
            documents_vanish_with_their_lease, a_lease_kept_alive_stays, revoked_at_once, gone_leases_are_refused,
            a_plain_put_frees_from_the_lease);
        $crate::contract_suite!(@ $open, leading:
            uncontended_at_once, one_at_a_time, successor_after_resignation, successor_after_drop, successor_after_expiry,
            an_old_term_changes_nothing, loss_is_told, names_are_apart, a_withdrawn_candidate_blocks_nobody);
        $crate::contract_suite!(@ $open, racing:
            counters_lose_nothing, watchers_see_all_in_order, one_creator_wins, transfers_keep_the_sum);

        #[test]
        fn behaves_as_the_model() {
            $crate::contract::model::behaves_as_the_model(|| Box::pin($open()));
        }
    };
    (@ $open:ident, $part:ident: $($check:ident),+) => {
        mod $part {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $check() {
                    let subject = super::$open().await;
                    super::contract::$part::$check(subject.store.clone()).await;
                }
            )+
        }
    };
}
