//! What goes wrong at the command line: the words, the exit code, and that nothing was changed.

use std::collections::BTreeSet;

use pierhead_devhosts::{Host, sample};
use serde_json::{Value, json};

use crate::api::Api;
use crate::bed::Bed;
use crate::canary::Canary;
use crate::controller::{Controller, PASSWORD};
use crate::program::{Background, Ended, program};
use crate::raw::{self, Listed};
use crate::wait::{PATIENCE, until};

#[test]
fn what_goes_wrong_is_told_and_changes_nothing() {
    let bed = Bed::up(3);
    let canaries: Vec<Canary> = bed.hosts.iter().map(Canary::new).collect();
    bed.ok(&["run", sample::IMAGE, "--app", "web", "--memory", "32", "--cpus", "0.1"]);
    what_can_not_be_run(&bed);
    what_makes_no_sense(&bed);
    what_is_not_there(&bed);
    who_may_not_or_can_not(&bed);
    a_port_that_a_container_of_somebody_else_has(&bed);
    a_port_that_a_process_of_the_host_has(&bed);
    an_id_of_which_there_are_several(&bed);
    for canary in &canaries {
        canary.check_ran_on().unwrap();
    }
}

/// Everything that a refused command must leave as it was.
fn everything(bed: &Bed) -> (Vec<(String, String)>, Value, Value) {
    let mut there: Vec<(String, String)> =
        bed.hosts.iter().flat_map(raw::list).map(|container| (container.id, container.state)).collect();
    there.sort();
    let engines = bed.json(&["engine", "ls"]);
    let reserved = engines
        .as_array()
        .unwrap()
        .iter()
        .map(|engine| json!([engine["id"], engine["labels"], engine["reserved_cpus"], engine["reserved_memory"]]));
    let reserved = reserved.collect();
    (there, bed.json(&["app", "ls"]), reserved)
}

/// Runs a command that must fail: with a code, these words in its message, and no change.
fn refused(bed: &Bed, args: &[&str], code: i32, words: &[&str]) -> Ended {
    let before = everything(bed);
    let ended = bed.run(args);
    check(args, &ended, code, words);
    assert_eq!(everything(bed), before, "{args:?} changed something");
    ended
}

fn check(args: &[&str], ended: &Ended, code: i32, words: &[&str]) {
    let args: Vec<String> = args.iter().map(|arg| arg.chars().take(80).collect()).collect();
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{args:?}: {ended:?}");
    assert!(ended.stderr.starts_with("error: "), "{args:?}: {ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{args:?}: {word} in {}", ended.stderr);
    }
}

fn what_can_not_be_run(bed: &Bed) {
    let nowhere = refused(bed, &["run", "nowhere.invalid/nothing:1"], 3, &["nowhere.invalid/nothing:1", "hint: "]);
    println!("an image that is nowhere was refused after {:?}", nowhere.took);
    let run = ["run", sample::IMAGE];
    for (flags, code, words) in [
        (&["--cpus", "50"][..], 4, &["CPU", "host-"][..]),
        (&["--memory", "9000000"], 4, &["memory", "host-"]),
        (&["--memory", "1000", "--count", "500"], 4, &["of 500 only"]),
        (&["--label", "nobody-has-this"], 4, &["nobody-has-this"]),
        (&["--type", "unique"], 4, &["run the image already"]),
        (&["--app", "web", "--memory", "33"], 4, &["web"]),
    ] {
        refused(bed, &[&run[..], flags].concat(), code, words);
    }
    refused(bed, &["scale", "web", "2000"], 4, &["room"]);
    refused(bed, &["scale", "web", "5000"], 2, &["from 0 to 2000"]);
}

