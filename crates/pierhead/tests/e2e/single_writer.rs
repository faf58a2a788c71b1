//! What must have one writer has never two, whatever happens to its host: the engines themselves are asked all the time.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Host, sample};
use serde_json::Value;

use crate::agents::{again, agent, argv, in_host, is_healthy};
use crate::bed::Bed;
use crate::program::{signal, text_of};
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};

const APP: &str = "books";
/// How long a lease lasts, and the margin after it: before that nothing may begin elsewhere.
const LEASE: Duration = Duration::from_secs(10);
/// How long an engine is waited for; one that hangs is not asked.
const ENGINE_TELLS_WITHIN: Duration = Duration::from_millis(300);
/// Leases, margins and detection, on a busy machine.
const TAKES_OVER_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn one_writer_is_never_two() {
    let bed = Bed::up_with(3, &["--agents"]);
    let writer = Writer::run(&bed);
    writer.refuses_a_second();
    writer.is_left_alone_by_a_restart();
    writer.moves_when_its_host_is_cut_off(Host::cut);
    writer.moves_when_its_host_is_cut_off(|host| host.hang_engine().and_then(|()| host.cut()));
    writer.is_drained_and_changed_one_after_the_other();
    writer.stops_with_its_agent();
}

/// The containers of the app that run on a host, by its engine and by the machine's processes: an engine that hangs tells
/// nothing, and one that goes on afterwards tells for a moment what was so before.
pub fn running_on(host: &Host) -> Vec<String> {
    let told = request(host.docker_host(), "GET", "/containers/json", Body::Empty, ENGINE_TELLS_WITHIN);
    let Ok(told) = told else { return with_processes(containers_on_disk(host)) };
    let listed: Value = serde_json::from_slice(&told.body).unwrap();
    let of_app = |it: &&Value| it["Labels"]["pierhead.app"] == APP && it["State"] == "running";
    let ids = listed.as_array().unwrap().iter().filter(of_app).map(|it| it["Id"].as_str().unwrap().to_owned());
    with_processes(ids.collect())
}

fn containers_on_disk(host: &Host) -> Vec<String> {
    let folders = std::fs::read_dir(host.log().parent().unwrap().join("data/containers")).into_iter().flatten();
    folders.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect()
}

/// Those that have a process of the app's program in their control groups.
fn with_processes(mut ids: Vec<String>) -> Vec<String> {
    if ids.is_empty() {
        return ids;
    }
    let group = |process: std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let is_it = String::from_utf8_lossy(&line).contains("writes-books");
        is_it.then(|| text_of(&process.path().join("cgroup")))
    };
    let groups: Vec<String> = std::fs::read_dir("/proc").unwrap().flatten().filter_map(group).collect();
    ids.retain(|id| groups.iter().any(|group| group.contains(id.as_str())));
    ids
}

pub struct Writer<'a> {
    bed: &'a Bed,
}

impl<'a> Writer<'a> {
    pub fn run(bed: &'a Bed) -> Self {
        // The program ends at once when it is asked to.
        let script = "trap 'exit 0' TERM; : writes-books; while :; do sleep 0.1; done";
        let flags = ["--single-writer", "--cpus", "0.05", "--memory", "16", "--app", APP];
        bed.ok(&[&["run", sample::IMAGE], &flags[..], &["--", "sh", "-c", script]].concat());
        let shown = bed.ok(&["app", "show", APP]);
        assert!(shown.contains("never two at a time"), "{shown}");
        Self { bed }
    }

