//! The key file: made once, whole or not at all, readable by its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use super::KEY_BYTES;
use crate::{Error, Result};

/// The key in this file; a new one if there is none.
pub(super) fn read_or_create(path: &Path) -> Result<[u8; KEY_BYTES]> {
    match read(path) {
        Err(Error::Open { source, .. }) if is_not_found(&*source) => {}
        found => return found,
    }
    let mut key = [0; KEY_BYTES];
    SystemRandom::new().fill(&mut key).map_err(|_| Error::Random)?;
    create(path, &key).map_err(|source| failed("create", path, source))?;
    // Whoever came first has made the key; it is the one that counts.
    read(path)
}

fn read(path: &Path) -> Result<[u8; KEY_BYTES]> {
    let refused = |reason| Error::KeyFile { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(|source| failed("read", path, source))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(refused("others may read it (set its mode to 0600)"));
    }
    let bytes = fs::read(path).map_err(|source| failed("read", path, source))?;
    bytes.try_into().map_err(|_| refused("it doesn't hold 32 bytes"))
}

/// Written beside its place and linked there, so that no reader sees a part of it and no key is replaced.
fn create(path: &Path, key: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = Path::new(&draft);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(key)?;
    file.sync_all()?;
    let linked = match fs::hard_link(draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    fs::remove_file(draft)?;
    linked?;
    File::open(directory)?.sync_all()
}

fn is_not_found(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

fn failed(operation: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Open { operation, path: path.to_owned(), source: Arc::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_once_for_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let first = read_or_create(&path).unwrap();
        assert_ne!(first, [0; KEY_BYTES]);
        assert_eq!(read_or_create(&path).unwrap(), first);
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_is_not_a_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, [7; KEY_BYTES - 1]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read_or_create(&path), Err(Error::KeyFile { .. })));
        fs::write(&path, [7; KEY_BYTES]).unwrap();
        assert_eq!(read_or_create(&path).unwrap(), [7; KEY_BYTES]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = read_or_create(&path).unwrap_err();
        assert!(refused.to_string().contains("others may read it"), "{refused}");
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_reported() {
        let missing = Path::new("/proc/no/such/key");
        assert!(matches!(read_or_create(missing), Err(Error::Open { operation: "create", .. })));
    }
}
