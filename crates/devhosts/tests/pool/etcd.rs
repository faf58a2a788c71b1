//! Etcd clusters: alone and beside hosts, their faults, and what is left of them.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use pierhead_devhosts::{Error, EtcdMember, EtcdSpec, Pool, PoolSpec, down};

use crate::support::{Place, SILENCE, eventually, until_settled};

fn spec(place: &Place, members: usize) -> PoolSpec {
    PoolSpec { etcd: EtcdSpec { members, ..EtcdSpec::default() }, ..place.spec(0) }
}

/// Says something to a member with its own program; `None` if that fails within two seconds.
fn ctl(member: &EtcdMember, words: &[&str]) -> Option<String> {
    let mut command = Command::new("etcdctl");
    command.env("ETCDCTL_API", "3").args(["--command-timeout=2s", "--dial-timeout=2s", "--endpoints", &member.url()]);
    let output = command.args(words).stderr(Stdio::null()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn value(member: &EtcdMember, key: &str) -> Option<String> {
    Some(ctl(member, &["get", "--print-value-only", key])?.trim_end().to_owned())
}

#[test]
fn a_cluster_without_hosts_commits_survives_faults_and_goes() {
    let place = Place::new();
    let pool = Pool::up(spec(&place, 3)).unwrap();
    let members = pool.etcd().unwrap();
    let names: Vec<_> = members.iter().map(EtcdMember::name).collect();
    assert_eq!(names, ["etcd-1", "etcd-2", "etcd-3"]);
    assert!(pool.hosts().unwrap().is_empty());
    eventually("three commit", || ctl(&members[0], &["put", "a", "1"]).is_some());
    eventually("another one has it", || value(&members[2], "a").as_deref() == Some("1"));

    let found = Pool::open(pool.dir()).unwrap();
    eventually("all are seen to answer", || found.etcd_status().unwrap().iter().all(|member| member.answers));
    let seen = found.etcd_status().unwrap();
    assert!(seen.iter().all(|member| member.alive), "{seen:?}");
    assert_eq!(fs::read_to_string(format!("/proc/{}/comm", seen[1].pid.unwrap())).unwrap(), "etcd\n");
    let again = Pool::up(spec(&place, 1)).unwrap_err();
    assert!(matches!(&again, Error::AlreadyUp { running, .. } if running == &names), "{again}");

    members[0].kill().unwrap();
    assert_eq!(members[0].pid().unwrap(), None);
    assert!(matches!(members[0].hang(), Err(Error::SignalMember { .. })));
    eventually("two of three commit", || ctl(&members[1], &["put", "b", "2"]).is_some());
    members[1].hang().unwrap();
    assert!(!members[1].answers(SILENCE));
    eventually("one of three does not answer", || !members[2].answers(SILENCE) && value(&members[2], "b").is_none());
    members[0].start().unwrap();
    eventually("two of three answer again", || value(&members[0], "b").as_deref() == Some("2"));
    members[1].resume().unwrap();
    members[1].wait_until_it_answers().unwrap();
    let (first, url) = (members[0].pid().unwrap(), members[0].url());
    members[0].start().unwrap();
    assert_eq!(members[0].pid().unwrap(), first, "a member that runs is not started again");
    assert_eq!(pool.etcd().unwrap()[0].url(), url, "a member comes back where it was");

    members[2].stop().unwrap();
    assert!(!pool.etcd_status().unwrap()[2].alive);
    assert!(members[2].data_dir().join("member").exists());
    members[1].hang().unwrap();
    assert_eq!(place.traces().into_iter().collect::<Vec<_>>(), ["directory", "process"]);
    pool.down().unwrap();
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}

#[test]
fn hosts_reach_the_members_and_clusters_are_strangers_to_each_other() {
    let (here, there) = (Place::new(), Place::new());
    let beside = Pool::up(PoolSpec { hosts: 1, ..spec(&here, 1) }).unwrap();
    let alone = Pool::up(spec(&there, 1)).unwrap();
    let (member, other) = (beside.etcd().unwrap().remove(0), alone.etcd().unwrap().remove(0));
    assert_eq!(member.url(), format!("http://{}:2379", beside.bridge_address().unwrap()));
    assert!(matches!(alone.add_host(), Err(Error::NoNetwork { .. })));

    let netns = format!("{}-host-1", here.prefix());
    let words = ["netns", "exec", &netns, "etcdctl", "--endpoints", &member.url(), "put", "from", "a host"];
    assert!(Command::new("ip").args(words).env("ETCDCTL_API", "3").stdout(Stdio::null()).status().unwrap().success());
    eventually("what a host has written is there", || value(&member, "from").as_deref() == Some("a host"));
    eventually("and nothing of it elsewhere", || value(&other, "from").as_deref() == Some(""));

    alone.down().unwrap();
    assert!(there.traces().is_empty(), "{:?}", there.traces());
    eventually("the other one goes on", || member.status().unwrap().answers);
    beside.down().unwrap();
    assert!(here.traces().is_empty(), "{:?}", here.traces());
}

#[test]
fn what_cannot_be_a_cluster_is_refused_and_leaves_nothing() {
    let place = Place::new();
    let refused = Pool::up(spec(&place, 10)).unwrap_err().to_string();
    assert_eq!(refused, "an etcd cluster has 1 to 9 members, not 10");
    let wrong = EtcdSpec { members: 1, args: vec!["--no-such-flag".into()], https: false };
    let failed = Pool::up(PoolSpec { etcd: wrong, ..place.spec(0) }).unwrap_err().to_string();
    assert!(failed.starts_with("etcd-1 did not come up: its process ended"), "{failed}");
    // The end of what it printed, which is long.
    assert!(failed.contains("etcd grpc-proxy"), "{failed}");
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}

/// Set for the copy of this program that is to be killed.
const VICTIM_DIR: &str = "PIERHEAD_TEST_ETCD_VICTIM_DIR";

#[test]
fn a_run_killed_while_members_start_leaves_what_can_be_removed() {
    if let Some(dir) = env::var_os(VICTIM_DIR) {
        let etcd = EtcdSpec { members: 3, ..EtcdSpec::default() };
        Pool::up(PoolSpec { dir: dir.into(), etcd, ..PoolSpec::default() }).unwrap();
        return;
    }
    // Members that never listen: the run does not come to an end by itself, however late the kill.
    let programs = tempfile::tempdir().unwrap();
    let deaf = programs.path().join("etcd");
    fs::write(&deaf, "#!/bin/sh\nexec sleep 600\n").unwrap();
    fs::set_permissions(&deaf, fs::Permissions::from_mode(0o755)).unwrap();
    let place = Place::new();
    let moment = |path: &str| place.dir().join(path).exists();
    for (what, begun) in [("the record", "pool.json"), ("the first log", "services/etcd-1/log")] {
        let mut victim = Command::new(env::current_exe().unwrap())
            .args(["--exact", "etcd::a_run_killed_while_members_start_leaves_what_can_be_removed"])
            .env(VICTIM_DIR, place.dir())
            .env("PATH", programs.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually(what, || moment(begun));
        victim.kill().unwrap();
        victim.wait().unwrap();
        until_settled(&place, VICTIM_DIR);
        assert!(matches!(Pool::open(&place.dir()), Err(Error::Unfinished { .. })), "{what}");
        down(&place.dir()).unwrap();
        assert!(place.traces().is_empty(), "{what}: {:?}", place.traces());
    }
}
