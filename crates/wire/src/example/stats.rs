//! Examples of what is used.

use super::{CONTAINER, Example, MOMENT};
use crate::{ContainerStatsView, EngineStatsView, StatsHistoryView, StatsPointView, StatsSeriesView, StatsView};

impl Example for StatsView {
    fn example() -> Self {
        let engine = EngineStatsView {
            id: "10005".to_owned(),
            measured: "host".to_owned(),
            cpu_cores: 1.25,
            cpu_total: 8.0,
            memory_bytes: 3 << 30,
            memory_total: 16 << 30,
            rx_bytes_s: 20_480,
            tx_bytes_s: 4_096,
            read_bytes_s: 0,
            write_bytes_s: 8_192,
        };
        let container = ContainerStatsView {
            id: CONTAINER.to_owned(),
            name: "web.0.1".to_owned(),
            engine: "10005".to_owned(),
            cpu_cores: 0.5,
            memory_bytes: 64 << 20,
            memory_limit: 512 << 20,
            rx_bytes_s: 20_480,
            tx_bytes_s: 4_096,
            read_bytes_s: 0,
            write_bytes_s: 8_192,
        };
        Self { at: MOMENT.to_owned(), engines: vec![engine], containers: vec![container] }
    }
}

impl Example for StatsHistoryView {
    fn example() -> Self {
        let point = StatsPointView {
            at: MOMENT.to_owned(),
            cpu_cores: 0.5,
            memory_bytes: 64 << 20,
            rx_bytes_s: 20_480,
            tx_bytes_s: 4_096,
            read_bytes_s: 0,
            write_bytes_s: 8_192,
        };
        Self { series: vec![StatsSeriesView { interval_s: 15, points: vec![point] }] }
    }
}
