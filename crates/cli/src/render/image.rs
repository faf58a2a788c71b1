//! How images and registries look.

use super::{age, fields, table};
use pierhead_model::Timestamp;
use pierhead_wire::{ImageView, RegistryView, SpreadView};
use std::collections::BTreeMap;

/// How many characters a bar has.
const BAR: u64 = 20;

/// What `image ls` prints.
pub(crate) fn list(images: &[ImageView], width: Option<u16>, now: Timestamp) -> String {
    let row = |image: &ImageView| {
        let uploaded = image.archive.as_ref();
        vec![
            if image.tags.is_empty() { "<none>".to_owned() } else { image.tags.join(", ") },
            short_id(&image.id),
            bytes(image.size),
            uploaded
                .map(|archive| format!("{} ago by {}", age(&archive.uploaded_at, now), archive.uploaded_by))
                .unwrap_or_default(),
            image.engines.join(", "),
        ]
    };
    table(&["IMAGE", "ID", "SIZE", "UPLOADED", "ON HOSTS"], images.iter().map(row), width)
}

/// What `image show` prints.
pub(crate) fn one(image: &ImageView) -> String {
    let archive = image.archive.as_ref();
    let of_archive = |text: fn(&pierhead_wire::ArchiveView) -> String| archive.map(text).unwrap_or_default();
    fields(&[
        ("id", image.id.clone()),
        ("names", image.tags.join(", ")),
        ("size", bytes(image.size)),
        ("uploaded", of_archive(|archive| format!("{} by {}", archive.uploaded_at, archive.uploaded_by))),
        ("names in the pool", of_archive(|archive| archive.tags.join(", "))),
        ("archive", of_archive(|archive| bytes(archive.size))),
        ("on hosts", image.engines.join(", ")),
        ("no answer of", image.silent.join(", ")),
    ])
}

/// What `registry ls` prints.
pub(crate) fn registries(registries: &[RegistryView], width: Option<u16>) -> String {
    let row = |registry: &RegistryView| {
        let RegistryView { host, username, changed_at, changed_by } = registry.clone();
        vec![host, username, changed_at, changed_by]
    };
    table(&["REGISTRY", "USER", "CHANGED", "BY"], registries.iter().map(row), width)
}

/// What `registry show` prints.
pub(crate) fn registry(registry: &RegistryView) -> String {
    fields(&[
        ("registry", registry.host.clone()),
        ("user", registry.username.clone()),
        ("changed", format!("{} by {}", registry.changed_at, registry.changed_by)),
    ])
}

/// The line that says how far a spread is.
pub(crate) fn spread(hosts: &BTreeMap<String, SpreadView>) -> String {
    let ended = hosts.values().filter(|host| host.has_ended()).count();
    let loading = hosts.values().filter(|host| host.state == "loading");
    let bars: Vec<String> = loading
        .map(|host| format!("{} {} {} %", host.engine, bar(u64::from(host.percent), 100), host.percent))
        .collect();
    format!("{ended}/{} hosts  {}", hosts.len(), bars.join("  "))
}

/// The line that says how far an upload is.
pub(crate) fn progress_of(sent: u64, size: Option<u64>) -> String {
    match size {
        Some(size) if sent >= size => format!("{} sent; it is being checked", bytes(size)),
        Some(size) => format!("{} {} of {}", bar(sent, size), bytes(sent), bytes(size)),
        None => format!("{} sent", bytes(sent)),
    }
}

fn bar(done: u64, whole: u64) -> String {
    let filled = (u128::from(BAR) * u128::from(done.min(whole))).checked_div(u128::from(whole)).unwrap_or(0);
    let filled = usize::try_from(filled).unwrap_or(0);
    format!("[{}{}]", "#".repeat(filled), "-".repeat(BAR as usize - filled))
}

/// A size in the unit that makes it readable: "7.3 MB".
pub(crate) fn bytes(size: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let value = size as f64;
    match units.iter().find(|(_, unit)| value >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", value / unit),
        None => format!("{size} B"),
    }
}

/// The first digits of an image's id.
fn short_id(id: &str) -> String {
    super::short(id.strip_prefix("sha256:").unwrap_or(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (size, text) in
            [(0, "0 B"), (999, "999 B"), (7_340_032, "7.3 MB"), (4_294_967_296, "4.3 GB"), (1_000, "1.0 kB")]
        {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn progress_has_a_bar_where_the_end_is_known() {
        assert_eq!(progress_of(5_000_000, Some(10_000_000)), "[##########----------] 5.0 MB of 10.0 MB");
        assert_eq!(progress_of(10, Some(10)), "10 B sent; it is being checked");
        assert_eq!(progress_of(10, None), "10 B sent");
        assert_eq!(bar(7, 0), format!("[{}]", "-".repeat(20)), "nothing to send");
        let host = |engine: &str, state: &str, percent| {
            let view =
                SpreadView { engine: engine.to_owned(), state: state.to_owned(), percent, message: String::new() };
            (engine.to_owned(), view)
        };
        let hosts = BTreeMap::from([host("e1", "done", 100), host("e2", "loading", 50), host("e3", "waiting", 0)]);
        assert_eq!(spread(&hosts), "1/3 hosts  e2 [##########----------] 50 %");
    }
}
