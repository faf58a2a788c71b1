//! Workspaces on real hosts behind agents: opened, worked in, saved, stopped, started elsewhere, shared, reset, ended; and
//! nothing of one is left when it is over.

use std::fs;
use std::time::Duration;

use pierhead_devhosts::{Host, sample};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::program::{Ended, program};
use crate::raw;
use crate::wait::{PATIENCE, until};

/// Saves, moves of images and starts, on a busy machine.
const LONG: Duration = Duration::from_secs(90);

#[test]
fn a_workspace_lives_from_its_opening_to_its_end() {
    let bed = Bed::up_with(2, &["--agents"]);
    describe(&bed);
    let id = opens_and_is_worked_in(&bed);
    is_for_its_people(&bed, &id);
    is_saved_stopped_and_started_elsewhere(&bed, &id);
    is_reset_and_ends(&bed, &id);
}

fn describe(bed: &Bed) {
    let description = json!({
        "containers": [
            {
                "image": sample::IMAGE, "memory": 16, "cpus": 0.05, "ports": [80],
                "environment": { "COLOUR": "blue" },
                "files": [{ "path": "/srv/notes/first.txt", "content": "from the environment\n", "mode": "640" }],
                "startup": "echo started >>/srv/starts; cat /srv/notes/first.txt"
            },
            { "name": "db", "image": sample::IMAGE, "memory": 16, "cpus": 0.05 }
        ],
        "idle_minutes": 0
    });
    let file = bed.place.pool().join("lab.json");
    fs::write(&file, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "lab", "--visibility", "shared", "-f", file.to_str().unwrap()]);
    let shown = bed.json(&["environment", "show", "lab"]);
    assert_eq!((shown["version"].as_u64(), shown["visibility"].as_str()), (Some(1), Some("shared")), "{shown}");
}

fn show(bed: &Bed, id: &str) -> Value {
    bed.json(&["workspace", "show", id])
}

fn inside(bed: &Bed, id: &str, script: &str) -> Ended {
    bed.run(&["workspace", "exec", id, "--", "sh", "-c", script])
}

fn says(bed: &Bed, id: &str, script: &str) -> String {
    let ended = inside(bed, id, script);
    assert_eq!(ended.code, 0, "{script}: {ended:?}");
    ended.stdout
}

/// The names of what a host has that bears a workspace's label.
fn on(host: &Host, what: &str, id: &str) -> Vec<String> {
    let (_, listed) = raw::ask(host.docker_host(), "GET", what, None);
    let theirs = listed.as_array().unwrap().iter().filter(|found| found["Labels"]["pierhead.workspace"] == id);
    theirs.map(|found| found["Id"].as_str().unwrap().to_owned()).collect()
}

fn left(bed: &Bed, id: &str) -> usize {
    let all = |host: &Host| on(host, "/containers/json?all=1", id).len() + on(host, "/networks", id).len();
    bed.hosts.iter().map(all).sum()
}

fn opens_and_is_worked_in(bed: &Bed) -> String {
    let opened = bed.json(&["workspace", "open", "lab", "--name", "mine"]);
    assert_eq!((opened["phase"].as_str(), opened["message"].as_str()), (Some("ready"), None), "{opened}");
    let id = opened["id"].as_str().unwrap().to_owned();
    let host = bed.host(opened["engine"].as_str().unwrap());
    assert_eq!(on(host, "/containers/json", &id).len(), 2);
    assert_eq!(on(host, "/networks", &id).len(), 1);
    assert_eq!(says(bed, &id, "cat /srv/notes/first.txt; echo $COLOUR"), "from the environment\nblue\n");
    let asks = "wget -q -O - http://db/";
    until("the other one serves", PATIENCE, || inside(bed, &id, asks).code == 0);
    assert_eq!(says(bed, &id, asks), "db\n", "they find one another by name");
    says(bed, &id, "echo my work >/srv/notes/mine.txt");
    // It has no command of its own: a container of a workspace is never started or stopped alone.
    let container = opened["containers"][0]["id"].as_str().unwrap();
    let refused = bed.run(&["container", "rm", container, "--yes"]);
    assert!(refused.code != 0 && refused.stderr.contains("belongs to workspace"), "{refused:?}");
    id
}

