//! Images that one host has, brought to another: only the layers that it lacks, whatever breaks on the way.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pierhead_devhosts::{Host, sample};
use serde_json::json;

use crate::api::Api;
use crate::bed::Bed;
use crate::program::{Background, program, text_of};
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};

const MEGABYTE: u64 = 1 << 20;
/// More than everything that a host says besides, while an image goes from it.
const CHATTER: u64 = 3 * MEGABYTE;
/// A loaded machine takes its time over hundreds of megabytes.
const LONG: Duration = Duration::from_secs(120);

/// Makes an image on a host: what is below, and a layer of so many megabytes.
fn make(host: &Host, below: &str, name: &str, megabytes: u32) -> String {
    let script = format!("dd if=/dev/urandom of=/{name} bs=1M count={megabytes}");
    let made = json!({ "Image": below, "Entrypoint": ["/bin/sh", "-c", script] });
    let container = raw::call(host, "POST", "/containers/create", Some(&made))["Id"].as_str().unwrap().to_owned();
    raw::call(host, "POST", &format!("/containers/{container}/start"), None);
    raw::call(host, "POST", &format!("/containers/{container}/wait"), None);
    let config = json!({ "Entrypoint": ["/bin/serve"] });
    let path = format!("/commit?container={container}&repo={name}&tag=1");
    let id = raw::call(host, "POST", &path, Some(&config))["Id"].as_str().unwrap().to_owned();
    raw::call(host, "DELETE", &format!("/containers/{container}?v=1"), None);
    id
}

/// The id of what a host has under a name.
fn on(host: &Host, name: &str) -> Option<String> {
    let (status, image) = raw::ask(host.docker_host(), "GET", &format!("/images/{name}/json"), None);
    (status == 200).then(|| image["Id"].as_str().unwrap().to_owned())
}

/// How many bytes have left a host over the network.
fn sent_by(host: &Host) -> u64 {
    let table = fs::read_to_string(format!("/proc/{}/net/dev", host.pid().unwrap().unwrap())).unwrap();
    let line = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        // What stays within the host does not count, nor what goes to its containers.
        let is_outward = !["lo", "docker0"].contains(&name.trim()) && !name.trim().starts_with("veth");
        is_outward.then(|| numbers.split_whitespace().nth(8)?.parse::<u64>().ok()).flatten()
    };
    table.lines().filter_map(line).sum()
}

