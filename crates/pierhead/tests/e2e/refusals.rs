//! Who is refused, row by row: each attempt is answered in words or cut off, told as an event, and changes nothing,
//! neither in the pool nor on an engine.

mod rogue;
mod strangers;

use crate::agents::{again, agent, argv, in_host, is_healthy, join_token, started};
use crate::bed::Bed;
use crate::canary::Canary;
use crate::program::signal;
use crate::wait::{PATIENCE, until, until_right};
use pierhead_agent::JoinToken;
use pierhead_devhosts::sample;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn each_attempt_is_refused_told_and_changes_nothing() {
    let bed = Bed::up_with(2, &["--agents"]);
    // Good until somebody moves its end.
    let brief = bed.json(&["engine", "join-command", "--expires-in", "1h"])["token"].as_str().unwrap().to_owned();
    bed.ok(&["run", sample::IMAGE, "--app", "web", "--cpus", "0.05", "--memory", "16"]);
    strangers::are_refused(&bed, &brief);
    what_the_owner_of_a_host_forbids(&bed);
    rogue::a_controller_that_asks_for_more_gets_nothing(&bed);
    strangers::an_expired_token(&bed, &brief);
}

/// All that must stay as it is.
#[derive(Debug, PartialEq)]
pub struct Picture {
    /// What runs, by its own engine's word.
    running: BTreeMap<String, Value>,
    engines: Vec<Value>,
    apps: Value,
    accounts: Value,
    operations: usize,
}

impl Picture {
    pub fn take(bed: &Bed) -> Self {
        let engines = bed.json(&["engine", "ls"]);
        let lasting = |engine: &Value| {
            let agent = &engine["agent"];
            json!([
                engine["id"],
                engine["addr"],
                engine["labels"],
                engine["duty"],
                agent["fingerprints"],
                agent["waits_for_approval"]
            ])
        };
        Self {
            running: started(bed),
            engines: engines.as_array().unwrap().iter().map(lasting).collect(),
            apps: bed.json(&["app", "ls"]).as_array().unwrap().iter().map(|app| app["name"].clone()).collect(),
            accounts: bed
                .json(&["account", "ls"])
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["username"].clone())
                .collect(),
            operations: bed.json(&["operation", "ls"]).as_array().unwrap().len(),
        }
    }
}

/// The messages of the refusals that were told, after the host that they are about.
pub fn told(bed: &Bed) -> Vec<String> {
    let events = bed.json(&["events", "--type", "agent-refused", "1000"]);
    let message = |event: &Value| {
        let of = event["engine"]["id"].as_str().map(|id| format!("{id} ")).unwrap_or_default();
        format!("{of}{}", event["message"].as_str().unwrap())
    };
    events.as_array().unwrap().iter().map(message).collect()
}

pub fn is_told(bed: &Bed, code: &str) {
    let wrong = until_right(PATIENCE, || {
        let told = told(bed);
        if told.iter().any(|message| message.starts_with(&format!("{code}: "))) { Ok(()) } else { Err(told) }
    });
    assert!(wrong.is_ok(), "{code} is not told: {wrong:?}");
}

pub fn token(bed: &Bed) -> JoinToken {
    join_token(bed).parse().unwrap()
}

/// A field that the host's owner does not want: the pool's administrator may ask for it, and gets it elsewhere only.
fn what_the_owner_of_a_host_forbids(bed: &Bed) {
    let mut words = argv(agent(bed, "host-1"));
    words.extend(["--forbid", "host-network,other-containers"].map(str::to_owned));
    signal(agent(bed, "host-1"), "KILL");
    until("the agent is gone", PATIENCE, || !is_healthy(bed, "host-1"));
    again(bed, "agent-host-1", in_host(bed, "host-1", words));
    until("it is back", PATIENCE, || is_healthy(bed, "host-1"));
    let mut canary = Canary::new(bed.host("host-1"));
    canary.note_start();
    until("the other container is listed", PATIENCE, || bed.run(&["container", "show", canary.id()]).code == 0);
    let before = started(bed);
    for touch in [&["container", "stop", canary.id()][..], &["logs", canary.id()]] {
        let refused = bed.run(touch);
        let words = "forbids to touch a container that was not made by Pierhead";
        assert!(refused.code != 0 && format!("{refused:?}").contains(words), "{refused:?}");
    }
    canary.check_ran_on().unwrap();
    let host_only = ["--type", "host", "--label", "host:host-1", "--cpus", "0.05", "--memory", "16"];
    let run = ["run", sample::IMAGE, "--app", "near", "--network", "host", "--timeout", "60"];
    let wanted = [&run[..], &host_only[..]].concat();
    let refused = bed.run(&wanted);
    assert!(refused.code != 0 && format!("{refused:?}").contains("the owner of this host forbids"), "{refused:?}");
    is_told(bed, "host-1 forbidden_here");
    bed.run(&["app", "rm", "near", "--yes"]);
    assert_eq!(started(bed), before);
}