/// Somebody else neither sees it nor comes to it, until its owner lets them.
fn is_for_its_people(bed: &Bed, id: &str) {
    let word = "a long enough word";
    let mut add = program();
    add.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token"));
    let added = Ended::with_input(add.args(["account", "add", "eve", "--password-stdin"]), word);
    assert_eq!(added.code, 0, "{added:?}");
    let server = bed.text("url").replace("http://", "tcp://");
    let (status, token) =
        raw::ask(&server, "POST", "/auth/login", Some(&json!({ "username": "eve", "password": word })));
    assert_eq!(status, 200, "{token}");
    let token = token["token"].as_str().unwrap().to_owned();
    let eve = |args: &[&str]| {
        Ended::of(program().env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", &token).args(args))
    };
    assert_ne!(eve(&["workspace", "show", id]).code, 0);
    let container = show(bed, id)["containers"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(eve(&["exec", &container, "--", "true"]).code, 0);
    assert_ne!(eve(&["logs", &container]).code, 0);
    bed.ok(&["workspace", "share", id, "eve", "--as", "viewer"]);
    assert_eq!(eve(&["workspace", "show", id]).code, 0);
    assert_ne!(eve(&["exec", &container, "--", "true"]).code, 0, "viewers only look");
    bed.ok(&["workspace", "share", id, "eve", "--as", "driver"]);
    assert_eq!(eve(&["workspace", "exec", id, "--", "true"]).code, 0);
    assert_ne!(eve(&["workspace", "stop", id]).code, 0, "only its owner does that");
    bed.ok(&["workspace", "unshare", id, "eve"]);
    assert_ne!(eve(&["exec", &container, "--", "true"]).code, 0);
}

fn is_saved_stopped_and_started_elsewhere(bed: &Bed, id: &str) {
    let before = show(bed, id)["engine"].as_str().unwrap().to_owned();
    let stopped = bed.json(&["workspace", "stop", id]);
    assert_eq!(stopped["phase"], "saved", "{stopped}");
    assert!(stopped["last_save"].as_str().unwrap().starts_with(id), "{stopped}");
    assert_eq!(left(bed, id), 0, "nothing of it runs or is left");
    bed.ok(&["engine", "cordon", &before]);
    let started = bed.json(&["workspace", "start", id]);
    assert_eq!(started["phase"], "ready", "{started}");
    assert_ne!(started["engine"].as_str(), Some(before.as_str()));
    let work = says(bed, id, "cat /srv/notes/mine.txt /srv/starts; cat /srv/notes/first.txt");
    assert_eq!(work, "my work\nstarted\nstarted\nfrom the environment\n", "the script ran at every start");
    bed.ok(&["engine", "uncordon", &before]);
}

fn is_reset_and_ends(bed: &Bed, id: &str) {
    // It was started just now, and can be begun anew only a moment later.
    let mut reset = Value::Null;
    until("it may be reset", PATIENCE, || {
        let ended = bed.run(&["workspace", "reset", id, "--yes", "--json"]);
        assert!(ended.code == 0 || ended.stderr.contains("too_often"), "{ended:?}");
        reset = serde_json::from_str(&ended.stdout).unwrap_or_default();
        ended.code == 0
    });
    assert_eq!(reset["phase"], "ready", "{reset}");
    assert_eq!(says(bed, id, "ls /srv/notes; cat /srv/starts"), "first.txt\nstarted\n");
    // What it was is in a save, of which another workspace is a copy.
    let save = reset["last_save"].as_str().unwrap();
    let copy = bed.json(&["workspace", "open", "--save", save, "--name", "copy"]);
    let copy = copy["id"].as_str().unwrap();
    assert!(says(bed, copy, "cat /srv/notes/mine.txt").contains("my work"));
    bed.ok(&["workspace", "rm", copy, "--discard", "--yes"]);
    bed.ok(&["workspace", "rm", id, "--yes"]);
    for gone in [id, copy] {
        assert_eq!(show(bed, gone)["phase"], "ended");
        until("nothing is left of it", LONG, || left(bed, gone) == 0);
    }
    until("the hosts answer", PATIENCE, || bed.json(&["engine", "ls"]).as_array().unwrap().len() == 2);
    assert!(bed.json(&["workspace", "ls"]).as_array().unwrap().iter().all(|found| found["phase"] == "ended"));
}
