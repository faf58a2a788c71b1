//! What a pool's removal must not touch, though it looks like a part of it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pierhead_devhosts::{Error, Pool, down};
use serde_json::{Value, json};

use crate::support::{Place, entries};

/// A process of somebody else, ended when the test ends.
struct Canary(Child);

impl Canary {
    fn new(program: &str, args: &[&str], marker: Option<&str>) -> Self {
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(marker) = marker {
            command.env("DEVHOSTS_POOL", marker);
        }
        Self(command.spawn().unwrap())
    }

    fn sleeping() -> Self {
        Self::new("sleep", &["600"], None)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn start_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().parse().unwrap()
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A record as a pool writes it, of one host and one service that are both said to be the same process.
fn write_record(place: &Place, phase: &str, pid: u32, start_ticks: u64) {
    let process = json!({ "pid": pid, "start_ticks": start_ticks });
    let record = json!({
        "dir": place.dir().canonicalize().unwrap(),
        "made_dir": false,
        "phase": phase,
        "subnet": 0,
        "dockerd_args": [],
        "hosts": [{ "name": "host-1", "index": 1, "address": "10.77.0.11", "holder": null, "engine": process }],
        "services": [{ "name": "web", "log": place.dir().join("log"), "process": process }],
    });
    fs::write(place.dir().join("pool.json"), record.to_string()).unwrap();
}

#[test]
fn a_process_that_got_the_pid_of_a_dead_one_lives_on() {
    let place = Place::new();
    fs::create_dir(place.dir()).unwrap();
    let mut canary = Canary::sleeping();
    write_record(&place, "up", canary.pid(), canary.start_ticks() - 1);
    let pool = Pool::open(&place.dir()).unwrap();
    let status = pool.status().unwrap();
    assert_eq!((status[0].pid, status[0].alive, status[0].answers), (Some(canary.pid()), false, false));
    assert!(!pool.services().unwrap()[0].alive);
    let host = pool.host("host-1").unwrap();
    assert!(matches!(host.kill_engine(), Err(Error::SignalEngine { .. })));
    assert!(matches!(host.hang_engine(), Err(Error::SignalEngine { .. })));
    pool.stop_service("web").unwrap();
    pool.down().unwrap();
    assert!(canary.is_alive());
    assert_eq!(entries(&place.dir()), Vec::<String>::new());
}

#[test]
fn the_process_that_the_record_means_is_taken_for_it() {
    let place = Place::new();
    fs::create_dir(place.dir()).unwrap();
    let mut canary = Canary::sleeping();
    write_record(&place, "up", canary.pid(), canary.start_ticks());
    let refused = Pool::up(place.spec(1)).unwrap_err().to_string();
    assert!(refused.contains("already holds a running pool (host-1, web)"), "{refused}");
    assert!(canary.is_alive());
    let pool = Pool::open(&place.dir()).unwrap();
    assert!(pool.services().unwrap()[0].alive);
    pool.stop_service("web").unwrap();
    assert!(!canary.is_alive());
}

#[test]
fn mentioning_the_pool_is_not_belonging_to_it() {
    let place = Place::new();
    let other = Place::new();
    fs::create_dir(place.dir()).unwrap();
    write_record(&place, "starting", u32::MAX, 0);
    let log = place.dir().join("pool.json").display().to_string();
    let mut reader = Canary::new("tail", &["-f", &log], None);
    let mut namesake = Canary::new("sleep", &["600"], Some(&format!("{}0", place.prefix())));
    let mut neighbour = Canary::new("sleep", &["600"], Some(&other.prefix()));
    let mut member = Canary::new("sleep", &["600"], Some(&place.prefix()));
    down(&place.dir()).unwrap();
    assert!(reader.is_alive() && namesake.is_alive() && neighbour.is_alive());
    assert!(!member.is_alive(), "only the marked one belongs");
}

#[test]
fn links_and_namespaces_of_similar_names_stay() {
    let place = Place::new();
    let prefix = place.prefix();
    let (link, netns) = (format!("{prefix}x"), format!("{prefix}x-host-1"));
    let ip = |args: &[&str]| assert!(Command::new("ip").args(args).status().unwrap().success(), "ip {args:?}");
    ip(&["link", "add", "name", &link, "type", "bridge"]);
    ip(&["netns", "add", &netns]);
    let outcome = down(&place.dir());
    let stayed =
        [format!("/sys/class/net/{link}"), format!("/run/netns/{netns}")].map(|file| Path::new(&file).exists());
    ip(&["netns", "delete", &netns]);
    ip(&["link", "delete", &link]);
    outcome.unwrap();
    assert_eq!(stayed, [true, true]);
    assert!(place.traces().is_empty(), "{:?}", place.traces());
}

#[test]
fn the_record_of_a_copied_pool_leads_nobody_to_the_original() {
    let (original, copy) = (Place::new(), Place::new());
    fs::create_dir(original.dir()).unwrap();
    fs::create_dir(copy.dir()).unwrap();
    let mut canary = Canary::sleeping();
    write_record(&original, "up", canary.pid(), canary.start_ticks());
    let record = fs::read(original.dir().join("pool.json")).unwrap();
    fs::write(copy.dir().join("pool.json"), &record).unwrap();
    for refused in [down(&copy.dir()), Pool::open(&copy.dir()).map(drop), Pool::up(copy.spec(1)).map(drop)] {
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(&format!("was made in {}", original.dir().canonicalize().unwrap().display())), "{text}");
    }
    assert!(canary.is_alive());
    let kept: Value = serde_json::from_slice(&fs::read(copy.dir().join("pool.json")).unwrap()).unwrap();
    assert_eq!(kept, serde_json::from_slice::<Value>(&record).unwrap());
}
