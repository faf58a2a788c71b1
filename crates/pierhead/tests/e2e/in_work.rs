//! A host is drained under load and another one joins: no app is ever missed, and what was planned is what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Host, sample};
use serde_json::Value;

use crate::bed::Bed;
use crate::raw;
use crate::wait::{PATIENCE, until_some};

const APPS: usize = 10;
const REPLICAS: usize = 3;
/// Between the start of a new copy and the end of the old one there is half a second: a look that takes longer sees
/// neither, and says nothing.
const SHARP: Duration = Duration::from_millis(400);

#[test]
fn a_host_is_drained_under_load_and_its_load_shared_with_a_new_one() {
    let bed = Bed::up(4);
    bed.ok(&["engine", "rm", "host-4", "--yes"]);
    let apps = all_on_the_first(&bed);
    let before = places(&bed.hosts);
    assert!(before.len() == APPS * REPLICAS && before.values().all(|(host, _)| host == "host-1"), "{before:?}");

    let (drain, seen) =
        under_load(&bed, &apps, || followed(&bed, &["engine", "drain", "host-1", "--detach", "--json"]));
    seen.check("drain");
    assert_eq!(drain.ended["state"], "done", "{}", drain.ended);
    assert!(drain.steps.len() >= 5, "progress was seen: {:?}", drain.steps);
    assert!(drain.steps.is_sorted(), "{:?}", drain.steps);
    let after = places(&bed.hosts);
    let told: BTreeMap<String, String> = verdicts(&drain.ended, &|verdict| {
        assert!(verdict["message"].as_str().unwrap().starts_with("moved to host "), "{verdict}");
        verdict["engine"].as_str().unwrap().to_owned()
    });
    let lives = |places: &Places| places.iter().map(|(slot, (host, _))| (slot.clone(), host.clone())).collect();
    let found: BTreeMap<String, String> = lives(&after);
    assert_eq!(told, found, "what was told is what the engines say");
    assert!(found.values().all(|host| host == "host-2" || host == "host-3"));

    bed.ok(&["engine", "add", bed.host("host-4").docker_host(), "--id", "host-4"]);
    let (plan, _) = until_some("the new host is known", PATIENCE, || {
        let plan = bed.json(&["cluster", "rebalance", "--plan"]);
        let knows = plan["engines"].as_array().unwrap().iter().any(|engine| engine["id"] == "host-4");
        knows.then_some(plan)
    });
    let moves = plan["moves"].as_array().unwrap();
    assert!(moves.len() >= 5 && moves.iter().all(|moved| moved["to"] == "host-4"), "{plan}");
    let mut expected = found;
    for moved in moves {
        let slot = format!("{}/{}", moved["app"].as_str().unwrap(), moved["slot"]);
        assert_eq!(expected.insert(slot, "host-4".to_owned()).as_deref(), moved["from"].as_str());
    }
    let made = ["cluster", "rebalance", "--yes", "--detach", "--json"];
    let (rebalance, seen) = under_load(&bed, &apps, || followed(&bed, &made));
    seen.check("rebalance");
    assert_eq!(rebalance.ended["state"], "done", "{}", rebalance.ended);
    let now = places(&bed.hosts);
    let is: BTreeMap<String, String> = lives(&now);
    assert_eq!(is, expected, "the moves of the plan were made, and no other");
    let stayed = |slot: &&String| now[*slot].0 != "host-4";
    assert!(after.keys().filter(stayed).all(|slot| now[slot] == after[slot]), "what stayed was not touched");
}

/// The apps, with as many slots as the first host takes, and all of them there.
fn all_on_the_first(bed: &Bed) -> Vec<String> {
    for host in ["host-2", "host-3"] {
        bed.ok(&["engine", "cordon", host]);
    }
    let cpus = bed.engine("host-1")["cpus"].as_f64().unwrap();
    let share = format!("{:.3}", cpus * 0.97 / (APPS * REPLICAS) as f64);
    let apps: Vec<String> = (0..APPS).map(|number| format!("app-{number}")).collect();
    let count = REPLICAS.to_string();
    thread::scope(|scope| {
        for app in &apps {
            let args = ["run", sample::IMAGE, "--app", app, "--count", &count, "--cpus", &share, "--memory", "16"];
            let args = [&args[..], &["-p", "80"]].concat();
            scope.spawn(move || bed.ok(&args));
        }
    });
    for host in ["host-2", "host-3"] {
        bed.ok(&["engine", "uncordon", host]);
    }
    apps
}

/// Where each slot's container is, and its id.
type Places = BTreeMap<String, (String, String)>;

