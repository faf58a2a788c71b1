//! How an etcd cluster is reached: from what people write to the store's settings. Opens no connection but in
//! [`registry`], which waits for one.

use anyhow::{Context, Result, bail};
use clap::Args;
use pierhead_store::{Etcd, EtcdAddress, EtcdSettings, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The wait before etcd is asked again.
const PAUSE: Duration = Duration::from_millis(500);
/// After what time without any answer that is told.
const SOON: Duration = Duration::from_secs(1);

/// Who asks, and whom to trust.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EtcdAccess {
    /// File with the authorities of etcd's certificates, PEM: etcd is then asked over TLS
    #[arg(id = "etcd_ca", long = "etcd-ca", env = "PIERHEAD_ETCD_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// File with the certificate to show etcd, PEM; with --etcd-key
    #[arg(id = "etcd_cert", long = "etcd-cert", env = "PIERHEAD_ETCD_CERT", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// File with the key of that certificate, PEM
    #[arg(id = "etcd_key", long = "etcd-key", env = "PIERHEAD_ETCD_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// User of etcd; with --etcd-password-file
    #[arg(id = "etcd_user", long = "etcd-user", env = "PIERHEAD_ETCD_USER", value_name = "NAME")]
    pub user: Option<String>,
    /// File with that user's password
    #[arg(
        id = "etcd_password_file",
        long = "etcd-password-file",
        env = "PIERHEAD_ETCD_PASSWORD_FILE",
        value_name = "FILE"
    )]
    pub password_file: Option<PathBuf>,
}

impl EtcdAccess {
    /// Whether anything is said.
    pub fn is_given(&self) -> bool {
        self.ca.is_some()
            || self.cert.is_some()
            || self.user.is_some()
            || self.password_file.is_some()
            || self.key.is_some()
    }

