//! A lab that comes as a tar archive, written as a folder: all of it, or nothing.

use crate::CliError;
use pierhead_client::FileStream;
use pierhead_lab::LabPath;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What is not complete; goes when it is dropped.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What was moved away is not there; nobody is told of what can't be removed twice.
        let _gone = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

/// Writes what comes into a folder that is not there yet, or empty. Tells how many files there are.
pub(super) async fn unpack(mut stream: FileStream, target: &Path) -> Result<usize, CliError> {
    let name = target.file_name().map_or_else(|| "lab".to_owned(), |name| name.to_string_lossy().into_owned());
    let archive = Unfinished(target.with_file_name(format!(".{name}.tar.unfinished")));
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::WriteFile { path, source }
    };
    let mut file = File::create(&archive.0).map_err(refused(&archive.0))?;
    while let Some(bytes) = stream.next().await? {
        file.write_all(&bytes).map_err(refused(&archive.0))?;
    }
    drop(file);
    let folder = Unfinished(target.with_file_name(format!(".{name}.unfinished")));
    fs::create_dir_all(&folder.0).map_err(refused(&folder.0))?;
    let count = untar(&archive.0, &folder.0).map_err(refused(&folder.0))?;
    if target.exists() {
        fs::remove_dir(target).map_err(refused(target))?;
    }
    fs::rename(&folder.0, target).map_err(refused(target))?;
    Ok(count)
}

fn untar(archive: &Path, folder: &Path) -> io::Result<usize> {
    let mut archive = tar::Archive::new(File::open(archive)?);
    let mut count = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_str().map(str::to_owned);
        let path = name.and_then(|name| LabPath::parse(&name).ok()).filter(|path| *path != LabPath::root());
        let path = path.ok_or_else(|| io::Error::other("the archive names a file that a lab may not have"))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let at = folder.join(path.as_str());
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::options().write(true).create_new(true).open(&at)?;
        io::copy(&mut entry, &mut file)?;
        if entry.header().mode()? & 0o111 != 0 {
            make_executable(&file)?;
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(unix)]
fn make_executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &File) -> io::Result<()> {
    Ok(())
}