    /// Where it runs, by the engines' own word.
    fn at(&self) -> Option<&'a Host> {
        self.bed.hosts.iter().find(|host| !running_on(host).is_empty())
    }

    fn host(&self) -> &'a Host {
        until_some("it runs", PATIENCE, || self.at()).0
    }

    fn refuses_a_second(&self) {
        for (args, words) in [
            (&["scale", APP, "2"][..], "must be 0 or 1"),
            (&["run", sample::IMAGE, "--single-writer", "--app", "two", "--count", "2"], "must be 0 or 1"),
        ] {
            let refused = self.bed.run(args);
            assert!(refused.code != 0 && refused.stderr.contains(words), "{refused:?}");
        }
    }

    /// Asks all engines all the time, while something happens; never is it seen to run in two places.
    fn watched<T>(&self, happens: impl FnOnce() -> T) -> T {
        watched(&self.bed.hosts, happens)
    }

    fn app(&self) -> Value {
        self.bed.json(&["app", "show", APP])
    }

    /// An agent that is killed and started again at once stops nothing.
    fn is_left_alone_by_a_restart(&self) {
        let host = self.host();
        let before = running_on(host);
        let pid = agent(self.bed, host.name());
        let mut words = argv(pid);
        let at = words.iter().position(|word| word == "--join").unwrap();
        words.drain(at..at + 2);
        signal(pid, "KILL");
        again(self.bed, &format!("agent-{}", host.name()), in_host(self.bed, host.name(), words));
        until("the host is healthy", PATIENCE, || is_healthy(self.bed, host.name()));
        // Longer than a lease lasts: it was renewed.
        let began = Instant::now();
        while began.elapsed() < LEASE + Duration::from_secs(3) {
            assert_eq!(running_on(host), before, "it was stopped for nothing");
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn moves_when_its_host_is_cut_off(&self, fault: impl Fn(&Host) -> pierhead_devhosts::Result<()>) {
        let host = self.host();
        self.watched(|| {
            fault(host).unwrap();
            let struck = Instant::now();
            let said = until_some("it says what it waits for", PATIENCE, || {
                let message = self.app()["slots"][0]["message"].as_str().unwrap_or_default().to_owned();
                message.contains("must not run twice").then_some(message)
            });
            assert!(said.0.contains(host.name()) && said.0.contains("in "), "{}", said.0);
            until("its agent has stopped it", TAKES_OVER_WITHIN, || running_on(host).is_empty());
            println!("stopped {:?} after its host was lost", struck.elapsed());
            let (next, _) = until_some("it runs elsewhere", TAKES_OVER_WITHIN, || self.at());
            println!("runs elsewhere {:?} after its host was lost", struck.elapsed());
            assert_ne!(next.name(), host.name());
            assert!(struck.elapsed() >= LEASE, "the lease cannot have ended");
            // Both may have happened.
            drop(host.resume_engine());
            host.restore().unwrap();
            until("the host is healthy", TAKES_OVER_WITHIN, || is_healthy(self.bed, host.name()));
            until("the former copy is removed", PATIENCE, || raw::of_app(std::slice::from_ref(host), APP).is_empty());
            assert_eq!(self.host().name(), next.name(), "the new one stays");
        });
    }

    fn is_drained_and_changed_one_after_the_other(&self) {
        let host = self.host();
        self.watched(|| {
            self.bed.ok(&["engine", "drain", host.name()]);
            until("it runs elsewhere", PATIENCE, || self.at().is_some_and(|at| at.name() != host.name()));
            self.bed.ok(&["engine", "uncordon", host.name()]);
            let image = sample::IMAGE;
            let script = "trap 'exit 0' TERM; : writes-books again; while :; do sleep 0.1; done";
            let flags = ["--single-writer", "--cpus", "0.05", "--memory", "16", "--", "sh", "-c", script];
            self.bed.ok(&[&["app", "set", APP, image], &flags[..]].concat());
            assert_eq!(self.app()["running"], 1);
        });
    }

    /// An agent that ends in good order stops what it cannot watch any more, before anybody could know.
    fn stops_with_its_agent(&self) {
        let host = self.host();
        let pid = agent(self.bed, host.name());
        let mut words = argv(pid);
        if let Some(at) = words.iter().position(|word| word == "--join") {
            words.drain(at..at + 2);
        }
        self.watched(|| {
            signal(pid, "TERM");
            until("it is stopped", PATIENCE, || running_on(host).is_empty());
            until("its agent has ended", PATIENCE, || !Path::new(&format!("/proc/{pid}")).exists());
            until("it runs elsewhere", TAKES_OVER_WITHIN, || self.at().is_some_and(|at| at.name() != host.name()));
            again(self.bed, &format!("agent-{}", host.name()), in_host(self.bed, host.name(), words));
            until("the host is healthy", PATIENCE, || is_healthy(self.bed, host.name()));
        });
    }
}

/// Asks all engines in turn, again and again, while something happens.
///
/// # Panics
/// The app was seen to run on two hosts. They are asked one after the other, so a second look at all that had something
/// tells whether it was so at one moment.
pub fn watched<T>(hosts: &[Host], happens: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                if let Some(twice) = runs_twice(hosts) {
                    return Err(twice);
                }
                looks += 1;
            }
            Ok(looks)
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(happens));
        over.store(true, Ordering::Relaxed);
        let looked = watching.join().unwrap();
        let looks = looked.unwrap_or_else(|twice| panic!("runs twice: {twice}"));
        println!("looked {looks} times");
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Whether it runs on two hosts at one moment: what was there before the other was looked at, and after.
pub fn runs_twice(hosts: &[Host]) -> Option<String> {
    let look = || -> Vec<Vec<String>> {
        thread::scope(|scope| {
            let looks: Vec<_> = hosts.iter().map(|host| scope.spawn(|| running_on(host))).collect();
            looks.into_iter().map(|look| look.join().unwrap()).collect()
        })
    };
    let (first, second) = (look(), look());
    let lasted: Vec<String> = hosts
        .iter()
        .zip(first.iter().zip(&second))
        .flat_map(|(host, (one, two))| {
            one.iter().filter(|id| two.contains(id)).map(|id| format!("{id} on {}", host.name())).collect::<Vec<_>>()
        })
        .collect();
    let places: std::collections::BTreeSet<&str> = lasted.iter().filter_map(|it| it.rsplit(' ').next()).collect();
    (places.len() > 1).then(|| lasted.join(", "))
}
