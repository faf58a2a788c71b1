//! A workspace that fills its host's disk: warned of, stopped, saved, and told why, while its neighbour goes on. Where engines
//! have quotas it just can't.

use std::fs;
use std::time::Duration;

use pierhead_devhosts::sample;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::wait::until;

/// Looks at the disk, a save and its copy, on a busy machine.
const LONG: Duration = Duration::from_secs(120);

#[test]
fn who_fills_the_disk_is_warned_stopped_and_saved() {
    let bed = Bed::up_in(1, &["--agents"], &[("PIERHEAD_WORKSPACE_DISK", "48")]);
    describe_lab(&bed);
    let open = |name: &str| bed.json(&["workspace", "open", "lab", "--name", name])["id"].as_str().unwrap().to_owned();
    let (hostile, neighbour, maker) = (open("hostile"), open("neighbour"), open("maker"));
    let inside = |id: &str, script: &str| bed.run(&["workspace", "exec", id, "--", "sh", "-c", script]);

    let wrote = inside(&hostile, "head -c 43000000 /dev/zero >/most");
    assert_eq!(wrote.code, 0, "{wrote:?}");
    let warned = || {
        let events = bed.json(&["events", "--type", "warn-workspace"]);
        let of_it = |event: &Value| {
            let message = event["message"].as_str().unwrap_or_default();
            message.contains(&hostile) && message.contains("beyond 48 MB")
        };
        events.as_array().unwrap().iter().any(of_it)
    };
    until("somebody is warned", LONG, warned);
    // It is stopped in the middle of that.
    let flooded = inside(&hostile, "head -c 60000000 /dev/zero >/flood; sleep 1000");
    assert_ne!(flooded.code, 0, "{flooded:?}");
    let shown = || bed.json(&["workspace", "show", &hostile]);
    until("it is saved", LONG, || shown()["phase"] == "saved");
    let message = shown()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("it used more of the disk than it may"), "{message}");

    // So is who makes files without end, though there is nothing in them.
    let made = inside(
        &maker,
        "i=0; while [ $i -lt 60 ]; do mkdir /d$i; (cd /d$i; for j in 0 1 2 3 4 5 6 7 8 9; do for k in 0 1 2 3 4 5 6 7 8 9; do : >f$j$k; done; done); i=$((i+1)); done; sleep 1000",
    );
    assert_ne!(made.code, 0, "{made:?}");
    let shown = || bed.json(&["workspace", "show", &maker]);
    until("that is saved too", LONG, || shown()["phase"] == "saved");
    let log = fs::read_to_string(bed.pool.service_dir("controller").unwrap().join("log")).unwrap();
    assert!(log.contains("it has made more than 3072 files and folders"), "{log}");
    let here = inside(&neighbour, "echo here");
    assert_eq!((here.code, here.stdout.as_str()), (0, "here\n"), "{here:?}");
}

/// More than may be written, by a program that says why it could not write all.
const FLOOD: &str = "dd if=/dev/zero of=/flood bs=1000000 count=60";

#[test]
fn where_engines_have_quotas_nobody_fills_the_disk() {
    let bed = Bed::up_in(1, &["--agents", "--quotas"], &[("PIERHEAD_WORKSPACE_DISK", "48")]);
    let lacks = bed.engine("host-1")["lacks"].to_string();
    assert!(!lacks.contains("quota of disk"), "{lacks}");
    describe_lab(&bed);
    let opened = bed.json(&["workspace", "open", "lab", "--name", "hostile"]);
    let hostile = opened["id"].as_str().unwrap();
    let inside = |script: &str| bed.run(&["workspace", "exec", hostile, "--", "sh", "-c", script]);

    let wrote = inside("echo kept >/kept; head -c 40000000 /dev/zero >/most");
    assert_eq!(wrote.code, 0, "{wrote:?}");
    let flooded = inside(FLOOD);
    assert!(flooded.code != 0 && flooded.stderr.contains("quota exceeded"), "{flooded:?}");
    // It goes on, and somebody makes room.
    let after = inside("rm /most /flood && echo more >>/kept && cat /kept");
    assert_eq!((after.code, after.stdout.as_str()), (0, "kept\nmore\n"), "{after:?}");
    assert_eq!(bed.json(&["workspace", "show", hostile])["phase"], "ready");

    bed.ok(&["workspace", "stop", hostile]);
    bed.ok(&["workspace", "start", hostile]);
    let again = inside(&format!("cat /kept; {FLOOD}"));
    assert_eq!(again.stdout, "kept\nmore\n", "{again:?}");
    assert!(again.code != 0 && again.stderr.contains("quota exceeded"), "{again:?}");
}

fn describe_lab(bed: &Bed) {
    let description = json!({
        "containers": [{ "image": sample::IMAGE, "memory": 64, "cpus": 0.05 }], "idle_minutes": 0
    });
    let file = bed.place.pool().join("lab.json");
    fs::write(&file, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "lab", "-f", file.to_str().unwrap()]);
}
