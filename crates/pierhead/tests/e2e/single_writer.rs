//! What must have one writer has never two, whatever happens to its host: the engines themselves are asked all the time.

use std::collections::BTreeMap;
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

/// What the program of a writer has in its command line, before the name of its app.
const MARK: &str = "writes-";
/// How long a lease lasts, and the margin after it: before that nothing may begin elsewhere.
const LEASE: Duration = Duration::from_secs(10);
/// How long an engine is waited for; one that hangs is not asked.
const ENGINE_TELLS_WITHIN: Duration = Duration::from_millis(300);
/// Leases, margins and detection, on a busy machine.
const TAKES_OVER_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn one_writer_is_never_two() {
    let bed = Bed::up_with(5, &["--agents"]);
    let [books, ledger, diary] = ["books", "ledger", "diary"].map(|app| Writer::run(&bed, app));
    let hosts = [&books, &ledger, &diary].map(|writer| writer.host().name());
    assert!(hosts[0] != hosts[1] && hosts[1] != hosts[2] && hosts[0] != hosts[2], "{hosts:?}");
    books.refuses_a_second();
    let restarted = diary.whose_agent_is_restarted();
    // Two of five are lost at a time: not so many that nothing would be moved.
    watched(&bed.hosts, || {
        thread::scope(|scope| {
            scope.spawn(|| books.moves_when_its_host_is_lost(Host::cut));
            scope.spawn(|| ledger.moves_when_its_host_is_lost(|host| host.hang_engine().and_then(|()| host.cut())));
            diary.is_left_alone(&restarted);
        });
        books.is_drained_and_changed_one_after_the_other();
        books.stops_with_its_agent();
    });
}

/// A container with a process of a writer in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Copy {
    app: String,
    id: String,
}

/// The writers that run on a host, by its engine and by the machine's processes: an engine that hangs tells nothing, and
/// one that goes on afterwards tells for a moment what was so before.
fn running_on(host: &Host) -> Vec<Copy> {
    let ids = containers_of(host);
    with_processes(&ids, &processes())
}

/// The containers that may run there.
fn containers_of(host: &Host) -> Vec<String> {
    let told = request(host.docker_host(), "GET", "/containers/json", Body::Empty, ENGINE_TELLS_WITHIN);
    let Ok(told) = told else { return containers_on_disk(host) };
    let listed: Value = serde_json::from_slice(&told.body).unwrap();
    let running = listed.as_array().unwrap().iter().filter(|it| it["State"] == "running");
    running.map(|it| it["Id"].as_str().unwrap().to_owned()).collect()
}

fn containers_on_disk(host: &Host) -> Vec<String> {
    let folders = std::fs::read_dir(host.log().parent().unwrap().join("data/containers")).into_iter().flatten();
    folders.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect()
}

/// The processes of writers: of which app each is, and its control groups.
fn processes() -> Vec<(String, String)> {
    let writer = |process: std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line);
        let app = line.split_once(MARK)?.1.chars().take_while(char::is_ascii_lowercase).collect();
        Some((app, text_of(&process.path().join("cgroup"))))
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(writer).collect()
}

fn with_processes(ids: &[String], processes: &[(String, String)]) -> Vec<Copy> {
    let writer = |id: &String| {
        let (app, _) = processes.iter().find(|(_, group)| group.contains(id.as_str()))?;
        Some(Copy { app: app.clone(), id: id.clone() })
    };
    ids.iter().filter_map(writer).collect()
}

pub struct Writer<'a> {
    bed: &'a Bed,
    app: &'static str,
}

impl<'a> Writer<'a> {
    pub fn run(bed: &'a Bed, app: &'static str) -> Self {
        // The program ends at once when it is asked to.
        let script = format!("trap 'exit 0' TERM; : {MARK}{app}; while :; do sleep 0.1; done");
        let flags = ["--single-writer", "--cpus", "0.05", "--memory", "16", "--app", app];
        bed.ok(&[&["run", sample::IMAGE], &flags[..], &["--", "sh", "-c", &script]].concat());
        let shown = bed.ok(&["app", "show", app]);
        assert!(shown.contains("never two at a time"), "{shown}");
        Self { bed, app }
    }

    /// Its copies on a host, by the engine's own word.
    fn copies(&self, host: &Host) -> Vec<Copy> {
        running_on(host).into_iter().filter(|copy| copy.app == self.app).collect()
    }

