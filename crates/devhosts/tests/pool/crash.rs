//! Runs that die at any moment, and what is left of them.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use pierhead_devhosts::{Error, Pool, PoolSpec, Service, down};

use crate::support::{Place, engine_id, entries, eventually, expect_pages, run_sample, state, until_settled};

/// Set for the copy of this program that is to be killed: the pool's directory, and a pipe that nobody writes to.
const VICTIM_DIR: &str = "PIERHEAD_TEST_VICTIM_DIR";
const VICTIM_PIPE: &str = "PIERHEAD_TEST_VICTIM_PIPE";

/// Brings up two hosts if this process is the one to be killed. Its engines wait for their configuration for ever, so it
/// never comes to an end by itself, however late the kill.
fn is_victim() -> bool {
    let (Some(dir), Some(pipe)) = (env::var_os(VICTIM_DIR), env::var(VICTIM_PIPE).ok()) else { return false };
    let dockerd_args = vec![format!("--config-file={pipe}")];
    Pool::up(PoolSpec { dir: dir.into(), hosts: 2, dockerd_args, ..PoolSpec::default() }).unwrap();
    true
}

/// Starts bringing up two hosts in another process and kills that when the moment has come.
fn kill_up_when(place: &Place, pipe: &Path, test: &str, moment: impl Fn() -> bool) {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(VICTIM_DIR, place.dir())
        .env(VICTIM_PIPE, pipe)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the moment to kill", || {
        assert_eq!(victim.try_wait().unwrap(), None, "it ended by itself");
        moment()
    });
    victim.kill().unwrap();
    victim.wait().unwrap();
    until_settled(place, VICTIM_DIR);
}

#[test]
fn a_run_killed_at_any_moment_leaves_what_can_be_removed() {
    if is_victim() {
        return;
    }
    const TEST: &str = "crash::a_run_killed_at_any_moment_leaves_what_can_be_removed";
    let (place, pipes) = (Place::new(), tempfile::tempdir().unwrap());
    let pipe = pipes.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let prefix = place.prefix();
    let exists = |path: &str| Path::new(path).exists();
    let (record, link) = (place.dir().join("pool.json"), format!("/sys/class/net/{prefix}"));
    let netns = format!("/run/netns/{prefix}-host-2");
    let ready = place.dir().join("hosts/host-2/ready");
    let moments: [(&str, &dyn Fn() -> bool); 5] = [
        ("the record is written", &|| record.exists()),
        ("the bridge is made", &|| exists(&link)),
        ("a namespace is made", &|| exists(&netns)),
        ("a holder is ready", &|| ready.exists()),
        ("an engine runs", &|| engines(&place, 2) > 0),
    ];
    for (name, moment) in moments {
        kill_up_when(&place, &pipe, TEST, moment);
        assert!(place.traces().contains("directory"), "{name}");
        assert!(matches!(Pool::open(&place.dir()), Err(Error::Unfinished { .. })), "{name}");
        down(&place.dir()).unwrap();
        assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
    }
}

/// How many `dockerd` run on a host.
fn engines(place: &Place, host: usize) -> usize {
    let output = Command::new("ip").args(["netns", "pids", &format!("{}-host-{host}", place.prefix())]).output();
    let pids = String::from_utf8(output.unwrap().stdout).unwrap();
    let command = |pid: &str| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    pids.split_ascii_whitespace().filter(|pid| command(pid) == "dockerd\n").count()
}

#[test]
fn what_a_dead_run_left_is_replaced() {
    let place = Place::new();
    let pool = Pool::up(place.spec(2)).unwrap();
    let host = pool.host("host-2").unwrap();
    expect_pages(&host, &run_sample(&host));
    // As if its maker had died just before its last word.
    let record = place.dir().join("pool.json");
    let text = fs::read_to_string(&record).unwrap();
    assert_eq!(text.matches("\"up\"").count(), 1);
    fs::write(&record, text.replace("\"up\"", "\"starting\"")).unwrap();

    let pool = Pool::up(place.spec(1)).unwrap();
    assert_eq!(pool.hosts().unwrap().len(), 1);
    assert_eq!(engines(&place, 2), 0);
    let host = pool.host("host-1").unwrap();
    expect_pages(&host, &run_sample(&host));
    pool.down().unwrap();
    assert!(place.traces().is_empty(), "the dead run made the directory, so it goes: {:?}", place.traces());
}

#[test]
fn a_pool_is_removed_whatever_died_and_without_its_record() {
    let place = Place::new();
    let pool = Pool::up(place.spec(1)).unwrap();
    let host = pool.host("host-1").unwrap();
    expect_pages(&host, &run_sample(&host));
    let argv = ["sleep", "600"].map(String::from).to_vec();
    pool.spawn(&Service { name: "web".into(), argv, ..Service::default() }).unwrap();
    // Engine, containerd and holder die; the shim and its container stay, and nobody knows of them.
    host.kill_engine().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&fs::read(place.dir().join("pool.json")).unwrap()).unwrap();
    let holder = record["hosts"][0]["holder"]["pid"].to_string();
    assert!(Command::new("kill").args(["-9", &holder]).status().unwrap().success());
    fs::write(place.dir().join("pool.json"), "{ torn").unwrap();
    assert!(matches!(Pool::open(&place.dir()), Err(Error::ReadRecord { .. })));
    down(&place.dir()).unwrap();
    // Without a record nobody knows whether the directory was there before: it stays, empty.
    assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), ["directory"]);
    assert_eq!(entries(&place.dir()), Vec::<String>::new());
}

#[test]
fn an_engine_starts_again_after_its_whole_machine_died() {
    let place = Place::new();
    let pool = Pool::up(PoolSpec { dockerd_args: vec!["--live-restore".into()], ..place.spec(1) }).unwrap();
    let host = pool.host("host-1").unwrap();
    let container = run_sample(&host);
    expect_pages(&host, &container);

    host.kill_engine().unwrap();
    host.start_engine().unwrap();
    assert_eq!(state(&host, &container), "running", "live-restore adopts what runs");
    expect_pages(&host, &container);

    let identity = engine_id(&host);
    let netns = format!("/run/netns/{}-host-1", place.prefix());
    let living = || {
        let listed = Command::new("ip").args(["netns", "pids", netns.rsplit('/').next().unwrap()]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap()
    };
    for pid in living().split_ascii_whitespace() {
        // Some end by themselves when their parents do.
        let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status().unwrap();
    }
    eventually("all is gone", || host.pid().unwrap().is_none() && living().is_empty());
    host.start_engine().unwrap();
    assert_eq!(engine_id(&host), identity);
    pool.down().unwrap();
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}