fn places(hosts: &[Host]) -> Places {
    let ours = raw::ours(hosts).into_iter().filter(raw::Listed::runs);
    let slot = |labels: &BTreeMap<String, String>| format!("{}/{}", labels["pierhead.app"], labels["pierhead.slot"]);
    let mut places = Places::new();
    for found in ours {
        let former = places.insert(slot(&found.labels), (found.host.clone(), found.id));
        assert_eq!(former, None, "{} is there twice", slot(&found.labels));
    }
    places
}

/// An operation that was followed to its end, and how many of its moves were done at each look.
struct Followed {
    ended: Value,
    steps: Vec<usize>,
}

fn followed(bed: &Bed, begin: &[&str]) -> Followed {
    let begun: Value = serde_json::from_str(&bed.ok(begin)).unwrap();
    let id = begun["id"].as_str().unwrap();
    let mut steps = Vec::new();
    let (ended, took) = until_some("the operation has ended", PATIENCE * 4, || {
        let operation = bed.json(&["operation", "show", id]);
        let done =
            operation["verdicts"].as_array().unwrap().iter().filter(|verdict| verdict["state"] == "done").count();
        if steps.last() != Some(&done) {
            steps.push(done);
        }
        Some(operation).filter(|operation| operation["state"] != "running")
    });
    println!("{begin:?} took {took:?}, seen at {steps:?}");
    Followed { ended, steps }
}

fn verdicts<T>(operation: &Value, of: &dyn Fn(&Value) -> T) -> BTreeMap<String, T> {
    let all = operation["verdicts"].as_array().unwrap().iter();
    all.map(|verdict| (format!("{}/{}", verdict["app"].as_str().unwrap(), verdict["slot"]), of(verdict))).collect()
}

/// How many replicas of each app answered at the worst moment.
struct Seen {
    fewest: BTreeMap<String, usize>,
    looks: usize,
    blurred: usize,
    requests: usize,
}

impl Seen {
    fn check(&self, what: &str) {
        let Self { fewest, looks, blurred, requests } = self;
        println!("{what}: {requests} requests in {looks} looks, and {blurred} that took too long; fewest {fewest:?}");
        assert!(*looks >= 10 && fewest.len() == APPS, "{looks} looks at {} apps", fewest.len());
        assert!(fewest.values().all(|&least| least >= REPLICAS), "{fewest:?}");
    }
}

/// Does something while every replica of every app is asked for its page again and again.
fn under_load<T>(bed: &Bed, apps: &[String], act: impl FnOnce() -> T) -> (T, Seen) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut seen = Seen { fewest: BTreeMap::new(), looks: 0, blurred: 0, requests: 0 };
            while !over.load(Ordering::Relaxed) {
                look(&bed.hosts, apps, &mut seen);
            }
            seen
        });
        let told = Over(&over);
        let done = act();
        drop(told);
        (done, load.join().unwrap())
    })
}

fn look(hosts: &[Host], apps: &[String], seen: &mut Seen) {
    let began = Instant::now();
    let addresses: Vec<(String, String)> = thread::scope(|scope| {
        hosts
            .iter()
            .map(|host| scope.spawn(|| published(host)))
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(|asked| asked.join().unwrap())
            .collect()
    });
    let answered: Vec<(String, bool)> = thread::scope(|scope| {
        let ask = |(app, address): (String, String)| {
            scope.spawn(move || {
                let answer = request(&address, "GET", "/", Body::Empty, SHARP);
                (app, answer.is_ok_and(|answer| answer.status == 200))
            })
        };
        addresses.into_iter().map(ask).collect::<Vec<_>>().into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    seen.requests += answered.len();
    if began.elapsed() > SHARP {
        seen.blurred += 1;
        return;
    }
    seen.looks += 1;
    for app in apps {
        let count = answered.iter().filter(|(of, ok)| of == app && *ok).count();
        let least = seen.fewest.entry(app.clone()).or_insert(count);
        *least = count.min(*least);
    }
}

/// The app and the address of everything of ours that runs on a host, in the engine's own words.
fn published(host: &Host) -> BTreeSet<(String, String)> {
    let listing = raw::call(host, "GET", "/containers/json", None);
    let found = listing.as_array().unwrap().iter().filter_map(|container| {
        let app = container["Labels"]["pierhead.app"].as_str()?;
        let port = container["Ports"].as_array()?.iter().find_map(|port| port["PublicPort"].as_u64())?;
        Some((app.to_owned(), format!("tcp://{}:{port}", host.address())))
    });
    found.collect()
}

/// Says that it is over when it is dropped, also when something failed before: the other thread would go on for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
