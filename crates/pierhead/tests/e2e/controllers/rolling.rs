//! All controllers are ended and started again, one after the other, as an upgrade does it, while clients that know all
//! of them go on asking.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::Trio;
use crate::api::Api;
use crate::kills::SCALED;
use crate::raw;

/// What clients did meanwhile.
#[derive(Default)]
struct Asked {
    is_over: AtomicBool,
    reads: AtomicUsize,
    changes: AtomicUsize,
}

impl Asked {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Lists, again and again.
    fn read(&self, api: &Api) -> Result<(), String> {
        while self.goes_on() {
            api.wait(api.client.containers(false)).map_err(|error| format!("a list: {error}"))?;
            self.reads.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Scales up and down, and waits for each.
    fn change(&self, api: &Api) -> Result<(), String> {
        while self.goes_on() {
            let at = self.changes.fetch_add(1, Ordering::Relaxed);
            let count = if at.is_multiple_of(2) { 6 } else { 4 };
            let operation =
                api.scale(SCALED, count, &format!("rolling-{at}")).map_err(|error| format!("a scale: {error}"))?;
            let ended = api.ended(&operation, 60).map_err(|error| format!("the wait for a scale: {error}"))?;
            if ended.state != "done" {
                return Err(format!("a scale to {count}: {ended:?}"));
            }
        }
        Ok(())
    }
}

#[test]
fn an_upgrade_of_one_controller_after_the_other_fails_no_request() {
    let mut trio = Trio::new(true, &[]);
    let asked = Asked::default();
    let token = trio.pool.token.clone();
    let clients: Vec<Api> = (0..3).map(|first| Api::new(&trio.urls(first), token.as_deref())).collect();
    let writer = Api::new(&trio.urls(trio.leader()), token.as_deref());
    let outcomes: Vec<Result<(), String>> = thread::scope(|scope| {
        let asked = &asked;
        let mut asking: Vec<_> = clients.iter().map(|api| scope.spawn(|| asked.read(api))).collect();
        asking.push(scope.spawn(|| asked.change(&writer)));
        for member in &mut trio.members {
            let before = asked.changes.load(Ordering::Relaxed);
            member.controller.end();
            assert_eq!(member.controller.start_again(), member.url);
            crate::wait::until("something was changed", crate::wait::PATIENCE, || {
                asked.changes.load(Ordering::Relaxed) > before + 1
                    || asking.iter().any(thread::ScopedJoinHandle::is_finished)
            });
        }
        asked.is_over.store(true, Ordering::Relaxed);
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} lists, {} changes", asked.reads.into_inner(), asked.changes.load(Ordering::Relaxed));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}\n{}", trio.outputs());
    let wanted = if asked.changes.into_inner().is_multiple_of(2) { 4 } else { 6 };
    trio.pool.wanted.insert(SCALED.to_owned(), wanted);
    trio.pool.is_right().unwrap();
    assert_eq!(raw::of_app(&trio.pool.hosts, SCALED).len(), usize::try_from(wanted).unwrap());
    trio.all_tell_the_same().unwrap();
}
