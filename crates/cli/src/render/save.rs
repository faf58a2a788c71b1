//! How saves look.

use super::{fields, table};
use crate::escape::escape;
use pierhead_wire::{FileChangeView, SaveChangesView, SaveView};

/// What `save ls` prints.
pub(crate) fn list(saves: &[SaveView], width: Option<u16>) -> String {
    let row = |save: &SaveView| {
        vec![
            save.id.clone(),
            save.name.clone(),
            save.owner.clone(),
            save.environment.clone(),
            state(save),
            places(save),
            megabytes(save.bytes),
            save.created_at.clone(),
        ]
    };
    let heads = ["SAVE", "NAME", "OWNER", "ENVIRONMENT", "STATE", "PLACES", "SIZE", "MADE"];
    table(&heads, saves.iter().map(row), width)
}

/// What `save show` prints.
pub(crate) fn one(save: &SaveView) -> String {
    let containers: Vec<String> = save
        .containers
        .iter()
        .map(|files| format!("{} ({} over {})", files.name, megabytes(files.bytes), files.base))
        .collect();
    fields(&[
        ("save", save.id.clone()),
        ("name", save.name.clone()),
        ("owner", save.owner.clone()),
        ("workspace", save.workspace.clone()),
        ("environment", format!("{}, version {}", save.environment, save.version)),
        ("state", state(save)),
        ("which means", save.why.clone().unwrap_or_default()),
        ("size", megabytes(save.bytes)),
        ("containers", containers.join(", ")),
        ("hosts", save.copies.join(", ")),
        ("registry", save.registry.clone().unwrap_or_default()),
        ("moved", megabytes(save.moved_bytes)),
        ("made", save.created_at.clone()),
    ])
}

/// What `save changes` prints.
pub(crate) fn changes(all: &[SaveChangesView]) -> String {
    let line = |file: &FileChangeView| {
        let (mark, bytes) = match file.kind.as_str() {
            "added" => ('+', file.bytes),
            "removed" => ('-', file.bytes_before),
            _ => ('~', file.bytes),
        };
        let size = if file.is_folder { "folder".to_owned() } else { format!("{bytes} bytes") };
        format!("{mark} {}  {size}", escape(&file.path))
    };
    let part = |one: &SaveChangesView| {
        let head = format!("{}: {} added, {} changed, {} removed", one.container, one.added, one.changed, one.removed);
        let named = one.files.len() as u64;
        let more = (one.added + one.changed + one.removed).saturating_sub(named);
        let rest = (more > 0).then(|| format!("and {more} more"));
        std::iter::once(head).chain(one.files.iter().map(line)).chain(rest).collect::<Vec<_>>().join("\n")
    };
    all.iter().map(part).collect::<Vec<_>>().join("\n\n")
}

fn state(save: &SaveView) -> String {
    let automatic = if save.automatic { ", automatic" } else { "" };
    format!("{}{automatic}", save.state)
}

/// The hosts that have it, and the registry.
fn places(save: &SaveView) -> String {
    let registry = save.registry.as_deref().and_then(|repository| repository.split('/').next());
    save.copies.iter().map(String::as_str).chain(registry).collect::<Vec<_>>().join(", ")
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, kind: &str) -> FileChangeView {
        FileChangeView { path: path.to_owned(), kind: kind.to_owned(), is_folder: false, bytes_before: 3, bytes: 5 }
    }

    #[test]
    fn what_differs_and_how_much_is_not_named() {
        let one = SaveChangesView {
            container: "main".to_owned(),
            added: 1,
            changed: 1,
            removed: 7,
            files: vec![file("/a", "added"), file("/b", "changed"), file("/c", "removed")],
        };
        let expected = "main: 1 added, 1 changed, 7 removed\n+ /a  5 bytes\n~ /b  5 bytes\n- /c  3 bytes\nand 6 more";
        assert_eq!(changes(std::slice::from_ref(&one)), expected);
        assert_eq!(changes(&[one.clone(), one]), format!("{expected}\n\n{expected}"));
    }
}
