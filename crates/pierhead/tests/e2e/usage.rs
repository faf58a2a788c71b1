//! What a workspace on a real host used, beside what its engine says of it.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::sample;
use serde_json::Value;

use crate::agents::{start_controller, stop_controller};
use crate::bed::Bed;
use crate::program::{Background, program};
use crate::wait::{PATIENCE, until_some};

/// So long somebody looks at it afterwards: then it is read each second.
const READ: Duration = Duration::from_secs(4);
/// Some seconds of CPU time, and then none.
const BURN: &str = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done";

/// A course of a lab with one container, at which the administrator works; the workspace's id.
fn begin(bed: &Bed) -> String {
    let lab = bed.place.beside("burns");
    fs::create_dir_all(lab.join("steps")).unwrap();
    let head = format!("title: Burns\ncontainers: [{{name: main, image: \"{}\", memory: 16}}]\n", sample::IMAGE);
    fs::write(lab.join("lab.yaml"), head).unwrap();
    fs::write(lab.join("steps/1.md"), "# One\n").unwrap();
    bed.ok(&["lab", "push", lab.to_str().unwrap()]);
    bed.ok(&["lab", "publish", "burns"]);
    bed.ok(&["course", "add", "cs"]);
    bed.ok(&["course", "add-lab", "cs", "burns"]);
    let begun = bed.json(&["lab", "start", "burns", "--course", "cs"]);
    let id = begun["workspace"].as_str().unwrap().to_owned();
    until_some("it can be worked in", PATIENCE, || {
        (bed.json(&["workspace", "show", &id])["phase"] == "ready").then_some(())
    });
    id
}

/// Seconds of CPU time that a container has used, as its engine says.
fn by_the_engine(docker_host: &str, id: &str) -> f64 {
    let path = format!("/containers/{id}/stats?stream=false");
    let answer = request(docker_host, "GET", &path, Body::Empty, PATIENCE).unwrap();
    let stats: Value = serde_json::from_slice(&answer.body).unwrap();
    stats.pointer("/cpu_stats/cpu_usage/total_usage").and_then(Value::as_f64).unwrap_or(0.0) / 1e9
}

#[test]
fn cpu_that_is_burnt_counts_for_who_burnt_it_and_their_course() {
    let bed = Bed::up_with(1, &["--agents"]);
    let id = begin(&bed);
    let mut top = program();
    top.env("PIERHEAD_URL", bed.text("url")).env("PIERHEAD_TOKEN", bed.text("token")).args(["top", "--json"]);
    let looks = Background::start(top.stdout(Stdio::null()).stderr(Stdio::null()));
    bed.ok(&["workspace", "exec", &id, "--", "sh", "-c", BURN]);
    let shown = bed.json(&["workspace", "show", &id]);
    let container = shown["containers"][0]["id"].as_str().unwrap();
    let burnt = by_the_engine(bed.host("host-1").docker_host(), container);
    assert!(burnt > 1.0, "{burnt} s");
    // A controller that ends in order writes what it has counted, and nobody waits for the minute.
    thread::sleep(READ);
    until_some("it was read when it had nothing more to do", PATIENCE, || {
        let stats = bed.json(&["top", "--once"]);
        let of_it = stats["containers"].as_array().unwrap().iter().find(|one| one["id"] == container);
        of_it.is_some_and(|one| one["cpu_cores"].as_f64().unwrap() < 0.05).then_some(())
    });
    drop(looks);
    start_controller(&bed, stop_controller(&bed));
    let told = || {
        let all = bed.json(&["course", "usage", "cs"]);
        all.as_array().unwrap().iter().find(|one| one["username"] == "admin").cloned()
    };
    let seconds = |one: &Value| one["cpu_hours"].as_f64().unwrap() * 3_600.0;
    let (told, _) = until_some("all of it is counted", PATIENCE, || told().filter(|one| seconds(one) > burnt - 1.0));
    assert!(seconds(&told) < burnt + 2.0, "{} s are told of {burnt} s", seconds(&told));
    assert!(told["memory_gb_hours"].as_f64().unwrap() > 0.0, "{told}");
    let table = bed.ok(&["course", "usage", "cs", "--csv"]);
    assert!(table.lines().nth(1).is_some_and(|line| line.starts_with("admin,")), "{table}");
    let everybody = bed.json(&["account", "usage"]);
    assert_eq!(everybody[0]["course"], "cs", "{everybody}");
}
