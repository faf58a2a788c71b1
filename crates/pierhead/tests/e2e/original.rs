//! The pool's own test since its beginnings, through the command line: run a web server, see its page through the bound
//! port, scale it 5 → 2 → 4; and every verb on the way. What is so is said by the engines themselves.

use std::collections::BTreeSet;

use pierhead_devhosts::sample;
use pierhead_wire::parse_timestamp;
use serde_json::Value;

use crate::bed::Bed;
use crate::canary::Canary;
use crate::raw::{self, Listed, ids};
use crate::wait::{PATIENCE, until, until_some};

const RUN: [&str; 9] = ["run", "--name", sample::IMAGE, "--port", "tcp/::80", "--memory", "100", "--pull", "false"];
/// The app's name: made up from the image's.
const APP: &str = "sample";

#[test]
fn the_sample_is_run_seen_scaled_and_destroyed() {
    let bed = Bed::up(3);
    let canaries: Vec<Canary> = bed.hosts.iter().map(Canary::new).collect();
    one_is_run_and_its_page_seen(&bed);
    four_more_make_five_of_the_same_app(&bed);
    scaled_to_two_the_newest_go_and_to_four_two_are_new(&bed);
    limits_reach_the_engine(&bed);
    lists_agree_with_the_engines(&bed);
    logs_are_what_it_wrote(&bed);
    stop_start_and_restart_keep_the_id(&bed);
    a_destroyed_one_is_gone_and_not_replaced(&bed);
    decisions_are_explained(&bed);
    what_happened_and_what_there_is_are_told(&bed);
    a_host_leaves_and_returns(&bed, &canaries);
    bed.ok(&["app", "rm", APP, "--yes"]);
    assert_eq!(raw::ours(&bed.hosts), []);
    for canary in &canaries {
        canary.check_ran_on().unwrap();
    }
}

/// What runs of the app, by the engines' own lists.
fn running(bed: &Bed) -> Vec<Listed> {
    raw::of_app(&bed.hosts, APP).into_iter().filter(Listed::runs).collect()
}

/// What runs of the app in the order of the pool's list, turned round; the moments at which the engines made the
/// containers agree with it.
fn oldest_first(bed: &Bed) -> Vec<String> {
    let listed = bed.json(&["container", "ls"]);
    let of_app = listed.as_array().unwrap().iter().rev().filter(|container| container["app"] == APP);
    let order: Vec<String> = of_app.map(|container| container["id"].as_str().unwrap().to_owned()).collect();
    let running = running(bed);
    assert_eq!(order.iter().collect::<BTreeSet<_>>(), running.iter().map(|container| &container.id).collect());
    let made_at = |id: &String| {
        let container = running.iter().find(|container| container.id == *id).unwrap();
        parse_timestamp(raw::inspect(bed.host(&container.host), id)["Created"].as_str().unwrap()).unwrap()
    };
    let moments: Vec<_> = order.iter().map(made_at).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    order
}

/// The page that a container serves at the port that the pool bound for it.
fn page(container: &Value) -> String {
    let port = &container["ports"][0];
    raw::page(&format!("tcp://{}:{}", port["host_ip"].as_str().unwrap(), port["port"]))
}

