//! The pool: engines, containers, apps and operations, counted.

use super::text::{Kind, Page};
use pierhead_controller::{Controller, EngineStatistics, Known};
use pierhead_model::{HealthStatus, SlotWish};
use std::collections::BTreeMap;

pub(super) fn write(page: &mut Page, controller: &Controller) {
    let now = controller.clock().now();
    let known = controller.known();
    engines(page, &known);
    drop(known);
    statistics(page, controller);
    let known = controller.known();
    containers(page, &known);
    apps(page, &known);
    let operations = known.world.operations();
    let running = "Operations that have not ended.";
    page.family("pierhead_operations", Kind::Gauge, running).sample(&[("state", "running")], operations.len() as f64);
    let oldest = operations.values().map(|operation| now.since(operation.created_at)).max().unwrap_or(0);
    let age = "Age of the oldest operation that has not ended.";
    page.family("pierhead_operation_oldest_age_seconds", Kind::Gauge, age).sample(&[], oldest as f64 / 1000.0);
}

fn engines(page: &mut Page, known: &Known) {
    let mut by_status: BTreeMap<&str, u32> = BTreeMap::new();
    let mut up = page.family("pierhead_engine_up", Kind::Gauge, "Whether an engine answers.");
    for (id, engine) in known.world.engines() {
        *by_status.entry(engine.health.status.as_str()).or_default() += 1;
        let is_up = engine.health.status == HealthStatus::Healthy;
        up.sample(&[("engine", id.as_str())], f64::from(u8::from(is_up)));
    }
    let mut family = page.family("pierhead_engines", Kind::Gauge, "Engines by health.");
    for (status, count) in by_status {
        family.sample(&[("health", status)], f64::from(count));
    }
}

/// What hosts use, as far as it is known.
fn statistics(page: &mut Page, controller: &Controller) {
    let engines = controller.statistics().engines;
    type Figure = fn(&EngineStatistics) -> f64;
    let figures: [(&'static str, &str, Figure); 6] = [
        ("pierhead_engine_cpu_used_cores", "Cores in use on a host.", |engine| engine.figures.cpu_cores),
        ("pierhead_engine_memory_used_bytes", "Memory in use on a host.", |engine| engine.figures.memory_bytes),
        ("pierhead_engine_network_received_bytes_per_second", "What its containers receive.", |engine| {
            engine.figures.rx_bytes_s
        }),
        ("pierhead_engine_network_sent_bytes_per_second", "What its containers send.", |engine| {
            engine.figures.tx_bytes_s
        }),
        ("pierhead_engine_disk_read_bytes_per_second", "What its containers read.", |engine| {
            engine.figures.read_bytes_s
        }),
        ("pierhead_engine_disk_written_bytes_per_second", "What its containers write.", |engine| {
            engine.figures.write_bytes_s
        }),
    ];
    for (name, help, figure) in figures {
        let mut family = page.family(name, Kind::Gauge, help);
        engines.iter().for_each(|engine| family.sample(&[("engine", engine.id.as_str())], figure(engine)));
    }
    let (viewers, streams) = controller.statistics_load();
    let help = "Streams of statistics that somebody looks at now.";
    page.family("pierhead_stats_viewers_open", Kind::Gauge, help).sample(&[], viewers as f64);
    let help = "Containers of which an engine streams statistics to this controller now.";
    page.family("pierhead_stats_streams_open", Kind::Gauge, help).sample(&[], streams as f64);
}

fn containers(page: &mut Page, known: &Known) {
    let mut by_state: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for container in known.world.engines().values().flat_map(|engine| engine.containers.values()) {
        let whose = if container.belongs_to(&known.world.cluster) { "pierhead" } else { "other" };
        *by_state.entry((whose, container.state.as_str())).or_default() += 1;
    }
    let mut family = page.family("pierhead_containers", Kind::Gauge, "Containers of all hosts by state.");
    for ((whose, state), count) in by_state {
        family.sample(&[("made_by", whose), ("state", state)], f64::from(count));
    }
}

fn apps(page: &mut Page, known: &Known) {
    let apps = known.world.apps();
    page.family("pierhead_apps", Kind::Gauge, "Apps.").sample(&[], apps.len() as f64);
    let wanted = apps.values().flat_map(|app| app.slots.values()).filter(|slot| slot.wish == SlotWish::Running).count();
    page.family("pierhead_replicas_wanted", Kind::Gauge, "Replicas that shall run.").sample(&[], wanted as f64);
    let runs = |assignment: &&pierhead_model::Assignment| {
        let containers = known.world.current(assignment);
        !containers.is_empty() && containers.values().all(|container| container.state.is_running())
    };
    let running = known.world.assignments().values().filter(runs).count();
    page.family("pierhead_replicas_running", Kind::Gauge, "Replicas that run.").sample(&[], running as f64);
}
