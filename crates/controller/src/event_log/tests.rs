//! The log under load: nothing is lost or doubled, however fast it grows and however slowly somebody reads.

use super::{EventFilter, EventStream, Log, Logged, Position, Since, follow};
use crate::{Clock, Ids, keys};
use pierhead_model::{Event, EventTag, Timestamp};
use pierhead_store::{Embedded, Store, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(30);

/// A log with its store.
struct Bed {
    store: Arc<dyn Store>,
    log: Arc<Log>,
    ids: Ids,
    follower: JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Bed {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let log = Arc::new(Log::at(store.list(keys::EVENTS, None, 1).await.unwrap().revision, Clock::start()));
        let follower = tokio::spawn(follow(Arc::clone(&log), Arc::clone(&store)));
        Self { store, log, ids: Ids::new(Clock::start()), follower, _directory: directory }
    }

    async fn watch(&self, since: Option<Since>) -> EventStream {
        let filter = EventFilter { since, ..EventFilter::default() };
        let (log, store) = (Arc::clone(&self.log), Arc::clone(&self.store));
        EventStream::open(log, store, filter, CancellationToken::new(), Clock::start().now()).await.unwrap()
    }

    /// Writes so many events, `at_once` in each transaction.
    async fn write(&self, count: usize, at_once: usize) {
        for _ in 0..count / at_once {
            let mut transaction = Transaction::new();
            for _ in 0..at_once {
                let event = event(self.ids.unique());
                transaction = transaction.put_json(keys::event(&event.id), &event).unwrap();
            }
            self.store.commit(transaction).await.unwrap();
        }
    }

    /// The ids of all events in the order of the log, by the store's own word.
    async fn written(&self) -> Vec<String> {
        let listing = self.store.list_all(keys::EVENTS).await.unwrap();
        let position = |entry| Position::of(entry, &keys::event_id(&entry.key));
        let mut all: Vec<Position> = listing.entries.iter().map(position).collect();
        all.sort();
        all.into_iter().map(|position| position.id).collect()
    }
}

fn event(id: String) -> Event {
    Event {
        id,
        kind: "top".to_owned(),
        time: Timestamp(0),
        message: "m".repeat(100),
        tags: vec![EventTag::Docker],
        container: None,
        engine: None,
        app: None,
        actor: None,
    }
}

async fn next(stream: &mut EventStream) -> Vec<Arc<Logged>> {
    tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time").unwrap()
}

/// The ids of the next events.
async fn read(mut stream: EventStream, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.extend(next(&mut stream).await.iter().map(|logged| logged.event.id.clone()));
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_encoded_once_for_all_who_watch() {
    const WATCHERS: usize = 100;
    const EVENTS: usize = 600;
    let bed = Bed::new().await;
    let encodings = Arc::new(AtomicUsize::new(0));
    let mut watching = JoinSet::new();
    for _ in 0..WATCHERS {
        let (mut stream, encodings) = (bed.watch(None).await, Arc::clone(&encodings));
        watching.spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < EVENTS {
                for logged in next(&mut stream).await {
                    seen.push(logged.encoded(|event| {
                        encodings.fetch_add(1, Ordering::Relaxed);
                        event.id.clone().into_bytes()
                    }));
                }
            }
            seen
        });
    }
    bed.write(EVENTS, 3).await;
    let first = watching.join_next().await.unwrap().unwrap();
    assert_eq!(first.iter().map(|text| String::from_utf8_lossy(text)).collect::<Vec<_>>(), bed.written().await);
    while let Some(seen) = watching.join_next().await {
        let seen = seen.unwrap();
        assert!(seen.len() == EVENTS && seen.iter().zip(&first).all(|(one, other)| Arc::ptr_eq(one, other)));
    }
    assert_eq!(encodings.load(Ordering::Relaxed), EVENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fast_writers_leave_no_gap_and_nothing_twice() {
    const EACH: usize = 2_400;
    let bed = Arc::new(Bed::new().await);
    let stalled = bed.watch(None).await;
    let quick = tokio::spawn(read(bed.watch(None).await, 4 * EACH));
    let mut writers = JoinSet::new();
    for at_once in [1, 2, 5, 80] {
        let bed = Arc::clone(&bed);
        writers.spawn(async move { bed.write(EACH, at_once).await });
    }
    // Goes away after each answer, and comes back with what it saw last.
    let mut seen: Vec<String> = Vec::new();
    while seen.len() < 4 * EACH {
        let since = seen.last().cloned().map_or(Since::Moment(Timestamp(0)), Since::Event);
        let mut stream = bed.watch(Some(since)).await;
        seen.extend(next(&mut stream).await.iter().map(|logged| logged.event.id.clone()));
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let written = bed.written().await;
    assert_eq!(written.len(), 4 * EACH);
    assert!(quick.await.unwrap() == written, "who keeps up");
    assert!(seen == written, "who comes back again and again");
    assert!(read(stalled, 4 * EACH).await == written, "who reads only now, when memory has no longer all of it");
    let middle = bed.watch(Some(Since::Event(written[5_000].clone()))).await;
    assert!(read(middle, 4 * EACH - 5_001).await == written[5_001..], "who begins in the middle");
}

#[tokio::test]
async fn who_does_not_read_holds_nothing() {
    let bed = Bed::new().await;
    let (stalled, mut live) = (bed.watch(None).await, bed.watch(None).await);
    bed.write(1, 1).await;
    let first = Arc::downgrade(&next(&mut live).await[0]);
    assert!(first.upgrade().is_some(), "the log holds it");
    bed.write(super::MOST_HELD + 84, 84).await;
    read(live, super::MOST_HELD).await;
    assert!(first.upgrade().is_none(), "nobody holds it, though one has not seen it yet");
    let written = bed.written().await;
    assert!(read(stalled, written.len()).await == written);
}

#[test]
fn many_watchers_are_told_more_rarely_and_never_too_rarely() {
    let millis = [0, 1, 250, 1_000, 10_000, usize::MAX].map(|count| super::between_rings(count).as_millis());
    assert_eq!(millis, [5, 5, 5, 15, 150, 200]);
}
