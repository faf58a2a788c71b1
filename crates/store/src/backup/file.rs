//! The file of a backup: written beside its place and renamed, so that there is always a whole one or none.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::{Error, Result};

pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes).map_err(|source| Error::Open {
        operation: "write",
        path: path.to_owned(),
        source: Arc::new(source),
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = OsString::from(path.as_os_str());
    draft.push(format!(".{}", std::process::id()));
    let draft = Path::new(&draft);
    let written = write_draft(draft, bytes).and_then(|()| fs::rename(draft, path));
    if written.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(draft);
    }
    written?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn write_draft(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}