fn one_is_run_and_its_page_seen(bed: &Bed) {
    let text = bed.ok(&RUN);
    let listed = running(bed);
    assert_eq!(listed.len(), 1);
    let shown = bed.json(&["container", "show", &listed[0].id]);
    assert_eq!(page(&shown), listed[0].id[..12]);
    let url = format!("http://{}:{} -> 80", bed.host(&listed[0].host).address(), shown["ports"][0]["port"]);
    for part in [&listed[0].id[..12], &listed[0].host, "running", &url] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

fn four_more_make_five_of_the_same_app(bed: &Bed) {
    let before = running(bed);
    let four = bed.json(&[&RUN[..], &["--count", "4"]].concat());
    let made: Vec<&Value> = four.as_array().unwrap().iter().collect();
    assert_eq!(made.len(), 4);
    let listed = running(bed);
    assert_eq!(listed.len(), 5);
    assert!(before.iter().all(|container| listed.contains(container)));
    for container in made {
        assert_eq!(container["app"], APP);
        assert_eq!(page(container), container["id"].as_str().unwrap()[..12]);
    }
    let spread: BTreeSet<usize> =
        bed.hosts.iter().map(|host| listed.iter().filter(|container| container.host == host.name()).count()).collect();
    assert_eq!(spread, BTreeSet::from([1, 2]), "evenly spread");
}

fn scaled_to_two_the_newest_go_and_to_four_two_are_new(bed: &Bed) {
    let five = oldest_first(bed);
    assert!(bed.ok(&["scale", &five[3][..12], "2"]).contains("to 2"));
    assert_eq!(raw::of_app(&bed.hosts, APP).len(), 2, "those that went left nothing");
    let two = oldest_first(bed);
    assert_eq!(two, five[..2], "the oldest survive");

    bed.ok(&["scale", &two[1], "4"]);
    let four = oldest_first(bed);
    assert_eq!(four.len(), 4);
    assert_eq!(four[..2], two);
    assert!(four[2..].iter().all(|id| !five.contains(id)));
    assert_eq!(raw::of_app(&bed.hosts, APP).len(), 4);

    let gone = bed.run(&["container", "show", &five[4]]);
    assert_eq!((gone.code, gone.stdout.as_str()), (3, ""), "{gone:?}");
}

fn limits_reach_the_engine(bed: &Bed) {
    let made = bed.json(&["run", sample::IMAGE, "--app", "limited", "--cpus", "0.25", "--memory", "64"]);
    let container = &made[0];
    let host = bed.host(container["engine"]["id"].as_str().unwrap());
    let inspected = raw::inspect(host, container["id"].as_str().unwrap());
    let given = &inspected["HostConfig"];
    assert_eq!(given["NanoCpus"], 250_000_000);
    assert_eq!(given["Memory"], 64 << 20);
    assert_eq!(given["MemorySwap"], given["Memory"], "no swap beyond");
    assert_eq!(given["PidsLimit"], 1024);
    assert_eq!(given["Privileged"], false);
    let log = &given["LogConfig"];
    assert_eq!(log["Type"], "json-file");
    assert!(log["Config"]["max-size"].is_string() && log["Config"]["max-file"].is_string(), "{log}");
    bed.ok(&["app", "rm", "limited", "--yes"]);
    assert_eq!(raw::of_app(&bed.hosts, "limited"), []);
}

fn lists_agree_with_the_engines(bed: &Bed) {
    let listed = bed.json(&["container", "ls"]);
    let listed = listed.as_array().unwrap();
    let told: BTreeSet<&str> = listed.iter().map(|container| container["id"].as_str().unwrap()).collect();
    let there: Vec<Listed> = bed.hosts.iter().flat_map(raw::list).filter(Listed::runs).collect();
    assert_eq!(told, there.iter().map(|container| container.id.as_str()).collect(), "others' are listed too");
    let created: Vec<&str> = listed.iter().map(|container| container["created_at"].as_str().unwrap()).collect();
    assert!(created.is_sorted_by(|newer, older| newer >= older), "newest first: {created:?}");

    let table = bed.ok(&["container", "ls"]);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), told.len() + 1);
    assert!(rows[0].starts_with("CONTAINER"), "{table}");
    for (row, container) in rows[1..].iter().zip(listed) {
        let id = &container["id"].as_str().unwrap()[..12];
        assert!(row.starts_with(id) && row.contains(container["engine"]["id"].as_str().unwrap()), "{row}");
    }
}

fn logs_are_what_it_wrote(bed: &Bed) {
    let script = "echo to the one; echo to the other >&2; exec sleep 600";
    let args = ["run", sample::IMAGE, "--app", "talker", "--memory", "16", "--", "sh", "-c", script];
    bed.ok(&args);
    until("both lines", PATIENCE, || bed.ok(&["logs", "talker"]).lines().count() == 2);
    let id = running_of(bed, "talker").remove(0).id;
    let lines: BTreeSet<String> = bed.ok(&["logs", &id[..10]]).lines().map(str::to_owned).collect();
    assert_eq!(lines, BTreeSet::from(["to the one".to_owned(), "to the other".to_owned()]));
    assert_eq!(bed.ok(&["logs", "talker", "--stderr"]), "to the other\n");
    bed.ok(&["app", "rm", "talker", "--yes"]);
}

fn running_of(bed: &Bed, app: &str) -> Vec<Listed> {
    raw::of_app(&bed.hosts, app).into_iter().filter(Listed::runs).collect()
}

fn stop_start_and_restart_keep_the_id(bed: &Bed) {
    let before = running(bed);
    let chosen = &before[0];
    let (host, id) = (bed.host(&chosen.host), &chosen.id);
    let state = || raw::inspect(host, id)["State"].clone();

    bed.ok(&["container", "stop", id]);
    assert_eq!(state()["Running"], false);
    assert_eq!(bed.json(&["container", "show", id])["state"], "stopped");
    let shown = bed.ok(&["container", "ls"]);
    assert!(!shown.contains(&id[..12]), "{shown}");
    assert!(bed.ok(&["container", "ls", "--all"]).contains(&id[..12]));
    assert_eq!(bed.json(&["app", "show", APP])["running"], before.len() - 1);
    assert_eq!(running(bed).len(), before.len() - 1, "nobody takes its place");

    bed.ok(&["container", "start", id]);
    let first_start = state()["StartedAt"].clone();
    assert_eq!(running(bed), before);
    bed.ok(&["container", "restart", &id[..8]]);
    assert_ne!(state()["StartedAt"], first_start);
    assert_eq!(running(bed), before);
}

