use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::*;

fn sleeper() -> Child {
    Command::new("sleep").arg("60").spawn().unwrap()
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn stat_is_read_behind_any_command_name() {
    let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 4096 10";
    assert_eq!(parse_stat(stat), Some(('S', 98765)));
    assert_eq!(parse_stat("42 (cut"), None);
    assert_eq!(parse_stat("42 (cut) S 1 2"), None);
}

#[test]
fn a_process_of_another_start_time_is_left_alone() {
    let mut child = sleeper();
    let process = ProcessId::of(child.id()).unwrap();
    let earlier = ProcessId { start_ticks: process.start_ticks - 1, ..process };
    assert!(!earlier.is_alive());
    assert!(!earlier.signal(Signal::KILL).unwrap());
    assert!(process.is_alive());
    assert!(process.signal(Signal::KILL).unwrap());
    wait_until("killed child is not alive, though nobody reaped it", || !process.is_alive());
    assert!(!process.signal(Signal::KILL).unwrap());
    child.wait().unwrap();
    assert!(!process.signal(Signal::KILL).unwrap());
}

#[test]
fn detached_processes_are_found_by_their_marker_and_log() {
    let dir = tempfile::tempdir().unwrap();
    let names = Names::of(dir.path()).unwrap();
    let other = Names::of(&dir.path().join("other")).unwrap();
    let log = dir.path().join("log");
    let argv = ["sh", "-c", "echo $GREETING; sleep 60 & wait"].map(String::from);
    let env = [("GREETING".to_owned(), "hello".to_owned())];
    let process = start_detached(&names, &argv, &env, &log).unwrap();
    wait_until("shell and its child carry the marker", || of_pool(&names, &HashSet::new()).len() == 2);
    assert!(of_pool(&names, &HashSet::new()).contains(&process));
    assert!(of_pool(&other, &HashSet::new()).is_empty());
    assert_eq!(fs::read_to_string(&log).unwrap(), "hello\n");
    for process in of_pool(&names, &HashSet::new()) {
        process.signal(Signal::KILL).unwrap();
    }
    wait_until("all gone", || of_pool(&names, &HashSet::new()).is_empty());
    wait_until("reaped", || !Path::new(&format!("/proc/{}", process.pid)).exists());
}

#[test]
fn callers_are_never_of_the_pool() {
    let own = callers();
    assert!(own.contains(&std::process::id()));
    assert!(own.contains(&std::os::unix::process::parent_id()));
    // The root namespace stands for a pool's one: this test process is in it and must be spared.
    let root = namespace("/proc/self/ns/net").unwrap();
    let names = Names::of(Path::new("/nowhere")).unwrap();
    let mut child = sleeper();
    let found = of_pool(&names, &HashSet::from([root]));
    assert!(found.iter().any(|process| process.pid == child.id()));
    assert!(found.iter().all(|process| process.pid != std::process::id()));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_missing_program_is_an_error_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let names = Names::of(dir.path()).unwrap();
    let started = start_detached(&names, &["no-such-program".to_owned()], &[], &dir.path().join("log"));
    assert!(matches!(started, Err(Error::StartCommand { .. })), "{started:?}");
}