fn what_makes_no_sense(bed: &Bed) {
    let long = "a".repeat(10_000);
    for args in [
        &["run"][..],
        &["run", sample::IMAGE, "--cpus", "much"],
        &["run", sample::IMAGE, "--count=-1"],
        &["run", sample::IMAGE, "--count", "0"],
        &["run", sample::IMAGE, "--port", "99999"],
        &["run", sample::IMAGE, "--restart", "sometimes"],
        &["run", sample::IMAGE, "--nonsense"],
        &["run", sample::IMAGE, "other:1"],
        &["scale", "web", "many"],
        &["scale", "web", "-1"],
        &["nonsense"],
    ] {
        refused(bed, args, 2, &[]);
    }
    for (flags, word) in [
        (&["--cpus=-1"][..], "cpus"),
        (&["--memory=-5"], "memory"),
        (&["--memory", "1e300"], "memory"),
        (&["--app", &long], "app"),
        (&["--app", "no\u{7}bell"], "app"),
        (&["--label", "with space"], "labels"),
        (&["--type", "strange"], "type"),
        (&["--env", "A\u{1b}[2J=1"], "environment"),
        (&["--hostname", &long], "hostname"),
    ] {
        let ended = refused(bed, &[&["run", sample::IMAGE][..], flags].concat(), 1, &[word]);
        assert!(!ended.stderr.contains(['\u{7}', '\u{1b}']), "{flags:?}: {ended:?}");
        assert!(ended.stderr.len() < 2_000, "the error repeats what was too long");
    }
    refused(bed, &["run", &long], 1, &["name"]);
    refused(bed, &["engine", "add", "ftp://nowhere"], 1, &["addr"]);
}

fn what_is_not_there(bed: &Bed) {
    let id = "f".repeat(64);
    for args in [
        &["container", "show", &id][..],
        &["container", "stop", &id],
        &["container", "rm", &id, "--yes"],
        &["container", "show", "../engines"],
        &["app", "show", "nothing"],
        &["app", "rm", "nothing", "--yes"],
        &["scale", "nothing", "3"],
        &["logs", "nothing"],
        &["explain", "nothing"],
        &["engine", "show", "nothing"],
        &["engine", "rm", "nothing", "--yes"],
        &["operation", "show", "nothing"],
    ] {
        refused(bed, args, 3, &[]);
    }
    refused(bed, &["engine", "add", bed.hosts[0].docker_host(), "--id", "again"], 4, &["host-1"]);
}

fn who_may_not_or_can_not(bed: &Bed) {
    let before = everything(bed);
    let remove = ["app", "rm", "web", "--yes"];
    for (url, token, code, word) in [
        (bed.text("url"), "admin:0123456789abcdef", 5, "token"),
        (bed.text("url"), "", 5, "log"),
        ("http://127.0.0.1:1", bed.text("token"), 6, "127.0.0.1:1"),
        ("http://127.0.0.1:1,http://127.0.0.1:2", bed.text("token"), 6, "127.0.0.1:2"),
        ("nonsense://x", bed.text("token"), 2, "http://"),
        (bed.hosts[0].docker_host().replace("tcp", "http").as_str(), bed.text("token"), 1, "as a controller does"),
    ] {
        let config = bed.place.beside("empty").display().to_string();
        let flags = ["--url", url, "--token", token, "--config-dir", &config];
        check(&remove, &Ended::of(program().args(remove).args(flags)), code, &[word]);
    }
    // The first that answers counts.
    let urls = format!("http://127.0.0.1:1,{}", bed.text("url"));
    let ended = Ended::of(program().args(["app", "ls", "--url", &urls, "--token", bed.text("token")]));
    assert!(ended.code == 0 && ended.stdout.contains("web"), "{ended:?}");
    assert_eq!(everything(bed), before);
}

fn a_port_that_a_container_of_somebody_else_has(bed: &Bed) {
    let theirs =
        json!({ "Image": sample::IMAGE, "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": "8080" }] } } });
    let ids: Vec<String> = bed.hosts.iter().map(|host| start_raw(host, &theirs)).collect();
    until("they are seen", PATIENCE, || {
        let listed = bed.ok(&["container", "ls"]);
        ids.iter().all(|id| listed.contains(&id[..12]))
    });
    refused(bed, &["run", sample::IMAGE, "-p", "8080:80"], 4, &["8080"]);
    for (host, id) in bed.hosts.iter().zip(&ids) {
        raw::call(host, "DELETE", &format!("/containers/{id}?force=1"), None);
    }
}

fn start_raw(host: &Host, wanted: &Value) -> String {
    let id = raw::call(host, "POST", "/containers/create", Some(wanted))["Id"].as_str().unwrap().to_owned();
    raw::call(host, "POST", &format!("/containers/{id}/start"), None);
    id
}