    /// The way to a cluster: `etcd://a:2379,b:2379`, or `http://a:2379,http://b:2379`, or the same with `https`.
    pub fn settings(&self, cluster: &str) -> Result<EtcdSettings> {
        let (address, scheme) = address(cluster)?;
        match scheme {
            Scheme::Https if self.ca.is_none() => bail!("https needs --etcd-ca FILE: the authorities to trust"),
            Scheme::Http if self.ca.is_some() => bail!("--etcd-ca is for TLS: write https:// or etcd://"),
            _ => {}
        }
        let mut settings = EtcdSettings::new(address);
        match (&self.ca, &self.cert, &self.key) {
            (None, None, None) => {}
            (None, ..) => bail!("--etcd-cert and --etcd-key need --etcd-ca beside them"),
            (Some(ca), None, None) => settings = settings.with_tls(&read(ca)?, None)?,
            (Some(ca), Some(cert), Some(key)) => {
                settings = settings.with_tls(&read(ca)?, Some((&read(cert)?, &read(key)?)))?;
            }
            (Some(_), ..) => bail!("--etcd-cert and --etcd-key belong together"),
        }
        match (&self.user, &self.password_file) {
            (None, None) => Ok(settings),
            (Some(user), Some(file)) => {
                let password =
                    String::from_utf8(read(file)?).ok().context("the file of --etcd-password-file is not text")?;
                Ok(settings.with_user(user, password.trim_end_matches(['\r', '\n'])))
            }
            _ => bail!("--etcd-user and --etcd-password-file belong together"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    /// With TLS or without, as the other settings say.
    Either,
}

fn address(cluster: &str) -> Result<(EtcdAddress, Scheme)> {
    if cluster.starts_with("etcd://") {
        return Ok((EtcdAddress::parse(cluster)?, Scheme::Either));
    }
    let members: Vec<&str> = cluster.split(',').map(str::trim).collect();
    let all = |scheme: &str| -> Option<Vec<&str>> {
        members.iter().map(|member| Some(member.strip_prefix(scheme)?.trim_end_matches('/'))).collect()
    };
    let (hosts, scheme) = match (all("http://"), all("https://")) {
        (Some(hosts), _) => (hosts, Scheme::Http),
        (_, Some(hosts)) => (hosts, Scheme::Https),
        _ => bail!(
            "{cluster:?} must be http://HOST:PORT, several with commas between them, or etcd://HOST:PORT,HOST:PORT"
        ),
    };
    if let Some(bad) = hosts.iter().find(|host| host.contains('/')) {
        bail!("{bad:?} must be HOST:PORT without a path");
    }
    Ok((EtcdAddress::parse(&format!("etcd://{}", hosts.join(",")))?, scheme))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// The registry of hosts in a cluster, as soon as one of its members answers.
pub(crate) async fn registry(settings: EtcdSettings) -> Arc<dyn Store> {
    let mut told = String::new();
    loop {
        let mut opening = std::pin::pin!(Etcd::open_bare(&settings));
        let opened = match tokio::time::timeout(SOON, &mut opening).await {
            Ok(opened) => opened,
            Err(_) => {
                if told.is_empty() {
                    tracing::warn!(etcd = %settings.address(), "etcd has not answered yet; it is waited for");
                }
                opening.await
            }
        };
        match opened {
            Ok(registry) => return Arc::new(registry),
            Err(error) => {
                let reason = error.to_string();
                if reason != told {
                    tracing::warn!(error = reason, etcd = %settings.address(), "etcd does not answer; it is asked again");
                    told = reason;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(cluster: &str) -> Result<Vec<String>, String> {
        let settings = EtcdAccess::default().settings(cluster).map_err(|error| format!("{error:#}"))?;
        Ok(settings.address().members().collect())
    }

    #[test]
    fn clusters_are_written_in_either_form() {
        for cluster in ["etcd://a:1,b:2379", "http://a:1,http://b:2379/", "http://a:1, http://b", "etcd://a:1,b"] {
            assert_eq!(members(cluster).unwrap(), ["a:1", "b:2379"], "{cluster}");
        }
        for (cluster, words) in [
            ("a:2379", "must be http://HOST:PORT"),
            ("", "must be http://HOST:PORT"),
            ("http://a,b", "must be http://HOST:PORT"),
            ("http://a,https://b", "must be http://HOST:PORT"),
            ("http://a/keys", "without a path"),
            ("https://a", "--etcd-ca"),
            ("etcd://a:x", "not a port"),
        ] {
            let refused = members(cluster).unwrap_err();
            assert!(refused.contains(words), "{cluster}: {refused}");
        }
    }

    #[test]
    fn what_belongs_together_is_given_together() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            Some(path)
        };
        let (password, junk) = (file("password", "secret\n"), file("junk", "no certificate"));
        let user = Some("pool".to_owned());
        let refused = |access: EtcdAccess, cluster: &str| format!("{:#}", access.settings(cluster).unwrap_err());
        for (access, cluster, words) in [
            (EtcdAccess { user: user.clone(), ..EtcdAccess::default() }, "etcd://a", "belong together"),
            (EtcdAccess { password_file: password.clone(), ..EtcdAccess::default() }, "etcd://a", "belong together"),
            (EtcdAccess { cert: junk.clone(), ..EtcdAccess::default() }, "etcd://a", "need --etcd-ca"),
            (
                EtcdAccess { ca: junk.clone(), key: junk.clone(), ..EtcdAccess::default() },
                "etcd://a",
                "belong together",
            ),
            (EtcdAccess { ca: junk.clone(), ..EtcdAccess::default() }, "http://a", "write https://"),
            (EtcdAccess { ca: junk, ..EtcdAccess::default() }, "https://a", ""),
            (
                EtcdAccess { ca: Some("/nonexistent/ca".into()), ..EtcdAccess::default() },
                "https://a",
                "/nonexistent/ca",
            ),
        ] {
            let text = refused(access, cluster);
            assert!(text.contains(words), "{text}");
        }
        let settings =
            EtcdAccess { user, password_file: password, ..EtcdAccess::default() }.settings("etcd://a").unwrap();
        let shown = format!("{settings:?}");
        assert!(shown.contains("pool") && !shown.contains("secret"), "{shown}");
    }
}
