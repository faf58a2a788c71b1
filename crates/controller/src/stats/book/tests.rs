use super::*;

const GIB: u64 = 1 << 30;

fn host(name: &str) -> EngineId {
    EngineId::parse(name).unwrap()
}

fn container(number: usize) -> ContainerId {
    ContainerId::parse(format!("{number:064x}")).unwrap()
}

/// A host of four cores and eight GiB with so many containers, all of which run.
fn seen(name: &str, containers: usize) -> Seen {
    Seen {
        id: host(name),
        capacity: Some((4.0, 8 * GIB)),
        is_usable: true,
        containers: (0..containers).map(|number| (container(number), true)).collect(),
    }
}

/// Readings of containers that use a tenth of a core each and a GiB, twice, a second apart.
fn read(book: &mut Book, name: &str, containers: impl Iterator<Item = usize> + Clone, from_ms: u64, pace: Pace) {
    for at_ms in [from_ms, from_ms + 1_000] {
        for number in containers.clone() {
            let usage = Usage {
                cpu_nanos: at_ms * 100_000,
                memory_bytes: GIB,
                tx_bytes: at_ms,
                at_nanos: at_ms * 1_000_000,
                ..Usage::default()
            };
            book.take(&host(name), &container(number), usage, pace, at_ms);
        }
    }
}

fn second(book: &mut Book, seen: &[Seen], now_ms: u64) -> Option<OfHost> {
    book.keep(seen, now_ms);
    book.sum_up(seen, now_ms);
    book.host(&seen[0].id, now_ms)
}

#[test]
fn a_host_without_an_agent_is_the_sum_of_its_containers() {
    let (mut book, all) = (Book::default(), [seen("a", 3)]);
    assert_eq!(second(&mut book, &all, 100_000), None, "nothing was read");
    read(&mut book, "a", 0..3, 100_000, Pace::Fine);
    let found = second(&mut book, &all, 101_000).unwrap();
    assert_eq!((found.measured, found.capacity), (Measured::Containers, (4.0, 8 * GIB)));
    assert!((found.figures.cpu_cores - 0.3).abs() < 0.001 && found.figures.memory_bytes == 3.0 * GIB as f64);
    assert!((found.figures.tx_bytes_s - 3_000.0).abs() < 1.0, "{found:?}");
    let [fine, coarse] = book.history(&host("a"), None, 101_000, 0).map(|(_, points)| points.len());
    assert_eq!((fine, coarse), (1, 1));
    assert_eq!(second(&mut book, &all, 110_000), None, "what is old is not the present");
    let idle = second(&mut book, &[seen("a", 0)], 111_000).unwrap();
    assert_eq!(idle.figures, Figures::default(), "where nothing runs nothing is used");
}

#[test]
fn single_readings_are_no_fine_history_of_a_host() {
    let (mut book, all) = (Book::default(), [seen("a", 2)]);
    book.keep(&all, 100_000);
    read(&mut book, "a", 0..2, 100_000, Pace::Fine);
    read(&mut book, "a", 1..2, 101_000, Pace::Coarse);
    assert!(second(&mut book, &all, 102_000).is_some());
    let [fine, coarse] = book.history(&host("a"), None, 102_000, 0).map(|(_, points)| points.len());
    assert_eq!((fine, coarse), (0, 1));
}

#[test]
fn an_agent_tells_of_the_whole_host() {
    let (mut book, mut all) = (Book::default(), [seen("a", 1)]);
    let load = HostLoad { cpu_permille: 500, memory_available: 6 * GIB };
    book.load(&host("a"), load, 99_000);
    assert_eq!(second(&mut book, &all, 100_000), None, "a host that nobody knew yet");
    book.load(&host("a"), load, 100_000);
    read(&mut book, "a", 0..1, 100_000, Pace::Coarse);
    let found = second(&mut book, &all, 101_000).unwrap();
    assert_eq!((found.measured, found.figures.cpu_cores), (Measured::Host, 2.0));
    assert_eq!(found.figures.memory_bytes, 2.0 * GIB as f64);
    assert!(found.figures.tx_bytes_s > 900.0, "the rest is of its containers: {found:?}");
    assert_eq!(second(&mut book, &all, 104_000).unwrap().measured, Measured::Containers, "it beats no more");
    book.load(&host("a"), load, 105_000);
    all[0].is_usable = false;
    assert_eq!(second(&mut book, &all, 105_000), None, "a host that does not answer");
    all[0].is_usable = true;
    all[0].capacity = None;
    assert_eq!(second(&mut book, &all, 105_000), None, "nor one of which nothing is known");
}

#[test]
fn what_is_gone_is_forgotten() {
    let mut book = Book::default();
    book.keep(&[seen("a", 3), seen("b", 1)], 100_500);
    read(&mut book, "a", 0..3, 100_500, Pace::Fine);
    assert!(book.container(&host("a"), &container(2), 101_500).is_some());
    book.keep(&[seen("a", 2)], 101_500);
    assert!(book.container(&host("a"), &container(2), 101_500).is_none());
    assert!(book.container(&host("a"), &container(1), 101_500).is_some());
    let left = |book: &Book, name: &str, id: Option<usize>| {
        book.history(&host(name), id.map(container).as_ref(), 101_500, 0)
            .iter()
            .map(|(_, points)| points.len())
            .sum::<usize>()
    };
    assert_eq!((left(&book, "a", Some(2)), left(&book, "a", Some(1))), (0, 1));
    assert_eq!(left(&book, "b", None), 0);
    read(&mut book, "b", 0..1, 100_500, Pace::Fine);
    assert!(book.container(&host("b"), &container(0), 101_500).is_none(), "what comes late brings nothing back");
    // One that stopped and tells so.
    book.take(&host("a"), &container(0), Usage::default(), Pace::Fine, 102_000);
    let now = book.container(&host("a"), &container(0), 102_000).unwrap();
    assert!(now.figures.memory_bytes > 0.0);
}

#[test]
fn each_container_has_its_turn_once_in_a_quarter_of_a_minute() {
    let (mut book, all) = (Book::default(), [seen("a", 150)]);
    book.keep(&all, 0);
    let mut asked = vec![0; 150];
    let mut most_at_once = 0;
    for second in 0..70u64 {
        let due =
            (0..150).filter(|number| book.is_due(&host("a"), &container(*number), false, 1_000_000 + second * 1_000));
        let due: Vec<usize> = due.collect();
        match second {
            0 | 1 => assert_eq!(due.len(), 150, "twice at first, since it takes two to tell anything"),
            2..17 => {}
            _ => most_at_once = most_at_once.max(due.len()),
        }
        if second >= 17 {
            due.into_iter().for_each(|number| asked[number] += 1);
        }
    }
    assert!(asked.iter().all(|times| (3..=4).contains(times)), "{asked:?}");
    assert!(most_at_once <= 40, "{most_at_once} of 150 at the same time");
    assert!(book.is_due(&host("a"), &container(0), true, 1_070_000), "what is looked at always");
    assert!(book.is_due(&host("a"), &container(0), true, 1_070_001));
    assert!(!book.is_due(&host("b"), &container(0), true, 1_070_000), "but for hosts that are not there");
}
