//! Files as they are shown.

use pierhead_model::{FileEntry, FileKind, FileListing, FilePath, MemberName};
use pierhead_wire::{FileView, FolderView, format_timestamp};

/// What is in a folder of a container.
pub(crate) fn folder(container: &MemberName, path: &FilePath, listing: &FileListing) -> FolderView {
    let view = |entry: &FileEntry| {
        let path = entry.name.as_ref().map_or_else(|| path.clone(), |name| path.join(name));
        file(&path, entry)
    };
    FolderView {
        container: container.to_string(),
        path: path.to_string(),
        entries: listing.entries.iter().map(view).collect(),
        has_more: listing.has_more,
    }
}

/// The file at a path.
pub(crate) fn file(path: &FilePath, entry: &FileEntry) -> FileView {
    FileView {
        name: path.split().map_or_else(|| "/".to_owned(), |(_, name)| name.shown()),
        path: path.to_string(),
        kind: kind(entry.kind).to_owned(),
        bytes: entry.size,
        mode: format!("{:04o}", entry.mode),
        modified: format_timestamp(entry.modified),
        etag: entry.tag.clone(),
        target: entry.target.clone(),
        leads_to: entry.leads_to.map(|to| kind(to).to_owned()),
    }
}

fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Folder => "folder",
        FileKind::Link => "link",
        FileKind::Other => "other",
    }
}
