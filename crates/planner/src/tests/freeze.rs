//! Several hosts that vanish at once: what lives there waits, and goes on when it may.

use super::people::spec;
use super::simulation::{Simulation, engine};
use crate::{SlotPhase, freeze, survive};
use pierhead_model::Duty;

fn pool_of(hosts: &[&str]) -> Simulation {
    let mut pool = Simulation::new(hosts);
    pool.run("web", u32::try_from(hosts.len()).unwrap() * 2, spec("httpd"));
    pool.settle();
    pool.journal.clear();
    pool
}

impl Simulation {
    fn lose(&mut self, hosts: &[&str]) {
        hosts.iter().for_each(|host| self.host(host).answers = false);
    }

    fn give_back(&mut self, hosts: &[&str]) {
        hosts.iter().for_each(|host| self.host(host).answers = true);
    }

    /// As an administrator says it: the hosts that are frozen now are given up.
    fn thaw(&mut self) {
        for id in freeze(&self.world).expect("it is frozen").hosts {
            let host = self.hosts.get_mut(&id).unwrap();
            host.record.given_up = true;
            self.world.set_engine(host.record.clone());
        }
    }

    fn is_frozen(&self) -> bool {
        freeze(&self.world).is_some()
    }

    fn assert_waits(&self, hosts: &[&str]) {
        assert_eq!(self.journal, Vec::<String>::new(), "nothing is moved");
        for slot in self.records.assignments.values().filter(|slot| hosts.contains(&slot.engine.as_str())) {
            let status = self.status("web", slot.slot.0);
            assert_eq!(status.phase, SlotPhase::Lost);
            assert!(status.message.contains("vanished at once"), "{}", status.message);
            let blocked = format!("{}: {}", slot.slot, status.message);
            assert!(self.reasons().contains(&blocked), "{:?}", self.reasons());
        }
    }
}

#[test]
fn half_of_a_pool_that_vanishes_at_once_is_not_replaced_and_goes_on_when_it_answers() {
    for (all, lost) in [
        (&["a", "b", "c", "d"][..], &["b", "d"][..]),
        (&["a", "b", "c"], &["a", "c"]),
        (&["a", "b", "c"], &["a", "b", "c"]),
        (&["a", "b"], &["a", "b"]),
    ] {
        let mut pool = pool_of(all);
        pool.lose(lost);
        pool.run_for(60_000);
        pool.assert_waits(lost);
        let found = freeze(&pool.world).unwrap();
        assert_eq!((found.hosts.len(), found.pool), (lost.len(), all.len()));
        let words = format!("{} of {} hosts vanished at once ({})", lost.len(), all.len(), lost.join(", "));
        assert!(found.reason().starts_with(&words), "{}", found.reason());
        pool.give_back(lost);
        pool.settle();
        assert_eq!(pool.journal, Vec::<String>::new(), "all of it runs on as it did");
        assert!(!pool.is_frozen());
    }
}

#[test]
fn a_single_host_is_replaced_as_ever() {
    for all in [&["a", "b"][..], &["a", "b", "c"]] {
        let mut pool = pool_of(all);
        pool.lose(&["a"]);
        pool.settle();
        assert!(pool.records.assignments.values().all(|slot| slot.engine != engine("a")));
        assert!(!pool.is_frozen());
    }
}

#[test]
fn less_than_half_and_what_is_lost_one_by_one_is_replaced() {
    let mut pool = pool_of(&["a", "b", "c", "d", "e"]);
    pool.lose(&["a", "b"]);
    pool.settle();
    assert!(!pool.is_frozen(), "two of five");
    let mut pool = pool_of(&["a", "b", "c", "d"]);
    pool.lose(&["a"]);
    pool.run_for(10_100);
    pool.lose(&["b"]);
    pool.settle();
    assert!(pool.records.assignments.values().all(|slot| slot.engine > engine("b")), "each had its own accident");
    let mut pool = pool_of(&["a", "b", "c", "d"]);
    pool.lose(&["a"]);
    pool.run_for(9_000);
    let on_b = |pool: &Simulation| pool.records.assignments.values().filter(|slot| slot.engine == engine("b")).count();
    let before = on_b(&pool);
    pool.lose(&["b"]);
    pool.rest();
    assert!(pool.is_frozen(), "the second followed soon, and is kept");
    assert_eq!(on_b(&pool), before);
}

