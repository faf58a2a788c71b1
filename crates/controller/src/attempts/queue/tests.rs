use super::*;
use proptest::prelude::*;

const EVERY: u64 = 5_000;

fn key(attempt: u64, check: &str) -> Key {
    Key { attempt: AttemptId::from_random(attempt), step: 0, check: check.to_owned() }
}

fn host(number: u64) -> EngineId {
    EngineId::parse(format!("host-{number}")).unwrap()
}

fn wanted(attempts: std::ops::Range<u64>) -> Vec<(Key, EngineId, u64)> {
    attempts.map(|attempt| (key(attempt, "c"), host(1), EVERY)).collect()
}

#[test]
fn a_check_goes_on_at_its_pace_until_it_is_not_wanted() {
    let mut queue = Queue::default();
    queue.set(wanted(0..1), Timestamp(0));
    assert_eq!(queue.take(Timestamp(0)), [(key(0, "c"), 0)]);
    assert_eq!(queue.take(Timestamp(100)), [], "it runs");
    queue.ended(&key(0, "c"), 100, EVERY, Timestamp(100));
    queue.set(wanted(0..1), Timestamp(4_000));
    assert_eq!(queue.take(Timestamp(5_099)), []);
    assert_eq!(queue.take(Timestamp(5_150)), [(key(0, "c"), 50)], "it is a little late");
    queue.set(Vec::new(), Timestamp(6_000));
    queue.ended(&key(0, "c"), 100, EVERY, Timestamp(6_100));
    queue.set(Vec::new(), Timestamp(6_200));
    assert!(queue.0.is_empty(), "it passed, and is forgotten");
}

#[test]
fn a_class_that_begins_together_is_spread() {
    let mut queue = Queue::default();
    queue.set(wanted(0..60), Timestamp(0));
    let first: Vec<_> = queue.0.values().filter(|entry| entry.due < Timestamp(500)).collect();
    assert!(first.len() < 20, "{} of 60 come in the first tenth", first.len());
}

#[test]
fn a_host_runs_a_few_and_an_attempt_one() {
    let mut queue = Queue::default();
    let mut all = wanted(0..6);
    all.push((key(0, "d"), host(1), EVERY));
    all.push((key(9, "c"), host(2), EVERY));
    queue.set(all, Timestamp(0));
    let late = Timestamp(EVERY);
    let taken = queue.take(late);
    assert_eq!(taken.iter().filter(|(key, _)| key.attempt != AttemptId::from_random(9)).count(), PLACES);
    assert!(taken.iter().any(|(key, _)| key.attempt == AttemptId::from_random(9)), "another host is not held up");
    assert!(taken.iter().filter(|(key, _)| key.attempt == AttemptId::from_random(0)).count() <= 1);
}

#[test]
fn checks_that_hang_hold_up_none_that_do_not() {
    let mut queue = Queue::default();
    queue.set(wanted(0..30), Timestamp(0));
    let (mut now, mut running): (u64, Vec<(Key, u64)>) = (0, Vec::new());
    let (mut lateness, mut runs): (Vec<u64>, usize) = (Vec::new(), 0);
    // Twenty of thirty hang for ten seconds each, again and again; an hour of that.
    while now < 3_600_000 {
        now += 100;
        let at = Timestamp(now);
        let (over, on): (Vec<_>, Vec<_>) = running.into_iter().partition(|(_, end)| *end <= now);
        running = on;
        for (key, _) in over {
            let hangs = (0..20).any(|attempt| key.attempt == AttemptId::from_random(attempt));
            queue.ended(&key, if hangs { 10_000 } else { 200 }, EVERY, at);
        }
        for (key, late) in queue.take(at) {
            let hangs = (0..20).any(|attempt| key.attempt == AttemptId::from_random(attempt));
            // The first time nobody knows.
            if !hangs && now > 300_000 {
                lateness.push(late);
                runs += 1;
            }
            running.push((key, now + if hangs { 10_000 } else { 200 }));
        }
        assert!(running.len() <= PLACES);
    }
    lateness.sort_unstable();
    assert!(runs > 5_000, "{runs} runs");
    assert!(lateness[lateness.len() * 99 / 100] <= 2_000, "{:?}", lateness.last());
}

proptest! {
    #[test]
    fn no_host_has_more_than_its_places_and_everything_is_run(takes in proptest::collection::vec(0..400u64, 1..60)) {
        let mut queue = Queue::default();
        let all: Vec<_> = (0..8).map(|attempt| (key(attempt, "c"), host(attempt % 2), 1_000)).collect();
        queue.set(all, Timestamp(0));
        let (mut now, mut seen) = (0, BTreeSet::new());
        for took in takes.iter().cycle().take(200) {
            now += 500;
            let taken = queue.take(Timestamp(now));
            let on = |number: u64| taken.iter().filter(|(key, _)| (0..8).any(|n| n % 2 == number && *key == super::tests::key(n, "c"))).count();
            prop_assert!(on(0) <= PLACES && on(1) <= PLACES);
            for (key, _) in taken {
                queue.ended(&key, *took, 1_000, Timestamp(now + took));
                seen.insert(key);
            }
        }
        prop_assert_eq!(seen.len(), 8);
    }
}
