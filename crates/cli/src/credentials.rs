//! The log-in that is kept on disk: for its owner only.

use crate::CliError;
use pierhead_client::Authority;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What `login` keeps.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedLogin {
    /// The controllers, a comma list.
    pub(crate) url: String,
    /// Goes to these controllers and to no others.
    pub(crate) token: String,
    pub(crate) username: String,
    pub(crate) expires_at: String,
    /// The only authority of which the controllers' certificates may be, PEM; none for those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
}

const FILE: &str = "login.json";

/// Where it is kept if nobody says otherwise.
pub(crate) fn default_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME").map(|home| home.join(".config"));
    variable("XDG_CONFIG_HOME").or_else(home).or_else(|| variable("APPDATA")).map(|base| base.join("pierhead"))
}

impl SavedLogin {
    /// The one that was kept, if there is one.
    pub(crate) fn load(folder: &Path) -> Result<Option<Self>, CliError> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(login) => Ok(Some(login)),
                Err(error) => Err(CliError::Credentials { path, source: error.into() }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CliError::Credentials { path, source }),
        }
    }

    /// The authority, read.
    pub(crate) fn authority(&self) -> Result<Option<Authority>, CliError> {
        Ok(self.authority.as_deref().map(Authority::from_pem).transpose()?)
    }

    /// Keeps this one, and says where. An interrupted write leaves the one before.
    pub(crate) fn save(&self, folder: &Path) -> Result<PathBuf, CliError> {
        let path = folder.join(FILE);
        let refuse = |source: io::Error| CliError::Credentials { path: path.clone(), source };
        let json = serde_json::to_vec_pretty(self).map_err(|error| refuse(error.into()))?;
        make_private_folder(folder).map_err(refuse)?;
        let draft = folder.join(format!(".{FILE}.{}", std::process::id()));
        let written = write_private_file(&draft, &json).and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            let _absent = fs::remove_file(&draft);
        }
        written.map_err(refuse)?;
        Ok(path)
    }

    /// Forgets it; says whether there was one.
    pub(crate) fn remove(folder: &Path) -> Result<bool, CliError> {
        let path = folder.join(FILE);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(CliError::Credentials { path, source }),
        }
    }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(unix)]
fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let _absent = fs::remove_file(path);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A profile's folder on Windows is its owner's only already.
#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(token: &str) -> SavedLogin {
        let own = str::to_owned;
        let (url, username, expires_at) = (own("http://a"), own("clare"), own("never"));
        SavedLogin { url, token: own(token), username, expires_at, authority: None }
    }

    #[test]
    fn the_last_one_is_kept_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("not/yet/there");
        assert!(SavedLogin::load(&folder).unwrap().is_none());
        login("one").save(&folder).unwrap();
        login("two").save(&folder).unwrap();
        assert!(SavedLogin::load(&folder).unwrap() == Some(login("two")));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
        assert!(SavedLogin::remove(&folder).unwrap() && !SavedLogin::remove(&folder).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_could_read_is_replaced_by_one_that_they_cannot() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "{}").unwrap();
        for open in [folder.path(), &path] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
        }
        login("one").save(folder.path()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(folder.path())), (0o600, 0o700));
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("file");
        fs::write(&file, "").unwrap();
        let error = login("one").save(&file.join("folder")).unwrap_err();
        assert!(error.to_string().contains("file/folder/login.json"), "{error}");
    }
}
