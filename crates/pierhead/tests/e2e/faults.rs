//! Hosts that die, hang and are cut off, and return: seen in time, borne by the others, mended without harm to anybody.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pierhead_devhosts::{Host, Result, sample};

use crate::api::Api;
use crate::bed::Bed;
use crate::canary::Canary;
use crate::raw::{self, Listed, ids};
use crate::wait::{PATIENCE, until, until_right, until_some};

const APP: &str = "web";
const REPLICAS: usize = 6;
/// Three times the interval at which engines are probed, and as much again for a busy machine.
const SEEN_WITHIN: Duration = Duration::from_secs(6);
/// What others ask must not wait for a host that does not answer, not even until it counts as down.
const SLOWEST_LIST: Duration = Duration::from_secs(2);

/// What befalls a host, and how it passes.
struct Fault {
    name: &'static str,
    inflict: fn(&Host) -> Result<()>,
    repair: fn(&Host) -> Result<()>,
    /// Whether containers live through it: an engine that starts stops those that its predecessor left.
    containers_live: bool,
}

const FAULTS: [Fault; 3] = [
    Fault { name: "killed", inflict: Host::kill_engine, repair: Host::start_engine, containers_live: false },
    Fault { name: "hung", inflict: Host::hang_engine, repair: Host::resume_engine, containers_live: true },
    Fault { name: "cut off", inflict: Host::cut, repair: Host::restore, containers_live: true },
];

#[test]
fn an_app_outlives_engines_that_are_killed_hung_and_cut_off() {
    let bed = Bed::up(3);
    let mut canaries: Vec<Canary> = bed.hosts.iter().map(Canary::new).collect();
    let count = REPLICAS.to_string();
    let limits = ["--cpus", "0.05", "--memory", "16", "--volume", "kept:/kept"];
    bed.ok(&[&["run", sample::IMAGE, "--app", APP, "--count", &count][..], &limits].concat());
    for (fault, at) in FAULTS.iter().zip(0..) {
        Suffering { bed: &bed, canaries: &canaries, fault, at }.check();
        canaries[at].note_start();
    }
}

struct Suffering<'a> {
    bed: &'a Bed,
    canaries: &'a [Canary],
    fault: &'static Fault,
    /// The host that suffers.
    at: usize,
}

impl Suffering<'_> {
    fn check(&self) {
        let (before, volumes) = (self.on_others(), self.volumes());
        (self.fault.inflict)(self.victim()).unwrap();
        let struck = Instant::now();
        let over = AtomicBool::new(false);
        let lists = thread::scope(|scope| {
            let lists = scope.spawn(|| self.list_until(&over));
            // Told to the other thread even if this one fails, or both would wait for ever.
            let told = Told(&over);
            self.is_seen(struck);
            self.is_replaced(struck, &before);
            drop(told);
            lists.join().unwrap()
        });
        println!("{}: of {} lists meanwhile the slowest took {:?}", self.fault.name, lists.0, lists.1);
        assert!(lists.1 < SLOWEST_LIST, "{:?}", lists.1);

        let whole = self.on_others();
        (self.fault.repair)(self.victim()).unwrap();
        self.is_mended(&whole);
        assert!(self.volumes().is_superset(&volumes), "volumes are never deleted");
        for (canary, host) in self.canaries.iter().zip(&self.bed.hosts) {
            let lived = self.fault.containers_live || host.name() != self.victim().name();
            let check = || if lived { canary.check_ran_on() } else { canary.check() };
            until_right(PATIENCE, check).unwrap();
        }
    }

    fn victim(&self) -> &Host {
        &self.bed.hosts[self.at]
    }

    /// What runs of the app on the other hosts, by their engines.
    fn on_others(&self) -> Vec<Listed> {
        let others: Vec<Host> =
            self.bed.hosts.iter().filter(|host| host.name() != self.victim().name()).cloned().collect();
        raw::of_app(&others, APP).into_iter().filter(Listed::runs).collect()
    }

    fn volumes(&self) -> BTreeSet<String> {
        let of = |host: &Host| {
            let listed = raw::call(host, "GET", "/volumes", None);
            let names = listed["Volumes"].as_array().unwrap().iter().map(|volume| volume["Name"].to_string());
            names.map(|name| format!("{} {name}", host.name())).collect::<Vec<_>>()
        };
        self.bed.hosts.iter().flat_map(of).collect()
    }

    fn api(&self) -> Api {
        Api::new(self.bed.text("url"), Some(self.bed.text("token")))
    }

    /// Asks for lists all the time: how many there were, and how long the slowest took.
    fn list_until(&self, over: &AtomicBool) -> (usize, Duration) {
        let api = self.api();
        let mut lists = (0, Duration::ZERO);
        while !over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let containers = api.wait(api.client.containers(true)).unwrap();
            let engines = api.wait(api.client.engines()).unwrap();
            assert!(containers.len() >= REPLICAS && engines.len() == 3);
            lists = (lists.0 + 1, lists.1.max(began.elapsed()));
            thread::sleep(Duration::from_millis(20));
        }
        lists
    }

    fn is_seen(&self, struck: Instant) {
        let api = self.api();
        let name = self.victim().name();
        let (reason, _) = until_some("the host is down", PATIENCE, || {
            let (status, reason) = api.health(name);
            (status == "down").then_some(reason)
        });
        let took = struck.elapsed();
        println!("{}: seen after {took:?}: {reason}", self.fault.name);
        assert!(took <= SEEN_WITHIN, "{took:?}");
        assert!(!reason.is_empty());
        let listed = self.bed.json(&["container", "ls", "--all"]);
        let here = listed.as_array().unwrap().iter().filter(|container| container["engine"]["id"] == name);
        assert!(here.clone().count() > 0, "what is there is still listed");
        assert!(here.clone().all(|container| container["status"] == "unreachable"), "and nobody pretends to know more");
    }

    fn is_replaced(&self, struck: Instant, before: &[Listed]) {
        until("all replicas run elsewhere", PATIENCE, || self.on_others().len() == REPLICAS);
        println!("{}: replaced after {:?}", self.fault.name, struck.elapsed());
        assert!(struck.elapsed() >= Duration::from_secs(3), "not before the grace time");
        let now = self.on_others();
        assert!(before.iter().all(|container| now.contains(container)), "the others' own run on");
        // Work goes on without the host.
        for (count, phase) in [(REPLICAS + 1, "one more"), (REPLICAS, "one less")] {
            let scaled = self.bed.run(&["scale", APP, &count.to_string()]);
            assert_eq!(scaled.code, 0, "{phase}: {scaled:?}");
            println!("{}: {phase} after {:?}", self.fault.name, scaled.took);
            assert_eq!(self.on_others().len(), count);
        }
    }

    fn is_mended(&self, whole: &[Listed]) {
        let began = Instant::now();
        let api = self.api();
        until("the host is healthy", PATIENCE, || api.health(self.victim().name()).0 == "healthy");
        let only = |host: &Host| raw::of_app(std::slice::from_ref(host), APP);
        until("the surplus is gone", PATIENCE, || only(self.victim()).is_empty());
        println!("{}: no surplus {:?} after the return", self.fault.name, began.elapsed());
        assert_eq!(ids(&raw::of_app(&self.bed.hosts, APP)), ids(whole), "nothing else changed");
        let shown = self.bed.json(&["app", "show", APP]);
        assert_eq!((&shown["replicas"], &shown["running"]), (&REPLICAS.into(), &REPLICAS.into()));
    }
}

/// Says that it is over when it is dropped.
struct Told<'a>(&'a AtomicBool);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
