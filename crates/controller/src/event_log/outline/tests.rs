//! With an outline and without one a search finds the same; with one it reads little.

use super::*;
use crate::Since;
use crate::event_log::{EventPages, Log};
use pierhead_model::{
    ContainerId, ContainerState, ContainerThen, Event, EventTag, ObservedContainer, Resources, Username,
};
use pierhead_store::{Embedded, Revision, Transaction};

const KINDS: [&str; 4] = ["create", "start", "die", "destroy"];

/// The moment at which the log below is read: an hour after its first event, long after its last.
const NOW: Timestamp = Timestamp(3_600_000 + 1_000_000);

fn container(number: usize) -> ObservedContainer {
    ObservedContainer {
        id: ContainerId::parse(format!("{number:08x}").repeat(8)).unwrap(),
        name: format!("app{}.{number}.1", number % 7),
        image: "sample".into(),
        state: ContainerState::Running,
        exit_code: None,
        started_at: None,
        created_at: Timestamp(0),
        ports: Vec::new(),
        limits: Resources::default(),
        labels: Default::default(),
        restart_count: 0,
    }
}

fn id(millis: u64, number: usize) -> String {
    format!("{:014x}{number:08x}", millis << 12)
}

/// One of very many: one in 500 is rare, and one in 1,000 is somebody's doing.
fn event(millis: u64, number: usize) -> Event {
    let (is_rare, is_anns) = (number % 500 == 77, number % 1_000 == 333);
    Event {
        id: id(millis, number),
        kind: if is_rare { "oom" } else { KINDS[number % 4] }.to_owned(),
        time: Timestamp(millis),
        message: format!("number={number}"),
        tags: vec![if is_anns { EventTag::Cluster } else { EventTag::Docker }],
        container: Some(Box::new(ContainerThen::new(&container(number / 3), None))),
        engine: None,
        app: Some(format!("app{}", number / 900)),
        actor: is_anns.then(|| Username::parse("ann").unwrap()),
    }
}

struct Bed {
    store: Arc<dyn Store>,
    log: Arc<Log>,
    _directory: tempfile::TempDir,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        Self { store, log: Arc::new(Log::at(Revision::ZERO, Clock::start())), _directory: directory }
    }

    async fn write(&self, events: impl IntoIterator<Item = Event>) {
        let events: Vec<Event> = events.into_iter().collect();
        for chunk in events.chunks(90) {
            let add = |all: Transaction, event: &Event| all.put_json(keys::event(&event.id), event).unwrap();
            self.store.commit(chunk.iter().fold(Transaction::new(), add)).await.unwrap();
        }
    }

    /// The first so many that a filter takes, with what is known by now.
    async fn found(&self, log: &Arc<Log>, filter: &EventFilter, count: usize) -> Vec<String> {
        let (log, store) = (Arc::clone(log), Arc::clone(&self.store));
        let mut pages = EventPages::open(log, store, filter.clone(), count).await.unwrap();
        let mut found = Vec::new();
        loop {
            let page = pages.next().await.unwrap();
            if page.is_empty() {
                return found;
            }
            found.extend(page.into_iter().map(|event| event.id));
        }
    }

    /// How many events a search for something reads that is not among the first.
    async fn read(&self, filter: &EventFilter) -> usize {
        let (wanted, mut after, mut read) = (Wanted::by(filter), keys::EVENTS.to_owned(), 0);
        loop {
            let next = self.log.outline.next(Some(&after), &wanted);
            let next = next.unwrap_or(Next { after: after.clone(), limit: BLOCK });
            let page = self.store.list(keys::EVENTS, Some(&next.after), next.limit).await.unwrap();
            read += page.entries.len();
            match page.entries.last() {
                Some(last) if page.more => after = last.key.to_string(),
                _ => return read,
            }
        }
    }
}

fn filters() -> Vec<EventFilter> {
    let text = |text: &str| Some(text.to_owned());
    let none = EventFilter::default;
    vec![
        none(),
        EventFilter { kind: text("oom"), ..none() },
        EventFilter { kind: text("start"), ..none() },
        EventFilter { kind: text("never"), ..none() },
        EventFilter { tag: text("CLUSTER"), ..none() },
        EventFilter { actor: text("ann"), ..none() },
        EventFilter { actor: text("ann"), kind: text("start"), ..none() },
        EventFilter { app: text("app2"), kind: text("oom"), ..none() },
        EventFilter { container: text(&"000000ff".repeat(8)), ..none() },
        EventFilter { container: text("000000ff0000"), ..none() },
        EventFilter { container: text("0000"), ..none() },
        EventFilter { container: text("000"), ..none() },
        EventFilter { container: text("000002b"), ..none() },
        EventFilter { container: text("beef"), ..none() },
        EventFilter { container: text("/app3.255.1"), ..none() },
        EventFilter { container: text("app3.255.1"), ..none() },
        EventFilter { container: text("é"), ..none() },
        EventFilter { engine: text("e1"), ..none() },
        EventFilter { kind: text("oom"), since: Some(Since::Moment(Timestamp(1_002_000))), ..none() },
        EventFilter { kind: text("oom"), since: Some(Since::Event(id(1_001_577, 1_577))), ..none() },
    ]
}

