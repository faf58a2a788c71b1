use super::*;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn holder(account: &str, course: Option<&str>) -> Holder {
    let course = course.map(|id| CourseId::parse(id).unwrap());
    Holder { account: Username::parse(account).unwrap(), course }
}

fn li() -> Holder {
    holder("li", Some("cs-101"))
}

fn container(id: &str) -> ContainerId {
    ContainerId::parse(id).unwrap()
}

fn key(workspace: u64, generation: u32) -> CopyKey {
    (WorkspaceId::from_random(workspace), Generation(generation))
}

/// A workspace of somebody's with 512 MB and one container, which was read at a second and had used so many seconds.
fn seen(holder: Option<Holder>, read: Option<(u64, u64)>) -> Seen {
    let read = read.map(|(at, cpu)| (Timestamp(at * 1_000), cpu * SECOND));
    Seen { holder, memory_mb: 512, counters: BTreeMap::from([(container("a1"), read)]) }
}

/// A meter that began at second 0 and looks at these, each at its second.
fn metered(looks: &[(u64, &[(CopyKey, Seen)])]) -> BTreeMap<Holder, Used> {
    let mut meter = Meter::begin(Timestamp(0));
    for (at, seen) in looks {
        meter.look(seen.iter().cloned().collect(), Timestamp(at * 1_000));
    }
    meter.take_due()
}

/// The seconds of CPU, and the MB times seconds, of one of them.
fn of(due: &BTreeMap<Holder, Used>, who: &Holder) -> (u64, u64) {
    let used = due.get(who).copied().unwrap_or_default();
    assert_eq!((used.cpu_nanos % SECOND, used.memory_mb_ms % 1_000), (0, 0));
    (used.cpu_nanos / SECOND, used.memory_mb_ms / 1_000)
}

#[test]
fn what_is_made_under_a_leadership_counts_from_its_beginning() {
    let one = |at, cpu| (key(1, 1), seen(Some(li()), Some((at, cpu))));
    let due = metered(&[(1, &[]), (6, &[one(6, 3)]), (16, &[one(15, 8)]), (26, &[one(15, 8)])]);
    assert_eq!(of(&due, &li()), (8, 512 * 20), "memory counts from look to look, read or not");
}

#[test]
fn what_was_there_before_counts_from_the_first_reading_that_is_of_this_leadership() {
    let one = |at, cpu| [(key(1, 1), seen(Some(li()), Some((at, cpu))))];
    // The reading at second 4 may be of before: the one who led may have counted beyond it.
    let due = metered(&[(4, &one(4, 100)), (9, &one(7, 130)), (14, &one(12, 135))]);
    assert_eq!(of(&due, &li()), (5, 512 * 10));
}

#[test]
fn a_container_that_was_started_again_counts_from_nothing_and_never_backwards() {
    let one = |at, cpu| [(key(1, 1), seen(Some(li()), Some((at, cpu))))];
    let due = metered(&[(10, &one(10, 50)), (20, &one(20, 60)), (30, &one(30, 4)), (40, &one(40, 5))]);
    assert_eq!(of(&due, &li()).0, 10 + 4 + 1);
}

#[test]
fn containers_that_were_made_anew_are_others() {
    let first = [(key(1, 1), seen(Some(li()), Some((10, 50))))];
    let second = |at: u64, cpu: u64| {
        let mut seen = seen(Some(li()), None);
        seen.counters = BTreeMap::from([(container("b2"), Some((Timestamp(at * 1_000), cpu * SECOND)))]);
        [(key(1, 2), seen)]
    };
    let due = metered(&[(10, &first), (20, &second(20, 7)), (30, &second(30, 9))]);
    assert_eq!(of(&due, &li()), (9, 512 * 10));
}

#[test]
fn what_is_used_before_it_is_somebodys_is_nobodys() {
    let one = |holder: Option<Holder>, at, cpu| [(key(1, 1), seen(holder, Some((at, cpu))))];
    let looks = [
        (10, &one(None, 10, 30)[..]),
        (20, &one(None, 20, 40)),
        (30, &one(Some(li()), 30, 50)),
        (40, &one(Some(li()), 40, 51)),
    ];
    let due = metered(&looks);
    assert_eq!((of(&due, &li()), due.len()), ((1, 512 * 10), 1));
}

#[test]
fn an_attempt_that_comes_to_a_workspace_takes_what_is_not_counted_yet() {
    let alone = holder("li", None);
    let one = |holder: &Holder, at, cpu| [(key(1, 1), seen(Some(holder.clone()), Some((at, cpu))))];
    let due = metered(&[(1, &[]), (10, &one(&alone, 10, 2)), (20, &one(&li(), 20, 5))]);
    assert_eq!((of(&due, &alone), of(&due, &li())), ((2, 0), (3, 512 * 10)));
}

#[test]
fn workspaces_of_one_holder_add_up_and_others_stay_apart() {
    let zhao = holder("zhao", Some("cs-101"));
    let at = |second: u64, cpu: u64| {
        [
            (key(1, 1), seen(Some(li()), Some((second, cpu)))),
            (key(2, 1), seen(Some(li()), Some((second, 2 * cpu)))),
            (key(3, 1), seen(Some(zhao.clone()), None)),
        ]
    };
    let due = metered(&[(10, &at(10, 10)), (20, &at(20, 11))]);
    assert_eq!((of(&due, &li()), of(&due, &zhao)), ((3, 2 * 512 * 10), (0, 512 * 10)));
}

#[test]
fn what_is_gone_is_forgotten_and_what_was_taken_is_not_due() {
    let one = |at, cpu| BTreeMap::from([(key(1, 1), seen(Some(li()), Some((at, cpu))))]);
    let mut meter = Meter::begin(Timestamp(0));
    for (at, seen) in [(10, one(10, 5)), (20, one(20, 6)), (30, BTreeMap::new())] {
        meter.look(seen, Timestamp(at * 1_000));
    }
    assert!(meter.copies.is_empty());
    let due = meter.take_due();
    assert_eq!(of(&due, &li()), (1, 512 * 10));
    assert!(meter.take_due().is_empty());
    let (who, used) = due.into_iter().next().unwrap();
    meter.give_back(who.clone(), used);
    meter.give_back(who, used);
    assert_eq!(of(&meter.take_due(), &li()), (2, 512 * 20));
}

proptest! {
    /// Leaders that follow one another, each from any moment on, never count more than there was.
    #[test]
    fn nothing_counts_twice(
        steps in prop::collection::vec((1u64..20, 0u64..30, any::<bool>(), any::<bool>()), 1..60),
    ) {
        let (mut now, mut cpu, mut whole, mut told, mut read) = (0u64, 0u64, 0u64, 0u64, (0u64, 0u64));
        let mut meter = Meter::begin(Timestamp(0));
        meter.look(BTreeMap::new(), Timestamp(0));
        for (seconds, spent, is_restarted, is_read) in steps {
            (now, cpu, whole) = (now + seconds, if is_restarted { spent } else { cpu + spent }, whole + spent);
            if is_read {
                read = (now, cpu);
            }
            meter.look(BTreeMap::from([(key(1, 1), seen(Some(li()), Some(read)))]), Timestamp(now * 1_000));
            told += of(&meter.take_due(), &li()).0;
            if spent % 7 == 0 {
                meter = Meter::begin(Timestamp(now * 1_000));
            }
        }
        prop_assert!(told <= whole, "{told} of {whole}");
    }
}
