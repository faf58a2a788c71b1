//! A disk that is full, or that refuses to write: nothing half written, reads go on, and so do writes when it is over.
//! Each test runs once more, in a child process whose disk is really so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pierhead_store::{Embedded, Error, LeaseId, Revision, Store, Transaction};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const DIRECTORY: &str = "BAD_DISK_DIRECTORY";
fn value(number: usize) -> Vec<u8> {
    format!("{number}").into_bytes().repeat(25_000)
}

fn child_directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Runs the test of that name in a shell, after `before`.
fn run_in_child(test: &str, program: &[&str], before: &str, directory: &Path) {
    let exe = std::env::current_exe().unwrap();
    let script = format!("{before} && exec '{}' --exact {test} --nocapture", exe.display());
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).args(["sh", "-c", &script]).env(DIRECTORY, directory);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}\n{errors}");
}

#[test]
fn a_full_disk_is_told_and_got_over() {
    if let Some(directory) = child_directory() {
        let filler = directory.join("filler");
        let fill = || {
            std::fs::write(&filler, vec![1; 30 << 20]).unwrap();
        };
        let free = || std::fs::remove_file(&filler).unwrap();
        return get_over(&directory, fill, free, |error| matches!(error, Error::Full(_)));
    }
    let directory = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=32m none '{}'", directory.path().display());
    let own_mounts: &[&str] = if rustix::process::geteuid().is_root() {
        &["unshare", "--mount", "--propagation", "private"]
    } else {
        &["unshare", "--user", "--map-root-user", "--mount"]
    };
    run_in_child("embedded::disk::a_full_disk_is_told_and_got_over", own_mounts, &mount, directory.path());
}

#[test]
fn a_disk_that_refuses_is_told_and_got_over() {
    if let Some(directory) = child_directory() {
        let unlimited = getrlimit(Resource::Fsize);
        let refuse = || {
            setrlimit(Resource::Fsize, Rlimit { current: Some(512 << 10), ..unlimited }).unwrap();
        };
        let relent = || setrlimit(Resource::Fsize, unlimited).unwrap();
        return get_over(&directory, refuse, relent, |error| matches!(error, Error::Io { .. }));
    }
    let directory = tempfile::tempdir().unwrap();
    run_in_child(
        "embedded::disk::a_disk_that_refuses_is_told_and_got_over",
        &["env"],
        "trap '' XFSZ",
        directory.path(),
    );
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn get_over(directory: &Path, spoil: impl Fn(), mend: impl Fn(), expected: impl Fn(&Error) -> bool) {
    let store = Embedded::open(directory).unwrap();
    let lease = store.grant(Duration::from_secs(3600)).await.unwrap();
    store.commit(Transaction::new().put_leased("leased", *b"1", lease)).await.unwrap();
    spoil();
    let (written, error) = write_until_refused(&store).await;
    assert!(expected(&error), "{error:?}");
    check(&store, written).await;

    // It stays refused, whole; what needs no disk goes on.
    for _ in 0..5 {
        let both = Transaction::new().put("0", *b"overwritten").put("more", vec![1; 900_000]);
        let error = store.commit(both).await.unwrap_err();
        assert!(expected(&error), "{error:?}");
        store.keep_alive(lease).await.unwrap();
        store.grant(Duration::from_secs(1)).await.unwrap();
    }
    check(&store, written).await;
    assert!(store.get("more").await.unwrap().is_none());

    mend();
    let before = store.list("", None, 1).await.unwrap().revision;
    let revision = store.commit(Transaction::new().absent("more").put("more", *b"now")).await.unwrap();
    assert!(revision > before);
    let (more, _) = (store.get("more").await.unwrap().unwrap(), check(&store, written).await);
    assert_eq!(more.modified, revision);
    watch_everything(&store, revision).await;
    reopen(store, directory, written, lease).await;
}

async fn write_until_refused(store: &Embedded) -> (usize, Error) {
    for number in 0..1000 {
        if let Err(error) = store.commit(Transaction::new().put(number.to_string(), value(number))).await {
            return (number, error);
        }
    }
    panic!("the disk took everything");
}

async fn check(store: &Embedded, written: usize) {
    assert!(written > 0);
    for number in 0..written {
        let entry = store.get(&number.to_string()).await.unwrap().unwrap();
        assert!(*entry.value == *value(number), "{number}");
    }
    assert!(store.get(&written.to_string()).await.unwrap().is_none());
}

async fn watch_everything(store: &Embedded, until: Revision) {
    let mut watch = store.watch("", Revision::ZERO).await.unwrap();
    let mut last = Revision::ZERO;
    while last < until {
        let changes = watch.next().await.unwrap();
        assert_eq!(changes.revision, last.next(), "nothing that was refused is in the history");
        last = changes.revision;
    }
}

async fn reopen(store: Embedded, directory: &Path, written: usize, lease: LeaseId) {
    store.keep_alive(lease).await.unwrap();
    drop(store);
    let store = Embedded::open(directory).unwrap();
    check(&store, written).await;
    assert!(store.get("leased").await.unwrap().is_none());
}