#[test]
fn it_ends_when_enough_answer_and_the_rest_is_then_replaced() {
    let mut pool = pool_of(&["a", "b", "c", "d"]);
    pool.lose(&["a", "b", "c"]);
    pool.run_for(20_000);
    pool.give_back(&["a"]);
    pool.run_for(20_000);
    pool.assert_waits(&["b", "c"]);
    pool.give_back(&["b"]);
    pool.settle();
    assert!(!pool.is_frozen());
    assert!(pool.records.assignments.values().all(|slot| slot.engine != engine("c")));
}

#[test]
fn hosts_that_are_lost_for_good_wait_for_a_word_and_are_then_replaced() {
    let mut pool = pool_of(&["a", "b", "c"]);
    pool.lose(&["a", "b"]);
    pool.rest();
    pool.assert_waits(&["a", "b"]);
    assert_eq!(pool.violations().len(), 4, "four of six do not run, and nothing else is wrong");
    pool.thaw();
    pool.settle();
    assert!(pool.records.assignments.values().all(|slot| slot.engine == engine("c")));
    // That was said, and a new controller knows it.
    pool.crash();
    pool.run_for(20_000);
    assert!(!pool.is_frozen());
    // What answered since is not given up any more.
    pool.give_back(&["a", "b"]);
    pool.settle();
    pool.lose(&["a", "b"]);
    pool.rest();
    assert!(pool.is_frozen());
}

#[test]
fn a_host_that_is_removed_lets_its_slots_go() {
    let mut pool = pool_of(&["a", "b", "c", "d", "e", "f"]);
    pool.lose(&["a", "b", "c", "d"]);
    pool.rest();
    pool.hosts.remove(&engine("a"));
    pool.world.remove_engine(&engine("a"));
    pool.rest();
    let on = |host: &str| pool.records.assignments.values().filter(|slot| slot.engine == engine(host)).count();
    assert_eq!((on("b"), on("c"), on("d"), on("e") + on("f")), (2, 2, 2, 6));
}

#[test]
fn a_new_controller_judges_by_the_same_rule() {
    let mut pool = pool_of(&["a", "b", "c", "d"]);
    pool.lose(&["a", "b"]);
    pool.forget_steps();
    pool.run_for(60_000);
    pool.assert_waits(&["a", "b"]);
    let mut pool = pool_of(&["a", "b", "c", "d"]);
    pool.lose(&["a"]);
    pool.forget_steps();
    pool.settle();
    assert!(pool.records.assignments.values().all(|slot| slot.engine != engine("a")));
}

#[test]
fn a_host_that_never_answered_has_not_vanished() {
    let mut pool = pool_of(&["a", "b", "c"]);
    for id in ["d", "e", "f"] {
        let mut host = super::host::Host::new(id, 4, 4096);
        (host.answers, host.record.added_at) = (false, pool.now);
        pool.world.set_engine(host.record.clone());
        pool.hosts.insert(engine(id), host);
    }
    pool.run_for(20_000);
    assert!(!pool.is_frozen(), "they were added by a wrong address");
    pool.lose(&["a"]);
    pool.settle();
    assert!(pool.records.assignments.values().all(|slot| slot.engine != engine("a")));
}

#[test]
fn new_work_goes_to_the_hosts_that_are_left() {
    let mut pool = pool_of(&["a", "b", "c", "d"]);
    pool.lose(&["a", "b"]);
    pool.rest();
    let more = pool.run("shop", 2, spec("httpd"));
    pool.run_until("runs", |pool| pool.records.operations[&more].state.has_ended());
    assert!(pool.status("shop", 0).engine.unwrap() > engine("b"));
    pool.set_duty("c", Duty::Cordoned);
    let survival = survive(&pool.world, &engine("d"), pool.now).unwrap();
    assert_eq!(survival.homeless.len(), survival.slots, "nobody else takes anything");
    pool.set_duty("c", Duty::InService);
    let survival = survive(&pool.world, &engine("d"), pool.now).unwrap();
    assert!(survival.homeless.is_empty(), "{survival:?}");
}
