//! How the pool looks as a whole.

use super::{fields, number};
use pierhead_wire::ClusterInfo;

/// What `cluster info` prints.
pub(crate) fn info(info: &ClusterInfo) -> String {
    let room = |total: f64, reserved: f64, used: f64, unit: &str| {
        format!(
            "{}{unit}: {} reserved{}, {} in use",
            number(total),
            number(reserved),
            per_cent(reserved, total),
            number(used)
        )
    };
    let head = fields(&[
        ("engines", info.engine_count.to_string()),
        ("cpus", room(info.cpus, info.reserved_cpus, info.used_cpus, "")),
        ("memory", room(info.memory, info.reserved_memory, info.used_memory, " MB")),
        ("containers", info.container_count.to_string()),
        ("images", info.image_count.to_string()),
        ("cluster", info.id.clone()),
        ("version", info.version.clone()),
    ]);
    let silent: Vec<(&str, String)> =
        info.silent_engines.iter().map(|engine| ("left out", format!("{}: {}", engine.id, engine.reason))).collect();
    let next =
        if info.engine_count == 0 { "\nNo engines yet. Try: pierhead engine add http://10.0.0.5:2375\n" } else { "" };
    head + &fields(&silent) + next
}

fn per_cent(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!(" ({:.0} %)", part / whole * 100.0) } else { String::new() }
}
