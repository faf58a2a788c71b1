//! Waiting for conditions.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

/// Enough for whatever ought to happen soon, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(25);

/// Waits until there is an answer; how long that took comes with it.
pub fn until_some<T>(what: &str, limit: Duration, mut answer: impl FnMut() -> Option<T>) -> (T, Duration) {
    let began = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return (answer, began.elapsed());
        }
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(POLL);
    }
}

/// Waits until something is true, and tells how long that took.
pub fn until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Duration {
    until_some(what, limit, || condition().then_some(())).1
}

/// Waits until nothing is wrong any more; else what is wrong at the end.
pub fn until_right<E: Debug>(limit: Duration, mut check: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    let began = Instant::now();
    loop {
        match check() {
            Ok(()) => return Ok(began.elapsed()),
            Err(wrong) if began.elapsed() >= limit => return Err(wrong),
            Err(_) => thread::sleep(POLL),
        }
    }
}
