//! What is used, rounded to what is exact in it.

use pierhead_controller::{Figures, Statistics, StatisticsMeasured, StatisticsSeries, StatsOf};
use pierhead_wire::{
    ContainerStatsView, EngineStatsView, StatsHistoryView, StatsPointView, StatsSeriesView, StatsView, format_timestamp,
};

/// What is used now by what was asked for: of a host with all that runs there, of a container alone.
pub(crate) fn statistics(all: &Statistics, of: &StatsOf) -> StatsView {
    let engines = all.engines.iter().filter(|engine| match of {
        StatsOf::All => true,
        StatsOf::Engine(id) => engine.id == *id,
        StatsOf::Container(_) => false,
    });
    let containers = all.containers.iter().filter(|container| match of {
        StatsOf::All => true,
        StatsOf::Engine(id) => container.engine == *id,
        StatsOf::Container(id) => container.id == *id,
    });
    let engines = engines.map(|engine| EngineStatsView {
        id: engine.id.to_string(),
        measured: match engine.measured {
            StatisticsMeasured::Host => "host",
            StatisticsMeasured::Containers => "containers",
        }
        .to_owned(),
        cpu_cores: cores(&engine.figures),
        cpu_total: engine.cpu_total,
        memory_bytes: whole(engine.figures.memory_bytes),
        memory_total: engine.memory_total,
        rx_bytes_s: whole(engine.figures.rx_bytes_s),
        tx_bytes_s: whole(engine.figures.tx_bytes_s),
        read_bytes_s: whole(engine.figures.read_bytes_s),
        write_bytes_s: whole(engine.figures.write_bytes_s),
    });
    let containers = containers.map(|container| ContainerStatsView {
        id: container.id.to_string(),
        name: container.name.clone(),
        engine: container.engine.to_string(),
        cpu_cores: cores(&container.figures),
        memory_bytes: whole(container.figures.memory_bytes),
        memory_limit: container.memory_limit,
        rx_bytes_s: whole(container.figures.rx_bytes_s),
        tx_bytes_s: whole(container.figures.tx_bytes_s),
        read_bytes_s: whole(container.figures.read_bytes_s),
        write_bytes_s: whole(container.figures.write_bytes_s),
    });
    StatsView { at: format_timestamp(all.at), engines: engines.collect(), containers: containers.collect() }
}

/// What was used before.
pub(crate) fn statistics_history(series: &[StatisticsSeries]) -> StatsHistoryView {
    let series = series.iter().map(|series| StatsSeriesView {
        interval_s: series.interval_s,
        points: series
            .points
            .iter()
            .map(|(at, figures)| StatsPointView {
                at: format_timestamp(*at),
                cpu_cores: cores(figures),
                memory_bytes: whole(figures.memory_bytes),
                rx_bytes_s: whole(figures.rx_bytes_s),
                tx_bytes_s: whole(figures.tx_bytes_s),
                read_bytes_s: whole(figures.read_bytes_s),
                write_bytes_s: whole(figures.write_bytes_s),
            })
            .collect(),
    });
    StatsHistoryView { series: series.collect() }
}

/// To a ten thousandth.
fn cores(figures: &Figures) -> f64 {
    (figures.cpu_cores * 10_000.0).round() / 10_000.0
}

fn whole(figure: f64) -> u64 {
    figure.round() as u64
}