    /// Where it runs, by the engines' own word.
    fn at(&self) -> Option<&'a Host> {
        self.bed.hosts.iter().find(|host| !self.copies(host).is_empty())
    }

    fn host(&self) -> &'a Host {
        until_some("it runs", PATIENCE, || self.at()).0
    }

    fn refuses_a_second(&self) {
        for (args, words) in [
            (&["scale", self.app, "2"][..], "must be 0 or 1"),
            (&["run", sample::IMAGE, "--single-writer", "--app", "two", "--count", "2"], "must be 0 or 1"),
        ] {
            let refused = self.bed.run(args);
            assert!(refused.code != 0 && refused.stderr.contains(words), "{refused:?}");
        }
    }

    fn show(&self) -> Value {
        self.bed.json(&["app", "show", self.app])
    }

    /// Kills its agent and starts it again at once: what runs there, which that must not stop.
    fn whose_agent_is_restarted(&self) -> (&'a Host, Vec<Copy>, Instant) {
        let host = self.host();
        let before = self.copies(host);
        let pid = agent(self.bed, host.name());
        let mut words = argv(pid);
        let at = words.iter().position(|word| word == "--join").unwrap();
        words.drain(at..at + 2);
        signal(pid, "KILL");
        again(self.bed, &format!("agent-{}", host.name()), in_host(self.bed, host.name(), words));
        until("the host is healthy", PATIENCE, || is_healthy(self.bed, host.name()));
        (host, before, Instant::now())
    }

    /// For longer than a lease lasts: it was renewed.
    fn is_left_alone(&self, (host, before, since): &(&'a Host, Vec<Copy>, Instant)) {
        while since.elapsed() < LEASE + Duration::from_secs(3) {
            assert_eq!(self.copies(host), *before, "it was stopped for nothing");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// All engines are asked all the time; never is it seen to run in two places.
    pub fn moves_when_its_host_is_cut_off(&self) {
        watched(&self.bed.hosts, || self.moves_when_its_host_is_lost(Host::cut));
    }

    fn moves_when_its_host_is_lost(&self, fault: impl Fn(&Host) -> pierhead_devhosts::Result<()>) {
        let (app, host) = (self.app, self.host());
        fault(host).unwrap();
        let struck = Instant::now();
        let said = until_some("it says what it waits for", PATIENCE, || {
            let message = self.show()["slots"][0]["message"].as_str().unwrap_or_default().to_owned();
            message.contains("must not run twice").then_some(message)
        });
        assert!(said.0.contains(host.name()) && said.0.contains("in "), "{}", said.0);
        until("its agent has stopped it", TAKES_OVER_WITHIN, || self.copies(host).is_empty());
        println!("{app}: stopped {:?} after its host was lost", struck.elapsed());
        let (next, _) = until_some("it runs elsewhere", TAKES_OVER_WITHIN, || self.at());
        println!("{app}: runs elsewhere {:?} after its host was lost", struck.elapsed());
        assert_ne!(next.name(), host.name());
        assert!(struck.elapsed() >= LEASE, "the lease cannot have ended");
        // Both may have happened.
        drop(host.resume_engine());
        host.restore().unwrap();
        until("the host is healthy", TAKES_OVER_WITHIN, || is_healthy(self.bed, host.name()));
        until("the former copy is removed", PATIENCE, || raw::of_app(std::slice::from_ref(host), app).is_empty());
        assert_eq!(self.host().name(), next.name(), "the new one stays");
    }

    fn is_drained_and_changed_one_after_the_other(&self) {
        let host = self.host();
        self.bed.ok(&["engine", "drain", host.name()]);
        until("it runs elsewhere", PATIENCE, || self.at().is_some_and(|at| at.name() != host.name()));
        self.bed.ok(&["engine", "uncordon", host.name()]);
        let script = format!("trap 'exit 0' TERM; : {MARK}{} again; while :; do sleep 0.1; done", self.app);
        let flags = ["--single-writer", "--cpus", "0.05", "--memory", "16", "--", "sh", "-c", &script];
        self.bed.ok(&[&["app", "set", self.app, sample::IMAGE], &flags[..]].concat());
        assert_eq!(self.show()["running"], 1);
    }

    /// An agent that ends in good order stops what it cannot watch any more, before anybody could know.
    fn stops_with_its_agent(&self) {
        let host = self.host();
        let pid = agent(self.bed, host.name());
        let mut words = argv(pid);
        if let Some(at) = words.iter().position(|word| word == "--join") {
            words.drain(at..at + 2);
        }
        signal(pid, "TERM");
        until("it is stopped", PATIENCE, || self.copies(host).is_empty());
        until("its agent has ended", PATIENCE, || !Path::new(&format!("/proc/{pid}")).exists());
        until("it runs elsewhere", TAKES_OVER_WITHIN, || self.at().is_some_and(|at| at.name() != host.name()));
        again(self.bed, &format!("agent-{}", host.name()), in_host(self.bed, host.name(), words));
        until("the host is healthy", PATIENCE, || is_healthy(self.bed, host.name()));
    }
}

/// Asks all engines in turn, again and again, while something happens.
///
/// # Panics
/// The app was seen to run on two hosts. They are asked one after the other, so a second look at all that had something
/// tells whether it was so at one moment.
fn watched<T>(hosts: &[Host], happens: impl FnOnce() -> T) -> T {
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

/// Whether a writer runs on two hosts at one moment: what was there before the other was looked at, and after.
fn runs_twice(hosts: &[Host]) -> Option<String> {
    let look = || -> Vec<Vec<Copy>> {
        let ids: Vec<_> = thread::scope(|scope| {
            let looks: Vec<_> = hosts.iter().map(|host| scope.spawn(|| containers_of(host))).collect();
            looks.into_iter().map(|look| look.join().unwrap()).collect()
        });
        let processes = processes();
        ids.iter().map(|ids| with_processes(ids, &processes)).collect()
    };
    let (first, second) = (look(), look());
    let lasted = first.iter().zip(&second).map(|(one, two)| one.iter().filter(|copy| two.contains(copy)));
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (host, copies) in hosts.iter().zip(lasted) {
        for copy in copies {
            places.entry(&copy.app).or_default().push(format!("{} of {} on {}", copy.id, copy.app, host.name()));
        }
    }
    places.into_values().find(|copies| copies.len() > 1).map(|copies| copies.join(", "))
}