/// Nobody knows of such a port before it is tried: a fixed one is tried on every host, a free one is chosen anew.
fn a_port_that_a_process_of_the_host_has(bed: &Bed) {
    let listeners: Vec<Background> = bed.hosts.iter().map(|host| listen(host, 9090)).collect();
    refused(bed, &["run", sample::IMAGE, "--app", "fixed", "-p", "9090:80"], 4, &["9090"]);
    assert_eq!(raw::of_app(&bed.hosts, "fixed"), []);
    drop(listeners);

    let listener = listen(&bed.hosts[1], 9090);
    let ended = bed.run(&["run", sample::IMAGE, "--app", "fixed", "-p", "9090:80", "--count", "2", "--memory", "16"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let running: Vec<Listed> = raw::of_app(&bed.hosts, "fixed");
    let hosts: BTreeSet<&str> = running.iter().map(|container| container.host.as_str()).collect();
    assert_eq!(hosts, BTreeSet::from(["host-1", "host-3"]), "a slot that failed on one host is tried on another");
    assert!(running.len() == 2 && running.iter().all(Listed::runs), "{running:?}");
    a_chosen_port_that_is_taken_is_chosen_anew(bed);
    drop(listener);
    bed.ok(&["app", "rm", "fixed", "--yes"]);
}

/// Another pool has one of these hosts too, and may choose from two ports, the first of which is taken there.
fn a_chosen_port_that_is_taken_is_chosen_anew(bed: &Bed) {
    let host = &bed.hosts[1];
    let dir = bed.place.beside("other");
    let file = dir.join("password").display().to_string();
    let mut other = Controller::new(&dir, &["--admin-password-file", &file, "--host-ports", "9090-9091"], &[]);
    let url = other.start();
    let token = Api::new(&url, None).log_in(PASSWORD).unwrap();
    let api = Api::new(&url, Some(&token));
    api.add_engine(host);
    until("the other pool knows the host", PATIENCE, || api.health(host.name()).0 == "healthy");
    let flags = ["--url", &url, "--token", &token];
    let run = ["run", sample::IMAGE, "--app", "chosen", "-p", "80", "--memory", "16", "--json"];
    let ran = Ended::of(program().args(run).args(flags));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()[0]["ports"][0]["port"], 9091);
    let id = ran.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(raw::page(&format!("tcp://{}:9091", host.address())), id[..12]);
    let full = Ended::of(program().args(run).args(flags));
    assert_eq!(full.code, 4, "no port is left: {full:?}");
    until("the first pool sees it as somebody else's", PATIENCE, || bed.ok(&["container", "ls"]).contains(&id[..12]));
    let removed = Ended::of(program().args(["app", "rm", "chosen", "--yes"]).args(flags));
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(raw::of_app(&bed.hosts, "chosen"), []);
}

/// A process on a host that listens at a port.
fn listen(host: &Host, port: u16) -> Background {
    let pid = host.pid().unwrap().unwrap();
    let mut nc = std::process::Command::new("nsenter");
    nc.arg(format!("--net=/proc/{pid}/ns/net")).args(["busybox", "nc", "-l", "-p", &port.to_string()]);
    let process = Background::start(nc.stdin(std::process::Stdio::piped()));
    let table = format!("/proc/{}/net/tcp6", process.pid());
    let local = format!(":{port:04X} ");
    let table_v4 = format!("/proc/{}/net/tcp", process.pid());
    until("it listens", PATIENCE, || {
        [&table, &table_v4].iter().any(|table| std::fs::read_to_string(table).unwrap_or_default().contains(&local))
    });
    process
}

fn an_id_of_which_there_are_several(bed: &Bed) {
    // Of 17 ids two begin with the same digit.
    let theirs = json!({ "Image": sample::IMAGE });
    let host = &bed.hosts[0];
    let ids: Vec<String> = (0..17)
        .map(|_| raw::call(host, "POST", "/containers/create", Some(&theirs))["Id"].as_str().unwrap().to_owned())
        .collect();
    let shared = ids.iter().enumerate().find_map(|(at, id)| {
        let first = &id[..1];
        ids[..at].iter().any(|other| other.starts_with(first)).then_some(first)
    });
    let shared = shared.unwrap();
    until("they are seen", PATIENCE, || {
        let listed = bed.ok(&["container", "ls", "--all"]);
        ids.iter().all(|id| listed.contains(&id[..12]))
    });
    for verb in ["show", "stop", "start"] {
        refused(bed, &["container", verb, shared], 1, &[shared]);
    }
    refused(bed, &["container", "rm", shared, "--yes"], 1, &[shared]);
}
