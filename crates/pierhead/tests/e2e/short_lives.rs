//! Containers that exit again and again on a real host, whose engine starts them again by itself: none of them ever counts
//! as running.

use crate::bed::Bed;
use pierhead_devhosts::sample;

/// How often each is tried: chance must not decide what is told.
const TIMES: usize = 5;

#[test]
fn what_exits_again_and_again_never_counts_as_running() {
    let bed = Bed::up(1);
    for time in 0..TIMES {
        let script = "echo bye; exit 3";
        let ended = bed.run(&["run", sample::IMAGE, "--memory", "32", "--", "sh", "-c", script]);
        assert_eq!(ended.code, 1, "{script}, try {time}: {ended:?}");
        assert!(ended.stderr.contains("exit code 3") && ended.stderr.contains("bye"), "{script}: {ended:?}");
    }
}
