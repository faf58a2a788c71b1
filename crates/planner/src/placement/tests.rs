//! The rules of placement, each with its near misses.

mod filters;
mod index;
mod ports;
pub(crate) mod sample;

use crate::{Filter, Ledger, PlacementPolicy};
use pierhead_model::Resources;
use sample::*;
use std::collections::BTreeMap;

fn counts(ledger: &mut Ledger, numbers: std::ops::Range<u32>, asked: &crate::Request) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for number in numbers {
        let engine = place_and_hold(ledger, number, asked).expect("there is room");
        *counts.entry(engine).or_default() += 1;
    }
    counts
}

#[test]
fn a_batch_spreads_evenly_over_equal_hosts() {
    let mut ledger = three_hosts();
    let counts = counts(&mut ledger, 0..100, &request(50, 32));
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [34, 33, 33]);
}

#[test]
fn one_by_one_unequal_hosts_end_up_equally_loaded() {
    let mut ledger = ledger([facts("small", 2, 2048), facts("large", 8, 8192)]);
    let counts = counts(&mut ledger, 0..50, &request(100, 100));
    assert_eq!(counts, BTreeMap::from([("large".to_owned(), 40), ("small".to_owned(), 10)]));
}

#[test]
fn the_score_weighs_what_would_be_free() {
    let mut ledger = ledger([facts("a", 4, 1000)]);
    ledger.hold(key(1), hold("a", 1000, 100));
    let placed = ledger.place(&request(1000, 400)).unwrap();
    assert_eq!(placed.score, 65.0 * 0.5 + 35.0 * 0.5);
    assert_eq!(ledger.place(&request(3000, 900)).unwrap().score, 0.0);
    assert!(ledger.place(&request(3001, 900)).is_err());
}

#[test]
fn the_weights_decide_between_cpu_and_memory() {
    let hosts = || [facts("cpu", 8, 1024), facts("memory", 4, 8192)];
    let asked = request(1000, 512);
    let place = |cpu_weight, memory_weight| {
        let mut ledger = Ledger::new(PlacementPolicy { cpu_weight, memory_weight, ..PlacementPolicy::default() });
        hosts().into_iter().for_each(|facts| ledger.set_host(facts));
        ledger.place(&asked).unwrap().engine.as_str().to_owned()
    };
    assert_eq!(place(100.0, 0.0), "cpu");
    assert_eq!(place(0.0, 100.0), "memory");
    // Without weights all are equal, and the smallest id wins.
    assert_eq!(place(0.0, 0.0), "cpu");
    assert_eq!(place(f64::NAN, -1.0), "cpu");
}

#[test]
fn among_equals_the_smallest_id_wins() {
    // As texts, so host-10 comes before host-2. The sizes differ, the shares that are free don't.
    let ledger = ledger([facts("host-2", 4, 4096), facts("host-10", 4, 4096), facts("host-3", 4, 4096)]);
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine.as_str(), "host-10");
    let ledger = self::ledger([facts("b", 3, 3000), facts("a", 7, 7000)]);
    assert_eq!(ledger.place(&request(0, 0)).unwrap().engine.as_str(), "a");
}

#[test]
fn equal_shares_have_equal_scores_whatever_the_sizes() {
    let mut ledger = ledger([facts("b", 3, 3000), facts("a", 9, 9000)]);
    ledger.hold(key(1), hold("a", 5000, 5000));
    // b: (0 + 2) of 3; a: (5 + 1) of 9 would do as well, so 2 more than that is worse there.
    assert_eq!(ledger.place(&request(2000, 2000)).unwrap().engine.as_str(), "b");
    ledger.hold(key(1), hold("a", 4000, 4000));
    // b: 2 of 3; a: 6 of 9.
    assert_eq!(ledger.place(&request(2000, 2000)).unwrap().engine.as_str(), "a");
}

#[test]
fn a_host_without_room_in_either_resource_is_no_candidate() {
    let mut ledger = ledger([facts("a", 2, 1024)]);
    ledger.hold(key(1), hold("a", 1500, 1000));
    assert!(ledger.place(&request(500, 24)).is_ok());
    let refused = |cpu, memory| ledger.place(&request(cpu, memory)).unwrap_err().refused;
    assert_eq!(refused(501, 24), BTreeMap::from([(Filter::Cpu, 1)]));
    assert_eq!(refused(500, 25), BTreeMap::from([(Filter::Memory, 1)]));
}

#[test]
fn a_host_that_has_nothing_of_something_takes_only_what_asks_nothing_of_it() {
    let ledger = ledger([facts("a", 0, 1024)]);
    assert!(ledger.place(&request(1, 1)).is_err());
    let placed = ledger.place(&request(0, 512)).unwrap();
    assert_eq!(placed.score, 35.0 * 0.5, "no CPU is free where there is none");
    let nothing = self::ledger([facts("a", 0, 0)]);
    assert_eq!(nothing.place(&request(0, 0)).unwrap().score, 0.0);
}

#[test]
fn an_over_reserved_host_has_no_room_and_nothing_overflows() {
    let mut ledger = ledger([facts("a", 1, 1024), facts("b", 1, 1024)]);
    ledger.hold(key(1), hold("a", u64::MAX, u64::MAX));
    ledger.hold(key(2), hold("a", u64::MAX, u64::MAX));
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine, engine("b"));
    assert_eq!(ledger.place(&request(u64::MAX, u64::MAX)).unwrap_err().refused, BTreeMap::from([(Filter::Cpu, 2)]));
    ledger.release(&key(1));
    ledger.release(&key(2));
    assert_eq!(ledger.reserved(&engine("a")), Resources::default());
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine, engine("a"));
}

#[test]
fn absurdly_large_hosts_are_placed_on_without_overflow() {
    let huge = crate::HostFacts { allocatable: Resources::new(u64::MAX, u64::MAX), ..facts("huge", 1, 1) };
    let ledger = ledger([huge, facts("small", 1, 1024)]);
    let placed = ledger.place(&request(u64::MAX, u64::MAX)).unwrap();
    assert_eq!(placed.engine, engine("huge"));
    assert_eq!(ledger.place(&request(100, 64)).unwrap().engine, engine("huge"));
}

#[test]
fn the_same_question_has_the_same_answer() {
    let mut ledger = three_hosts();
    for number in 0..20 {
        place_and_hold(&mut ledger, number, &request(100, 100));
    }
    let asked = with(request(100, 100), |member| member.ports = vec![port(None, None); 3]);
    let first = ledger.place(&asked);
    assert_eq!(ledger.place(&asked), first);
    assert_eq!(ledger.clone().place(&asked), first);
}
