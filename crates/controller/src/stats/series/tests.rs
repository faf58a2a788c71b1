use super::*;

/// A reading at a moment of both clocks, in milliseconds, of a container that has used so many seconds of CPU.
fn usage(at_ms: u64, cpu_seconds: f64) -> Usage {
    Usage {
        cpu_nanos: (cpu_seconds * 1e9) as u64,
        memory_bytes: 1 << 20,
        memory_limit: 1 << 30,
        rx_bytes: at_ms,
        at_nanos: at_ms * 1_000_000,
        ..Usage::default()
    }
}

/// Readings of a container that uses half a core.
fn read(series: &mut Series, moments: impl IntoIterator<Item = u64>, pace: Pace) {
    for at_ms in moments {
        series.take(at_ms, usage(at_ms, at_ms as f64 / 2_000.0), pace);
    }
}

fn moments(series: &Series, now_ms: u64) -> [Vec<u64>; 2] {
    series.history.points(now_ms, 0).map(|(_, points)| points.into_iter().map(|(at, _)| at).collect())
}

fn about(one: f64, other: f64) -> bool {
    (one - other).abs() <= other.abs() / 1_000.0
}

#[test]
fn two_readings_make_figures() {
    let mut series = Series::default();
    read(&mut series, [100_000], Pace::Fine);
    assert!(series.now(100_000).is_none(), "one says nothing of a rate");
    read(&mut series, [101_000], Pace::Fine);
    let now = *series.now(101_000).unwrap();
    assert!(about(now.figures.cpu_cores, 0.5) && about(now.figures.rx_bytes_s, 1_000.0), "{now:?}");
    assert!(about(now.figures.memory_bytes, 1_048_576.0) && now.figures.write_bytes_s == 0.0, "{now:?}");
    assert_eq!((now.memory_limit, now.pace), (1 << 30, Pace::Fine));
    assert!(series.now(104_000).is_some() && series.now(104_501).is_none(), "what is old is not the present");
    read(&mut series, [116_000], Pace::Coarse);
    assert!(series.now(150_000).is_some());
}

#[test]
fn both_histories_follow_a_stream() {
    let mut series = Series::default();
    // A little more than a second apart, as streams are.
    read(&mut series, (0..100).map(|at| 30_000 + at * 1_013), Pace::Fine);
    let [fine, coarse] = moments(&series, 131_000);
    assert_eq!(fine, (31..131).map(|second| second * 1_000).collect::<Vec<_>>(), "no second is left out");
    assert_eq!(coarse, [45_000, 60_000, 75_000, 90_000, 105_000, 120_000]);
    for (_, points) in series.history.points(131_000, 0) {
        assert!(points.iter().all(|(_, figures)| about(figures.cpu_cores, 0.5)), "{points:?}");
    }
}

#[test]
fn single_readings_make_the_coarse_history_only() {
    let mut series = Series::default();
    read(&mut series, (0..10).map(|at| 37_000 + at * 15_000 + at * 90), Pace::Coarse);
    let [fine, coarse] = moments(&series, 180_000);
    assert!(fine.is_empty());
    assert_eq!(coarse, (3..12).map(|step| step * 15_000).collect::<Vec<_>>());
}

#[test]
fn what_was_not_read_is_not_made_up() {
    let mut series = Series::default();
    read(&mut series, [100_000, 101_000, 102_000, 104_400, 110_000, 111_000], Pace::Fine);
    let [fine, _] = moments(&series, 111_000);
    assert_eq!(fine, [101_000, 102_000, 103_000, 104_000, 111_000], "a reading that is a little late leaves no gap");
    let mut series = Series::default();
    read(&mut series, [15_000, 30_000, 67_000, 105_000, 120_000], Pace::Coarse);
    assert_eq!(moments(&series, 120_000)[1], [30_000, 45_000, 60_000, 120_000]);
}

#[test]
fn another_life_of_the_container_begins_anew() {
    let mut series = Series::default();
    read(&mut series, [100_000, 101_000], Pace::Fine);
    series.take(102_000, usage(102_000, 0.1), Pace::Fine);
    series.take(103_000, usage(103_000, 0.2), Pace::Fine);
    let now = series.now(103_000).unwrap();
    assert!(about(now.figures.cpu_cores, 0.1), "{now:?}");
    assert_eq!(moments(&series, 103_000)[0], [101_000, 103_000]);
    // The same reading once more, as of an engine whose clock stands still.
    series.take(104_000, usage(103_000, 0.2), Pace::Fine);
    assert_eq!(moments(&series, 104_000)[0], [101_000, 103_000]);
}

#[test]
fn six_hours_of_a_container_take_so_much() {
    let mut series = Series::default();
    read(&mut series, (0..30_000).map(|at| at * 1_000), Pace::Fine);
    let [fine, coarse] = moments(&series, 29_999_000);
    assert_eq!((fine.len(), coarse.len()), (300, 1_440));
    let bytes = size_of::<Series>() + series.history.fine.bytes() + series.history.coarse.bytes();
    println!("{bytes} bytes");
    assert!(bytes < 22_000, "{bytes}");
}

#[test]
fn a_host_is_summed_up_each_second() {
    let mut sums = Sums::default();
    for second in 0..45u64 {
        let figures = Figures { cpu_cores: if second % 2 == 0 { 1.0 } else { 3.0 }, ..Figures::default() };
        sums.take(30_000 + second * 1_000, &figures, second >= 30);
    }
    let [fine, coarse] = sums.history.points(74_000, 0).map(|(_, points)| points);
    assert_eq!((fine.len(), fine[0].0), (15, 60_000), "only what is of a second");
    assert_eq!(coarse.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [30_000, 45_000, 60_000]);
    assert!(coarse.iter().all(|(_, figures)| (1.8..2.2).contains(&figures.cpu_cores)), "{coarse:?}");
}
