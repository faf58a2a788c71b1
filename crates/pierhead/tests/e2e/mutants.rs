//! The checks of a killed controller can fail: programs that are broken on purpose do not pass them.

use std::time::Duration;

use crate::kills::{KilledPool, Moment, Work};

/// Kills the broken program once in the middle of each kind of work, until a check fails; what it said.
fn complaint(mutant: &str) -> String {
    let mut pool = KilledPool::new(&[("PIERHEAD_MUTANT", mutant)]);
    pool.recovers_within = Duration::from_secs(8);
    pool.begin().expect("as long as nobody kills it, it works");
    let rounds = [(Work::ScaleUp, Moment::Seen(1)), (Work::Run, Moment::Seen(1)), (Work::ScaleDown, Moment::Seen(1))];
    let complaint = rounds.into_iter().find_map(|(work, moment)| pool.round(work, moment).err());
    complaint.expect("a broken program does not pass")
}

#[test]
fn a_program_that_does_not_adopt_what_runs_is_noticed() {
    let complaint = complaint("no-adoption");
    println!("{complaint}");
    let signs = ["doubled", "not kept", "run instead of", "the controller tells", "the operation"];
    assert!(signs.iter().any(|sign| complaint.contains(sign)), "{complaint}");
}

#[test]
fn a_program_that_acts_before_it_writes_is_noticed() {
    let complaint = complaint("no-intent");
    println!("{complaint}");
    assert!(complaint.starts_with("unrecorded: "), "{complaint}");
}
