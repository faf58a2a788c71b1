//! How files of workspaces look.

use super::table;
use crate::render::age;
use pierhead_model::Timestamp;
use pierhead_wire::FileView;

/// What `workspace files` prints.
pub(crate) fn files(files: &[FileView], width: Option<u16>, now: Timestamp) -> String {
    let row = |file: &FileView| {
        let size = if file.kind == "file" { file.bytes.to_string() } else { "-".to_owned() };
        let name = match (&file.target, file.kind.as_str()) {
            (Some(target), _) => format!("{} -> {target}", file.name),
            (None, "folder") => format!("{}/", file.name),
            (None, _) => file.name.clone(),
        };
        vec![file.mode.clone(), file.kind.clone(), size, age(&file.modified, now), name]
    };
    table(&["MODE", "KIND", "BYTES", "CHANGED", "NAME"], files.iter().map(row), width)
}