async fn assert_agrees(bed: &Bed, when: &str) {
    let nothing_known = Arc::new(Log::at(Revision::ZERO, Clock::start()));
    for filter in filters() {
        for count in [7, 10_000] {
            let expected = bed.found(&nothing_known, &filter, count).await;
            assert_eq!(bed.found(&bed.log, &filter, count).await, expected, "{when}: {count} of {filter:?}");
        }
    }
}

#[tokio::test]
async fn a_search_finds_the_same_and_reads_little() {
    let bed = Bed::new();
    bed.write((0..5_000).map(|number| event(1_000_000 + number as u64, number))).await;
    let oom = EventFilter { kind: Some("oom".to_owned()), ..EventFilter::default() };
    assert_eq!(bed.read(&oom).await, 5_000, "nothing is known yet");
    bed.log.outline.extend(&*bed.store, NOW, usize::MAX).await.unwrap();
    assert_agrees(&bed, "after the first look").await;
    assert_eq!(bed.found(&bed.log, &oom, 10_000).await.len(), 10);
    let read = bed.read(&oom).await;
    assert!((10..=10 * BLOCK + 2 * BLOCK).contains(&read), "{read} of 5,000 for ten");
    for (kind, container) in [(Some("never"), None), (None, Some("beef")), (None, Some("/no.such.1"))] {
        let (kind, container) = (kind.map(str::to_owned), container.map(str::to_owned));
        let never = EventFilter { kind, container, ..EventFilter::default() };
        assert!(bed.read(&never).await <= 3 * BLOCK, "by chance alone: {never:?}");
    }
    assert_eq!(bed.read(&EventFilter::default()).await, 5_000, "who wants all gets all");
}

#[tokio::test]
async fn what_comes_and_goes_later_is_found_or_not() {
    let bed = Bed::new();
    let outline = &bed.log.outline;
    let all: Vec<Event> = (0..2_000).map(|number| event(1_000_000 + number as u64, number)).collect();
    let mut written = 0;
    // In steps of all sizes, some too small to be worth it.
    for step in [0, 1, 100, 130, 1, 600, 2, 166, 1_000] {
        bed.write(all[written..written + step].iter().cloned()).await;
        written += step;
        let blocks = outline.read().blocks.len();
        outline.extend(&*bed.store, NOW, usize::MAX).await.unwrap();
        let (count, added) = (outline.read().blocks.len(), outline.read().blocks.len() - blocks);
        assert!(count <= 2 * written.div_ceil(BLOCK), "{count} blocks of {written}");
        assert!(added == 0 || step >= 2, "{step} added {added}");
        assert_agrees(&bed, &format!("with {written}")).await;
    }
    // A clock was put back: it stands among the old ones, of a kind that there is not.
    let late = Event { kind: "late".to_owned(), ..event(1_001_250, 9_999) };
    bed.write([late.clone()]).await;
    let entry = bed.store.get(&keys::event(&late.id)).await.unwrap().unwrap();
    outline.came(&entry, NOW);
    let filter = EventFilter { kind: Some("late".to_owned()), ..EventFilter::default() };
    assert_eq!(bed.found(&bed.log, &filter, 10).await, [late.id]);
    // The oldest are removed, and some in the middle.
    for event in all.iter().take(300).chain(&all[1_000..1_200]) {
        bed.store.commit(Transaction::new().delete(keys::event(&event.id))).await.unwrap();
    }
    assert_agrees(&bed, "after a removal").await;
    outline.clear();
    assert_agrees(&bed, "with everything forgotten").await;
    outline.extend(&*bed.store, NOW, 500).await.unwrap();
    let known: usize = outline.read().blocks.iter().map(|block| block.count).sum();
    assert!((500..500 + BLOCK).contains(&known), "no more than is kept: {known}");
    assert_agrees(&bed, "with a part known").await;
}

#[tokio::test]
async fn what_is_new_is_left_alone() {
    let bed = Bed::new();
    bed.write((0..1_000).map(|number| event(1_000_000 + number as u64, number))).await;
    let soon = Timestamp(1_000_500 + SETTLED_MS);
    bed.log.outline.extend(&*bed.store, soon, usize::MAX).await.unwrap();
    let newest = bed.log.outline.read().newest.clone().unwrap();
    assert_eq!(keys::event_time(&keys::event_id(&newest)), 1_000_499);
    assert_agrees(&bed, "with the newest half unknown").await;
    // What can't be read is never left out.
    bed.store.commit(Transaction::new().put(keys::event(&id(1_000_001, 99_999)), b"no event".to_vec())).await.unwrap();
    let entry = bed.store.get(&keys::event(&id(1_000_001, 99_999))).await.unwrap().unwrap();
    bed.log.outline.came(&entry, soon);
    let never = EventFilter { kind: Some("never".to_owned()), ..EventFilter::default() };
    let read = bed.read(&never).await;
    assert!((500..1_000).contains(&read), "the new half, and the block of what can't be read: {read}");
}
