//! How it looks what hosts and containers use.

use super::{number, table};
use pierhead_wire::{ContainerStatsView, EngineStatsView, StatsView};
use std::cmp::Ordering;

/// What the lines are sorted by; the most comes first, but names in their own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum SortKey {
    /// Cores in use.
    #[default]
    Cpu,
    /// Memory in use.
    Memory,
    /// What comes in over networks.
    Rx,
    /// What goes out over networks.
    Tx,
    /// What is read from disks.
    Read,
    /// What is written to disks.
    Write,
    /// The name.
    Name,
}

/// A column: its name, how badly it is needed (0 is always there), and what stands in it.
type Column<T> = (&'static str, u8, fn(&T) -> String);

const ENGINES: &[Column<EngineStatsView>] = &[
    ("ENGINE", 0, |engine| engine.id.clone()),
    ("CPU", 0, |engine| format!("{} of {}", number(engine.cpu_cores), number(engine.cpu_total))),
    ("MEMORY", 1, |engine| of(engine.memory_bytes, engine.memory_total)),
    ("RX/S", 3, |engine| bytes(engine.rx_bytes_s)),
    ("TX/S", 3, |engine| bytes(engine.tx_bytes_s)),
    ("READ/S", 4, |engine| bytes(engine.read_bytes_s)),
    ("WRITE/S", 4, |engine| bytes(engine.write_bytes_s)),
    ("MEASURED", 2, |engine| engine.measured.clone()),
];

const CONTAINERS: &[Column<ContainerStatsView>] = &[
    ("NAME", 0, |container| container.name.clone()),
    ("CPU", 0, |container| number(container.cpu_cores)),
    ("MEMORY", 1, |container| of(container.memory_bytes, container.memory_limit)),
    ("RX/S", 3, |container| bytes(container.rx_bytes_s)),
    ("TX/S", 3, |container| bytes(container.tx_bytes_s)),
    ("READ/S", 4, |container| bytes(container.read_bytes_s)),
    ("WRITE/S", 4, |container| bytes(container.write_bytes_s)),
    ("ENGINE", 2, |container| container.engine.clone()),
    ("CONTAINER", 5, |container| super::short(&container.id)),
];

/// What `top` prints: hosts, and below them containers. Where the terminal is too narrow columns are left out, and lines
/// where it is too low.
pub(crate) fn all(stats: &StatsView, sort: SortKey, size: (Option<u16>, Option<u16>)) -> String {
    let (width, height) = size;
    let mut engines: Vec<&EngineStatsView> = stats.engines.iter().collect();
    engines.sort_by(|one, other| {
        let figures = |engine: &EngineStatsView| {
            let rates = [engine.rx_bytes_s, engine.tx_bytes_s, engine.read_bytes_s, engine.write_bytes_s];
            (engine.cpu_cores, engine.memory_bytes, rates)
        };
        order(sort, figures(one), figures(other)).then_with(|| one.id.cmp(&other.id))
    });
    let mut containers: Vec<&ContainerStatsView> = stats.containers.iter().collect();
    containers.sort_by(|one, other| {
        let figures = |container: &ContainerStatsView| {
            let rates = [container.rx_bytes_s, container.tx_bytes_s, container.read_bytes_s, container.write_bytes_s];
            (container.cpu_cores, container.memory_bytes, rates)
        };
        order(sort, figures(one), figures(other)).then_with(|| (&one.name, &one.id).cmp(&(&other.name, &other.id)))
    });
    // One line stays free for the cursor, and one between the two.
    let lines = height.map_or(usize::MAX, |height| usize::from(height.max(3)) - 2);
    let (above, below) = shares(lines, engines.len() + 1, containers.len() + 1);
    let engines = (!engines.is_empty() && above > 1).then(|| columns(ENGINES, &engines, width, above));
    let containers = columns(CONTAINERS, &containers, width, below);
    engines.into_iter().chain([containers]).collect::<Vec<_>>().join("\n\n")
}

/// How many lines each of two tables gets: the upper one a third at least, if it needs that, and what the other leaves.
fn shares(lines: usize, above: usize, below: usize) -> (usize, usize) {
    let above = above.min((lines / 3).max(lines.saturating_sub(below)));
    (above, below.min(lines.saturating_sub(above)))
}

/// CPU, memory, and the four rates.
type Sorted = (f64, u64, [u64; 4]);

fn order(sort: SortKey, one: Sorted, other: Sorted) -> Ordering {
    let rate = |at: usize| other.2[at].cmp(&one.2[at]);
    match sort {
        SortKey::Cpu => other.0.total_cmp(&one.0),
        SortKey::Memory => other.1.cmp(&one.1),
        SortKey::Rx => rate(0),
        SortKey::Tx => rate(1),
        SortKey::Read => rate(2),
        SortKey::Write => rate(3),
        SortKey::Name => Ordering::Equal,
    }
}

/// A table of those columns that fit, and of as many rows as there are lines below its head.
fn columns<T>(all: &[Column<T>], items: &[&T], width: Option<u16>, lines: usize) -> String {
    let shown = if items.len() < lines { items.len() } else { lines.saturating_sub(2) };
    let mut least_needed = u8::MAX;
    loop {
        let kept: Vec<&Column<T>> = all.iter().filter(|(_, need, _)| *need <= least_needed).collect();
        let header: Vec<&str> = kept.iter().map(|(name, ..)| *name).collect();
        let row = |item: &&T| kept.iter().map(|(.., cell)| cell(item)).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> = items[..shown].iter().map(row).collect();
        let needed = kept.iter().map(|(_, need, _)| *need).max().unwrap_or(0);
        let text = table(&header, rows, None);
        let is_wide = |line: &str| width.is_some_and(|width| line.trim_end().chars().count() > usize::from(width));
        if needed > 0 && text.lines().any(is_wide) {
            least_needed = needed - 1;
            continue;
        }
        let cut = |line: &str| line.chars().take(width.map_or(usize::MAX, usize::from)).collect::<String>();
        let mut text = text.lines().map(cut).collect::<Vec<_>>().join("\n");
        if shown < items.len() && lines > 1 {
            text.push('\n');
            text.push_str(&cut(&format!("… and {} more", items.len() - shown)));
        }
        return text;
    }
}

fn of(used: u64, total: u64) -> String {
    format!("{} of {}", bytes(used), bytes(total))
}

/// `512`, `1.5 KiB`, `23.5 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return count.to_string();
    }
    let (mut value, mut unit) = (count as f64 / 1024.0, UNITS[0]);
    for next in &UNITS[1..] {
        // What would be written as 1024 is one of the next.
        if value < 1023.95 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(containers: usize) -> StatsView {
        let engine = |id: &str, cpu_cores: f64| EngineStatsView {
            id: id.to_owned(),
            measured: "host".to_owned(),
            cpu_cores,
            cpu_total: 8.0,
            memory_bytes: 3 << 30,
            memory_total: 16 << 30,
            rx_bytes_s: 2_048,
            ..EngineStatsView::default()
        };
        let container = |number: usize| ContainerStatsView {
            id: format!("{number:064x}"),
            name: format!("web.{number}.1"),
            engine: "host-1".to_owned(),
            cpu_cores: number as f64 / 100.0,
            memory_bytes: (50 - number as u64) << 20,
            memory_limit: 512 << 20,
            tx_bytes_s: 100,
            ..ContainerStatsView::default()
        };
        StatsView {
            at: String::new(),
            engines: vec![engine("host-1", 0.25), engine("host-2", 1.5)],
            containers: (0..containers).map(container).collect(),
        }
    }

    #[test]
    fn hosts_and_below_them_containers() {
        let expected = "\
ENGINE  CPU        MEMORY               RX/S     TX/S  READ/S  WRITE/S  MEASURED
host-2  1.5 of 8   3.0 GiB of 16.0 GiB  2.0 KiB  0     0       0        host
host-1  0.25 of 8  3.0 GiB of 16.0 GiB  2.0 KiB  0     0       0        host

NAME     CPU   MEMORY                 RX/S  TX/S  READ/S  WRITE/S  ENGINE  CONTAINER
web.1.1  0.01  49.0 MiB of 512.0 MiB  0     100   0       0        host-1  000000000000
web.0.1  0     50.0 MiB of 512.0 MiB  0     100   0       0        host-1  000000000000";
        let text = all(&stats(2), SortKey::Cpu, (None, None));
        let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n"), expected);
    }

    #[test]
    fn it_fits_every_terminal() {
        let stats = stats(40);
        for width in (1..120u16).step_by(7) {
            for height in [3, 4, 5, 6, 8, 12, 24, 59] {
                let text = all(&stats, SortKey::Cpu, (Some(width), Some(height)));
                let lines: Vec<&str> = text.lines().collect();
                let widest = lines.iter().map(|line| line.trim_end().chars().count()).max().unwrap();
                assert!(widest <= usize::from(width), "{width}:\n{text}");
                assert!(lines.len() < usize::from(height), "{height}:\n{text}");
            }
        }
        let narrow = all(&stats, SortKey::Cpu, (Some(40), None));
        assert!(narrow.contains("MEMORY") && !narrow.contains("WRITE/S"), "{narrow}");
        let low = all(&stats, SortKey::Cpu, (None, Some(12)));
        assert!(low.contains("web.39.1") && low.contains("… and 35 more") && low.contains("host-2"), "{low}");
    }

    #[test]
    fn lines_are_sorted_by_what_is_asked() {
        let first = |sort| {
            let text = all(&stats(3), sort, (None, None));
            let (_, containers) = text.split_once("\n\n").unwrap();
            containers.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
        };
        assert_eq!((first(SortKey::Cpu), first(SortKey::Memory)), ("web.2.1".to_owned(), "web.0.1".to_owned()));
        assert_eq!((first(SortKey::Name), first(SortKey::Tx)), ("web.0.1".to_owned(), "web.0.1".to_owned()));
        let none = all(&StatsView::default(), SortKey::Cpu, (Some(80), Some(24)));
        assert!(none.starts_with("NAME") && none.lines().count() == 1, "{none}");
    }

    #[test]
    fn bytes_in_units() {
        for (count, expected) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (25_275_924_480, "23.5 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }
}
