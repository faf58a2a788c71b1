//! Workspaces that were started ahead, on a real host: they rest while nobody comes, are given with their prompt and without
//! a new container, give way to apps, and come back when there is room.

use pierhead_client::{Change, Wait};
use pierhead_devhosts::sample;
use pierhead_wire::TerminalRequest;
use serde_json::json;
use std::fs;
use std::time::Duration;
use tokio::runtime::Builder;

use crate::bed::Bed;
use crate::raw;
use crate::terminals::{client, seat::Seat};
use crate::wait::{until, until_some};

/// Starts, and rest, on a busy machine.
const LONG: Duration = Duration::from_secs(90);

#[test]
fn one_that_rests_is_given_with_its_prompt() {
    let settings = [("PIERHEAD_WORKSPACE_PAUSE", "1s"), ("PIERHEAD_WORKSPACE_REFILL", "100ms")];
    let bed = Bed::up_in(1, &["--agents"], &settings);
    describe(&bed, 1);
    let resting = rests(&bed);
    assert_eq!(bed.json(&["workspace", "ls"]), json!([]), "it is nobody's");
    assert_eq!(bed.json(&["terminal", "ls"]), json!([]), "and so is its shell");
    let opened = bed.json(&["workspace", "open", "lab"]);
    let (id, container) = (opened["id"].as_str().unwrap(), opened["containers"][0]["id"].as_str().unwrap());
    assert_eq!((opened["phase"].as_str(), container), (Some("ready"), resting.as_str()), "{opened}");
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ann = client(bed.text("url"), bed.text("token"));
        let request = TerminalRequest { name: Some("mine".to_owned()), ..TerminalRequest::default() };
        let change = Change::new(Wait::UntilEnded);
        let terminal = ann.open_terminal(container, &request, &change).await.unwrap().into_value();
        assert!(terminal.id.starts_with(id) && terminal.name == "mine", "the shell that waits there: {terminal:?}");
        let again = ann.open_terminal(container, &request, &change).await.unwrap().into_value();
        assert_eq!(again.id, terminal.id, "the same request gets the same");
        assert!(Seat::look(&ann, &terminal.id).await.contains('#'), "its prompt is there");
        let mut seat = Seat::take(&ann, &terminal.id).await;
        seat.run("echo ali''ve", "alive").await;
        let other = ann.open_terminal(container, &request, &Change::new(Wait::UntilEnded)).await.unwrap().into_value();
        assert!(!other.id.starts_with(id), "there was one: {other:?}");
    });
    gives_way(&bed, id);
}

/// An app that needs the room gets it, and what was started ahead comes back when it is gone.
fn gives_way(bed: &Bed, id: &str) {
    bed.ok(&["workspace", "rm", id, "--discard", "--yes"]);
    let next = rests(bed);
    let host = bed.json(&["engine", "show", "host-1"]);
    let memory = host["memory"].as_f64().unwrap() as u64;
    let all = (memory - 8).to_string();
    bed.ok(&["run", sample::IMAGE, "--app", "big", "--cpus", "0.1", "--memory", &all]);
    let is_there = |container: &str| raw::list(bed.host("host-1")).iter().any(|listed| listed.id == container);
    assert!(!is_there(&next), "it made room");
    bed.ok(&["app", "rm", "big", "--yes"]);
    until("another is started ahead", LONG, || !ahead(bed).is_empty());
}

fn describe(bed: &Bed, warm: u32) {
    let description = json!({
        "containers": [{ "image": sample::IMAGE, "memory": 16, "cpus": 0.05 }], "idle_minutes": 0, "warm": warm
    });
    let file = bed.place.pool().join("lab.json");
    fs::write(&file, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "lab", "--visibility", "shared", "-f", file.to_str().unwrap()]);
}

/// The containers of workspaces, as their engine lists them.
fn ahead(bed: &Bed) -> Vec<raw::Listed> {
    let listed = raw::list(bed.host("host-1"));
    listed.into_iter().filter(|container| container.labels.contains_key("pierhead.workspace")).collect()
}

/// Waits until the only one that was started ahead has a shell and rests.
fn rests(bed: &Bed) -> String {
    let resting = || {
        let all = ahead(bed);
        let [one] = all.as_slice() else { return None };
        // One that did not start is made anew.
        let path = format!("/containers/{}/json", one.id);
        let (status, looked) = raw::ask(bed.host("host-1").docker_host(), "GET", &path, None);
        let has_shell = status == 200 && looked["ExecIDs"].as_array().is_some_and(|execs| !execs.is_empty());
        (one.state == "paused" && has_shell).then(|| one.id.clone())
    };
    until_some("one rests", LONG, resting).0
}
