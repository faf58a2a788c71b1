//! What dies with a member of etcd, and what goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pierhead_store::leadership::Candidate;
use pierhead_store::{Error, Etcd, Store, Transaction};
use rustix::process::Signal;

use crate::contract::{next, present, put, refused_watch, told, within};
use crate::member::Member;

const LONG: Duration = Duration::from_secs(600);

async fn member_and_store() -> (Member, Arc<Etcd>) {
    let member = Member::start(&[]);
    member.answers().await;
    let store = Etcd::open(&member.settings("streams")).await.unwrap();
    (member, Arc::new(store))
}

/// Until it works again, for a store that comes back.
async fn put_again(store: &Etcd, key: &str, value: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match store.commit(Transaction::new().put(key, value.as_bytes())).await {
            Ok(_) => return,
            Err(Error::Unavailable { .. }) => assert!(Instant::now() < deadline, "it never came back"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_leases_and_leadership_outlive_a_restart() {
    let (member, store) = member_and_store().await;
    let lease = store.grant(LONG).await.unwrap();
    let leadership = Candidate::new(store.clone(), "controller", "one", LONG).campaign().await.unwrap();
    let mut watch = store.watch("a", present(&*store).await).await.unwrap();
    put(&*store, "a", "1").await;
    assert_eq!(told(&next(&mut watch).await), ["a=1"]);

    member.kill();
    let refused = store.commit(Transaction::new().put("a", *b"lost")).await;
    // That the connection is broken or that a new one is refused: both are said.
    assert!(matches!(&refused, Err(Error::Unavailable { .. })), "{refused:?}");
    let Err(error) = store.get("a").await else { panic!("nobody answers") };
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    member.go_on();
    put_again(&store, "a", "2").await;

    assert_eq!(told(&next(&mut watch).await), ["a=2"], "neither lost nor told twice");
    store.keep_alive(lease).await.unwrap();
    assert!(leadership.is_held());
    store.commit(leadership.fence(Transaction::new().put("a", *b"3"))).await.unwrap();
    assert_eq!(told(&next(&mut watch).await), ["a=3"]);
}

/// Its connections stay open, and nothing comes over them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_hangs_is_told_in_time_and_its_return_noticed() {
    let (member, store) = member_and_store().await;
    let mut watch = store.watch("a", present(&*store).await).await.unwrap();
    put(&*store, "a", "1").await;
    assert_eq!(told(&next(&mut watch).await), ["a=1"]);
    member.signal(Signal::STOP);
    let start = Instant::now();
    let refused = store.get("a").await;
    assert!(matches!(&refused, Err(Error::Unavailable { reason }) if reason.contains("within")), "{refused:?}");
    let refused = store.commit(Transaction::new().put("b", *b"1")).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    member.signal(Signal::CONT);
    put_again(&store, "a", "2").await;
    assert_eq!(told(&next(&mut watch).await), ["a=2"]);
}

/// What was written while nobody could watch, and then forgotten, can't be told: the reader must know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_forgotten_behind_a_watch_is_told() {
    let (member, store) = member_and_store().await;
    for number in 0..5 {
        put(&*store, "a", &number.to_string()).await;
    }
    let last = present(&*store).await;
    let mut watch = store.watch("a", last).await.unwrap();
    put(&*store, "a", "seen").await;
    next(&mut watch).await;
    // Its stream hangs in the full buffer of a reader that does not come.
    let large = "x".repeat(900_000);
    for _ in 0..60 {
        put(&*store, "a", &large).await;
    }
    store.compact(present(&*store).await).await.unwrap();
    member.kill();
    member.go_on();
    member.answers().await;
    let lost = within(async {
        loop {
            match watch.next().await {
                Ok(changes) => assert_eq!(changes.changes.len(), 1),
                Err(error) => return error,
            }
        }
    })
    .await;
    let Error::Compacted { oldest } = lost else { panic!("{lost:?}") };
    let again = refused_watch(&*store, "a", last).await;
    assert!(matches!(again, Error::Compacted { oldest: same } if same == oldest), "{again:?}");
    let listing = store.list_all("a").await.unwrap();
    let mut watch = store.watch("a", listing.revision).await.unwrap();
    put(&*store, "a", "new").await;
    assert_eq!(told(&next(&mut watch).await), ["a=new"], "after listing anew it goes on");
}

/// Deletions are forgotten with the revision to which history is forgotten, not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_just_before_the_end_of_history_is_told_or_refused() {
    let (_member, store) = member_and_store().await;
    let first = put(&*store, "a", "1").await;
    let gone = store.commit(Transaction::new().delete("a")).await.unwrap();
    let last = put(&*store, "b", "1").await;
    store.compact(gone).await.unwrap();
    let mut watch = store.watch("", first).await.unwrap();
    assert_eq!(told(&next(&mut watch).await), ["-a"]);
    store.compact(last).await.unwrap();
    let refused = refused_watch(&*store, "", first).await;
    assert!(matches!(refused, Error::Compacted { oldest } if oldest == gone), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_answers_reads() {
    let member = Member::start(&["--quota-backend-bytes", "4000000"]);
    member.answers().await;
    let store = Etcd::open(&member.settings("full")).await.unwrap();
    let large = "x".repeat(500_000);
    let refused = within(async {
        loop {
            if let Err(error) = store.commit(Transaction::new().put("a", large.as_bytes())).await {
                return error;
            }
        }
    })
    .await;
    assert!(matches!(refused, Error::Full(_)), "{refused:?}");
    assert_eq!(store.get("a").await.unwrap().unwrap().value.len(), large.len());
}

/// A request that etcd would refuse is refused with what to change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etcd_with_smaller_bounds_refuses_in_words() {
    let member = Member::start(&["--max-txn-ops", "4"]);
    member.answers().await;
    let store = Etcd::open(&member.settings("small")).await.unwrap();
    let many = (0..5).fold(Transaction::new(), |all, number| all.put(format!("k{number}"), *b"v"));
    let refused = store.commit(many).await.unwrap_err();
    let source = std::error::Error::source(&refused).map(ToString::to_string);
    assert!(source.is_some_and(|source| source.contains("too many operations")), "{refused:?}");
    assert!(store.list_all("k").await.unwrap().entries.is_empty());
}
