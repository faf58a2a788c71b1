//! Saved again and again: on another host all is as it was, in one layer, no save is much larger than the first, nor do they
//! take longer and longer.

use std::time::{Duration, Instant};

use pierhead_devhosts::Host;
use serde_json::Value;

use crate::bed::Bed;
use crate::raw;
use crate::wait::until;

use super::desk::Desk;

/// Saves of a gigabyte, on a busy machine.
const LONG: Duration = Duration::from_secs(240);
const SAVES: usize = 100;
/// The largest file, unless `PIERHEAD_SOAK_BYTES` says otherwise.
const BYTES: u64 = 1_000_000_000;
/// How many are kept at a time; a person may have fifty.
const KEPT: usize = 5;
/// After so many it is stopped and started from the last.
const STOPS: usize = 4;

const TURN: &str = r"
set -e; echo again >>turns; head -c 200000 /dev/urandom >page; rm -f lab/gone; mv page lab/page
echo x >lab/gone; rm lab/gone
";

pub fn are_the_same_however_often_they_are_saved() {
    let bed = Bed::up_with(2, &["--agents"]);
    let bytes = std::env::var("PIERHEAD_SOAK_BYTES").map_or(BYTES, |text| text.parse().unwrap());
    let mut desk = Desk::open(&bed, bytes);
    let id = desk.id.clone();
    let mut kept: Vec<Kept> = Vec::new();
    for number in 1..=SAVES {
        desk.works(TURN);
        let stops = number % STOPS == 0;
        let name = format!("save {number}");
        let began = Instant::now();
        if stops {
            bed.ok(&["workspace", "stop", &id]);
        } else {
            bed.ok(&["workspace", "save", &id, "--name", &name]);
        }
        let took = began.elapsed();
        let save = bed.json(&["save", "show", desk.show()["last_save"].as_str().unwrap()]);
        desk.newest_save_is_complete();
        kept.push(Kept { save, took, stops });
        if stops {
            bed.ok(&["workspace", "start", &id]);
            desk.is_whole();
        }
        forget_older(&bed, &kept);
    }
    let home = desk.home();
    bed.ok(&["workspace", "stop", &id]);
    bed.ok(&["engine", "cordon", &home]);
    let started = bed.json(&["workspace", "start", &id]);
    assert_ne!(started["engine"].as_str(), Some(home.as_str()), "{started}");
    desk.is_whole();
    let volumes = |host: &Host| raw::call(host, "GET", "/volumes", None)["Volumes"].as_array().map_or(0, Vec::len);
    assert_eq!(bed.hosts.iter().map(volumes).sum::<usize>(), 0, "nothing of it lies in a volume");
    sizes_and_times(&kept);
}

struct Kept {
    save: Value,
    took: Duration,
    stops: bool,
}

/// Those that are not needed any more go, as a person would let them go.
fn forget_older(bed: &Bed, kept: &[Kept]) {
    let Some(old) = kept.len().checked_sub(KEPT + 1).map(|at| &kept[at]) else { return };
    if !old.stops {
        let id = old.save["id"].as_str().unwrap();
        until("it can be deleted", LONG, || bed.run(&["save", "rm", id, "--yes"]).code == 0);
    }
}

fn sizes_and_times(kept: &[Kept]) {
    let number = |save: &Kept, field: &str| save.save[field].as_u64().unwrap();
    let first = number(&kept[0], "bytes");
    for (at, save) in kept.iter().enumerate().filter(|(at, _)| [0, 9, 99].contains(at)) {
        let (bytes, moved) = (number(save, "bytes"), number(save, "moved_bytes"));
        println!("save {}: {bytes} bytes, {moved} moved to another host, {:?}", at + 1, save.took);
        assert!(bytes.abs_diff(first) <= first / 10, "save {}: {bytes} bytes, the first had {first}", at + 1);
    }
    let median = |some: &[Kept]| {
        let mut took: Vec<Duration> = some.iter().filter(|save| !save.stops).map(|save| save.took).collect();
        took.sort();
        took[took.len() / 2]
    };
    let (early, late) = (median(&kept[1..11]), median(&kept[90..100]));
    println!("median of saves 2 to 11: {early:?}, of saves 91 to 100: {late:?}");
    assert!(late <= early.mul_f64(1.5), "{late:?} beside {early:?}");
}