/// What an engine keeps while it packs and unpacks images.
fn temporary(bed: &Bed, host: &Host) -> Vec<PathBuf> {
    let dir = bed.pool.dir().join("hosts").join(host.name()).join("data/tmp");
    fs::read_dir(dir).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

/// One container of an image on one host.
fn run_on(bed: &Bed, host: &str, image: &str, app: &str) {
    let label = format!("host:{host}");
    let words = ["run", image, "--app", app, "--type", "host", "--label", &label, "--cpus", "0.05", "--memory", "16"];
    bed.ok(&words);
}

/// The last lines of the controller's log about copies.
fn told_of_copies(bed: &Bed) -> String {
    let log = text_of(&bed.pool.service_dir("controller").unwrap().join("log"));
    log.lines().filter(|line| line.contains("cop")).collect::<Vec<_>>().join("\n")
}

fn only_missing_layers_travel(bed: &Bed, leaves_them_out: bool) {
    let (from, to) = (&bed.hosts[0], &bed.hosts[1]);
    make(from, sample::IMAGE, "below", 24);
    let id = make(from, "below:1", "shop", 2);
    // What is below comes first, whole but for the sample, which every host has.
    let before = sent_by(from);
    run_on(bed, to.name(), "below:1", "below");
    assert!(sent_by(from) - before > 24 * MEGABYTE, "{}", told_of_copies(bed));
    let before = sent_by(from);
    run_on(bed, to.name(), "shop:1", "shop");
    let sent = sent_by(from) - before;
    assert_eq!(on(to, "shop:1"), Some(id));
    assert!(sent > 2 * MEGABYTE, "{sent}: {}", told_of_copies(bed));
    assert_eq!(sent < 2 * MEGABYTE + CHATTER, leaves_them_out, "{sent}: {}", told_of_copies(bed));
    assert!(told_of_copies(bed).contains("layers=1 of_layers=3"), "{}", told_of_copies(bed));
    let running = raw::of_app(&bed.hosts, "shop");
    assert!(running.len() == 1 && running[0].runs() && running[0].host == to.name(), "{running:?}");
    // It is what it was: both files are in its container.
    let (_, image) = raw::ask(to.docker_host(), "GET", "/images/shop:1/json", None);
    let (_, there) = raw::ask(from.docker_host(), "GET", "/images/shop:1/json", None);
    assert_eq!((&image["RootFS"], &image["Config"]), (&there["RootFS"], &there["Config"]));
    until("nothing is left of it", PATIENCE, || [from, to].iter().all(|host| temporary(bed, host).is_empty()));
}

/// What the open operations say of their slots.
fn said(bed: &Bed) -> String {
    let operations = bed.json(&["operation", "ls"]);
    let verdicts =
        operations.as_array().unwrap().iter().flat_map(|operation| operation["verdicts"].as_array().unwrap());
    verdicts.filter_map(|verdict| verdict["message"].as_str().map(str::to_owned)).collect::<Vec<_>>().join("\n")
}

/// A large image goes on its way to the second host; the client that waits for it.
fn begin(bed: &Bed, app: &str) -> Background {
    let mut command = program();
    command.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    command.args(["run", "large:1", "--app", app, "--type", "host", "--label", "host:host-2"]);
    command.args(["--cpus", "0.05", "--memory", "16"]);
    let log = fs::File::create(bed.place.beside("run.err")).unwrap();
    let run = Background::start(command.stderr(log));
    until("the copy is told of", LONG, || said(bed).contains("copies large:1: 1 of 2 layers, "));
    run
}

fn a_source_that_dies_in_the_middle_leaves_nothing(bed: &Bed) {
    let (from, to) = (&bed.hosts[0], &bed.hosts[1]);
    let id = make(from, sample::IMAGE, "large", 300);
    let mut run = begin(bed, "large");
    from.kill_engine().unwrap();
    let (status, _) = until_some("the run ends", LONG, || run.has_ended());
    let told = text_of(&bed.place.beside("run.err"));
    assert!(!status.success() && told.contains("large:1 could not be copied from host-1: "), "{told}");
    assert_eq!(on(to, "large:1"), None, "nothing half-made");
    until("the half that came is thrown away", PATIENCE, || temporary(bed, to).is_empty());
    let (_, nameless) =
        raw::ask(to.docker_host(), "GET", "/images/json?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D", None);
    assert_eq!(nameless, json!([]));
    from.start_engine().unwrap();
    let api = Api::new(bed.text("url"), Some(bed.text("token")));
    until("the host is back", LONG, || api.health(from.name()).0 == "healthy");

    // With both of them well it comes, and nobody takes a host for dead meanwhile.
    let (watching, down) = (AtomicBool::new(true), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let api = Api::new(bed.text("url"), Some(bed.text("token")));
            while watching.load(Ordering::SeqCst) {
                if bed.hosts.iter().any(|host| api.health(host.name()).0 == "down") {
                    down.store(true, Ordering::SeqCst);
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        let mut run = begin(bed, "again");
        let (status, _) = until_some("the run ends", LONG, || run.has_ended());
        watching.store(false, Ordering::SeqCst);
        assert!(status.success(), "{}", text_of(&bed.place.beside("run.err")));
    });
    assert!(!down.load(Ordering::SeqCst), "the beats went on");
    assert_eq!(on(to, "large:1"), Some(id));
    until("nothing is left of it", PATIENCE, || [from, to].iter().all(|host| temporary(bed, host).is_empty()));
}

#[test]
fn through_agents_only_missing_layers_travel() {
    let bed = Bed::up_with(2, &["--agents"]);
    only_missing_layers_travel(&bed, true);
    a_source_that_dies_in_the_middle_leaves_nothing(&bed);
    assert_eq!(
        bed.json(&["image", "ls"]).as_array().unwrap().iter().filter(|image| !image["archive"].is_null()).count(),
        0
    );
}

/// An engine that is reached at its address knows nothing of leaving layers out: the controller does, so that at least
/// the other host is spared them.
#[test]
fn without_agents_the_destination_is_spared() {
    let bed = Bed::up(2);
    only_missing_layers_travel(&bed, false);
}
