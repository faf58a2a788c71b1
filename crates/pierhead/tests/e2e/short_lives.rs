//! Containers that exit again and again on a real host, whose engine starts them again by itself: none of them ever counts
//! as running.

use pierhead_devhosts::sample;
use serde_json::Value;

use crate::bed::Bed;
use crate::wait::{PATIENCE, until_right};

/// How often each is tried: chance must not decide what is told.
const TIMES: usize = 3;

#[test]
fn what_exits_again_and_again_never_counts_as_running() {
    let bed = Bed::up(1);
    for script in ["echo bye; exit 3", "echo bye; sleep 0.2; exit 3"] {
        for time in 0..TIMES {
            let ended = bed.run(&["run", sample::IMAGE, "--memory", "32", "--", "sh", "-c", script]);
            assert_eq!(ended.code, 1, "{script}, try {time}: {ended:?}");
            assert!(ended.stderr.contains("exit code 3") && ended.stderr.contains("bye"), "{script}: {ended:?}");
        }
    }
    assert_eq!(bed.json(&["app", "ls"]), Value::Array(vec![]), "nothing is left of them");
    a_change_to_it_keeps_what_serves(&bed);
    bed.ok(&["app", "rm", "web", "--yes"]);
}

fn a_change_to_it_keeps_what_serves(bed: &Bed) {
    bed.ok(&["run", sample::IMAGE, "--app", "web", "--count", "3", "--memory", "32"]);
    let ids = |bed: &Bed| -> Vec<String> {
        let listed = bed.json(&["container", "ls"]);
        let mut ids: Vec<String> =
            listed.as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let before = ids(bed);
    let change = ["app", "set", "web", sample::IMAGE, "--memory", "32", "--", "sh", "-c", "echo bye; exit 7"];
    let ended = bed.run(&change);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("exit code 7"), "{ended:?}");
    let now = ids(bed);
    assert!(before.iter().all(|id| now.contains(id)), "what serves is kept: {before:?} became {now:?}");
    let same = until_right(PATIENCE, || match ids(bed) {
        now if now == before => Ok(()),
        now => Err(now),
    });
    assert!(same.is_ok(), "the very same containers serve: {before:?} became {same:?}");
}