fn a_destroyed_one_is_gone_and_not_replaced(bed: &Bed) {
    let before = running(bed);
    bed.ok(&["container", "rm", &before[0].id, "--yes"]);
    assert_eq!(raw::of_app(&bed.hosts, APP), before[1..]);
    assert_eq!(bed.json(&["app", "show", APP])["replicas"], before.len() - 1);
}

fn decisions_are_explained(bed: &Bed) {
    let id = running(bed).remove(0).id;
    for args in [
        &["explain", APP][..],
        &["explain", &id],
        &["explain", "--image", sample::IMAGE, "--cpus", "0.5", "--memory", "64"],
    ] {
        let text = bed.ok(args);
        for host in &bed.hosts {
            assert!(text.contains(host.name()), "{args:?}: {text}");
        }
    }
    let text = bed.ok(&["explain", "--image", sample::IMAGE, "--memory", "9000000"]);
    assert!(text.to_lowercase().contains("memory"), "{text}");
}

/// What the engines saw of it stands in the same log, each event once and with its container.
fn engines_tell(bed: &Bed) {
    let (told, _) = until_some("the engines' events", PATIENCE, || {
        let events = bed.json(&["events", "1000", "--tag", "docker", "--type", "destroy"]);
        events.as_array().filter(|events| !events.is_empty()).cloned()
    });
    let mut ids: Vec<&str> = told.iter().map(|event| event["container"]["id"].as_str().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "a container is destroyed once");
}

fn what_happened_and_what_there_is_are_told(bed: &Bed) {
    let events = bed.json(&["events", "1000", "--tag", "cluster"]);
    let events = events.as_array().unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for (kind, least) in [
        ("add-engine", 3),
        ("run-container", 2),
        ("scale-container", 2),
        ("stop-container", 1),
        ("start-container", 1),
        ("restart-container", 1),
        ("destroy-container", 1),
    ] {
        let found = kinds.iter().filter(|found| **found == kind).count();
        assert!(found >= least, "{kind}: {found} in {kinds:?}");
    }
    // Nobody asks for a host to stumble either.
    let is_nobodys = |event: &&Value| event["actor"] != "admin" && event["type"] != "engine-suspect";
    let nobodys: Vec<&Value> = events.iter().filter(is_nobodys).collect();
    assert!(nobodys.len() == 1 && nobodys[0]["type"] == "add-account", "only the first account: {nobodys:?}");
    let newest = |count: &str| bed.json(&["events", count, "--tag", "cluster"]);
    until("the newest come first", PATIENCE, || {
        newest("2").as_array().unwrap() == &newest("1000").as_array().unwrap()[..2]
    });
    engines_tell(bed);

    let info = bed.json(&["cluster", "info"]);
    let there: Vec<Listed> = bed.hosts.iter().flat_map(raw::list).filter(Listed::runs).collect();
    assert_eq!((&info["engine_count"], &info["container_count"]), (&3.into(), &there.len().into()));
    let cores: f64 = bed.hosts.iter().map(|host| raw::call(host, "GET", "/info", None)["NCPU"].as_f64().unwrap()).sum();
    assert_eq!(info["cpus"], cores);
    assert!(info["reserved_memory"].as_f64().unwrap() >= 300.0, "{info}");
    assert_eq!(info["silent_engines"], Value::Array(vec![]));
}

/// A host that is taken out of the pool keeps what runs there, while the app goes on elsewhere. When the host is added
/// again, the older copies go.
fn a_host_leaves_and_returns(bed: &Bed, canaries: &[Canary]) {
    bed.ok(&["scale", APP, "6"]);
    let (leaver, rest) = (&bed.hosts[2], &bed.hosts[..2]);
    let left = ids(&raw::of_app(&bed.hosts[2..], APP));
    assert_eq!(left.len(), 2);
    let stayed = ids(&raw::of_app(rest, APP));
    bed.ok(&["engine", "rm", leaver.name(), "--yes"]);
    until("the app is whole without the host", PATIENCE, || {
        raw::of_app(rest, APP).iter().filter(|container| container.runs()).count() == 6
    });
    assert_eq!(ids(&raw::of_app(&bed.hosts[2..], APP)), left, "what runs on the host is left alone");
    let six = ids(&raw::of_app(rest, APP));
    assert!(stayed.iter().all(|id| six.contains(id)));

    let label = ["--label", "returned"];
    bed.ok(&[&["engine", "add", leaver.docker_host(), "--id", leaver.name()][..], &label].concat());
    until("older copies are gone", PATIENCE, || raw::of_app(&bed.hosts[2..], APP).is_empty());
    assert_eq!(ids(&raw::of_app(&bed.hosts, APP)), six, "nothing else changed");
    assert!(bed.engine(leaver.name())["labels"].as_array().unwrap().contains(&"returned".into()));
    canaries[2].check_ran_on().unwrap();
    assert!(bed.ok(&["container", "ls"]).contains(&canaries[2].id()[..12]), "others' containers are seen");
}
