//! Image archives on real hosts: saved by one engine, sent in, loaded by others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{Host, sample};
use serde_json::{Value, json};

use crate::api::Api;
use crate::bed::Bed;
use crate::program::{Background, Ended, PROGRAM, program, text_of};
use crate::raw;
use crate::wait::{PATIENCE, until};

/// Makes an image on a host that no other has, with so many megabytes of its own, saves it into a file, and takes it
/// from the host again. Its id is the answer.
pub fn save(host: &Host, name: &str, megabytes: u32, file: &Path) -> String {
    let script = format!("dd if=/dev/urandom of=/own bs=1M count={megabytes}");
    let made = json!({ "Image": sample::IMAGE, "Entrypoint": ["/bin/sh", "-c", script] });
    let container = raw::call(host, "POST", "/containers/create", Some(&made))["Id"].as_str().unwrap().to_owned();
    raw::call(host, "POST", &format!("/containers/{container}/start"), None);
    raw::call(host, "POST", &format!("/containers/{container}/wait"), None);
    let config = json!({ "Entrypoint": ["/bin/serve"] });
    let path = format!("/commit?container={container}&repo={name}&tag=1");
    let id = raw::call(host, "POST", &path, Some(&config))["Id"].as_str().unwrap().to_owned();
    let saved = request(host.docker_host(), "GET", &format!("/images/{name}:1/get"), Body::Empty, PATIENCE).unwrap();
    fs::write(file, saved.body).unwrap();
    raw::call(host, "DELETE", &format!("/containers/{container}?v=1"), None);
    raw::call(host, "DELETE", &format!("/images/{name}:1"), None);
    id
}

/// The id of what a host has under a name.
pub fn on(host: &Host, name: &str) -> Option<String> {
    let (status, image) = raw::ask(host.docker_host(), "GET", &format!("/images/{name}/json"), None);
    (status == 200).then(|| image["Id"].as_str().unwrap().to_owned())
}

fn uploaded(bed: &Bed) -> Vec<Value> {
    let images = bed.json(&["image", "ls"]);
    images.as_array().unwrap().iter().filter(|image| !image["archive"].is_null()).cloned().collect()
}

fn files(bed: &Bed) -> Vec<PathBuf> {
    let dir = bed.pool.service_dir("controller").unwrap().join("data/images");
    fs::read_dir(dir).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

#[test]
fn an_image_that_was_sent_in_runs_on_hosts_that_lack_it() {
    let bed = Bed::up(2);
    let file = bed.place.beside("shop.tar");
    let id = save(&bed.hosts[0], "shop", 1, &file);
    assert_eq!(bed.hosts.iter().filter_map(|host| on(host, "shop:1")).count(), 0);
    let told = bed.ok(&["image", "push", &file.display().to_string()]);
    assert!(told.starts_with("uploaded shop:1 (") && told.contains(&id), "{told}");

    bed.ok(&["run", "shop:1", "--app", "shop", "--count", "2", "--cpus", "0.05", "--memory", "16"]);
    assert!(bed.hosts.iter().all(|host| on(host, "shop:1").as_ref() == Some(&id)));
    let running = raw::of_app(&bed.hosts, "shop");
    assert!(running.len() == 2 && running.iter().all(raw::Listed::runs), "{running:?}");
    let shown = bed.json(&["image", "show", "shop:1"]);
    assert_eq!((&shown["engines"], &shown["id"]), (&json!(["host-1", "host-2"]), &json!(id)));

    // The same again, packed and through a pipe, is the same; a new image of that name replaces it on its next run.
    let pipe = format!("gzip -c '{}' | '{PROGRAM}' image push -", file.display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &pipe]).env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    let ended = Ended::of(&mut shell);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!((uploaded(&bed).len(), files(&bed).len()), (1, 1));
    let newer = save(&bed.hosts[0], "shop", 2, &file);
    bed.ok(&["image", "push", &file.display().to_string()]);
    bed.ok(&["run", "shop:1", "--app", "newer", "--count", "2", "--cpus", "0.05", "--memory", "16", "--pull", "true"]);
    assert!(bed.hosts.iter().all(|host| on(host, "shop:1").as_ref() == Some(&newer)));

    assert_eq!((uploaded(&bed).len(), files(&bed).len()), (1, 1), "the former one has no name any more");
    bed.ok(&["image", "rm", "shop:1", "--yes"]);
    assert_eq!((uploaded(&bed).len(), files(&bed).len()), (0, 0));
    assert_eq!(bed.run(&["image", "rm", "shop:1", "--yes"]).code, 3);
    assert_eq!(on(&bed.hosts[1], "shop:1"), Some(newer), "what a host has stays there");
}

#[test]
fn a_spread_disturbs_no_probe_and_outlives_a_host() {
    let bed = Bed::up(2);
    let file = bed.place.beside("big.tar");
    let id = save(&bed.hosts[0], "big", 96, &file);
    let api = Api::new(bed.text("url"), Some(bed.text("token")));
    let (watching, ill) = (AtomicBool::new(true), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let api = Api::new(bed.text("url"), Some(bed.text("token")));
            while watching.load(Ordering::SeqCst) {
                if bed.hosts.iter().any(|host| api.health(host.name()).0 != "healthy") {
                    ill.store(true, Ordering::SeqCst);
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        bed.ok(&["image", "push", &file.display().to_string()]);
        let told = bed.ok(&["image", "spread", "big:1", "--engine", "host-1"]);
        assert_eq!(told, "host-1 has big:1\n");
        watching.store(false, Ordering::SeqCst);
    });
    assert!(!ill.load(Ordering::SeqCst), "every host was healthy all the time");
    assert_eq!(on(&bed.hosts[0], "big:1"), Some(id.clone()));

    // A host that hangs when its turn comes, and then dies.
    bed.hosts[1].hang_engine().unwrap();
    let output = bed.place.beside("spread.out");
    let mut command = program();
    command.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    command.args(["image", "spread", "big:1", "--engine", "host-1", "--engine", "host-2", "--json"]);
    command.stdout(fs::File::create(&output).unwrap());
    let mut spread = Background::start(&mut command);
    until("host-1 is told of", PATIENCE, || text_of(&output).contains("\"done\""));
    bed.hosts[1].kill_engine().unwrap();
    let (status, _) = spread.end();
    let told = text_of(&output);
    assert!(status.code() == Some(1) && told.contains("\"failed\""), "{status}: {told}");
    bed.hosts[1].start_engine().unwrap();
    until("the host is back", PATIENCE, || api.health("host-2").0 == "healthy");
    assert_eq!(on(&bed.hosts[1], "big:1"), None, "nothing half-made");
    assert_eq!(bed.ok(&["image", "spread", "big:1"]).lines().count(), 2);
    assert_eq!(on(&bed.hosts[1], "big:1"), Some(id));
}
