use super::*;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::AtomicU64;
use tempfile::TempDir;
use tokio::net::UnixListener;

/// An engine with containers that need a lease, by id: whether each runs.
#[derive(Default)]
struct Engine {
    containers: Mutex<BTreeMap<String, bool>>,
    stops: Mutex<Vec<String>>,
    /// How long each may take, as it was asked.
    patience: Mutex<Vec<String>>,
    is_stuck: AtomicBool,
}

impl Engine {
    fn answer(&self, request: &Request<Incoming>) -> (u16, String) {
        let mut containers = self.containers.lock().unwrap();
        let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        match path.as_slice() {
            ["containers", "json"] => {
                assert!(request.uri().query().unwrap().contains(SINGLE_WRITER));
                let one = |(id, runs): (&String, &bool)| {
                    let state = if *runs { "running" } else { "exited" };
                    serde_json::json!({ "Id": id, "State": state, "Names": ["/x"] })
                };
                (200, serde_json::Value::from(containers.iter().map(one).collect::<Vec<_>>()).to_string())
            }
            ["containers", "plain", "json"] => (200, r#"{"Id":"plain","Config":{"Labels":{"a":"b"}}}"#.to_owned()),
            ["containers", "none", "json"] => (404, r#"{"message":"no such container"}"#.to_owned()),
            ["containers", id, "json"] => {
                (200, serde_json::json!({ "Id": id, "Config": { "Labels": { SINGLE_WRITER: "true" } } }).to_string())
            }
            ["containers", id, "stop"] => {
                self.stops.lock().unwrap().push((*id).to_owned());
                self.patience.lock().unwrap().push(request.uri().query().unwrap().to_owned());
                if !self.is_stuck.load(Ordering::SeqCst) {
                    containers.insert((*id).to_owned(), false);
                }
                (204, String::new())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A host with an engine and a clock that the test moves.
struct Bed {
    dir: TempDir,
    now_ms: Arc<AtomicU64>,
    /// How often the clock was read.
    reads: Arc<AtomicU64>,
    engine: Arc<Engine>,
    leases: Arc<Leases>,
}

fn leases(dir: &TempDir, now_ms: &Arc<AtomicU64>, reads: &Arc<AtomicU64>, boot: &str) -> Arc<Leases> {
    let (now, reads) = (Arc::clone(now_ms), Arc::clone(reads));
    let clock = Box::new(move || {
        reads.fetch_add(1, Ordering::SeqCst);
        Duration::from_millis(now.load(Ordering::SeqCst))
    });
    Leases::at(dir.path(), &dir.path().join("engine.sock"), boot.to_owned(), clock).unwrap()
}

impl Bed {
    fn up(containers: &[(&str, bool)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Arc::new(Engine::default());
        let own = containers.iter().map(|(id, runs)| ((*id).to_owned(), *runs));
        engine.containers.lock().unwrap().extend(own);
        let listener = UnixListener::bind(dir.path().join("engine.sock")).unwrap();
        let answers = Arc::clone(&engine);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answers = Arc::clone(&answers);
                let service = service_fn(move |request: Request<Incoming>| {
                    let (status, text) = answers.answer(&request);
                    let answer = Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap();
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        let now_ms = Arc::new(AtomicU64::new(1_000_000));
        let reads = Arc::default();
        let leases = leases(&dir, &now_ms, &reads, "boot-1");
        Self { dir, now_ms, reads, engine, leases }
    }

    /// The agent is killed and started again.
    fn again(&mut self, boot: &str) {
        self.leases = leases(&self.dir, &self.now_ms, &self.reads, boot);
    }

    fn pass(&self, milliseconds: u64) {
        self.now_ms.fetch_add(milliseconds, Ordering::SeqCst);
        self.leases.changed.notify_one();
    }

    async fn take(&self) -> std::result::Result<u64, &'static str> {
        let grant = self.leases.stamp().grant(LONGEST_LEASE);
        self.leases.take(&grant).await.map_err(|refusal| refusal.code)
    }

    async fn admit(&self, id: &str) -> &'static str {
        self.leases.admit(id).await.map_or_else(|refusal| refusal.code, |()| "ok")
    }

    fn runs(&self, id: &str) -> bool {
        self.engine.containers.lock().unwrap()[id]
    }

    fn guard(&self) -> tokio::task::AbortHandle {
        let leases = Arc::clone(&self.leases);
        tokio::spawn(async move { leases.guard().await }).abort_handle()
    }

    /// Waits until the guard has looked at the clock again, and acted on it: under a lease it does so twice a round.
    async fn until_looked_again(&self) {
        let before = self.reads.load(Ordering::SeqCst);
        until("the guard looks again", async || self.reads.load(Ordering::SeqCst) >= before + 4).await;
    }

    /// Waits until a lease can be had.
    async fn until_taken(&self) {
        until("a lease is taken", async || self.take().await.is_ok()).await;
    }
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let reached = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[tokio::test]
async fn a_lease_counts_from_its_stamp_however_late_it_comes() {
    let bed = Bed::up(&[]);
    bed.guard();
    bed.until_taken().await;
    let stamp = bed.leases.stamp();
    bed.pass(4_000);
    let grant = stamp.grant(LONGEST_LEASE);
    assert_eq!(bed.leases.take(&grant).await.unwrap(), 6_000);
    bed.pass(1_000);
    assert_eq!(bed.leases.take(&grant).await.unwrap(), 5_000, "the same once more is worth no more");
    let short = bed.leases.stamp().grant(Duration::from_millis(1));
    assert_eq!(bed.leases.take(&short).await.unwrap(), 5_000, "a shorter one takes nothing away");
}

#[tokio::test]
async fn a_lease_that_was_not_agreed_on_is_refused() {
    let bed = Bed::up(&[]);
    bed.guard();
    bed.until_taken().await;
    let good = bed.leases.stamp().grant(LONGEST_LEASE);
    let wrong = [
        LeaseGrant { boot: "boot-0".to_owned(), ..good.clone() },
        LeaseGrant { at_ms: good.at_ms + 1, ..good.clone() },
        LeaseGrant { lasts_ms: good.lasts_ms + 1, ..good.clone() },
        LeaseGrant { lasts_ms: u64::MAX, ..good },
    ];
    for grant in wrong {
        assert_eq!(bed.leases.take(&grant).await.unwrap_err().code, "malformed", "{grant:?}");
    }
    std::fs::remove_dir_all(bed.dir.path()).unwrap();
    bed.pass(1);
    assert_eq!(bed.take().await, Err("lease_not_kept"), "what is not on disk does not count");
}

#[tokio::test]
async fn what_needs_a_lease_is_started_under_one_only() {
    let bed = Bed::up(&[]);
    assert_eq!(bed.admit("plain").await, "ok");
    assert_eq!(bed.admit("none").await, "ok", "its engine says so itself");
    assert_eq!(bed.admit("one").await, "no_lease");
    bed.guard();
    bed.until_taken().await;
    until("all is listed", async || bed.leases.is_listed.load(Ordering::Acquire)).await;
    assert_eq!(bed.admit("one").await, "ok", "nobody made one: it is not even looked at");
    assert!(bed.leases.known().is_empty());
    bed.leases.note_description(br#"{"Labels":{"pierhead.single-writer":"true"}}"#);
    // A list that is made meanwhile does not have it yet.
    assert!(bed.leases.look().await.is_some());
    assert_eq!(bed.admit("one").await, "ok");
    assert!(bed.leases.known().contains("one"), "it is known before its engine hears of it");
    bed.pass(millis(LONGEST_LEASE) - millis(SPARE) + 1);
    assert_eq!(bed.admit("one").await, "no_lease", "it would hardly run before it has to stop");
    assert_eq!(bed.admit("plain").await, "ok");
}

#[tokio::test]
async fn an_engine_that_does_not_tell_starts_nothing() {
    let bed = Bed::up(&[]);
    std::fs::remove_file(bed.dir.path().join("engine.sock")).unwrap();
    assert_eq!(bed.admit("one").await, "engine_away");
}

#[tokio::test]
async fn what_runs_is_stopped_when_the_lease_ends_and_not_before() {
    let bed = Bed::up(&[("one", false), ("two", false)]);
    bed.guard();
    bed.until_taken().await;
    bed.engine.containers.lock().unwrap().insert("one".to_owned(), true);
    bed.pass(millis(LONGEST_LEASE) - 1);
    bed.until_looked_again().await;
    assert!(bed.runs("one"));
    bed.pass(1);
    until("it is stopped", async || !bed.runs("one")).await;
    assert_eq!(*bed.engine.stops.lock().unwrap(), ["one"], "what does not run is left alone");
    // What its engine starts late is stopped too.
    bed.until_taken().await;
    bed.pass(millis(LONGEST_LEASE));
    until("there is none", async || {
        bed.leases.enforced_ms.load(Ordering::Acquire) == bed.leases.ends_ms.load(Ordering::Acquire)
    })
    .await;
    bed.engine.containers.lock().unwrap().insert("two".to_owned(), true);
    until("it is stopped", async || !bed.runs("two")).await;
}

#[tokio::test]
async fn no_lease_is_taken_before_the_last_one_is_enforced() {
    let bed = Bed::up(&[("one", true)]);
    bed.engine.is_stuck.store(true, Ordering::SeqCst);
    assert_eq!(bed.take().await, Err("lease_ending"), "nobody knows yet what runs");
    bed.guard();
    until("it is told to stop", async || !bed.engine.stops.lock().unwrap().is_empty()).await;
    assert_eq!(bed.take().await, Err("lease_ending"), "it does not stop");
    bed.engine.is_stuck.store(false, Ordering::SeqCst);
    bed.until_taken().await;
    assert!(!bed.runs("one"));
}

#[tokio::test]
async fn an_agent_that_is_started_again_keeps_its_lease_and_no_more() {
    let mut bed = Bed::up(&[("one", false)]);
    let first = bed.guard();
    bed.until_taken().await;
    assert_eq!(bed.admit("one").await, "ok");
    bed.engine.containers.lock().unwrap().insert("one".to_owned(), true);
    first.abort();
    bed.pass(5_000);
    bed.again("boot-1");
    let second = bed.guard();
    bed.until_looked_again().await;
    assert!(bed.runs("one"), "there is no need to stop it");
    assert!(bed.leases.known().contains("one"));
    assert_eq!(bed.leases.left_ms(), 5_000);
    second.abort();
    bed.pass(5_000);
    bed.again("boot-1");
    bed.guard();
    until("it is stopped", async || !bed.runs("one")).await;
}

#[tokio::test]
async fn after_a_start_of_the_machine_there_is_no_lease() {
    let mut bed = Bed::up(&[]);
    bed.guard();
    bed.until_taken().await;
    bed.again("boot-2");
    assert_eq!((bed.leases.left_ms(), bed.take().await), (0, Err("lease_ending")));
    std::fs::write(bed.dir.path().join("lease.json"), "{").unwrap();
    let opened = Leases::open(bed.dir.path(), &bed.dir.path().join("engine.sock"));
    assert!(matches!(opened, Err(crate::AgentError::ReadLease { .. })), "nobody knows what may run");
}

#[tokio::test]
async fn an_agent_that_ends_stops_what_it_cannot_watch() {
    let mut bed = Bed::up(&[("one", false)]);
    let guard = bed.guard();
    bed.until_taken().await;
    bed.engine.containers.lock().unwrap().insert("one".to_owned(), true);
    guard.abort();
    let farewell = bed.leases.farewell();
    bed.leases.give_up().await;
    assert!(!bed.runs("one") && farewell.is_said());
    let seconds: Vec<String> = bed.engine.patience.lock().unwrap().clone();
    assert_eq!(seconds, ["t=10"], "it may end by itself while the lease lasts");
    assert_eq!((bed.take().await, bed.admit("one").await), (Err("lease_ending"), "lease_ending"));
    assert!(bed.leases.check_goes_on().is_err());
    bed.again("boot-1");
    assert_eq!(bed.leases.left_ms(), 0);
}

#[tokio::test]
async fn an_agent_that_ends_is_heard_also_if_what_it_stopped_was_removed_meanwhile() {
    let bed = Bed::up(&[]);
    let guard = bed.guard();
    bed.until_taken().await;
    guard.abort();
    let mut listener = bed.leases.farewell().listen();
    let leases = Arc::clone(&bed.leases);
    let mut end = tokio::spawn(async move { leases.give_up().await });
    listener.said().await;
    let early = tokio::time::timeout(Duration::from_millis(200), &mut end).await;
    assert!(early.is_err(), "a controller that is not told waits for what may run on");
    while !end.is_finished() {
        listener.tell();
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_clock_goes_on_in_sleep_and_the_label_is_that_of_the_controller() {
    assert!(clock() >= Duration::from_secs(1) && clock() <= clock());
    assert_eq!(SINGLE_WRITER, pierhead_model::Ownership::SINGLE_WRITER);
}
