//! What a host is to its pool, on its disk: its key and certificate, who it believes, and whom it calls. One file, for
//! nobody's eyes but its owner's, replaced as a whole.

use crate::error::{AgentError, Result};
use crate::tunnel::client_config;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const FILE: &str = "identity.json";

/// A host's place in a pool.
#[derive(Clone)]
pub struct Identity {
    /// What its engine is called.
    pub engine: String,
    /// `host:port` of each controller.
    pub controllers: Vec<String>,
    /// The certificate of the pool's authority.
    pub authority: CertificateDer<'static>,
    /// The host's certificate.
    pub certificate: CertificateDer<'static>,
    /// From when on it should be replaced, by this host's clock, in milliseconds since 1970.
    pub renew_at: u64,
    /// Until when it is good, likewise.
    pub expires_at: u64,
    /// By what one knows the token again that it came from; empty if nobody noted it.
    pub joined_with: String,
    pub(crate) key: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    engine: String,
    controllers: Vec<String>,
    authority: String,
    certificate: String,
    key: String,
    renew_at: u64,
    expires_at: u64,
    #[serde(default)]
    joined_with: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Identity {
    /// What an earlier run has kept in its directory.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(AgentError::Identity { path, source }),
        };
        // The words of the parser can be part of the key.
        let damaged = || AgentError::Identity { path: path.clone(), source: io::Error::other("it is damaged") };
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| damaged());
        Ok(Some(Self {
            authority: bytes(&kept.authority)?.into(),
            certificate: bytes(&kept.certificate)?.into(),
            key: bytes(&kept.key)?,
            engine: kept.engine,
            controllers: kept.controllers,
            renew_at: kept.renew_at,
            expires_at: kept.expires_at,
            joined_with: kept.joined_with,
        }))
    }

    /// Keeps it: the file holds the old one or this one, whenever the power goes.
    ///
    /// # Errors
    /// The directory cannot be made or written.
    pub fn keep(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        self.write(dir, &path).map_err(|source| AgentError::Identity { path, source })
    }

    fn write(&self, dir: &Path, path: &PathBuf) -> io::Result<()> {
        let kept = Kept {
            engine: self.engine.clone(),
            controllers: self.controllers.clone(),
            authority: STANDARD.encode(&self.authority),
            certificate: STANDARD.encode(&self.certificate),
            key: STANDARD.encode(&self.key),
            renew_at: self.renew_at,
            expires_at: self.expires_at,
            joined_with: self.joined_with.clone(),
        };
        fs::create_dir_all(dir)?;
        let beside = dir.join(format!("{FILE}.new"));
        // One of an earlier run that died could be readable for others.
        let _absent = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(&kept)?)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(dir)?.sync_all()
    }

    /// How the host calls controllers.
    ///
    /// # Errors
    /// Key and certificates do not belong together.
    pub fn client_config(&self) -> Result<ClientConfig> {
        let key = PrivatePkcs8KeyDer::from(self.key.clone()).into();
        client_config(self.authority.clone(), vec![self.certificate.clone()], key)
    }
}

/// This moment by this host's clock, in milliseconds since 1970.
pub(crate) fn moment() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn identity() -> Identity {
        Identity {
            engine: "host-1".to_owned(),
            controllers: vec!["10.0.0.1:7443".to_owned()],
            authority: vec![1, 2].into(),
            certificate: vec![3].into(),
            renew_at: 5,
            expires_at: 6,
            joined_with: "x".to_owned(),
            key: b"k3y".to_vec(),
        }
    }

    #[test]
    fn it_is_kept_for_its_owner_only_and_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert!(Identity::read(&state).unwrap().is_none());
        fs::create_dir(&state).unwrap();
        fs::write(state.join("identity.json.new"), "left behind").unwrap();
        identity().keep(&state).unwrap();
        Identity { engine: "host-2".to_owned(), ..identity() }.keep(&state).unwrap();
        let read = Identity::read(&state).unwrap().unwrap();
        assert_eq!((read.engine.as_str(), read.key.as_slice(), read.expires_at), ("host-2", &b"k3y"[..], 6));
        assert_eq!(fs::metadata(state.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
        assert!(!format!("{:?}", identity()).contains("key"));
    }

    #[test]
    fn a_damaged_file_is_told_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), r#"{"key": s3cret}"#).unwrap();
        let error = Identity::read(dir.path()).unwrap_err();
        let words = format!("{error} {:?}", std::error::Error::source(&error));
        assert!(words.contains("identity.json") && words.contains("damaged") && !words.contains("s3cret"), "{words}");
    }
}
