//! The checks of a killed controller, and of false alarms, can fail: programs that are broken on purpose do not pass them.

use std::time::Duration;

use crate::bed::Bed;
use crate::controllers::stands_still_while_its_app_goes;
use crate::detection::alarms_of_pauses;
use crate::kills::{KilledPool, Moment, Work};
use crate::single_writer::Writer;
use crate::wait::PATIENCE;

/// Kills the broken program once in the middle of each kind of work, until a check fails; what it said. The pool may
/// take so long to be right again after each.
fn complaint(mutant: &str, recovers_within: Duration) -> String {
    let mut pool = KilledPool::new(&[("PIERHEAD_MUTANT", mutant)]);
    pool.begin().expect("as long as nobody kills it, it works");
    pool.recovers_within = recovers_within;
    let rounds = [(Work::ScaleUp, Moment::Seen(1)), (Work::Run, Moment::Seen(1)), (Work::ScaleDown, Moment::Seen(1))];
    let complaint = rounds.into_iter().find_map(|(work, moment)| pool.round(work, moment).err());
    complaint.expect("a broken program does not pass")
}

#[test]
fn a_program_that_does_not_adopt_what_runs_is_noticed() {
    let complaint = complaint("no-adoption", Duration::from_secs(8));
    println!("{complaint}");
    let signs = ["doubled", "not kept", "run instead of", "the controller tells", "the operation"];
    assert!(signs.iter().any(|sign| complaint.contains(sign)), "{complaint}");
}

#[test]
fn a_program_that_acts_before_it_writes_is_noticed() {
    let complaint = complaint("no-intent", PATIENCE);
    println!("{complaint}");
    assert!(complaint.starts_with("unrecorded: "), "{complaint}");
}

#[test]
fn a_program_that_trusts_one_missed_beat_is_noticed() {
    let bed = Bed::up_in(3, &["--agents"], &[("PIERHEAD_MUTANT", "hasty-detection")]);
    let alarms = alarms_of_pauses(&bed, 8);
    println!("{alarms:?}");
    assert!(!alarms.is_empty(), "nobody was called dead");
}

/// The checks of a single writer fail with a controller that starts a second copy before the first has surely stopped.
#[test]
fn a_program_that_does_not_wait_for_leases_is_noticed() {
    let bed = Bed::up_in(2, &["--agents"], &[("PIERHEAD_MUTANT", "no-lease")]);
    let writer = Writer::run(&bed, "books");
    let twice = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| writer.moves_when_its_host_is_cut_off()));
    let words = twice.expect_err("a broken program does not pass");
    let words = words.downcast_ref::<String>().expect("a check has failed");
    println!("{words}");
    assert!(words.starts_with("runs twice: "), "{words}");
}

#[test]
fn a_program_that_goes_on_without_its_leadership_is_noticed() {
    let complaint = stands_still_while_its_app_goes(&[("PIERHEAD_MUTANT", "no-fencing")]).unwrap_err();
    println!("{complaint}");
    assert!(complaint.starts_with("left over: "), "{complaint}");
}
