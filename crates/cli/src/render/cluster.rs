//! How the pool looks as a whole.

use super::{fields, number, table};
use pierhead_wire::{ClusterInfo, RebalanceView, SurvivalView};

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
    let frozen = info.frozen.iter().map(|why| ("frozen", why.clone())).collect::<Vec<_>>();
    let restored = info.restored.iter().map(|restored| ("restored", restored.reason.clone())).collect::<Vec<_>>();
    let unknown: Vec<(&str, String)> = info
        .restored
        .iter()
        .flat_map(|restored| &restored.unknown)
        .map(|container| ("unknown", format!("{} on {} ({})", container.name, container.engine, container.id)))
        .collect();
    head + &fields(&silent) + &fields(&frozen) + &fields(&restored) + &fields(&unknown) + next
}

fn per_cent(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!(" ({:.0} %)", part / whole * 100.0) } else { String::new() }
}

/// What `cluster survive` prints.
pub(crate) fn survival(survival: &SurvivalView, width: Option<u16>) -> String {
    let SurvivalView { engine, slots, homeless, .. } = survival;
    if homeless.is_empty() {
        return match slots {
            0 => format!("Nothing of the pool runs on {engine}; it would not be missed."),
            1 => format!("Without {engine} the other hosts would carry its only slot."),
            _ => format!("Without {engine} the other hosts would carry all {slots} of its slots."),
        };
    }
    let left = homeless.len();
    let what = if *slots == 1 { "its only slot".to_owned() } else { format!("{left} of its {slots} slots") };
    let head = format!("Without {engine}, {what} would find no place:\n\n");
    let rows = homeless.iter().map(|slot| vec![slot.app.clone(), slot.slot.to_string(), slot.reason.clone()]);
    head + &table(&["APP", "SLOT", "WHY"], rows, width)
}

/// What `cluster rebalance` prints before anything is moved.
pub(crate) fn rebalance(plan: &RebalanceView, width: Option<u16>) -> String {
    if plan.moves.is_empty() {
        return match plan.left_out_gain {
            None => "No move would even out the load of the hosts any further.".to_owned(),
            Some(gain) => format!(
                "No move is worth it: the best one would raise the lowest score by {} points, and moves are made from {} on.",
                number(gain),
                number(plan.least_gain)
            ),
        };
    }
    let moves = plan
        .moves
        .iter()
        .map(|moved| vec![moved.app.clone(), moved.slot.to_string(), moved.from.clone(), moved.to.clone()]);
    let hosts = plan.engines.iter().map(|host| vec![host.id.clone(), number(host.before), number(host.after)]);
    let moves = table(&["APP", "SLOT", "FROM", "TO"], moves, width);
    format!("{moves}\n\n{}", table(&["ENGINE", "SCORE NOW", "SCORE AFTER"], hosts, width))
}
