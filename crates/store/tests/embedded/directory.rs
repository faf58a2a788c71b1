//! The directory of an embedded store: who may open it, what is in it, what outlives a process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pierhead_store::leadership::Candidate;
use pierhead_store::seal::Sealer;
use pierhead_store::{Embedded, Error, Revision, Store, Transaction};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_its_owner_may_read_it() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("deep/er");
    let store = Embedded::open(&directory).unwrap();
    store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    store.get("a").await.unwrap();
    assert_eq!(mode(&directory), 0o700);
    let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn documents_and_names_stay() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let names = (store.cluster_id().to_owned(), store.store_id().to_owned());
    let first = store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    let entry = store.get("a").await.unwrap();
    drop(store);

    let store = Embedded::open(directory.path()).unwrap();
    assert_eq!((store.cluster_id().to_owned(), store.store_id().to_owned()), names);
    assert_eq!(store.get("a").await.unwrap(), entry);
    let second = store.commit(Transaction::new().unchanged("a", first).put("a", *b"2")).await.unwrap();
    assert_eq!(second, first.next());
    let mut watch = store.watch("", Revision::ZERO).await.unwrap();
    assert_eq!(watch.next().await.unwrap().revision, first);
    assert_eq!(watch.next().await.unwrap().revision, second);

    let other = tempfile::tempdir().unwrap();
    let other = Embedded::open(other.path()).unwrap();
    assert_ne!(other.cluster_id(), names.0);
    assert_ne!(names.0, names.1);
    assert!(names.0.len() == 16 && names.0.chars().all(|digit| digit.is_ascii_hexdigit()), "{names:?}");
}

#[tokio::test]
async fn leases_end_with_their_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let lease = store.grant(Duration::from_secs(3600)).await.unwrap();
    let leased = Transaction::new().put_leased("a", *b"1", lease).put_leased("b", *b"1", lease).put("c", *b"1");
    let before = store.commit(leased).await.unwrap();
    drop(store);

    let store = Embedded::open(directory.path()).unwrap();
    let keys: Vec<_> = store.list_all("").await.unwrap().entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["c".into()]);
    let mut watch = store.watch("", before).await.unwrap();
    assert_eq!(watch.next().await.unwrap().changes.len(), 2, "visibly to watches");
    assert!(matches!(store.keep_alive(lease).await, Err(Error::LeaseGone { .. })));
}

/// A runtime that stops in the middle leaves the store as a process that is killed does.
#[test]
fn a_fresh_process_leads_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let start = Instant::now();
        let candidate = Candidate::new(store, "a", "one", Duration::from_secs(3600));
        let campaign = async { tokio::time::timeout(Duration::from_secs(30), candidate.campaign()).await };
        let leadership = runtime.block_on(campaign).expect("nobody else leads").unwrap();
        assert!(start.elapsed() < Duration::from_secs(10));
        drop(candidate);
        drop(runtime);
        drop(leadership);
        let beside = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
        let left: i64 = beside.query_row("SELECT count(*) FROM documents", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 1, "nobody resigned");
    }
}

const HOLD: &str = "HELD_STORE_DIRECTORY";

#[test]
fn a_second_process_is_refused() {
    if let Some(directory) = std::env::var_os(HOLD) {
        let _held = Embedded::open(directory).unwrap();
        println!("held");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::directory::a_second_process_is_refused", "--nocapture"])
        .env(HOLD, directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = std::io::BufReader::new(child.stdout.take().unwrap());
    let held = std::io::BufRead::lines(told).any(|line| line.unwrap().ends_with("held"));
    assert!(held);
    let refused = Embedded::open(directory.path()).unwrap_err();
    let message = refused.to_string();
    assert!(matches!(refused, Error::InUse { .. }), "{message}");
    assert!(message.contains(&directory.path().display().to_string()), "{message}");

    child.kill().unwrap();
    child.wait().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let same_process = Embedded::open(directory.path()).unwrap_err();
    assert!(matches!(same_process, Error::InUse { .. }));
    drop(store);
    Embedded::open(directory.path()).unwrap();
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Embedded::open(directory.path()).unwrap());
    let database = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
    database.execute("UPDATE meta SET value = 99 WHERE name = 'schema'", []).unwrap();
    drop(database);
    let refused = Embedded::open(directory.path()).unwrap_err();
    assert!(matches!(refused, Error::SchemaTooNew { found: 99, .. }), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains(&directory.path().display().to_string()) && message.contains("99"), "{message}");
}

#[test]
fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("store.db"), "not a database, but long enough to look at".repeat(100)).unwrap();
    assert!(matches!(Embedded::open(directory.path()), Err(Error::Io { .. })));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Embedded::open(&file), Err(Error::Open { .. })));
}

#[tokio::test]
async fn a_closed_store_ends_its_watches() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let mut watch = store.watch("", Revision::ZERO).await.unwrap();
    store.commit(Transaction::new().put("a", *b"1")).await.unwrap();
    drop(store);
    assert_eq!(watch.next().await.unwrap().changes.len(), 1);
    let ended = tokio::time::timeout(Duration::from_secs(30), watch.next()).await.unwrap();
    assert!(matches!(ended, Err(Error::Unavailable { .. })), "{ended:?}");
}

#[tokio::test]
async fn another_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let sealer = Sealer::open_or_create(directory.path()).unwrap();
    sealer.verify(&store).await.unwrap();
    Sealer::open_or_create(directory.path()).unwrap().verify(&store).await.unwrap();
    let secret = sealer.seal("engine/a", b"hunter2").unwrap();

    fs::remove_file(directory.path().join("secret.key")).unwrap();
    let other = Sealer::open_or_create(directory.path()).unwrap();
    let refused = other.verify(&store).await;
    assert!(matches!(refused, Err(Error::WrongKey { .. })), "{refused:?}");
    assert!(matches!(other.open("engine/a", &secret), Err(Error::WrongKey { .. })));
    store.commit(Transaction::new().put("seal/check", *b"v1:damaged")).await.unwrap();
    assert!(matches!(sealer.verify(&store).await, Err(Error::Damaged { .. })));
}
